"""How often 95 % intervals contain the truth: every type of metric, and paired differences of each.

    python bench/coverage_intervals.py [--runs 2000] [--seed 0] [--only means|aggregates|differences|ratings]

Each cell is the share of simulated evaluations of n samples whose interval contains the true value. Verdicts and
pairs of verdicts are not simulated: the share is summed over all outcomes. A cell is out of range, and marked `!`,
below 93 %, or above 98 % where at least 2 samples are expected on the rarer side (n·p ≥ 2): the rarer verdict, the
distance of the mean from the nearer bound in whole scores, the wrong verdicts or the positives of F1, or the rarer
direction of a difference. Perplexity has no such side: both limits hold in every cell. Runs without positives, true
or predicted, have no F1 and are left out.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
from evalkit.evals.engine.series import BOOTSTRAPS
from evalkit.evals.statistics import (
    Estimate,
    bootstrap_interval,
    bradley_terry,
    compare_scores,
    macro_average,
    mean_interval,
    wilson,
)
from evalkit.evals.statistics.significance import tango_bounds
from evalkit.evals.studies.pairwise.results import RIDGE
from scipy.special import expit, logit
from scipy.stats import binom

SIZES = (20, 60, 300)
CHANCES = (0.02, 0.15, 0.5)
Z = 1.959963984540054
SAME = 0.6  # the share of samples on which two models have the same chance


@dataclass(frozen=True)
class Scores:
    """A type of metric: from each sample's chance θ to its observations, all between the bounds.

    ``spread`` is a of θ ~ Beta(a·p, a·(1 − p)), which has the mean p; the smaller, the more samples are all or
    nothing. ``each`` is the number of observations a sample.
    """

    name: str
    bounds: tuple[float, float]
    spread: float
    each: int
    observe: Callable[[np.random.Generator, np.ndarray], np.ndarray]
    mean: Callable[[float, float], float] = lambda p, spread: p

    def chances(self, draw, p: float, shape: tuple[int, ...]) -> np.ndarray:
        return draw.beta(self.spread * p, self.spread * (1 - p), shape)

    def scores(self, draw, chances: np.ndarray) -> np.ndarray:
        """Return observations, shape (runs, n, each)."""
        shares = self.observe(draw, np.repeat(chances[..., np.newaxis], self.each, axis=-1))
        return self.bounds[0] + shares * (self.bounds[1] - self.bounds[0])

    def truth(self, p: float) -> float:
        return self.bounds[0] + self.mean(p, self.spread) * (self.bounds[1] - self.bounds[0])


def passed(attempts: int, k: int) -> Callable[[np.random.Generator, np.ndarray], np.ndarray]:
    rates = np.array([1 - comb(attempts - right, k) / comb(attempts, k) for right in range(attempts + 1)])
    return lambda draw, chances: rates[draw.binomial(attempts, chances)]


def outcomes(draw: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Return wins, losses and ties, which are up to 60 % of the battles."""
    tie = 0.6 * np.minimum(chances, 1 - chances)
    uniform = draw.random(chances.shape)
    return np.where(uniform < chances - tie / 2, 1.0, np.where(uniform < chances + tie / 2, 0.5, 0.0))


