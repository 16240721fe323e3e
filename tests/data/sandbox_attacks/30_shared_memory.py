# leaves something in shared memory for the next program
import ctypes
import os


def secret(n):
    libc = ctypes.CDLL(None)
    done = []
    if libc.shmget(4711, 4096, 0o1600) >= 0:
        done.append("shm")
    if libc.msgget(4711, 0o1600) >= 0:
        done.append("msg")
    if libc.semget(4711, 1, 0o1600) >= 0:
        done.append("sem")
    try:
        os.mkfifo("fifo")
        done.append("fifo")
    except OSError:
        pass
    raise Exception(f"LEAK:EVK-SHARED {done}" if done else "no")
