"""The files of a training that grow line by line: what is appended to them, and how they are read again.

Also what a line is made of: the means of named components, and the seconds that a part of a step took.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from ...files import Journal, read_journal, write_lines

Notify = Callable[[str], None]


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """Return the rows of a training's ``metrics.jsonl``, a torn last one left out."""
    return read_log(directory, "metrics")


def read_log(directory: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of one of a training's files, a torn last one left out."""
    return list(read_journal(directory / f"{name}.jsonl"))


def keep_rows_until(path: Path, step: int) -> None:
    """Take the rows of later steps, and a torn last line, out of a JSONL file: they will be done again."""
    if path.is_file():
        write_lines(path, takewhile(lambda row: row["step"] <= step, read_journal(path)))


class Log:
    """The files of a training that grow line by line; those of other ranks than the first are not written."""

    def __init__(self, directory: Path, *, write: bool, after: int) -> None:
        self.history = [row for row in read_metrics(directory) if row["step"] <= after]
        self._files: dict[str, Journal] = {}
        self._pending = directory / "pending.jsonl"
        self.waves = self._read_waves(after)
        self.first_canaries: list[dict[str, Any]] = next(
            (row["answers"] for row in read_log(directory, "canaries") if row["step"] == 0), []
        )
        if write:
            for name in ("metrics", "answers", "canaries"):
                keep_rows_until(directory / f"{name}.jsonl", after)
                self._files[name] = Journal(directory / f"{name}.jsonl")
            self._files["pending"] = Journal(self._pending)

    def _read_waves(self, after: int) -> dict[tuple[int, int], list[dict[str, Any]]]:
        rows = (row for row in read_journal(self._pending) if row["step"] > after)
        return {(row["step"], row["wave"]): row["groups"] for row in rows}

    def append(self, name: str, row: Mapping[str, Any]) -> None:
        """Append a line to ``metrics``, ``answers``, ``canaries`` or ``pending``."""
        if name == "metrics":
            self.history.append(dict(row))
        if name in self._files:
            self._files[name].append(row)

    def forget_pending(self) -> None:
        """Empty what a checkpoint now holds."""
        self.waves.clear()
        if "pending" in self._files:
            self._files["pending"].clear()

    def close(self) -> None:
        """Flush and close."""
        for file in self._files.values():
            file.close()


def component_means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each named component over the answers that have it."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            values[name].append(value)
    return {name: sum(some) / len(some) for name, some in sorted(values.items())}


class Clock:
    """Seconds since it was made or last asked."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last call."""
        before, self._last = self._last, time.perf_counter()
        return round(self._last - before, 3)
