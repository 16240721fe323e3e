"""What a family of problems is: a wording with blanks, and code that knows the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...random import Dice

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
DIFFICULTIES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem of a family: its text and its answer."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Family:
    """Problems alike but for their numbers; all of them belong to one split.

    ``make`` takes the dice and a difficulty (1, 2 or 3) and computes the answer exactly, in whole numbers and
    fractions.
    """

    name: str
    topic: str
    split: Split
    make: Callable[[Dice, int], Exercise]


def family(topic: str, split: Split) -> Callable[[Callable[[Dice, int], Exercise]], Family]:
    """Turn a function into the family of its name."""
    return lambda make: Family(make.__name__.replace("_", "-"), topic, split, make)


def between(dice: Dice, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, both included."""
    return low + dice.below(high - low + 1)


def nonzero(dice: Dice, size: int) -> int:
    """Return a whole number other than 0 from ``-size`` to ``size``."""
    return between(dice, 1, size) * dice.pick((-1, 1))
