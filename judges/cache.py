"""The cache of judge replies on disk: no grading is paid for twice.

One JSON line per reply, ``{"key", "judge", "form", "draw", "attempt", "messages", "completion", "latency"}``; so
``replay:FILE`` can use the file too. The raw replies are stored, not the parsed verdicts, so a new parser can be
applied without new calls. The key is a hash of everything that affects a reply (see `answer_key`).

Several processes may share the file (see `files.Journal`).
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
"""Sends one prompt to a judge's model."""


def answer_key(
    identity: Mapping[str, Any],
    sampling: Mapping[str, Any],
    messages: Sequence[Message],
    *,
    draw: int,
    attempt: int,
) -> str:
    """Return the cache key of one reply, a SHA-256 in hex.

    Args:
        identity: the identity of the judge's model (revision, server, template).
        sampling: the sampling parameters.
        messages: the whole prompt, without the nonce and without unpaired surrogates (see `encodable`).
        draw: index of the repeated grading, from 0; repeated gradings are cached separately.
        attempt: index of the attempt within the draw, from 0; later ones follow an unreadable verdict.
    """
    parts = [identity, sampling, messages, draw, attempt]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


class VerdictCache:
    """The judge replies in one file; identical concurrent requests are sent once.

    Raises:
        RunError: the file cannot be opened or written; entries written before stay valid.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, Place] = {}
        self._pending: dict[str, asyncio.Task[Completion]] = {}
        self._journal = Journal(path, shared=True)
        for place, row in read_shared_journal(path):
            with contextlib.suppress(LookupError, TypeError):
                # The first entry wins if two processes wrote the same key.
                self._places.setdefault(row["key"], place)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    async def answer(self, key: str, about: Mapping[str, Any], ask: Ask) -> Completion:
        """Return the stored reply, or call ``ask`` and store its reply.

        ``about`` holds further JSON fields of the entry, for readers of the file. A failure is not stored; it is
        raised in all waiting callers.
        """
        if key in self._places:
            return self._read(key)
        task = self._pending.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask_and_store(key, about, ask))
            self._pending[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        # Cancelling one caller must not cancel the request of the others.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Flush to the disk and close."""
        self._journal.close()

    async def _ask_and_store(self, key: str, about: Mapping[str, Any], ask: Ask) -> Completion:
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
        # Return what later reads will return.
        return self._read(key)

    def _finish(self, key: str, done: asyncio.Task[Completion]) -> None:
        del self._pending[key]
        if not done.cancelled():
            done.exception()  # mark as retrieved: the waiting callers have raised it already

    def _read(self, key: str) -> Completion:
        record = self._journal.read(self._places[key])
        stored = record["completion"]
        return Completion(
            stored["text"],
            reasoning=stored["reasoning"],
            finish_reason=stored["finish_reason"],
            usage=Usage(**stored["usage"]),
            latency=record["latency"],
        )


def encodable(text: str) -> str:
    """Return the text with unpaired surrogates, which UTF-8 cannot encode, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
