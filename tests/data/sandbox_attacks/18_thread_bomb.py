# thousands of threads
import threading
import time


def secret(n):
    threading.stack_size(65536)
    started = 0
    try:
        while started < 5000:
            threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
            started += 1
    except (RuntimeError, MemoryError):
        pass
    raise Exception(f"LEAK:EVK-THREADS {started}" if started > 2000 else "no")
