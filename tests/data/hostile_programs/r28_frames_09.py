import json, os, struct

FR = [
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"{}",
    b"NaN",
    b'{"value":NaN}',
    b'{"value":{"int":"zz"}}',
    b'{"value":{"int":"0x1eef","x":1}}',
    b'{"value":{"__class__":"int"}}',
    b'{"callback":true,"args":[]}',
    b'{"callback":0}',
    b'{"callback":null,"args":null}',
    b'{"raised":["SystemExit","SystemExit","0"]}',
    b'{"raised":["StopIteration","StopIteration",""]}',
    b'{"raised":["AssertionError","A","x"]}',
    b'{"raised":[1,2,3]}',
    b'{"too_long":1}',
    b'{"value":null,"args":{"\u0663":7}}',
    b'{"value":null,"args":{"' + b"1" * 5000 + b'":7}}',
    b'{"value":{"range":[0,10,0]}}',
    b'{"value":{"decimal":"1e99999999999999999999999999"}}',
    b'{"value":{"decimal":"sNaN123"}}',
    b'{"value":{"complex":[1]}}',
    b'{"value":{"bytes":"zz"}}',
    b'{"value":{"dict":[[[],1]]}}',
    b'{"value":{"object":[true,"x"]}}',
    b'{"value":{"object":[0,"' + b"A" * 100000 + b'"]}}',
    b'{"value":{"fraction":["1","0"]}}',
    b'{"value":{"fraction":["-0x1","-0x0"]}}',
    b"\xff\xfe",
    b'{"value":1}\n{"value":2}',
    b'{"value":"\ud800"}',
]
K = int.from_bytes(__name__.encode(), "big") % 7


def mystery(n):
    i = 9 * 3 + n - 1
    for number in range(3, 256):
        try:
            if os.fstat(number).st_mode & 0o170000 == 0o140000:
                f = FR[i % len(FR)]
                os.write(number, struct.pack(">I", len(f)) + f)
        except OSError:
            pass
    os._exit(0)
