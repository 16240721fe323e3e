# stops, so that nobody is told that it ended
import os
import signal


def secret(n):
    os.kill(os.getpid(), signal.SIGSTOP)
