"""GigaChat's access tokens: bought with an authorization key, good for 30 minutes, renewed ahead of time."""

from __future__ import annotations

import asyncio
import ssl
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx2

from ....errors import ModelError
from .retry import RETRIED_STATUSES, pause_seconds, retry_after_seconds

LIFETIME_SECONDS = 30 * 60
RENEWED_BEFORE_SECONDS = 60
ATTEMPTS = 5
TOKEN_TIMEOUT_SECONDS = 30.0
# A Unix time of more digits is in milliseconds: in seconds it is reached in 2286.
_SMALLEST_MILLISECONDS = 10_000_000_000


class AccessTokens:
    """The access token of one authorization key; however many ask at once, it is renewed once.

    Args:
        url: where tokens are given out.
        key: the authorization key, base64 of ``client id:client secret``.
        scope: ``GIGACHAT_API_PERS``, ``GIGACHAT_API_B2B`` or ``GIGACHAT_API_CORP``.
        trust: the certificates trusted.
        clock: Unix time in seconds.
    """

    def __init__(
        self, url: str, key: str, scope: str, *, trust: ssl.SSLContext, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = url
        self._key = key
        self._scope = scope
        self._trust = trust
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def current(self, *, refused: str = "") -> str:
        """Return a token that holds for the next request; never the one that a server has just ``refused``.

        Raises:
            ModelError: none is to be had (``fatal`` when the key, the scope or the certificate is the reason).
        """
        async with self._lock:
            if not self._token or self._token == refused or self._clock() >= self._renew_at:
                self._token, remaining = await self._buy()
                self._renew_at = self._clock() + remaining - min(RENEWED_BEFORE_SECONDS, remaining / 2)
            return self._token

    async def _buy(self) -> tuple[str, float]:
        failure = ""
        async with httpx2.AsyncClient(verify=self._trust, timeout=TOKEN_TIMEOUT_SECONDS) as client:
            for attempt in range(ATTEMPTS):
                headers = {"Authorization": f"Basic {self._key}", "RqUID": str(uuid.uuid4())}
                wait = None
                try:
                    response = await client.post(self._url, data={"scope": self._scope}, headers=headers)
                except httpx2.HTTPError as error:
                    if is_untrusted(error):
                        raise ModelError(untrusted(self._url), fatal=True) from None
                    failure = str(error) or type(error).__name__
                else:
                    if response.is_success:
                        return self._read(response)
                    failure = f"{response.status_code} {_message(response)}"
                    if response.status_code not in RETRIED_STATUSES:
                        break
                    wait = retry_after_seconds(response.headers)
                if attempt + 1 < ATTEMPTS:
                    await asyncio.sleep(pause_seconds(attempt) if wait is None else wait)
        raise ModelError(
            f"gigachat: no access token from {self._url}: {failure}; is the key in GIGACHAT_CREDENTIALS right,"
            f" and is {self._scope} its scope (gigachat:MODEL,scope=…)?",
            fatal=True,
        )

    def _read(self, response: httpx2.Response) -> tuple[str, float]:
        """Return the token and the seconds it holds; servers answer in two forms, in seconds or milliseconds."""
        try:
            fields: dict[str, Any] = response.json()
            token = str(fields["access_token"] if "access_token" in fields else fields["tok"])
            expires = float(fields["expires_at"] if "expires_at" in fields else fields["exp"])
        except (ValueError, LookupError, TypeError):
            raise ModelError(
                f"gigachat: {self._url} answered something that is no access token", fatal=True
            ) from None
        if expires >= _SMALLEST_MILLISECONDS:
            expires /= 1000
        remaining = expires - self._clock()
        # Outside of that our clock is wrong: the documented lifetime and the server's 401 must do.
        return token, remaining if 0 < remaining <= LIFETIME_SECONDS else LIFETIME_SECONDS


class TokenAuth(httpx2.Auth):
    """Signs requests with the current token, and once more with a new one when the server refuses it."""

    def __init__(self, tokens: AccessTokens) -> None:
        self._tokens = tokens

    async def async_auth_flow(self, request: httpx2.Request) -> Any:
        """Sign a request; httpx sends what is yielded."""
        token = await self._tokens.current()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            request.headers["Authorization"] = f"Bearer {await self._tokens.current(refused=token)}"
            yield request


def is_untrusted(error: BaseException) -> bool:
    """Tell whether a connection failed because the server's certificate is not trusted.

    The transports wrap that reason in others, some of which call it a timeout.
    """
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return True
        reason = reason.__cause__ or reason.__context__
    return False


def untrusted(url: str) -> str:
    """Say that a server's certificate is not trusted, and the remedy."""
    return (
        f"gigachat: the certificate of {url} is not trusted: save the Russian Trusted Root CA as PEM"
        " (https://www.gosuslugi.ru/crt) and name the file: gigachat:MODEL,ca_bundle=FILE"
    )


def _message(response: httpx2.Response) -> str:
    try:
        return str(response.json()["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return "with no reason given"
