"""One answer to one chat."""

from __future__ import annotations

from ..models.reasoning import split_reasoning
from .base import Question, Solution
from .prompts import think_first


class Single:
    """Asks once."""

    name = "single"
    drafts = 1

    async def answer(self, question: Question) -> Solution:
        """Answer one chat."""
        return Solution(await question.ask(question.messages))


class ChainOfThought:
    """Asks once, for a thought and then an answer (Wei et al. 2022, arXiv 2201.11903); the thought is split off."""

    name = "cot"
    drafts = 1

    async def answer(self, question: Question) -> Solution:
        """Answer one chat."""
        return Solution(split_reasoning(await question.ask(think_first(question.messages))))
