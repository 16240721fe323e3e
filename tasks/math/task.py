"""Math tasks: the final answer is compared with the known one as mathematics.

How a verdict of the grader becomes a score:

* ``correct`` is 1 and ``wrong`` is 0, both ``ok``.
* ``unparsed`` is 0: no final answer was found (``missing``), or it was and cannot be told to mean what the known
  answer means (``malformed``): it is no mathematics, hedges, or repeats the problem or one of its formulas.
* ``limit`` is 0, ``malformed``: the answer exceeds the published bounds (length, nesting, size of powers and
  factorials), which no genuine answer comes near. It is scored, not masked: otherwise a policy could avoid a
  penalty with a tower of powers.
* ``timeout`` has no value, ``timeout``: the answer keeps the bounds and our worker did not decide in time, or died.
  It may be right, and on a faster machine it would be decided, so it is not a number. The exception is an answer
  that leaves an integral, a limit, a sum or a product to be worked out where the known answer has none: that is no
  final answer, and it is 0, ``malformed``.
* ``malformed`` has no value, ``scorer_error``: the known answer cannot be read, so nothing can be said about the
  model's.

An answer that was cut off at the token limit, or is empty, is scored as it stands with the status ``truncated`` or
``empty``. ``parts`` holds ``extracted``, ``gold``, ``verdict`` and, where the problem has them, ``labels``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..base import BaseTask
from ..types import Completion, Context, Metric, Observation, Sample, Score, Status, answer_status, mean_value
from .loaders import (
    Shape,
    aime_shape,
    any_shape,
    competition_shape,
    gsm8k_shape,
    make_sample,
    own_shape,
    read_problems,
)

OWN_PROBLEMS = Path(__file__).parent / "data" / "problems.jsonl"
"""120 problems; ``level`` is 1 for grades 5 and 6, 2 for 7 to 9, 3 for 10 and 11, 4 for olympiads."""

MAX_TOKENS = 2048
GENERATED_BY_DEFAULT = 500

_UNFINISHED = re.compile(r"\\(?:i{1,3}nt|oint|lim|sum|prod)(?![a-z])|[∫∑∏]")

_EXPLANATIONS = {
    "correct": "the answer is right",
    "wrong": "the answer is wrong",
    "unparsed": "the final answer is missing or cannot be read",
    "limit": "the final answer exceeds the bounds",
    "timeout": "the comparison timed out",
    "malformed": "the known answer cannot be used",
}


def _answered(score: Score) -> Iterable[Observation]:
    if score.value is not None:
        yield Observation(float(score.parts["verdict"] != "unparsed"))


METRICS = (
    mean_value("accuracy", "Accuracy", lambda score: score.parts.get("labels", {})),
    Metric("answered", _answered, "Final answer found"),
)


class _Checked(BaseTask):
    """Scoring shared by all math tasks."""

    __slots__ = ()

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Compare the final answer with the known one; see the module for statuses and parts."""
        return score_answer(sample, completion)

    def final_answer(self, completion: Completion) -> str | None:
        """Return the final answer as it is written, but for spaces and letter case."""
        from .grading import extract

        found = extract(completion.text)
        return "".join(found.split()).casefold() if found else None

    def gold(self, sample: Sample) -> Completion:
        """Return the answer alone."""
        return Completion(f"Ответ: {sample.target}")


@dataclass(frozen=True, slots=True)
class MathTask(_Checked):
    """Problems from a file, in the form that ``shape`` reads; without one, those of the task ``stand_in``."""

    name: str
    title: str
    shape: Shape
    stand_in: str | None = None
    version: str = "1"
    max_tokens: int = MAX_TOKENS
    metrics: tuple[Metric, ...] = METRICS

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the project's own problems, the first ``limit`` of them.

        Raises:
            UsageError: the split is not ``test``.
        """
        if split != "test":
            raise UsageError(f"{self.name} has only the split 'test', not '{split}'; math-generated has 'train'")
        return islice(read_problems(OWN_PROBLEMS, own_shape), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the problems of a file in the task's form, in its order.

        Raises:
            InputError: a record cannot be used (names file, line and field).
        """
        return read_problems(path, self.shape)


@dataclass(frozen=True, slots=True)
class GeneratedMath(_Checked):
    """Problems made by seeded families; ``difficulty`` (1 to 3) is mixed where it is ``None``."""

    name: str
    title: str
    difficulty: int | None = None
    version: str = "1"
    max_tokens: int = MAX_TOKENS
    metrics: tuple[Metric, ...] = METRICS

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield ``limit`` problems (500 where it is ``None``) of the families of the split.

        Raises:
            UsageError: the split is neither ``train`` nor ``test``.
        """
        from .generator import generate

        count = GENERATED_BY_DEFAULT if limit is None else limit
        for problem in generate(count, split=split, seed=seed, difficulty=self.difficulty):
            yield make_sample(problem.id, problem.text, problem.answer, problem.labels)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the problems of a file of the own form, as the generator's command prints them.

        Raises:
            InputError: a record cannot be used (names file, line and field).
        """
        return read_problems(path, own_shape)


def score_answer(sample: Sample, completion: Completion) -> Score:
    """Find the final answer in a completion and compare it with the sample's ``target``."""
    from .grading import given_back, grade

    found = grade(sample.target, completion.text)
    verdict = str(found.verdict)
    parts: dict[str, Any] = {"extracted": found.extracted, "gold": found.gold, "verdict": verdict}
    labels: Mapping[str, str] = sample.metadata.get("labels", {})
    if labels:
        parts["labels"] = dict(labels)
    explanation = _EXPLANATIONS[verdict] + (f": {found.reason}" if found.reason else "")
    if verdict == "timeout" and _UNFINISHED.search(found.extracted or "") and not _UNFINISHED.search(found.gold):
        return Score(0.0, Status.MALFORMED, parts, "the final answer is not evaluated")
    problem = sample.messages[-1].content if sample.messages else ""
    if verdict == "correct" and given_back(problem, completion.text, found.extracted or "", found.gold):
        return Score(0.0, Status.MALFORMED, parts | {"verdict": "unparsed"}, "the answer repeats the problem")
    if verdict == "timeout":
        return Score(None, Status.TIMEOUT, parts, explanation)
    if verdict == "malformed":
        return Score(None, Status.SCORER_ERROR, parts, explanation)
    status = Status.MALFORMED if verdict in ("unparsed", "limit") else Status.OK
    if verdict == "unparsed" and not found.extracted:
        status = Status.MISSING
    return Score(float(verdict == "correct"), answer_status(completion, status), parts, explanation)


math = MathTask("math", "Math (own problems in Russian)", any_shape)
gsm8k = MathTask("gsm8k", "GSM8K", gsm8k_shape, stand_in="math")
competition_math = MathTask("competition-math", "MATH and MATH-500", competition_shape, stand_in="math")
aime = MathTask("aime", "AIME", aime_shape, stand_in="math")
math_generated = GeneratedMath("math-generated", "Math, generated problems in Russian")
