"""One writer a directory: a lock that the system lets go of when its process dies, and whether it is held."""

from __future__ import annotations

import os
import time
from pathlib import Path

ATTEMPTS = 4
PAUSE_SECONDS = 0.05


def take_lock(directory: Path) -> int:
    """Hold a directory for this process and return the number of the open lock file; closing it lets go.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the lock file cannot be opened.
    """
    file = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        import fcntl
    except ImportError:  # not on Windows, where two writers in one folder are the user's own risk
        return file
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            # `is_held` asks by holding the lock for a moment; a writer keeps it.
            if attempt == ATTEMPTS:
                os.close(file)
                raise
            time.sleep(PAUSE_SECONDS)
    raise AssertionError


def is_held(directory: Path) -> bool:
    """Tell whether a living process writes into a directory; False where the system cannot say."""
    try:
        import fcntl

        file = os.open(directory / ".lock", os.O_RDONLY)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
