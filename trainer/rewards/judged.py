"""A judge's rating of any answer as a reward: for prompts that no checker knows, and for a gold judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...tasks.base import BaseTask
from ...tasks.types import Completion, Context, Metric, Sample, Score, Status, mean_value

LOWEST, HIGHEST = 1, 10


@dataclass(frozen=True, slots=True)
class JudgeRating(BaseTask):
    """The rating of an answer to a chat, from 1 to 10, as (rating - 1) / 9; a target that is a text is shown."""

    name: str = "judge-rating"
    title: str = "Rating by a judge"
    version: str = "1"
    max_tokens: int = 1024
    metrics: tuple[Metric, ...] = (mean_value(),)
    needs: tuple[str, ...] = ("judge",)
    forms: tuple[str, ...] = ("rating", "rating-reference")

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Refuse: there are none.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.name} has no prompts of its own; it rates the answers to another task's")

    def read(self, path: Path) -> Iterable[Sample]:
        """Refuse: there is no published form.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.name} reads no files; give {path} to a task")

    async def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Have the answer rated."""
        if context.judge is None:
            return Score(None, Status.JUDGE_ERROR, explanation=f"{self.name} needs a judge")
        fields = {
            "question": "\n\n".join(message.content for message in sample.messages),
            "answer": completion.text,
        }
        form = "rating"
        if isinstance(sample.target, str):
            form, fields["reference"] = "rating-reference", sample.target
        said = await context.judge.grade(form, fields)
        parts = {"rating": said.value, "judge": dict(said.details)}
        value = None if said.value is None else (said.value - LOWEST) / (HIGHEST - LOWEST)
        return Score(value, said.status, parts)


judge_rating = JudgeRating()
