"""A real OpenAI-compatible server on a loopback port, that answers as told and fails on demand.

In a test::

    with LoopbackServer(answer=lambda prompt: prompt.upper(), faults=["429:0.1", "reset"]) as server:
        ...  # server.url, server.requests, server.prompts

By hand: ``python tests/support/chat_server.py --port 8000 --latency 0.05 --fault 429:1 --every 10``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Self

from aiohttp import web

MODEL = "loopback"


@dataclass(frozen=True)
class Reply:
    """An answer in detail; ``message`` is merged into the message object, ``body`` replaces the whole body."""

    text: str | None = ""
    finish_reason: str | None = "stop"
    usage: dict[str, int] | None = field(default_factory=lambda: {"prompt_tokens": 7, "completion_tokens": 3})
    message: dict[str, Any] = field(default_factory=dict)
    body: Any = None

    def as_body(self) -> Any:
        if self.body is not None:
            return self.body
        message = {"role": "assistant", "content": self.text, **self.message}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return {"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": self.usage}


Answer = Callable[[str], str | Reply]
Faults = Sequence[str | None] | Callable[[int, str], str | None]


def error_body(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "loopback", "code": code}}


class LoopbackServer:
    """Serves ``/v1/chat/completions`` in a thread, as a context manager.

    Args:
        answer: makes the answer from the last message's text.
        faults: what goes wrong: a list by request number (shorter lists end in good answers), or a function of
            the request's number (from 0) and its prompt. A fault is None or one of

            ``429:S``, ``429ms:MS``, ``429date:S``, ``429``: too many requests, with ``Retry-After`` in seconds,
            ``retry-after-ms``, an HTTP date that many seconds ahead, or nothing;
            any other status with an optional message, as in ``500``, ``400:unsupported parameter: seed``;
            ``reset`` (the connection is cut), ``truncated`` (half of the body, length as if whole), ``broken``
            (half of the JSON, complete as HTTP), ``empty`` (no choices), ``html`` (a page, with status 200),
            ``hang`` (no answer until the client goes).
        latency: seconds before each answer.
        together: nobody is answered before that many were asked at once.
        api_key: refuses other keys with 401 when set.
        path: where the API lies.

    While ``answers`` is a number, requests after that many (counted from the start) wait for their answers.
    """

    def __init__(
        self,
        answer: Answer = lambda prompt: f"ответ: {prompt}",
        *,
        faults: Faults = (),
        latency: float = 0.0,
        together: int = 0,
        api_key: str | None = None,
        path: str = "/v1",
        port: int = 0,
    ) -> None:
        self.answer = answer
        self.faults = faults
        self.latency = latency
        self.together = together
        self.api_key = api_key
        self.path = path
        self.port = port
        self.answers: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.prompts: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="chat-server", daemon=True)
        self._problem: BaseException | None = None

    @property
    def root(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What goes into ``--base-url``."""
        return self.root + self.path

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._problem:
            raise self._problem
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; connections are cut."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def join(self) -> None:
        """Wait until the server stops (never, unless it is told to)."""
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._ready.set()

    async def _run(self) -> None:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post(f"{self.path}/chat/completions", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=512)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = body["messages"][-1]["content"]
        number = len(self.requests)
        self.requests.append(body)
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        self.times.append(time.monotonic())
        self.prompts[prompt] += 1
        if self.api_key is not None and request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return web.json_response(error_body("Incorrect API key provided", "invalid_api_key"), status=401)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            while self.most_at_once < self.together or (self.answers is not None and number >= self.answers):
                await asyncio.sleep(0.01)
            fault = self._fault(number, prompt)
            if fault is not None:
                return await self._fail(request, fault)
            return web.json_response(self._reply(prompt))
        finally:
            self.at_once -= 1

    def _fault(self, number: int, prompt: str) -> str | None:
        if callable(self.faults):
            return self.faults(number, prompt)
        return self.faults[number] if number < len(self.faults) else None

    def _reply(self, prompt: str) -> Any:
        answer = self.answer(prompt)
        return (Reply(answer) if isinstance(answer, str) else answer).as_body()

    async def _fail(self, request: web.Request, fault: str) -> web.StreamResponse:
        kind, _, detail = fault.partition(":")
        transport = request.transport
        match kind:
            case "429" | "429ms" | "429date":
                headers = {}
                if detail:
                    headers = {
                        "429": lambda: {"Retry-After": detail},
                        "429ms": lambda: {"retry-after-ms": detail},
                        "429date": lambda: {"Retry-After": formatdate(time.time() + float(detail), usegmt=True)},
                    }[kind]()
                body = error_body("Rate limit reached", "rate_limit_exceeded")
                return web.json_response(body, status=429, headers=headers)
            case "reset":
                assert transport is not None
                transport.abort()
                return web.Response()
            case "truncated":
                whole = json.dumps(self._reply("")).encode()
                response = web.StreamResponse(headers={"Content-Type": "application/json"})
                response.content_length = len(whole)
                await response.prepare(request)
                await response.write(whole[: len(whole) // 2])
                assert transport is not None
                transport.abort()
                return response
            case "broken":
                whole = json.dumps(self._reply("")).encode()
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
            case "empty":
                return web.json_response(Reply(body={"choices": []}).as_body())
            case "html":
                return web.Response(text="<html><body>Please sign in</body></html>", content_type="text/html")
            case "hang":
                await asyncio.sleep(3600)
                return web.Response()
            case _:
                return web.json_response(error_body(detail or f"failed with {kind}"), status=int(kind))


def main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server that answers with the prompt.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--fault", help="what goes wrong, as in 429:1, 500, reset, html, hang")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="…in every N-th request")
    arguments = parser.parse_args()

    def faults(number: int, _: str) -> str | None:
        return arguments.fault if number % arguments.every == arguments.every - 1 else None

    with LoopbackServer(faults=faults, latency=arguments.latency, port=arguments.port) as server:
        print(f"serving {server.url} (Ctrl-C stops it)", flush=True)
        try:
            server.join()
        except KeyboardInterrupt:
            print(f"{len(server.requests)} requests, {len(server.prompts)} distinct prompts")


if __name__ == "__main__":
    main()
