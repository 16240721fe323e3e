"""Whether an answer means the same as the gold answer: structures part by part, values by an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from ..limits import ITEMS
from ..node import Node, number, renamed, symbol
from ..reading.answers import assigned_name, name_of, value_of
from ..reading.deciding import agree, told_apart
from ..reading.units import Unit
from ..reading.words import FUNCTIONS
from ..verdict import NoAnswer, Undecided, Unreadable
from .exact import exact
from .oracle import Oracle
from .regions import is_region, region_of, same_regions

_UNKNOWNS = frozenset("xyzabcnmkpqtuvw")
_FAMILY_VARIABLES = frozenset("nkmlt")
_INTEGRATION = frozenset(["C", "c", "C_1", "C_0", "const"])
_NAMED_FUNCTIONS = frozenset(FUNCTIONS.values())
_RADIANS = Node("*", (symbol("pi"), number(Fraction(1, 180))))
_HUNDREDTH = number(Fraction(1, 100))


def same(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Whether two answers mean the same.

    Raises:
        Undecided: the oracle cannot tell.
        TooLarge: a value is beyond the limits.
    """
    if gold.has("ellipsis") or answer.has("ellipsis"):
        return False
    if gold.words or answer.words:
        alike = agree(gold.words, answer.words, named=not gold.has("number", "decimal"))
        if alike is None:
            raise NoAnswer("words that may change the meaning")
        if not alike:
            return False
    gold, answer = _spread(gold), _spread(answer)
    if gold.kind != "list" and gold.key == answer.key:
        return True
    if answer.kind == "parts" and gold.kind == "list":
        answer = _spread(Node("list", answer.args))
    if "parts" in (gold.kind, answer.kind):
        return gold.kind == answer.kind and _same_rows(gold.args, answer.args, oracle)
    if "family" in (gold.kind, answer.kind) or ("list" in (gold.kind, answer.kind) and _is_periodic(gold, answer)):
        return _same_families(gold, answer, oracle)
    if "text" in (gold.kind, answer.kind):
        return gold.kind == answer.kind and bool(gold.value == answer.value)
    if _is_empty(gold) or _is_empty(answer):
        return _is_empty(gold) and _is_empty(answer)
    if "named" in (gold.kind, answer.kind):
        return _same_points(gold, answer, oracle)
    if is_region(gold) or is_region(answer):
        return _same_regions(gold, answer, oracle)
    if "list" in (gold.kind, answer.kind):
        return _same_lists(gold, answer, oracle)
    if gold.kind == "relation" or answer.kind == "relation":
        return _same_equations(gold, answer, oracle)
    if "constant" in (gold.kind, answer.kind):
        return False
    return _same_values(gold, answer, oracle)


def _spread(node: Node) -> Node:
    """Write ± as two values, sets and membership as lists, a list of one as that one."""
    if node.kind == "in":
        return _spread(node.args[1])
    if node.kind == "relation" and node.value == ("=",) and node.args[1].has("pm"):
        node = node.args[1]
    if node.kind in ("set", "list"):
        values = [value for arg in node.args for value in _both_signs(value_of(arg))]
        return values[0] if len(values) == 1 and node.kind == "list" else Node("list", tuple(values), node.kind)
    if node.kind == "family":
        return Node("family", tuple(value for arg in node.args for value in _both_signs(arg)), node.value)
    if node.kind == "bracket" and all(assigned_name(arg) for arg in node.args) and node.args:
        return Node("named", node.args, tuple(str(assigned_name(arg)) for arg in node.args))
    if node.has("pm"):
        return Node("list", tuple(_both_signs(node)))
    return node


def _both_signs(node: Node) -> list[Node]:
    return [_signed(node, 1), _signed(node, -1)] if node.has("pm") else [node]


def _signed(node: Node, sign: int) -> Node:
    if node.kind == "pm":
        inside = _signed(node.args[0], sign)
        return inside if sign == node.value else Node("neg", (inside,))
    return Node(node.kind, tuple(_signed(arg, sign) for arg in node.args), node.value) if node.args else node


def _is_empty(node: Node) -> bool:
    return (node.kind == "constant" and node.value == "empty") or (node.kind == "list" and not node.args)


