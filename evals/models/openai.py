"""Any server that speaks OpenAI's chat-completions protocol."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import ModelError, UsageError
from ...tasks.types import Completion, Message, Usage
from .base import Model, ModelOptions, Sampling
from .options import read_options
from .reasoning import split_reasoning
from .retry import ATTEMPTS, RETRIED_STATUSES, Gate, pause_seconds, retry_after_seconds

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONCURRENCY = 16
ATTEMPTS_TO_CONNECT = 4
FATAL_STATUSES = frozenset({401, 402, 403, 404, 405})


def open_openai(name: str, options: ModelOptions) -> Model:
    """Open ``openai:NAME``; the server is ``--base-url``, else ``$OPENAI_BASE_URL``, else OpenAI's own.

    Model options: ``max_tokens_field`` (``max_completion_tokens`` for servers that want it so).

    Raises:
        UsageError: no model name, or no key for a server that is not yours.
    """
    extra = read_options("openai", options, {"max_tokens_field": str})
    if not name:
        raise UsageError("which model? give its name as the server knows it: --model openai:NAME")
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    key = options.api_key or os.environ.get("OPENAI_API_KEY")
    if base_url is None and key is None:
        raise UsageError(
            "no server to ask: give --base-url http://HOST/v1 for an OpenAI-compatible server,"
            " or set OPENAI_API_KEY for OpenAI's own"
        )
    return ChatServer(
        name,
        base_url=base_url,
        api_key=key or "none",
        concurrency=options.concurrency or CONCURRENCY,
        timeout=options.timeout,
        max_tokens_field=extra.get("max_tokens_field", "max_tokens"),
    )


class ChatServer:
    """A model behind an OpenAI-compatible server.

    Temporary failures are tried again (see `retry.py`); all requests wait when the server asks one to. Requests and
    answers go over the `openai` package's transport as plain JSON: building its typed objects takes three times as
    much of the CPU.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None,
        api_key: str,
        concurrency: int,
        timeout: float,
        max_tokens_field: str = "max_tokens",
    ) -> None:
        self.name = f"openai:{name}"
        self.identity: Mapping[str, Any] = {"backend": "openai", "model": name, "base_url": base_url}
        self.concurrency = concurrency
        self._model = name
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._max_tokens_field = max_tokens_field
        self._gate = Gate()
        self._reached = False
        self._client: AsyncOpenAI | None = None

    def _connected(self) -> AsyncOpenAI:
        # Made on the event loop that uses it.
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI, DefaultAioHttpClient

            limits = httpx2.Limits(max_connections=self.concurrency, max_keepalive_connections=self.concurrency)
            self._client = AsyncOpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._timeout,
                http_client=DefaultAioHttpClient(limits=limits, timeout=self._timeout),
            )
        return self._client

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat, trying again after temporary failures.

        Raises:
            ModelError: the server refused, or kept failing (``fatal``: wrong key, no such model, no server).
        """
        body = self._body(messages, sampling)
        error = ModelError("no attempt was made")
        for attempt in range(ATTEMPTS):
            await self._gate.passed()
            started = time.perf_counter()
            try:
                answer = await self._post(body)
                completion = read_answer(answer, latency=time.perf_counter() - started)
            except _TemporaryError as failure:
                error = ModelError(f"{self._where()} {failure} ({attempt + 1} attempts)")
                if failure.unreachable and not self._reached and attempt + 1 >= ATTEMPTS_TO_CONNECT:
                    raise ModelError(
                        f"cannot reach {self._where()}: {failure}; is the server running, is --base-url right?",
                        fatal=True,
                    ) from None
                if failure.retry_after is not None:
                    self._gate.close_for(failure.retry_after)
                else:
                    await asyncio.sleep(pause_seconds(attempt))
            else:
                self._reached = True
                return completion
        raise error

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [message.as_json() for message in messages],
            "temperature": sampling.temperature,
            self._max_tokens_field: sampling.max_tokens,
        }
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        return body

    async def _post(self, body: dict[str, Any]) -> bytes:
        import httpx2
        import openai

        try:
            response = await self._connected().post("/chat/completions", cast_to=httpx2.Response, body=body)
        except openai.APIStatusError as error:
            status = error.status_code
            self._reached = True
            if status in RETRIED_STATUSES:
                wait = retry_after_seconds(error.response.headers)
                raise _TemporaryError(f"answered {status}", retry_after=wait) from None
            raise ModelError(
                f"{self._where()} refused with {status}: {_message(error.response.content)}",
                fatal=status in FATAL_STATUSES,
            ) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            if isinstance(cause, httpx2.TimeoutException) and not isinstance(cause, httpx2.ConnectTimeout):
                raise _TemporaryError(f"did not answer within {self._timeout:g} s") from None
            # A refused connection comes as a ConnectTimeout from the package's aiohttp transport.
            raise _TemporaryError(f"broke the connection: {str(cause) or cause!r}", unreachable=True) from None
        return response.content

    def _where(self) -> str:
        return str(self._base_url or "https://api.openai.com/v1")

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()


class _TemporaryError(Exception):
    """A failure after which it makes sense to ask again."""

    def __init__(self, message: str, *, retry_after: float | None = None, unreachable: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.unreachable = unreachable


def read_answer(content: bytes, *, latency: float) -> Completion:
    """Read the body of a chat completion.

    Raises:
        _TemporaryError: it is not one (broken JSON, no choices, an HTML page of a proxy).
    """
    try:
        body = _decode(content)
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        if not isinstance(text, str) or not isinstance(reasoning, str | None):
            raise TypeError("the content is not text")
        usage = body.get("usage") or {}
        completion = Completion(
            text=text,
            reasoning=reasoning,
            finish_reason=choice.get("finish_reason"),
            usage=Usage(usage.get("prompt_tokens"), usage.get("completion_tokens")),
            latency=round(latency, 6),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        start = content[:80].decode("utf-8", "replace")
        raise _TemporaryError(f"sent no chat completion ({type(error).__name__}) but {start!r}") from None
    return split_reasoning(completion)


def _decode(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # A model can write half of a surrogate pair, which the standard library alone reads.
        return json.loads(content)


def _message(content: bytes) -> str:
    try:
        body = _decode(content)
        error = body.get("error", body)
        text = error.get("message", error) if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        text = content.decode("utf-8", "replace")
    return " ".join(str(text).split())[:300] or "no reason given"
