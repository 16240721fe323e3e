"""A puzzle, and what a family of puzzles offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ..random import Dice
from .answers import Answer, check_answer

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
DIFFICULTIES = range(1, 6)


@dataclass(frozen=True, slots=True)
class Puzzle:
    """One puzzle and its only answer.

    ``facts`` is what the text says, as the family's solver takes it. ``options`` are the words that a wrong answer
    would be made of. ``parameters`` are what the puzzle was drawn from (names, themes, ranges): none of them ever
    occurs in the other split.
    """

    text: str
    answer: Answer
    facts: Any
    options: tuple[str, ...]
    parameters: frozenset[str]

    def check(self, answer_text: str) -> bool:
        """Say whether a model's whole text ends in the right answer."""
        return check_answer(self.answer, answer_text).right


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of puzzles.

    ``generate(dice, difficulty, split)`` draws a puzzle, ``solve(facts)`` returns all its solutions, found by
    exhaustive search or by a proof that there is no other, and ``answer(facts, solution)`` is what the text asks
    for.
    """

    name: str
    title: str
    generate: Callable[[Dice, int, Split], Puzzle]
    solve: Callable[[Any], list[Any]]
    answer: Callable[[Any, Any], Answer]


def last_line(what: str) -> str:
    """Return the sentence that says how the answer has to end."""
    return f"Закончите решение отдельной строкой вида «Ответ: {what}»."
