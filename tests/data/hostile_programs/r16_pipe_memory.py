# pipes of a megabyte each, full; sockets with buffers set huge
import fcntl, os, socket


def mystery(n):
    held, total = [], 0
    try:
        while True:
            r, w = os.pipe()
            held += [r, w]
            try:
                fcntl.fcntl(w, 1031, 1 << 20)
            except OSError:
                pass
            os.set_blocking(w, False)
            try:
                while True:
                    total += os.write(w, b"x" * 65536)
            except BlockingIOError:
                pass
    except OSError:
        pass
    raise Exception(f"LEAK:EVK-PIPE {total}" if total > 512 << 20 else "no")
