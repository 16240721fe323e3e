"""The three tasks: the published rules, the repaired ones, and the project's own prompts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..base import BaseTask, check_split
from ..types import Completion, Context, Metric, Sample, Score
from .defects import repaired
from .fixes import ALL_FIXES, NO_FIXES, Fix, Fixes
from .loader import read_prompts
from .scoring import METRICS, score_answer

OWN_PROMPTS = Path(__file__).parent / "data" / "mini.jsonl"
TRAIN_PROMPTS = 1000


@dataclass(frozen=True, slots=True)
class RuIFEval(BaseTask):
    """Verifiable instructions in Russian.

    The published prompts are read from a file; without it a run has the prompts of the task that ``stand_in``
    names. ``fixes`` are the repairs applied to rules and prompts. With ``trainable`` there is a split
    ``train``, whose prompts share no theme, wording or parameters with those of ``test``.
    """

    name: str
    title: str
    fixes: Fixes = NO_FIXES
    stand_in: str | None = None
    trainable: bool = False
    version: str = "1"
    max_tokens: int = 1280
    metrics: tuple[Metric, ...] = METRICS

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the project's own prompts, the first ``limit`` of them.

        Those of ``test`` are always the same; those of ``train`` are generated from the
        ``seed``, `TRAIN_PROMPTS` of them without a ``limit``.

        Raises:
            UsageError: there is no such split.
        """
        check_split(self.name, split, ("train", "test") if self.trainable else ("test",))
        if split == "train":
            from .generator.prompts import generate_samples

            return generate_samples(TRAIN_PROMPTS if limit is None else limit, split="train", seed=seed)
        return islice(self.read(OWN_PROMPTS), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the prompts of a file in the published form, in its order.

        Raises:
            InputError: a line cannot be used (names file, line and field).
        """
        for sample in read_prompts(path):
            yield repaired(sample, self.fixes)

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Check one answer against the prompt's instructions; see `scoring.score_answer` for the parts."""
        return score_answer(sample, completion, self.fixes)

    def gold(self, sample: Sample) -> Completion:
        """Return an answer that follows every instruction of a generated prompt."""
        from .generator.answers import satisfying_answer

        return Completion(satisfying_answer(sample))

    def wrong(self, sample: Sample) -> Iterable[Completion]:
        """Yield, for each instruction of a generated prompt, an answer that narrowly fails it alone."""
        from .generator.answers import violating_answer

        for index in range(len(sample.metadata["instructions"])):
            yield Completion(violating_answer(sample, index))


ruifeval = RuIFEval("ruifeval", "ruIFEval", stand_in="ruifeval-mini")
ruifeval_fixed = RuIFEval("ruifeval-fixed", "ruIFEval, repaired", fixes=ALL_FIXES, stand_in="ruifeval-mini")
# Its prompts ask for 150 words at most, which is some 400 tokens.
ruifeval_mini = RuIFEval(
    "ruifeval-mini",
    "ruIFEval mini (own prompts)",
    frozenset({Fix.REPEATED_PROMPT, Fix.INVISIBLE_ANSWER}),
    trainable=True,
    max_tokens=512,
)
