"""A run directory: append-only, resumable, readable at any moment.

::

    manifest.json     what was run (`manifest.py`)
    samples.jsonl     one line per finished (task, sample, epoch)
    samples.parquet   the same, compacted, when the run has ended
    answers.jsonl     completions that are paid for and not yet scored; gone when all are
    results.json      metrics (`results.py`)

There is one writer, held by a lock. A line goes to the operating system in a single write as soon as it exists,
so that ``kill -9`` loses nothing; ``fsync`` follows every `SYNC_SECONDS`, so that a power cut loses seconds. A torn
last line is cut off on opening.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from ...errors import InputError, RunError, UsageError
from ...tasks.types import APPARATUS_FAILURES, Completion
from .locks import take_lock

SYNC_SECONDS = 1.0

Key = tuple[str, str, int]
"""(task, sample id, epoch): what identifies one result within a run."""


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

    def __iter__(self) -> Iterator[Key]:
        return ((task, sample, epoch) for (task, epoch), ids in self._ids.items() for sample in ids)


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
            raise _disk_error(path, error) from error

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
            raise _disk_error(self.path, error) from error

    def close(self) -> None:
        """Flush to the disk and close."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _disk_error(self.path, error) from error
        finally:
            os.close(self._file)


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
        self.answers: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.directory)
        except OSError as error:
            raise _disk_error(self.directory, error) from error
        try:
            self._answers = Journal(self.directory / "answers.jsonl")
            self._take_out_unscored()
            self._samples = Journal(self.directory / "samples.jsonl")
            for row in read_rows(self.directory):
                self.done.add((row["task"], row["id"], row["epoch"]))
            self._index_answers()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._samples.close()
            self._answers.close()
        finally:
            os.close(self._lock)

    def _take_out_unscored(self) -> None:
        path = self.directory / "samples.jsonl"
        if not any(row["score"]["status"] in APPARATUS_FAILURES for row in read_rows(self.directory)):
            return
        # The figures of the earlier attempt are those of rows that now go.
        (self.directory / "results.json").unlink(missing_ok=True)
        with replacing(path) as file:
            for row in read_rows(self.directory):
                if row["score"]["status"] not in APPARATUS_FAILURES:
                    file.write(encode(row) + b"\n")

    def _index_answers(self) -> None:
        offset = 0
        with self._answers.path.open("rb") as file:
            for line in file:
                self.answers[orjson.loads(line)["key"]] = (offset, len(line))
                offset += len(line)

    def keep_answer(self, key: str, completion: Completion) -> None:
        """Save a completion before anything else is done with it."""
        self._answers.append({"key": key, "completion": completion})

    def kept_answer(self, key: str) -> Completion | None:
        """Return the completion that an earlier attempt paid for, if any."""
        if key not in self.answers:
            return None
        offset, length = self.answers[key]
        with self._answers.path.open("rb") as file:
            file.seek(offset)
            return Completion.from_json(orjson.loads(file.read(length))["completion"])

    def append(self, row: Mapping[str, Any]) -> None:
        """Save one finished row (the form of DESIGN §3, see `runner.py`)."""
        self._samples.append(row)
        self.done.add((row["task"], row["id"], row["epoch"]))
        self.unscored += row["score"]["status"] in APPARATUS_FAILURES

    def drop_answers(self) -> None:
        """Empty the answer journal: every answer is in ``samples.jsonl`` now."""
        os.truncate(self._answers.path, 0)


def answer_key(*parts: Any) -> str:
    """Return the key of one answer: a hash of everything that changes it."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_rows(directory: Path) -> Iterator[dict[str, Any]]:
    """Yield the finished rows of a run directory, also while it is being written; a torn last line is skipped.

    Raises:
        InputError: a line in the middle is damaged (names file and line).
    """
    return read_journal(directory / "samples.jsonl")


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
            raise _disk_error(path, error) from error
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


def _lock(directory: Path) -> int:
    try:
        return take_lock(directory)
    except BlockingIOError:
        raise UsageError(f"{directory} is being written by another evalkit process") from None


def _disk_error(path: Path, error: OSError) -> RunError:
    return RunError(
        f"cannot write {path}: {error.strerror or error}. "
        "Nothing written so far is lost: mend that, or give another --output, and run the same command again"
    )
