"""Common parts of the cloud providers: own keys and certificates, unsupported parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from ....tasks.types import Completion, Message
from ..base import Sampling
from .client import Answer, HttpClient
from .openai import ChatServer


class Provider(ChatServer):
    """A server that speaks most of OpenAI's protocol.

    It has no ``seed``, which is not sent (the identity says so), and no ``stop``: answers are cut here on arrival,
    so that they are what a server with ``stop`` would send.

    Args:
        backend: the name in model strings.
        name: the model as the user names it.
        model: the model as the server wants it.
        client: of the server; ``Authorization`` is among its headers, or set by its ``sign``.
    """

    def __init__(self, backend: str, name: str, client: HttpClient, *, model: str) -> None:
        super().__init__(model, client)
        self.name = f"{backend}:{name}"
        self.identity: Mapping[str, Any] = {
            "backend": backend,
            "model": model,
            "base_url": client.address,
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
