"""The three tasks: the published questions, the repaired ones, and the project's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..base import BaseTask, Grading, HumanVerdict, check_split
from ..types import Completion, Context, Metric, Sample, Score, Status
from . import people
from .errata import repaired
from .loader import read_questions, reference_file
from .scoring import METRICS, grade

OWN_QUESTIONS = Path(__file__).parent / "data" / "mini.jsonl"


@dataclass(frozen=True, slots=True)
class RuMTBench(BaseTask):
    """Conversations of two turns in Russian, rated by a judge.

    The published questions are read from a file; without it a run has the questions of the task that ``stand_in``
    names. With ``repairs`` the documented errata are applied.
    """

    name: str
    title: str
    repairs: bool = False
    stand_in: str | None = None
    version: str = "1"
    max_tokens: int = 1024
    metrics: tuple[Metric, ...] = METRICS
    needs: tuple[str, ...] = ("judge",)
    forms: tuple[str, ...] = ("rating", "rating-reference", "rating-turn-2", "rating-turn-2-reference")

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the project's own questions, the first ``limit`` of them.

        Raises:
            UsageError: the split is not ``test``.
        """
        check_split(self.name, split)
        return islice(self.read(OWN_QUESTIONS), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the questions of a file in the published form, in its order; see `loader.read_questions`.

        Raises:
            InputError: a line cannot be used (names file, line and field), or reference answers are missing.
        """
        for sample in read_questions(path):
            yield repaired(sample) if self.repairs else sample

    def sources(self, path: Path) -> tuple[Path, ...]:
        """Return the files that the questions come from: the one given, and that of the references beside it."""
        beside = reference_file(path)
        return (path,) if beside is None else (path, beside)

    def gradings(self, sample: Sample) -> int:
        """Return how many gradings one answer to the sample takes: one a turn."""
        return len(sample.turns)

    async def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Rate each turn with the judge; see `scoring.grade` for the parts."""
        if context.judge is None:
            return Score(None, Status.JUDGE_ERROR, explanation=f"{self.name} needs a judge: give --judge MODEL")
        return await grade(sample, completion, context.judge)

    def review(self, completion: Completion, score: Score) -> Iterable[Grading]:
        """Yield the rating of each turn; see `people.review`."""
        return people.review(completion, score)

    def settle(self, score: Score, verdict: HumanVerdict) -> Score:
        """Return the score with a reviewer's rating of a turn; see `people.settle`."""
        return people.settle(score, verdict)


rumtbench = RuMTBench("rumtbench", "ruMT-Bench", stand_in="rumtbench-mini")
rumtbench_fixed = RuMTBench("rumtbench-fixed", "ruMT-Bench, repaired", repairs=True, stand_in="rumtbench-mini")
rumtbench_mini = RuMTBench("rumtbench-mini", "ruMT-Bench mini (own questions)")
