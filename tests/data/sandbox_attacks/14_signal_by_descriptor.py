# has the kernel signal the parent when a descriptor is ready
import fcntl
import os
import signal


def secret(n):
    done = []
    reader, writer = os.pipe()
    for command, value in ((8, os.getppid()), (10, signal.SIGKILL), (15, 0)):
        try:
            fcntl.fcntl(reader, command, value)
            done.append(command)
        except OSError:
            pass
    raise Exception("LEAK:EVK-FCNTL" if done else "no")
