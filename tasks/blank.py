"""Which characters show nothing, and which texts are therefore no answer."""

from __future__ import annotations

import unicodedata
from typing import Final

BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
"""What shows nothing among letters and symbols: the letters that Unicode ignores by default, two empty symbols."""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})


def has_content(text: str) -> bool:
    """Tell whether the text has a letter, digit or sign that shows.

    White space, controls, unassigned characters, marks without one of these before them, and letters that are
    blank by definition (the fillers of Hangul, the empty pattern of Braille, the null notehead) show nothing.
    """
    return not all(map(is_blank, text))


def is_blank(char: str) -> bool:
    """Tell whether a character shows nothing on its own."""
    category = unicodedata.category(char)
    return category[0] in "MZ" or category in _UNSEEN or char in BLANK_LETTERS
