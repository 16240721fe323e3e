"""Interfaces of backends: models that answer chats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from ...tasks.types import Completion, Message


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. ``temperature`` 0 is greedy; ``max_tokens`` bounds the answer, not the prompt.

    ``schema`` is the JSON schema that the answer should follow. It is best effort: backends
    without constrained decoding ignore it.
    """

    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    seed: int | None = 0
    schema: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, ``schema`` only where there is one."""
        return {name: value for name, value in asdict(self).items() if name != "schema" or value is not None}


def estimate_tokens(messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> int:
    """Estimate the tokens of a prompt from above, with no tokenizer: a token for 3 bytes of UTF-8, 8 for a message.

    That is 1.5 letters a token in Russian and 3 in English; the tokenizers of large models need fewer tokens. The
    JSON schema of the answer counts as a part of the prompt: servers bill it as one.
    """
    words = sum(len(message.content.encode()) // 3 + 8 for message in messages)
    return words if schema is None else words + len(json.dumps(schema, ensure_ascii=False).encode()) // 3


class Model(Protocol):
    """A backend that is open and can answer.

    ``identity`` names everything that changes an answer (weights' sha256, server address, chat template): it goes
    into the manifest and into the cache key. ``concurrency`` is the number of requests it serves best at once.
    """

    name: str
    identity: Mapping[str, Any]
    concurrency: int

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        Raises:
            ModelError: no answer was obtained (``fatal`` when no other request can succeed either).
        """
        ...

    async def close(self) -> None:
        """Free the weights, connections and processes."""
        ...


@runtime_checkable
class LikelihoodModel(Protocol):
    """A backend that can also compute log-likelihoods of given texts (``hf:``, ``vllm:``)."""

    async def loglikelihood(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
        """Return, for each (context, continuation), log P(continuation | context) and whether it is the greedy one.

        Raises:
            ModelError: it cannot be computed.
        """
        ...

    async def loglikelihood_rolling(self, texts: Sequence[str]) -> list[float]:
        """Return log P(text) of whole texts, in windows where they are longer than the context.

        Raises:
            ModelError: it cannot be computed.
        """
        ...


@runtime_checkable
class RenderingModel(Protocol):
    """A backend that applies the chat template itself and can return the rendered prompt (``hf:``)."""

    def render(self, messages: Sequence[Message]) -> str:
        """Return the rendered prompt, up to the start of the assistant's answer.

        Raises:
            ModelError: the chat template refuses these messages.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of a model from the command line, common to all backends; each reads those it supports.

    ``extra`` holds the ``key=value`` pairs that follow a comma in the model string.
    """

    base_url: str | None = None
    api_key: str | None = None
    concurrency: int | None = None
    timeout: float = 600.0
    extra: Mapping[str, str] | None = None
