"""Statements about each other: which lines of a numbered list are true."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from ...random import Dice
from ..answers import Answer, choice, items
from ..puzzle import Family, Puzzle, Split, last_line

_NUMBERS: Final[dict[Split, range]] = {"train": range(12, 60), "test": range(60, 120)}
_GENITIVES: Final = ("нуля", "одного", "двух", "трёх", "четырёх", "пяти", "шести", "семи")


@dataclass(frozen=True, slots=True)
class Facts:
    """The statements in their order: a kind and its arguments; statements are counted from 0."""

    statements: tuple[tuple[Any, ...], ...]


def holds(statement: tuple[Any, ...], true: tuple[bool, ...]) -> bool:
    """Say whether a statement is so when ``true`` tells which statements are."""
    match statement:
        case ("divisible", number, divisor):
            return bool(number % divisor == 0)
        case ("is", index, value):
            return true[index] is value
        case ("count", number):
            return bool(sum(true) == number)
        case ("at_least", number):
            return bool(sum(true) >= number)
        case ("same", one, other):
            return true[one] is true[other]
        case ("either", one, other):
            return bool(true[one] or true[other])
        case ("exactly_one", one, other):
            return true[one] is not true[other]
    raise ValueError(f"unknown statement {statement!r}")


def solve(facts: Facts) -> list[tuple[bool, ...]]:
    """Try the whole truth table: a line of it fits when each statement is as true as it says."""
    return [
        true
        for true in product((False, True), repeat=len(facts.statements))
        if all(holds(statement, true) is value for statement, value in zip(facts.statements, true, strict=True))
    ]


def answer(facts: Facts, solution: tuple[bool, ...]) -> Answer:
    """Return the numbers of the true statements, in any order."""
    numbers = [str(place) for place, true in enumerate(solution, 1) if true]
    if not numbers:
        return choice("нет", aliases=["ни одно", "таких нет", "никакие", "0"])
    return items("set", numbers, ignored=["утверждение", "утверждения"])


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw ``difficulty`` + 2 statements, one or two of them about a number."""
    count = difficulty + 2
    numbers = _NUMBERS[split]
    while True:
        factual = {0} if difficulty < 4 else {0, 1}
        statements = tuple(
            dice.shuffled([_statement(dice, place, count, numbers, place in factual) for place in range(count)])
        )
        facts = Facts(statements)
        alone = all(place not in statement[1:3] for place, statement in enumerate(statements) if _refers(statement))
        if alone and len(set(statements)) == count and len(solutions := solve(facts)) == 1:
            break
    drawn = [f"число {statement[1]}" for statement in statements if statement[0] == "divisible"]
    options = tuple(str(place) for place in range(1, count + 1))
    return Puzzle(_text(facts), answer(facts, solutions[0]), facts, options, frozenset(drawn))


def _refers(statement: tuple[Any, ...]) -> bool:
    return statement[0] in ("is", "same", "either", "exactly_one")


def _statement(dice: Dice, place: int, count: int, numbers: range, factual: bool) -> tuple[Any, ...]:
    if factual:
        return "divisible", dice.pick(numbers), 3 + dice.below(5)
    one, other = sorted(dice.shuffled(range(count))[:2])
    match dice.pick(("is", "is", "count", "at_least", "same", "either", "exactly_one")):
        case "is":
            return "is", one, dice.below(3) == 0
        case "count":
            return "count", 1 + dice.below(count - 1)
        case "at_least":
            return "at_least", 2 + dice.below(count - 2)
        case kind:
            return kind, one, other


def _text(facts: Facts) -> str:
    lines = ["Даны пронумерованные утверждения; каждое из них либо истинно, либо ложно."]
    lines += [f"{place}. {_words(statement)}" for place, statement in enumerate(facts.statements, 1)]
    lines.append(
        "Есть единственный способ назначить утверждениям истинность без противоречий. Какие утверждения истинны? "
        "Перечислите их номера через запятую; если таких нет, напишите «нет»."
    )
    lines.append(last_line("номера"))
    return "\n".join(lines)


def _words(statement: tuple[Any, ...]) -> str:
    match statement:
        case ("divisible", number, divisor):
            return f"Число {number} делится на {divisor} без остатка."
        case ("is", index, value):
            return f"Утверждение {index + 1} {'истинно' if value else 'ложно'}."
        case ("count", 1):
            return "В этом списке ровно одно истинное утверждение."
        case ("count", number):
            return f"В этом списке истинных утверждений ровно {number}."
        case ("at_least", number):
            return f"В этом списке не меньше {_GENITIVES[number]} истинных утверждений."
        case ("same", one, other):
            return f"Утверждения {one + 1} и {other + 1} либо оба истинны, либо оба ложны."
        case ("either", one, other):
            return f"Хотя бы одно из утверждений {one + 1} и {other + 1} истинно."
        case ("exactly_one", one, other):
            return f"Из утверждений {one + 1} и {other + 1} истинно ровно одно."
    raise ValueError(f"unknown statement {statement!r}")


FAMILY = Family("statements", "Утверждения друг о друге", generate, solve, answer)
