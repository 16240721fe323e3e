"""The alarm of two judges: it rings when the one that rewards rises alone, and not otherwise."""

from __future__ import annotations

import pytest
from evalkit.evals.statistics.gold import Trend, goes_to_gold, judge_divergence
from evalkit.tests.support.biased_judges import noise


def training(train_slope: float, gold_slope: float, *, steps: int = 40, a_step: int = 32, seed: int = 0):
    """Values of answers over the steps; every eighth is shown to the gold judge."""
    rows: tuple[list[int], list[float | None], list[float | None]] = ([], [], [])
    for step in range(steps):
        for answer in range(a_step):
            quality = 0.15 * noise(seed, step, answer)
            shown = answer % 8 == 0
            rows[0].append(step)
            rows[1].append(0.4 + train_slope * step + quality + 0.1 * noise(seed, step, answer, "train"))
            rows[2].append(
                0.4 + gold_slope * step + quality + 0.1 * noise(seed, step, answer, "gold") if shown else None
            )
    return rows


def test_the_alarm_rings_when_the_training_judge_rises_alone():
    for gold_slope in (0.0, -0.004):
        found = [judge_divergence(*training(0.008, gold_slope, seed=seed)) for seed in range(10)]
        assert all(one.trend in (Trend.ALARM, Trend.WATCH) for one in found)
        rung = sum(one.trend is Trend.ALARM for one in found)
        # A flat gold judge slopes up as often as down: then it is only watched.
        assert rung >= (3 if gold_slope == 0 else 10)


def test_it_does_not_ring_when_both_rise_or_neither_does():
    for slopes in ((0.008, 0.008), (0.0, 0.0), (-0.008, -0.008), (0.0, -0.004)):
        found = [judge_divergence(*training(*slopes, seed=seed)).trend for seed in range(10)]
        assert Trend.ALARM not in found
        assert found.count(Trend.FINE) >= 8, (slopes, found)


def test_slopes_are_those_that_were_put_in():
    found = judge_divergence(*training(0.008, 0.003))
    for estimate, truth in ((found.train, 0.008), (found.gold, 0.003), (found.gap, 0.005)):
        assert estimate.low <= truth <= estimate.high
    assert (found.train.clusters, found.gold.n) == (40, 160)


def test_only_the_window_counts():
    steps, train, gold = training(0.008, 0.008, steps=60, seed=1)
    late = [None if value is None else 0.4 + 0.008 * min(step, 30) + value - 0.4 - 0.008 * step
            for step, value in zip(steps, gold, strict=True)]  # fmt: skip
    assert judge_divergence(steps, train, late, window=25).trend is not Trend.FINE
    assert judge_divergence(steps, train, late, window=25).train.clusters == 25


def test_too_little_is_unknown_and_failed_verdicts_are_left_out():
    steps, train, gold = training(0.008, 0.0)
    assert judge_divergence([], [], []).trend is Trend.UNKNOWN
    assert judge_divergence(steps, train, [None] * len(steps)).trend is Trend.UNKNOWN
    assert judge_divergence(steps[:96], train[:96], gold[:96]).trend is Trend.UNKNOWN
    holes = [None if at % 7 == 0 else value for at, value in enumerate(train)]
    assert judge_divergence(steps, holes, gold).train.value == pytest.approx(0.008, abs=0.001)
    with pytest.raises(ValueError, match="two values"):
        judge_divergence(steps, train[1:], gold)


def test_the_sample_for_the_gold_judge_is_the_same_each_time_and_of_the_size_that_was_asked_for():
    chosen = [goes_to_gold(f"answer {number}", share=0.05) for number in range(20_000)]
    assert 850 < sum(chosen) < 1150
    assert chosen == [goes_to_gold(f"answer {number}", share=0.05) for number in range(20_000)]
    assert chosen != [goes_to_gold(f"answer {number}", share=0.05, seed=1) for number in range(20_000)]
    assert not goes_to_gold("x", share=0)
    assert goes_to_gold("\ud800", share=1)
