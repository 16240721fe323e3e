"""Several drafts, and one answer made of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from ...errors import ModelError
from ...tasks.types import Completion, Message
from .base import Question, Solution
from .conversation import total_usage
from .prompts import choose_draft, chosen_number, merge_drafts


class _Drafting:
    def __init__(self, drafts: int) -> None:
        self.drafts = drafts


class Vote(_Drafting):
    """The answer that most drafts agree on (self-consistency, Wang et al. 2023, arXiv 2203.11171)."""

    name = "vote"

    async def answer(self, question: Question) -> Solution:
        """Answer one chat."""
        drafts = await draw(question, self.drafts)
        return _solution(drafts, winner([question.final_answer(draft) for draft in drafts]), drafts)


class BestOf(_Drafting):
    """The draft that the model itself finds best; the first one if its choice cannot be read."""

    name = "best_of"

    async def answer(self, question: Question) -> Solution:
        """Answer one chat."""

        def pick(drafts: Sequence[Completion], shown: Sequence[int], choice: Completion) -> Solution:
            number = chosen_number(choice.text, len(shown))
            return _solution(drafts, shown[number - 1] if number else 0, [*drafts, choice])

        return await _with_critic(question, self.drafts, choose_draft, pick)


class MultiAgent(_Drafting):
    """Drafts made side by side, and a critic that merges the best of all into one answer."""

    name = "multi_agent"

    async def answer(self, question: Question) -> Solution:
        """Answer one chat."""

        def merge(drafts: Sequence[Completion], shown: Sequence[int], merged: Completion) -> Solution:
            latency = _longest(drafts) + (merged.latency or 0.0)
            return Solution(replace(merged, usage=total_usage([*drafts, merged]), latency=latency), tuple(drafts))

        return await _with_critic(question, self.drafts, merge_drafts, merge)


async def _with_critic(
    question: Question,
    count: int,
    request: Callable[[Sequence[Message], Sequence[str], Random], Sequence[Message]],
    conclude: Callable[[Sequence[Completion], Sequence[int], Completion], Solution],
) -> Solution:
    """Draw drafts and show a critic those that say anything, in random order: critics favour what comes first.

    With less than two of them there is nothing to criticise.
    """
    drafts = await draw(question, count)
    shown = [at for at, draft in enumerate(drafts) if draft.text.strip()]
    question.random.shuffle(shown)
    if len(shown) < 2:
        return _solution(drafts, shown[0] if shown else 0, drafts)
    asked = request(question.messages, [drafts[at].text for at in shown], question.random)
    return conclude(drafts, shown, await question.ask(asked, greedy=True))


async def draw(question: Question, count: int) -> list[Completion]:
    """Draw drafts side by side; those that the server failed to give are left out.

    Raises:
        ModelError: all drafts failed, or no other request can succeed either.
    """
    asked = (question.ask(question.messages, draw=number) for number in range(count))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    drafts = [answer for answer in answers if not isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, ModelError) or failure.fatal or not drafts:
            raise failure
    return drafts


def winner(answers: Sequence[str | None]) -> int:
    """Return the place of the first answer that is given most often; ``None`` is no vote."""
    votes = Counter(answer for answer in answers if answer is not None)
    if not votes:
        return 0
    most = max(votes.values())
    return next(at for at, answer in enumerate(answers) if answer is not None and votes[answer] == most)


def _solution(drafts: Sequence[Completion], chosen: int, spent: Sequence[Completion]) -> Solution:
    after = sum(answer.latency or 0.0 for answer in spent[len(drafts) :])
    answer = replace(drafts[chosen], usage=total_usage(spent), latency=_longest(drafts) + after)
    return Solution(answer, tuple(drafts), chosen)


def _longest(drafts: Sequence[Completion]) -> float:
    return max(draft.latency or 0.0 for draft in drafts)
