"""Ordering: who sits, stands or arrives where in a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from ...random import Dice
from ..answers import Answer, items
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import Person, listed, people, plural, sentence
from ..search import ConstraintProblem

Clue = tuple[str, int, int, int]
"""A kind, a person, another person (or the same where there is none), and a number (or 0)."""


@dataclass(frozen=True, slots=True)
class _Theme:
    """How a row of people is spoken of.

    The clues are templates over ``a`` and ``b`` (names), their cases ``a2``, ``a5``, ``b5_with`` (genitive,
    instrumental, instrumental with «с»), and ``n`` (a number) with ``things`` in the right form.
    """

    name: str
    intro: str
    clues: dict[str, str]
    things: tuple[str, str, str]
    question: str


_THEMES: Final[dict[Split, tuple[_Theme, ...]]] = {
    "train": (
        _Theme(
            "скамейка",
            "На скамейке в ряд сидят {names}. Места считаются слева направо.",
            {
                "before": "{a} сидит левее {b2}",
                "just_before": "{a} сидит сразу слева от {b2}",
                "next": "{a} сидит рядом {b5_with}",
                "gap": "между {a5} и {b5} сидит ровно {n} {things}",
                "at": "{a} сидит на {n}-м месте слева",
                "inside": "{a} сидит не с краю",
            },
            ("человек", "человека", "человек"),
            "Перечислите всех слева направо.",
        ),
        _Theme(
            "очередь",
            "В очереди в кассу друг за другом стоят {names}.",
            {
                "before": "{a} стоит ближе к кассе, чем {b}",
                "just_before": "{a} стоит прямо перед {b5}",
                "next": "{a} и {b} стоят на соседних местах",
                "gap": "между {a5} и {b5} стоит ровно {n} {things}",
                "at": "{a} стоит на {n}-м месте, считая от кассы",
                "inside": "{a} стоит не на первом и не на последнем месте",
            },
            ("человек", "человека", "человек"),
            "Перечислите всех по порядку, начиная с ближайшего к кассе.",
        ),
    ),
    "test": (
        _Theme(
            "забег",
            "В забеге участвуют {names}. Все приходят к финишу в разное время.",
            {
                "before": "{a} приходит к финишу раньше, чем {b}",
                "just_before": "{a} приходит к финишу непосредственно перед {b5}",
                "next": "{a} и {b} занимают соседние места",
                "gap": "между {a5} и {b5} к финишу приходит ровно {n} {things}",
                "at": "{a} занимает {n}-е место",
                "inside": "{a} занимает не первое и не последнее место",
            },
            ("участник", "участника", "участников"),
            "Перечислите всех по порядку от первого места до последнего.",
        ),
        _Theme(
            "этажи",
            "В доме, где этажей столько же, сколько жильцов, по одному на этаже живут {names}.",
            {
                "before": "{a} живёт ниже, чем {b}",
                "just_before": "{a} живёт ровно на один этаж ниже, чем {b}",
                "next": "{a} и {b} живут на соседних этажах",
                "gap": "между этажами {a2} и {b2} находится ровно {n} {things}",
                "at": "{a} живёт на {n}-м этаже",
                "inside": "{a} живёт не на первом и не на последнем этаже",
            },
            ("этаж", "этажа", "этажей"),
            "Перечислите всех по порядку от первого этажа до последнего.",
        ),
    ),
}

_KINDS: Final = {
    1: ("before", "just_before", "next", "at", "inside"),
    2: ("before", "just_before", "next", "gap", "at", "inside"),
    3: ("before", "next", "gap", "inside", "at"),
    4: ("before", "next", "gap", "inside"),
    5: ("before", "gap", "next", "inside"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Clues about the places (from 0) of the people."""

    names: tuple[str, ...]
    clues: tuple[Clue, ...]


def holds(clue: Clue, place: int, other: int, last: int) -> bool:
    """Say whether a clue holds for the places of its two people in a row whose last place is ``last``."""
    match clue[0]:
        case "before":
            return place < other
        case "just_before":
            return place + 1 == other
        case "next":
            return abs(place - other) == 1
        case "gap":
            return abs(place - other) == clue[3] + 1
        case "at":
            return place == clue[3] - 1
        case "inside":
            return 0 < place < last
    raise ValueError(f"unknown clue {clue!r}")


def solve(facts: Facts, limit: int | None = None) -> list[tuple[int, ...]]:
    """Return the places of the people in every order that fits the clues."""
    count = len(facts.names)
    problem = ConstraintProblem(count, count)
    problem.all_different(range(count))
    for clue in facts.clues:
        _, one, other, _ = clue
        if one == other:
            problem.restrict(one, partial(holds, clue, other=0, last=count - 1))
        else:
            problem.relate(one, other, partial(holds, clue, last=count - 1))
    return problem.solutions(limit)


def answer(facts: Facts, solution: tuple[int, ...]) -> Answer:
    """Return the names in the order of their places."""
    return items("sequence", [facts.names[solution.index(place)] for place in range(len(facts.names))])


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw an order of ``difficulty`` + 3 people and true clues, each of them needed, that leave no other."""
    theme = dice.pick(_THEMES[split])
    crowd = people(dice, split, difficulty + 3)
    names = tuple(person.name for person in crowd)
    places = dice.shuffled(range(len(crowd)))
    clues: list[Clue] = []
    while len(solve(Facts(names, tuple(clues)), 2)) > 1:
        clue = _clue(dice, places, dice.pick(_KINDS[difficulty]))
        if holds(clue, places[clue[1]], places[clue[2]], len(crowd) - 1) and clue not in clues:
            clues.append(clue)
    for clue in list(clues):
        fewer = [other for other in clues if other != clue]
        if len(solve(Facts(names, tuple(fewer)), 2)) == 1:
            clues = fewer
    facts = Facts(names, tuple(clues))
    used = frozenset((*names, theme.name))
    return Puzzle(_text(facts, crowd, theme), answer(facts, solve(facts)[0]), facts, names, used)


def _clue(dice: Dice, places: list[int], kind: str) -> Clue:
    """Draw a clue; one of an order or of neighbours may be false."""
    one, other = dice.shuffled(range(len(places)))[:2]
    match kind:
        case "at":
            return kind, one, one, places[one] + 1
        case "inside":
            return kind, one, one, 0
        case "gap":
            distance = abs(places[one] - places[other])
            return (kind, one, other, distance - 1) if distance > 1 else ("next", one, other, 0)
    return kind, one, other, 0


def _text(facts: Facts, crowd: list[Person], theme: _Theme) -> str:
    lines = [theme.intro.format(names=listed(facts.names)), "Известно, что:"]
    for place, (kind, one, other, number) in enumerate(facts.clues, 1):
        a, b = crowd[one], crowd[other]
        words = theme.clues[kind].format(
            a=a.name,
            a2=a.genitive,
            a5=a.instrumental,
            b=b.name,
            b2=b.genitive,
            b5=b.instrumental,
            b5_with=b.alongside,
            n=number,
            things=plural(number, theme.things),
        )
        lines.append(f"{place}) {sentence(words)}")
    lines.append(f"{theme.question} Имена пишите через запятую.")
    lines.append(last_line("имена через запятую"))
    return "\n".join(lines)


FAMILY = Family("ordering", "Порядок в ряду", generate, solve, answer)
