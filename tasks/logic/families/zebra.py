"""Zebra puzzles: who lives where, drinks what and keeps whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ...random import Dice
from ..answers import Answer, items
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import Person, people, sentence
from ..search import ConstraintProblem

Item = tuple[int, int]
"""A category and a value in it, both counted from 0; category 0 is the people."""


@dataclass(frozen=True, slots=True)
class _Category:
    """What people have one each of: a verb, its objects, what these are called alone, and all of them together.

    ``asked`` is the last in the accusative.
    """

    verb: str
    objects: tuple[str, ...]
    labels: tuple[str, ...]
    title: str
    asked: str


def _category(verb: str, objects: str, title: str, labels: str = "", asked: str = "") -> _Category:
    return _Category(
        verb, tuple(objects.split()), tuple((labels or objects).split()), title, asked or title.lower()
    )


_CATEGORIES: Final[dict[Split, tuple[_Category, ...]]] = {
    "train": (
        _category("пьёт", "чай кофе сок молоко какао", "Напитки"),
        _category(
            "держит",
            "кошку собаку попугая хомяка черепаху",
            "Животные",
            "кошка собака попугай хомяк черепаха",
            "животных",
        ),
        _category(
            "занимается",
            "плаванием борьбой лыжами теннисом гимнастикой",
            "Виды спорта",
            "плавание борьба лыжи теннис гимнастика",
        ),
        _category("ездит в", "Казань Самару Пермь Тулу Рязань", "Города", "Казань Самара Пермь Тула Рязань"),
    ),
    "test": (
        _category(
            "играет на", "скрипке гитаре флейте трубе арфе", "Инструменты", "скрипка гитара флейта труба арфа"
        ),
        _category("выращивает", "розы тюльпаны пионы астры георгины", "Цветы"),
        _category(
            "любит", "халву зефир мармелад пастилу шоколад", "Сладости", "халва зефир мармелад пастила шоколад"
        ),
        _category(
            "изучает",
            "историю химию ботанику геологию астрономию",
            "Науки",
            "история химия ботаника геология астрономия",
        ),
    ),
}
_PLACES: Final[dict[Split, tuple[str, str]]] = {
    "train": ("домах, стоящих в ряд вдоль улицы", "доме"),
    "test": ("комнатах, идущих в ряд вдоль коридора", "комнате"),
}
_NUMERALS: Final = {3: "трёх", 4: "четырёх", 5: "пяти"}
# Houses and categories beside the people.
_SIZES: Final = {1: (3, 1), 2: (3, 2), 3: (4, 2), 4: (4, 3), 5: (5, 3)}
_PLACED: Final = ("at", "not_at")
_WEAKNESS: Final = {"same": 40, "just_left": 0, "next": 0, "at": 80, "left": 60, "not_same": 80, "not_at": 80}


@dataclass(frozen=True, slots=True)
class Facts:
    """Clues over ``houses`` houses and so many ``categories`` of items; the ``asked`` category is the question's.

    ``labels[category][value]`` names an item.
    """

    houses: int
    categories: int
    clues: tuple[tuple[Any, ...], ...]
    asked: int
    labels: tuple[tuple[str, ...], ...]


def holds(kind: str, one: int, other: int) -> bool:
    """Say whether a clue holds between two positions, or between a position and a number."""
    match kind:
        case "same" | "at":
            return one == other
        case "not_same" | "not_at":
            return one != other
        case "left":
            return one < other
        case "just_left":
            return one + 1 == other
        case "next":
            return abs(one - other) == 1
    raise ValueError(f"unknown clue {kind!r}")


def solve(facts: Facts, limit: int | None = None) -> list[tuple[int, ...]]:
    """Return the positions of all items (category by category) in every arrangement that fits the clues."""
    problem = ConstraintProblem(facts.houses * facts.categories, facts.houses)
    for category in range(facts.categories):
        problem.all_different(range(category * facts.houses, (category + 1) * facts.houses))
    for kind, one, other in facts.clues:
        variable = one[0] * facts.houses + one[1]
        if kind in _PLACED:
            problem.restrict(variable, partial(holds, kind, other=other))
        else:
            problem.relate(variable, other[0] * facts.houses + other[1], partial(holds, kind))
    return problem.solutions(limit)


def answer(facts: Facts, solution: tuple[int, ...]) -> Answer:
    """Return the items of the category asked for, from left to right."""
    start = facts.asked * facts.houses
    labels = facts.labels[facts.asked]
    return items("sequence", [labels[solution.index(p, start) - start] for p in range(facts.houses)])


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw an arrangement, add true clues until it is the only solution, and remove redundant clues."""
    houses, others = _SIZES[difficulty]
    crowd = people(dice, split, houses)
    categories = dice.shuffled(_CATEGORIES[split])[:others]
    labels = [tuple(person.name for person in crowd)]
    phrases: list[tuple[str, ...]] = []
    for category in categories:
        chosen = dice.shuffled(range(len(category.objects)))[:houses]
        labels.append(tuple(category.labels[index] for index in chosen))
        phrases.append(tuple(f"{category.verb} {category.objects[index]}" for index in chosen))
    asked = dice.below(others + 1)
    truth = [dice.shuffled(range(houses)) for _ in range(others + 1)]
    facts = Facts(houses, others + 1, (), asked, tuple(labels))
    candidates = _by_strength(dice, _true_clues(truth, difficulty))
    clues = _needed(facts, candidates)
    facts = Facts(houses, others + 1, tuple(clues), asked, tuple(labels))
    texts = _Texts(split, crowd, phrases)
    question = "имена" if asked == 0 else categories[asked - 1].asked
    used = frozenset((*labels[0], *(category.verb for category in categories), _PLACES[split][1]))
    text = _text(facts, texts, [category.title for category in categories], question)
    return Puzzle(text, answer(facts, solve(facts)[0]), facts, labels[asked], used)


