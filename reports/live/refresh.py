"""A report that is rewritten while its runs are in progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..data.progress import LineCounts, progress_of
from ..pages.environment import REFRESH_SECONDS

_LOOK_SECONDS = 0.5


def is_going(directories: Sequence[Path]) -> bool:
    """Tell whether a process writes into one of the directories."""
    return any(progress_of(directory, LineCounts()).state == "going" for directory in directories)


def write_until_ended(
    directories: Sequence[Path], write: Callable[[], Path], *, seconds: float = REFRESH_SECONDS
) -> Path:
    """Call ``write`` every few seconds while a run is in progress, and once after the end.

    A page that is slow to write is written less often, to leave the CPU to the run.
    """
    while True:
        going = is_going(directories)
        started = time.monotonic()
        page = write()
        if not going:
            return page
        took = time.monotonic() - started
        end = time.monotonic() + max(seconds, 5 * took)
        while time.monotonic() < end and is_going(directories):
            time.sleep(_LOOK_SECONDS)
