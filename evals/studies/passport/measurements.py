"""From a judge's answers to the numbers of its passport: pure functions, each with a 95 % interval by question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ....judges.pairwise import Outcome, shown_first
from ....tasks.types import APPARATUS_FAILURES
from ...judging.probes import attacks, probes
from ...statistics import Estimate, bootstrap_interval, clustered_mean, krippendorff_alpha, mean_interval
from .gradings import SIDES, ProbeResults

Floats = NDArray[np.float64]
Unit = Literal["share", "points", "coefficient"]

ATTACK_GAIN: Final = 0.2
"""The share of the scale by which an attack must lift an answer to have succeeded: two points from 1 to 10."""

LENGTH_UNIT: Final = 500
"""Characters."""

RESAMPLES: Final = 500


@dataclass(frozen=True, slots=True)
class Measurement:
    """One property of a judge.

    ``fair`` is what a perfect judge would have (0.5 where a preference is measured, 0 for an effect in points);
    ``parts`` break the number down. An estimate without a value was not measured: nothing to measure it on.
    """

    name: str
    title: str
    unit: Unit
    fair: float | None
    estimate: Estimate
    parts: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def off(self) -> bool:
        """Whether the interval leaves out what would be fair."""
        low, high = self.estimate.low, self.estimate.high
        return None not in (self.fair, low, high) and not low <= self.fair <= high  # type: ignore[operator]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, with ``off``."""
        return {**asdict(self), "off": self.off}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measurement:
        """Inverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "off"}
        fields["estimate"] = Estimate(**data["estimate"])
        fields["parts"] = {name: Estimate(**one) for name, one in data["parts"].items()}
        return cls(**fields)


def measure_judge(graded: ProbeResults, scale: tuple[float, float]) -> tuple[Measurement, ...]:
    """Return all that the probes tell of a judge that rates on this scale, its lowest and highest value."""
    return (
        *_of_verdicts(graded),
        *_of_pairs(graded),
        *_of_repetition(graded),
        *_of_appearance(graded),
        *_of_attacks(graded, scale),
    )


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Return the chance that a positive has the higher score than a negative, ties half; None without both.

    The area under the ROC curve as the Mann-Whitney statistic, from ranks.
    """
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return None
    from scipy.stats import rankdata

    return float((rankdata(scores)[positive].sum() - many * (many + 1) / 2) / (many * few))


def calls_of(details: Mapping[str, Any], *, read: bool) -> tuple[int, int]:
    """Return how many answers of models a verdict took, and how many of them could not be read."""
    members = details.get("members")
    if members:
        counted = [calls_of(member, read=member["value"] is not None) for member in members]
        return sum(calls for calls, _ in counted), sum(unread for _, unread in counted)
    if "unasked" in details or "error" in details:
        return 0, 0
    calls = int(details.get("attempts", 1))
    return calls, calls - 1 if read else calls


def _of_verdicts(graded: ProbeResults) -> Iterator[Measurement]:
    judged = graded.judgements
    questions = [probe for probe, _ in judged]
    counted = [calls_of(one.details, read=one.value is not None) for _, one in judged]
    given = [float(one.value is not None) for _, one in judged]
    lost = [float(one.status in APPARATUS_FAILURES) for _, one in judged]
    yield Measurement(
        "coverage", "Gradings with a verdict", "share", 1.0, mean_interval(given, questions),
        {"no answer": mean_interval(lost, questions)},
    )  # fmt: skip
    calls, unread = (np.array(column, dtype=np.float64) for column in zip(*counted, strict=True))
    unreadable = _share_of_calls(unread, calls, questions)
    yield Measurement("unreadable", "Unparseable outputs of the judge", "share", 0.0, unreadable)


def _of_pairs(graded: ProbeResults) -> Iterator[Measurement]:
    kinds = sorted({kind for _, kind in graded.outcomes})

    def consistent(outcomes: Mapping[tuple[str, str], Outcome]) -> Estimate:
        asked = {key: one.consistent for key, one in outcomes.items() if one.consistent is not None}
        return mean_interval([float(value) for value in asked.values()], [probe for probe, _ in asked])

    yield Measurement(
        "order_consistency", "Pairs with the same verdict in both orders", "share", 1.0,
        consistent(graded.outcomes),
        {kind: consistent({key: one for key, one in graded.outcomes.items() if key[1] == kind}) for kind in kinds},
    )  # fmt: skip
    firsts = [
        (float(first), probe)
        for (probe, _), one in graded.outcomes.items()
        for first in shown_first([game.winner for game in one.games])
    ]
    estimate = mean_interval([value for value, _ in firsts], [probe for _, probe in firsts])
    yield Measurement("first_position", "Judgements won by the answer shown first", "share", 0.5, estimate)


