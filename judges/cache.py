"""What judges said, on disk: a verdict is paid for once.

One JSON line an answer of a judge: ``{"key", "judge", "form", "draw", "attempt", "messages", "completion",
"latency"}``, so that ``replay:FILE`` can answer from it too. The raw words are kept and not what was read out of
them: a better parser reads them anew without asking again. The key is a hash of everything that changes an answer
(see `answer_key`).

Several processes may share a file: it is a shared `files.Journal`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ..files import Journal, Place, read_shared_journal
from ..tasks.types import Completion, Message, Usage

Ask = Callable[[], Awaitable[Completion]]
"""Puts one question to a judge's model."""


def answer_key(
    identity: Mapping[str, Any],
    sampling: Mapping[str, Any],
    messages: Sequence[Message],
    *,
    draw: int,
    attempt: int,
) -> str:
    """Return the key of one answer of a judge, a sha256 in hex.

    Args:
        identity: what the judge's model is (its revision, server, template).
        sampling: how the answer is drawn.
        messages: the whole prompt, without the nonce and without lone surrogates (see `encodable`).
        draw: the number of the repeated grading; gradings are never merged.
        attempt: which attempt at that draw, where an earlier one gave no readable verdict.
    """
    parts = [identity, sampling, messages, draw, attempt]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


class VerdictCache:
    """The answers of judges in one file; identical requests at the same time become one.

    Raises:
        RunError: the file cannot be opened or written; what was written before stays valid.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, Place] = {}
        self._under_way: dict[str, asyncio.Task[Completion]] = {}
        self._journal = Journal(path, shared=True)
        for place, row in read_shared_journal(path):
            with contextlib.suppress(LookupError, TypeError):
                # The first answer stays the answer, also where two processes paid for the same one.
                self._places.setdefault(row["key"], place)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    async def answer(self, key: str, about: Mapping[str, Any], ask: Ask) -> Completion:
        """Return the stored answer, or that of ``ask``, which is stored first.

        ``about`` are JSON values that tell a reader of the file who was asked what. A failure is not stored: it
        goes to all who wait for it.
        """
        if key in self._places:
            return self._read(key)
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask_and_keep(key, about, ask))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # One who stops waiting must not take the answer from the others.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Flush to the disk and close."""
        self._journal.close()

    async def _ask_and_keep(self, key: str, about: Mapping[str, Any], ask: Ask) -> Completion:
        completion = await ask()
        record = {
            "key": key,
            **about,
            "completion": {
                "text": completion.text,
                "reasoning": completion.reasoning or None,
                "finish_reason": completion.finish_reason,
                "usage": completion.usage,
            },
            "latency": completion.latency,
        }
        self._places[key] = self._journal.append(record)
        # What is read back later is what is returned now.
        return self._read(key)

    def _forget(self, key: str, done: asyncio.Task[Completion]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # those who waited have it; if nobody did any more, it is no news

    def _read(self, key: str) -> Completion:
        record = self._journal.read(self._places[key])
        said = record["completion"]
        return Completion(
            said["text"],
            reasoning=said["reasoning"],
            finish_reason=said["finish_reason"],
            usage=Usage(**said["usage"]),
            latency=record["latency"],
        )


def encodable(text: str) -> str:
    """Return the text with U+FFFD where UTF-8 cannot hold it (lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
