# thousands of timers, timers that signal, timers of other processes' clocks
import ctypes, os, struct, time

libc = ctypes.CDLL(None, use_errno=True)


def mystery(n):
    made = 0
    for _ in range(20000):
        if libc.syscall(283, 1, 0) < 0:
            break
        made += 1
    kept = 0
    for _ in range(100000):
        t = ctypes.c_int()
        if libc.syscall(222, 1, 0, ctypes.byref(t)) < 0:
            break
        kept += 1
    for pid in (1, os.getppid(), os.getppid() - 1):
        t = ctypes.c_int()
        sev = ctypes.create_string_buffer(
            struct.pack("qiii", 0, 9, 4, pid).ljust(64, b"\0")
        )
        if libc.syscall(222, 1, sev, ctypes.byref(t)) >= 0:
            raise Exception("LEAK:EVK-TIMER")
    return 0