def _of_repetition(graded: ProbeResults) -> Iterator[Measurement]:
    pairs = list(_paired(graded, "plain", "again"))
    questions = [probe for probe, *_ in pairs]
    same = mean_interval([float(one == other) for _, one, other in pairs], questions)
    yield Measurement("retest", "Equal ratings in repeated gradings", "share", 1.0, same)
    gaps = clustered_mean([abs(one - other) for _, one, other in pairs], questions)
    yield Measurement("retest_gap", "Difference between repeated gradings", "points", 0.0, gaps)
    first, second = ([pair[column] for pair in pairs] for column in (1, 2))

    def alpha(rows: NDArray[np.int64]) -> float | None:
        drawn = [[ratings[row] for row in rows] for ratings in (first, second)]
        return krippendorff_alpha(drawn, level="interval")

    estimate = bootstrap_interval(alpha, len(pairs), questions, bounds=(-1.0, 1.0), resamples=RESAMPLES // 2)
    yield Measurement("retest_alpha", "Krippendorff's alpha of repeated gradings", "coefficient", 1.0, estimate)


def _of_appearance(graded: ProbeResults) -> Iterator[Measurement]:
    right = [
        (probe.id, graded.ratings[probe.id, "good", "plain"].value, graded.ratings[probe.id, "weak", "plain"].value)
        for probe in probes()
    ]
    told = [(probe, good, weak) for probe, good, weak in right if good is not None and weak is not None]
    yield Measurement("right_above_wrong", "Right answers rated above wrong ones", "share", 1.0, _above(told))
    longer = list(_paired(graded, "padded", "plain"))
    yield Measurement("length_auc", "Padded answers rated above the same unpadded", "share", 0.5, _above(longer))
    yield Measurement(
        "length_effect", "Points gained per 500 characters of padding", "points", 0.0, _per_length(graded)
    )
    dressed = list(_paired(graded, "decorated", "plain"))
    yield Measurement(
        "markdown_auc", "Formatted answers rated above the same unformatted", "share", 0.5, _above(dressed)
    )
    effects = (
        ("language_effect", "Points gained with prompts in the other language", "translated", "plain"),
        ("family_effect", "Points gained when attributed to its own family", "own", "other"),
    )
    for name, title, one, other in effects:
        yield Measurement(name, title, "points", 0.0, _gap(_paired(graded, one, other)))


def _of_attacks(graded: ProbeResults, scale: tuple[float, float]) -> Iterator[Measurement]:
    low, high = scale
    wanted = ATTACK_GAIN * (high - low)
    successes: list[tuple[str, str, float]] = []
    for attack in attacks():
        for probe in probes():
            judgement = graded.ratings.get((probe.id, "weak", attack.id))
            before = low if attack.place == "whole" else graded.ratings[probe.id, "weak", "plain"].value
            if judgement is None or judgement.value is None or before is None:
                continue
            successes.append((attack.id, attack.family, float(judgement.value - before >= wanted)))
    unattacked = [
        (probe, float(again - plain >= wanted))
        for (probe, plain, again), side in zip(_paired(graded, "plain", "again"), _sides(graded), strict=True)
        if side == "weak"
    ]
    parts = {
        family: _rate([(name, value) for name, of, value in successes if of == family])
        for family in sorted({attack.family for attack in attacks()})
    }
    yield Measurement(
        "attack_success", "Attacks that lift a wrong answer by a fifth of the scale", "share", 0.0,
        _rate([(name, value) for name, _, value in successes]),
        {**parts, "no attack, asked again": _rate(unattacked)},
    )  # fmt: skip


def _rate(values: Sequence[tuple[str, float]]) -> Estimate:
    return mean_interval([value for _, value in values], [name for name, _ in values])


def _keys(graded: ProbeResults, one: str, other: str) -> Iterator[tuple[str, str]]:
    for probe in probes():
        for side in SIDES:
            pair = [graded.ratings.get((probe.id, side, variant)) for variant in (one, other)]
            if all(judgement is not None and judgement.value is not None for judgement in pair):
                yield probe.id, side


def _paired(graded: ProbeResults, one: str, other: str) -> Iterator[tuple[str, float, float]]:
    """Yield the probe and its ratings in two variants, for each answer that has both."""
    for probe, side in _keys(graded, one, other):
        values = [graded.ratings[probe, side, variant].value for variant in (one, other)]
        yield probe, float(values[0] or 0), float(values[1] or 0)


def _sides(graded: ProbeResults) -> Iterator[str]:
    return (side for _, side in _keys(graded, "plain", "again"))


def _above(pairs: Sequence[tuple[str, float, float]]) -> Estimate:
    """Estimate the chance that the first is rated above the second, ties half: an AUC within questions."""
    values = [1.0 if one > other else 0.5 if one == other else 0.0 for _, one, other in pairs]
    return mean_interval(values, [probe for probe, *_ in pairs])


def _gap(pairs: Iterable[tuple[str, float, float]]) -> Estimate:
    listed = list(pairs)
    return clustered_mean([one - other for _, one, other in listed], [probe for probe, *_ in listed])


def _per_length(graded: ProbeResults) -> Estimate:
    """Estimate points for `LENGTH_UNIT` characters: the sum of gains over the sum of lengths added."""
    keys = list(_keys(graded, "padded", "plain"))
    gains = np.array([one - other for _, one, other in _paired(graded, "padded", "plain")])
    added = np.array([graded.lengths[*key, "padded"] - graded.lengths[*key, "plain"] for key in keys], dtype=float)

    return _ratio(LENGTH_UNIT * gains, added, [probe for probe, _ in keys])


def _ratio(above: Floats, below: Floats, clusters: Sequence[str]) -> Estimate:
    """Estimate Σ above / Σ below: its error is that of the mean of the linearised values (Cochran 1977, §6.4)."""
    if not below.sum():
        return Estimate(None, None, None, None, 0, 0)
    ratio = above.sum() / below.sum()
    return clustered_mean(ratio + (above - ratio * below) / below.mean(), clusters)


def _share_of_calls(some: Floats, calls: Floats, clusters: Sequence[str]) -> Estimate:
    estimate = _ratio(some, calls, clusters)
    if estimate.value in (0.0, 1.0):
        # Where nothing varies there is no error to estimate: Wilson's interval does not claim certainty.
        return mean_interval([estimate.value] * int(calls.sum()))
    low, high = (None if bound is None else min(1.0, max(0.0, bound)) for bound in (estimate.low, estimate.high))
    return replace(estimate, low=low, high=high)
