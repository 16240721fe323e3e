"""The process that runs one program: it restricts itself, runs the program and serves calls to it."""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found]
import _posixsubprocess
import atexit
import builtins
import errno
import io
import os
import random
import resource
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from . import system
from .codec import decode, encode
from .landlock import restrict_self
from .objects import describe_exception, exception_of
from .seccomp import install_filter
from .wire import WireError, receive, send

HELLO, BOUND = b"!", b"+"
"""What a child says first, by which the worker learns its process id; and when nothing can free it any more."""

FILE_LIMIT = 16 * 2**20
DESCRIPTORS = 256
_CONTAINERS = (list, dict)
_STANDARD_INPUT = frozenset({"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_open = open


@dataclass(frozen=True, slots=True)
class Bonds:
    """What binds every child of a slot: prepared once, before the fork.

    ``seccomp`` and ``ruleset`` are ``None`` where the tier has none; ``threads`` bounds the processes and threads
    of the user, ``scratch`` is the only folder where a program may write; it is a file system made anew for each
    program if ``fresh_scratch`` says so.
    """

    scratch: str
    seccomp: bytes | None = None
    ruleset: int | None = None
    threads: int | None = None
    fresh_scratch: bool = False


def run_child(bonds: Bonds, descriptors: list[int]) -> NoReturn:
    """Say hello, read the program from the socket, run it; never returns.

    ``descriptors`` are the socket to the worker, standard input, standard output and standard error.
    """
    status = 1
    try:
        job, *standard = descriptors
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=job)
        connection.send(HELLO)
        for target, descriptor in enumerate(standard):
            os.dup2(descriptor, target)
        order = receive(connection)
        _bind(bonds, order, job)
        connection.send(BOUND)
        status = _run_main(order["source"]) if order["main"] else _Server(connection).run(order["source"])
    except (EOFError, OSError, WireError):
        pass  # the worker is gone, or the program closed the socket
    finally:
        os._exit(status)


def _bind(bonds: Bonds, order: dict[str, Any], connection: int) -> None:
    """Set the limits and give everything up, in the order in which each step is still allowed."""
    random.seed(0)  # the same in every run; a fork has just seeded it from the system
    os.environ["TMPDIR"] = os.environ["HOME"] = bonds.scratch
    os.chdir(bonds.scratch)
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    if not bonds.fresh_scratch:
        # The worker, who is the same user, must see how much it writes: files may be deleted and still be open.
        system.prctl(system.PR_SET_DUMPABLE, 1)
    if bonds.ruleset is not None:
        restrict_self(bonds.ruleset)
    os.closerange(3, connection)
    os.closerange(connection + 1, DESCRIPTORS)
    system.drop_capabilities()
    limits = {
        resource.RLIMIT_AS: order["memory"],
        resource.RLIMIT_CPU: order["cpu"],
        resource.RLIMIT_FSIZE: FILE_LIMIT,
        resource.RLIMIT_NOFILE: DESCRIPTORS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if bonds.threads is not None:
        limits[resource.RLIMIT_NPROC] = bonds.threads
    for which, limit in limits.items():
        _, hard = resource.getrlimit(which)
        lowered = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (lowered, lowered))
    if bonds.seccomp is not None:
        install_filter(bonds.seccomp, os.getpid())
        # The filter refuses; these say why.
        os.fork = os.forkpty = os.posix_spawn = os.posix_spawnp = _start_no_process
        _posixsubprocess.fork_exec = _start_no_process
        _multiprocessing.SemLock = _NoLock


def _start_no_process(*_: Any, **__: Any) -> NoReturn:
    raise PermissionError(
        errno.EPERM,
        "the sandbox allows one process: programs cannot start processes or create locks shared between processes",
    )


class _NoLock:
    """A lock between processes, which lies in shared memory: there are neither here."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, *_: Any) -> None:
        _start_no_process()


def _open_as_file(file: Any, *arguments: Any, **keywords: Any) -> Any:
    """Open a file; the names of standard input, which a sandbox has no files for, mean descriptor 0."""
    if isinstance(file, (str, os.PathLike)) and os.fspath(file) in _STANDARD_INPUT:
        file = os.dup(0)
    return _open(file, *arguments, **keywords)


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = "program.py"
    sys.modules[name] = module
    sys.argv = ["program.py"]
    return module


def _run_main(source: str) -> int:
    """Run a program as a script and return its exit status, as the interpreter would."""
    status = 0
    builtins.open = io.open = _open_as_file
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), _module("__main__").__dict__)
    except SystemExit as exit_:
        status = _exit_status(exit_.code)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at the end of any script
    atexit._run_exitfuncs()
    _flush()
    return status


def _exit_status(code: object) -> int:
    if code is None or isinstance(code, int):
        return int(code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the program may have put anything there
            stream.flush()


class _Server:
    """Answers the worker's questions about the program: calls, attributes, items of what it returned."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.objects: list[Any] = []
        self.instances: dict[str, Any] = {}
        self.program: dict[str, Any] = {}

    def run(self, source: str) -> int:
        module = _module("program")
        self.program = module.__dict__
        self._answer(lambda: self._load(source))
        while True:
            try:
                question = receive(self.connection)
            except EOFError:
                return 0
            self._answer(lambda question=question: self._reply(question))  # type: ignore[misc]

    def _load(self, source: str) -> dict[str, Any]:
        exec(compile(source, "program.py", "exec", dont_inherit=True), self.program)
        return {"value": None}

    def _answer(self, reply: Callable[[], dict[str, Any]]) -> None:
        try:
            message = reply()
        except Exception as error:
            message = {"raised": describe_exception(error)}
        _flush()
        try:
            send(self.connection, message)
        except WireError:
            send(self.connection, {"too_long": True})
        except RecursionError as error:
            send(self.connection, {"raised": describe_exception(error)})

    def _reply(self, question: dict[str, Any]) -> dict[str, Any]:
        target = self._target(question["target"])
        arguments = [decode(argument, self._resolve) for argument in question["args"]]
        keywords = {name: decode(value, self._resolve) for name, value in question["kwargs"].items()}
        value = _OPERATIONS[question["do"]](target, *arguments, **keywords)
        reply = {"value": encode(value, self._handle)}
        if question["mirror"]:
            reply["args"] = self._changes(question["args"], arguments)
        return reply

    def _changes(self, before: list[Any], arguments: list[Any]) -> dict[str, Any]:
        """Return the arguments that the call changed, by position."""
        changed = {}
        for place, (old, argument) in enumerate(zip(before, arguments, strict=True)):
            if isinstance(old, _CONTAINERS):
                new = encode(argument, self._handle)
                if new != old:
                    changed[str(place)] = new
        return changed

    def _target(self, target: str | int) -> Any:
        if isinstance(target, int):
            return self.objects[target]
        owner, _, method = target.partition(".")
        if owner not in self.program:
            raise NameError(f"the program defines no '{owner}'")
        if not method:
            return self.program[owner]
        if owner not in self.instances:
            self.instances[owner] = self.program[owner]()
        return getattr(self.instances[owner], method)

    def _handle(self, value: Any) -> Any:
        self.objects.append(value)
        return {"object": [len(self.objects) - 1, type(value).__name__[:100]]}

    def _resolve(self, data: dict[str, Any]) -> Any:
        if "object" in data:
            return self.objects[data["object"][0]]
        number = data["callback"]

        def callback(*arguments: Any, **keywords: Any) -> Any:
            args = [encode(value, self._handle) for value in arguments]
            kwargs = {name: encode(value, self._handle) for name, value in keywords.items()}
            send(self.connection, {"callback": number, "args": args, "kwargs": kwargs})
            while "do" in (answer := receive(self.connection)):
                self._answer(lambda question=answer: self._reply(question))  # type: ignore[misc]
            if "raised" in answer:
                raise exception_of(*answer["raised"])
            return decode(answer["value"], self._resolve)

        return callback


def _call(target: Any, *arguments: Any, **keywords: Any) -> Any:
    return target(*arguments, **keywords)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "get": getattr,
    "set": setattr,
    "iter": iter,
    "next": next,
    "length": len,
    "item": lambda target, key: target[key],
    "contains": lambda target, key: key in target,
    "text": str,
    "truth": bool,
}
