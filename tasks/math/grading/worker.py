"""The process that works on what exact arithmetic cannot decide, and is killed when it takes too long.

``python -m evalkit.tasks.math.grading.worker numeric|symbolic`` reads jobs from standard input and writes
verdicts to standard output, one JSON object a line. It imports what the work needs, once, and never works itself:
each job goes to a forked child under a memory limit. A child that misses its job's deadline is killed; the next
one costs a fork, not an import.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, NoReturn

from .comparing.answers import same
from .limits import MEMORY
from .reading.answers import read
from .verdict import TooLarge, Undecided, Unreadable, Verdict

CHILDREN = 8
"""The most jobs that are worked on at once; the rest wait, and their time runs."""

_PARENT_DEATH_SIGNAL = 1

Job = dict[str, Any]


@dataclass(slots=True)
class _Child:
    pid: int
    channel: socket.socket
    job: Job | None = None
    received: bytes = b""


def numeric_verdict(job: Job) -> Verdict:
    """Compare ``job["gold"]`` and ``job["answer"]`` with numbers of fifty digits."""
    from .comparing.numeric import NumericOracle

    gold = read(job["gold"], english=job["english"])
    answer = read(job["answer"], english=job["english"])
    return Verdict.CORRECT if same(gold, answer, NumericOracle(job["precision"])) else Verdict.WRONG


def symbolic_verdict(job: Job) -> Verdict:
    """Ask Math-Verify; ``unparsed`` when it cannot read one of the two."""
    from .comparing.symbolic import verify

    verdict = verify(job["gold"], job["answer"], job["precision"])
    return Verdict.UNPARSED if verdict is None else Verdict.CORRECT if verdict else Verdict.WRONG


_MODES = {"numeric": numeric_verdict, "symbolic": symbolic_verdict}


def settle(mode: str, job: Job) -> dict[str, Any]:
    """Return ``{"id", "verdict", "reason"}``; whatever goes wrong is a verdict."""
    try:
        verdict, reason = _MODES[mode](job), ""
    except (Unreadable, Undecided) as error:
        verdict, reason = Verdict.UNPARSED, str(error)
    except (TooLarge, MemoryError, RecursionError, OverflowError) as error:
        verdict, reason = Verdict.LIMIT, str(error) or type(error).__name__
    except Exception as error:  # whatever sympy raises at strange input
        verdict, reason = Verdict.UNPARSED, f"{type(error).__name__}: {error}"[:200]
    return {"id": job["id"], "verdict": verdict.value, "reason": reason}


class Server:
    """Hands jobs to children and keeps the time."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.selector = selectors.DefaultSelector()
        self.idle: list[_Child] = []
        self.busy: dict[int, _Child] = {}
        self.waiting: deque[Job] = deque()
        self.received = b""

    def serve(self) -> None:
        """Work until standard input ends."""
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        _write({"ready": True})
        while True:
            for key, _ in self.selector.select(self._patience()):
                if key.data is None:
                    if not self._receive_jobs():
                        self._stop()
                        return
                else:
                    self._receive_verdict(key.data)
            self._enforce_deadlines()
            self._hand_out()

    def _patience(self) -> float | None:
        deadlines = [child.job["deadline"] for child in self.busy.values() if child.job]
        deadlines += [job["deadline"] for job in self.waiting]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _receive_jobs(self) -> bool:
        data = os.read(sys.stdin.fileno(), 1 << 16)
        *lines, self.received = (self.received + data).split(b"\n")
        for line in lines:
            job = json.loads(line)
            job["deadline"] = time.monotonic() + job["seconds"]
            self.waiting.append(job)
        return bool(data)

    def _receive_verdict(self, child: _Child) -> None:
        data = child.channel.recv(1 << 16)
        child.received += data
        if child.received.endswith(b"\n"):
            _write(json.loads(child.received))
            child.received, child.job = b"", None
            self.busy.pop(child.pid, None)
            self.idle.append(child)
        elif not data:
            self._bury(child, "the worker died")

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for child in list(self.busy.values()):
            if child.job and child.job["deadline"] <= now:
                self._bury(child, "out of time")
        while self.waiting and self.waiting[0]["deadline"] <= now:
            _write(
                {
                    "id": self.waiting.popleft()["id"],
                    "verdict": Verdict.TIMEOUT.value,
                    "reason": "no worker was free",
                }
            )

    def _bury(self, child: _Child, reason: str) -> None:
        self.selector.unregister(child.channel)
        child.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        self.busy.pop(child.pid, None)
        if child in self.idle:
            self.idle.remove(child)
        if child.job:
            _write({"id": child.job["id"], "verdict": Verdict.TIMEOUT.value, "reason": reason})

    def _hand_out(self) -> None:
        while self.waiting and (self.idle or len(self.busy) < CHILDREN):
            child = self.idle.pop() if self.idle else self._fork()
            child.job = self.waiting.popleft()
            self.busy[child.pid] = child
            try:
                child.channel.sendall(json.dumps(child.job).encode() + b"\n")
            except OSError:
                self._bury(child, "the worker died")

    def _fork(self) -> _Child:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for child in (*self.idle, *self.busy.values()):
                child.channel.close()
            ours.close()
            _work(self.mode, theirs)
        theirs.close()
        child = _Child(pid, ours)
        self.selector.register(ours, selectors.EVENT_READ, child)
        return child

    def _stop(self) -> None:
        for child in (*self.idle, *self.busy.values()):
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)


def _work(mode: str, channel: socket.socket) -> NoReturn:
    """Answer jobs until the channel closes: the life of a child."""
    status = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with channel, channel.makefile("rb") as jobs:
            for line in jobs:
                channel.sendall(json.dumps(settle(mode, json.loads(line))).encode() + b"\n")
        status = 0
    finally:
        os._exit(status)


def _write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Import what the mode needs, then serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mode = sys.argv[1]
    warm = {"id": 0, "gold": r"\sqrt{2}", "answer": r"\frac{2}{\sqrt{2}}", "english": False, "precision": None}
    settle(mode, warm)
    Server(mode).serve()


if __name__ == "__main__":
    main()
