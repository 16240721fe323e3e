"""Any server that speaks OpenAI's chat-completions protocol."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from ....errors import ModelError, UsageError
from ....tasks.types import Completion, Message, Usage
from ..base import Model, ModelOptions, Sampling, estimate_tokens
from ..options import read_options, whole_number
from ..reasoning import split_reasoning
from .pool import ServerPool
from .rate_limit import Pace
from .retry import ATTEMPTS, RETRIED_STATUSES, pause_seconds, retry_after_seconds

if TYPE_CHECKING:
    import httpx2

OPTIONS: dict[str, Callable[[str], Any]] = {
    "max_tokens_field": str,
    "omit": lambda text: text.split("+"),
    "rpm": whole_number,
    "tpm": whole_number,
}
OWN_ADDRESS = "https://api.openai.com/v1"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
CONCURRENCY = 16
ATTEMPTS_TO_CONNECT = 4
SECONDS_TO_CONNECT = 10.0
# How long one chat may be asked for, in time limits of one request; rate limits may take all of it.
PATIENCE = 2
FATAL_STATUSES = frozenset({401, 402, 403, 404, 405})
REFUSING_STATUSES = frozenset({400, 404, 422, 501})  # perhaps because of one parameter
# Codes of a 429 that no waiting helps against.
OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def open_openai(name: str, options: ModelOptions) -> Model:
    """Open ``openai:NAME``; the server is ``--base-url``, else ``$OPENAI_BASE_URL``, else OpenAI's own.

    Several addresses with a comma between them share the requests (see `pool`).

    Model options: ``max_tokens_field`` (``max_completion_tokens`` for servers that want it so); ``omit``
    (parameters that the server refuses and that are not sent, as in ``omit=seed+temperature``); ``rpm`` and ``tpm``
    (requests and tokens a minute, prompt and longest answer together, that one server may be sent).

    Raises:
        UsageError: no model name, no key for a server that is not yours, or an address that is none.
    """
    extra = read_options("openai", options, OPTIONS)
    if not name:
        raise UsageError("which model? give its name as the server knows it: --model openai:NAME")
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    key = options.api_key or os.environ.get("OPENAI_API_KEY")
    if base_url is None and key is None:
        raise UsageError(
            "no server to ask: give --base-url http://HOST/v1 for an OpenAI-compatible server,"
            " or set OPENAI_API_KEY for OpenAI's own"
        )
    addresses = [None] if base_url is None else [api_address(one) for one in base_url.split(",") if one.strip()]
    servers = [
        ChatServer(
            name,
            base_url=address,
            api_key=key or "none",
            concurrency=options.concurrency or CONCURRENCY,
            timeout=options.timeout,
            max_tokens_field=extra.get("max_tokens_field", "max_tokens"),
            omit=extra.get("omit", ()),
            requests_per_minute=extra.get("rpm"),
            tokens_per_minute=extra.get("tpm"),
        )
        for address in addresses
    ]
    if len(servers) == 1:
        return servers[0]
    return ServerPool(servers)


def api_address(text: str) -> str:
    """Return the address that ``/chat/completions`` is added to; ``/v1`` is added where no path is given.

    Raises:
        UsageError: it is not an HTTP address.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--base-url {text!r} is not an address such as http://localhost:8000/v1")
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


