"""Who says whether two expressions are equal: exact arithmetic here, numbers with many digits in the worker."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from ..node import Node
from ..verdict import Undecided
from .exact import close, exact


class Oracle(Protocol):
    """Answers questions about values; any of them may raise `Undecided` or `TooLarge`."""

    precision: int | None

    def equal(self, first: Node, second: Node) -> bool:
        """Whether two expressions have the same value (for every value of their variables)."""
        ...

    def less(self, first: Node, second: Node) -> bool:
        """Whether a constant is less than another, not equal to it."""
        ...

    def same_relation(self, first: Node, second: Node) -> bool:
        """Whether two equations or inequalities say the same."""
        ...

    def same_region(self, relation: Node, region: Node) -> bool:
        """Whether an inequality in one variable holds exactly on a union of intervals."""
        ...

    def same_family(self, first: Node, second: Node) -> bool:
        """Whether two families over the integers have the same members."""
        ...


class ExactOracle:
    """Answers what rational arithmetic can; for all else it raises `Undecided`. Cheap, and safe in any thread."""

    def __init__(self, precision: int | None = None) -> None:
        self.precision = precision

    def equal(self, first: Node, second: Node) -> bool:
        """Compare rational numbers, and expressions written alike."""
        left, right = _rational(first), _rational(second)
        if left is not None and right is not None:
            return close(left, right, is_decimal(first) or is_decimal(second), self.precision)
        if first.key == second.key:
            return True
        raise Undecided

    def less(self, first: Node, second: Node) -> bool:
        """Order rational numbers."""
        left, right = _rational(first), _rational(second)
        if left is None or right is None:
            raise Undecided
        return left < right and not self.equal(first, second)

    def same_relation(self, first: Node, second: Node) -> bool:
        """Recognise relations written alike."""
        if first.key == second.key:
            return True
        raise Undecided

    def same_region(self, relation: Node, region: Node) -> bool:
        """Leave it to the worker."""
        raise Undecided

    def same_family(self, first: Node, second: Node) -> bool:
        """Leave it to the worker."""
        raise Undecided


def is_decimal(node: Node) -> bool:
    """Whether a number is written with decimals, so that it may be a rounded one."""
    return node.kind == "decimal" or (node.kind == "neg" and is_decimal(node.args[0]))


def _rational(node: Node) -> Fraction | None:
    if node.has("big"):
        raise Undecided
    return exact(node)
