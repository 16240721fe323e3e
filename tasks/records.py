"""Reading published data files record by record; errors name file, line and field.

A file is JSON lines (UTF-8 with or without a BOM, blank lines between records), one JSON array, or CSV where its
name ends in ``.csv``; each may be compressed by gzip (``.gz``). To support another format, add a reader to
`_READERS`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ..errors import InputError
from .types import Sample

_LARGEST_CELL = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Record(Mapping[str, Any]):
    """One object of a file, a mapping of its fields.

    Attributes:
        path: the file.
        number: line number, or record number if the file is one JSON array; from 1.
        data: the fields.
        unit: what ``number`` counts.
    """

    path: Path
    number: int
    data: Mapping[str, Any]
    unit: Literal["line", "record"] = "line"

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def place(self) -> str:
        """The location: ``FILE:LINE`` or ``FILE: record NUMBER``."""
        return f"{self.path}:{self.number}" if self.unit == "line" else f"{self.path}: record {self.number}"

    def error(self, problem: str) -> InputError:
        """Return an error with this record's location and the problem."""
        return InputError(f"{self.place}: {problem}")

    def field_error(self, name: str, problem: str) -> InputError:
        """Return an error about a field; ``name`` may be a path, such as ``turns[0].text``."""
        return self.error(f"field '{name}': {problem}")

    def field(self, name: str, kind: Any, expected: str) -> Any:
        """Return a field of a type (or a union of types); booleans do not count as numbers.

        Raises:
            InputError: it is missing or of another type; ``expected`` describes the type in the message.
        """
        if name not in self.data:
            raise self.error(f"field '{name}' is missing")
        value = self.data[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.field_error(name, f"expected {expected}, found {shown(value)}")
        return value

    def text(self, *names: str) -> str:
        """Return the first of these fields that is present: a non-blank string.

        Raises:
            InputError: none is present, or it is not a non-blank string.
        """
        name = next((name for name in names if name in self.data), names[0])
        value: str = self.field(name, str, "a string")
        if not value.strip():
            raise self.field_error(name, "it is empty")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of strings.

        Raises:
            InputError: it is missing or not a list of strings.
        """
        value: list[str] = self.field(name, list, "a list of strings")
        for position, item in enumerate(value):
            if not isinstance(item, str):
                raise self.field_error(f"{name}[{position}]", f"expected a string, found {shown(item)}")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string, or the decimal text of a number; None where it is missing, null or blank.

        Raises:
            InputError: it has another type.
        """
        value = self.data.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        return str(self.field(name, str | int | float, "a string"))

    def key(self, name: str) -> int | str:
        """Return the identifier of a record, unchanged: a whole number or a non-blank string.

        Raises:
            InputError: it is neither.
        """
        expected = "a whole number or a string"
        value: int | str = self.field(name, int | str, expected)
        if not str(value).strip():
            raise self.field_error(name, f"expected {expected}, found {value!r}")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return a string that is one of the choices.

        Raises:
            InputError: it is none of them.
        """
        value = self.text(name)
        if value not in choices:
            raise self.field_error(name, f"expected one of {', '.join(choices)}, found {shown(value)}")
        return value


def shown(value: object) -> str:
    """Return the repr of a value for an error message, cut to 60 characters."""
    found = repr(value)
    return found if len(found) <= 60 else f"{found[:59]}…"


def read_records(path: Path, *, columns: Sequence[str] = ()) -> Iterator[Record]:
    """Yield the records of a file in order, reading lazily.

    Args:
        path: the file.
        columns: the columns of a CSV file without a header. A first row that has the first and the last of them is
            a header; its names are matched case-insensitively.

    Raises:
        InputError: the file cannot be opened or is empty, or a record is malformed. The message names the file and
            the line.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    reader = _READERS.get(suffixes[-1] if suffixes else "", _json)
    with _opened(path) as file:
        yield from reader(path, file, columns)


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, object)`` for each of `read_records`; part of the API for external tasks."""
    return ((record.number, dict(record)) for record in read_records(path))


def read_samples(path: Path, sample_of: Callable[[Record], Sample], *, id_field: str = "") -> Iterator[Sample]:
    """Yield the sample of each record of a file, in its order; ids must be unique.

    Args:
        path: the file.
        sample_of: makes a sample of a record; raises `InputError` if it cannot.
        id_field: the field to name in the error about a duplicate id.

    Raises:
        InputError: from `read_records` and ``sample_of``, or for a duplicate id.
    """
    seen: dict[str, Record] = {}
    for record in read_records(path):
        sample = sample_of(record)
        before = seen.setdefault(sample.id, record)
        if before is not record:
            what = f"field '{id_field}': {sample.id}" if id_field else f"the id '{sample.id}'"
            where = f"on line {before.number}" if before.unit == "line" else f"in record {before.number}"
            raise record.error(f"{what} was already used {where}")
        yield sample


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            if path.suffix.lower() != ".gz":
                yield file
                return
            # Decompressed completely first: otherwise corrupt data is yielded before the checksum is verified.
            with tempfile.TemporaryFile(prefix="evalkit-") as plain:
                try:
                    shutil.copyfileobj(gzip.GzipFile(fileobj=file), plain)
                except (OSError, EOFError, zlib.error) as error:
                    raise InputError(f"{path}: the file cannot be decompressed: {error}") from None
                plain.seek(0)
                yield plain
    except FileNotFoundError:
        raise InputError(f"{path}: file not found") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a directory; expected a data file") from None
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror or error}") from None


def _json(path: Path, file: BinaryIO, columns: Sequence[str]) -> Iterator[Record]:
    begins_as_array = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
    file.seek(0)
    return _json_array(path, file) if begins_as_array else _json_lines(path, file)


def _json_lines(path: Path, file: BinaryIO) -> Iterator[Record]:
    found = False
    for number, line in enumerate(_lines(path, file), start=1):
        if not line.strip():
            continue
        found = True
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not valid JSON: {_what(error)}") from None
        yield _object(Record(path, number, record))
    if not found:
        raise InputError(f"{path}: the file is empty; expected one JSON object per line")


def _json_array(path: Path, file: BinaryIO) -> Iterator[Record]:
    try:
        records = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a valid JSON array: {error}") from None
    if not records:
        raise InputError(f"{path}: the array is empty; expected one object per record")
    for number, record in enumerate(records, start=1):
        yield _object(Record(path, number, record, "record"))


def _object(record: Record) -> Record:
    if not isinstance(record.data, dict):
        raise record.error(f"expected a JSON object, found {type(record.data).__name__}")
    return record


def _csv(path: Path, file: BinaryIO, columns: Sequence[str]) -> Iterator[Record]:
    csv.field_size_limit(_LARGEST_CELL)
    fields: Sequence[str] = ()
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, strict=True)
        try:
            for row in rows:
                names = [cell.strip().lower() if columns else cell.strip() for cell in row]
                if not any(names):
                    continue
                if not fields:
                    is_header = not columns or {columns[0], columns[-1]} <= set(names)
                    fields = names if is_header else columns
                    if is_header:
                        continue
                record = Record(path, rows.line_num, dict(zip(fields, row, strict=False)))
                if len(row) != len(fields):
                    raise record.error(f"{len(row)} columns, expected {len(fields)}: {', '.join(fields)}")
                yield record
        except csv.Error as error:
            raise InputError(f"{path}:{rows.line_num}: not valid CSV: {error}") from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: the file is not UTF-8; save it as UTF-8") from None
    if not fields:
        raise InputError(f"{path}: the file is empty; expected {','.join(columns) or 'a header'}")


_READERS: Mapping[str, Callable[[Path, BinaryIO, Sequence[str]], Iterator[Record]]] = {".csv": _csv}
"""Readers by file name suffix; all other files are JSON."""


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    """Yield the lines, split at line feeds only: U+2028 and similar separators may occur inside a JSON string."""
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}:{number}: byte {error.start + 1} of this line is not valid UTF-8; save the file as UTF-8"
            ) from None


def _what(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
