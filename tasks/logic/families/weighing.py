"""Weighing: a false coin found from weighings already made, and weights found from totals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ...random import Dice
from ..answers import Answer, integer, items
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import listed, plural

Forms = tuple[str, str, str]
"""A noun after 1, 2 and 5; the second is also its genitive."""

_COINS: Final[dict[Split, tuple[Forms, ...]]] = {
    "train": (("монета", "монеты", "монет"), ("бусина", "бусины", "бусин")),
    "test": (("шарик", "шарика", "шариков"), ("слиток", "слитка", "слитков")),
}
_GOODS: Final[dict[Split, tuple[tuple[Forms, str], ...]]] = {
    "train": (
        (("яблоко", "яблока", "яблок"), "одно яблоко"),
        (("апельсин", "апельсина", "апельсинов"), "один апельсин"),
        (("лимон", "лимона", "лимонов"), "один лимон"),
        (("слива", "сливы", "слив"), "одна слива"),
    ),
    "test": (
        (("кубик", "кубика", "кубиков"), "один кубик"),
        (("шайба", "шайбы", "шайб"), "одна шайба"),
        (("катушка", "катушки", "катушек"), "одна катушка"),
        (("болт", "болта", "болтов"), "один болт"),
    ),
}
_SIZES: Final = {1: 4, 2: 6, 3: 8, 4: 10, 5: 12}
_UNITS: Final = ("г", "грамм", "грамма", "граммов", "гр")


@dataclass(frozen=True, slots=True)
class Coins:
    """``count`` coins, one of them false; weighings are (left pan, right pan, which is heavier: −1, 0 or 1).

    ``signs`` are the ways in which the false one may differ: 1 for heavier, −1 for lighter.
    """

    count: int
    signs: tuple[int, ...]
    weighings: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Each row is how many of each thing lie on the scales, and what they weigh together, in grams.

    The weight of thing ``asked`` is wanted.
    """

    rows: tuple[tuple[tuple[int, ...], int], ...]
    asked: int


def solve(facts: Coins | Totals) -> list[tuple[int, ...]]:
    """Return each false coin and sign that fits, having tried all; or the weights, by elimination.

    Linear equations of full rank have one solution at most; of a lower rank, none is returned.
    """
    if isinstance(facts, Totals):
        return _eliminate(facts)
    return [
        (coin, sign)
        for coin in range(1, facts.count + 1)
        for sign in facts.signs
        if all(_tilt(left, right, coin, sign) == result for left, right, result in facts.weighings)
    ]


def answer(facts: Coins | Totals, solution: tuple[int, ...]) -> Answer:
    """Return the coin's number, with «легче» or «тяжелее» where that is asked, or a weight in grams."""
    if isinstance(facts, Totals):
        return integer(solution[facts.asked], units=_UNITS)
    coin, sign = solution
    words = [forms[0] for nouns in _COINS.values() for forms in nouns]
    if len(facts.signs) == 1:
        return items("set", [str(coin)], ignored=[*words, "номер"])
    lighter = dict.fromkeys(("легкая", "легкий", "полегче"), "легче")
    heavier = dict.fromkeys(("тяжелая", "тяжелый", "потяжелее"), "тяжелее")
    label = "тяжелее" if sign > 0 else "легче"
    return items(
        "set", [str(coin), label], aliases=lighter | heavier, ignored=[*words, "номер", "она", "он", "остальных"]
    )


def _tilt(left: tuple[int, ...], right: tuple[int, ...], coin: int, sign: int) -> int:
    """Return −1 when the left pan is heavier, 1 when the right one is, 0 when they balance."""
    return sign * ((coin in right) - (coin in left))