class ChatServer:
    """A model behind an OpenAI-compatible server.

    Temporary failures are tried again (see `retry.py`); all requests wait when the server asks one to. Requests and
    answers go over the `openai` package's HTTP client as plain JSON: its resource objects, with their own retries,
    take three times as much of the CPU, and two requests in three of what a core can send.
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
        omit: Sequence[str] = (),
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        self.name = f"openai:{name}"
        self.concurrency = concurrency
        self._model = name
        self._base_url = base_url or OWN_ADDRESS
        self._api_key = api_key
        self._timeout = timeout
        self._max_tokens_field = max_tokens_field
        self._omit = tuple(omit)
        self._pace = Pace(concurrency, requests=requests_per_minute, tokens=tokens_per_minute)
        self._reached = False
        self._takes_schema: bool | None = None  # until the server has said so
        self._client: httpx2.AsyncClient | None = None
        self.identity: Mapping[str, Any] = {"backend": "openai", "model": name, "base_url": self._where()}
        if omit:
            self.identity = {**self.identity, "not_sent": sorted(omit)}

    @cached_property
    def _url(self) -> httpx2.URL:
        import httpx2

        # Text would be parsed anew for every request.
        return httpx2.URL(f"{self._base_url}/chat/completions")

    def _connected(self) -> httpx2.AsyncClient:
        # Made on the event loop that uses it.
        if self._client is None:
            import httpx2
            from openai import DefaultAioHttpClient

            limits = httpx2.Limits(max_connections=self.concurrency, max_keepalive_connections=self.concurrency)
            timeout = httpx2.Timeout(self._timeout, connect=min(self._timeout, SECONDS_TO_CONNECT))
            # A proxy cannot reach this machine's own loopback address.
            own_machine = urlsplit(self._base_url).hostname in ("localhost", "127.0.0.1", "::1")
            self._client = DefaultAioHttpClient(
                limits=limits,
                timeout=timeout,
                trust_env=not own_machine,
                headers={**JSON, "Authorization": f"Bearer {self._api_key}"},
            )
        return self._client

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat, trying again after temporary failures.

        What is refused with a schema is asked for without one; a server that had never taken one then gets no more.
        Rate limits are waited out as long as the patience lasts; other failures are also counted.

        Raises:
            ModelError: the server refused, or kept failing (``fatal``: wrong key, no such model, no server).
        """
        body = self._body(messages, sampling)
        deadline = time.monotonic() + PATIENCE * self._timeout
        failures = limits = 0
        refusal: ModelError | None = None
        tokens = estimate_tokens(messages, sampling.schema) + sampling.max_tokens if self._pace.counts_tokens else 0
        while True:
            try:
                completion = await self._ask_once(body, tokens)
            except _RefusedError as error:
                if body.pop("response_format", None) is None:
                    raise
                refusal = error
            except _TemporaryError as failure:
                failures += not failure.rate_limited
                limits += failure.rate_limited
                pause = failure.retry_after
                if pause is None:
                    pause = pause_seconds(failures + limits - 1)
                if failures >= self._allowed(failure) or time.monotonic() + pause > deadline:
                    raise self._given_up(failure, failures + limits) from None
                if failure.rate_limited or failure.retry_after is not None:
                    self._pace.close_for(pause)
                else:
                    await asyncio.sleep(pause)
            else:
                self._learn(body, refusal)
                return completion

    def _learn(self, body: Mapping[str, Any], refusal: ModelError | None) -> None:
        """Remember what an answer says of the server and schemas; ``refusal`` is that of the same chat with one."""
        if self._takes_schema is None and "response_format" in body:
            self._takes_schema = True
        elif self._takes_schema is None and refusal is not None:
            self._takes_schema = False
            print(f"{self.name} is asked for words alone, for it takes no schema: {refusal}", file=sys.stderr)

    async def _ask_once(self, body: dict[str, Any], tokens: int) -> Completion:
        await self._pace.enter(tokens)
        answered = rate_limited = False
        started = time.perf_counter()
        try:
            completion = read_answer(await self._post(body), latency=time.perf_counter() - started)
            answered = True
            return completion
        except _TemporaryError as failure:
            rate_limited = failure.rate_limited
            raise
        finally:
            self._pace.leave(answered=answered, rate_limited=rate_limited)

    def _allowed(self, failure: _TemporaryError) -> int:
        return ATTEMPTS_TO_CONNECT if failure.unreachable and not self._reached else ATTEMPTS

    def _given_up(self, failure: _TemporaryError, attempts: int) -> ModelError:
        if failure.unreachable:
            return ModelError(
                f"cannot reach {self._where()}: {failure}; is the server running, is --base-url right?",
                fatal=True,
            )
        return ModelError(f"{self._where()} {failure} ({attempts} attempts)")

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
        if sampling.schema is not None and self._takes_schema is not False:
            wanted = {"name": "verdict", "strict": True, "schema": sampling.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        for parameter in self._omit:
            body.pop(parameter, None)
        return body

    async def _post(self, body: dict[str, Any]) -> bytes:
        import httpx2

        try:
            # The transport's own limit is on each read: a server that trickles would never meet it.
            async with asyncio.timeout(self._timeout):
                response = await self._connected().post(self._url, content=encode_body(body))
        except (httpx2.TransportError, httpx2.DecodingError, TimeoutError) as error:
            raise self._broken(error) from None
        self._reached = True
        if response.status_code >= 400:
            raise self._refusal(response)
        self._pace.heed(response.headers)
        return response.content

    def _refusal(self, response: httpx2.Response) -> Exception:
        status, content = response.status_code, response.content
        if status in RETRIED_STATUSES and _code(content) not in OUT_OF_MONEY:
            wait = retry_after_seconds(response.headers)
            return _TemporaryError(
                f"answered {status}: {_message(content)}", retry_after=wait, rate_limited=status == 429
            )
        refusal = _RefusedError if status in REFUSING_STATUSES else ModelError
        return refusal(
            f"{self._where()} refused with {status}: {_message(content)}",
            fatal=status in FATAL_STATUSES or status == 429,
        )

    def _broken(self, error: BaseException) -> _TemporaryError:
        import aiohttp

        # The transport calls every lost connection a time-out: what it was stands further back in the chain.
        links = _chain(error)
        for link in links:
            if isinstance(link, aiohttp.ClientConnectorError):
                return _TemporaryError(_reason(link.os_error), unreachable=True)
            if isinstance(link, aiohttp.ConnectionTimeoutError):
                return _TemporaryError(f"no connection within {SECONDS_TO_CONNECT:g} s", unreachable=True)
        if any(isinstance(link, TimeoutError) for link in links):
            return _TemporaryError(f"did not answer within {self._timeout:g} s")
        reason = " ".join(str(links[-1]).split()) or type(links[-1]).__name__
        return _TemporaryError(f"broke the connection: {reason}")

    def _where(self) -> str:
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


class _RefusedError(ModelError):
    """The server does not do what is asked, or not as it is asked."""


class _TemporaryError(Exception):
    """A failure after which it makes sense to ask again."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        rate_limited: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.rate_limited = rate_limited
        self.unreachable = unreachable


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a request's body; text that UTF-8 cannot hold (lone surrogates) has U+FFFD in its place."""
    try:
        return orjson.dumps(body)
    except TypeError:
        lenient = json.dumps(body, ensure_ascii=False)
        return lenient.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def read_answer(content: bytes, *, latency: float) -> Completion:
    """Read the body of a chat completion.

    Raises:
        _TemporaryError: it is not one (broken JSON, no choices, an HTML page of a proxy).
    """
    try:
        body = _parse(content)
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
        reasoning = message.get("reasoning_content") or message.get("reasoning") or None
        if isinstance(text, list):
            text = "".join(part["text"] for part in text if part.get("type") == "text")
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
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        start = content[:80].decode("utf-8", "replace")
        raise _TemporaryError(f"sent no chat completion ({type(error).__name__}) but {start!r}") from None
    return split_reasoning(completion)


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Answers cut in the middle of an emoji hold half a surrogate pair or half a UTF-8 sequence.
        lenient = json.dumps(json.loads(content.decode("utf-8", "replace")), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def _chain(error: BaseException) -> list[BaseException]:
    links = [error]
    while cause := links[-1].__cause__:
        links.append(cause)
    return links


def _reason(error: OSError) -> str:
    # asyncio words a refused connection as "Connect call failed ('127.0.0.1', 8000)"; name look-ups have no errno.
    if error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()


def _code(content: bytes) -> str | None:
    try:
        return str(orjson.loads(content)["error"]["code"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None


def _message(content: bytes) -> str:
    try:
        body = orjson.loads(content)
        error = body.get("error", body)
        text = error.get("message", error) if isinstance(error, dict) else error
    except (orjson.JSONDecodeError, AttributeError):
        text = content.decode("utf-8", "replace")
    return " ".join(str(text).split())[:300] or "no reason given"
