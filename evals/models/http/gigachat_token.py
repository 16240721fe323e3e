"""GigaChat's access tokens: requested with an authorization key, valid for 30 minutes, renewed in advance."""

from __future__ import annotations

import asyncio
import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from ....errors import ModelError
from .answer import error_reason
from .client import HttpClient
from .retry import Failure, Patience, RequestError, ask_again

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
        trust: the certificates trusted; the system's if None.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        url: str,
        key: str,
        scope: str,
        *,
        trust: ssl.SSLContext | None,
        clock: Callable[[], float] = time.time,
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
            ModelError: no token was obtained (``fatal`` if the key, the scope or the certificate is the reason).
        """
        async with self._lock:
            if not self._token or self._token == refused or self._clock() >= self._renew_at:
                self._token, remaining = await self._request()
                self._renew_at = self._clock() + remaining - min(RENEWED_BEFORE_SECONDS, remaining / 2)
            return self._token

    async def sign(self, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that sign a request; never those that a server has just ``refused``.

        Raises:
            ModelError: as `current`.
        """
        token = await self.current(refused=refused.get("Authorization", "").removeprefix("Bearer "))
        return {"Authorization": f"Bearer {token}"}

    async def _request(self) -> tuple[str, float]:
        async def buy() -> tuple[str, float]:
            headers = {
                "Authorization": f"Basic {self._key}",
                "Content-Type": "application/x-www-form-urlencoded",
                "RqUID": str(uuid.uuid4()),
            }
            answer = await client.post("", urlencode({"scope": self._scope}).encode(), headers=headers)
            return self._read(answer.content)

        try:
            async with HttpClient(self._url, timeout=TOKEN_TIMEOUT_SECONDS, trust=self._trust) as client:
                return await ask_again(buy, Patience(attempts=ATTEMPTS))
        except RequestError as error:
            if error.failure is Failure.UNTRUSTED:
                raise ModelError(untrusted(self._url), fatal=True) from None
            reason = f"{error.status} {error_reason(error.content)}" if error.status else str(error)
            raise ModelError(
                f"gigachat: no access token from {self._url}: {reason}; is the key in GIGACHAT_CREDENTIALS right,"
                f" and is {self._scope} its scope (gigachat:MODEL,scope=…)?",
                fatal=True,
            ) from None

    def _read(self, content: bytes) -> tuple[str, float]:
        """Return the token and the seconds it holds; servers answer in two forms, in seconds or milliseconds."""
        try:
            fields: dict[str, Any] = orjson.loads(content)
            token = str(fields["access_token"] if "access_token" in fields else fields["tok"])
            expires = float(fields["expires_at"] if "expires_at" in fields else fields["exp"])
        except (ValueError, LookupError, TypeError):
            raise ModelError(f"gigachat: {self._url} did not answer with an access token", fatal=True) from None
        if expires >= _SMALLEST_MILLISECONDS:
            expires /= 1000
        remaining = expires - self._clock()
        # Outside of that our clock is wrong: the documented lifetime and the server's 401 must do.
        return token, remaining if 0 < remaining <= LIFETIME_SECONDS else LIFETIME_SECONDS


def untrusted(url: str) -> str:
    """Say that a server's certificate is not trusted, and the remedy."""
    return (
        f"gigachat: the certificate of {url} is not trusted: save the Russian Trusted Root CA as PEM"
        " (https://www.gosuslugi.ru/crt) and name the file: gigachat:MODEL,ca_bundle=FILE"
    )
