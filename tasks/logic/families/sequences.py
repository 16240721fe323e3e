"""Number sequences of a stated class of rules, so that the given terms have a single continuation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Final, Literal

from ...random import Dice
from ..answers import Answer, integer
from ..puzzle import Family, Puzzle, Split, last_line

Kind = Literal["affine", "two_steps", "quadratic", "interleaved", "growing"]

_KINDS: Final[dict[int, tuple[Kind, ...]]] = {
    1: ("interleaved", "affine"),
    2: ("affine", "growing", "interleaved"),
    3: ("quadratic", "two_steps", "growing"),
    4: ("two_steps", "quadratic", "growing"),
    5: ("two_steps", "quadratic", "growing"),
}
_FIRST: Final[dict[Split, range]] = {"train": range(2, 20), "test": range(20, 40)}
_FACTORS: Final = range(2, 6)
_ADDED: Final = range(-9, 10)
_STEPS: Final = range(-3, 4)

_RULES: Final[dict[Kind, str]] = {
    "affine": "каждый следующий член получается из предыдущего так: его умножают на одно и то же целое число от 2 "
    "до 5 и прибавляют к произведению одно и то же целое число от −9 до 9",
    "two_steps": "каждый член, начиная с третьего, равен сумме предыдущего члена, умноженного на целое число p, и "
    "стоящего перед ним члена, умноженного на целое число q; числа p и q лежат от −3 до 3 и не меняются",
    "quadratic": "член с номером n равен a·n² + b·n + c, где a, b и c — постоянные целые числа",
    "interleaved": "члены на нечётных местах образуют одну арифметическую прогрессию, а члены на чётных "
    "местах — другую",
    "growing": "разности соседних членов (следующий минус предыдущий) образуют геометрическую прогрессию с целым "
    "знаменателем от 2 до 5",
}
_GIVEN: Final[dict[Kind, int]] = {"affine": 4, "two_steps": 5, "quadratic": 4, "interleaved": 6, "growing": 4}


@dataclass(frozen=True, slots=True)
class Facts:
    """The first terms of a sequence of a known class; the term ``ahead`` places after the last is wanted."""

    kind: Kind
    terms: tuple[int, ...]
    ahead: int


def solve(facts: Facts) -> list[int]:
    """Return the values that the wanted term has under the rules of the class that fit the terms given."""
    count = len(facts.terms) + facts.ahead
    return sorted({continued[-1] for continued in _continuations(facts.kind, facts.terms, count)})


def answer(facts: Facts, solution: int) -> Answer:
    """Return the wanted term."""
    return integer(solution)


def _continuations(kind: Kind, given: tuple[int, ...], count: int) -> list[list[int]]:
    """Return the sequences of ``count`` terms that begin with those given, one for each rule of the class."""
    match kind:
        case "affine":
            candidates = [_affine(given[0], a, b, count) for a in _FACTORS for b in _ADDED]
        case "two_steps":
            candidates = [_two_steps(given[0], given[1], p, q, count) for p in _STEPS for q in _STEPS]
        case "quadratic":
            candidates = _by_differences(given, count)
        case "interleaved":
            candidates = [_interleaved(given, count)]
        case "growing":
            candidates = [_growing(given[0], given[1] - given[0], ratio, count) for ratio in _FACTORS]
    return [candidate for candidate in candidates if tuple(candidate[: len(given)]) == given]


def _affine(first: int, factor: int, added: int, count: int) -> list[int]:
    return list(accumulate(repeat(added, count - 1), lambda term, more: term * factor + more, initial=first))


def _two_steps(first: int, second: int, p: int, q: int, count: int) -> list[int]:
    terms = [first, second]
    while len(terms) < count:
        terms.append(p * terms[-1] + q * terms[-2])
    return terms


def _by_differences(given: tuple[int, ...], count: int) -> list[list[int]]:
    """Continue by the constant second difference, which three terms determine; it must be even, as it is 2a."""
    first, second, third = given[:3]
    step, curve = second - first, third - 2 * second + first
    if curve % 2:
        return []
    return [[first + step * n + curve * (n * (n - 1) // 2) for n in range(count)]]


def _interleaved(given: tuple[int, ...], count: int) -> list[int]:
    return [given[n % 2] + n // 2 * (given[n % 2 + 2] - given[n % 2]) for n in range(count)]


def _growing(first: int, step: int, ratio: int, count: int) -> list[int]:
    return list(accumulate((step * ratio**n for n in range(count - 1)), initial=first))


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw a rule and a first term; the harder, the further ahead the term asked for."""
    kind = dice.pick(_KINDS[difficulty])
    given, ahead = _GIVEN[kind], max(1, difficulty - 2)
    while True:
        terms = _draw(dice, kind, dice.pick(_FIRST[split]), given + ahead)
        facts = Facts(kind, tuple(terms[:given]), ahead)
        if len(set(terms)) > given // 2 + 1 and len(solve(facts)) == 1:
            break
    solution = answer(facts, terms[-1])
    options = tuple(str(term) for term in terms[:-1])
    return Puzzle(_text(facts), solution, facts, options, frozenset({f"первый член {terms[0]}"}))


def _draw(dice: Dice, kind: Kind, first: int, count: int) -> list[int]:
    match kind:
        case "affine":
            return _affine(first, dice.pick(_FACTORS), dice.pick(_ADDED), count)
        case "two_steps":
            return _two_steps(first, 1 + dice.below(15), dice.pick(_STEPS), dice.pick(_STEPS), count)
        case "quadratic":
            a, b = dice.pick((-3, -2, -1, 1, 2, 3)), dice.pick(range(-9, 10))
            return [a * n * n + b * n + first - a - b for n in range(1, count + 1)]
        case "interleaved":
            start = (first, 1 + dice.below(50))
            steps = (dice.pick((-7, -5, -3, 2, 4, 6)), dice.pick((-6, -4, -2, 3, 5, 7)))
            return [start[n % 2] + n // 2 * steps[n % 2] for n in range(count)]
    return _growing(first, dice.pick((-3, -2, -1, 1, 2, 3)), dice.pick(_FACTORS), count)


def _text(facts: Facts) -> str:
    terms = ", ".join(str(term).replace("-", "−") for term in facts.terms)
    place = len(facts.terms) + facts.ahead
    return "\n".join(
        [
            f"Дана последовательность целых чисел: {terms}, …",
            f"Она построена по правилу такого вида: {_RULES[facts.kind]}.",
            f"Найдите член этой последовательности с номером {place} (первый из выписанных членов имеет номер 1).",
            last_line("число"),
        ]
    )


FAMILY = Family("sequences", "Последовательности", generate, solve, answer)
