"""Reading files of problems line by line: compressed or not, with mistakes told by file, line and field."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..records import read_jsonl
from ..types import Sample

Record = Mapping[str, Any]


class FieldError(Exception):
    """A field of the record at hand cannot be used; the message names the field."""


def read_samples(path: Path, sample_of: Callable[[Record], Sample]) -> Iterator[Sample]:
    """Yield the sample of each line of a ``.jsonl`` or ``.jsonl.gz`` file, in its order.

    Args:
        path: the file.
        sample_of: makes a sample of a line, or raises `FieldError`.

    Raises:
        InputError: the file cannot be read, or a line cannot be used (names file, line and field).
    """
    seen: dict[str, int] = {}
    for number, record in _records(path):
        try:
            sample = sample_of(record)
        except FieldError as error:
            raise InputError(f"{path}:{number}: {error}") from None
        if sample.id in seen:
            raise InputError(f"{path}:{number}: the id '{sample.id}' was already used on line {seen[sample.id]}")
        seen[sample.id] = number
        yield sample


def field(record: Record, name: str, kind: Any, expected: str) -> Any:
    """Return a field's value.

    Raises:
        FieldError: it is missing, or of another kind.
    """
    if name not in record:
        raise FieldError(f"field '{name}' is missing")
    value = record[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FieldError(f"field '{name}': expected {expected}, found {shown(value)}")
    return value


def text(record: Record, name: str) -> str:
    """Return a field that is a string and not blank.

    Raises:
        FieldError: it is not.
    """
    value: str = field(record, name, str, "a string")
    if not value.strip():
        raise FieldError(f"field '{name}': it is empty")
    return value


def texts(record: Record, name: str) -> list[str]:
    """Return a field that is a list of strings.

    Raises:
        FieldError: it is not.
    """
    value: list[str] = field(record, name, list, "a list of strings")
    for position, item in enumerate(value):
        if not isinstance(item, str):
            raise FieldError(f"field '{name}[{position}]': expected a string, found {shown(item)}")
    return value


def shown(value: object) -> str:
    """Return a value as a message shows it, at most 60 characters long."""
    found = repr(value)
    return found if len(found) <= 60 else f"{found[:59]}…"


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.suffix != ".gz":
        yield from read_jsonl(path)
        return
    with tempfile.TemporaryDirectory(prefix="evalkit-") as folder:
        plain = Path(folder) / "lines.jsonl"
        try:
            with gzip.open(path) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file") from None
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: the file cannot be decompressed: {error}") from None
        try:
            yield from read_jsonl(plain)
        except InputError as error:
            raise InputError(str(error).replace(str(plain), str(path))) from None
