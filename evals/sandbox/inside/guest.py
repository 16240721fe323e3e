"""One running program, seen from the worker: asked, watched, and killed when its time is up."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from . import scratch
from .child import BOUND
from .codec import decode, encode
from .objects import RemoteObject, describe_exception, exception_of, overwrite
from .wire import WireError, pack, receive
from .zygote import JOB, PRELOAD, REPORT

_CREDENTIALS = struct.Struct("=3i")
_PATIENCE = 20.0
_TICK_MILLISECONDS = 20
_STARVED = 8
_DELETED_LIMIT = 16 * 2**20


class SandboxError(BaseException):
    """The sandbox failed, not the program. No ``except Exception`` of a test may swallow it."""


class StoppedError(BaseException):
    """The program is dead: ``outcome`` is one of the words of `evalkit.tasks.execution.Outcome`.

    No ``except Exception`` of a test may take it for an exception that the program was meant to raise.
    """

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class Zygote:
    """The worker's end of a zygote."""

    def __init__(self, control: socket.socket, processes: int, folder: str | None) -> None:
        self.control = control
        self.processes = processes
        self.folder = folder
        self.own_memory = 0
        control.settimeout(_PATIENCE)

    def fork(self, descriptors: Sequence[int]) -> None:
        """Have a child forked that holds these descriptors."""
        self._send(JOB, descriptors)

    def report(self) -> tuple[int, float]:
        """Return the wait status and the processor time of the child that was forked last, once it is dead."""
        try:
            status, seconds = REPORT.unpack(self.control.recv(REPORT.size))
        except (OSError, struct.error):
            raise SandboxError("the zygote process has ended") from None
        return status, seconds

    def preload(self, modules: Sequence[str]) -> Zygote:
        """Have another zygote made that has imported these modules."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._send(PRELOAD + " ".join(modules).encode(), [theirs.fileno()])
        ours.settimeout(_PATIENCE)
        try:
            ready = ours.recv(1)
        except OSError:
            ready = b""
        if not ready:
            ours.close()
            raise SandboxError(f"{', '.join(modules)} cannot be imported inside the sandbox")
        return Zygote(ours, self.processes, self.folder)

    def _send(self, kind: bytes, descriptors: Sequence[int]) -> None:
        try:
            socket.send_fds(self.control, [kind], list(descriptors))
        except OSError:
            raise SandboxError("the zygote process has ended") from None


class Guest:
    """A program that runs under watch.

    ``may_end_loops`` says whether a test knows that a call may raise ``StopIteration``; otherwise it arrives as a
    ``RuntimeError``, as out of a generator.

    Every wait is bounded by the limits of the test that `begin` started. Methods raise `StoppedError` when the
    program is dead, `SandboxError` when the sandbox is.
    """

    may_end_loops = False
    raised: BaseException | None = None
    stopped: StoppedError | None = None
    cpu_seconds = 0.0

    def __init__(self, zygote: Zygote, limits: dict[str, Any], stdin: bytes = b"", *, split_output: bool) -> None:
        self.zygote = zygote
        self.limits = limits
        self.callbacks: list[Callable[..., Any]] = []
        self._status: int | None = None
        self._stdin = os.memfd_create("stdin")
        self._stdout = os.memfd_create("stdout")
        self._stderr = os.memfd_create("stderr") if split_output else os.dup(self._stdout)
        os.write(self._stdin, stdin)
        os.lseek(self._stdin, 0, os.SEEK_SET)
        if zygote.folder is not None:
            scratch.empty(zygote.folder)
        self._connection, theirs = socket.socketpair()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            zygote.fork([theirs.fileno(), self._stdin, self._stdout, self._stderr])
        self._pid = self._hello()
        self._handle = os.pidfd_open(self._pid)
        self._clock = (~self._pid) << 3 | 2  # as clock_getcpuclockid(3) does
        self._poll = select.poll()
        self._poll.register(self._connection, select.POLLIN)
        self._poll_out = select.poll()
        self._poll_out.register(self._connection, select.POLLOUT)
        if not zygote.own_memory:
            zygote.own_memory = _address_space(self.zygote.processes, self._pid)

    def begin(self) -> None:
        """Start the clock of a test."""
        self._cpu_start = self._cpu()
        self._wall_start = self._looked = time.monotonic()

    def start(self, source: str, *, main: bool, tests: int) -> None:
        """Send the program; `begin` must have been called. The child is bound when this returns."""
        cpu = int(self.limits["cpu"] * (tests + 1)) + 2
        memory = self.zygote.own_memory + self.limits["memory"]
        self._send({"source": source, "main": main, "cpu": cpu, "memory": memory})
        try:
            self._wait()
            bound = self._connection.recv(1)
        except (ConnectionError, StoppedError):
            bound = b""
        if bound != BOUND:
            raise SandboxError("a child could not be bound")

    def load(self) -> None:
        """Wait until the program has been loaded; raises what it raised."""
        self._understand(self._receive())

    def ask(self, do: str, target: str | int, *arguments: Any, mirror: bool = False, **keywords: Any) -> Any:
        """Ask about the program: call something, read an attribute. Raises what the program raised.

        With ``mirror``, arguments that the program changed in place are changed here too.
        """
        question = {
            "do": do,
            "target": target,
            "args": [encode(argument, self._give) for argument in arguments],
            "kwargs": {name: encode(value, self._give) for name, value in keywords.items()},
            "mirror": mirror,
        }
        if self.stopped is not None:
            raise self.stopped
        try:
            reply = self._exchange(question)
        except RecursionError:
            # Messages may be half read: nothing more can be asked.
            raise self._stop("error", "the test and the program call each other too deeply") from None
        value = self._understand(reply, ends_iteration=self.may_end_loops or do == "next")
        if mirror:
            self._mirror(reply.get("args"), arguments)
        return value

    def _exchange(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask a question, and serve callbacks until it is answered; a callback may ask questions of its own."""
        self._send(question)
        while "callback" in (reply := self._receive()):
            self._send(self._call_back(reply))
        return reply

    def _mirror(self, changes: Any, arguments: Sequence[Any]) -> None:
        if type(changes) is not dict:
            raise self._died()
        for place, data in changes.items():
            if not place.isdecimal() or int(place) >= len(arguments):
                raise self._died()
            overwrite(arguments[int(place)], self._take(data))

    def wait_for_end(self) -> int:
        """Wait until the program has ended by itself, and return its wait status."""
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLIN)
        self._wait()
        return self.end()

    def end(self) -> int:
        """Kill the program if it lives, and return its wait status."""
        if self._status is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self._status, self.cpu_seconds = self.zygote.report()
        return self._status

    def output(self, limit: int) -> tuple[bytes, bytes]:
        """Return the head of standard output and of standard error: at most ``limit`` + 1 bytes each."""
        return os.pread(self._stdout, limit + 1, 0), os.pread(self._stderr, limit + 1, 0)

    def printed(self) -> int:
        """Return how many bytes standard output or standard error holds, whichever is more."""
        return max(os.fstat(self._stdout).st_size, os.fstat(self._stderr).st_size)

    def close(self) -> None:
        """Kill the program if it lives, and free what belongs to it."""
        try:
            self.end()
        finally:
            self._connection.close()
            for descriptor in (self._stdin, self._stdout, self._stderr, self._handle):
                os.close(descriptor)

    def _hello(self) -> int:
        self._connection.settimeout(_PATIENCE)
        try:
            greeting, ancillary, _, _ = self._connection.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError:
            greeting = b""
        if not greeting:
            raise SandboxError("a child did not start")
        self._connection.settimeout(None)
        # From now on plain reads; the credentials are the kernel's word, not the sender's.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        pid, _, _ = _CREDENTIALS.unpack(ancillary[0][2])
        return int(pid)

    def _cpu(self) -> float:
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            raise self._died() from None

    def _wait(self, poll: select.poll | None = None) -> None:
        """Wait until there is something to read (or room to write), and see that no limit is passed."""
        poll = poll or self._poll
        ready = False
        while not ready:
            ready = bool(poll.poll(_TICK_MILLISECONDS))
            now = time.monotonic()
            # A program that answers all the time is looked at as often as one that is silent.
            if not ready or now > self._looked + _TICK_MILLISECONDS / 1000:
                self._looked = now
                self._see_limits(now - self._wall_start, answers=ready)

    def _see_limits(self, elapsed: float, *, answers: bool) -> None:
        try:
            used = time.clock_gettime(self._clock) - self._cpu_start
        except OSError:
            if answers:
                return  # it has ended, and what it said before is still to be read
            raise self._died() from None
        if used > self.limits["cpu"]:
            raise self._stop("timeout", f"more than {self.limits['cpu']:g} s of CPU time")
        if elapsed > self.limits["wall"]:
            self._judge_wall(elapsed)
        if self.zygote.folder is not None and self._fills_the_disk(self.zygote.folder):
            raise self._stop("output", "too much data was written to files")

    def _fills_the_disk(self, folder: str) -> bool:
        own = {_identity(os.fstat(stream)) for stream in (self._stdin, self._stdout, self._stderr)}
        return scratch.overfull(folder) or _deleted_files(self.zygote.processes, self._pid, own) > _DELETED_LIMIT

    def _judge_wall(self, elapsed: float) -> None:
        starved = _waiting_for_processor(self.zygote.processes, self._pid)
        if elapsed - starved > self.limits["wall"]:
            raise self._stop("timeout", f"more than {self.limits['wall']:g} s, mostly waiting")
        if elapsed > _STARVED * self.limits["wall"]:
            raise SandboxError(
                f"no CPU was free for {starved:.0f} s of {elapsed:.0f} s: run fewer programs at once"
            )

    def check_time(self) -> None:
        """Raise when the test that ends now used more processor time than it may."""
        used = self._cpu() - self._cpu_start if self._status is None else self.cpu_seconds
        if used > self.limits["cpu"]:
            raise self._stop("timeout", f"more than {self.limits['cpu']:g} s of CPU time")

    def _stop(self, outcome: str, detail: str) -> StoppedError:
        self.end()
        self.stopped = StoppedError(outcome, detail)
        return self.stopped

    def _died(self) -> StoppedError:
        """Say how a program ended that should not have."""
        status = self.end()
        if os.WIFEXITED(status):
            return self._stop("crashed", f"the program exited with status {os.WEXITSTATUS(status)}")
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return self._stop("timeout", f"more than {self.limits['cpu']:g} s of CPU time")
        if number == signal.SIGKILL:
            # `end` kills what still lives: it closed its connection, or sent something that is no answer.
            return self._stop("crashed", "the program closed its connection or sent an invalid reply")
        return self._stop("crashed", f"the program was killed by {signal.Signals(number).name}")

    def _send(self, message: Any) -> None:
        try:
            rest = memoryview(pack(message))
        except WireError as error:
            raise SandboxError(f"a test or a program is too long: {error}") from None
        while rest:
            self._wait(self._poll_out)
            try:
                rest = rest[self._connection.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                continue
            except ConnectionError:
                raise self._died() from None

    def _receive(self) -> dict[str, Any]:
        try:
            reply = receive(self._connection, self._wait)
        except (EOFError, WireError, ConnectionError):
            raise self._died() from None
        except MemoryError:
            raise self._stop("output", "the program returned more than the checker can hold") from None
        if type(reply) is not dict:
            raise self._died()
        return reply

    def _understand(self, reply: dict[str, Any], *, ends_iteration: bool = False) -> Any:
        if "value" in reply:
            return self._take(reply["value"])
        if "too_long" in reply:
            raise self._stop("output", "the program returned more than 16 MiB")
        raised = reply.get("raised")
        if type(raised) is not list or len(raised) != 3 or not all(type(word) is str for word in raised):
            raise self._died()
        self.raised = exception_of(*raised)
        if isinstance(self.raised, (StopIteration, StopAsyncIteration)) and not ends_iteration:
            # Else it would end a loop of the test, as if the test had looked at all answers (PEP 479).
            self.raised = RuntimeError(f"the program raised {raised[0]}")
        raise self.raised

    def _take(self, data: Any) -> Any:
        """Decode what the program sent, whatever it is."""
        try:
            return decode(data, self._object)
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, AttributeError):
            raise self._stop("wrong", "the program returned an invalid value") from None
        except MemoryError:
            raise self._stop("output", "the program returned more than the checker can hold") from None

    def _object(self, data: dict[str, Any]) -> Any:
        number, kind = data["object"]
        if type(number) is not int or type(kind) is not str:
            raise ValueError("not a handle")
        return RemoteObject(self.ask, number, kind)

    def _give(self, value: Any) -> Any:
        if isinstance(value, RemoteObject):
            return {"object": [value._evalkit_number]}
        if callable(value):
            self.callbacks.append(value)
            return {"callback": len(self.callbacks) - 1}
        kind = type(value).__name__
        raise SandboxError(
            f"a test gives the program a value of type {kind}, which cannot be sent into the sandbox"
        )

    def _call_back(self, request: dict[str, Any]) -> dict[str, Any]:
        number, arguments, keywords = request["callback"], request.get("args"), request.get("kwargs")
        if type(number) is not int or not 0 <= number < len(self.callbacks):
            raise self._died()
        if type(arguments) is not list or type(keywords) is not dict:
            raise self._died()
        values = [self._take(argument) for argument in arguments]
        named = {name: self._take(value) for name, value in keywords.items()}
        try:
            return {"value": encode(self.callbacks[number](*values, **named), self._give)}
        except Exception as error:
            return {"raised": describe_exception(error)}


