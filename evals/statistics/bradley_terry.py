"""Ratings from pairwise battles: Bradley-Terry, with the effect of style taken out.

P(a beats b) = σ(θ_a − θ_b + x·β), θ summing to 0 (Bradley and Terry 1952, Biometrika 39); x holds how the two
answers differ in style (length, lists, …), so that θ is ability at equal style (style control of Chatbot Arena:
Li, Angelopoulos and Chiang 2024; the same logistic model as length-controlled AlpacaEval, Dubois et al. 2024,
arXiv 2404.04475). A tie is half a win each way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .estimate import Clusters, Estimate, Floats, Integers, Values, as_floats, cluster_codes, critical_value

_ITERATIONS = 100
_SINGULAR = 1e10  # condition number beyond which a direction is not determined (log-odds past 20)
_NO_SPREAD = 1e-12  # of the variance that independent battles would have

ELO_PER_LOGIT = 400 / log(10)


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """Fitted ratings, models sorted by name.

    ``abilities`` are the log-odds θ with sum 0; ``style`` the coefficients β, each per unit of its column.
    """

    names: tuple[str, ...]
    abilities: tuple[Estimate, ...]
    style: tuple[Estimate, ...] = ()

    @property
    def strengths(self) -> tuple[float, ...]:
        """The ratings exp θ: P(a beats b) = s_a / (s_a + s_b), with the geometric mean 1."""
        return tuple(exp(theta) for theta in self._thetas())

    def elo(self, centre: float = 1000.0) -> tuple[Estimate, ...]:
        """Return the ratings on the Elo scale, centre + 400/ln 10 · θ, so that their mean is ``centre``."""
        return tuple(ability.scaled(ELO_PER_LOGIT, centre) for ability in self.abilities)

    def probability(self, first: str, second: str) -> float:
        """Return the chance that ``first`` beats ``second`` at equal style."""
        theta = dict(zip(self.names, self._thetas(), strict=True))
        return 1 / (1 + exp(theta[second] - theta[first]))

    def _thetas(self) -> list[float]:
        return [ability.value for ability in self.abilities if ability.value is not None]


@dataclass(frozen=True, slots=True)
class _Battles:
    """The data of a fit: ``design`` has a row for each battle, its columns the models (+1, −1), then style."""

    design: Floats
    outcomes: Floats
    weights: Floats
    models: int


def style_difference(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return how two answers differ in style: (a − b) / (a + b + 1) for each battle and counted feature.

    Relative, so that 50 tokens more matter at 100 and not at 5,000; antisymmetric, so that it does not matter which
    answer is named first.

    Args:
        first: counts from 0 up (tokens, headers, list items, bold spans), shape (battles, features).
        second: those of the other answer, the same shape.

    Raises:
        ValueError: the shapes differ or a count is negative.
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 2 or one.shape != two.shape:
        raise ValueError(
            f"style is counted in two tables of one shape (battles, features), got {one.shape}, {two.shape}"
        )
    if one.size and min(one.min(), two.min()) < 0:
        raise ValueError("style is counted from 0 up")
    difference: Floats = (one - two) / (one + two + 1)
    return difference


def bradley_terry(
    first: Sequence[str],
    second: Sequence[str],
    outcomes: Values,
    *,
    weights: Values | None = None,
    style: ArrayLike | None = None,
    clusters: Clusters | None = None,
    interval: Literal["sandwich", "fisher", "clustered"] = "sandwich",
    confidence: float = 0.95,
    ridge: float = 0.0,
) -> BradleyTerry:
    """Fit ratings by maximum likelihood (Newton's method) with intervals.

    Intervals, all θ ± critical value · SE on the scale of log-odds: ``sandwich`` is H⁻¹GH⁻¹ with the scores summed
    by cluster in G and no small-sample factor (White 1982, Econometrica 50; HC0 when each battle stands alone);
    ``fisher`` is H⁻¹, right only for independent battles and a true model; ``clustered`` is the sandwich times
    C/(C−1) with t_{C−1} (Cameron and Miller 2015, §VI), and at least ``fisher`` where the sandwich has nothing to
    estimate a variance from: with one cluster, where all battles are tied, and with a ridge.

    A finite maximum exists only if no split of the models has all wins going one way (Ford 1957, American
    Mathematical Monthly 64).

    Args:
        first: for each battle, one model's name.
        second: the other's.
        outcomes: the first's: 1 won, 0.5 tied, 0 lost.
        weights: how many battles a row stands for; 1 each when ``None``.
        style: features of each battle, shape (battles, features), antisymmetric in the two answers; see
            `style_difference`.
        clusters: the question of each battle; ``None`` when battles are independent.
        interval: how intervals are made.
        confidence: the intervals' nominal coverage.
        ridge: precision of a normal prior at 0 of each θ and of each coefficient per standard deviation of its
            column; 0 is maximum likelihood.

    Raises:
        ValueError: lengths differ, no battles, a model battles itself, an outcome is outside [0, 1], or no finite
            maximum exists and ``ridge`` is 0.
    """
    names, battles, scales = _read(first, second, outcomes, weights, style)
    codes, count = cluster_codes(clusters, len(battles.outcomes))
    if clusters is None:
        count = round(float(battles.weights.sum()))
    critical = critical_value(confidence, max(count - 1, 1) if interval == "clustered" else None)
    beta = _fit(battles, ridge)
    if beta is None:
        raise ValueError(_why_infinite(names, battles))
    bread = _bread(battles, beta, ridge)
    variances = np.diag(bread)
    if interval != "fisher":
        robust = np.diag(_sandwich(battles, beta, bread, None if clusters is None else codes))
        if interval == "sandwich":
            variances = robust
        elif count > 1:
            robust = robust * count / (count - 1)
            is_blind = (robust < _NO_SPREAD * variances) | (ridge > 0)
            variances = np.where(is_blind, np.maximum(variances, robust), robust)
    errors = np.sqrt(variances)
    lows, highs = beta - critical * errors, beta + critical * errors
    estimates = []
    for column, scale in enumerate(scales):
        present = battles.design[:, column] != 0
        n = round(float(battles.weights[present].sum()))
        groups = n if clusters is None else len(np.unique(codes[present]))
        value, low, high, se = (float(x[column] / scale) for x in (beta, lows, highs, errors))
        estimates.append(Estimate(value, low, high, se, n, groups, confidence, interval))
    return BradleyTerry(tuple(names), tuple(estimates[: len(names)]), tuple(estimates[len(names) :]))


def _read(
    first: Sequence[str], second: Sequence[str], outcomes: Values, weights: Values | None, style: ArrayLike | None
) -> tuple[list[str], _Battles, Floats]:
    """Check the arguments and build the design; style columns are divided by their root mean square."""
    results = as_floats(outcomes, "outcomes")
    n = len(results)
    counts = np.ones(n) if weights is None else as_floats(weights, "weights")
    features = np.zeros((n, 0)) if style is None else np.asarray(style, dtype=np.float64)
    if n == 0 or not len(first) == len(second) == len(counts) == n or features.shape[:1] != (n,):
        raise ValueError("each battle needs two models, an outcome, and its weight and style where given")
    if features.ndim != 2 or not np.isfinite(features).all():
        raise ValueError(f"style is a table (battles, features) of finite numbers, got the shape {features.shape}")
    if results.min() < 0 or results.max() > 1 or counts.min() < 0 or counts.max() == 0:
        raise ValueError("outcomes lie in [0, 1]; weights are not negative, nor all 0")
    twin = next((a for a, b in zip(first, second, strict=True) if a == b), None)
    if twin is not None:
        raise ValueError(f"{twin!r} cannot battle itself")
    names = sorted({*first, *second})
    index = {name: at for at, name in enumerate(names)}
    rows = np.arange(n)
    models = np.zeros((n, len(names)))
    models[rows, [index[name] for name in first]] = 1.0
    models[rows, [index[name] for name in second]] = -1.0
    # Not centred: the mean depends on which answer was named first.
    roots = np.sqrt(np.square(features).mean(axis=0))
    scales = np.concatenate([np.ones(len(names)), np.where(roots == 0, 1.0, roots)])
    design = np.concatenate([models, features], axis=1) / scales
    return names, _Battles(design, results, counts, len(names)), scales


def _fit(battles: _Battles, ridge: float) -> Floats | None:
    """Return the maximum, or ``None`` where some direction is not determined by the data."""
    beta = np.zeros(battles.design.shape[1])
    fit = _likelihood(battles, beta, ridge)
    for _ in range(_ITERATIONS):
        information = _information(battles, beta, ridge)
        if np.linalg.cond(information) > _SINGULAR:
            return None
        residuals = battles.weights * (battles.outcomes - _chances(battles, beta))
        step = np.linalg.solve(information, battles.design.T @ residuals - ridge * beta)
        if np.abs(step).max() < 1e-11:
            return beta
        while (moved := _likelihood(battles, beta + step, ridge)) < fit - 1e-9 * abs(fit):
            step = step / 2
        beta, fit = beta + step, moved
    return None


def _chances(battles: _Battles, beta: Floats) -> Floats:
    from scipy.special import expit

    chances: Floats = expit(battles.design @ beta)
    return chances


def _likelihood(battles: _Battles, beta: Floats, ridge: float) -> float:
    logits = battles.design @ beta
    log_chance = battles.outcomes * logits - np.logaddexp(0.0, logits)
    return float(battles.weights @ log_chance) - ridge / 2 * float(beta @ beta)


def _information(battles: _Battles, beta: Floats, ridge: float) -> Floats:
    """The negative Hessian, with a curvature lent to the one direction that changes nothing: equal shifts of θ."""
    chances = _chances(battles, beta)
    curvature = battles.weights * chances * (1 - chances)
    information: Floats = battles.design.T @ (curvature[:, np.newaxis] * battles.design)
    information += ridge * np.eye(len(beta))
    information[: battles.models, : battles.models] += max(float(np.trace(information)), 1e-300) / battles.models**2
    return information


def _bread(battles: _Battles, beta: Floats, ridge: float) -> Floats:
    centre = np.eye(len(beta))
    centre[: battles.models, : battles.models] -= 1 / battles.models
    bread: Floats = centre @ np.linalg.inv(_information(battles, beta, ridge)) @ centre
    return bread


def _sandwich(battles: _Battles, beta: Floats, bread: Floats, codes: Integers | None) -> Floats:
    residuals = battles.outcomes - _chances(battles, beta)
    if codes is None:
        # A weight of w stands for w separate battles, each with this score.
        scores = (np.sqrt(battles.weights) * residuals)[:, np.newaxis] * battles.design
    else:
        scores = np.zeros((int(codes.max()) + 1, len(beta)))
        np.add.at(scores, codes, (battles.weights * residuals)[:, np.newaxis] * battles.design)
    covariance: Floats = bread @ scores.T @ scores @ bread
    return covariance


def _why_infinite(names: Sequence[str], battles: _Battles) -> str:
    remedy = "pass ridge=0.1 for ratings shrunk to the mean, or leave the model out"
    for column, name in enumerate(names):
        side = battles.design[:, column]
        played = (side != 0) & (battles.weights > 0)
        won = np.where(side > 0, battles.outcomes, 1 - battles.outcomes)[played]
        if len(won) and (won.min() == 1 or won.max() == 0):
            result = "won" if won.min() == 1 else "lost"
            return f"no finite ratings: {name!r} {result} every battle; {remedy}"
    return (
        "no finite ratings: the models fall into groups without wins both ways between them, or a style column "
        f"repeats others; {remedy}"
    )
