"""Comparing what a program answered with what was expected; both may be large, and the answer is hostile."""

from __future__ import annotations

import math
import reprlib
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any

_SHOWN = 180


def as_lists(value: Any) -> Any:
    """Return the value with every tuple inside as a list.

    Raises:
        RecursionError: it is nested too deeply.
    """
    if type(value) in (list, tuple):
        return [as_lists(item) for item in value]
    if type(value) is dict:
        return {key: as_lists(item) for key, item in value.items()}
    return value


def close(value: Any, expected: Any, tolerance: float) -> bool:
    """Return whether two values are equal but for numbers that differ by ``tolerance`` at most.

    The difference may be absolute, or relative to the expected number.

    Raises:
        RecursionError: they are nested too deeply.
    """
    if _is_number(value) and _is_number(expected):
        if value == expected:
            return True
        try:
            return math.isclose(value, expected, rel_tol=0.0, abs_tol=tolerance * max(1.0, abs(expected)))
        except OverflowError:
            return False
    if type(value) is not type(expected):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) == len(expected) and all(map(close, value, expected, [tolerance] * len(value)))
    if isinstance(value, dict):
        return value.keys() == expected.keys() and all(
            close(value[key], expected[key], tolerance) for key in expected
        )
    return bool(value == expected)


def same_text(text: str, expected: str, tolerance: float) -> bool:
    """Return whether a program printed what it should, line by line.

    Trailing blanks and empty lines at the end do not count. Lines that differ are the same if their words are
    numbers of equal value, or of values that are ``tolerance`` apart at most.
    """
    lines, wanted = _lines(text), _lines(expected)
    if len(lines) != len(wanted):
        return False
    return all(
        line == other or _same_numbers(line, other, tolerance) for line, other in zip(lines, wanted, strict=True)
    )


def shown(value: Any) -> str:
    """Return a short one-line picture of a value."""
    try:
        text = _PICTURE.repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"  # an integer of very many digits, for one
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _picture() -> reprlib.Repr:
    picture = reprlib.Repr()
    picture.maxstring = picture.maxother = 120
    picture.maxlist = picture.maxtuple = picture.maxdict = picture.maxset = 12
    return picture


_PICTURE = _picture()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _same_numbers(line: str, expected: str, tolerance: float) -> bool:
    words = zip_longest(line.split(), expected.split(), fillvalue="")
    return all(word == other or _same_number(word, other, tolerance) for word, other in words)


def _same_number(word: str, expected: str, tolerance: float) -> bool:
    try:
        number, wanted = Decimal(word), Decimal(expected)
    except InvalidOperation:
        return False
    if not (number.is_finite() and wanted.is_finite()):
        return False
    if number == wanted:
        return True
    try:
        # Not as floats: two numbers beyond their range would both be infinite, and so the same.
        return tolerance > 0 and abs(number - wanted) <= Decimal(tolerance) * max(Decimal(1), abs(wanted))
    except ArithmeticError:
        return False
