"""Rating of conversations: one grading per turn, by the form for its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..blank import has_content
from ..types import Completion, Judge, Judgement, Metric, Observation, Sample, Score, Status, first_failure

LOWEST, HIGHEST = 1, 10


async def grade(sample: Sample, completion: Completion, judge: Judge) -> Score:
    """Rate each answer of a conversation; turn 2 is shown with the model's own turn 1.

    ``parts["turns"]`` has ``{"rating", "status", "form", "judge"}`` for each turn: the rating lies in [1, 10] or is
    None, ``judge`` holds the judgement's details. An empty answer is rated 1 without a judge call. The value is
    the mean of (rating - 1) / 9; it is None if any turn could not be rated, or got a rating off the scale, as
    judges that read verdicts by FastChat's rules may give.
    """
    answers = completion.turns or (completion.text,)
    turns = await asyncio.gather(*(_grade_turn(sample, answers, turn, judge) for turn in range(len(sample.turns))))
    value = None
    if all(_on_scale(turn["rating"]) for turn in turns):
        value = sum((turn["rating"] - LOWEST) / (HIGHEST - LOWEST) for turn in turns) / len(turns)
    return Score(
        value,
        _status(turns, completion, rated=value is not None),
        {"turns": turns, "category": sample.metadata["category"]},
        "; ".join(_explained(number, turn) for number, turn in enumerate(turns, start=1)),
    )


def form_of(sample: Sample, answers: tuple[str, ...], turn: int) -> tuple[str, dict[str, str]]:
    """Return the name of the form for a turn (from 0) and the values of its placeholders.

    The reference forms are for turns with a reference answer, be it an empty one; turn 2 shows that of turn 1 too.
    """
    references = sample.target
    by_reference = references is not None and references[turn] is not None
    if turn == 0:
        fields = {"question": sample.turns[0], "answer": answers[0]}
        if by_reference:
            return "rating-reference", {**fields, "reference": references[0]}
        return "rating", fields
    fields = {
        "question_1": sample.turns[0],
        "answer_1": answers[0],
        "question_2": sample.turns[1],
        "answer_2": answers[1],
    }
    if by_reference:
        return "rating-turn-2-reference", {
            **fields,
            "reference_1": references[0] or "",
            "reference_2": references[1],
        }
    return "rating-turn-2", fields


def headline(scores: Iterable[Score], *, turns: int) -> str:
    """Return the mean rating with its coverage, as in ``8.21 on 157 of 160``, where ``turns`` is the 160.

    Turns that could not be rated are left out of the mean and counted in the coverage; a turn of a conversation
    whose other turn failed does count.
    """
    ratings = [observation.value for score in scores for observation in RATING.observe(score)]
    mean = f"{sum(ratings) / len(ratings):.2f}" if ratings else "no rating"
    return f"{mean} on {len(ratings)} of {turns}"


async def _grade_turn(sample: Sample, answers: tuple[str, ...], turn: int, judge: Judge) -> dict[str, Any]:
    if turn >= len(answers):
        return {"rating": None, "status": Status.MISSING.value, "form": None, "judge": {}}
    form, fields = form_of(sample, answers, turn)
    if has_content(answers[turn]):
        judgement = await judge.grade(form, fields)
    else:
        judgement = Judgement(float(LOWEST), Status.EMPTY)
    return {
        "rating": judgement.value,
        "status": judgement.status.value,
        "form": form,
        "judge": dict(judgement.details),
    }


def _status(turns: Sequence[Mapping[str, Any]], completion: Completion, *, rated: bool) -> Status:
    statuses = [Status(turn["status"]) for turn in turns]
    if not rated:
        failed = [status for status, turn in zip(statuses, turns, strict=True) if turn["rating"] is None]
        return first_failure(failed or [Status.OUT_OF_RANGE])
    if Status.EMPTY in statuses:
        return Status.EMPTY
    if completion.finish_reason == "length":
        return Status.TRUNCATED
    return Status.OK_LENIENT if Status.OK_LENIENT in statuses else Status.OK


def _on_scale(rating: float | None) -> bool:
    return rating is not None and LOWEST <= rating <= HIGHEST


def _explained(number: int, turn: Mapping[str, Any]) -> str:
    if turn["rating"] is None:
        return f"ход {number}: нет оценки ({turn['status']})"
    return f"ход {number}: {turn['rating']:g}"


def _ratings(score: Score) -> Iterable[Observation]:
    for number, turn in enumerate(score.parts.get("turns", ()), start=1):
        if turn["rating"] is not None:
            yield Observation(turn["rating"], {"category": score.parts["category"], "turn": str(number)})


def _escalations(score: Score) -> Iterable[Observation]:
    for turn in score.parts.get("turns", ()):
        if "escalated" in turn["judge"]:
            yield Observation(float(turn["judge"]["escalated"]))


RATING: Final = Metric("rating", _ratings, "Mean rating, 1 to 10", partial=True, unit="number", bounds=(1, 10))
METRICS = (RATING, Metric("escalated", _escalations, "Turns on which the judges of a jury differ"))
