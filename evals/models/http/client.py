"""Sends requests to a server: the client of everything here that speaks HTTP.

The transport is aiohttp. The `openai` package defines the form of requests: the type checker reads its types,
and no run imports them, which takes half a second. Its client is not used: it sends 0.6 of aiohttp's requests a
second, its HTTP layer alone takes twice as much of the CPU, and its retries know neither of rate limits that
all requests share nor of what GigaChat and sandboxes answer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import ipaddress
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

from ....files import encode
from .answer import error_reason
from .rate_limit import RateLimit
from .retry import (
    FATAL_AT_FIRST,
    Failure,
    Patience,
    RequestError,
    ask_again,
    failure_of_status,
    retry_after_seconds,
)

if TYPE_CHECKING:
    import aiohttp

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
SECONDS_TO_CONNECT = 10.0
# Uvicorn, and so most model servers, closes idle connections after the same time.
SECONDS_KEPT_ALIVE = 5.0
# Of one answer, unpacked: a chat takes kilobytes, an embedding megabytes.
LARGEST_ANSWER = 64 * 2**20

Read = TypeVar("Read")

Signer = Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
"""Returns the headers that sign one request: others than those given, which were just refused with a 401."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and the seconds from the request to the body's end."""

    content: bytes
    seconds: float


class HttpClient:
    """A client of one server, at ``address``; its connections are made on the event loop that asks first.

    Its attributes ``address`` (without user and password), ``concurrency`` and ``timeout`` are those given.

    Args:
        address: of the server, without a slash at its end; a user and a password in it sign the requests.
        concurrency: connections at most.
        timeout: seconds that one request may take, from first to last byte.
        headers: sent with every request, beside those of JSON.
        sign: signs requests, where that takes more than fixed headers.
        trust: the certificates trusted; the system's (``SSL_CERT_FILE``, ``SSL_CERT_DIR``) unless given.
        proxies: whether the environment's proxies are used (``HTTPS_PROXY`` and so on).
        rate_limit: the limits on requests to the server.
    """

    def __init__(
        self,
        address: str,
        *,
        concurrency: int = 1,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        sign: Signer | None = None,
        trust: ssl.SSLContext | None = None,
        proxies: bool = True,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self.address, signature = _without_user(address)
        self.concurrency = concurrency
        self.timeout = timeout
        self._headers = {**JSON, **(headers or {}), **signature}
        self._sign = sign
        self._trust = trust
        self._proxy = environment_proxy(self.address) if proxies else None
        self._rate_limit = rate_limit or RateLimit(concurrency)
        self._reached = False
        self._answered = False
        self._session: aiohttp.ClientSession | None = None

    @property
    def answered(self) -> bool:
        """Whether `ask` has ever returned an answer."""
        return self._answered

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[Answer], Read],
        patience: Patience,
        *,
        tokens: int = 0,
    ) -> Read:
        """POST a body, retrying temporary failures, and return the answer parsed by ``read``.

        Requests wait for their turn as the server's rate limits have it; ``tokens`` is about how many this one
        takes. ``read`` raises `RequestError` for what is no answer: it is asked for again. Once the server has
        answered, a 403 or 404 refuses this request alone: before, it would refuse all.

        Raises:
            RequestError: the server refused, or kept failing.
        """

        async def once() -> Read:
            await self._rate_limit.acquire(tokens)
            answered = rate_limited = False
            try:
                found = read(await self.post(path, body))
                answered = self._answered = True
                return found
            except RequestError as error:
                rate_limited = error.failure is Failure.RATE_LIMITED
                if self._answered and error.status in FATAL_AT_FIRST:
                    error.failure = Failure.REFUSED
                raise
            finally:
                self._rate_limit.release(answered=answered, rate_limited=rate_limited)

        return await ask_again(once, patience, hold=self._rate_limit.pause_for)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """POST a body once: JSON values, or bytes as they are.

        Raises:
            RequestError: there is no answer, or one with a status of 400 or more.
        """
        content = body if isinstance(body, bytes) else encode(body)
        return await self._send("POST", path, content, headers, timeout)

    async def get(self, path: str) -> Answer:
        """GET once.

        Raises:
            RequestError: there is no answer, or one with a status of 400 or more.
        """
        return await self._send("GET", path)

    async def _send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        send = functools.partial(self._send_signed, method, path, content, timeout or self.timeout)
        if self._sign is None:
            return await send(headers)
        signature = await self._sign({})
        try:
            return await send({**(headers or {}), **signature})
        except RequestError as error:
            if error.status != 401:
                raise
        return await send({**(headers or {}), **await self._sign(signature)})

    async def _send_signed(
        self, method: str, path: str, content: bytes | None, timeout: float, headers: Mapping[str, str] | None
    ) -> Answer:
        import aiohttp

        to_connect = min(timeout, SECONDS_TO_CONNECT)
        started = time.perf_counter()
        try:
            async with self._connected().request(
                method,
                f"{self.address}{path}",
                data=content,
                headers=headers,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=to_connect),
            ) as response:
                received = await _read_body(response)
        except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, TimeoutError) as error:
            raise self._unanswered(error, timeout, to_connect) from None
        self._reached = True
        if response.status >= 400:
            raise _refusal(response.status, response.headers, received)
        if response.method != method:  # by a 301, 302 or 303
            raise RequestError(
                f"redirects requests to {response.url.with_query(None).with_user(None)}: give that address instead",
                Failure.FATAL,
            )
        self._rate_limit.read_headers(response.headers)
        return Answer(received, time.perf_counter() - started)

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(
                limit=self.concurrency, keepalive_timeout=SECONDS_KEPT_ALIVE, ssl=self._trust or True
            )
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        return self._session

    def _unanswered(self, error: BaseException, timeout: float, to_connect: float) -> RequestError:
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            reason = _one_line(error.certificate_error)
            return RequestError(
                f"has a certificate that is not trusted: {reason}; SSL_CERT_FILE=FILE trusts those of a file",
                Failure.UNTRUSTED,
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            return RequestError(_os_reason(error.os_error), Failure.UNREACHABLE, reached=self._reached)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            reason = f"no connection within {to_connect:g} s"
            return RequestError(reason, Failure.UNREACHABLE, reached=self._reached)
        if isinstance(error, TimeoutError):
            return RequestError(f"did not answer within {timeout:g} s")
        if isinstance(error, aiohttp.TooManyRedirects):
            return RequestError("redirects in a loop")
        if isinstance(error, aiohttp.ClientResponseError | aiohttp.http_exceptions.HttpProcessingError):
            return RequestError(f"sent a malformed HTTP response: {_one_line(error)[:200]}")
        while error.__cause__ is not None:
            error = error.__cause__
        return RequestError(f"closed the connection: {_one_line(error)[:200]}")


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the unpacked body.

    Raises:
        RequestError: it is larger than `LARGEST_ANSWER`.
    """
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise RequestError(f"sent an answer of more than {LARGEST_ANSWER >> 20} MiB")
    return b"".join(pieces)


def get_blocking(address: str, path: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> bytes:
    """GET once from code that is not asynchronous, whether an event loop runs around it or not.

    Raises:
        RequestError: there is no answer, or one with a status of 400 or more.
    """

    async def get() -> bytes:
        async with HttpClient(address, timeout=timeout, headers=headers) as client:
            return (await client.get(path)).content

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, get()).result()


def environment_proxy(address: str) -> str | None:
    """Return the proxy that the environment names for an address; none is used for this machine's own.

    ``NO_PROXY`` may name networks (``10.0.0.0/8``), which the standard library does not know.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(address)
    host, proxies = parts.hostname or "", getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or _is_own_machine(host) or proxy_bypass(parts.netloc):
        return None
    for network in proxies.get("no", "").split(","):
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(network.strip(), strict=False):
                return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_own_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _refusal(status: int, headers: Mapping[str, str], content: bytes) -> RequestError:
    failure = failure_of_status(status, content)
    passes = failure in (Failure.TEMPORARY, Failure.RATE_LIMITED)
    return RequestError(
        f"{'answered' if passes else 'refused with'} {status}: {error_reason(content)}",
        failure,
        status=status,
        content=content,
        retry_after=retry_after_seconds(headers),
    )


def _without_user(address: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(address)
    if parts.username is None:
        return address, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _os_reason(error: OSError) -> str:
    # asyncio words a refused connection as "Connect call failed ('127.0.0.1', 8000)"; name look-ups have no errno.
    if error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()
