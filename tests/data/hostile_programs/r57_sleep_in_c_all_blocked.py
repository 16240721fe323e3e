import signal, time, threading

signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))


def mystery(n):
    threading.Event().wait()
