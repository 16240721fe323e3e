import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)


def sc(*a):
    return libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])


done = []


def attempt(name, *a):
    r = sc(*a)
    if r >= 0:
        done.append((name, r))


b = ctypes.create_string_buffer
attempt("shmget", 29, 0x4242, 4096, 0o1666)
attempt("semget", 64, 0x4242, 1, 0o1666)
attempt("msgget", 68, 0x4242, 0o1666)
attempt("mq_open", 240, b(b"evk"), 0o102, 0o666, 0)
try:
    from multiprocessing import shared_memory

    shared_memory.SharedMemory(name="evk_red", create=True, size=100)
    done.append("shm")
except Exception:
    pass
for folder in (
    "/dev/shm",
    "/dev/mqueue",
    "/run",
    "/var/tmp",
    "/var/lock",
    "/run/user/0",
    "/tmp/..",
    "/usr/lib",
    "/lib",
    "/packages",
    "/dev",
):
    try:
        with open(folder + "/evk_red_left", "w") as f:
            f.write("x")
        if not folder.startswith("/tmp"):
            done.append(folder)
    except OSError:
        pass


def mystery(n):
    raise Exception(f"LEAK:EVK-SYS {done}" if done else "no")
