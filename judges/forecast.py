"""Forecast of the number of judge calls, before grading starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..tasks.types import Judge
from .judge import ModelJudge
from .jury import Jury


@dataclass(frozen=True, slots=True)
class Forecast:
    """Calls to the models of a judge: ``calls`` without retries, ``at_most`` if every attempt is needed.

    Empty answers and cached verdicts take no calls, which is not known beforehand.
    """

    gradings: int
    calls: int
    at_most: int

    def __str__(self) -> str:
        return f"judge calls: {self.calls} (up to {self.at_most} with retries)"


def forecast(judge: Judge, gradings: Iterable[int], *, draws: int = 1) -> Forecast:
    """Return the forecast for a number of gradings.

    Args:
        judge: one judge or a jury (also a jury of juries); a judge of another kind counts as one call.
        gradings: how many gradings each sample takes (``task.gradings(sample)``: two for two turns).
        draws: the number of repeated gradings of each.
    """
    total = sum(gradings) * draws
    calls, at_most = _calls(judge)
    return Forecast(total, total * calls, total * at_most)


def _calls(judge: Judge) -> tuple[int, int]:
    if isinstance(judge, Jury):
        members = [_calls(member) for member in judge.members]
        return sum(calls for calls, _ in members), sum(at_most for _, at_most in members)
    return 1, judge.settings.attempts if isinstance(judge, ModelJudge) else 1
