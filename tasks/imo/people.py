"""What people say of a solution: which points they are shown, and the score in which theirs stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..base import Doubt, Grading, HumanVerdict
from ..types import Completion, Score, Status
from .scheme import FULL
from .scoring import ESCALATE_ABOVE


def review(completion: Completion, score: Score) -> Iterator[Grading]:
    """Yield the points of a graded solution; nothing if no grader was to see it."""
    parts = score.parts
    if "points" in parts:
        yield Grading(
            completion.text,
            (0, FULL),
            verdict=parts["points"],
            status=score.status.value,
            doubt=_doubt(score),
            judged={"members": parts["graders"]},
            human="human" in parts,
        )


def _doubt(score: Score) -> Doubt | None:
    parts = score.parts
    if parts["escalated"]:
        return "escalated"
    # Where judges and code contradict each other, one of them is wrong.
    kept_back = (parts["ungated_points"] or 0.0) - (parts["points"] or 0.0)
    return "gated" if kept_back > ESCALATE_ABOVE else None


def settle(score: Score, verdict: HumanVerdict) -> Score:
    """Return a score with a person's points; ``human`` keeps those of the judges."""
    parts = score.parts
    machine = parts["human"]["machine"] if "human" in parts else parts["points"]
    return replace(
        score,
        value=verdict.value / FULL,
        status=Status.OK if score.value is None else score.status,
        parts={**parts, "points": float(verdict.value), "human": verdict.as_json(machine)},
        explanation=f"{verdict.value} из {FULL}: оценка человека",
    )
