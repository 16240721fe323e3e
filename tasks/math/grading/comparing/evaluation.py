"""Values of expressions as numbers of fifty digits; only the worker process does this."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import mpmath
from mpmath import mp

from ..node import Node
from ..verdict import TooLarge, Undecided
from .exact import check_terms

mp.dps = 50

TOLERANCE = mpmath.mpf(10) ** -35
"""Numbers that differ by no more than this share of their size are the same."""

TINY = mpmath.mpf(10) ** -40
"""Anything smaller is zero."""

_LARGEST = 1_000_000
_LARGEST_POWER_OF_A_MATRIX = 64

Values = Mapping[str, Any]


@cache
def random_value(name: str, index: int) -> Any:
    """Return a real number of size 0.2 to 3.2, the same for the same arguments; every fourth is negative."""
    dice = random.Random(f"{name}/{index}")
    value = mpmath.mpf(dice.getrandbits(160)) / 2**160 * 3 + mpmath.mpf("0.2")
    return -value if index % 4 == 3 else value


def is_real(value: Any) -> bool:
    """Whether the imaginary part is nothing but rounding."""
    return bool(abs(mpmath.im(value)) <= TOLERANCE * max(1, abs(value)))


def evaluate(node: Node, values: Values) -> Any:
    """Return the value of an expression as an mpmath number or matrix.

    Raises:
        Undecided: it has no value there, or a function is unknown.
        TooLarge: it is too large to work out.
    """
    kind = node.kind
    if kind in ("number", "decimal"):
        return mpmath.mpf(node.value.numerator) / node.value.denominator
    if kind == "symbol":
        return _symbol(node.value, values)
    if kind == "big":
        return _series(node, values)
    if kind == "matrix":
        return mpmath.matrix([[evaluate(cell, values) for cell in row.args] for row in node.args])
    if kind == "call" and node.value not in _FUNCTIONS:
        return _unknown_function(node, values)
    args = [evaluate(arg, values) for arg in node.args]
    if kind == "+":
        return _fold(args, lambda left, right: left + right)
    if kind == "*":
        return _fold(args, lambda left, right: left * right)
    if kind == "neg":
        return -args[0]
    if kind == "degree":
        return args[0] * mp.pi / 180
    if kind == "inv":
        if isinstance(args[0], mpmath.matrix) or args[0] == 0:
            raise Undecided
        return 1 / args[0]
    if kind == "^":
        return _power(args[0], args[1])
    if kind == "call":
        try:
            return _FUNCTIONS[node.value](*args)
        except (ValueError, TypeError, ZeroDivisionError, OverflowError):  # a pole, or too many arguments
            raise Undecided from None
    raise Undecided


def _symbol(name: str, values: Values) -> Any:
    if name in values:
        return values[name]
    if name == "pi":
        return +mp.pi
    if name == "e":
        return +mp.e
    if name == "i":
        return mpmath.mpc(0, 1)
    if name == "oo":
        return mpmath.inf
    raise Undecided


def _fold(args: list[Any], join: Callable[[Any, Any], Any]) -> Any:
    total = args[0]
    for arg in args[1:]:
        try:
            total = join(total, arg)
        except (ValueError, TypeError):  # shapes of matrices that do not fit
            raise Undecided from None
    return total


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, mpmath.matrix) or isinstance(exponent, mpmath.matrix):
        if isinstance(exponent, mpmath.matrix) or not mpmath.isint(exponent) or exponent < -1:
            raise Undecided
        if exponent > _LARGEST_POWER_OF_A_MATRIX:
            raise TooLarge("a large power of a matrix")
        try:
            return base ** int(exponent)
        except (ValueError, ZeroDivisionError):
            raise Undecided from None
    if not (mpmath.isfinite(base) and mpmath.isfinite(exponent)):
        raise Undecided
    if base == 0:
        if mpmath.re(exponent) <= 0:
            raise Undecided
        return mpmath.mpf(0)
    if abs(exponent) * (abs(mpmath.mag(base)) + 1) > _LARGEST:
        raise TooLarge("a power beyond 10^300000")
    if is_real(base) and mpmath.re(base) < 0 and is_real(exponent):
        # At school the cube root of -8 is -2.
        degree = _odd_degree(mpmath.re(exponent))
        if degree:
            root = -((-mpmath.re(base)) ** (mpmath.mpf(1) / degree))
            return root ** int(mpmath.nint(exponent * degree))
    return base**exponent


def _odd_degree(exponent: Any) -> int:
    """Return n when the exponent is k/n with a small odd n > 1, else 0."""
    for degree in (3, 5, 7, 9):
        if abs(exponent * degree - mpmath.nint(exponent * degree)) < TOLERANCE:
            return 0 if abs(exponent - mpmath.nint(exponent)) < TOLERANCE else degree
    return 0


def _series(node: Node, values: Values) -> Any:
    body, variable, first_node, last_node = node.args
    first, last = evaluate(first_node, values), evaluate(last_node, values)
    if not (mpmath.isint(first) and mpmath.isint(last)):
        raise Undecided
    check_terms(body, last - first)
    total = mpmath.mpf(0 if node.value == "sum" else 1)
    for index in range(int(first), int(last) + 1):
        term = evaluate(body, {**values, variable.value: mpmath.mpf(index)})
        total = total + term if node.value == "sum" else total * term
    return total


def _unknown_function(node: Node, values: Values) -> Any:
    """Evaluate ``f(x)`` for an f that nobody defined: a number that depends on the name and the arguments alone."""
    if node.value == "det":
        inside = evaluate(node.args[0], values)
        if not isinstance(inside, mpmath.matrix) or inside.rows != inside.cols or inside.rows > 12:
            raise Undecided
        return mpmath.det(inside)
    if len(node.value.partition("_")[0].rstrip("'")) > 1:
        raise Undecided
    total = random_value(node.value, 0)
    for position, arg in enumerate(node.args):
        total += mpmath.sin(evaluate(arg, values) + random_value(node.value, position + 4))
    return total


def _bounded(function: Callable[..., Any], limit: float) -> Callable[..., Any]:
    def applied(*args: Any) -> Any:
        for arg in args:
            if isinstance(arg, mpmath.matrix) or not mpmath.isfinite(arg):
                raise Undecided
            if abs(arg) > limit:
                raise TooLarge(f"a function of a number beyond {limit:g}")
        return function(*args)

    return applied


def _logarithm(value: Any, base: Any = None) -> Any:
    if value == 0 or (base is not None and base in (0, 1)):
        raise Undecided
    return mpmath.log(value) if base is None else mpmath.log(value) / mpmath.log(base)


def _nonzero(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def applied(value: Any) -> Any:
        below = function(value)
        if abs(below) < TINY:
            raise Undecided
        return below

    return applied


def _tangent(value: Any) -> Any:
    return mpmath.sin(value) / _nonzero(mpmath.cos)(value)


def _cotangent(value: Any) -> Any:
    return mpmath.cos(value) / _nonzero(mpmath.sin)(value)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    def applied(*args: Any) -> Any:
        if not all(mpmath.isint(arg) for arg in args):
            raise Undecided
        return mpmath.mpf(function(*(int(arg) for arg in args)))

    return applied


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    def applied(*args: Any) -> Any:
        if not all(is_real(arg) for arg in args):
            raise Undecided
        return function(*(mpmath.re(arg) for arg in args))

    return applied


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _bounded(getattr(mpmath, name), 1e30) for name in ("sin", "cos", "asin", "acos", "atan")},
    "tan": _bounded(_tangent, 1e30),
    "cot": _bounded(_cotangent, 1e30),
    "sec": _bounded(lambda value: 1 / _nonzero(mpmath.cos)(value), 1e30),
    "csc": _bounded(lambda value: 1 / _nonzero(mpmath.sin)(value), 1e30),
    "acot": _bounded(lambda value: mp.pi / 2 - mpmath.atan(value), 1e30),
    **{name: _bounded(getattr(mpmath, name), 1e5) for name in ("sinh", "cosh", "tanh")},
    "ln": _bounded(_logarithm, float("inf")),
    "log": _bounded(_logarithm, float("inf")),
    "abs": _bounded(abs, float("inf")),
    "sign": _bounded(_real(mpmath.sign), 1e30),
    "floor": _bounded(_real(mpmath.floor), 1e30),
    "ceil": _bounded(_real(mpmath.ceil), 1e30),
    "factorial": _bounded(mpmath.factorial, 1e5),
    "double_factorial": _bounded(mpmath.fac2, 1e5),
    "binomial": _bounded(mpmath.binomial, 1e5),
    "min": _bounded(_real(min), 1e30),
    "max": _bounded(_real(max), 1e30),
    "gcd": _bounded(_whole(math.gcd), 1e30),
    "lcm": _bounded(_whole(math.lcm), 1e30),
}
