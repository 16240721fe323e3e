"""What length does to a reward. Shape after groups were judged: ties must be seen on the unshaped rewards."""

from __future__ import annotations


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
