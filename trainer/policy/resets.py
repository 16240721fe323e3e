"""When the reference policy is moved up to the policy in training, and what becomes of the optimizer.

Prolonged training (ProRL, arXiv:2505.24864) holds the policy near a reference and now and then makes the policy of
that moment the new reference. Decisions alone: whoever trains copies the tensors. `ResetState` is part of a
checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ..recipe.fields import Reset


@dataclass(frozen=True, slots=True)
class ResetState:
    """What the decision depends on.

    Attributes:
        last: the step of the last reset, 0 before any.
        best: the best evaluation so far.
        stale: evaluations since the best one or the last reset.
        history: (step, reason) of every reset.
    """

    last: int = 0
    best: float | None = None
    stale: int = 0
    history: tuple[tuple[int, str], ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        return cls(data["last"], data["best"], data["stale"], tuple((step, why) for step, why in data["history"]))


def record_evaluation(rule: Reset, state: ResetState, value: float | None) -> ResetState:
    """Return the state after an evaluation on validation prompts; None (nothing measured) changes nothing."""
    if value is None:
        return state
    if state.best is None or value > state.best + rule.min_delta:
        return replace(state, best=value, stale=0)
    return replace(state, stale=state.stale + 1)


def reason_to_reset(
    rule: Reset, state: ResetState, step: int, *, kl: float | None = None, manual: bool = False
) -> str | None:
    """Return why to reset after this step, or None.

    Args:
        rule: the triggers.
        state: as it is now.
        step: the number of the step that was done, from 1.
        kl: the step's mean divergence from the reference.
        manual: whether a person asked for it.
    """
    if manual:
        return "manual"
    if rule.kl_above is not None and kl is not None and kl > rule.kl_above:
        return f"kl {kl:.4g} > {rule.kl_above:g}"
    if rule.patience is not None and state.stale >= rule.patience:
        return f"stagnation: {state.stale} evaluations without progress"
    if rule.every is not None and step - state.last >= rule.every:
        return f"every {rule.every} steps"
    return None


def record_reset(state: ResetState, step: int, reason: str) -> ResetState:
    """Return the state after a reset; the best evaluation is kept, its age starts anew."""
    return replace(state, last=step, stale=0, history=(*state.history, (step, reason)))
