"""One spelling for what looks the same: full-width digits, brackets of other scripts, odd spaces.

Every character is folded by itself. A whole-string NFKC would also sort combining marks, which takes quadratic time
on text made for it, and it would read 8² as 82.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks that change the order in which digits are shown: kept, so that a number with one inside is refused."""

_CHARACTERS = {
    "【": "[[",
    "】": "]]",
    "〚": "[[",
    "〛": "]]",
    "⟦": "[[",
    "⟧": "]]",
    "−": "-",
    "‐": "-",
    "‑": "-",
    "½": ".5",
    "\u20e3": "",
    **dict.fromkeys("\x85\u2028\u2029", "\n"),
    **{mark: mark for mark in BIDI},
}
_SMALL_DIGITS = re.compile(r"<(?:super|sub|fraction)>")
_WIDEST = 3
_HIDDEN = "\u200b"

_SAME = re.compile("[\n -~А-яЁё«»—–„“”]*+")
"""Characters that stay what they are, and that most texts are all made of."""

_ALWAYS = {ord(char): "\n" for char in "\r\v\f\x1c\x1d\x1e"}


@dataclass(frozen=True, slots=True)
class NormalText:
    """A text in one spelling that still knows where its characters came from."""

    text: str
    source: str
    table: Mapping[int, str]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the original text of ``text[start:end]``."""
        begins = self._origin(start)
        return begins, max(begins, self._origin(end - 1) + 1 if end > start else begins)

    def _origin(self, position: int) -> int:
        resizing = "".join(chr(code) for code, folded in self.table.items() if len(folded) != 1)
        if not resizing:
            return position
        shift = 0
        for match in re.finditer(f"[{re.escape(resizing)}]", self.source):
            begins = match.start() + shift
            width = len(self.table[ord(match[0])])
            if begins > position:
                break
            if position < begins + width:
                return match.start()
            shift += width - 1
        return position - shift


def normalise(text: str) -> NormalText:
    r"""Fold a text into one spelling; linear in its length.

    Digits of all scripts become ASCII, full-width and CJK brackets become ``[`` and ``]`` (``【`` is two of them),
    white space becomes a space or a line feed, Markdown's ``\[`` loses its backslash, zero-width characters go.
    Superscripts stay what they are, and so do the marks of `BIDI`.
    """
    # Replaced by as many characters, so that places in the text stay places in the original.
    source = text.replace("\\[", f"{_HIDDEN}[").replace("\\]", f"{_HIDDEN}]")
    source = source.replace("и\u0306", f"й{_HIDDEN}").replace("е\u0308", f"ё{_HIDDEN}")
    if _SAME.fullmatch(source):
        return NormalText(source, source, {})
    changed = {ord(char): folded for char in set(source) if (folded := fold(char)) != char}
    table = {**_ALWAYS, **changed}
    return NormalText(source.translate(table), source, table)


@lru_cache(maxsize=4096)
def fold(char: str) -> str:
    """Return a character in its one spelling: up to three characters, none for those without a width."""
    if char.isascii():
        return char
    if char in _CHARACTERS:
        return _CHARACTERS[char]
    category = unicodedata.category(char)
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f":
        return ""
    if category == "Zs":
        return " "
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if _SMALL_DIGITS.match(unicodedata.decomposition(char)):
        return char
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) <= _WIDEST else char
