"""Proof tasks: IMO 2025, IMO-ProofBench, and the project's own problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...errors import UsageError, nearest
from ..base import BaseTask, Grading, HumanVerdict, check_split
from ..rubrics import PROOF, Criterion
from ..types import Completion, Context, Metric, Sample, Score, Status
from . import people, scoring
from .loader import read_problems
from .scoring import METRICS, RULES

OWN_PROBLEMS = Path(__file__).parent / "data" / "problems.jsonl"


@dataclass(frozen=True, slots=True)
class ProofTask(BaseTask):
    """Problems whose solutions are graded from 0 to 7 by a marking scheme, and described by six criteria.

    Published problems are read from a file; without one a run has the problems of the task that ``stand_in`` names.
    Points are drawn ``draws`` times and combined by ``rule`` (``min``, ``median`` or ``mean``); a jury combines its
    members by its own rule. Without ``criteria`` a solution takes one judge call less. With a ``rubric`` the value
    is the rubric reward instead of the points.

    Raises:
        UsageError: unknown rule, no draws, or a rubric without criteria.
    """

    name: str
    title: str
    stand_in: str | None = None
    draws: int = 1
    rule: str = "median"
    criteria: bool = True
    rubric: tuple[Criterion, ...] = ()
    version: str = "1"
    max_tokens: int = 8192
    metrics: tuple[Metric, ...] = METRICS
    needs: tuple[str, ...] = ("judge",)

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise UsageError(f"{self.name}: unknown rule '{self.rule}' for draws.{nearest(self.rule, RULES)}")
        if self.rubric and not self.criteria:
            raise UsageError(f"{self.name}: a rubric requires criteria=True")
        if self.draws < 1:
            raise UsageError(f"{self.name}: draws must be at least 1, got {self.draws}")

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the project's own problems, the first ``limit`` of them.

        Raises:
            UsageError: the split is not ``test``.
        """
        check_split(self.name, split)
        return islice(self.read(OWN_PROBLEMS), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the problems of a file in any of the published forms; see `loader.read_problems`.

        Raises:
            InputError: a record cannot be used (names file, line and field).
        """
        return read_problems(path)

    def gradings(self, sample: Sample) -> int:
        """Return how many gradings one solution takes, without the comparison of final answers."""
        return self.draws + self.criteria

    async def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Grade the solution with the judge; see `scoring` for the rule and the parts."""
        if context.judge is None:
            return Score(None, Status.JUDGE_ERROR, explanation=f"{self.name} needs a judge: give --judge MODEL")
        score = await scoring.grade(
            sample, completion, context.judge, draws=self.draws, rule=self.rule, criteria=self.criteria
        )
        return self.by_rubric(score, self.rubric) if self.rubric else score

    def by_rubric(self, score: Score, kept: Sequence[Criterion]) -> Score:
        """Return a score by some of the rubric's criteria; see `scoring.by_rubric`."""
        return scoring.by_rubric(score, kept)

    def review(self, completion: Completion, score: Score) -> Iterable[Grading]:
        """Yield the points of the whole solution for review; see `people.review`."""
        return people.review(completion, score)

    def settle(self, score: Score, verdict: HumanVerdict) -> Score:
        """Return the score with a reviewer's points, not capped by the gate; see `people.settle`."""
        return people.settle(score, verdict)


imo = ProofTask("imo", "IMO 2025, proofs", stand_in="imo-mini")
proofbench = ProofTask("proofbench", "IMO-ProofBench", stand_in="imo-mini")
imo_mini = ProofTask("imo-mini", "Olympiad problems, proofs (own, in Russian)")
proof_rubric = ProofTask("proof-rubric", "Proofs by six criteria", stand_in="imo-mini", rubric=PROOF)
