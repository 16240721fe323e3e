"""Programs run by a server that speaks SandboxFusion's protocol (``POST /run_code``).

The server runs text and returns what it printed; the tests stay here, in a local worker that holds them and asks
for one call, or one run, at a time. The server keeps the time: its limit is the wall limit of a test.
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Mapping
from typing import Any

from ..models.http.client import HttpClient
from ..models.http.retry import Patience, RequestError, ask_again
from .inside import codec, errand
from .inside.layout import find_layout
from .pool import SlotPool

_ATTEMPTS = 3
_SLACK_SECONDS = 60.0

_DRIVER = """
import sys, types
sys.modules["errand_package"] = types.ModuleType("errand_package")
for name, text in {sources!r}:
    module = types.ModuleType(name)
    module.__package__ = "errand_package"
    sys.modules[name] = module
    exec(compile(text, name, "exec"), module.__dict__)
module.run_errand()
"""


class RemoteSandbox(SlotPool):
    """A sandbox on another machine, with a local worker per slot that judges."""

    def __init__(self, url: str, *, slots: int) -> None:
        super().__init__("checker", slots=slots, layout=find_layout(), relay=self._relay)
        self.name = f"remote:{url}"
        address = f"{url.rstrip('/')}/run_code"
        self._client = HttpClient(address, concurrency=slots, timeout=_SLACK_SECONDS, proxies=False)
        sources = [
            (f"errand_package.{module.__name__.rpartition('.')[2]}", inspect.getsource(module))
            for module in (codec, errand)
        ]
        self._driver = _DRIVER.format(sources=sources)

    async def close(self) -> None:
        """End all slots and close the connections."""
        await super().close()
        await self._client.close()

    async def _relay(self, limits: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a question of the worker by asking the server."""
        mark = secrets.token_hex(16)
        main = "stdin" in request
        code, stdin = self._driver, json.dumps({**request, "mark": mark}) + "\n"
        if main:
            code, stdin = request["source"], request["stdin"]
        body = {
            "code": code,
            "stdin": stdin,
            "language": "python",
            "run_timeout": limits["wall"],
            "memory_limit_MB": limits["memory"] // 2**20,
        }
        try:
            result = await self._post(body)
        except RequestError as error:
            return {"sandbox": f"{self.name}: {f'HTTP {error.status}' if error.status else error}"}
        if result["status"] == "TimeLimitExceeded":
            return {"stopped": ["timeout", f"more than {limits['wall']:g} s on the server"]}
        printed, complaint = result.get("stdout") or "", result.get("stderr") or ""
        code_ = result.get("return_code")
        if main:
            return {"ended": [code_ if code_ is not None else 1, printed, complaint]}
        before, _, answer = printed.rpartition(f"\n{mark}")
        try:
            reply = json.loads(answer)
        except (ValueError, RecursionError):
            reply = None
        if type(reply) is not dict:
            outcome = "memory" if complaint.rstrip().endswith("MemoryError") else "crashed"
            return {"stopped": [outcome, f"the program exited with status {code_}"]}
        return {"reply": reply, "printed": before}

    async def _post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the server, again if it is busy, and return the ``run_result`` of its answer.

        Raises:
            RequestError: the server gave no result.
        """
        # Escapes keep what a program's text may hold and UTF-8 may not: lone surrogates.
        content, patience = json.dumps(body).encode(), Patience(attempts=_ATTEMPTS)

        async def once() -> dict[str, Any]:
            answer = await self._client.post("", content, timeout=body["run_timeout"] + _SLACK_SECONDS)
            return _run_result(answer.content)

        return await ask_again(once, patience)


def _run_result(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
        status, result = answer.get("status"), answer.get("run_result")
    except (ValueError, AttributeError, RecursionError) as error:
        raise RequestError(f"{type(error).__name__}: {error}") from None
    if status in ("Success", "Failed") and isinstance(result, dict) and _is_result(result):
        return result
    raise RequestError(f"{status}: {answer.get('message', '')}"[:300])


def _is_result(result: Mapping[str, Any]) -> bool:
    streams, code = [result.get("stdout"), result.get("stderr")], result.get("return_code")
    return (
        isinstance(result.get("status"), str)
        and all(stream is None or isinstance(stream, str) for stream in streams)
        and (code is None or type(code) is int)
    )
