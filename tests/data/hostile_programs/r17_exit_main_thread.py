# the first thread ends by itself, another lives on and sleeps
import ctypes, threading, time


def sleeper():
    while True:
        time.sleep(0.5)


def mystery(n):
    threading.Thread(target=sleeper, daemon=True).start()
    ctypes.CDLL(None).syscall(60, 0)
