# a message of a million brackets
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
        os.write(number, frame(b'{"value":' + b"[" * 1000000))
    os._exit(0)
