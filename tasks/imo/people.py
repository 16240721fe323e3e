"""Human review of proofs: the points shown to a reviewer, and the score with the reviewer's points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..base import Doubt, Grading, HumanVerdict
from ..types import Completion, Score, Status
from .scheme import FULL
from .scoring import ESCALATE_ABOVE


def review(completion: Completion, score: Score) -> Iterator[Grading]:
    """Yield the points of a graded solution; nothing if it needed no grader."""
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
    # If judges and code contradict each other, one of them is wrong.
    withheld = (parts["ungated_points"] or 0.0) - (parts["points"] or 0.0)
    return "gated" if withheld > ESCALATE_ABOVE else None


def settle(score: Score, verdict: HumanVerdict) -> Score:
    """Return the score with a reviewer's points; ``human`` keeps the judges' points."""
    parts = score.parts
    machine = parts["human"]["machine"] if "human" in parts else parts["points"]
    return replace(
        score,
        value=verdict.value / FULL,
        status=Status.OK if score.value is None else score.status,
        parts={**parts, "points": float(verdict.value), "human": verdict.as_json(machine)},
        explanation=f"{verdict.value} из {FULL}: оценка человека",
    )
