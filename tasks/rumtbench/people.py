"""Human review of conversations: the turns shown to a reviewer, and the score with the reviewer's rating."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..base import Grading, HumanVerdict
from ..types import Completion, Score, Status
from .scoring import HIGHEST, LOWEST

_REVIEWED: Final = "; ход {turn}, оценка человека: "


def review(completion: Completion, score: Score) -> Iterator[Grading]:
    """Yield the rating of each turn that has an answer."""
    answers = completion.turns or (completion.text,)
    for number, turn in enumerate(score.parts.get("turns", ()), start=1):
        if "rating" in turn and number <= len(answers):
            judged = turn.get("judge", {})
            yield Grading(
                answers[number - 1],
                (LOWEST, HIGHEST),
                verdict=turn["rating"],
                status=turn["status"],
                turn=number,
                doubt="escalated" if judged.get("escalated", False) else None,
                judged=judged,
                human="human" in turn,
            )


def settle(score: Score, verdict: HumanVerdict) -> Score:
    """Return the score with a reviewer's rating of one turn; the turn's ``human`` keeps the judges' rating."""
    assert verdict.turn is not None
    turns = list(score.parts["turns"])
    before = turns[verdict.turn - 1]
    machine = before["human"]["machine"] if "human" in before else before["rating"]
    turns[verdict.turn - 1] = {
        **before,
        "rating": float(verdict.value),
        "status": Status.OK.value,
        "human": verdict.as_json(machine),
    }
    ratings = [turn["rating"] for turn in turns]
    rated = all(rating is not None and LOWEST <= rating <= HIGHEST for rating in ratings)
    span = HIGHEST - LOWEST
    value = sum((rating - LOWEST) / span for rating in ratings) / len(ratings) if rated else None
    addition = _REVIEWED.format(turn=verdict.turn)
    return replace(
        score,
        value=value,
        status=Status.OK if score.value is None and value is not None else score.status,
        parts={**score.parts, "turns": turns},
        explanation=score.explanation.split(addition)[0] + addition + str(verdict.value),
    )
