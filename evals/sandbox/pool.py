"""Warm slots: processes that run one program after another, each in a fresh fork."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ...tasks.execution import Asserts, Calls, Execution, Outcome, Program, Stdio, TestResult
from . import docker
from .inside import scratch
from .inside.codec import NotPlainError, encode
from .inside.layout import PRELOADED_PACKAGE, Layout
from .inside.wire import WireError, body_length, pack, unpack

UNPRIVILEGED_USER = 65534
"""The user id of programs when evalkit runs as root: nobody."""

_START_SECONDS = 30.0
_SLACK_SECONDS = 60.0
_WORST_WALL = 10

_LAUNCH = "import sys; sys.path.insert(0, {folder!r}); from inside.worker import main; main({descriptor})"
# All of a program's environment: nothing of ours is in it. One malloc arena keeps threads from taking address
# space, and the fixed seed makes sets print the same in every run.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


Relay = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Answers one question of a worker about a program that runs elsewhere, given the program's limits."""


class SlotDiedError(Exception):
    """A slot did not do its work; ``signal`` is what its worker died of, if it did."""

    def __init__(self, message: str, signal_: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal_


class Slot:
    """One worker process and the stream to it."""

    def __init__(self, tier: str, layout: Layout) -> None:
        self.tier = tier
        self.layout = layout
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: str | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> Self:
        """Start the worker and wait until it is ready.

        Raises:
            SlotDiedError: it cannot work here (the message says why).
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _launch(self.tier, theirs.fileno())
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            answer = await asyncio.wait_for(self._exchange(self._settings()), _START_SECONDS)
        except TimeoutError:
            raise SlotDiedError(f"a sandbox process was not ready after {_START_SECONDS:g} s") from None
        if "failed" in answer:
            raise SlotDiedError(answer["failed"])
        return self

    def _settings(self) -> dict[str, Any]:
        if self.tier in ("landlock", "unsafe"):
            self._folder = tempfile.mkdtemp(prefix="evalkit-sandbox-")
            if self.tier == "landlock" and os.geteuid() == 0:
                os.chown(self._folder, UNPRIVILEGED_USER, UNPRIVILEGED_USER)
        folder = docker.SCRATCH if self.tier == "docker" else self._folder
        layout = None if self.tier == "docker" else asdict(self.layout)
        return {"tier": self.tier, "user": UNPRIVILEGED_USER, "scratch": folder, "layout": layout}

    async def run(self, program: Mapping[str, Any], patience: float, relay: Relay | None) -> dict[str, Any]:
        """Have a program judged; ``relay`` answers the worker's questions where the program runs elsewhere.

        Raises:
            SlotDiedError: the worker died, or did not answer within ``patience`` seconds.
        """
        try:
            async with asyncio.timeout(patience):
                answer = await self._exchange(program)
                while relay is not None and "relay" in answer:
                    answer = await self._exchange(await relay(program["limits"], answer["relay"]))
        except TimeoutError:
            raise SlotDiedError(f"a sandbox process did not answer within {patience:.0f} s") from None
        if "failure" in answer:
            raise SlotDiedError(answer["failure"])
        return answer

    async def _exchange(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._writer is not None
        try:
            self._writer.write(pack(message))
            await self._writer.drain()
            body = await self._reader.readexactly(body_length(await self._reader.readexactly(4)))
            answer: dict[str, Any] = unpack(body)
        except (EOFError, OSError, WireError) as error:
            code = await self._end()
            died_of = -code if code is not None and code < 0 else None
            raise SlotDiedError(
                f"a sandbox process died ({type(error).__name__}, exit status {code})", died_of
            ) from None
        return answer

    async def _end(self) -> int | None:
        if self._process is None:
            return None
        try:
            return await asyncio.to_thread(self._process.wait, 5)
        except subprocess.TimeoutExpired:
            return None

    async def close(self) -> None:
        """Kill the worker, and with it the zygote and the program; delete the slot's folder."""
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            self._process.kill()
            await self._end()
        if self._folder is not None:
            await asyncio.to_thread(_delete, self._folder)


def _launch(tier: str, descriptor: int) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    if tier == "docker":
        command = docker.docker_command(_ENVIRONMENT)
        return subprocess.Popen(command, stdin=descriptor, stdout=descriptor, stderr=quiet)
    launch = _LAUNCH.format(folder=str(Path(__file__).parent), descriptor=descriptor)
    command = [sys.executable, "-P", "-s", "-S", "-B", "-X", "utf8", "-c", launch]
    return subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=quiet, env=_ENVIRONMENT, cwd="/", pass_fds=[descriptor]
    )


