"""Crash-safe files: JSON Lines journals, one writer per directory, atomic replacement."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from .errors import InputError, RunError, UsageError

SYNC_SECONDS = 1.0
"""How often a journal is flushed to the disk: a power cut loses no more than that."""

ATTEMPTS = 4
PAUSE_SECONDS = 0.05
TURN_SECONDS = 0.001
"""Polling interval while another process writes its line."""

Place = tuple[int, int]
"""Position of a line in a journal: byte offset and length in bytes."""

AnyPath = str | Path
Paths = AnyPath | Sequence[AnyPath]
"""One path or several, as public calls accept them."""


def paths_of(paths: Paths) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]


def take_lock(directory: Path) -> int:
    """Lock a directory for this process and return the lock's file descriptor; closing it releases the lock.

    Raises:
        UsageError: another process holds it.
        OSError: the lock file cannot be opened.
    """
    from filelock import lock_descriptor

    file = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        for attempt in range(ATTEMPTS):
            # `is_held` takes the lock for a moment; a writer keeps it.
            time.sleep(PAUSE_SECONDS if attempt else 0)
            if lock_descriptor(file, blocking=False):
                return file
        raise UsageError(f"{directory} is being written by another evalkit process")
    except BaseException:
        os.close(file)
        raise


def is_held(directory: Path) -> bool:
    """Tell whether a running process has the directory locked; False where the system cannot tell."""
    try:
        import fcntl

        file = os.open(directory / ".lock", os.O_RDONLY)
    except (ImportError, OSError):
        return False
    try:
        # A shared lock, which filelock lacks: several processes may check at once.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock on the file ``path``, created if missing; others wait. The system frees it when the process dies.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("a+b") as file, _turn(file.fileno(), PAUSE_SECONDS):
        yield


@contextlib.contextmanager
def _turn(file: int, pause: float) -> Iterator[None]:
    """Lock an open file; other processes wait, polling every ``pause`` seconds."""
    from filelock import lock_descriptor, unlock_descriptor

    lock_descriptor(file, poll_interval=pause)
    try:
        yield
    finally:
        unlock_descriptor(file)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` into a `RunError` that says which file cannot be written, why, and what to do next."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}. Nothing written so far is lost: fix the problem, or"
            " give another --output, and run the same command again"
        ) from error


class Journal:
    """An append-only JSON Lines file; its folder is created if missing.

    Either it has one writer, which truncates an incomplete last line on opening; or it is ``shared`` by several
    processes, which lock it for each line and start every row on a new line, so that `read_shared_journal` can skip
    incomplete ones.

    Raises:
        RunError: the disk is full or the folder is read-only; what was written before stays valid.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        self._synced = time.monotonic()
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            if not shared:
                self._cut_torn_line()

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

    def append(self, row: Any) -> Place:
        """Write one line and return its position; from then on it survives a kill of this process."""
        line = encode(row) + b"\n"
        with writing(self.path):
            with _turn(self._file, TURN_SECONDS) if self._shared else contextlib.nullcontext():
                start = os.lseek(self._file, 0, os.SEEK_END)
                if self._shared and start and os.pread(self._file, 1, start - 1) != b"\n":
                    line = b"\n" + line
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self._file, rest) :]
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        return start, len(line)

    def read(self, place: Place) -> Any:
        """Return the row at a position returned by `append` or `read_shared_journal`."""
        start, length = place
        return orjson.loads(os.pread(self._file, length, start))

    def clear(self) -> None:
        """Remove all lines."""
        with writing(self.path):
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Flush to the disk and close."""
        try:
            with writing(self.path):
                os.fsync(self._file)
        finally:
            os.close(self._file)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON Lines file, none if it does not exist; an incomplete last line is skipped.

    Raises:
        InputError: a line in the middle is damaged (names file and line).
    """
    return (row for _, row in read_numbered(path))


def read_numbered(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line number from 1, row), as `read_journal` does.

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
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise InputError(
                    f"{path}:{number}: not valid JSON ({error}); delete the line to continue"
                ) from None


def read_shared_journal(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield (position, row) of a journal that several processes write; none if it does not exist.

    Lines that are not JSON objects are skipped; a complete last row without a newline counts.
    """
    if not path.exists():
        return
    start = 0
    with path.open("rb") as file:
        for line in file:
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                row = None
            if isinstance(row, dict):
                yield (start, len(line)), row
            start += len(line)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: it does not exist.
        InputError: it cannot be read, or is not JSON.
    """
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def write_lines(path: Path, rows: Iterable[Any]) -> int:
    """Write a JSON Lines file atomically, and return the number of lines.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    count = 0
    with replacing(path) as file:
        for row in rows:
            file.write(encode(row) + b"\n")
            count += 1
    return count


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file atomically.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    with replacing(path) as file:
        file.write(encode(data, indent=True) + b"\n")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces ``path`` when the block succeeds and is removed when it fails.

    A device or pipe is written to directly.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    if path.exists() and not path.is_file():  # a device such as /dev/stdout can only be written to
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(path.name + ".part")
    with writing(path):
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def encode(data: Any, *, indent: bool = False) -> bytes:
    """Encode as JSON in UTF-8; unpaired surrogates are replaced by U+FFFD."""
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
