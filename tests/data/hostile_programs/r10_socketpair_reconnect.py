# a stream pair made free to connect to the abstract socket
import ctypes, os, socket, struct

libc = ctypes.CDLL(None, use_errno=True)


def mystery(n):
    a, b = socket.socketpair()
    done = []
    address = struct.pack("H", 1) + b"\0evk_canary_sock"
    family0 = struct.pack("H", 0) + b"\0" * 14
    for number, args in (
        (42, (a.fileno(), family0, 16)),
        (42, (a.fileno(), address, len(address))),
        (49, (a.fileno(), address[:-1] + b"x", len(address))),
        (50, (b.fileno(), 5)),
        (43, (b.fileno(), 0, 0)),
        (288, (b.fileno(), 0, 0, 0)),
    ):
        if libc.syscall(number, *args) >= 0:
            done.append(number)
    try:
        a.sendto(b"x", b"\0evk_canary_sock")
        done.append("sendto")
    except OSError:
        pass
    raise Exception(f"LEAK:EVK-SOCK {done}" if done else "no")
