# changes the limits of another process
import os
import resource


def secret(n):
    for process in (os.getppid(), 1):
        try:
            resource.prlimit(process, resource.RLIMIT_NOFILE, (1, 1))
        except OSError:
            continue
        raise Exception("LEAK:EVK-PRLIMIT")
    return 0