def _delete(folder: str) -> None:
    # The zygote and the program die of the worker's death, in a moment.
    for _ in range(50):
        try:
            scratch.empty(folder)
            Path(folder).rmdir()
            return
        except OSError:
            time.sleep(0.02)


class SlotPool:
    """A sandbox of warm slots, started when first needed.

    A slot that dies is replaced and its program is run once more elsewhere; the second death is the failure that
    `Execution.failure` reports.
    """

    def __init__(self, tier: str, *, slots: int, layout: Layout, relay: Relay | None = None) -> None:
        self.name = self._tier = tier
        self._layout = layout
        self._relay_questions = relay
        self._free: asyncio.LifoQueue[Slot | None] = asyncio.LifoQueue()
        self._open: set[Slot] = set()
        for _ in range(slots):
            self._free.put_nowait(None)

    async def run(self, program: Program) -> Execution:
        """Run a program against its tests, as `evalkit.tasks.execution.Sandbox` says."""
        started = time.monotonic()
        try:
            message = _as_message(program, self._layout.packages is not None)
            pack(message)
        except (NotPlainError, RecursionError, WireError) as error:
            return Execution(failure=f"the tests cannot be sent to a sandbox: {error}")
        slot = await self._free.get()
        try:
            for attempt in (1, 2):
                try:
                    slot = slot or await self._start()
                    answer = await slot.run(message, _patience(program), self._relay_questions)
                    return _execution(answer, time.monotonic() - started)
                except SlotDiedError as error:
                    await self._drop(slot)
                    slot = None
                    if error.signal == signal.SIGPROF:
                        return _checker_overworked(program, time.monotonic() - started)
                    if attempt == 2:
                        return Execution(failure=str(error), wall_seconds=time.monotonic() - started)
            raise AssertionError("unreachable")
        except BaseException:
            await self._drop(slot)  # cancelled in the middle: the slot is still busy with this program
            slot = None
            raise
        finally:
            self._free.put_nowait(slot)

    async def _start(self) -> Slot:
        slot = Slot(self._tier, self._layout)
        self._open.add(slot)
        try:
            return await slot.start()
        except BaseException:
            await self._drop(slot)
            raise

    async def _drop(self, slot: Slot | None) -> None:
        if slot is not None:
            self._open.discard(slot)
            await slot.close()

    async def close(self) -> None:
        """End all slots and whatever runs in them."""
        await asyncio.gather(*(slot.close() for slot in self._open))
        self._open.clear()


def _as_message(program: Program, has_package: bool) -> dict[str, Any]:
    tests, limits = program.tests, program.limits
    message: dict[str, Any] = {
        "source": program.source,
        "preload": PRELOADED_PACKAGE if has_package and PRELOADED_PACKAGE in program.source else "",
        "limits": {
            "cpu": limits.cpu_seconds,
            "wall": limits.wall,
            "memory": limits.memory_bytes,
            "output": limits.output_bytes,
        },
    }
    match tests:
        case Calls():
            calls = [
                {
                    "args": [encode(argument) for argument in call.args],
                    "kwargs": {name: encode(value) for name, value in call.kwargs.items()},
                    "expected": encode(call.expected),
                }
                for call in tests.tests
            ]
            settings = {"tolerance": tests.tolerance, "tuples_as_lists": tests.tuples_as_lists}
            return message | {"kind": "calls", "entry_point": tests.entry_point, "tests": calls} | settings
        case Asserts():
            return message | {"kind": "asserts"} | asdict(tests)
        case Stdio():
            return message | {"kind": "stdio"} | asdict(tests)


def _patience(program: Program) -> float:
    return _WORST_WALL * program.limits.wall * (len(program.tests.tests) + 1) + _SLACK_SECONDS


def _execution(answer: Mapping[str, Any], wall_seconds: float) -> Execution:
    results = tuple(TestResult(Outcome(outcome), _one_line(detail)) for outcome, detail in answer["verdicts"])
    return Execution(results, "", answer["output"], answer["cpu"], wall_seconds)


def _one_line(text: str) -> str:
    """Return hostile text as at most 500 printable characters: no line ends, escapes or lone surrogates."""
    return "".join(character if character.isprintable() else " " for character in text[:500])


def _checker_overworked(program: Program, wall_seconds: float) -> Execution:
    first = TestResult(Outcome.TIMEOUT, "checking the returned value took too much CPU time")
    rest = [TestResult(Outcome.NOT_RUN)] * (len(program.tests.tests) - 1)
    return Execution((first, *rest), wall_seconds=wall_seconds)
