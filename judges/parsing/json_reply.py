"""Finds the JSON object that a judge answers with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_FENCED = re.compile(r"```[^\S\n]*(?:json\w?|JSON)?[^\S\n]*\n(?P<body>[^`]*+)```\s*$")
_FIRST_KEY = re.compile(r'\{\s*"[^"\n]{1,60}"\s*:')
_ANY_KEY = re.compile(r'\s*+\{?\s*+"[^"\n]{1,60}"\s*:')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?')
_TRAILING_COMMA = re.compile(r",(?=\s*+[}\]])")


class Twice(Exception):
    """A key occurs twice with different values."""


def find_object(text: str) -> tuple[dict[str, Any], int, int] | None:
    """Return the JSON object that the text consists of or ends with, and its place; ``None`` if there is none.

    Raises:
        Twice: a key of it has two values.
    """
    end = len(text.rstrip())
    begins = len(text) - len(text.lstrip())
    if end == begins or text[end - 1] not in "}`":
        return None
    if text[end - 1] == "`":
        fenced = _FENCED.search(text, max(0, text.rfind("```", 0, max(0, end - 3))))
        return _loaded(text, fenced.start("body"), fenced.end("body")) if fenced else None
    starts = [begins, text.rfind("\n{", 0, end) + 1, text.rfind("{", 0, end)]
    for start in dict.fromkeys(starts):
        if text[start : start + 1] == "{" and (found := _loaded(text, start, end)):
            return found
    return None


def is_unfinished(text: str) -> bool:
    """Whether the text is a JSON object that breaks off."""
    stripped = text.strip()
    return stripped.startswith("{") and not stripped.endswith("}") and bool(_FIRST_KEY.match(stripped))


def is_part_of_one(line: str) -> bool:
    """Whether a line looks like one of a JSON object: a key first."""
    return bool(_ANY_KEY.match(line))


def pick(found: Mapping[str, Any], name: re.Pattern[str]) -> list[Any]:
    """Return the values whose keys (lower case, ``_`` for spaces) fit; looks one object deeper if none does."""
    values = [value for key, value in found.items() if name.fullmatch(_plain(key))]
    if values:
        return values
    inner = [value for value in found.values() if isinstance(value, dict)]
    return [value for one in inner for key, value in one.items() if name.fullmatch(_plain(key))]


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]+", "_", key.strip().lower())


def _loaded(text: str, start: int, end: int) -> tuple[dict[str, Any], int, int] | None:
    plain = _TRAILING_COMMA.sub("", text[start:end])
    # Formulas come with backslashes that JSON does not know, and paragraphs with line feeds.
    lenient = _ESCAPE.sub(lambda escape: escape[0] if len(escape[0]) > 1 else "\\\\", plain)
    try:
        found = json.loads(lenient, strict=False, object_pairs_hook=_object, parse_int=_whole, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return (found, start, end) if isinstance(found, dict) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise Twice(key)
        found[key] = value
    return found


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 40 else float(digits)
