"""Files that survive a kill: journals of JSON lines, one writer a directory, files replaced whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from .errors import InputError, RunError

SYNC_SECONDS = 1.0
"""How often a journal is flushed to the disk: a power cut loses no more than that."""


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


class Journal:
    """An append-only file of JSON lines with one writer.

    Raises:
        RunError: the disk is full or the folder is read-only; what was written before stays valid.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._synced = time.monotonic()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._cut_torn_line()
        except OSError as error:
            raise disk_error(path, error) from error

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._file).st_size
        end = size
        while end > 0:
            start = max(0, end - 65536)
            found = os.pread(self._file, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end != size:
            os.ftruncate(self._file, end)

    def append(self, row: Any) -> None:
        """Write one line; it survives a kill of this process from here on."""
        line = memoryview(encode(row) + b"\n")
        try:
            while line:
                line = line[os.write(self._file, line) :]
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise disk_error(self.path, error) from error

    def close(self) -> None:
        """Flush to the disk and close."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise disk_error(self.path, error) from error
        finally:
            os.close(self._file)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file that grows line by line, none where there is no file; a torn last line is skipped.

    Raises:
        InputError: a line in the middle is damaged (names file and line).
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: not valid JSON ({error}); delete this line to go on") from None


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file whole or not at all.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    with replacing(path) as file:
        file.write(encode(data, indent=True) + b"\n")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends well, and is removed when it does not.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise disk_error(path, error) from error
        raise


def encode(data: Any, *, indent: bool = False) -> bytes:
    """Encode as JSON in UTF-8; text that UTF-8 cannot hold (lone surrogates) is kept with U+FFFD in its place."""
    option = orjson.OPT_INDENT_2 if indent else None
    try:
        return orjson.dumps(data, option=option)
    except TypeError:
        plain = json.loads(json.dumps(data, default=dataclasses.asdict))
        return orjson.dumps(_without_surrogates(plain), option=option)


def _without_surrogates(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_without_surrogates(value) for value in data]
    return data


def disk_error(path: Path, error: OSError) -> RunError:
    """Return the error to raise where a file cannot be written: which, why, and that nothing is lost."""
    return RunError(
        f"cannot write {path}: {error.strerror or error}. "
        "Nothing written so far is lost: fix the problem, or give another --output, and run the same command again"
    )
