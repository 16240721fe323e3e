"""Syllogisms: what follows of necessity from «все», «некоторые» and «ни один»."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Final, Literal

from ...random import Dice
from ..answers import Answer, choice, items
from ..puzzle import Family, Puzzle, Split, last_line

Kind = Literal["all", "none", "some", "some_not"]
Claim = tuple[Kind, int, int]
"""A kind, its subject and its predicate: («all», 0, 1) is «все A — B»."""

_KINDS: Final[tuple[Kind, ...]] = ("all", "none", "some", "some_not")

# One, one in the instrumental, many, many in the genitive.
_TERMS: Final[dict[Split, tuple[tuple[str, str, str, str], ...]]] = {
    "train": (
        ("пилот", "пилотом", "пилоты", "пилотов"),
        ("шахматист", "шахматистом", "шахматисты", "шахматистов"),
        ("садовод", "садоводом", "садоводы", "садоводов"),
        ("филателист", "филателистом", "филателисты", "филателистов"),
        ("скрипач", "скрипачом", "скрипачи", "скрипачей"),
        ("пекарь", "пекарем", "пекари", "пекарей"),
        ("вегетарианец", "вегетарианцем", "вегетарианцы", "вегетарианцев"),
    ),
    "test": (
        ("архитектор", "архитектором", "архитекторы", "архитекторов"),
        ("рыболов", "рыболовом", "рыболовы", "рыболовов"),
        ("дирижёр", "дирижёром", "дирижёры", "дирижёров"),
        ("пловец", "пловцом", "пловцы", "пловцов"),
        ("фотограф", "фотографом", "фотографы", "фотографов"),
        ("переводчик", "переводчиком", "переводчики", "переводчиков"),
    ),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Premises and the conclusions to be tried, over ``terms`` groups each of which has a member."""

    terms: int
    premises: tuple[Claim, ...]
    conclusions: tuple[Claim, ...]


def consistent(terms: int, premises: tuple[Claim, ...]) -> bool:
    """Say whether there is a world in which the premises hold and no group is empty."""
    return all(regions for regions in _inhabited(terms, premises))


def follows(terms: int, premises: tuple[Claim, ...], conclusion: Claim) -> bool:
    """Say whether a conclusion holds in every world in which the premises do and no group is empty.

    A world says which of the 2^terms kinds of people exist. «Все» and «ни один» forbid kinds; «некоторые» demands
    one of some kinds. The largest world without forbidden kinds decides the former, and the worlds that keep just
    one kind for each demand decide the latter: this covers all worlds.
    """
    kind, subject, predicate = conclusion
    matching = _regions(terms, subject, predicate, kind in ("none", "some"))
    inhabited = _inhabited(terms, premises)
    if kind in ("some", "some_not"):
        return any(regions <= matching for regions in inhabited)
    return not _permitted(terms, premises) & matching


def solve(facts: Facts) -> list[tuple[bool, ...]]:
    """Return for each conclusion whether it follows; nothing when the premises contradict each other."""
    if not consistent(facts.terms, facts.premises):
        return []
    return [tuple(follows(facts.terms, facts.premises, conclusion) for conclusion in facts.conclusions)]


def _regions(terms: int, subject: int, predicate: int, inside: bool) -> set[int]:
    """Return the kinds of people in the subject group and inside (or outside) the predicate group."""
    return {kind for kind in range(1 << terms) if kind >> subject & 1 and bool(kind >> predicate & 1) is inside}


def _permitted(terms: int, premises: tuple[Claim, ...]) -> set[int]:
    permitted = set(range(1 << terms))
    for kind, subject, predicate in premises:
        if kind in ("all", "none"):
            permitted -= _regions(terms, subject, predicate, kind == "none")
    return permitted


def _inhabited(terms: int, premises: tuple[Claim, ...]) -> list[set[int]]:
    """Return the sets of permitted kinds each of which has a member: one for each group and each «некоторые»."""
    permitted = _permitted(terms, premises)
    demands = [{kind for kind in permitted if kind >> term & 1} for term in range(terms)]
    for kind, subject, predicate in premises:
        if kind in ("some", "some_not"):
            demands.append(permitted & _regions(terms, subject, predicate, kind == "some"))
    return demands


