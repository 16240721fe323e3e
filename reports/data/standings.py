"""Ranking on one task: ranges of ranks consistent with pairwise tests, and differences to a baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from ...errors import UsageError
from ...evals.statistics import holm, mean_interval, rank_models
from ...tasks.registry import open_task
from ...tasks.types import Metric, Score

ALPHA: Final = 0.05
ENOUGH_COMMON: Final = 0.5
"""Share of the samples of the most complete run that another must have scored to be ranked beside it."""

Values = dict[str, float]
"""The mean of each sample's observations, by sample id."""


class Tally:
    """The headline metric of one task in one run, by sample; ``shares`` are the values of the scores in [0, 1]."""

    def __init__(self, registered_as: str) -> None:
        self._metric = _headline(registered_as)
        self._observed: dict[str, list[float]] = defaultdict(list)
        self._valued: dict[str, list[float]] = defaultdict(list)

    def add(self, sample: str, score: Score) -> None:
        """Add one answer's score; one without a value is no number."""
        if score.value is None:
            return
        self._valued[sample].append(score.value)
        observed = self._metric.observe(score) if self._metric else ()
        self._observed[sample] += [float(one.value) for one in observed]

    @property
    def values(self) -> Values:
        """The headline metric's mean by sample; the mean score where the metric cannot be averaged."""
        return _means(self._observed) or self.shares

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest possible value of ``values``, None where there are none."""
        return self._metric.bounds if self._metric and any(self._observed.values()) else (0.0, 1.0)

    @property
    def shares(self) -> Values:
        """The mean value of the scores by sample."""
        return _means(self._valued)


def _means(values: Mapping[str, Sequence[float]]) -> Values:
    return {sample: sum(some) / len(some) for sample, some in values.items() if some}


def _headline(registered_as: str) -> Metric | None:
    try:
        metric = open_task(registered_as).metrics[0]
    except (UsageError, IndexError):  # the task is not installed here: use the mean score
        return None
    return metric if metric.aggregate is None else None


def standing(
    values: Mapping[int, Values], baseline: int | None, bounds: tuple[float, float] | None = (0.0, 1.0)
) -> dict[str, Any]:
    """Rank entries by their values, within the bounds, on the samples that all of them have scored.

    Entries with less than `ENOUGH_COMMON` of the samples of the most complete are left out. The baseline is the
    given entry, or the best one. Return ``{"samples", "detectable", "baseline", "ranks"}``; ``ranks`` has for each
    ranked entry ``{"best", "worst", "letters", "difference"}``: entries that share a letter do not differ
    significantly; the difference is that to the baseline with its p-value, adjusted by Holm for all entries, and
    the samples ``won`` and ``lost``.
    """
    fullest = max(map(len, values.values()), default=0)
    ranked = [entry for entry, some in values.items() if some and len(some) >= ENOUGH_COMMON * fullest]
    common = sorted(set.intersection(*(set(values[entry]) for entry in ranked))) if ranked else []
    if len(ranked) < 2 or not common:
        return {"samples": len(common), "detectable": None, "baseline": None, "ranks": {}}
    scores = {entry: [values[entry][sample] for sample in common] for entry in ranked}
    order = sorted(ranked, key=lambda entry: (-sum(scores[entry]), entry))
    ranking = rank_models({str(entry): scores[entry] for entry in order}, bounds=bounds, alpha=ALPHA)
    letters = _letters(order, [(int(pair.first), int(pair.second)) for pair in ranking.pairs if pair.significant])
    if baseline not in order:
        baseline = order[0] if baseline is None else None
    against = {}
    for pair in ranking.pairs:
        first, second = int(pair.first), int(pair.second)
        if baseline in (first, second):
            other, sign = (first, 1) if second == baseline else (second, -1)
            against[other] = (sign, pair.comparison)
    adjusted = dict(zip(against, holm([comparison.p_value for _, comparison in against.values()]), strict=True))
    ranks = {}
    for entry in order:
        difference = None
        if baseline is not None and entry in against:
            sign, comparison = against[entry]
            moved = comparison.difference.scaled(sign)
            mine, theirs = values[entry], values[baseline]
            won = [sample for sample in common if mine[sample] > theirs[sample]]
            lost = [sample for sample in common if mine[sample] < theirs[sample]]
            difference = {
                "value": moved.value, "low": moved.low, "high": moved.high, "p_value": comparison.p_value,
                "adjusted": float(adjusted[entry]), "wins": len(won), "ties": comparison.ties, "losses": len(lost),
                "won": won, "lost": lost,
            }  # fmt: skip
        places = asdict(ranking.ranges[str(entry)])
        ranks[entry] = {**places, "letters": letters[entry], "difference": difference}
    detectable = [pair.comparison.detectable for pair in ranking.pairs if pair.comparison.detectable]
    return {
        "samples": len(common),
        "detectable": median(detectable) if detectable else None,
        "baseline": baseline,
        "ranks": ranks,
    }


def mean_share(values: Values) -> Any:
    """Return the mean of values in [0, 1] with its interval; samples are independent."""
    return mean_interval([values[sample] for sample in sorted(values)])


def _letters(order: Sequence[int], significant: Iterable[tuple[int, int]]) -> dict[int, str]:
    """Assign letters such that two entries share one exactly if they do not differ significantly.

    The insert-and-absorb algorithm of compact letter displays (Piepho 2004, doi 10.1198/1061860043515).
    """
    groups = [frozenset(order)]
    for pair in significant:
        split: list[frozenset[int]] = []
        for group in groups:
            split += [group - {entry} for entry in pair] if group.issuperset(pair) else [group]
        groups = [group for group in set(split) if not any(group < other for other in split)]
    place = {entry: at for at, entry in enumerate(order)}
    groups.sort(key=lambda group: sorted(place[entry] for entry in group))
    return {
        entry: " ".join(_letter(number) for number, group in enumerate(groups) if entry in group) for entry in order
    }


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"a{number}"
