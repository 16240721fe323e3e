"""Losses of reinforcement, preference and supervised learning as pure functions on tensors; needs torch."""

from .batch import AGGREGATIONS, LossValue, Surrogate, TokenBatch, Totals, aggregate
from .kl import KL_ESTIMATORS, kl_divergence
from .preference import answer_log_probability, direct_preference, kahneman_tversky
from .ratios import Correction
from .table import LOSSES, Loss, loss_options, open_loss

__all__ = [
    "AGGREGATIONS",
    "KL_ESTIMATORS",
    "LOSSES",
    "Correction",
    "Loss",
    "LossValue",
    "Surrogate",
    "TokenBatch",
    "Totals",
    "aggregate",
    "answer_log_probability",
    "direct_preference",
    "kahneman_tversky",
    "kl_divergence",
    "loss_options",
    "open_loss",
]
