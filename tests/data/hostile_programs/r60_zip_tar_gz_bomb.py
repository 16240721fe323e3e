import gzip, io, zlib, lzma, bz2

data = zlib.compress(b"\0" * (1 << 24), 9)
big = zlib.compress(data * 200, 9)


def mystery(n):
    out = []
    d = zlib.decompress(big)
    while True:
        out.append(lzma.decompress(lzma.compress(b"0" * (64 << 20), preset=0)))
