"""Bulls and cows: a code found from guesses already answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Final

from ...random import Dice
from ..answers import Answer, integer
from ..puzzle import Family, Puzzle, Split, last_line

# How many digits a code has, and the largest of them.
_SIZES: Final = {1: (3, 5), 2: (3, 7), 3: (3, 9), 4: (4, 7), 5: (4, 9)}
_LENGTHS: Final = {3: "трёх", 4: "четырёх"}

Guess = tuple[tuple[int, ...], int, int]
"""The digits tried, how many are in their places (bulls), and how many are elsewhere in the code (cows)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A code of so many different digits from 1 to ``largest``, and the guesses made."""

    length: int
    largest: int
    guesses: tuple[Guess, ...]


def bulls_and_cows(code: tuple[int, ...], tried: tuple[int, ...]) -> tuple[int, int]:
    """Return how many digits tried are in their places, and how many are elsewhere in the code."""
    bulls = sum(one == other for one, other in zip(code, tried, strict=True))
    return bulls, len(set(code) & set(tried)) - bulls


def solve(facts: Facts) -> list[tuple[int, ...]]:
    """Try every code."""
    return [
        code
        for code in _codes(facts.length, facts.largest)
        if all(bulls_and_cows(code, tried) == (bulls, cows) for tried, bulls, cows in facts.guesses)
    ]


def answer(facts: Facts, solution: tuple[int, ...]) -> Answer:
    """Return the code as a number."""
    return integer(int("".join(map(str, solution))))


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw a code (its sum is odd in one split and even in the other) and guesses, each of them needed."""
    length, largest = _SIZES[difficulty]
    codes = _codes(length, largest)
    code = dice.pick([code for code in codes if sum(code) % 2 == (split == "test")])
    left, guesses = list(codes), list[Guess]()
    while len(left) > 1:
        tried = dice.pick(codes)
        bulls, cows = bulls_and_cows(code, tried)
        fewer = [other for other in left if bulls_and_cows(other, tried) == (bulls, cows)]
        if tried != code and len(fewer) < len(left):
            left = fewer
            guesses.append((tried, bulls, cows))
    for guess in list(guesses):
        others = [other for other in guesses if other != guess]
        if len(solve(Facts(length, largest, tuple(others)))) == 1:
            guesses = others
    facts = Facts(length, largest, tuple(guesses))
    options = tuple("".join(map(str, tried)) for tried, _, _ in guesses)
    solution = answer(facts, code)
    return Puzzle(_text(facts), solution, facts, options, frozenset({f"код {solution}"}))


@cache
def _codes(length: int, largest: int) -> tuple[tuple[int, ...], ...]:
    return tuple(permutations(range(1, largest + 1), length))


def _text(facts: Facts) -> str:
    lines = [
        f"Загадан код из {_LENGTHS[facts.length]} разных цифр от 1 до {facts.largest}. После каждой попытки "
        "сообщали, сколько в ней быков (цифра есть в коде и стоит на своём месте) и коров (цифра есть в коде, но "
        "стоит на другом месте)."
    ]
    for place, (tried, bulls, cows) in enumerate(facts.guesses, 1):
        lines.append(f"{place}) {''.join(map(str, tried))}: быков — {bulls}, коров — {cows}.")
    return "\n".join([*lines, "Какой код загадан?", last_line("код")])


FAMILY = Family("bulls", "Быки и коровы", generate, solve, answer)
