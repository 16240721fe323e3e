"""Rewards for TRL's trainers (``GRPOTrainer``, ``RLOOTrainer``): ``reward_funcs=trl_reward("ruifeval-mini")``.

TRL calls ``f(prompts, completions, completion_ids, **columns, trainer_state, log_extra, log_metric)`` and takes a
list of numbers, with None for an answer that has none: it stays out of the group's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ....evals.engine.scoring import DEADLINE_SECONDS
from ...recipe.fields import RewardSpec
from .bridge import COLUMN, RewardBridge, answer_of, chat_samples, decode_sample, encode_sample

RewardFunction = Callable[..., list[float | None]]


def trl_rows(
    task: str, *, split: str = "train", limit: int | None = None, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield rows for ``datasets.Dataset.from_list(list(trl_rows(…)))``: ``prompt`` and the sample.

    Raises:
        UsageError: an unknown task or split.
    """
    for sample, chat in chat_samples(task, split=split, limit=limit, seed=seed):
        yield {"prompt": chat, COLUMN: encode_sample(sample)}


def trl_reward(
    spec: RewardSpec, *, seed: int = 0, workers: int = 1, deadline: float = DEADLINE_SECONDS
) -> RewardFunction:
    """Return one reward function for TRL, which logs each component and the share of unscored answers.

    Args:
        spec: a task, a plugin, or a mix (`rewards.mix.open_reward`); its weights are inside, so TRL's stay 1.
        seed: for scorers that draw.
        workers: processes a part.
        deadline: seconds for one answer.

    Raises:
        UsageError: an unknown name.
    """
    bridge = RewardBridge(spec, seed=seed, workers=workers, deadline=deadline)

    def reward(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        samples = [decode_sample(value) for value in columns[COLUMN]]
        answers = [answer_of(completion) for completion in completions]
        rewards = bridge.score(list(zip(samples, answers, strict=True)))
        _log(rewards, columns.get("log_metric"), columns.get("log_extra"))
        return [found.value for found in rewards]

    reward.__name__ = bridge.name
    return reward


def _log(
    rewards: Sequence[Any],
    log_metric: Callable[[str, float], None] | None,
    log_extra: Callable[[str, list[Any]], None] | None,
) -> None:
    if log_metric is not None and rewards:
        unscored = sum(reward.value is None for reward in rewards)
        log_metric("unscored", unscored / len(rewards))
        for name in sorted({name for reward in rewards for name in reward.components}):
            values = [reward.components[name] for reward in rewards if name in reward.components]
            log_metric(name, sum(values) / len(values))
    if log_extra is not None:
        log_extra("why_unscored", [reward.why_unscored for reward in rewards])
