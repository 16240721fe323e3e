"""Rewards for verl, whose ``reward.custom_reward_function.path`` names a file of yours with one line.

That line is ::

    from evalkit.trainer.rewards.adapters.verl import compute_score

verl calls ``compute_score(data_source, solution_str, ground_truth, extra_info, **reward_kwargs)`` for each answer;
it takes a number, or a dict of numbers with ``score``, the same keys every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ....evals.engine.scoring import DEADLINE_SECONDS
from ..mix import component_names
from .bridge import RewardBridge, answer_of, chat_samples, decode_sample, encode_sample, number_of


def verl_rows(
    task: str, *, split: str = "train", limit: int | None = None, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield rows for verl's parquet files; ``ground_truth`` is the sample, ``data_source`` the task.

    Raises:
        UsageError: an unknown task or split.
    """
    for index, (sample, chat) in enumerate(chat_samples(task, split=split, limit=limit, seed=seed)):
        yield {
            "data_source": task,
            "prompt": chat,
            "ability": task,
            "reward_model": {"style": "rule", "ground_truth": encode_sample(sample)},
            "extra_info": {"split": split, "index": index},
        }


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    *,
    reward: Mapping[str, float] | None = None,
    unscored: float | None = None,
    workers: int = 1,
    deadline: float = DEADLINE_SECONDS,
    **others: Any,
) -> dict[str, float]:
    """Return ``{"score", "scored", …components}`` of one answer.

    Args:
        data_source: the task that scores it, unless ``reward`` is given.
        solution_str: the answer.
        ground_truth: the sample, as `verl_rows` wrote it.
        extra_info: not read.
        reward: a mix of tasks and plugins with their weights.
        unscored: the score of an answer that could not be scored (verl cannot leave it out); None raises instead.
        workers: processes a part.
        deadline: seconds for one answer.
        others: what else verl passes; not read.

    Raises:
        UsageError: an unknown task.
        InputError: ``ground_truth`` is not a sample.
        RunError: the answer could not be scored and ``unscored`` is None.
    """
    spec = tuple(reward.items()) if reward is not None else ((data_source, 1.0),)
    bridge = _bridge(spec, workers, deadline)
    found = bridge.score([(decode_sample(ground_truth), answer_of(solution_str))])[0]
    components = {name: found.components.get(name, math.nan) for name in component_names(bridge.parts)}
    return {"score": number_of(found, unscored), "scored": float(found.value is not None)} | components


@cache
def _bridge(spec: tuple[tuple[str, float], ...], workers: int, deadline: float) -> RewardBridge:
    return RewardBridge(dict(spec), workers=workers, deadline=deadline)
