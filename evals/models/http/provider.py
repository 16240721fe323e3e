"""Common parts of the cloud providers: own keys and certificates, unsupported parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from ....tasks.types import Completion, Message
from ..base import Sampling
from .client import Answer, Signer
from .openai import ChatServer

if TYPE_CHECKING:
    import ssl


class Provider(ChatServer):
    """A server that speaks most of OpenAI's protocol.

    It has no ``seed``, which is not sent (the identity says so), and no ``stop``: answers are cut here on arrival,
    so that they are what a server with ``stop`` would send.

    Args:
        backend: the name in model strings.
        name: the model as the user names it.
        model: the model as the server wants it.
        base_url: the server's address.
        headers: sent with every request; ``Authorization`` among them, or set by ``sign``.
        sign: signs requests, where that takes more than a fixed header.
        trust: the certificates trusted; the system's unless given.
        concurrency: requests in flight.
        timeout: seconds that one request may take.
    """

    def __init__(
        self,
        backend: str,
        name: str,
        *,
        model: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        sign: Signer | None = None,
        trust: ssl.SSLContext | None = None,
        concurrency: int,
        timeout: float,
    ) -> None:
        super().__init__(
            model,
            base_url=base_url,
            api_key="none",
            concurrency=concurrency,
            timeout=timeout,
            headers=headers,
            sign=sign,
            trust=trust,
        )
        self.name = f"{backend}:{name}"
        self.identity: Mapping[str, Any] = {
            "backend": backend,
            "model": model,
            "base_url": base_url,
            "not_sent": ["seed"],
            "cut_on_arrival": ["stop"],
        }
        # A name such as `latest` is another model next month: these are the versions that answered.
        self.versions: set[str] = set()

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        return super()._body(messages, replace(sampling, seed=None, stop=()))

    def _read(self, answer: Answer) -> Completion:
        # Where this is no answer, its reader says so.
        with contextlib.suppress(orjson.JSONDecodeError, LookupError, TypeError):
            self.versions.add(str(orjson.loads(answer.content)["model"]))
        return super()._read(answer)
