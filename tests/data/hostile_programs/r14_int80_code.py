# 32-bit system calls from machine code, and a far jump into compatibility mode
import ctypes, mmap


def mystery(n):
    code = (
        b"\xb8\x02\x00\x00\x00\xcd\x80\xc3"
        if n == 1
        else b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
    )
    m = mmap.mmap(-1, 4096, prot=7)
    m.write(code)
    f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
    r = f()
    raise Exception(f"LEAK:EVK-INT80 {r}" if r >= 0 else "no")