def answer(facts: Facts, solution: tuple[bool, ...]) -> Answer:
    """Return the numbers of the conclusions that follow, in any order."""
    numbers = [str(place) for place, valid in enumerate(solution, 1) if valid]
    if not numbers:
        return choice("нет", aliases=["ни одно", "ни один", "никакие", "таких нет", "0"])
    return items("set", numbers, ignored=["вывод", "выводы"])


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw 2 to 5 premises that link 3 to 5 groups, and 4 to 6 conclusions, not all of them valid."""
    terms = 3 + difficulty // 2
    words = dice.shuffled(_TERMS[split])[:terms]
    while True:
        premises = _premises(dice, terms, difficulty)
        if not consistent(terms, premises):
            continue
        candidates = dice.shuffled([(kind, *pair) for kind in _KINDS for pair in permutations(range(terms), 2)])
        fresh = [claim for claim in candidates if not _restates(claim, premises)]
        valid = [claim for claim in fresh if follows(terms, premises, claim)]
        invalid = [claim for claim in fresh if claim not in valid]
        wanted = 4 + difficulty // 2
        right = dice.below(min(len(valid), wanted - 1) + 1)
        if valid and len(invalid) >= wanted - right and (right or dice.below(4) == 0):
            break
    conclusions = tuple(dice.shuffled(valid[:right] + invalid[: wanted - right]))
    facts = Facts(terms, premises, conclusions)
    options = tuple(str(place) for place in range(1, wanted + 1))
    return Puzzle(
        _text(facts, words), answer(facts, solve(facts)[0]), facts, options, frozenset(word[0] for word in words)
    )


def _premises(dice: Dice, terms: int, difficulty: int) -> tuple[Claim, ...]:
    premises: list[Claim] = []
    for term in range(1, terms):
        pair = (term - 1, term) if dice.below(3) else (term, term - 1)
        premises.append((dice.pick(("all", "all", "none", "some", "some_not")), *pair))
    if difficulty % 2:
        one, other = dice.shuffled(range(terms))[:2]
        extra: Claim = (dice.pick(_KINDS), one, other)
        if not _restates(extra, tuple(premises)):
            premises.append(extra)
    return tuple(dice.shuffled(premises))


def _restates(claim: Claim, premises: tuple[Claim, ...]) -> bool:
    kind, one, other = claim
    return claim in premises or (kind in ("none", "some") and (kind, other, one) in premises)


def _text(facts: Facts, words: list[tuple[str, str, str, str]]) -> str:
    lines = ["Про жителей одного города известно:"]
    lines += [f"— {_words(premise, words)};" for premise in facts.premises[:-1]]
    lines += [f"— {_words(facts.premises[-1], words)}."]
    groups = ", ".join(word[2] for word in words)
    lines.append(
        f"В каждой из этих групп ({groups}) есть хотя бы один человек; «некоторые» значит «хотя бы один, а может "
        "быть, и все». Какие из следующих выводов обязательно верны?"
    )
    lines += [f"{place}. {_capital(_words(claim, words))}." for place, claim in enumerate(facts.conclusions, 1)]
    lines.append("Перечислите номера таких выводов через запятую; если их нет, напишите «нет».")
    lines.append(last_line("номера"))
    return "\n".join(lines)


def _words(claim: Claim, words: list[tuple[str, str, str, str]]) -> str:
    kind, subject, predicate = claim
    one, _, many, genitive = words[subject]
    match kind:
        case "all":
            return f"все {many} — {words[predicate][2]}"
        case "none":
            return f"ни один {one} не является {words[predicate][1]}"
        case "some":
            return f"некоторые {many} — {words[predicate][2]}"
    return f"среди {genitive} есть те, кто не является {words[predicate][1]}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


FAMILY = Family("syllogisms", "Силлогизмы", generate, solve, answer)