def _same_lists(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare as sets: each element of one has its like in the other."""
    if gold.kind == "bracket" and len(gold.args) > 2 and gold.value == "()" and answer.value != "set":
        return _same_rows(gold.args, answer.args, oracle)
    golds = _distinct(gold.args if gold.kind == "list" else (gold,), ITEMS, oracle)
    answers = _distinct(answer.args if answer.kind == "list" else (answer,), len(golds), oracle)
    if len(golds) != len(answers):
        return False
    if any(item.words for item in golds):
        return _same_things(golds, answers, oracle)
    left = {other.key: other for other in answers}
    for item in golds:
        if left.pop(item.key, None) is None:
            match = next((key for key, other in left.items() if same(item, other, oracle)), None)
            if match is None:
                return False
            del left[match]
    return True


def _same_things(golds: Sequence[Node], answers: Sequence[Node], oracle: Oracle) -> bool:
    """Compare parts that words tell apart: ``5 red and 3 blue``; bare numbers count in the same order."""
    if len(golds) > 1 and not any(item.words for item in answers):
        return _same_rows([replace(item, words=None) for item in golds], answers, oracle)
    left = list(answers)
    for item in golds:
        match = next(
            (other for other in left if not told_apart(item.words, other.words) and same(item, other, oracle)), None
        )
        if match is None:
            return False
        left.remove(match)
    return True


def _distinct(nodes: Sequence[Node], most: int, oracle: Oracle) -> list[Node]:
    """Return the elements that differ from one another; no more of them than one above ``most``."""
    found: dict[tuple[object, object], Node] = {}
    for node in nodes:
        value = None if node.has("big") else exact(node)
        found.setdefault((node.key if value is None else value, node.words), node)
    distinct = [node for (value, _), node in found.items() if isinstance(value, Fraction)]
    rational = set(distinct)
    for node in found.values():
        if len(distinct) > most:
            break
        if node not in rational and not any(
            not told_apart(node.words, other.words) and _surely_same(node, other, oracle) for other in distinct
        ):
            distinct.append(node)
    return distinct


def _surely_same(first: Node, second: Node, oracle: Oracle) -> bool:
    try:
        return same(first, second, oracle)
    except Unreadable:
        return False


def _same_rows(golds: Sequence[Node], answers: Sequence[Node], oracle: Oracle) -> bool:
    return len(golds) == len(answers) and all(
        same(gold, answer, oracle) for gold, answer in zip(golds, answers, strict=True)
    )


def _same_points(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare systems of assignments with each other, with points, and with a list of values in their order."""
    if gold.kind == "list" or (answer.kind == "list" and answer.value == "set"):
        return False
    left, right = _coordinates(gold), _coordinates(answer)
    if left is None or right is None:
        return False
    if gold.kind == answer.kind == "named" and sorted(gold.value) != sorted(answer.value):
        return False
    return _same_rows(left, right, oracle)


def _coordinates(node: Node) -> list[Node] | None:
    """Return the values of a system in the order of its variables' names, or a point's coordinates."""
    if node.kind == "named":
        pairs = sorted(zip(node.value, map(value_of, node.args), strict=True), key=lambda pair: pair[0])
        return [value for _, value in pairs]
    if node.kind == "list" or (node.kind == "bracket" and node.value == "()"):
        return list(node.args)
    if node.kind == "relation" and node.args[1].kind == "bracket":
        return list(node.args[1].args)
    return None


def _same_regions(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare sets of real numbers; an inequality that is not of the form ``x < c`` is left to the oracle."""
    if gold.kind == "bracket" == answer.kind:
        if gold.value != answer.value and len(gold.args) == len(answer.args) == 2:
            return same_regions(region_of(gold), region_of(answer), oracle)
        return _same_rows(gold.args, answer.args, oracle)
    regions = [_region(node) for node in (gold, answer)]
    if regions[0] is not None and regions[1] is None and answer.has("relation"):
        raise NoAnswer("an inequality that is not solved")
    if regions[0] is not None and regions[1] is not None:
        return same_regions(regions[0], regions[1], oracle)
    if gold.kind == "relation" == answer.kind:
        return oracle.same_relation(gold, answer)
    if gold.kind == "relation" and regions[1] is not None:
        return oracle.same_region(gold, regions[1])
    if answer.kind == "relation" and regions[0] is not None:
        return oracle.same_region(answer, regions[0])
    return False


def _region(node: Node) -> Node | None:
    try:
        return region_of(node)
    except (Unreadable, Undecided):
        return None


def _same_equations(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare equations, assignments (``x = 2``) and bare values."""
    names = assigned_name(gold), assigned_name(answer)
    if gold.kind == "relation" == answer.kind:
        answer = _with_arguments_of(gold, answer)
        if names[0] and names[1]:
            if names[0] != names[1] and (names[0] in _UNKNOWNS and names[1] in _UNKNOWNS):
                return False
            if names[0].count("'") != names[1].count("'"):
                return False
            if same(gold.args[1], answer.args[1], oracle):
                return True
            if names[0] == names[1]:
                return False
        if names[0] and not names[1] and not _free(gold.args[-1]):
            if not _states_a_value(answer):
                raise NoAnswer("an equation that is not solved")
            return same(gold.args[-1], answer.args[-1], oracle)
        if gold.args[-1].kind == "bracket":
            return same(value_of(gold), value_of(answer), oracle)
        return oracle.same_relation(gold, answer)
    if gold.kind == "relation":
        return names[0] is not None and same(gold.args[1], answer, oracle)
    if names[1] is not None or _states_a_value(answer):
        left = answer.args[0]
        if not _free(left) and _is_computable(left) and not same(left, answer.args[-1], oracle):
            raise NoAnswer("an equation that does not hold")
        return same(gold, answer.args[-1], oracle)
    return False


def _with_arguments_of(gold: Node, answer: Node) -> Node:
    """Rename the variables of ``f(x) = x + 1`` when the gold answer is about ``f(n)``."""
    left, right = gold.args[0], answer.args[0]
    same_function = (
        left.kind == right.kind == "call" and left.value == right.value and len(left.args) == len(right.args)
    )
    if not same_function or any(arg.kind != "symbol" for arg in (*left.args, *right.args)):
        return answer
    return renamed(answer, {old.value: new.value for old, new in zip(right.args, left.args, strict=True)})


def _states_a_value(equation: Node) -> bool:
    """Whether an equation gives the value of its left side: ``2 + 3 = 5``, ``x + y = 7``, but not ``2x = 4``."""
    if equation.value != ("=",) or equation.args[-1].symbols - {"pi", "e", "i"}:
        return False
    left = equation.args[0]
    unknowns = left.symbols - {"pi", "e", "i"}
    if (
        left.kind == "call"
        and len(unknowns) == 1
        and any(arg.symbols and name_of(arg) is None for arg in left.args)
    ):
        return len(left.value.partition("_")[0].rstrip("'*")) == 1
    return len(unknowns) != 1 or left.kind in ("call", "bracket") or left.has("call") or name_of(left) is not None


def _same_values(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare values and quantities, points, matrices, times."""
    kinds = (gold.kind, answer.kind)
    if "time" in kinds:
        return _same_times(gold, answer, oracle)
    if "ratio" in kinds:
        return kinds == ("ratio", "ratio") and _same_ratios(gold.args, answer.args, oracle)
    if "quantity" in kinds:
        return _same_quantities(gold, answer, oracle)
    if kinds == ("bracket", "bracket"):
        alike = gold.value == answer.value or len(gold.args) > 2
        return alike and _same_rows(gold.args, answer.args, oracle)
    if kinds == ("matrix", "matrix"):
        return len(gold.args) == len(answer.args) and all(
            _same_rows(first.args, second.args, oracle)
            for first, second in zip(gold.args, answer.args, strict=True)
        )
    if "bracket" in kinds:
        vector = gold if answer.kind == "bracket" else answer
        point = answer if answer.kind == "bracket" else gold
        return vector.kind == "matrix" and _same_rows(_entries(vector), point.args, oracle)
    if gold.has("bracket", "set", "relation", "constant") or answer.has("bracket", "set", "relation", "constant"):
        return False
    if _is_arithmetic(gold) and not gold.has("+") and _is_left_to_work_out(answer):
        raise NoAnswer("an expression that is not worked out")
    return oracle.equal(gold, _with_constant_of(gold, answer))


def _is_left_to_work_out(node: Node) -> bool:
    """Whether this is arithmetic with more than one step of school: ``1,29 · 17,8 + 140,07 : 16,1``."""
    return not _free(node) and node.has("+", "decimal") and _is_arithmetic(node) and _steps(node) > 0


def _is_computable(node: Node) -> bool:
    """Whether this has a value of its own, as ``f(3)`` has not."""
    known = node.kind in ("number", "decimal", "symbol", "neg", "+", "*", "inv", "^", "quantity", "degree")
    named = node.kind == "call" and (node.value in _NAMED_FUNCTIONS or node.value in ("factorial", "binomial"))
    return (known or named) and all(map(_is_computable, node.args))


def _is_arithmetic(node: Node) -> bool:
    return node.kind in ("number", "decimal", "neg", "+", "*", "inv") and all(map(_is_arithmetic, node.args))


def _steps(node: Node) -> int:
    """Count the additions, and the products of decimals."""
    decimals = sum(arg.has("decimal") for arg in node.args) if node.kind == "*" else 0
    return (node.kind == "+") + (decimals > 1) + sum(map(_steps, node.args))


def _free(node: Node) -> bool:
    return bool(node.symbols - {"pi", "e", "i"})


def _same_ratios(golds: Sequence[Node], answers: Sequence[Node], oracle: Oracle) -> bool:
    """Compare ``3:4:5`` with ``6:8:10``: each number times the other's first one."""
    return len(golds) == len(answers) and all(
        oracle.equal(Node("*", (gold, answers[0])), Node("*", (answer, golds[0])))
        for gold, answer in zip(golds, answers, strict=True)
    )


def _with_constant_of(gold: Node, answer: Node) -> Node:
    """Give the constant of integration the gold answer's name for it: ``x^2 + c`` for ``x^2 + C``."""
    ours, theirs = _constant_of(gold), _constant_of(answer)
    if not ours or not theirs or ours == theirs or theirs in gold.symbols or ours in answer.symbols:
        return answer
    return renamed(answer, {theirs: ours})


def _constant_of(node: Node) -> str:
    """Return the name of the constant that is added once and stands nowhere else; empty if there is none."""
    if node.kind != "+":
        return ""
    names = [arg.value for arg in node.args if arg.kind == "symbol" and arg.value in _INTEGRATION]
    return names[0] if len(names) == 1 and sum(names[0] in arg.symbols for arg in node.args) == 1 else ""


def _entries(matrix: Node) -> Sequence[Node]:
    """Return the entries of a row or column vector; nothing for any other matrix."""
    if len(matrix.args) == 1:
        return matrix.args[0].args
    return [row.args[0] for row in matrix.args] if len(matrix.args[0].args) == 1 else ()


def _same_times(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare ``12:30`` with a time, with hours and minutes, or (as a ratio) with a number."""
    if gold.kind == answer.kind:
        return bool(gold.value == answer.value)
    clock, other = (gold, answer) if gold.kind == "time" else (answer, gold)
    hours, minutes = clock.value
    if other.kind == "quantity":
        seconds = Node("quantity", (number(hours * 3600 + minutes * 60),), Unit(Fraction(1), (("time", 1),)))
        return other.value.dimension is not None and _same_quantities(seconds, other, oracle)
    return minutes != 0 and oracle.equal(number(Fraction(hours, minutes)), other)


def _same_quantities(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare values with units; a unit that one side leaves out is taken to be the other's."""
    (value, unit), (other, other_unit) = _parts(gold), _parts(answer)
    if unit.dimension and other_unit.dimension:
        if unit.dimension != other_unit.dimension:
            return False
        if unit.factor == other_unit.factor:
            return same(value, other, oracle)
        return same(_scaled(value, unit.factor), _scaled(other, other_unit.factor), oracle)
    if None in (unit.dimension, other_unit.dimension) and (_measures(unit) or _measures(other_unit)):
        return False
    if same(value, other, oracle):
        return True
    known, constant = (unit, value) if unit.dimension else (other_unit, other)
    plain = other if unit.dimension else value
    if known.dimension == (("percent", 1),):
        return same(Node("*", (constant, _HUNDREDTH)), plain, oracle)
    if known.dimension == (("angle", 1),) and plain.has("symbol"):
        return same(Node("*", (constant, _RADIANS)), plain, oracle)
    return False


def _measures(unit: Unit) -> bool:
    """Whether this is a physical unit, a currency or the like, and not «раза больше»."""
    return bool(unit.dimension) and unit.dimension not in ((("more", 1),), (("less", 1),))


def _parts(node: Node) -> tuple[Node, Unit]:
    return (node.args[0], node.value) if node.kind == "quantity" else (node, Unit())


def _scaled(node: Node, factor: Fraction) -> Node:
    """Multiply a value by a unit's factor; what is written as a decimal stays one."""
    if node.kind in ("number", "decimal"):
        return Node(node.kind, (), node.value * factor)
    return Node("*", (node, number(factor)))


def _same_families(gold: Node, answer: Node, oracle: Oracle) -> bool:
    """Compare ``πn, n ∈ Z`` with another family, or with an expression in one such variable."""
    families = [_as_family(gold), _as_family(answer)]
    return families[0] is not None and families[1] is not None and oracle.same_family(families[0], families[1])


def _is_periodic(*nodes: Node) -> bool:
    """Whether these are series of angles like ``π/6 + 2πn``, with one letter besides π."""
    return all(
        "pi" in node.symbols and node.symbols - {"pi"} <= _FAMILY_VARIABLES and len(node.symbols) == 2
        for node in nodes
    )


def _as_family(node: Node) -> Node | None:
    if node.kind == "family":
        return node
    parts = [value_of(part) for part in (node.args if node.kind == "list" else (node,))]
    variables = frozenset().union(*(part.symbols for part in parts)) & _FAMILY_VARIABLES
    return Node("family", tuple(parts), tuple(sorted(variables))) if variables else None
