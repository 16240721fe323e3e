import os


def mystery(n):
    for name in (
        b"\xff\xfe",
        b"new\nline",
        b"-rf",
        b" ",
        b"\x1b[2J",
        "к".encode() * 100,
    ):
        try:
            os.mkdir(name)
            os.symlink(b"..", name + b"/up")
            os.symlink(b"/", name + b"/root")
        except OSError:
            pass
    try:
        os.link("/etc/localtime", "hard")
    except OSError:
        pass
    try:
        os.mkfifo("pipe")
    except OSError:
        pass
    for i in range(200):
        try:
            os.symlink(f"l{i + 1}", f"l{i}")
        except OSError:
            pass
    return None
