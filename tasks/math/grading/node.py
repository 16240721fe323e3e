"""The one shape that everything read from an answer takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any


@dataclass(frozen=True, eq=False)
class Node:
    r"""A mathematical object: ``kind``, ``args``, and a ``value`` where the kind has one.

    Expressions: ``number`` and ``decimal`` (value: a Fraction; a decimal is written with a decimal mark and may
    be a rounded value), ``symbol`` (value: its name), ``+``, ``*``, ``inv`` (one over), ``^``, ``neg``, ``pm``
    (value: 1 for ±, -1 for ∓), ``call`` (value: the function's name), ``degree``, ``big`` (value: sum or prod;
    args: body, variable, first, last), ``matrix`` of ``row``.

    Answers: ``list`` (unordered), ``parts`` (of a problem, ordered), ``named`` (a system of assignments; value:
    the names), ``bracket`` (value: its two brackets), ``set``, ``union``, ``intersection``, ``difference``,
    ``relation`` (value: the signs), ``all``, ``any`` and ``conditions`` (of relations), ``in``, ``constant``
    (value: R, Z, empty, …), ``family`` (args: expressions; value: the integer variables), ``quantity`` (value: a
    `Unit`), ``ratio`` (of three numbers or more), ``time`` (value: hours and minutes), ``text`` (value: the
    words), ``ellipsis``. Beside a part of an answer ``words`` may hold what else its text says (`deciding.Words`).
    """

    kind: str
    args: tuple[Node, ...] = ()
    value: Any = None
    words: Any = None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """The same for expressions that differ only in the order of sums, products and sets."""
        keys = [arg.key for arg in self.args]
        if self.kind in _UNORDERED:
            keys.sort(key=repr)
        kind = "number" if self.kind == "decimal" else self.kind
        return (kind, self.value, *keys)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names of the free variables."""
        if self.kind == "symbol":
            return frozenset([self.value])
        if self.kind == "big":
            body, variable, first, last = self.args
            return (body.symbols - variable.symbols) | first.symbols | last.symbols
        return frozenset().union(*(arg.symbols for arg in self.args))

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of this and of everything inside."""
        return frozenset([self.kind]).union(*[arg.kinds for arg in self.args])

    def has(self, *kinds: str) -> bool:
        """Whether this or anything inside is of one of these kinds."""
        return not self.kinds.isdisjoint(kinds)


_UNORDERED = frozenset({"+", "*", "list", "set", "union", "intersection"})


def number(value: Fraction | int) -> Node:
    """Make an exact number."""
    return Node("number", (), Fraction(value))


def symbol(name: str) -> Node:
    """Make a variable."""
    return Node("symbol", (), name)


def call(name: str, *args: Node) -> Node:
    """Make a function of its arguments."""
    return Node("call", args, name)


def rough(node: Node) -> Fraction | None:
    """Return about what a constant is worth; None for what is not made of numbers, π, e and powers."""
    try:
        return Fraction(_rough(node))
    except (ArithmeticError, TypeError, ValueError):
        return None


def _rough(node: Node) -> float:
    if node.kind in ("number", "decimal"):
        return float(node.value)
    if node.kind == "symbol":
        return {"pi": math.pi, "e": math.e}.get(node.value, math.nan)
    values = [_rough(arg) for arg in node.args]
    if node.kind == "+":
        return sum(values)
    if node.kind == "*":
        return math.prod(values)
    if node.kind == "^":
        return math.pow(*values)
    return -values[0] if node.kind == "neg" else 1 / values[0] if node.kind == "inv" else math.nan


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """Return the object with other names for its variables."""
    if node.kind == "symbol":
        return symbol(names.get(node.value, node.value))
    return replace(node, args=tuple(renamed(arg, names) for arg in node.args)) if node.args else node
