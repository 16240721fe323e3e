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
attempt("add_key", 248, b(b"user"), b(b"k"), b(b"v"), 1, -3)
attempt("request_key", 249, b(b"user"), b(b"k"), 0, -3)
attempt("keyctl", 250, 0, -3, 1)


def mystery(n):
    raise Exception(f"LEAK:EVK-SYS {done}" if done else "no")
