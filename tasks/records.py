"""Reading JSON lines as people publish them: UTF-8 with or without a BOM, blank lines between records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number from 1, object)`` for each line of a JSON Lines file; blank lines are skipped.

    Raises:
        InputError: the file cannot be opened or is empty, or a line is not UTF-8 or not a JSON object. The
            message names the file and the line.
    """
    found = False
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        found = True
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: this line is not JSON: {_what(error)}") from None
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: expected a JSON object, found {type(record).__name__}")
        yield number, record
    if not found:
        raise InputError(f"{path}: the file is empty: one JSON object a line is expected")


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines, split at line feeds alone: U+2028 and its like may stand inside a JSON string."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path}:{number}: byte {error.start + 1} of this line is not UTF-8; save the file as UTF-8"
                    ) from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder, a JSONL file is expected") from None
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror or error}") from None


def _what(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
