# starts a process in any way there is
import ctypes
import os
import subprocess


def secret(n):
    libc = ctypes.CDLL(None)
    executable = "/bin/sh" if os.path.exists("/bin/sh") else "/proc/self/exe"
    ways = {
        "fork": os.fork,
        "forkpty": os.forkpty,
        "posix_spawn": lambda: os.posix_spawn(executable, ["sh"], {}),
        "subprocess": lambda: subprocess.run([executable, "-c", ":"]),
        "vfork": lambda: libc.syscall(58) if os.uname().machine == "x86_64" else -1,
        "clone3": lambda: libc.syscall(435, ctypes.create_string_buffer(88), 88),
        "exec": lambda: os.execv(executable, ["sh", "-c", ":"]),
    }
    done = []
    for name, way in ways.items():
        try:
            result = way()
        except (OSError, subprocess.SubprocessError):
            continue
        if result != -1:
            done.append(name)
    raise Exception(f"LEAK:EVK-STARTED {done}" if done else "no")
