"""What length does to a reward. Shape after groups were judged: ties must be seen on the unshaped rewards."""

from __future__ import annotations

from ...errors import UsageError


def soft_overlong(length: int, maximum: int, cache: int) -> float:
    """Return DAPO's penalty for long answers (arXiv:2503.14476, eq. 13), in [-1, 0], to be added to the reward.

    0 up to ``maximum`` - ``cache`` tokens, then falling linearly to -1 at ``maximum``, and -1 beyond.

    Args:
        length: tokens of the answer.
        maximum: tokens that an answer may have.
        cache: tokens before the maximum in which the penalty grows; 0 for a step.

    Raises:
        UsageError: ``cache`` is not within [0, ``maximum``].
    """
    if not 0 <= cache <= maximum:
        raise UsageError(f"overlong shaping: cache {cache} must lie within 0 and the maximum, {maximum}")
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

    Raises:
        UsageError: a coefficient above 1 would reward being cut off.
    """
    if coefficient > 1:
        raise UsageError(f"truncation: the coefficient is at most 1, got {coefficient:g}")
    if not truncated:
        return reward
    return reward * coefficient if coefficient >= 0 else coefficient
