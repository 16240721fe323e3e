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
attempt("bpf", 321, 0, b(64), 64)
attempt("perf_event_open", 298, b(128), 0, -1, -1, 0)
attempt("kexec_load", 246, 0, 0, 0, 0)
attempt("landlock_create_ruleset", 444, 0, 0, 1)
attempt("seccomp", 317, 1, 0, 0)
attempt("lookup_dcookie", 212, 0, 0, 0)
attempt("syslog", 103, 3, b(100), 100)


def mystery(n):
    raise Exception(f"LEAK:EVK-SYS {done}" if done else "no")
