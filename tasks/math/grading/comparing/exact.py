"""Exact arithmetic: the numbers that need no rounding, and the rule for those that were rounded."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from ..limits import BITS, FACTORIAL, TERMS
from ..node import Node
from ..verdict import TooLarge

PLACES = 6
"""Decimals are compared after rounding to this many places, unless the caller says otherwise."""

_SIGNIFICANT = Fraction(1, 100_000)
_NUMBER = re.compile(r"([-−–+]?)\s?(\d{1,400})(?:(?:\{,\}|[.,])(\d{1,400})|\s?/\s?(\d{1,400}))?\.?\Z")


def read_plain_number(text: str) -> tuple[Fraction, bool] | None:
    """Read ``-12``, ``3,14``, ``3.14`` or ``2/3``: the number and whether it has decimals; None for all else.

    What might be thousands (``1,234``) is not decided here.
    """
    match = _NUMBER.match(text)
    if match is None:
        return None
    sign, whole, decimals, divisor = match.groups()
    if divisor is not None:
        if not int(divisor):
            return None
        value = Fraction(int(whole), int(divisor))
    elif decimals is not None:
        if len(decimals) == 3 and len(whole) <= 3 and "." not in text[:-1]:
            return None
        value = Fraction(int(whole + decimals), 10 ** len(decimals))
    else:
        value = Fraction(int(whole))
    return (-value if sign in ("-", "−", "–") and sign else value), decimals is not None


def close(first: Fraction, second: Fraction, decimal: bool, precision: int | None) -> bool:
    """Whether two numbers agree.

    With a ``precision`` they agree when they are the same after rounding to that many places. Without one they
    must be equal; if either is written as a decimal, being equal after rounding to 6 places (and within 1/100000
    of each other's size) is enough: ``0.333333`` is one third, ``0.33`` is not.
    """
    if first == second:
        return True
    if precision is not None:
        return round(first, precision) == round(second, precision)
    if not decimal or round(first, PLACES) != round(second, PLACES):
        return False
    return abs(first - second) <= _SIGNIFICANT * max(abs(first), abs(second))


def exact(node: Node) -> Fraction | None:
    """Return the value of an expression that is a rational number; None for any other.

    Raises:
        TooLarge: a step would need more than `BITS` bits.
    """
    kind = node.kind
    if kind in ("number", "decimal"):
        return Fraction(node.value)
    if kind == "neg":
        value = exact(node.args[0])
        return None if value is None else -value
    if kind in ("+", "*", "inv", "^", "call"):
        values = [exact(arg) for arg in node.args]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        return _combine(kind, node.value, known)
    if kind == "big" and not node.symbols:
        return _series(node)
    return None


def _combine(kind: str, name: str | None, values: list[Fraction]) -> Fraction | None:
    if kind == "+":
        total = Fraction(0)
        for value in values:
            total = checked(total + value)
        return total
    if kind == "*":
        product = Fraction(1)
        for value in values:
            product = checked(product * value)
        return product
    if kind == "inv":
        return 1 / values[0] if values[0] else None
    if kind == "^":
        return _power(values[0], values[1])
    return _function(name or "", values)


def checked(value: Fraction) -> Fraction:
    """Return the number, which must not be too large."""
    if value.numerator.bit_length() > BITS or value.denominator.bit_length() > BITS:
        raise TooLarge(f"a number of more than {BITS} bits")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator == 1:
        if base in (0, 1, -1):
            if base == 0 and exponent <= 0:
                return None
            return base ** int(exponent % 2 or 2) if base else base
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size * abs(exponent) > BITS:
            raise TooLarge(f"a power of more than {BITS} bits")
        return base ** int(exponent)
    if base < 0:
        # A cube root of a negative number is real at school and complex to a computer: let neither decide.
        return None
    top, bottom = _root(base.numerator, exponent.denominator), _root(base.denominator, exponent.denominator)
    if top is None or bottom is None:
        return None
    return _power(Fraction(top, bottom), Fraction(exponent.numerator))


def _root(value: int, degree: int) -> int | None:
    """Return the exact root of a natural number, or None."""
    if value in (0, 1):
        return value
    if degree > value.bit_length():
        return None
    if degree == 2:
        root = math.isqrt(value)
    else:
        low, high = 1, 1 << (value.bit_length() // degree + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
        root = low
    return root if root**degree == value else None


def _function(name: str, values: list[Fraction]) -> Fraction | None:
    first = values[0] if values else Fraction(0)
    whole = all(value.denominator == 1 for value in values)
    if name == "abs" and len(values) == 1:
        return abs(first)
    if name == "floor" and len(values) == 1:
        return Fraction(math.floor(first))
    if name == "ceil" and len(values) == 1:
        return Fraction(math.ceil(first))
    if name in ("max", "min") and values:
        return max(values) if name == "max" else min(values)
    if name in ("gcd", "lcm") and whole:
        return checked(Fraction((math.gcd if name == "gcd" else math.lcm)(*map(int, values))))
    if name in ("factorial", "double_factorial") and whole and first >= 0:
        if first > FACTORIAL:
            raise TooLarge(f"a factorial of more than {FACTORIAL}")
        return Fraction(math.prod(range(int(first), 0, -1 if name == "factorial" else -2)))
    if name == "binomial" and whole and len(values) == 2 and min(values) >= 0:
        if first > FACTORIAL**2 or (values[1] > FACTORIAL and first - values[1] > FACTORIAL):
            raise TooLarge(f"a binomial of more than {FACTORIAL}")
        return checked(Fraction(math.comb(int(first), int(values[1]))))
    if name == "log" and len(values) == 2:
        return _logarithm(first, values[1])
    return None


def _logarithm(value: Fraction, base: Fraction) -> Fraction | None:
    """Return the logarithm where it is a whole number."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    size = max(base.numerator.bit_length(), base.denominator.bit_length()) - 1 or 1
    limit = max(value.numerator.bit_length(), value.denominator.bit_length()) // size + 2
    power, inverse = Fraction(1), Fraction(1)
    for exponent in range(min(limit, TERMS)):
        if power == value:
            return Fraction(exponent)
        if inverse == value:
            return Fraction(-exponent)
        power, inverse = checked(power * base), checked(inverse / base)
    return None


def _series(node: Node) -> Fraction | None:
    body, variable, first_node, last_node = node.args
    first, last = exact(first_node), exact(last_node)
    if first is None or last is None or first.denominator != 1 or last.denominator != 1:
        return None
    check_terms(body, last - first)
    total = Fraction(0 if node.value == "sum" else 1)
    for index in range(int(first), int(last) + 1):
        value = exact(substitute(body, variable.value, Fraction(index)))
        if value is None:
            return None
        total = checked(total + value if node.value == "sum" else total * value)
    return total


def check_terms(body: Node, terms: Any) -> None:
    """Raise `TooLarge` when a sum has too many terms; a sum of sums may have a hundredth as many."""
    if terms * (100 if body.has("big") else 1) > TERMS:
        raise TooLarge(f"a sum of more than {TERMS} terms")


def substitute(node: Node, name: str, value: Fraction) -> Node:
    """Return the expression with a number in place of a variable."""
    if node.kind == "symbol":
        return Node("number", (), value) if node.value == name else node
    if not node.args:
        return node
    return Node(node.kind, tuple(substitute(arg, name, value) for arg in node.args), node.value)
