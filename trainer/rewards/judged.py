"""A judge's rating of any answer as a reward: for prompts that no checker knows, and for a gold judge."""

from __future__ import annotations

from dataclasses import dataclass

from ...tasks.types import Completion, Context, Sample, Score, Status
from .mix import PromptlessTask

LOWEST, HIGHEST = 1, 10


@dataclass(frozen=True, slots=True)
class JudgeRating(PromptlessTask):
    """The rating of an answer to a chat, from 1 to 10, as (rating - 1) / 9; a target that is a text is shown."""

    name: str = "judge-rating"
    title: str = "Rating by a judge"
    version: str = "1"
    needs: tuple[str, ...] = ("judge",)
    forms: tuple[str, ...] = ("rating", "rating-reference")

    async def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Ask the judge for a rating."""
        if context.judge is None:
            return Score(None, Status.JUDGE_ERROR, explanation=f"{self.name} needs a judge")
        fields = {
            "question": "\n\n".join(message.content for message in sample.messages),
            "answer": completion.text,
        }
        form = "rating"
        if isinstance(sample.target, str):
            form, fields["reference"] = "rating-reference", sample.target
        grading = await context.judge.grade(form, fields)
        parts = {"rating": grading.value, "judge": dict(grading.details)}
        value = None if grading.value is None else (grading.value - LOWEST) / (HIGHEST - LOWEST)
        return Score(value, grading.status, parts)


judge_rating = JudgeRating()
