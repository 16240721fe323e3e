"""A server on a loopback port that sends the bytes it is told to, well-formed HTTP or not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

Script = Sequence[bytes]


def http(body: bytes | Any, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a well-formed response; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    lines = {**own, **(headers or {})}
    head = f"HTTP/1.1 {status} Told\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode() + b"\r\n" + content


def chat(text: Any = "да", finish_reason: Any = "stop", *, usage: Any = None, **choice: Any) -> dict[str, Any]:
    """Return the body of a chat completion; ``message`` among the fields of the choice replaces the message."""
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, **choice}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7} if usage is None else usage,
    }


class RawServer:
    """Answers requests with the bytes of ``script`` in turn, the last of them again and again; a context manager.

    ``requests`` has the line, the headers and the body of each request. ``{port}`` in a script is the port.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stop = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            sizes = [
                line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            ]
            body = await reader.readexactly(int(sizes[0])) if sizes else b""
            self.requests.append(head + body)
            answer = self.script[min(len(self.requests), len(self.script)) - 1]
            writer.write(answer.replace(b"{port}", str(self.port).encode()))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
