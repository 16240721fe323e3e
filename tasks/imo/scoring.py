"""Scoring of proofs: from the graders' verdicts to points and criteria.

**The rule.** ``value`` is points / 7, with 0 to 7 points by the problem's marking scheme. The final answer is a
gate:
if it is wrong, or missing although required, the points are capped by the scheme's ``wrong_answer_cap`` (3 by
default, 1 on IMO-ProofBench's scale), and the percentage for correctness is capped in proportion. The six criteria
describe a solution and do not affect its points: their ``mean`` is recomputed, not taken from the reply, and
``gated_mean`` is capped by the correctness, so that structure, rigour or completeness cannot compensate for errors.

There are several graders with a jury, with repeated draws, or both. All must give points: a mean over the graders
that happened to answer would be biased towards the lenient ones. If two of them differ by more than
`ESCALATE_ABOVE` points, the score is ``escalated``, and `evalkit judge queue` lists the solution for human review.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import Any, Final

from ..blank import has_content
from ..rubrics import PROOF, Criterion, rubric_reward
from ..types import (
    APPARATUS_FAILURES,
    Completion,
    Judge,
    Judgement,
    Metric,
    Observation,
    Sample,
    Score,
    Status,
    first_failure,
)
from .final_answer import FinalAnswer, Gate, check_final_answer
from .loader import ProofProblem, problem_of
from .scheme import FULL, WRONG_ANSWER_CAP, Levels

ESCALATE_ABOVE: Final = 2.0
"""A larger difference between graders, in points, calls for human review."""

RULES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {"min": min, "median": median, "mean": fmean}
"""Rules for combining the points of repeated draws."""

CRITERIA: Final[Mapping[str, str]] = {
    "correctness": "корректность",
    "completeness": "полнота",
    "rigour": "строгость",
    "structure": "структура",
    "cases": "разбор_случаев",
    "final_answer": "итоговый_ответ",
}
"""The six criteria and their names in verdicts."""

_CAPPED = (Gate.WRONG, Gate.MISSING)
_SAME_ANSWER = 0.5


async def grade(
    sample: Sample,
    completion: Completion,
    judge: Judge,
    *,
    draws: int = 1,
    rule: str = "median",
    criteria: bool = True,
) -> Score:
    """Grade a solution; see the module for the rule.

    ``parts`` has

    - ``points``: 0 to 7 after the gate, None if there are none; ``ungated_points``: before the gate;
    - ``criteria``: percentages by name, None for one that does not apply (``cases``; ``final_answer`` where only a
      proof is asked for); ``mean``, ``gated_mean`` and ``rubric`` (weighted as in `rubrics.PROOF`, in [0, 1], and
      capped like the points);
    - ``gate``: ``right``, ``wrong``, ``missing``, ``not_due`` or ``undecided``; ``final_answer``: what was
      compared, by code or by the judge;
    - ``graders``: their verdicts; ``spread``, the highest minus the lowest of their points, and ``escalated``;
    - ``scheme``: the hash of the marking scheme.

    The value is None if a grader gave no points, or the judge failed to compare the final answers. Unreadable
    criteria do not affect the value.
    """
    problem = problem_of(sample)
    solution = completion.text
    if not has_content(solution):
        return _ungraded(problem, Gate.MISSING if problem.answer is not None else Gate.NOT_DUE, Status.EMPTY)
    final = await asyncio.to_thread(check_final_answer, problem.answer, solution)
    if final.gate is Gate.MISSING:
        return _ungraded(problem, Gate.MISSING, Status.MISSING)
    form, fields = points_form(problem, solution)
    drawn, described, settled = await asyncio.gather(
        asyncio.gather(*(judge.grade(form, fields, draw=draw) for draw in range(draws))),
        _describe(problem, solution, judge) if criteria else _nothing(),
        _settle(final, judge),
    )
    return _score(problem, completion, [_on_scale(one, problem) for one in drawn], described, settled, rule)


def points_form(problem: ProofProblem, solution: str) -> tuple[str, dict[str, str]]:
    """Return the name of the form for points, and the values of its placeholders."""
    fields = {"problem": problem.text, "answer": solution}
    reference = _reference(problem)
    if problem.scheme is not None:
        form = "proof-levels" if isinstance(problem.scheme, Levels) else "proof-scheme"
        return form, {**fields, "reference": reference or "—", "scheme": problem.scheme.as_text()}
    if reference:
        return "proof-reference", {**fields, "reference": reference}
    return "proof", fields


def criteria_form(problem: ProofProblem, solution: str) -> tuple[str, dict[str, str]]:
    """Return the name of the form for the six criteria, and the values of its placeholders."""
    fields = {"problem": problem.text, "answer": solution}
    if reference := _reference(problem):
        return "proof-criteria-reference", {**fields, "reference": reference}
    return "proof-criteria", fields


def _reference(problem: ProofProblem) -> str:
    answer = problem.answer if problem.answer and problem.answer not in (problem.solution or "") else None
    return "\n\n".join(part for part in (problem.solution, answer) if part)


async def _nothing() -> None:
    return None


async def _describe(problem: ProofProblem, solution: str, judge: Judge) -> Judgement:
    form, fields = criteria_form(problem, solution)
    return await judge.grade(form, fields)


async def _settle(final: FinalAnswer, judge: Judge) -> tuple[FinalAnswer, Judgement | None]:
    """Let the judge compare final answers that code could not compare; it does not see the problem."""
    if final.gate is not Gate.UNDECIDED:
        return final, None
    fields = {"reference": final.known or "", "answer": final.stated or ""}
    said = await judge.grade("proof-final-answer", fields)
    if said.value is None:
        return final, said
    return replace(final, gate=Gate.RIGHT if said.value > _SAME_ANSWER else Gate.WRONG), said


def _score(
    problem: ProofProblem,
    completion: Completion,
    drawn: Sequence[Judgement],
    described: Judgement | None,
    settled: tuple[FinalAnswer, Judgement | None],
    rule: str,
) -> Score:
    final, compared = settled
    graders = [grader for draw, judgement in enumerate(drawn) for grader in _graders(judgement, draw)]
    given = [grader["points"] for grader in graders if grader["points"] is not None]
    spread = max(given) - min(given) if given else None
    values = [judgement.value for judgement in drawn if judgement.value is not None]
    ungated = float(RULES[rule](values)) if len(values) == len(drawn) else None
    cap = _cap(problem) if final.gate in _CAPPED else None
    points = ungated if ungated is None or cap is None else min(ungated, float(cap))
    asked = [judgement for judgement in (*drawn, described, compared) if judgement is not None]
    failed = _failure(drawn, described, final, compared)
    parts = {
        "points": None if failed else points,
        **_criteria(described, final, cap),
        "gate": final.gate.value,
        "ungated_points": ungated,
        "final_answer": {
            "known": final.known,
            "stated": final.stated,
            "by": None if final.gate is Gate.NOT_DUE else "judge" if compared is not None else "code",
            "reason": final.reason,
            "cap": cap,
            "judged": None if compared is None else dict(compared.details),
        },
        "graders": graders,
        "spread": spread,
        "escalated": spread is not None and spread > ESCALATE_ABOVE,
        **_about(problem),
    }
    if failed is not None or points is None:
        status = failed or Status.JUDGE_ERROR
        return Score(None, status, parts, f"нет оценки: {status}")
    lenient = any(judgement.status is Status.OK_LENIENT for judgement in asked)
    status = Status.TRUNCATED if completion.finish_reason == "length" else Status.OK
    if status is Status.OK and lenient:
        status = Status.OK_LENIENT
    return Score(points / FULL, status, parts, _explained(points, ungated, cap))


def by_rubric(score: Score, kept: Sequence[Criterion]) -> Score:
    """Return the score with the rubric reward of some criteria of `rubrics.PROOF` as its value.

    The reward is capped like the points. Without readable criteria there is no value.
    """
    if score.value is None:
        return score
    criteria = score.parts.get("criteria")
    if criteria is None:
        return replace(score, value=None, status=Status.JUDGE_ERROR, explanation="нет оценки по критериям")
    met = {name: value / 100 for name, value in criteria.items() if value is not None}
    weighed = rubric_reward(kept, met)
    cap = score.parts["final_answer"]["cap"]
    return replace(score, value=weighed if cap is None or weighed is None else min(weighed, cap / FULL))


def _ungraded(problem: ProofProblem, gate: Gate, status: Status) -> Score:
    """Score an answer that needs no grader: 0 points."""
    criteria: dict[str, float | None] = {**dict.fromkeys(CRITERIA, 0.0), "cases": None}
    if gate is Gate.NOT_DUE:
        criteria["final_answer"] = None
    parts = {
        "points": 0.0,
        "criteria": criteria,
        "mean": 0.0,
        "gated_mean": 0.0,
        "rubric": 0.0,
        "gate": gate.value,
        "ungated_points": 0.0,
        "final_answer": {"known": problem.answer, "stated": None, "by": "code", "reason": "", "cap": _cap(problem)},
        "graders": [],
        "spread": None,
        "escalated": False,
        **_about(problem),
    }
    return Score(0.0, status, parts, "0 из 7: решения нет" if status is Status.EMPTY else "0 из 7: ответа нет")


def _about(problem: ProofProblem) -> dict[str, Any]:
    scheme = problem.scheme.sha256 if problem.scheme is not None else None
    return {"scheme": scheme, "labels": dict(problem.labels)}


def _cap(problem: ProofProblem) -> int:
    return problem.scheme.wrong_answer_cap if problem.scheme is not None else WRONG_ANSWER_CAP


def _on_scale(judgement: Judgement, problem: ProofProblem) -> Judgement:
    """Reject a judgement if a grader gave points that are not on the scale."""
    allowed = problem.scheme.allowed if problem.scheme is not None else frozenset(range(FULL + 1))
    given = [grader["points"] for grader in _graders(judgement, 0)]
    if all(points is None or points in allowed for points in given):
        return judgement
    return Judgement(None, Status.WRONG_SCALE, {**judgement.details, "said": judgement.value})


def _graders(judgement: Judgement, draw: int) -> list[dict[str, Any]]:
    """Return the verdicts of one draw: the judge's, or those of the members of a jury, however nested."""
    value, status = judgement.value, judgement.status.value
    return _flat({**judgement.details, "value": value, "status": status}, draw)


