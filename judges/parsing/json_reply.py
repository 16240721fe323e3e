"""Finds the JSON object that a judge answers with."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FENCED = re.compile(r"(?:```|~~~)[^\S\n]*(?:json\w?|JSON)?[^\S\n]*\n\s*(?P<body>[^`~]*+)(?:```|~~~)\s*$")
_BEGINNING = re.compile(r"\{\s*+[\"']?[^\W\d][\w -]{0,60}[\"']?\s*+:")
_TOKENS = re.compile(r'["{}]|\\.', re.DOTALL)
_MOST = 16
_LONGEST_BY_HAND = 4000
_LONGEST = 200_000
_COMMENT = re.compile(r",?[^\S\n]*//[^\n\"]*$", re.MULTILINE)
_BARE_KEY = re.compile(r"([{,]\s*+)([^\W\d]\w{0,60})(?=\s*+:)")
_FIRST_KEY = re.compile(r'\{\s*"[^"\n]{1,60}"\s*:')
_ANY_KEY = re.compile(r'\s*+\{?\s*+"[^"\n]{1,60}"\s*:')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?')
_TRAILING_COMMA = re.compile(r",(?=\s*+[}\]])")


_VALUE_KEYS = frozenset({"value", "значение"})


class Twice(Exception):
    """A key occurs twice with different values."""


@dataclass(frozen=True, slots=True)
class Found:
    """A JSON object and its place in the text."""

    object: dict[str, Any]
    start: int
    end: int


def find_object(text: str) -> Found | None:
    """Return the JSON object that the text consists of or ends with; ``None`` if there is none.

    Raises:
        Twice: a key of it has two values.
    """
    end = len(text.rstrip())
    begins = len(text) - len(text.lstrip())
    if end > begins and text[end - 1] == "]":
        # An object in a list of its own.
        end = len(text[: end - 1].rstrip())
    if end == begins or text[end - 1] not in "}`~":
        return None
    if text[end - 1] in "`~":
        fenced = _FENCED.search(text, max(0, text.rfind(text[end - 1] * 3, 0, max(0, end - 3))))
        return _loaded(text, fenced.start("body"), fenced.end("body")) if fenced else None
    starts = [begins, text.rfind("\n{", 0, end) + 1, text.rfind("{", 0, end)]
    for start in dict.fromkeys(starts):
        if text[start : start + 1] == "{" and (found := _loaded(text, start, end)):
            return found
    return next((one for one in reversed(find_objects(text)) if one.end == end), None)


def find_objects(text: str) -> list[Found]:
    """Return the JSON objects of a text, wherever they stand, the last ones of very many.

    Raises:
        Twice: a key of one has two values.
    """
    found: deque[Found] = deque(maxlen=_MOST)
    place = failures = 0
    while failures < _MOST and (key := _BEGINNING.search(text, place)):
        end = _closing(text, key.start())
        one = _loaded(text, key.start(), end) if end else None
        if one is not None:
            found.append(one)
        else:
            failures += 1
        place = end if one is not None else key.end()
    return list(found)


def _closing(text: str, start: int) -> int:
    """Return where the object that begins at ``start`` ends, 0 if it does not."""
    depth = 0
    quoted = False
    for token in _TOKENS.finditer(text, start, start + _LONGEST):
        sign = token[0]
        if sign == '"':
            quoted = not quoted
        elif quoted or sign[0] == "\\":
            continue
        else:
            depth += 1 if sign == "{" else -1
            if not depth:
                return token.end()
    return 0


def is_unfinished(text: str) -> bool:
    """Whether the text is a JSON object that breaks off."""
    stripped = text.strip()
    return stripped.startswith("{") and not stripped.endswith("}") and bool(_FIRST_KEY.match(stripped))


def is_part_of_one(line: str) -> bool:
    """Whether a line looks like one of a JSON object: a key first."""
    return bool(_ANY_KEY.match(line))


def pick(found: Mapping[str, Any], name: re.Pattern[str]) -> list[Any]:
    """Return the values whose keys (lower case, ``_`` for spaces) fit; looks one object deeper if none does.

    Where the value is an object itself, what it calls its value or the same name counts.
    """
    values = [value for key, value in found.items() if name.fullmatch(_plain(key))]
    inner = [value for value in (values or found.values()) if isinstance(value, dict)]
    plain = [value for value in values if not isinstance(value, dict)]
    if plain:
        return values
    return [
        value
        for one in inner
        for key, value in one.items()
        if name.fullmatch(_plain(key)) or (values and _plain(key) in _VALUE_KEYS)
    ] or values


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]+", "_", key.strip().lower())


def _loaded(text: str, start: int, end: int) -> Found | None:
    body = text[start:end]
    found = _load(body)
    if found is None and end - start <= _LONGEST_BY_HAND:
        # Python's quotes, comments, and keys without quotes.
        plain = _COMMENT.sub(lambda comment: "," if "," in comment[0] else "", body)
        plain = plain.replace("'", '"') if '"' not in plain else plain
        found = _load(_BARE_KEY.sub(r'\1"\2"', plain))
    return Found(found, start, end) if found is not None else None


def _load(body: str) -> dict[str, Any] | None:
    plain = _TRAILING_COMMA.sub("", body)
    # Formulas come with backslashes that JSON does not know, and paragraphs with line feeds.
    lenient = _ESCAPE.sub(lambda escape: escape[0] if len(escape[0]) > 1 else "\\\\", plain)
    try:
        found = json.loads(lenient, strict=False, object_pairs_hook=_object, parse_int=_whole, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise Twice(key)
        found[key] = value
    return found


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 40 else float(digits)
