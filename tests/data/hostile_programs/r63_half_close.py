import os, socket, time


def mystery(n):
    for number in range(3, 256):
        try:
            if os.fstat(number).st_mode & 0o170000 == 0o140000:
                s = socket.socket(fileno=number)
                s.shutdown(socket.SHUT_RD if n == 1 else socket.SHUT_WR)
        except OSError:
            pass
    time.sleep(30)
