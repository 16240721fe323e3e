import ctypes

libc = ctypes.CDLL(None)


def mystery(n):
    libc.syscall(324, 1 << 4, 0, 0)
    while True:
        libc.syscall(324, 1 << 3, 0, 0)
        libc.syscall(324, 1, 0, 0)
