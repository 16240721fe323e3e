"""Decisions of a training run, without a model: when to reset, what to sample, whose prompts come next."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict

import pytest
from evalkit.errors import UsageError
from evalkit.trainer.data.mixture import Family, Mixture
from evalkit.trainer.policy.resets import ResetState, reason_to_reset, record_evaluation, record_reset
from evalkit.trainer.recipe.fields import Reset, Rollouts
from evalkit.trainer.records.step_log import metrics_of
from evalkit.trainer.rollouts.records import Answer, Group
from evalkit.trainer.rollouts.sampling import fresh_enough, next_wave, settle
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError


def test_a_reset_every_so_many_steps_counts_from_the_last_one():
    rule, state = Reset(every=3), ResetState()
    resets = []
    for step in range(1, 10):
        if reason := reason_to_reset(rule, state, step):
            state = record_reset(state, step, reason)
            resets.append(step)
    assert resets == [3, 6, 9]
    assert state.history[0] == (3, "every 3 steps")


def test_a_reset_on_stagnation_waits_for_patience_and_starts_anew():
    rule, state = Reset(every=None, patience=2, min_delta=0.01), ResetState()
    for value in (0.5, 0.505, None):
        state = record_evaluation(rule, state, value)
        assert reason_to_reset(rule, state, 10) is None
    state = record_evaluation(rule, state, 0.51)
    assert reason_to_reset(rule, state, 10) == "stagnation: 2 evaluations without progress"
    state = record_reset(state, 10, "stagnation")
    assert (state.best, state.stale) == (0.5, 0)
    state = record_evaluation(rule, state, 0.6)
    assert (state.best, state.stale) == (0.6, 0)


def test_a_reset_on_divergence_or_by_hand():
    rule = Reset(every=None, kl_above=0.1)
    assert reason_to_reset(rule, ResetState(), 1, kl=0.1) is None
    assert reason_to_reset(rule, ResetState(), 1, kl=0.25) == "kl 0.25 > 0.1"
    assert reason_to_reset(rule, ResetState(), 1, kl=math.nan) is None
    assert reason_to_reset(rule, ResetState(), 1) is None
    assert reason_to_reset(rule, ResetState(), 1, manual=True) == "manual"


def test_what_becomes_of_the_optimizer():
    policies = {"clear": 0.0, "keep": 1.0, "scale": 0.5}
    assert {name: Reset(optimizer=name).moment_factor for name in policies} == policies
    assert Reset(optimizer="scale", factor=0.1).moment_factor == 0.1


def test_a_reset_state_survives_a_checkpoint():
    state = record_reset(record_evaluation(Reset(), ResetState(), 0.4), 7, "manual")
    assert ResetState.from_json(json.loads(json.dumps(asdict(state)))) == state


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": 0},
        {"patience": 0},
        {"kl_above": 0.0},
        {"kl_above": math.nan},
        {"min_delta": -1.0},
        {"optimizer": "drop"},
        {"factor": 2.0},
    ],
)
def test_reset_rules_that_cannot_be(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Reset(**wrong)


def sampled(budget: Rollouts, yields: list[int], surplus: int = 0) -> tuple[int, int, int]:
    """Play a step whose waves give so many informative groups: (waves, prompts asked, groups had)."""
    asked = informative = waves = 0
    while size := next_wave(budget, have=surplus + informative, waves=waves, asked=asked, informative=informative):
        informative += min(size, yields[waves] if waves < len(yields) else 0)
        asked += size
        waves += 1
    return waves, asked, surplus + informative


def test_a_first_wave_asks_for_what_is_missing():
    budget = Rollouts(groups=8)
    assert sampled(budget, [8]) == (1, 8, 8)
    assert sampled(budget, [3], surplus=5) == (1, 3, 8)
    assert sampled(budget, [], surplus=9) == (0, 0, 9)


def test_later_waves_ask_for_more_when_few_prompts_teach():
    # One of eight taught: seven missing at a rate of 2/10 would be 35 prompts, more than a wave may have.
    assert next_wave(Rollouts(groups=8), have=1, waves=1, asked=8, informative=1) == 8
    assert next_wave(Rollouts(groups=64), have=60, waves=1, asked=64, informative=60) == 5


def test_all_tied_rewards_cost_the_budget_and_no_more():
    assert sampled(Rollouts(groups=8, extra_waves=4), []) == (5, 40, 0)
    assert sampled(Rollouts(groups=8, extra_waves=0), []) == (1, 8, 0)
    assert settle(Rollouts(groups=8), []).outcome == "skip"


def kept(*steps: int) -> list[Group]:
    return [Group("a", number, f"{number}", (), (), step - 1) for number, step in enumerate(steps)]


def test_a_full_step_trains_the_oldest_and_keeps_the_rest():
    batch = settle(Rollouts(groups=2), kept(5, 4, 5))
    assert [group.sample for group in batch.train] == ["1", "0"]
    assert [group.sample for group in batch.surplus] == ["2"]
    assert batch.outcome == "full"


def test_a_short_step_trains_on_what_there_is_and_a_poor_one_waits():
    budget = Rollouts(groups=8, min_share=0.25)
    assert settle(budget, kept(1, 1)).outcome == "short"
    poor = settle(budget, kept(1))
    assert (poor.outcome, poor.train, len(poor.surplus)) == ("skip", (), 1)
    assert settle(Rollouts(groups=8, min_share=0.0), []).outcome == "skip"


def test_surplus_is_limited_and_ages():
    batch = settle(Rollouts(groups=1, max_surplus=2), kept(1, 2, 3, 4))
    assert [group.step for group in batch.surplus] == [3, 4]
    assert settle(Rollouts(groups=1, max_surplus=0), kept(1, 2)).surplus == ()
    assert [group.step for group in fresh_enough(Rollouts(groups=1), kept(1, 2, 3), 3)] == [2, 3]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 5), st.lists(st.integers(0, 30), max_size=8), st.integers(0, 40))
def test_no_group_is_lost_and_no_budget_exceeded(groups, extra_waves, yields, surplus):
    budget = Rollouts(groups=groups, extra_waves=extra_waves)
    waves, asked, had = sampled(budget, yields, surplus)
    assert waves <= 1 + extra_waves
    assert asked <= groups * (1 + extra_waves)
    batch = settle(budget, kept(*[1] * had))
    assert len(batch.train) + len(batch.surplus) == had
    assert len(batch.train) <= groups


@pytest.mark.parametrize(
    "wrong", [{"groups": 0}, {"extra_waves": -1}, {"min_share": 2.0}, {"max_surplus": -1}, {"max_age": -1}]
)
def test_budgets_that_cannot_be(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Rollouts(**{"groups": 4} | wrong)


FIVE = (
    Family("math", 40, 0.3),
    Family("code", 24, 0.2),
    Family("science", 25, 0.2),
    Family("logic", 37, 0.2),
    Family("instructions", 10, 0.1),
)


def test_every_prefix_holds_the_proportions():
    chosen, _ = Mixture(FIVE).draw({}, 1000)
    for length in range(1, 1001):
        counts = Counter(name for name, _ in chosen[:length])
        assert all(abs(counts[family.name] - family.weight * length) <= 1.5 for family in FIVE)


def test_each_time_around_every_prompt_comes_once_and_in_another_order():
    chosen, _ = Mixture((Family("one", 5),), seed=3).draw({}, 15)
    rounds = [[index for _, index in chosen[start : start + 5]] for start in (0, 5, 10)]
    assert all(sorted(order) == list(range(5)) for order in rounds)
    assert len({tuple(order) for order in rounds}) > 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 17), min_size=1, max_size=6), st.integers(0, 5))
def test_cutting_a_run_into_steps_changes_nothing(steps, seed):
    mixture = Mixture(FIVE, seed)
    state, together = {}, []
    for count in steps:
        chosen, state = mixture.draw(state, count)
        together += chosen
    assert together == mixture.draw({}, sum(steps))[0]


def test_a_seed_is_another_order_and_a_weight_of_zero_never_comes():
    families = (Family("on", 50), Family("off", 50, 0.0), Family("empty", 0, 0.0))
    first, _ = Mixture(families, 1).draw({}, 50)
    second, _ = Mixture(families, 2).draw({}, 50)
    assert first != second
    assert {name for name, _ in first} == {"on"}


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ((), "at least one family"),
        ((Family("a", 1, 0.0),), "at least one family"),
        ((Family("a", 1), Family("a", 2)), "two families are named 'a'"),
        ((Family("a", 0),), "'a' has a weight and no prompts"),
        ((Family("a", 1, -1.0),), "the weight of 'a'"),
        ((Family("a", 1, math.inf),), "the weight of 'a'"),
    ],
)
def test_mixtures_that_cannot_be(families, message):
    with pytest.raises(UsageError, match=message):
        Mixture(families)


def test_means_of_families_leave_out_what_was_not_measured():
    groups = [
        Group(family, 0, "id", (), tuple(Answer((), (), "stop", reward=reward) for reward in rewards))
        for family, rewards in (("b", [1.0, None]), ("a", [0.5]), ("c", [None]))
    ]
    assert metrics_of(groups, informative=0)["families"] == {"a": 0.5, "b": 1.0}
