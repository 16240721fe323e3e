"""The oracle of the worker process: expressions at many points, with fifty digits.

Two expressions that agree to 35 digits at eight random points are the same (Schwartz-Zippel, with real numbers in
place of a finite field); one point at which they differ shows that they are not.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath

from ..node import Node, renamed
from ..verdict import Undecided
from .evaluation import TINY, TOLERANCE, Values, evaluate, is_real, random_value
from .exact import close, exact
from .oracle import is_decimal
from .regions import cells, ends_of, ranked

_POINTS = 8
_CONSTANTS = frozenset(["pi", "e", "i", "oo"])
_FAMILY_WINDOW = 20
_FAMILY_RANGE = 300


class NumericOracle:
    """Answers by numbers; `Undecided` when an expression cannot be evaluated anywhere."""

    def __init__(self, precision: int | None = None) -> None:
        self.precision = precision
        self._constants: dict[Node, Any] = {}

    def _constant(self, node: Node) -> Any:
        """Evaluate an expression without variables, once."""
        if node not in self._constants:
            self._constants[node] = evaluate(node, {})
        return self._constants[node]

    def equal(self, first: Node, second: Node) -> bool:
        """Compare two values, at random points if they have variables."""
        left, right = exact(first), exact(second)
        decimal = is_decimal(first) or is_decimal(second)
        if left is not None and right is not None:
            return close(left, right, decimal, self.precision)
        if first.key == second.key:
            return True
        names = sorted((first.symbols | second.symbols) - _CONSTANTS)
        if not names:
            return self._equal_constants(self._constant(first), self._constant(second), decimal)
        agreed = 0
        for values in points(names):
            pair = _both(first, second, values)
            if pair is not None:
                if not _agree(*pair):
                    return False
                agreed += 1
        if agreed < 3:
            raise Undecided
        return True

    def _equal_constants(self, first: Any, second: Any, decimal: bool) -> bool:
        if isinstance(first, mpmath.matrix) or isinstance(second, mpmath.matrix):
            return _agree(first, second)
        if not (mpmath.isfinite(first) and mpmath.isfinite(second)):
            return bool(first == second)
        if decimal or self.precision is not None:
            if mpmath.im(first) or mpmath.im(second):
                return _agree(first, second)
            if max(abs(first), abs(second)) > 10**30:
                return _agree(first, second)
            return close(_fraction(first), _fraction(second), decimal, self.precision)
        return _agree(first, second)

    def less(self, first: Node, second: Node) -> bool:
        """Order two real constants."""
        left, right = self._constant(first), self._constant(second)
        if (
            isinstance(left, mpmath.matrix)
            or isinstance(right, mpmath.matrix)
            or mpmath.im(left)
            or mpmath.im(right)
        ):
            raise Undecided
        return bool(mpmath.re(left) < mpmath.re(right)) and not self.equal(first, second)

    def same_relation(self, first: Node, second: Node) -> bool:
        """Whether lhs - rhs of one is a constant multiple of the other's, with the signs that go with it."""
        if first.key == second.key:
            return True
        if len(first.value) != 1 or len(second.value) != 1:
            return self._same_truth(first, second)
        ratio = _ratio(_difference(first), _difference(second))
        if ratio is None:
            comparable = "=" not in (first.value + second.value) and first.symbols == second.symbols
            return comparable and len(first.symbols - _CONSTANTS) == 1 and self._same_truth(first, second)
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        sign = first.value[0] if ratio > 0 else mirrored.get(first.value[0], first.value[0])
        return bool(sign == second.value[0])

    def _same_truth(self, first: Node, second: Node) -> bool:
        names = sorted((first.symbols | second.symbols) - _CONSTANTS)
        if len(names) != 1:
            raise Undecided
        return all(holds(first, {names[0]: x}) == holds(second, {names[0]: x}) for x in _line())

    def same_region(self, relation: Node, region: Node) -> bool:
        """Test the inequality at the region's endpoints and at many points between and beyond them."""
        names = sorted(relation.symbols - _CONSTANTS)
        if len(names) != 1:
            raise Undecided
        ranks = ranked(list(ends_of(region)), self)
        covered = cells(region, ranks)
        distinct = {rank: mpmath.re(self._constant(end)) for end, rank in ranks.items()}
        ends = [distinct[rank] for rank in sorted(distinct)]
        if not covered and ends:
            return False
        return all(
            holds(relation, {names[0]: x}) == (cell in covered)
            for cell, x in _samples(ends, _constants_in(relation))
        )

    def same_family(self, first: Node, second: Node) -> bool:
        """Whether both families have the same members within a window around zero."""
        left, right = _members(first), _members(second)
        if left is None or right is None:
            if len(first.args) != len(second.args) or len(first.value) != len(second.value):
                return False
            names = dict(zip(second.value, first.value, strict=True))
            return all(
                self.equal(left, renamed(right, names)) for left, right in zip(first.args, second.args, strict=True)
            )
        return left == right


def _both(first: Node, second: Node, values: Values) -> tuple[Any, Any] | None:
    """Evaluate both at a point; None where one has no value there, or only one of them is real."""
    try:
        left, right = evaluate(first, values), evaluate(second, values)
    except (Undecided, ZeroDivisionError, ValueError):
        return None
    if isinstance(left, mpmath.matrix) or isinstance(right, mpmath.matrix):
        return left, right
    if not (mpmath.isfinite(left) and mpmath.isfinite(right)):
        return None
    if is_real(left) != is_real(right):
        return None
    return left, right


