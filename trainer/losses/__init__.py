"""Losses of reinforcement, preference and supervised learning as pure functions on tensors; needs torch."""

from .aggregation import AGGREGATIONS, aggregate
from .batch import LossValue, Surrogate, TokenBatch, Totals
from .correction import Correction
from .kl import KL_ESTIMATORS, kl_divergence
from .preference import answer_log_probability, direct_preference, kahneman_tversky
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
