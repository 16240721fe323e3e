"""All families together: the same split, seed and difficulty give the same problems everywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ....errors import UsageError, nearest
from ...random import Dice
from ..loaders import MathProblem
from . import arithmetic, combinatorics, equations, geometry, motion, numbers, percent, probability, progressions
from .family import DIFFICULTIES, SPLITS, Exercise, Family

_MODULES = (arithmetic, equations, progressions, percent, motion, numbers, combinatorics, probability, geometry)

FAMILIES: dict[str, Family] = {
    family.name: family for module in _MODULES for family in vars(module).values() if isinstance(family, Family)
}
"""All families by name, in the order of their definitions; seeded decks of them depend on it."""

# A small choice of families may run out of new problems; then problems come again.
_TRIES_FOR_A_NEW_PROBLEM = 50


def generate(
    count: int,
    *,
    split: str,
    seed: int = 0,
    difficulty: int | None = None,
    families: Collection[str] | None = None,
) -> Iterator[MathProblem]:
    """Yield problems; every family makes as many as any other, and a longer run begins with a shorter one.

    A problem's id says the split, the seed and its number (and the difficulty, where one is given); its labels are
    ``topic``, ``family`` and ``level`` (the difficulty).

    Args:
        count: how many problems.
        split: ``train`` or ``test``; they share no family.
        seed: any whole number; other seeds give other problems of the same families.
        difficulty: 1, 2 or 3; all three are mixed where it is ``None``.
        families: names of families of the split; all of them where it is ``None``.

    Raises:
        UsageError: the split, the difficulty or a family does not exist, or the count is negative.
    """
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}: use 'train' or 'test'")
    if count < 0:
        raise UsageError(f"count must not be negative, got {count}")
    if difficulty is not None and difficulty not in DIFFICULTIES:
        raise UsageError(f"unknown difficulty {difficulty!r}: use 1, 2 or 3")
    return _generate(count, f"{split}-{seed}", _chosen(split, families), difficulty)


def _chosen(split: str, names: Collection[str] | None) -> list[Family]:
    of_split = {name: family for name, family in FAMILIES.items() if family.split == split}
    if names is None:
        return list(of_split.values())
    for name in names:
        if name not in of_split:
            raise UsageError(f"unknown family {name!r} of the split '{split}'.{nearest(name, of_split)}")
    if not names:
        raise UsageError("families is empty: give at least one name, or None for all")
    return [family for name, family in of_split.items() if name in names]


def _generate(count: int, label: str, families: Sequence[Family], difficulty: int | None) -> Iterator[MathProblem]:
    dice = Dice(f"math:{label}")
    level = "" if difficulty is None else f"-level{difficulty}"
    seen: set[str] = set()
    deck: list[Family] = []
    for number in range(1, count + 1):
        if not deck:
            deck = dice.shuffled(families)
        family = deck.pop()
        chosen = dice.pick(DIFFICULTIES) if difficulty is None else difficulty
        drawn = _new(family, chosen, seen, dice)
        seen.add(drawn.text)
        labels = {"topic": family.topic, "family": family.name, "level": str(chosen)}
        yield MathProblem(f"{label}{level}-{number}", drawn.text, drawn.answer, labels)


def _new(family: Family, difficulty: int, seen: Collection[str], dice: Dice) -> Exercise:
    for _ in range(_TRIES_FOR_A_NEW_PROBLEM):
        drawn = family.make(dice, difficulty)
        if drawn.text not in seen:
            break
    return drawn
