"""From sampled tokens to rewards: the tasks' own scorers in their worker processes, and what length does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from .adapters.bridge import RewardBridge, answer_of
from .generation import Sampled
from .groups import informative, reward_tensor, usable
from .prompts import Prompt, PromptFamily
from .recipe_fields import Recipe, Shaping
from .reward_mix import Reward
from .rollouts import Answer, Group
from .shaping import soft_overlong, truncated_reward


class FamilyRewards:
    """The rewards of all families, open in worker processes; use as a context manager.

    Raises:
        UsageError: a reward is graded by a model.
    """

    def __init__(self, families: Mapping[str, PromptFamily], recipe: Recipe) -> None:
        self._bridges: dict[str, RewardBridge] = {}
        shared: dict[str, RewardBridge] = {}
        for name, family in families.items():
            key = str(family.reward)
            if key not in shared:
                shared[key] = RewardBridge(
                    family.reward,
                    seed=recipe.seed,
                    workers=recipe.scoring_workers,
                    deadline=recipe.scoring_deadline,
                )
                _refuse_judges(name, shared[key])
            self._bridges[name] = shared[key]

    def __enter__(self) -> FamilyRewards:
        return self

    def __exit__(self, *_: object) -> None:
        for bridge in set(self._bridges.values()):
            bridge.close()

    def score(
        self, family: str, prompts: Sequence[Prompt], answers: Sequence[Sequence[Answer]]
    ) -> list[list[Answer]]:
        """Return the answers to each prompt with what they earned; a failure of the scorer is no reward, not 0."""
        asked = [
            (prompt.sample, answer_of(answer.text, truncated=answer.finish_reason == "length"))
            for prompt, some in zip(prompts, answers, strict=True)
            for answer in some
        ]
        rewards = iter(self._bridges[family].score(asked))
        return [[_earned(answer, next(rewards)) for answer in some] for some in answers]


def _refuse_judges(family: str, bridge: RewardBridge) -> None:
    for part in bridge.parts:
        if "judge" in getattr(part.task, "needs", ()):
            raise UsageError(
                f"prompts '{family}': {part.task.name} is graded by a model, which a recipe cannot name;"
                " evalkit.trainer.rewards.Rewards takes an open judge"
            )


def _earned(answer: Answer, reward: Reward) -> Answer:
    return replace(answer, reward=reward.value, components=dict(reward.components), problem=reward.why_unscored)


def as_answer(sampled: Sampled, prompt: Prompt, tokenizer: Any, stop_tokens: frozenset[int]) -> Answer:
    """Return what was sampled with its text, the end-of-text token left off."""
    words = [token for token in sampled.tokens if token not in stop_tokens]
    text = prompt.opening + tokenizer.decode(words, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Answer(sampled.tokens, sampled.log_probabilities, sampled.finish_reason, text)


def shaped(answer: Answer, shaping: Shaping, max_tokens: int) -> Answer:
    """Return the answer with its reward after length shaping."""
    value = answer.reward
    if value is not None:
        if shaping.truncated is not None:
            cut = answer.finish_reason == "length"
            value = truncated_reward(value, truncated=cut, coefficient=shaping.truncated)
        if shaping.overlong_cache is not None:
            penalty = soft_overlong(len(answer.tokens), max_tokens, min(shaping.overlong_cache, max_tokens))
            value += shaping.overlong_weight * penalty
    return replace(answer, shaped=value)


def teaches(group: Group, rewards: Sequence[float | None] | None = None) -> bool:
    """Tell whether answers to one prompt differ in what they earned, so that there is something to learn.

    Args:
        group: the answers.
        rewards: what to judge by; by default what was earned before any shaping.
    """
    values = reward_tensor(group.rewards if rewards is None else rewards)
    index = values.new_zeros(len(values)).long()
    return bool((usable(values, index) & informative(values, index)).any())
