"""Converters for the values of ``key=value`` options: numbers, booleans, choices."""

from __future__ import annotations

import math
from collections.abc import Callable


def whole_number(text: str) -> int:
    """Convert a positive whole number.

    Raises:
        ValueError: the text is not one.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("a whole number above 0 is needed")
    return int(text)


def number(text: str) -> float:
    """Convert a finite number from 0 on.

    Raises:
        ValueError: the text is not one.
    """
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError("a number from 0 on is needed")
    return value


def truth(text: str) -> bool:
    """Convert ``true`` or ``false`` (also ``1``/``0``, ``yes``/``no``, ``on``/``off``).

    Raises:
        ValueError: the text is none of these.
    """
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("true or false is needed")


def one_of(*known: str) -> Callable[[str], str]:
    """Return a converter that accepts only these words and raises `ValueError` for any other."""

    def convert(text: str) -> str:
        if text not in known:
            raise ValueError("must be one of " + ", ".join(known))
        return text

    return convert
