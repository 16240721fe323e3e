"""Advantages: the expected numbers, and what must hold for groups with holes in them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import UsageError
from evalkit.trainer.rewards.scoring import soft_overlong
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="advantages are functions on tensors: they need evalkit-ru[train]")

from evalkit.trainer.losses.advantages import (
    ESTIMATORS,
    centred,
    effective_sample_size,
    group_zscore,
    open_estimator,
    regression_weights,
    reinforce_baseline,
    rloo,
)
from evalkit.trainer.losses.groups import group_mean, group_variance, informative, reward_tensor, usable

torch.set_num_threads(1)
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def document(vector_file: Callable[[str], Path]) -> dict[str, Any]:
    return json.loads(vector_file("trainer/oracle_vectors.json").read_text(encoding="utf-8"))


def estimate(name: str, rewards: torch.Tensor, groups: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor | None:
    """Return what a name of the oracle means; None for an unknown name."""
    if named := re.fullmatch(r"group_ddof(\d)_eps(\S+)", name):
        return group_zscore(rewards, groups, ddof=int(named[1]), epsilon=float(named[2]))
    if name == "center":
        return centred(rewards, groups)
    if name == "rloo":
        return rloo(rewards, groups)
    if name == "rfpp_baseline_seq":
        return reinforce_baseline(rewards, groups)
    if name == "rfpp_baseline_tok":
        return reinforce_baseline(rewards, groups, lengths=lengths)
    return None


@pytest.mark.conformance
def test_estimators_of_the_oracle(document):
    inputs = document["inputs"]
    rewards = reward_tensor(inputs["rewards"])
    groups = torch.arange(len(rewards)) // inputs["G"]
    lengths = torch.tensor(inputs["mask"], dtype=torch.float64).sum(dim=1)
    unknown = []
    for name, expected in document["advantages"].items():
        found = estimate(name, rewards, groups, lengths)
        if found is None:
            unknown.append(name)
        else:
            assert found.tolist() == pytest.approx(expected, abs=TOLERANCE, rel=0), name
    if unknown:
        pytest.skip(f"all others are right, and none of ours is {', '.join(unknown)}")


@pytest.mark.conformance
def test_overlong_shaping_of_the_oracle(document):
    for length, expected in document["overlong"]:
        assert soft_overlong(length, 100, 20) == pytest.approx(expected, abs=TOLERANCE)


GROUPS = torch.tensor([0, 0, 0, 0])


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("group", {"ddof": 0, "epsilon": 0.0}, [math.sqrt(3), *[-1 / math.sqrt(3)] * 3]),
        ("group", {"ddof": 1, "epsilon": 0.0}, [1.5, -0.5, -0.5, -0.5]),
        ("centred", {}, [0.75, -0.25, -0.25, -0.25]),
        ("rloo", {}, [1.0, *[-1 / 3] * 3]),
        ("batch", {"epsilon": 0.0}, [1.5, -0.5, -0.5, -0.5]),
        ("reinforce-baseline", {}, [math.sqrt(3), *[-1 / math.sqrt(3)] * 3]),
    ],
)
def test_one_right_of_four_by_hand(name, options, expected):
    found = open_estimator(name, **options)(reward_tensor([1, 0, 0, 0]), GROUPS)
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


def test_the_batchs_deviation_is_not_the_groups():
    rewards, groups = reward_tensor([1, 0, 0.5, 0.5]), torch.tensor([0, 0, 1, 1])
    deviation = math.sqrt(((0.5**2) * 2) / 3)
    found = open_estimator("batch", epsilon=0.0)(rewards, groups)
    assert found.tolist() == pytest.approx([0.5 / deviation, -0.5 / deviation, 0, 0])


def test_a_batch_whitened_over_tokens_gives_long_answers_more_say():
    rewards, groups = reward_tensor([1, 0]), torch.tensor([0, 0])
    found = reinforce_baseline(rewards, groups, lengths=torch.tensor([3.0, 1.0]))
    # Mean over the tokens 0.25, variance (3·0.25² + 0.75²) / 4.
    assert found.tolist() == pytest.approx([0.25 / math.sqrt(0.1875), -0.75 / math.sqrt(0.1875)])


rewards_with_holes = st.lists(
    st.tuples(st.integers(0, 3), st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=24
)


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=40, deadline=None)
@given(rewards_with_holes)
def test_an_unmeasured_answer_changes_nothing_for_the_others(name, rows):
    groups = torch.tensor([group for group, _ in rows])
    rewards = reward_tensor([value for _, value in rows])
    found = ESTIMATORS[name](rewards, groups)
    measured = ~rewards.isnan()
    assert not found[~measured].any()
    assert found.isfinite().all()
    alone = ESTIMATORS[name](rewards[measured], groups[measured])
    assert torch.allclose(found[measured], alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=40, deadline=None)
@given(rewards_with_holes, st.randoms(use_true_random=False))
def test_order_and_names_of_groups_do_not_matter(name, rows, random):
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)

    def estimated(order, rename):
        groups = torch.tensor([rename(rows[at][0]) for at in order])
        found = ESTIMATORS[name](reward_tensor([rows[at][1] for at in order]), groups)
        return dict(zip(order, found.tolist(), strict=True))

    plain = estimated(range(len(rows)), lambda group: group)
    other = estimated(shuffled, lambda group: 1000 - 7 * group)
    assert other == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_ties_and_groups_of_one_have_no_advantage(name):
    rewards, groups = reward_tensor([0.1, 0.1, 0.1, 0.7]), torch.tensor([0, 0, 0, 1])
    assert not ESTIMATORS[name](rewards, groups).any()


def test_a_tie_without_epsilon_is_no_division_by_zero():
    for name in ("group", "batch"):
        found = open_estimator(name, epsilon=0.0)(reward_tensor([0.1] * 3), torch.tensor([0] * 3))
        assert found.tolist() == [0.0] * 3


def test_a_group_of_which_more_than_a_quarter_is_unmeasured_is_dropped():
    one_of_four = [None, 1.0, 0.0, 0.0]
    two_of_four = [None, None, 1.0, 0.0]
    rewards = reward_tensor([*one_of_four, *two_of_four])
    groups = torch.arange(8) // 4
    assert usable(rewards, groups).tolist() == [False, True, True, True] + [False] * 4
    assert usable(rewards, groups, max_unscored=0.5).tolist() == [False, True, True, True, False, False, True, True]
    assert usable(rewards, groups, max_unscored=0.0).tolist() == [False] * 8
    assert not usable(reward_tensor([None, None]), torch.tensor([0, 0])).any()


def test_a_group_is_informative_when_its_measured_rewards_differ():
    rewards = reward_tensor([1, 1, 1, 0, 1, None, None, None])
    groups = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    assert informative(rewards, groups).tolist() == [False, False, True, True, False, False, False, False]


def test_means_and_variances_of_groups():
    values, groups = reward_tensor([1.0, 3.0, None, 5.0]), torch.tensor([7, 7, 7, 2])
    assert group_mean(values, groups).tolist() == [2.0, 2.0, 2.0, 5.0]
    assert group_variance(values, groups, ddof=1).tolist() == [2.0, 2.0, 2.0, 0.0]


def test_an_empty_batch():
    nothing = reward_tensor([])
    assert centred(nothing, torch.tensor([], dtype=torch.long)).shape == (0,)


def test_regression_weights_by_hand():
    advantages, groups = reward_tensor([0.5, -0.5, 4.0, None]), torch.tensor([0, 0, 1, 1])
    plain = regression_weights(advantages, groups, temperature=0.5)
    assert plain.tolist() == pytest.approx([math.e, 1 / math.e, 20.0, 0.0])
    by_group = regression_weights(advantages, groups, temperature=0.5, normalization="group")
    mean = (math.e + 1 / math.e) / 2
    assert by_group.tolist() == pytest.approx([math.e / mean, 1 / math.e / mean, 1.0, 0.0])
    around = regression_weights(advantages, groups, temperature=0.5, normalization="centred")
    assert around.tolist() == pytest.approx([math.e - mean, 1 / math.e - mean, 0.0, 0.0], abs=1e-12)
    far = regression_weights(reward_tensor([1e6, -1e6]), torch.tensor([0, 0]), normalization="centred")
    assert far.tolist() == pytest.approx([10.0, -10.0])


def test_effective_sample_size():
    assert effective_sample_size(torch.ones(5)) == pytest.approx(5)
    assert effective_sample_size(torch.tensor([1.0, 0.0])) == pytest.approx(1)
    assert effective_sample_size(torch.zeros(3)) == 0.0


def test_unknown_estimators_suggest_the_nearest():
    with pytest.raises(UsageError, match=r"unknown advantage estimator 'rlo'\. Did you mean 'rloo'"):
        open_estimator("rlo")
    with pytest.raises(UsageError, match=r"'group' has no option 'epsilonn'\. Did you mean 'epsilon'"):
        open_estimator("group", epsilonn=1)
