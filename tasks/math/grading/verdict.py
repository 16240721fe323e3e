"""What comes of grading one answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The verdict on one answer: a closed set.

    ``correct`` and ``wrong`` speak of mathematics. ``unparsed``: no final answer was found, or it is no
    mathematics that we can read. ``limit``: the answer is too large to be looked at (a power tower, 100 kB of
    digits). ``malformed``: the *gold* answer cannot be used. ``timeout``: our time ran out or our worker died.
    """

    CORRECT = "correct"
    WRONG = "wrong"
    UNPARSED = "unparsed"
    LIMIT = "limit"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict, the final answer that was found in the text, the gold answer as it was read, and why."""

    verdict: Verdict
    extracted: str | None
    gold: str
    reason: str = ""


class Unreadable(Exception):
    """An expression that our grammar does not have."""


class NoAnswer(Unreadable):
    """What can be read and does not answer: a false statement, an equation left unsolved, words left out."""


class TooLarge(Exception):
    """An expression beyond the limits of `evalkit.tasks.math.grading.limits`."""


class Undecided(Exception):
    """Exact arithmetic alone cannot tell whether two expressions are equal."""