def _agree(first: Any, second: Any) -> bool:
    if isinstance(first, mpmath.matrix) or isinstance(second, mpmath.matrix):
        if not (isinstance(first, mpmath.matrix) and isinstance(second, mpmath.matrix)):
            return False
        same_shape = first.rows == second.rows and first.cols == second.cols
        return same_shape and all(_agree(a, b) for a, b in zip(first, second, strict=True))
    if abs(first) < TINY and abs(second) < TINY:
        return True
    return bool(abs(first - second) <= TOLERANCE * max(abs(first), abs(second)))


def _fraction(value: Any) -> Fraction:
    sign, mantissa, exponent, _ = mpmath.re(value)._mpf_
    return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)


def points(names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield places to evaluate at: real numbers of both signs, then natural ones (for factorials and sums)."""
    for index in range(_POINTS):
        yield {name: random_value(name, index) for name in names}
    for index in range(_POINTS):
        yield {name: mpmath.mpf(zlib.crc32(f"{name}{index}".encode()) % 9 + 2) for name in names}


def _difference(relation: Node) -> Node:
    return Node("+", (relation.args[0], Node("neg", (relation.args[1],))))


def _ratio(first: Node, second: Node) -> Any:
    """Return the constant c with second = c·first; None if there is none."""
    ratio = None
    seen = 0
    for values in points(sorted((first.symbols | second.symbols) - _CONSTANTS)):
        pair = _both(first, second, values)
        if pair is None or isinstance(pair[0], mpmath.matrix) or isinstance(pair[1], mpmath.matrix):
            continue
        if abs(pair[0]) < TINY or abs(pair[1]) < TINY:
            if abs(pair[0]) < TINY and abs(pair[1]) < TINY:
                continue
            return None
        here = pair[1] / pair[0]
        if ratio is not None and not _agree(here, ratio):
            return None
        ratio = here
        seen += 1
    if seen < 3 or ratio is None or not is_real(ratio):
        return None
    return mpmath.re(ratio)


def holds(relation: Node, values: Values) -> bool:
    """Whether a chain of relations is true at a point; false where it has no meaning."""
    try:
        sides = [evaluate(arg, values) for arg in relation.args]
    except (Undecided, ZeroDivisionError, ValueError):
        return False
    if not all(mpmath.isfinite(side) and is_real(side) for side in sides):
        return False
    sides = [mpmath.re(side) for side in sides]
    return all(
        _compare(sign, left, right) for sign, left, right in zip(relation.value, sides[:-1], sides[1:], strict=True)
    )


def _compare(sign: str, left: Any, right: Any) -> bool:
    equal = abs(left - right) <= TOLERANCE * max(abs(left), abs(right), 1)
    if sign in ("=", "~"):
        return bool(equal)
    if sign == "!=":
        return not equal
    return bool((equal and "=" in sign) or (not equal and (left < right) == sign.startswith("<")))


def _line() -> Iterator[Any]:
    """Yield numbers all over the line, among them the usual endpoints and their neighbours."""
    for denominator in (1, 2, 3, 5):
        for numerator in range(-12 * denominator, 12 * denominator + 1):
            value = mpmath.mpf(numerator) / denominator
            yield from (value, value + mpmath.mpf(1) / 1000, value - mpmath.mpf(1) / 1000)
    for exponent in range(2, 6):
        yield from (mpmath.mpf(10) ** exponent, -(mpmath.mpf(10) ** exponent))
    dice = random.Random(0)
    for _ in range(200):
        yield mpmath.mpf(dice.uniform(-30, 30))


def _constants_in(node: Node) -> set[Fraction]:
    if node.kind in ("number", "decimal"):
        return {node.value}
    return set().union(*(_constants_in(arg) for arg in node.args))


def _samples(ends: list[Any], constants: set[Fraction]) -> Iterator[tuple[int, Any]]:
    """Yield (cell, number in it): the endpoints, numbers in each gap, and all that might be an endpoint instead."""
    dice = random.Random(0)
    for index, end in enumerate(ends):
        yield 2 * index + 1, end
    for index, (low, high) in enumerate(pairwise(ends), start=1):
        for share in (0.001, 0.999, *(dice.random() for _ in range(30))):
            yield 2 * index, low + (high - low) * mpmath.mpf(share)
    near = [mpmath.mpf(value.numerator) / value.denominator for value in constants]
    near += [mpmath.sqrt(value) for value in near if value > 0]
    for value in [*near, *ends]:
        for distance in (0, 0.001, 0.1, 1, 1000):
            for x in (value + distance, value - distance, -value + distance, -value - distance):
                yield _cell_of(x, ends), x
    for x in _line():
        yield _cell_of(x, ends), x


def _cell_of(x: Any, ends: list[Any]) -> int:
    for index, end in enumerate(ends):
        if abs(x - end) <= TOLERANCE * max(1, abs(end)):
            return 2 * index + 1
        if x < end:
            return 2 * index
    return 2 * len(ends)


def _members(family: Node) -> frozenset[int] | None:
    """Return the members of a family in a window, in units of 1e-20; None if it has other variables too."""
    members: set[int] = set()
    for expression in family.args:
        own = sorted(expression.symbols & set(family.value))
        if expression.symbols - _CONSTANTS - set(own) or len(own) > 1:
            return None
        for index in range(-_FAMILY_RANGE, _FAMILY_RANGE + 1) if own else (0,):
            value = evaluate(expression, {name: mpmath.mpf(index) for name in own})
            if not is_real(value):
                return None
            value = mpmath.re(value)
            if abs(value) <= _FAMILY_WINDOW:
                members.add(int(mpmath.nint(value * mpmath.mpf(10) ** 20)))
    return frozenset(members)
