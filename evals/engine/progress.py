"""Progress of a run: a progress bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_SECONDS = 5.0


@dataclass(slots=True)
class Tally:
    """Counts of the rows finished in this attempt; ``resumed`` were finished before it."""

    total: int
    resumed: int
    started: float = field(default_factory=time.monotonic)
    finished: int = 0
    tokens: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    def add(self, status: str, tokens: int | None) -> None:
        """Count one row."""
        self.finished += 1
        self.tokens += tokens or 0
        self.statuses[status] += 1

    def describe(self) -> str:
        """Return the state in one line: done, rate, tokens, time left, counts of statuses other than ``ok``."""
        done = self.resumed + self.finished
        seconds = time.monotonic() - self.started
        words = [f"{done}/{self.total}"]
        if self.finished and seconds > 0:
            rate = self.finished / seconds
            words.append(f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.0f}/min")
            words.append(f"{self.tokens / seconds:.0f} tokens/s")
            if done < self.total:
                words.append(f"{(self.total - done) / rate:.0f} s left")
        words += [f"{status}: {count}" for status, count in sorted(self.statuses.items()) if status != "ok"]
        return "  ".join(words)


class View:
    """Shows a tally; this base class shows nothing, for calls from Python."""

    def update(self, tally: Tally) -> None:
        """Show the tally, if the last update is old enough."""

    def close(self, tally: Tally) -> None:
        """Show the last state and leave the terminal as it was."""


class PlainView(View):
    """One line every `PLAIN_SECONDS`, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = time.monotonic()

    def update(self, tally: Tally) -> None:
        """Print a line if the last is old enough."""
        if time.monotonic() - self._shown >= PLAIN_SECONDS:
            self._shown = time.monotonic()
            print(tally.describe(), file=self._stream, flush=True)

    def close(self, tally: Tally) -> None:
        """Print the final line, if anything was done."""
        if tally.finished:
            print(tally.describe(), file=self._stream, flush=True)


class LiveView(View):
    """A bar that rewrites itself, for terminals."""

    def __init__(self, title: str, tally: Tally) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress: Progress = Progress(
            TextColumn("{task.fields[title]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(stderr=True),
        )
        self._bar: TaskID = self._progress.add_task(
            "", total=tally.total, completed=tally.resumed, title=title, state=tally.describe()
        )
        self._progress.start()

    def update(self, tally: Tally) -> None:
        """Move the bar; Rich limits how often it is drawn."""
        self._progress.update(self._bar, completed=tally.resumed + tally.finished, state=tally.describe())

    def close(self, tally: Tally) -> None:
        """Draw the final state."""
        self.update(tally)
        self._progress.stop()


def open_view(title: str, tally: Tally) -> View:
    """Return the view that suits stderr."""
    return LiveView(title, tally) if sys.stderr.isatty() else PlainView(sys.stderr)


def silent_view(tally: Tally) -> View:
    """Return a view that shows nothing."""
    return View()