def _true_clues(truth: list[list[int]], difficulty: int) -> list[tuple[Any, ...]]:
    everything = [(category, value) for category in range(len(truth)) for value in range(len(truth[0]))]
    binary = ("same", "left", "just_left", "next") if difficulty < 3 else ("same", "not_same", "left", "next")
    clues: list[tuple[Any, ...]] = []
    for one in everything:
        place = truth[one[0]][one[1]]
        clues += [("not_at", one, house) for house in range(len(truth[0])) if house != place]
        if difficulty < 4:
            clues.append(("at", one, place))
        for other in everything:
            there = truth[other[0]][other[1]]
            for kind in binary:
                symmetric = kind in ("same", "not_same", "next")
                if one == other or (symmetric and one > other) or not holds(kind, place, there):
                    continue
                if kind in ("same", "not_same") and one[0] == other[0]:
                    continue
                clues.append((kind, one, other))
    return clues


def _by_strength(dice: Dice, clues: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the clues in random order, weak ones (of which there are many) tending to come last."""
    order = {clue: dice.below(100) + _WEAKNESS[clue[0]] for clue in clues}
    return sorted(dice.shuffled(clues), key=order.__getitem__)


def _needed(facts: Facts, candidates: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return clues none of which can be left out, enough for a single solution."""

    def unique(clues: list[tuple[Any, ...]]) -> bool:
        return len(solve(Facts(facts.houses, facts.categories, tuple(clues), facts.asked, facts.labels), 2)) == 1

    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        if unique(candidates[:middle]):
            high = middle
        else:
            low = middle + 1
    clues = candidates[:low]
    for clue in list(clues):
        fewer = [other for other in clues if other != clue]
        if unique(fewer):
            clues = fewer
    return clues


class _Texts:
    """How items are named in clues: ``phrases[category - 1][value]`` is a verb with its object."""

    def __init__(self, split: Split, people: list[Person], phrases: list[tuple[str, ...]]) -> None:
        self.people, self.phrases = people, phrases
        self.places, self.place = _PLACES[split]

    def subject(self, item: Item) -> str:
        return self.people[item[1]].name if item[0] == 0 else f"тот, кто {self.phrases[item[0] - 1][item[1]]},"

    def genitive(self, item: Item) -> str:
        return self.people[item[1]].genitive if item[0] == 0 else f"того, кто {self.phrases[item[0] - 1][item[1]]}"

    def beside(self, item: Item) -> str:
        if item[0] == 0:
            return self.people[item[1]].alongside
        return f"с тем, кто {self.phrases[item[0] - 1][item[1]]}"

    def clue(self, clue: tuple[Any, ...]) -> str:
        kind, one, other = clue
        subject = self.subject(one)
        match kind:
            case "at" | "not_at":
                return f"{subject} {'' if kind == 'at' else 'не '}живёт в {self.place} № {other + 1}"
            case "same" | "not_same":
                return f"{subject} {'' if kind == 'same' else 'не '}{self.phrases[other[0] - 1][other[1]]}"
            case "left":
                return f"{subject} живёт левее {self.genitive(other)}"
            case "just_left":
                return f"{subject} живёт сразу слева от {self.genitive(other)}"
        return f"{subject} живёт рядом {self.beside(other)}"


def _text(facts: Facts, texts: _Texts, categories: list[str], question: str) -> str:
    names = ", ".join(person.name for person in texts.people)
    lines = [
        f"В {_NUMERALS[facts.houses]} {texts.places}, живут по одному: {names}. "
        f"Номера идут слева направо: 1, 2, …, {facts.houses}."
    ]
    for title, labels in zip(categories, facts.labels[1:], strict=True):
        lines.append(f"{title}: {', '.join(labels)} (по одному на человека, у всех разные).")
    lines.append("Известно, что:")
    lines += [f"{place}) {sentence(texts.clue(clue))}" for place, clue in enumerate(facts.clues, 1)]
    what = "имена жильцов" if question == "имена" else question
    lines.append(f"Перечислите {what} слева направо, от первого номера до последнего, через запятую.")
    lines.append(last_line("список через запятую"))
    return "\n".join(lines)


FAMILY = Family("zebra", "Загадка Эйнштейна", generate, solve, answer)
