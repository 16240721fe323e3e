"""A step's sampled answers in the logs: measures for ``metrics.jsonl``, rows for ``answers.jsonl``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...evals.records.training import AnswerRow
from ..rewards import monitors
from ..rewards.watching import watched_means
from ..rollouts.records import Answer, Group
from .log import component_means


def metrics_of(groups: Sequence[Group], *, informative: int) -> dict[str, Any]:
    """Describe the answers of a step; ``informative`` is how many of the groups have differing rewards."""
    answers = [answer for group in groups for answer in group.answers]
    rewards = [answer.reward for answer in answers]
    measured = [reward for reward in rewards if reward is not None]
    mean = sum(measured) / len(measured) if measured else None
    spread = math.sqrt(sum((one - mean) ** 2 for one in measured) / len(measured)) if mean is not None else None
    count = max(1, len(answers))
    texts = [[answer.text for answer in group.answers] for group in groups]
    return {
        "reward": mean,
        "reward_deviation": spread,
        "components": component_means([answer.components for answer in answers]),
        "watched": watched_means(answers),
        "families": component_means(
            [{group.family: reward} for group in groups for reward in group.rewards if reward is not None]
        ),
        "sampled": len(groups),
        "informative": informative,
        "unscored": (len(answers) - len(measured)) / count,
        "truncated": sum(answer.finish_reason == "length" for answer in answers) / count,
        "generated_tokens": sum(len(answer.tokens) for answer in answers),
        **monitors.measure(texts, [len(answer.tokens) for answer in answers]),
    }


def answer_row(step: int, group: Group, answer: Answer, critic: Mapping[str, Any] | None) -> AnswerRow:
    """Return an answer as a row of ``answers.jsonl``, with what its ``critic`` said of it, if it has one."""
    return AnswerRow(
        step, group.family, group.sample, group.version, answer.text, answer.reward, answer.shaped,
        answer.components, answer.watched, answer.problem, len(answer.tokens), answer.finish_reason, critic,
    )  # fmt: skip