def _flat(said: Mapping[str, Any], draw: int) -> list[dict[str, Any]]:
    if "members" in said:
        return [grader for member in said["members"] for grader in _flat(member, draw)]
    known = {"judge": said.get("judge", ""), "draw": draw, "points": said["value"], "status": said["status"]}
    return [{**known, **{name: value for name, value in said.items() if name != "value" and name not in known}}]


def _criteria(described: Judgement | None, final: FinalAnswer, cap: int | None) -> dict[str, Any]:
    nothing = {"criteria": None, "mean": None, "gated_mean": None, "rubric": None}
    if described is None:
        return nothing
    said = [{**grader, "mean": grader["points"]} for grader in _graders(described, 0)]
    for one in said:
        del one["points"]
    status = described.status.value
    if described.value is None or not said:
        return {**nothing, "criteria_status": status, "describers": said}
    criteria = {name: _percent([_said(one, russian) for one in said]) for name, russian in CRITERIA.items()}
    criteria["final_answer"] = {Gate.RIGHT: 100.0, Gate.WRONG: 0.0, Gate.MISSING: 0.0}.get(final.gate)
    correctness = criteria["correctness"]
    if cap is not None and correctness is not None:
        correctness = criteria["correctness"] = min(correctness, round(100 * cap / FULL, 2))
    mean = fmean(value for value in criteria.values() if value is not None)
    met = {name: value / 100 for name, value in criteria.items() if value is not None}
    weighed = rubric_reward(PROOF, met)
    return {
        "criteria": criteria,
        "mean": round(mean, 2),
        "gated_mean": round(mean if correctness is None else min(mean, correctness), 2),
        "rubric": weighed if cap is None or weighed is None else min(weighed, cap / FULL),
        "criteria_status": status,
        "describers": said,
    }


