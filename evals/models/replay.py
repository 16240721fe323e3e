"""Answers from a file: ``replay:FILE`` runs a task on what was answered before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError, ModelError
from ...tasks.jsonl import read_jsonl
from ...tasks.types import Completion, Message
from .base import Model, ModelOptions, Sampling
from .options import read_options


def open_replay(name: str, options: ModelOptions) -> Model:
    """Open ``replay:FILE``: JSONL of ``{"prompt", "response"}``, or a run's ``samples.jsonl``.

    Raises:
        InputError: a line is neither (names file and line).
    """
    read_options("replay", options, {})
    return Replay(Path(name))


class Replay:
    """Answers each chat with what the file has for it.

    A chat is known by its messages (a run's file), or by the text of its last user message. Several answers to one
    chat are those of several epochs, in the file's order; the seed of the request picks one.
    """

    concurrency = 64

    def __init__(self, path: Path) -> None:
        self.name = f"replay:{path.name}"
        self._path = path
        self._answers: dict[str, list[str]] = {}
        for number, line in read_jsonl(path):
            prompt, answer = _prompt_and_answer(line, f"{path}:{number}")
            self._answers.setdefault(prompt, []).append(answer)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.identity: Mapping[str, Any] = {"backend": "replay", "sha256": digest}

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Return the stored answer.

        Raises:
            ModelError: the file has none for this chat.
        """
        answers = self._answers.get(messages[-1].content)
        if not answers:
            raise ModelError(f"{self._path} has no answer to this prompt")
        return Completion(answers[(sampling.seed or 0) % len(answers)], latency=0.0)

    async def close(self) -> None:
        """Nothing is open."""


def _prompt_and_answer(line: Mapping[str, Any], where: str) -> tuple[str, str]:
    try:
        if "messages" in line:
            return line["messages"][-1]["content"], (line["completion"] or {}).get("text", "")
        prompt, answer = line["prompt"], line["response"]
    except (KeyError, LookupError, TypeError):
        raise InputError(f'{where}: neither {{"prompt", "response"}} nor a line of a run') from None
    if not (isinstance(prompt, str) and isinstance(answer, str)):
        raise InputError(f"{where}: 'prompt' and 'response' must be strings")
    return prompt, answer