TYPES = (
    Scores("verdicts, 4 a sample", (0, 1), 2.3, 4, lambda draw, chances: draw.binomial(1, chances)),
    Scores("shares", (0, 1), 2.0, 1, lambda draw, chances: chances),
    Scores("points, 0 to 7", (0, 7), 1.0, 1, lambda draw, chances: draw.binomial(7, chances) / 7),
    Scores("points, 0 to 7, 4 a sample", (0, 7), 1.0, 4, lambda draw, chances: draw.binomial(7, chances) / 7),
    Scores("ratings, 1 to 10, 2 turns", (1, 10), 5.0, 2, lambda draw, chances: draw.binomial(9, chances) / 9),
    Scores("ratings, 1 to 10, narrow", (1, 10), 30.0, 1, lambda draw, chances: draw.binomial(9, chances) / 9),
    Scores(
        "pass@2 of 8", (0, 1), 1.5, 1, passed(8, 2),
        lambda p, a: 1 - a * (1 - p) * (a * (1 - p) + 1) / (a * (a + 1)),
    ),
    Scores("win rate, ties", (0, 1), 4.0, 2, outcomes),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """The coverage at one n and p, and the expected number of samples on the rarer side."""

    coverage: float
    rarer: float

    @property
    def is_out(self) -> bool:
        return self.coverage < 0.93 or (self.coverage > 0.98 and self.rarer >= 2)

    def __str__(self) -> str:
        return f"{100 * self.coverage:.1f}{'!' if self.is_out else ''}"


def holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low - 1e-9 <= truth <= estimate.high + 1e-9


def verdicts(n: int, p: float) -> Cell:
    covered = [holds(wilson(k, n), p) for k in range(n + 1)]
    return Cell(float(binom.pmf(np.arange(n + 1), n, p) @ covered), n * p)


def verdict_pairs(n: int, p: float, gain: float) -> Cell:
    """Sum over all numbers of discordant pairs; a share p is discordant, a share gain of it one way more."""
    first, second = p * (0.5 + gain / 2), p * (0.5 - gain / 2)
    total = 0.0
    for b in range(n + 1):
        weight = binom.pmf(b, n, first)
        if weight < 1e-7:
            continue
        for c in range(n - b + 1):
            chance = weight * binom.pmf(c, n - b, second / (1 - first))
            if chance < 1e-8:
                continue
            low, high = tango_bounds(b / n, c / n, n, Z)
            total += chance * (low - 1e-9 <= first - second <= high + 1e-9)
    return Cell(float(total), n * second)


def means(kind: Scores, draw, runs: int, n: int, p: float) -> Cell:
    scores = kind.scores(draw, kind.chances(draw, p, (runs, n)))
    clusters = None if kind.each == 1 else np.repeat(np.arange(n), kind.each).tolist()
    truth = kind.truth(p)
    share = kind.mean(p, kind.spread)
    hits = [holds(mean_interval(run.ravel(), clusters, bounds=kind.bounds), truth) for run in scores]
    return Cell(float(np.mean(hits)), n * min(share, 1 - share))


def differences(kind: Scores, draw, runs: int, n: int, p: float, gain: float) -> Cell:
    """Compare models with the mean chances p + gain and p that agree on most samples, by the samples' means."""
    better = min(p + gain, 0.98)
    chances = kind.chances(draw, p, (runs, n))
    others = np.where(draw.random((runs, n)) < SAME, chances, kind.chances(draw, better, (runs, n)))
    one, two = (kind.scores(draw, some).mean(axis=2) for some in (others, chances))
    truth = (1 - SAME) * (kind.truth(better) - kind.truth(p))
    hits = [
        holds(compare_scores(a, b, bounds=kind.bounds).difference, truth) for a, b in zip(one, two, strict=True)
    ]
    gained = (one - two) / (kind.bounds[1] - kind.bounds[0])
    rarer = min(np.maximum(gained, 0).mean(), np.maximum(-gained, 0).mean())
    return Cell(float(np.mean(hits)), n * float(rarer))


def averages(draw, runs: int, n: int, p: float) -> Cell:
    """The mean over three tasks: verdicts, points, and verdicts that are nearly all right."""
    kind = TYPES[2]
    points = kind.scores(draw, kind.chances(draw, p, (runs, n)))[..., 0] / 7
    right, easy = (draw.random((runs, n)) < p) * 1.0, (draw.random((runs, n)) < 0.97) * 1.0
    hits = [
        holds(macro_average([mean_interval(some) for some in tasks]), (2 * p + 0.97) / 3)
        for tasks in zip(right, points, easy, strict=True)
    ]
    return Cell(float(np.mean(hits)), n * min(p, 0.03))


def f1(draw, runs: int, n: int, positive: float, wrong: float, rarer: float) -> Cell:
    """F1 of verdicts that are wrong with the chance ``wrong``; a share ``positive`` of the samples is positive."""
    gold = draw.random((runs, n)) < positive
    said = gold ^ (draw.random((runs, n)) < wrong)
    agreed = positive * (1 - wrong)
    truth = 2 * agreed / (agreed + positive + (1 - positive) * wrong)
    hits = []
    for both, either in zip((2 * (gold & said)).astype(float), gold.astype(float) + said, strict=True):

        def statistic(at, both=both, either=either) -> float | None:
            total = either[at].sum()
            return both[at].sum() / total if total else None

        estimate = bootstrap_interval(statistic, n, bounds=(0.0, 1.0), resamples=BOOTSTRAPS)
        if estimate.value is not None:
            hits.append(estimate.low is not None and holds(estimate, truth))
    return Cell(float(np.mean(hits)), n * rarer)


def perplexity(draw, runs: int, n: int, p: float, lengths: float) -> Cell:
    """1/p is the perplexity; texts have lognormal lengths and losses per word that vary by half of their mean."""
    words = draw.lognormal(3.0, lengths, (runs, n))
    losses = words * draw.gamma(4.0, -np.log(p) / 4, (runs, n))
    hits = [
        holds(
            bootstrap_interval(
                lambda at, loss=loss, size=size: float(np.exp(loss[at].sum() / size[at].sum())),
                n,
                resamples=BOOTSTRAPS,
            ),
            1 / p,
        )
        for loss, size in zip(losses, words, strict=True)
    ]
    return Cell(float(np.mean(hits)), np.inf)


def bradley_terry_ratings(draw, runs: int, n: int, p: float, models: int) -> Cell:
    """The rating of the worst model, which beats the best with the chance p; pairs meet on each of n questions."""
    theta = np.linspace(logit(p), 0.0, models)
    theta -= theta.mean()
    pairs = [(i, j) for i in range(models) for j in range(i)]
    first, second = (np.repeat([f"m{pair[side]}" for pair in pairs], n).tolist() for side in (0, 1))
    questions = np.tile(np.arange(n), len(pairs)).tolist()
    chances = np.repeat(expit([theta[i] - theta[j] for i, j in pairs]), n)
    hits = []
    for _ in range(runs):
        won = outcomes(draw, chances)
        try:
            fitted = bradley_terry(first, second, won, clusters=questions, interval="clustered")
        except ValueError:  # no finite maximum
            fitted = bradley_terry(first, second, won, clusters=questions, interval="clustered", ridge=RIDGE)
        hits.append(holds(fitted.abilities[0], theta[0]))
    return Cell(float(np.mean(hits)), n * p)


def rows(part: str | None, draw, runs: int) -> Iterator[tuple[str, Callable[[int, float], Cell]]]:
    if part in (None, "means"):
        yield "verdicts (exact)", verdicts
        for kind in TYPES:
            yield kind.name, lambda n, p, kind=kind: means(kind, draw, runs, n, p)
        yield "average of three tasks", lambda n, p: averages(draw, runs, n, p)
    if part in (None, "aggregates"):
        yield "F1, p of the verdicts wrong", lambda n, p: f1(draw, runs, n, 0.5, p, min(p, 1 - p))
        yield "F1, p of the samples positive", lambda n, p: f1(draw, runs, n, p, 0.2, p)
        yield "perplexity", lambda n, p: perplexity(draw, runs, n, p, 0.0)
        yield "perplexity, texts of all lengths", lambda n, p: perplexity(draw, runs, n, p, 0.8)
    if part in (None, "ratings"):
        for models in (2, 4):
            yield (
                f"Bradley–Terry, {models} models",
                lambda n, p, models=models: bradley_terry_ratings(draw, runs, n, p, models),
            )
    if part in (None, "differences"):
        for gain, said in ((0.0, "equal models"), (0.5, "3 of 4 one way")):
            yield f"Δ verdicts, {said} (exact)", lambda n, p, gain=gain: verdict_pairs(n, p, gain)
        for kind in TYPES:
            for gain, said in ((0.0, "equal models"), (0.3, "chance + 0.3")):
                yield (
                    f"Δ {kind.name}, {said}",
                    lambda n, p, kind=kind, gain=gain: differences(kind, draw, runs, n, p, gain),
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("means", "aggregates", "ratings", "differences"))
    options = parser.parse_args()
    draw = np.random.default_rng(options.seed)
    print("| metric | " + " | ".join(f"n {n}, p {p}" for n in SIZES for p in CHANCES) + " |")
    print("|---|" + "--:|" * (len(SIZES) * len(CHANCES)))
    cells = []
    for name, measure in rows(options.only, draw, options.runs):
        row = [measure(n, p) for n in SIZES for p in CHANCES]
        print(f"| {name} | " + " | ".join(map(str, row)) + " |", flush=True)
        cells += row
    print(f"\n{sum(cell.is_out for cell in cells)} of {len(cells)} cells are out of range")


if __name__ == "__main__":
    main()
