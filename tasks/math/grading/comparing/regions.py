"""Sets of real numbers: unions of intervals and points, compared by the cells that their endpoints cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cmp_to_key

from ..limits import ITEMS
from ..node import Node, symbol
from ..verdict import TooLarge, Undecided, Unreadable
from .oracle import Oracle

REAL_LINE = Node("bracket", (Node("neg", (symbol("oo"),)), symbol("oo")), "()")
_LOWER = {">": "(", ">=": "["}
_UPPER = {"<": ")", "<=": "]"}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "~": "~"}
_EMPTY = Node("union")


def is_region(node: Node) -> bool:
    """Whether this can only be a set of real numbers (a pair in round brackets may also be a point)."""
    if node.kind == "bracket":
        mixed = node.value != "()" and len(node.args) == 2
        return mixed or any(_infinite(arg) for arg in node.args)
    if node.kind in ("union", "intersection", "difference", "all", "any", "conditions"):
        return True
    if node.kind == "relation":
        return any(sign not in ("=", "~") for sign in node.value)
    return node.kind == "constant" and node.value == "R"


def _infinite(node: Node) -> bool:
    inside = node.args[0] if node.kind in ("neg", "pm") and node.args else node
    return inside.kind == "symbol" and inside.value == "oo"


def region_of(node: Node) -> Node:
    """Return the set as unions, intersections and differences of brackets and sets.

    Raises:
        Unreadable: it is no set of real numbers.
        Undecided: it is an inequality that has to be solved first.
    """
    kind = node.kind
    if kind == "bracket" and len(node.args) == 2:
        return node
    if kind in ("set", "list"):
        if node.args and all(arg.kind == "bracket" for arg in node.args):
            return Node("union", tuple(map(region_of, node.args)))
        if any(map(_infinite, node.args)):
            raise Unreadable("infinity among the points of a set")
        return Node("set", node.args)
    if kind in ("union", "intersection", "difference"):
        return Node(kind, tuple(map(region_of, node.args)))
    if kind == "constant" and node.value in ("R", "empty"):
        return REAL_LINE if node.value == "R" else _EMPTY
    if kind == "in":
        return region_of(node.args[1])
    if kind == "relation":
        return _of_relation(node)
    if kind in ("all", "any", "conditions"):
        return Node({"all": "intersection", "any": "union"}.get(kind, kind), tuple(map(region_of, node.args)))
    raise Unreadable("not a set of real numbers")


def _of_relation(node: Node) -> Node:
    """Turn ``x > 2``, ``1 <= x < 3``, ``x != 0`` into intervals."""
    if len(node.args) == 2 and node.args[0].kind == "neg" and node.args[0].args[0].kind == "symbol":
        # -x < 2 is x > -2.
        sides = (node.args[0].args[0], Node("neg", (node.args[1],)))
        node = Node("relation", sides, (_MIRRORED[node.value[0]],))
    if len(node.args) == 2 and node.args[0].kind == "call" and node.args[0].value == "abs":
        return _of_absolute(node)
    position = next((index for index, arg in enumerate(node.args) if arg.kind == "symbol" and arg.symbols), -1)
    others = [arg for index, arg in enumerate(node.args) if index != position]
    if position < 0 or len(node.args) > 3 or any(_free(arg) for arg in others):
        raise Undecided
    parts = []
    for index, sign in enumerate(node.value):
        if position not in (index, index + 1):
            raise Undecided
        left = position == index
        parts.append(_half_line(sign if left else _MIRRORED[sign], node.args[index + 1 if left else index]))
    return parts[0] if len(parts) == 1 else Node("intersection", tuple(parts))


def _of_absolute(node: Node) -> Node:
    """Turn ``|x| < 2`` into an interval; the value of anything else than a lone letter has to be solved for."""
    inside, sign, bound = node.args[0].args[0], node.value[0], node.args[1]
    if inside.kind != "symbol" or _free(bound) or sign not in (*_LOWER, *_UPPER):
        raise Undecided
    ends = (_half_line(sign, bound), _half_line(_MIRRORED[sign], Node("neg", (bound,))))
    return Node("intersection" if sign in _UPPER else "union", ends)


def _free(node: Node) -> bool:
    return bool(node.symbols - {"pi", "e", "oo"})


def _half_line(sign: str, bound: Node) -> Node:
    infinity = symbol("oo")
    if sign in _LOWER:
        return Node("bracket", (bound, infinity), _LOWER[sign] + ")")
    if sign in _UPPER:
        return Node("bracket", (Node("neg", (infinity,)), bound), "(" + _UPPER[sign])
    point = Node("set", (bound,))
    return Node("difference", (REAL_LINE, point)) if sign == "!=" else point


def same_regions(first: Node, second: Node, oracle: Oracle) -> bool:
    """Whether two results of `region_of` are the same set.

    All endpoints, put in order, cut the line into points and gaps; each set is the cells that it covers.
    """
    ranks = ranked([*ends_of(first), *ends_of(second)], oracle)
    if _has_backward(first, ranks) or _has_backward(second, ranks):
        return False
    return cells(first, ranks) == cells(second, ranks)


def _has_backward(node: Node, ranks: Mapping[Node, int]) -> bool:
    """Whether there is a pair like ``(2; 1)``, which is a point or a mistake, but no interval."""
    if node.kind == "bracket":
        low, high = node.args
        return low in ranks and high in ranks and ranks[low] > ranks[high]
    return any(_has_backward(arg, ranks) for arg in node.args)


def ends_of(node: Node) -> Iterator[Node]:
    """Yield the finite endpoints and the points of a result of `region_of`."""
    if node.kind in ("bracket", "set"):
        yield from (arg for arg in node.args if not _infinite(arg))
    else:
        for arg in node.args:
            yield from ends_of(arg)


def ranked(ends: Sequence[Node], oracle: Oracle) -> dict[Node, int]:
    """Return the place of each constant among the distinct ones in increasing order, in that order.

    Raises:
        TooLarge: there are more than `ITEMS` of them.
    """

    def order(first: Node, second: Node) -> int:
        return -1 if oracle.less(first, second) else 1 if oracle.less(second, first) else 0

    if len(ends) > 2 * ITEMS:
        raise TooLarge(f"more than {ITEMS} intervals")
    ranks: dict[Node, int] = {}
    last: Node | None = None
    for end in sorted(ends, key=cmp_to_key(order)):
        ranks[end] = 0 if last is None else ranks[last] + oracle.less(last, end)
        last = end
    return ranks


def cells(node: Node, ranks: Mapping[Node, int]) -> frozenset[int]:
    """Return the cells that a set covers: 2i + 1 is the i-th endpoint, 2i the gap below it."""
    if node.kind == "bracket":
        low, high = node.args
        last_cell = 2 * (max(ranks.values(), default=-1) + 1)
        first = 0 if _infinite(low) else 2 * ranks[low] + (1 if node.value[0] == "[" else 2)
        last = last_cell if _infinite(high) else 2 * ranks[high] + (1 if node.value[1] == "]" else 0)
        return frozenset(range(first, last + 1))
    if node.kind == "set":
        return frozenset(2 * ranks[arg] + 1 for arg in node.args)
    parts = [cells(arg, ranks) for arg in node.args]
    if node.kind == "union" or not parts:
        return frozenset().union(*parts)
    together = parts[0].intersection(*parts[1:])
    if node.kind == "intersection":
        return together
    if node.kind == "conditions":
        # Listed without a word between them, conditions that exclude each other can only be alternatives.
        return together or frozenset().union(*parts)
    return parts[0] - parts[1]