def _eliminate(facts: Totals) -> list[tuple[int, ...]]:
    """Return the positive whole weights that fit all rows, if the rows leave just one; Gauss's elimination."""
    unknowns = len(facts.rows[0][0])
    rows = [[Fraction(value) for value in (*counts, total)] for counts, total in facts.rows]
    for column in range(unknowns):
        pivot = next((row for row in rows[column:] if row[column]), None)
        if pivot is None:
            return []
        rows.remove(pivot)
        pivot = [value / pivot[column] for value in pivot]
        rows = [[a - row[column] * b for a, b in zip(row, pivot, strict=True)] for row in rows]
        rows.insert(column, pivot)
    weights = [row[-1] for row in rows[:unknowns]]
    fits = all(row[-1] == 0 for row in rows[unknowns:]) and all(w > 0 and w.denominator == 1 for w in weights)
    return [tuple(int(weight) for weight in weights)] if fits else []


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw a false coin or a set of totals."""
    return _coins(dice, difficulty, split) if dice.below(2) else _totals(dice, difficulty, split)


def _coins(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    noun = dice.pick(_COINS[split])
    count = _SIZES[difficulty]
    signs = (dice.pick((-1, 1)),) if difficulty < 3 else (-1, 1)
    coin, sign = 1 + dice.below(count), dice.pick(signs)
    weighings: list[tuple[tuple[int, ...], tuple[int, ...], int]] = []
    facts = Coins(count, signs, ())
    while len(solve(facts)) > 1:
        pan = 1 + dice.below(count // 2)
        order = dice.shuffled(range(1, count + 1))
        left, right = tuple(sorted(order[:pan])), tuple(sorted(order[pan : 2 * pan]))
        more = Coins(count, signs, (*weighings, (left, right, _tilt(left, right, coin, sign))))
        if len(solve(more)) < len(solve(facts)):
            facts, weighings = more, list(more.weighings)
    options = (*(str(number) for number in range(1, count + 1)), "легче", "тяжелее")
    return Puzzle(_coins_text(facts, noun), answer(facts, (coin, sign)), facts, options, frozenset({noun[0]}))


def _totals(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    goods = dice.shuffled(_GOODS[split])[: 2 + difficulty // 2]
    while True:
        weights = tuple(10 * (2 + dice.below(30)) for _ in goods)
        rows: list[tuple[tuple[int, ...], int]] = []
        for _ in goods:
            counts = tuple(dice.below(5) for _ in goods)
            rows.append((counts, sum(number * weight for number, weight in zip(counts, weights, strict=True))))
        facts = Totals(tuple(rows), dice.below(len(goods)))
        several = all(sum(number > 0 for number in counts) > 1 for counts, _ in rows)
        if several and len(set(rows)) == len(rows) and solve(facts) == [weights]:
            break
    options = tuple(str(weight) for weight in weights)
    used = frozenset(forms[0] for forms, _ in goods)
    return Puzzle(_totals_text(facts, goods), answer(facts, weights), facts, options, used)


def _coins_text(facts: Coins, noun: Forms) -> str:
    one, genitive, _ = noun
    feminine = one.endswith("а")
    pronoun, false, odd = ("она", "фальшивой", "одной") if feminine else ("он", "фальшивого", "одного")
    if len(facts.signs) == 1:
        difference = f"{pronoun} {'тяжелее' if facts.signs[0] > 0 else 'легче'} остальных"
        question, what = f"Назовите номер {false} {genitive}.", "номер"
    else:
        difference = f"неизвестно, легче {pronoun} остальных или тяжелее"
        question = f"Назовите номер {false} {genitive} и скажите, легче {pronoun} остальных или тяжелее."
        what = "номер, легче» или «Ответ: номер, тяжелее"
    lines = [
        f"Есть {facts.count} {plural(facts.count, noun)} с номерами от 1 до {facts.count}. Все они весят "
        f"одинаково, кроме {odd}, {false}: {difference}. На чашечных весах провели взвешивания:"
    ]
    for place, (left, right, result) in enumerate(facts.weighings, 1):
        outcome = {-1: "левая чаша тяжелее", 0: "весы в равновесии", 1: "правая чаша тяжелее"}[result]
        lines.append(f"{place}) слева {_numbers(left)}, справа {_numbers(right)}: {outcome}.")
    return "\n".join([*lines, question, last_line(what)])


def _numbers(numbers: tuple[int, ...]) -> str:
    return ("№ " if len(numbers) == 1 else "№№ ") + listed([str(number) for number in numbers])


def _totals_text(facts: Totals, goods: list[tuple[Forms, str]]) -> str:
    lines = ["Одинаковые предметы весят одинаково. Вот показания весов:"]
    for counts, total in facts.rows:
        things = [f"{n} {plural(n, forms)}" for n, (forms, _) in zip(counts, goods, strict=True) if n]
        lines.append(f"— {listed(things)} весят вместе {total} г;")
    lines[-1] = lines[-1][:-1] + "."
    lines.append(f"Сколько граммов весит {goods[facts.asked][1]}?")
    lines.append(last_line("число"))
    return "\n".join(lines)


FAMILY = Family("weighing", "Взвешивания", generate, solve, answer)
