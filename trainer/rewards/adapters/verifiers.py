"""Rewards for verifiers: ``vf.Rubric(**verifiers_rubric("ruifeval-mini"))``, or a reward of a v1 taskset.

A v0 rubric calls each function with the arguments it names (``completion``, ``info``, ``state``, …). It turns an
exception into the reward 0.0, so an answer that could not be scored gets NaN and its ``state["error"]`` set: such
rollouts are not to be trained on.

The configuration of a v1 taskset names a function by its file, where ``mine = verifiers_reward(…)`` stands. v1
keeps a reward that raised as an error without a value.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ....errors import RunError
from ....evals.engine.scoring import DEADLINE_SECONDS
from ...recipe.fields import RewardSpec
from .bridge import COLUMN, RewardBridge, answer_of, chat_samples, decode_sample, encode_sample, number_of


def verifiers_rows(
    task: str, *, split: str = "train", limit: int | None = None, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield rows for the dataset of an environment: ``prompt``, ``answer`` and ``info`` with the sample.

    Raises:
        UsageError: an unknown task or split.
    """
    for sample, chat in chat_samples(task, split=split, limit=limit, seed=seed):
        answer = sample.target if isinstance(sample.target, str) else ""
        yield {"prompt": chat, "answer": answer, "info": {COLUMN: encode_sample(sample)}}


def verifiers_rubric(
    spec: RewardSpec, *, seed: int = 0, workers: int = 1, deadline: float = DEADLINE_SECONDS
) -> dict[str, list[Any]]:
    """Return ``funcs`` and ``weights`` of a rubric: one function for each part of the reward.

    Args:
        spec: a task, a plugin, or a mix (`rewards.mix.open_reward`).
        seed: for scorers that draw.
        workers: processes a part.
        deadline: seconds for one answer.

    Raises:
        UsageError: an unknown name.
    """
    weights = {spec: 1.0} if isinstance(spec, str) else dict(spec)
    functions = [_function(RewardBridge(name, seed=seed, workers=workers, deadline=deadline)) for name in weights]
    return {"funcs": functions, "weights": list(weights.values())}


def _function(bridge: RewardBridge) -> Callable[..., Awaitable[float]]:
    async def score(completion: Any, info: Any, state: Any) -> float:
        answer = answer_of(completion, truncated=bool(state.get("is_truncated")))
        found = (await bridge.score_async([(decode_sample(info[COLUMN]), answer)]))[0]
        if found.value is None:
            state["error"] = RunError(found.why_unscored)
            return math.nan
        return found.value

    score.__name__ = bridge.name
    return score


def verifiers_reward(
    spec: RewardSpec, *, seed: int = 0, workers: int = 1, deadline: float = DEADLINE_SECONDS
) -> Callable[..., Awaitable[float]]:
    """Return a v1 reward, ``f(task, trace)``: the task's data has the sample in its field ``evalkit_sample``.

    Raises:
        UsageError: an unknown name.
    """
    bridge = RewardBridge(spec, seed=seed, workers=workers, deadline=deadline)

    async def score(task: Any, trace: Any) -> float:
        sample = decode_sample(getattr(task.data, COLUMN))
        found = (await bridge.score_async([(sample, answer_of(trace.last_reply))]))[0]
        return number_of(found, None)

    score.__name__ = bridge.name
    return score
