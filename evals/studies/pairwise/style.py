"""Style features of an answer: its length and markdown elements, which bias judges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

STYLE: Final[Mapping[str, str]] = {
    "length": "Length, characters",
    "headers": "Headers",
    "list_items": "List items",
    "bold": "Bold spans",
}
"""What `style_of` counts, in its order, with titles."""

_CODE: Final = re.compile(r"^[ \t]{0,3}(?:```|~~~)", re.MULTILINE)
_COUNTED: Final = (
    re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+\S", re.MULTILINE),
    re.compile(r"^[ \t]{0,12}(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE),
    re.compile(r"\*\*[^*\n]{1,200}\*\*|__[^_\n]{1,200}__"),
)


def style_of(text: str) -> tuple[int, ...]:
    """Count the characters, headers, list items and bold spans of an answer; code blocks have no markdown."""
    outside = "\n".join(_CODE.split(text)[::2])
    return (len(text), *(sum(1 for _ in pattern.finditer(outside)) for pattern in _COUNTED))