def _read_process(processes: int, path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY, dir_fd=processes)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _address_space(processes: int, pid: int) -> int:
    """Return the size of a process's address space in bytes; 256 MiB where the kernel does not say."""
    words = _read_process(processes, f"{pid}/statm").split()
    return int(words[0]) * os.sysconf("SC_PAGE_SIZE") if words else 256 * 2**20


def _identity(entry: os.stat_result) -> tuple[int, int]:
    return entry.st_dev, entry.st_ino


def _deleted_files(processes: int, pid: int, other: Collection[tuple[int, int]]) -> int:
    """Return how many bytes are held by files that a process has deleted and not closed; ``other`` do not count."""
    held: dict[tuple[int, int], int] = {}
    try:
        folder = os.open(f"{pid}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=processes)
    except OSError:
        return 0
    try:
        for name in os.listdir(folder):  # noqa: PTH208  (a descriptor has no Path)
            with suppress(OSError):
                entry = os.stat(name, dir_fd=folder)
                if stat.S_ISREG(entry.st_mode) and entry.st_nlink == 0 and _identity(entry) not in other:
                    held[_identity(entry)] = entry.st_blocks * 512
    finally:
        os.close(folder)
    return sum(held.values())


def _waiting_for_processor(processes: int, pid: int) -> float:
    """Return how many seconds the first thread of a process was ready to run and had no processor."""
    words = _read_process(processes, f"{pid}/schedstat").split()
    return int(words[1]) / 1e9 if len(words) == 3 else 0.0
