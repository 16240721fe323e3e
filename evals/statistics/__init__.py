"""Statistics of evaluations: pure functions over numbers, seeded where they draw.

estimate        `Estimate`, the result of everything that has an interval
means           clustered means, `mean_interval` for scores, averages over tasks
proportions     Wilson, Clopper-Pearson and Jeffreys intervals
repeated        pass@k, pass^k, avg@k, maj@k, variance components
bootstrap       paired, of any statistic, by cluster
significance    paired t, McNemar, sign-flip, `compare_scores` of two models
multiplicity    Holm, Benjamini-Hochberg and others
ranking         rank ranges from intervals, from tests, from scores; win rates
bradley_terry   ratings from battles, style controlled
agreement       Cohen, Fleiss, Krippendorff; Spearman, Kendall
power           sample sizes and detectable differences
"""

from .agreement import cohen_kappa, fleiss_kappa, kendall, krippendorff_alpha, spearman
from .bootstrap import PairedBootstrap, bootstrap_interval, paired_bootstrap
from .bradley_terry import BradleyTerry, bradley_terry, style_difference
from .estimate import Estimate, Seed
from .means import clustered_mean, design_effect, macro_average, mean_interval, micro_average, pooled_standard_error
from .multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from .power import detectable_effect, minimal_detectable_effect, sample_size
from .proportions import clopper_pearson, jeffreys, wilson
from .ranking import (
    Pair,
    Ranking,
    RankRange,
    WinRate,
    rank_models,
    rank_ranges_from_intervals,
    rank_ranges_from_wins,
    win_rate,
)
from .repeated import VarianceComponents, avg_at_k, maj_at_k, pass_at_k, pass_hat_k, variance_components
from .significance import (
    Flips,
    McNemar,
    PairedComparison,
    PairedT,
    SignFlip,
    compare_scores,
    flips,
    mcnemar,
    paired_t,
    sign_flip,
)

__all__ = [
    "BradleyTerry",
    "Estimate",
    "Flips",
    "McNemar",
    "Pair",
    "PairedBootstrap",
    "PairedComparison",
    "PairedT",
    "RankRange",
    "Ranking",
    "Seed",
    "SignFlip",
    "VarianceComponents",
    "WinRate",
    "avg_at_k",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonferroni",
    "bootstrap_interval",
    "bradley_terry",
    "clopper_pearson",
    "clustered_mean",
    "cohen_kappa",
    "compare_scores",
    "design_effect",
    "detectable_effect",
    "fleiss_kappa",
    "flips",
    "holm",
    "jeffreys",
    "kendall",
    "krippendorff_alpha",
    "macro_average",
    "maj_at_k",
    "mcnemar",
    "mean_interval",
    "micro_average",
    "minimal_detectable_effect",
    "paired_bootstrap",
    "paired_t",
    "pass_at_k",
    "pass_hat_k",
    "pooled_standard_error",
    "rank_models",
    "rank_ranges_from_intervals",
    "rank_ranges_from_wins",
    "sample_size",
    "sign_flip",
    "spearman",
    "style_difference",
    "variance_components",
    "wilson",
    "win_rate",
]
