"""The turns of a sample, each put to the solver with the answers before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random

from ...tasks.types import Completion, Message, Sample, Usage
from .base import Ask, Question, Solution, Solver


def final_text(completion: Completion) -> str | None:
    """Return the text without differences of case and white space, None if it is empty."""
    return " ".join(completion.text.split()).casefold() or None


async def solve(
    sample: Sample,
    solver: Solver,
    ask: Ask,
    *,
    seed: str,
    final_answer: Callable[[Completion], str | None] = final_text,
) -> Solution:
    """Answer a sample, each turn seeing the model's own answers before it.

    The completion of several turns has the last answer as its ``text``, all answers as ``turns``, and the sums of
    their tokens and latencies. Candidates are those of a sample of one turn: drafts of a turn alone answer nothing.

    Args:
        sample: what is asked.
        solver: how.
        ask: puts a chat to the model.
        seed: of the order in which candidates are shown.
        final_answer: what equal answers have in common.

    Raises:
        ModelError: no answer was obtained.
    """
    random = Random(seed)
    if not sample.turns:
        return await solver.answer(Question(sample.messages, ask, final_answer, random))
    chat = list(sample.messages)
    answers: list[Completion] = []
    for turn in sample.turns:
        chat.append(Message("user", turn))
        solution = await solver.answer(Question(tuple(chat), ask, final_answer, random))
        answers.append(solution.completion)
        chat.append(Message("assistant", answers[-1].text))
    last = answers[-1]
    together = replace(
        last,
        reasoning="\n\n".join(answer.reasoning for answer in answers if answer.reasoning) or None,
        usage=total_usage(answers),
        latency=sum(answer.latency or 0.0 for answer in answers),
        turns=tuple(answer.text for answer in answers),
    )
    return Solution(together)


def total_usage(completions: Iterable[Completion]) -> Usage:
    """Return the tokens of several answers together."""
    usages = [completion.usage for completion in completions]
    return Usage(
        _total(usage.prompt_tokens for usage in usages), _total(usage.completion_tokens for usage in usages)
    )


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
