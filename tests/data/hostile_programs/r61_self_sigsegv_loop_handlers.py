import faulthandler, signal, ctypes, sys

faulthandler.enable()


def mystery(n):
    libc = ctypes.CDLL(None)
    libc.signal(11, 1)
    libc.signal(6, 1)
    libc.abort()
