"""The score of a completion, with its final answer and languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...tasks.base import BaseTask
from ...tasks.text.language import completion_fidelity
from ...tasks.types import Completion, Score


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """The score of a completion, with its final answer and languages.

    ``answer`` is the final answer that votes are counted by, if the task names one; ``language`` is what
    `completion_fidelity` found.
    """

    score: Score
    answer: str | None = None
    language: Mapping[str, Any] | None = None


def examine(task: BaseTask, completion: Completion) -> tuple[str | None, dict[str, Any] | None]:
    """Return the final answer (None unless the task names one) and the languages of a completion."""
    answer = None if task.final_answer is None else task.final_answer(completion)
    # A plugin may count votes by numbers; a row keeps texts.
    answer = None if answer is None else str(answer)
    spoken = completion.text or completion.reasoning or completion.turns
    return answer, completion_fidelity(completion) if spoken else None
