"""The losses by name, with the defaults of the papers that named them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from ...errors import UsageError, nearest
from . import policy
from .batch import AGGREGATIONS, Aggregation, LossValue, Surrogate, TokenBatch, Totals, aggregate, share
from .kl import KL_ESTIMATORS, KlEstimator, bound_reached, kl_divergence
from .ratios import Correction


@dataclass(frozen=True, slots=True)
class Kind:
    """A named loss: what it says of a token, how that is averaged, and options that differ from the function's."""

    surrogate: Callable[..., Surrogate]
    aggregation: Aggregation
    options: Mapping[str, Any] = field(default_factory=dict)
    kl: KlEstimator = "k3_is"


LOSSES: Mapping[str, Kind] = {
    "ppo": Kind(policy.clipped, "token_mean"),
    "grpo": Kind(policy.clipped, "sequence_mean"),
    "dapo": Kind(policy.clipped, "token_mean", {"clip_high": 0.28}),
    "dr_grpo": Kind(policy.clipped, "constant"),
    "gspo": Kind(policy.sequence_clipped, "sequence_mean"),
    "cispo": Kind(policy.capped, "token_mean"),
    "gmpo-geo": Kind(policy.geometric, "sequence_mean"),
    "reinforce": Kind(policy.weighted_likelihood, "token_mean"),
    "awr": Kind(policy.weighted_likelihood, "token_mean", kl="k2"),
    "gmpo": Kind(policy.weighted_likelihood, "token_mean", kl="k2"),
    "sft": Kind(policy.likelihood, "token_mean", kl="k2"),
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A policy loss with its options bound; call it with a batch.

    loss = mean(correction · surrogate) + ``kl_weight`` · mean(KL estimate), both means of the same kind.
    """

    name: str
    surrogate: Callable[[TokenBatch], Surrogate]
    aggregation: Aggregation
    max_length: int | None = None
    kl: KlEstimator = "k3_is"
    kl_weight: float = 0.0
    correction: Correction | None = None

    def __call__(self, batch: TokenBatch, totals: Totals | None = None) -> LossValue:
        """Compute the loss of a batch, or of the part of a step that a micro-batch is.

        Args:
            batch: the tokens.
            totals: counts of the whole optimizer step over all ranks; by default those of the batch.

        Raises:
            UsageError: the batch lacks the reference's or the sampler's log-probabilities that the options need.
        """
        batch = batch.cleaned()
        totals = totals or Totals.of(batch.mask)
        statistics: dict[str, Tensor] = {}
        surrogate = self.surrogate(batch)
        values = surrogate.values
        for name, marks in surrogate.marks.items():
            statistics[name] = share(marks, batch.mask, totals)
        if self.correction is not None:
            if batch.sampler is None:
                raise UsageError(f"{self.name}: the sampler correction needs the sampler's log-probabilities")
            weights = self.correction.weights(batch.old, batch.sampler, batch.mask)
            statistics["correction_mean"] = weights.sum() / max(totals.tokens, 1)
            values = values * weights
        loss = self._mean(values, batch, totals)
        if self.kl_weight:
            if batch.reference is None:
                raise UsageError(
                    f"{self.name}: kl_weight {self.kl_weight:g} needs the reference's log-probabilities"
                )
            divergence = self._mean(kl_divergence(batch.policy, batch.reference, self.kl, batch.old), batch, totals)
            statistics["kl"] = divergence.detach()
            statistics["kl_bound_reached"] = share(bound_reached(batch.policy, batch.reference), batch.mask, totals)
            loss = loss + self.kl_weight * divergence
        return LossValue(loss, statistics)

    def _mean(self, values: Tensor, batch: TokenBatch, totals: Totals) -> Tensor:
        return aggregate(values, batch.mask, self.aggregation, totals, self.max_length)


def loss_options(name: str) -> dict[str, Any]:
    """Return the options that a loss takes, with their defaults.

    Raises:
        UsageError: no loss of that name (the nearest are given).
    """
    kind = _kind(name)
    own = kind.surrogate.__kwdefaults__ or {}
    common = {
        "aggregation": kind.aggregation,
        "max_length": None,
        "kl": kind.kl,
        "kl_weight": 0.0,
        "correction": None,
    }
    return own | dict(kind.options) | common


def open_loss(name: str, **options: Any) -> Loss:
    """Return the loss of that name, with options in place of its defaults.

    Besides its own options (`loss_options`) every loss takes ``aggregation``, ``max_length``, ``kl`` (one of
    `kl.KL_ESTIMATORS`), ``kl_weight`` and ``correction`` (a `Correction`).

    Raises:
        UsageError: no such loss or option (the nearest are given), or a value that cannot be.
    """
    kind = _kind(name)
    known = loss_options(name)
    for key in options:
        if key not in known:
            raise UsageError(f"loss '{name}' has no option '{key}'.{nearest(key, known)}")
    settings = known | options
    common = {key: settings.pop(key) for key in ("aggregation", "max_length", "kl", "kl_weight", "correction")}
    for key, value in settings.items():
        least = 1 if key == "dual_clip" else 0
        if value is not None and (not isinstance(value, int | float) or not value >= least):
            raise UsageError(f"loss '{name}': {key} is a number >= {least}, not {value!r}")
    _check(name, common)
    return Loss(name, partial(kind.surrogate, **settings), **common)


def _kind(name: str) -> Kind:
    if name not in LOSSES:
        raise UsageError(f"unknown loss '{name}'.{nearest(name, LOSSES)}")
    return LOSSES[name]


def _check(name: str, common: Mapping[str, Any]) -> None:
    for key, known in (("aggregation", AGGREGATIONS), ("kl", KL_ESTIMATORS)):
        if common[key] not in known:
            raise UsageError(f"loss '{name}': unknown {key} '{common[key]}'.{nearest(str(common[key]), known)}")
    if common["aggregation"] == "constant" and not (common["max_length"] or 0) > 0:
        raise UsageError(f"loss '{name}' needs max_length, the longest answer allowed in tokens")
    if not common["kl_weight"] >= 0:
        raise UsageError(f"loss '{name}': kl_weight is a number >= 0, not {common['kl_weight']!r}")
