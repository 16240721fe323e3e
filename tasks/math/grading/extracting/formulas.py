r"""Where formulas stand in a text: between dollars, ``\\( \\)`` and ``\\[ \\]``. One pass, whatever the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = re.compile(r"(?<!\\)(?:\$\$|\$|\\\[|\\\()")
_CLOSING = {"$$": "$$", "$": "$", "\\[": "\\]", "\\(": "\\)"}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula: where it begins and ends, fences included, and what is between them."""

    start: int
    end: int
    content: str


def find_formulas(text: str) -> list[Formula]:
    """Return the formulas of a text from left to right; those between single dollars stay within a line."""
    formulas: list[Formula] = []
    missing: set[str] = set()
    position = 0
    while True:
        opening = _OPENING.search(text, position)
        if opening is None:
            return formulas
        position = opening.end()
        fence = opening[0]
        if fence in missing:
            continue
        end = text.find(_CLOSING[fence], position)
        while fence == "$" and end > 0 and text[end - 1] == "\\":
            end = text.find("$", end + 1)
        if end < 0:
            missing.add(fence)
            continue
        content = text[position:end]
        if not content.strip() or (fence == "$" and "\n" in content):
            continue
        position = end + len(_CLOSING[fence])
        formulas.append(Formula(opening.start(), position, content))


def masked(text: str, filler: str) -> str:
    """Return the text with every formula overwritten, all positions kept."""
    parts = []
    position = 0
    for formula in find_formulas(text):
        parts += [text[position : formula.start], filler * (formula.end - formula.start)]
        position = formula.end
    return "".join([*parts, text[position:]])
