"""How a sample is put to a model: a chat, or several turns of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from ..tasks.types import Completion, Message, Sample, Usage

Ask = Callable[[Sequence[Message]], Awaitable[Completion]]
"""Puts one chat to the model and keeps the answer safe before returning it."""


async def single(sample: Sample, ask: Ask) -> Completion:
    """Ask once, or once a turn, each turn seeing the model's own answers before it.

    The completion of several turns has the last answer as its ``text``, all answers as ``turns``, and the sums of
    their tokens and latencies.
    """
    if not sample.turns:
        return await ask(sample.messages)
    chat = list(sample.messages)
    answers: list[Completion] = []
    for turn in sample.turns:
        chat.append(Message("user", turn))
        answers.append(await ask(chat))
        chat.append(Message("assistant", answers[-1].text))
    last = answers[-1]
    return Completion(
        text=last.text,
        reasoning="\n\n".join(answer.reasoning for answer in answers if answer.reasoning) or None,
        finish_reason=last.finish_reason,
        usage=Usage(
            _total(answer.usage.prompt_tokens for answer in answers),
            _total(answer.usage.completion_tokens for answer in answers),
        ),
        latency=sum(answer.latency or 0.0 for answer in answers),
        turns=tuple(answer.text for answer in answers),
    )


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