def _said(describer: Mapping[str, Any], criterion: str) -> float | None:
    if "unasked" in describer:
        return 0.0
    found: float | None = describer.get("read", {}).get(criterion)
    return found


def _percent(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 2) if known else None


def _failure(
    drawn: Sequence[Judgement], described: Judgement | None, final: FinalAnswer, compared: Judgement | None
) -> Status | None:
    failed = [judgement.status for judgement in drawn if judgement.value is None]
    if final.gate is Gate.UNDECIDED and compared is not None:
        failed.append(compared.status)
    if described is not None and described.status in APPARATUS_FAILURES:
        failed.append(described.status)
    return first_failure(failed) if failed else None


def _explained(points: float, ungated: float | None, cap: int | None) -> str:
    said = f"{points:g} из 7"
    if cap is not None:
        said += f": итоговый ответ неверен, поэтому не больше {cap}"
        said += f" (за рассуждение {ungated:g})" if ungated != points else ""
    return said


def _labels(score: Score) -> Mapping[str, str]:
    labels: Mapping[str, str] = score.parts.get("labels", {})
    return labels


def _points(score: Score) -> Iterable[Observation]:
    if score.parts.get("points") is not None:
        yield Observation(score.parts["points"], _labels(score))


def _solved(score: Score) -> Iterable[Observation]:
    if score.parts.get("points") is not None:
        yield Observation(float(score.parts["points"] == FULL), _labels(score))


def _percentages(score: Score) -> Iterable[Observation]:
    for name, value in (score.parts.get("criteria") or {}).items():
        if value is not None:
            yield Observation(value, {"criterion": name})


def _gated_means(score: Score) -> Iterable[Observation]:
    if score.parts.get("gated_mean") is not None:
        yield Observation(score.parts["gated_mean"])


def _right_answers(score: Score) -> Iterable[Observation]:
    gate = score.parts.get("gate")
    if gate in (Gate.RIGHT, Gate.WRONG, Gate.MISSING):
        yield Observation(float(gate == Gate.RIGHT))


def _escalations(score: Score) -> Iterable[Observation]:
    if score.parts.get("spread") is not None:
        yield Observation(float(score.parts["escalated"]))


def _people(score: Score) -> Iterable[Observation]:
    if "graders" in score.parts:
        yield Observation(float("human" in score.parts))


METRICS: Final = (
    Metric("points", _points, "Mean points, 0 to 7", unit="number", bounds=(0, FULL)),
    Metric("solved", _solved, "Solved, 7 of 7"),
    Metric("final_answer", _right_answers, "Final answer correct, where required"),
    Metric(
        "gated_mean",
        _gated_means,
        "Mean of the six criteria, at most the correctness, percent",
        unit="number",
        bounds=(0, 100),
    ),
    Metric("criteria", _percentages, "Criteria, percent", unit="number", bounds=(0, 100)),
    Metric("escalated", _escalations, "Graders differ by more than 2 points", partial=True),
    Metric("people", _people, "Points by a human grader"),
)
