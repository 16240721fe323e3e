"""A report that is written again and again while what it shows is going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..data.progress import LineCounts, progress_of
from ..pages.environment import REFRESH_SECONDS

_LOOK_SECONDS = 0.5


def is_going(directories: Sequence[Path]) -> bool:
    """Tell whether a living process writes into one of the directories."""
    return any(progress_of(directory, LineCounts()).state == "going" for directory in directories)


def write_until_ended(
    directories: Sequence[Path], write: Callable[[], Path], *, seconds: float = REFRESH_SECONDS
) -> Path:
    """Call ``write`` every few seconds while a directory is being written, and once when none is any more.

    A page that takes long to write is written less often: most of the time belongs to the run.
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
