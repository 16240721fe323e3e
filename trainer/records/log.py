"""The journals of a training: what is appended to them, and how they are read again.

Also what a line is made of: the means of named components, and the seconds that a part of a step took.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from ...evals.records.training import (
    AnswerRow,
    CanaryAnswer,
    CanaryRow,
    MetricsRow,
    TrainingRow,
    read_training,
    step_of,
)
from ...files import Journal, read_journal, write_lines
from ..rollouts.records import Wave

Notify = Callable[[str], None]


def read_metrics(directory: Path) -> list[MetricsRow]:
    """Return the rows of a training's ``metrics.jsonl``, a torn last one left out."""
    return list(read_training(directory, MetricsRow))


def raised_alarms(history: Sequence[MetricsRow]) -> list[dict[str, Any]]:
    """Return the alarms of a training by step, as JSON values."""
    return [{"step": row.step, "alarms": list(row.alarms)} for row in history if row.alarms]


def keep_rows_until(path: Path, step: int) -> None:
    """Remove the rows of later steps, and a torn last line, from a JSONL file: they will be done again."""
    if path.is_file():
        write_lines(path, takewhile(lambda line: step_of(line) <= step, read_journal(path)))


class Log:
    """The journals of a training; only the first rank writes them.

    Attributes:
        history: the metrics of the steps done.
        waves: the groups sampled since the newest checkpoint, by step and wave.
        first_canaries: the answers to the canary prompts before training, empty where there are none yet.
    """

    def __init__(self, directory: Path, *, write: bool, after: int) -> None:
        self.history = [row for row in read_metrics(directory) if row.step <= after]
        pending = (wave for wave in read_training(directory, Wave) if wave.step > after)
        self.waves = {(wave.step, wave.number): wave.groups for wave in pending}
        canaries = read_training(directory, CanaryRow)
        self.first_canaries: Sequence[CanaryAnswer] = next((row.answers for row in canaries if row.step == 0), ())
        self._files: dict[str, Journal] = {}
        if write:
            for name in (MetricsRow.FILE, AnswerRow.FILE, CanaryRow.FILE):
                keep_rows_until(directory / name, after)
            names = (MetricsRow.FILE, AnswerRow.FILE, CanaryRow.FILE, Wave.FILE)
            self._files = {name: Journal(directory / name) for name in names}

    def append(self, row: TrainingRow) -> None:
        """Append a row to its journal."""
        if isinstance(row, MetricsRow):
            self.history.append(row)
        if row.FILE in self._files:
            self._files[row.FILE].append(row.as_json())

    def forget_pending(self) -> None:
        """Empty ``pending.jsonl``: the checkpoint now holds its groups."""
        self.waves.clear()
        if Wave.FILE in self._files:
            self._files[Wave.FILE].clear()

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
    """Measures the seconds between calls of `lap`."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last call (or since it was made)."""
        before, self._last = self._last, time.perf_counter()
        return round(self._last - before, 3)
