"""Answers from a file: ``replay:FILE`` runs a task on stored answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...files import sha256_of
from ...tasks.records import Record, read_records
from ...tasks.types import Completion, Message, Usage
from .base import Model, ModelOptions, Sampling
from .options import read_options
from .reasoning import split_reasoning

Chat = tuple[str, ...]
"""What a chat is known by: the texts of all its messages but the model's own, or that of the last one alone."""


def open_replay(name: str, options: ModelOptions) -> Model:
    """Open ``replay:FILE``: JSONL of ``{"prompt", "response"}``, a run's ``samples.jsonl``, or a run's directory.

    Raises:
        InputError: there is no such file, or a line is neither (names file and line).
    """
    read_options("replay", options, {})
    path = Path(name)
    return Replay(path / "samples.jsonl" if path.is_dir() else path)


class Replay:
    """Answers each chat with what the file has for it.

    A run's line answers exactly its own chat, turn by turn; ``{"prompt", "response"}`` answers any chat whose last
    message is the prompt. Several answers to one chat are those of several epochs, in the file's order; the seed of
    the request picks one. A run's line without a completion (it had failed) is no answer.
    """

    concurrency = 64

    def __init__(self, path: Path) -> None:
        self.name = f"replay:{path.name}"
        self._path = path
        self._answers: dict[Chat, list[Completion]] = {}
        for record in read_records(path):
            for chat, answer in _answers(record):
                self._answers.setdefault(chat, []).append(answer)
        self.identity: Mapping[str, Any] = {"backend": "replay", "sha256": sha256_of(path)}

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Return the stored answer.

        Raises:
            ModelError: the file has none for this chat.
        """
        chat = tuple(message.content for message in messages if message.role != "assistant")
        answers = self._answers.get(chat) or self._answers.get(chat[-1:])
        if not answers:
            raise ModelError(f"{self._path} has no answer to the prompt {messages[-1].content[:60]!r}")
        return answers[(sampling.seed or 0) % len(answers)]

    async def close(self) -> None:
        """Nothing is open."""


def _answers(line: Record) -> Iterator[tuple[Chat, Completion]]:
    if "messages" not in line:
        prompt, response = line.get("prompt"), line.get("response")
        if not (isinstance(prompt, str) and isinstance(response, str)):
            raise line.error(
                "neither a line of a run nor one with the strings 'prompt' and 'response'"
                " (an id alone is not enough: answers are looked up by prompt)"
            )
        yield (prompt,), split_reasoning(Completion(response, latency=0.0))
        return
    try:
        completion = line["completion"]
        if completion is None:
            return
        asked = [str(message["content"]) for message in line["messages"] if message["role"] != "assistant"]
        turns = completion.get("turns") or [completion["text"]]
        usage = completion.get("usage") or {}
        for back, text in zip(range(len(turns) - 1, -1, -1), turns, strict=True):
            last = back == 0
            yield (
                tuple(asked[: len(asked) - back]),
                Completion(
                    text=str(text),
                    reasoning=completion.get("reasoning") if last else None,
                    finish_reason=completion.get("finish_reason") if last else None,
                    usage=Usage.from_server(usage) if last else Usage(),
                    latency=0.0,
                ),
            )
    except (LookupError, TypeError, AttributeError) as error:
        raise line.error(f"not a line of a run's samples.jsonl ({type(error).__name__}: {error})") from None
