"""A program that runs on another machine, once for each question: the other side of the slot's socket asks it."""

from __future__ import annotations

import socket
from typing import Any

from .guest import Guest, SandboxError
from .objects import RemoteObject
from .wire import receive, send


class RelayGuest(Guest):
    """A guest without a process of its own: it keeps no state between calls, and gives out no handles."""

    def __init__(self, parent: socket.socket, limits: dict[str, Any], stdin: bytes = b"") -> None:
        self.parent = parent
        self.limits = limits
        self.callbacks = []
        self._input = stdin
        self._source = ""
        self._streams = (b"", b"")
        self._question: dict[str, Any] = {}

    def begin(self) -> None:
        """Do nothing: the other machine keeps the time of each call."""

    def start(self, source: str, *, main: bool, tests: int) -> None:
        """Remember the program; it is sent with each question."""
        self._source = source

    def load(self) -> None:
        """Do nothing: each call loads the program."""

    def check_time(self) -> None:
        """Do nothing: the other machine has done it."""

    def end(self) -> int:
        """Do nothing: nothing runs between the calls."""
        return 0

    def wait_for_end(self) -> int:
        """Run the program as a script, and return its wait status."""
        answer = self._ask_parent({"stdin": self._input.decode(errors="replace")})
        code, *streams = answer["ended"]
        self._streams = (streams[0].encode(errors="replace"), streams[1].encode(errors="replace"))
        return int(-code if code < 0 else code << 8)

    def output(self, limit: int) -> tuple[bytes, bytes]:
        """Return the head of both streams of the last run."""
        return self._streams[0][: limit + 1], self._streams[1][: limit + 1]

    def printed(self) -> int:
        """Return the length of the longer stream of the last run."""
        return max(map(len, self._streams))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _send(self, message: Any) -> None:
        self._question = message

    def _receive(self) -> dict[str, Any]:
        question = self._question
        if question["do"] != "call" or not isinstance(question["target"], str):
            raise SandboxError("a remote sandbox keeps no objects between calls: these tests need a local one")
        answer = self._ask_parent({name: question[name] for name in ("target", "args", "kwargs")})
        self._streams = (answer["printed"].encode(errors="replace"), b"")
        reply: dict[str, Any] = answer["reply"]
        return reply

    def _ask_parent(self, request: dict[str, Any]) -> dict[str, Any]:
        send(self.parent, {"relay": request | {"source": self._source}})
        answer: dict[str, Any] = receive(self.parent)
        if "sandbox" in answer:
            raise SandboxError(answer["sandbox"])
        if "stopped" in answer:
            raise self._stop(*answer["stopped"])
        return answer

    def _give(self, value: Any) -> Any:
        if isinstance(value, RemoteObject) or callable(value):
            raise SandboxError("a test gives the program a function or an object: it needs a local sandbox")
        return super()._give(value)
