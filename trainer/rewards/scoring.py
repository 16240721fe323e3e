"""From sampled tokens to rewards: the tasks' own scorers in their worker processes, and what length does to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...evals.judging.opening import VERDICTS, open_judging
from ...evals.models.base import ModelOptions
from ...tasks.base import BaseTask
from ...tasks.types import Completion
from ..data.prompts import Prompt, PromptFamily
from ..losses.groups import informative, reward_tensor, usable
from ..recipe.fields import Grader, Recipe, RewardSpec
from ..recipe.kinds import Shaping
from ..rollouts.records import Answer, Group
from .adapters.bridge import RewardBridge, answer_of
from .mix import Reward, open_reward, with_rubric_dropout

if TYPE_CHECKING:
    from ..policy.local_sampler import Sampled


class FamilyRewards:
    """The rewards of all families, open in worker processes until `close`.

    Raises:
        UsageError: a reward is graded by a model, and the recipe has no ``judge``.
    """

    def __init__(self, families: Mapping[str, PromptFamily], recipe: Recipe, directory: Path) -> None:
        self._dropout = (recipe.rubric_dropout, recipe.seed)
        self._bridges: dict[str, RewardBridge] = {}
        shared: dict[str, RewardBridge] = {}
        for name, family in families.items():
            key = str(family.reward)
            if key not in shared:
                shared[key] = open_bridge(family.reward, recipe, recipe.judge, directory, f"prompts.{name}")
            self._bridges[name] = shared[key]

    def close(self) -> None:
        """End the worker processes."""
        for bridge in set(self._bridges.values()):
            bridge.close()

    def score(
        self, family: str, prompts: Sequence[Prompt], answers: Sequence[Sequence[Answer]], step: int | None = None
    ) -> list[list[Answer]]:
        """Return the answers to each prompt with what they earned; a failure of the scorer is no reward, not 0.

        In a ``step`` of training a rubric loses the recipe's share of its criteria.
        """
        pairs = [
            (prompt.sample, completion_of(answer))
            for prompt, some in zip(prompts, answers, strict=True)
            for answer in some
        ]
        bridge = self._bridges[family]
        earnings = bridge.score(pairs)
        fraction, seed = self._dropout
        if fraction and step is not None:
            earnings = [
                with_rubric_dropout(
                    bridge.parts, reward, fraction=fraction, example=sample.id, step=step, seed=seed
                )
                for reward, (sample, _) in zip(earnings, pairs, strict=True)
            ]
        rewards = iter(earnings)
        return [[_earned(answer, next(rewards)) for answer in some] for some in answers]


def open_bridge(
    reward: RewardSpec, recipe: Recipe, grader: Grader | None, directory: Path, field: str
) -> RewardBridge:
    """Open a reward of a recipe; judge verdicts are cached in the training directory.

    Raises:
        UsageError: see `judged_tasks`.
    """
    judged = judged_tasks(reward, grader, field)
    judge = None
    if judged and grader is not None:
        options = ModelOptions(api_key=os.environ.get("EVALKIT_JUDGE_API_KEY"))
        judge = partial(open_judging, grader, judged, directory / VERDICTS, options, seed=recipe.seed)
    return RewardBridge(
        reward, seed=recipe.seed, workers=recipe.scoring_workers, deadline=recipe.scoring_deadline, judge=judge
    )


def judged_tasks(reward: RewardSpec, grader: Grader | None, field: str) -> list[BaseTask]:
    """Return which tasks of a reward are graded by a model.

    Raises:
        UsageError: there are some and no judge (names the ``field``); or see `open_reward`.
    """
    judged = [part.task for part in open_reward(reward) if "judge" in part.task.needs]
    if judged and grader is None:
        raise UsageError(
            f"field '{field}': {judged[0].name} needs a judge: set 'judge', as in"
            " 'judge: {models: [openai:NAME], base_url: ADDRESS}'"
        )
    return judged


def completion_of(answer: Answer) -> Completion:
    """Return a sampled answer as scorers see it."""
    return answer_of(answer.text, truncated=answer.finish_reason == "length")


def _earned(answer: Answer, reward: Reward) -> Answer:
    return replace(
        answer, reward=reward.value, shaped=reward.value, components=dict(reward.components),
        problem=reward.why_unscored,
    )  # fmt: skip


def as_answer(sampled: Sampled, prompt: Prompt, tokenizer: Any, stop_tokens: frozenset[int]) -> Answer:
    """Return what was sampled with its text, the end-of-text token left off."""
    words = [token for token in sampled.tokens if token not in stop_tokens]
    text = prompt.opening + tokenizer.decode(words, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Answer(sampled.tokens, sampled.log_probabilities, sampled.finish_reason, text)


def soft_overlong(length: int, maximum: int, cache: int) -> float:
    """Return DAPO's penalty for long answers (arXiv:2503.14476, eq. 13), in [-1, 0], to be added to the reward.

    0 up to ``maximum`` - ``cache`` tokens, then falling linearly to -1 at ``maximum``, and -1 beyond.

    Args:
        length: tokens of the answer.
        maximum: tokens that an answer may have.
        cache: tokens before the maximum in which the penalty grows; at most ``maximum``; 0 for a step.
    """
    excess = length - (maximum - cache)
    if excess <= 0:
        return 0.0
    return -min(excess / cache, 1.0) if cache else -1.0


def truncated_reward(reward: float, *, truncated: bool, coefficient: float) -> float:
    """Return the reward of an answer that may have been cut off at the token limit.

    Args:
        reward: as scored.
        truncated: whether the answer was cut off.
        coefficient: within [0, 1] it multiplies the reward of a cut answer; below 0 it replaces it.
    """
    if not truncated:
        return reward
    return reward * coefficient if coefficient >= 0 else coefficient


def shape_reward(answer: Answer, shaping: Shaping, max_tokens: int) -> Answer:
    """Return the answer with its reward after length shaping.

    Shape after groups were judged: ties must be seen on the unshaped rewards.
    """
    value = answer.reward
    if value is not None:
        if shaping.truncated is not None:
            cut = answer.finish_reason == "length"
            value = truncated_reward(value, truncated=cut, coefficient=shaping.truncated)
        if shaping.overlong_cache is not None:
            penalty = soft_overlong(len(answer.tokens), max_tokens, min(shaping.overlong_cache, max_tokens))
            value += shaping.overlong_weight * penalty
    return replace(answer, shaped=value)


def is_informative(group: Group, rewards: Sequence[float | None] | None = None) -> bool:
    """Tell whether answers to one prompt differ in what they earned, so that there is something to learn.

    Args:
        group: the answers.
        rewards: what to judge by; by default what was earned before any shaping.
    """
    values = reward_tensor(group.rewards if rewards is None else rewards)
    index = values.new_zeros(len(values)).long()
    return bool((usable(values, index) & informative(values, index)).any())
