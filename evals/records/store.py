"""A run directory: append-only, resumable, readable at any moment.

::

    manifest.json     what was run (`manifest.py`)
    samples.jsonl     one line per finished (task, sample, epoch) (`rows.py`)
    samples.parquet   the same, compacted, when the run has ended
    answers.jsonl     completions that are paid for and not yet scored; gone when all are
    results.json      metrics (`results.py`)

There is one writer, held by a lock. A line goes to the operating system in a single write as soon as it exists,
so that ``kill -9`` loses nothing; ``fsync`` follows every `SYNC_SECONDS`, so that a power cut loses seconds.
An incomplete last line is truncated on opening.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

import orjson

from ...files import Journal, Place, read_shared_journal, replacing, take_lock, writing
from ...tasks.types import APPARATUS_FAILURES, Completion
from .rows import ROWS, Key, SampleRow, encode, read_rows


class Keys:
    """A set of keys that takes little more room than the sample ids in it."""

    def __init__(self) -> None:
        self._ids: defaultdict[tuple[str, int], set[str]] = defaultdict(set)

    def add(self, key: Key) -> None:
        """Add a key."""
        task, sample, epoch = key
        self._ids[task, epoch].add(sample)

    def __contains__(self, key: Key) -> bool:
        task, sample, epoch = key
        return sample in self._ids.get((task, epoch), ())

    def __len__(self) -> int:
        return sum(map(len, self._ids.values()))


class RunStore:
    """The writing side of a run directory; use as a context manager.

    ``done`` holds the keys that need no work, ``unscored`` counts those of this attempt without a score. Rows that
    an earlier attempt left unscored (a server that gave up, a broken scorer) are taken out on opening, to be tried
    again; their answers are in the answer journal.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.done = Keys()
        self.unscored = 0
        self.answers: dict[str, Place] = {}

    def __enter__(self) -> Self:
        with writing(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = take_lock(self.directory)
        try:
            self._answers = Journal(self.directory / "answers.jsonl")
            self._take_out_unscored()
            self._samples = Journal(self.directory / ROWS)
            for row in read_rows(self.directory):
                self.done.add(row.key)
            self.answers = {row["key"]: place for place, row in read_shared_journal(self._answers.path)}
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *details: object) -> None:
        try:
            self._samples.close()
            self._answers.close()
        finally:
            os.close(self._lock)

    def _take_out_unscored(self) -> None:
        if not any(row.score.status in APPARATUS_FAILURES for row in read_rows(self.directory)):
            return
        # The figures of the earlier attempt are those of rows that now go.
        (self.directory / "results.json").unlink(missing_ok=True)
        with replacing(self.directory / ROWS) as file:
            for row in read_rows(self.directory):
                if row.score.status not in APPARATUS_FAILURES:
                    file.write(encode(row))

    def keep_answer(self, key: str, completion: Completion) -> None:
        """Save a completion before anything else is done with it."""
        self._answers.append({"key": key, "completion": completion})

    def kept_answer(self, key: str) -> Completion | None:
        """Return the completion that an earlier attempt paid for, if any."""
        place = self.answers.get(key)
        return None if place is None else Completion.from_json(self._answers.read(place)["completion"])

    def append(self, row: SampleRow) -> None:
        """Save one finished row."""
        self._samples.append(row.as_json())
        self.done.add(row.key)
        self.unscored += row.score.status in APPARATUS_FAILURES

    def drop_answers(self) -> None:
        """Empty the answer journal: every answer is in ``samples.jsonl`` now."""
        self._answers.clear()


def answer_key(*parts: Any) -> str:
    """Return the key of one answer: a hash of everything that changes it."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
