"""Knights and knaves: those who always tell the truth among those who always lie."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from ...random import Dice
from ..answers import Answer, choice, items
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import Person, listed, people, plural


@dataclass(frozen=True, slots=True)
class _Tribe:
    """Where they live, and what the truthful (in three forms) and the liars (one, many) are called."""

    place: str
    truthful: tuple[str, str, str]
    plural: str
    liar: str
    liars: str


_TRIBES: Final[dict[Split, tuple[_Tribe, ...]]] = {
    "train": (
        _Tribe("На острове", ("рыцарь", "рыцаря", "рыцарей"), "рыцари", "лжец", "лжецы"),
        _Tribe("В городе", ("правдолюб", "правдолюба", "правдолюбов"), "правдолюбы", "врун", "вруны"),
        _Tribe("На горе", ("мудрец", "мудреца", "мудрецов"), "мудрецы", "хитрец", "хитрецы"),
    ),
    "test": (
        _Tribe("В долине", ("эльф", "эльфа", "эльфов"), "эльфы", "гоблин", "гоблины"),
        _Tribe("В крепости", ("страж", "стража", "стражей"), "стражи", "лазутчик", "лазутчики"),
    ),
}

_KINDS: Final = {
    1: ("role", "role", "same", "differ"),
    2: ("role", "same", "differ", "some_liar"),
    3: ("role", "same", "differ", "some_liar", "count", "implies"),
    4: ("same", "differ", "some_liar", "count", "implies", "implies"),
    5: ("same", "some_liar", "count", "implies", "implies"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """``statements[i]`` is what person ``i`` says: a kind and its arguments."""

    names: tuple[str, ...]
    statements: tuple[tuple[Any, ...], ...]


def holds(statement: tuple[Any, ...], truthful: tuple[bool, ...]) -> bool:
    """Say whether a statement is true when ``truthful`` tells the truthful ones."""
    match statement:
        case ("role", person, role):
            return truthful[person] is role
        case ("same", one, other):
            return truthful[one] is truthful[other]
        case ("differ", one, other):
            return truthful[one] is not truthful[other]
        case ("some_liar", one, other):
            return not (truthful[one] and truthful[other])
        case ("count", number):
            return bool(sum(truthful) == number)
        case ("implies", one, role, other, other_role):
            return truthful[one] is not role or truthful[other] is other_role
    raise ValueError(f"unknown statement {statement!r}")


def solve(facts: Facts) -> list[tuple[bool, ...]]:
    """Try every way in which the people can be truthful or liars."""
    return [
        truthful
        for truthful in product((False, True), repeat=len(facts.names))
        if all(
            holds(statement, truthful) is speaker
            for statement, speaker in zip(facts.statements, truthful, strict=True)
        )
    ]


def answer(facts: Facts, solution: tuple[bool, ...]) -> Answer:
    """Return the names of the truthful ones, in any order."""
    names = [name for name, truthful in zip(facts.names, solution, strict=True) if truthful]
    tribes = [tribe for tribes in _TRIBES.values() for tribe in tribes]
    if not names:
        none = [
            pattern.format(tribe.truthful[2])
            for tribe in tribes
            for pattern in ("{} нет", "{} здесь нет", "нет {}")
        ]
        return choice("никто", aliases=["нет", "никого", "никто из них", *none])
    return items("set", names, ignored=[word for tribe in tribes for word in (tribe.truthful[0], tribe.plural)])


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw a puzzle of ``difficulty`` + 1 people, each of whom says one thing."""
    tribe = dice.pick(_TRIBES[split])
    crowd = people(dice, split, difficulty + 1)
    while True:
        statements = tuple(_statement(dice, speaker, len(crowd), difficulty) for speaker in range(len(crowd)))
        facts = Facts(tuple(person.name for person in crowd), statements)
        solutions = solve(facts)
        if len(set(statements)) == len(statements) and len(solutions) == 1:
            break
    return Puzzle(
        _text(facts, crowd, tribe),
        answer(facts, solutions[0]),
        facts,
        facts.names,
        frozenset((*facts.names, *tribe.truthful, tribe.liar)),
    )


def _statement(dice: Dice, speaker: int, count: int, difficulty: int) -> tuple[Any, ...]:
    one, *rest = dice.shuffled([person for person in range(count) if person != speaker])
    other = rest[0] if rest else speaker
    match dice.pick(_KINDS[difficulty]):
        case "role":
            return "role", one, dice.below(2) == 0
        case "count":
            return "count", dice.below(count + 1)
        case "implies":
            return "implies", one, dice.below(2) == 0, other, dice.below(2) == 0
        case "same" | "differ" as kind:
            return kind, one, dice.pick((other, speaker))
        case kind:
            return kind, one, other


def _text(facts: Facts, crowd: list[Person], tribe: _Tribe) -> str:
    one, _, many = tribe.truthful
    lines = [
        f"{tribe.place} живут {tribe.plural} и {tribe.liars}: каждый {one} всегда говорит правду, "
        f"каждый {tribe.liar} всегда лжёт. Встретились {listed([person.name for person in crowd])}. "
        "Вот что они говорят."
    ]
    for speaker, statement in enumerate(facts.statements):
        lines.append(f"{crowd[speaker].name}: «{_words(statement, speaker, crowd, tribe)}».")
    if any(statement[0] == "implies" for statement in facts.statements):
        lines.append("Высказывание «если …, то …» ложно, только когда его условие верно, а вывод неверен.")
    lines.append(
        f"Кто из них {one}? Перечислите через запятую имена всех {many}; если {many} здесь нет, напишите «никто»."
    )
    lines.append(last_line("имена"))
    return "\n".join(lines)


def _words(statement: tuple[Any, ...], speaker: int, crowd: list[Person], tribe: _Tribe) -> str:
    def role(truthful: bool) -> str:
        return tribe.truthful[0] if truthful else tribe.liar

    def name(index: int) -> str:
        return "я" if index == speaker else crowd[index].name

    def of(index: int) -> str:
        return "меня" if index == speaker else crowd[index].genitive

    match statement:
        case ("role", one, truthful):
            return f"{crowd[one].name} — {role(truthful)}"
        case ("same", one, other):
            both = "обе" if crowd[one].female and crowd[other].female else "оба"
            if other == speaker:
                return f"Мы {crowd[one].alongside} либо {both} говорим правду, либо {both} лжём"
            return f"{crowd[one].name} и {crowd[other].name} либо {both} говорят правду, либо {both} лгут"
        case ("differ", one, other):
            return f"Из двоих — {of(one)} и {of(other)} — правду говорит ровно один"
        case ("some_liar", one, other):
            return f"Из двоих — {of(one)} и {of(other)} — лжёт хотя бы один"
        case ("count", 0):
            return f"Среди нас нет {tribe.truthful[2]}"
        case ("count", number):
            return f"Среди нас ровно {number} {plural(number, tribe.truthful)}"
        case ("implies", one, truthful, other, other_truthful):
            return f"Если {name(one)} — {role(truthful)}, то {name(other)} — {role(other_truthful)}"
    raise ValueError(f"unknown statement {statement!r}")


FAMILY = Family("knights", "Рыцари и лжецы", generate, solve, answer)
