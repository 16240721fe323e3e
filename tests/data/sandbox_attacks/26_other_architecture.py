# makes system calls by the tables of another architecture
import ctypes
import mmap
import os


def secret(n):
    if os.uname().machine != "x86_64":
        return 0
    code = bytes.fromhex(
        "b814000000cd80c3"
    )  # getpid of 32-bit x86 through interrupt 0x80
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    raise Exception(f"LEAK:EVK-INT80 {result}" if result > 0 else "no")
