"""What is read out of a judge's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from ...tasks.types import Status

PARSER_VERSION: Final = "3"
"""Changes whenever the same words would be read differently; stored beside every verdict."""

CODE: Final = "code"
"""The key under which a verdict in JSON repeats the prompt's nonce."""

Kind = Literal["rating", "pair", "pair_scores", "points", "rubric", "criteria_table"]
KINDS: Final[tuple[Kind, ...]] = ("rating", "pair", "pair_scores", "points", "rubric", "criteria_table")


class VerdictStatus(StrEnum):
    """What only a verdict can be; `Verdict.outcome` says which of the shared statuses it counts as."""

    OK_SCALE_0_1 = "ok_scale_0_1"
    AVERAGE_MISMATCH = "average_mismatch"
    MISSING_CRITERION = "missing_criterion"


_OUTCOMES = {
    VerdictStatus.OK_SCALE_0_1: Status.WRONG_SCALE,
    VerdictStatus.AVERAGE_MISMATCH: Status.OK_LENIENT,
    VerdictStatus.MISSING_CRITERION: Status.MISSING,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict, or why there is none.

    ``value`` is a number on the asked scale (``rating``, ``points``), ``"A"``, ``"B"`` or ``"tie"`` (``pair``,
    ``pair_scores``), a percentage by criterion (``rubric``) or a winner by criterion (``criteria_table``); ``None``
    when nothing can be relied on. Two statuses keep a value beside a warning: ``injection_suspected`` (the
    verdict's words stand in the graded answer as well) and ``ok_scale_0_1`` (``points`` said as 0, 0.5 or 1: it is
    never rescaled). ``details`` holds JSON values. ``span`` is where in the given text the verdict stands.
    """

    value: Any
    status: Status | VerdictStatus
    details: Mapping[str, Any] = field(default_factory=dict)
    span: tuple[int, int] | None = None

    @property
    def outcome(self) -> Status:
        """The status in the words that all of evalkit shares."""
        return _OUTCOMES[self.status] if isinstance(self.status, VerdictStatus) else self.status


@dataclass(frozen=True, slots=True)
class Reading:
    """What one stretch of a normalised text says: a verdict whose place still counts in that text."""

    value: Any
    status: Status | VerdictStatus
    start: int = 0
    end: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    def at(self, start: int, end: int, status: Status | VerdictStatus | None = None) -> Reading:
        """Return the reading of this place, with another status if one is given."""
        return Reading(self.value, status or self.status, start, end, self.details)


READ: Final = frozenset({Status.OK, Status.OK_LENIENT})
