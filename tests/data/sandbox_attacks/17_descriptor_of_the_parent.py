# takes descriptors out of another process
import ctypes
import os


def secret(n):
    libc = ctypes.CDLL(None)
    done = [
        process
        for process in (1, 2, os.getppid())
        if process > 0 and libc.syscall(434, process, 0) >= 0
    ]
    raise Exception(f"LEAK:EVK-PIDFD {done}" if done else "no")
