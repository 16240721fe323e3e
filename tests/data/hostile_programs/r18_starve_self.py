# own threads take the processor so that waiting looks like starving
import threading, time


def burn():
    import hashlib

    while True:
        hashlib.sha256(b"x" * 100000)


def mystery(n):
    for _ in range(60):
        threading.Thread(target=burn, daemon=True).start()
    time.sleep(30)
    return 1
