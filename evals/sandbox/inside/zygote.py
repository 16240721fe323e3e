"""The zygote: a warm process that forks a child per program and never sees the programs.

It receives descriptors and forks; the child reads its program from one of them, so nothing of a program is ever in
the memory that the next child starts from.
"""

from __future__ import annotations

import os
import site
import socket
import struct
from importlib import import_module
from typing import NoReturn

from . import namespace
from .child import Bonds, run_child
from .codec import decode, encode
from .system import die_with_parent
from .wire import pack, unpack

JOB, PRELOAD = b"J", b"P"
REPORT = struct.Struct("=id")
"""Report on an ended child: wait status and processor time in seconds."""

_REHEARSAL = """
import math
class Pair:
    def __init__(self, left, right): self.left, self.right = left, right
def solve(values):
    try: raise KeyError(values)
    except KeyError as error: text = f"{error}"
    return [Pair(value, math.sqrt(value)).left for value in sorted(values) if text]
result = solve([3, 1, 2])
"""


def serve(control: socket.socket, bonds: Bonds) -> NoReturn:
    """Fork a child for each job that arrives, report how it ended, and end with the worker."""
    die_with_parent()
    # The interpreter was started without ``site``, which programs expect to have made ``exit`` and ``quit``.
    site.setquit()
    _rehearse()
    while True:
        kind, descriptors, _, _ = socket.recv_fds(control, 256, 4)
        if not kind:
            os._exit(0)
        if kind[:1] == PRELOAD:
            if os.fork() == 0:
                control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptors[0])
                die_with_parent()
                _preload(kind[1:].decode().split())
                control.send(b"!")
                continue
        else:
            if bonds.fresh_scratch:
                namespace.renew_scratch()
            child = os.fork()
            if child == 0:
                run_child(bonds, descriptors)
            _, status, usage = os.wait4(child, 0)
            control.send(REPORT.pack(status, usage.ru_utime + usage.ru_stime))
        for descriptor in descriptors:
            os.close(descriptor)


def _preload(modules: list[str]) -> None:
    for module in modules:
        if module == "numpy":
            import_module("numpy.random").seed(0)
        import_module(module)


def _rehearse() -> None:
    # Pages that every child would touch first are touched here once.
    exec(compile(_REHEARSAL, "program.py", "exec"), {})
    decode(unpack(pack(encode([1, {"two": (3.0, b"4")}]))[4:]))
