"""Rewards for open-instruct: a verifier class, made before open-instruct builds its verifiers.

open-instruct makes an instance of every subclass of ``VerifierFunction`` and asks the one that a row's ``dataset``
names: ``async_call(tokenized_prediction, prediction, label, query, rollout_state)``. It multiplies scores by its
``verification_reward``, and has no way to leave an answer out.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ....errors import UsageError
from ....evals.engine.scoring import DEADLINE_SECONDS
from ...recipe.fields import RewardSpec
from ..mix import Reward
from .bridge import RewardBridge, answer_of, chat_samples, decode_sample, encode_sample, number_of


def open_instruct_rows(
    task: str, *, name: str | None = None, split: str = "train", limit: int | None = None, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield rows: ``messages``, ``ground_truth`` (the sample) and ``dataset`` (the verifier's name).

    Raises:
        UsageError: an unknown task or split.
    """
    for sample, chat in chat_samples(task, split=split, limit=limit, seed=seed):
        yield {"messages": chat, "ground_truth": encode_sample(sample), "dataset": (name or task).lower()}


def open_instruct_verifier(
    spec: RewardSpec,
    *,
    name: str | None = None,
    weight: float = 1.0,
    unscored: float | None = None,
    seed: int = 0,
    workers: int = 1,
    deadline: float = DEADLINE_SECONDS,
) -> type:
    """Make a verifier class of a reward; open-instruct finds it by itself as long as it is kept.

    Args:
        spec: a task, a plugin, or a mix (`rewards.mix.open_reward`).
        name: what the rows' ``dataset`` says; by default the task's name.
        weight: open-instruct's own.
        unscored: the score of an answer that could not be scored; None raises instead.
        seed: for scorers that draw.
        workers: processes a part.
        deadline: seconds for one answer.

    Raises:
        UsageError: open-instruct is not installed, an unknown name, or a mix without a ``name``.
    """
    try:
        theirs: Any = import_module("open_instruct.ground_truth_utils")
    except ImportError as error:
        raise UsageError(f"open-instruct cannot be imported here ({error})") from error
    if name is None and not isinstance(spec, str):
        raise UsageError("a verifier of several rewards needs a name, that of the rows' dataset")
    bridge = RewardBridge(spec, seed=seed, workers=workers, deadline=deadline)
    verifier_name = (name or str(spec)).lower()

    def result(reward: Reward) -> Any:
        reasoning = reward.why_unscored or "; ".join(score.explanation for score in reward.scores.values())
        return theirs.VerificationResult(score=number_of(reward, unscored), reasoning=reasoning)

    class EvalkitVerifier(theirs.VerifierFunction):  # type: ignore[misc]
        """An evalkit reward."""

        def __init__(self, verifier_config: Any = None) -> None:
            super().__init__(verifier_name, weight=weight, verifier_config=verifier_config)

        def __call__(self, tokenized_prediction: list[int], prediction: str, label: Any, *_: Any, **__: Any) -> Any:
            return result(bridge.score([(decode_sample(label), answer_of(prediction))])[0])

        async def async_call(
            self, tokenized_prediction: list[int], prediction: str, label: Any, *_: Any, **__: Any
        ) -> Any:
            (reward,) = await bridge.score_async([(decode_sample(label), answer_of(prediction))])
            return result(reward)

    return EvalkitVerifier
