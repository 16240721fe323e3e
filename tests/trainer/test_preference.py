"""Supervised and preference losses: numbers worked out by hand, and the direction in which they push."""

from __future__ import annotations

import math

import pytest
from evalkit.errors import UsageError

torch = pytest.importorskip("torch", reason="losses are functions on tensors: they need evalkit-ru[train]")

from evalkit.trainer.losses import (
    TokenBatch,
    Totals,
    answer_log_probability,
    direct_preference,
    kahneman_tversky,
    open_loss,
)

torch.set_num_threads(1)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_an_answer_is_as_probable_as_its_tokens_together():
    tokens = double([[-1.0, -2.0, math.nan], [-0.5, math.inf, math.nan]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert answer_log_probability(tokens, mask).tolist() == [-3.0, -0.5]


def test_supervised_learning_is_the_mean_over_tokens():
    policy = double([[-1.0, -2.0, math.nan], [-6.0, 5.0, 5.0]]).requires_grad_()
    mask = torch.tensor([[True, True, False], [True, False, False]])
    unread = torch.full((2, 3), math.nan, dtype=torch.float64)
    learn = open_loss("sft")

    def batch(rows: slice) -> TokenBatch:
        return TokenBatch(policy[rows], unread[rows], mask[rows], unread[rows, 0])

    found = learn(batch(slice(2)))
    found.value.backward()
    assert found.value.item() == pytest.approx(3.0)
    assert policy.grad.tolist() == [[-1 / 3, -1 / 3, 0.0], [-1 / 3, 0.0, 0.0]]
    parts = [learn(batch(slice(row, row + 1)), Totals.of(mask)).value for row in (0, 1)]
    assert sum(parts).item() == pytest.approx(3.0)


def test_direct_preference_by_hand():
    chosen, rejected = double([-1.0, -4.0]).requires_grad_(), double([-3.0, -3.0]).requires_grad_()
    found = direct_preference(chosen, rejected, double([-2.0, -2.0]), double([-2.0, -2.0]), beta=0.5)
    # Margins 0.5·(1 + 1) and 0.5·(-2 + 1).
    expected = -(math.log(sigmoid(1.0)) + math.log(sigmoid(-0.5))) / 2
    assert found.value.item() == pytest.approx(expected)
    assert found.statistics["accuracy"].item() == 0.5
    assert found.statistics["margin"].item() == pytest.approx(0.25)
    found.value.backward()
    assert chosen.grad.tolist() == pytest.approx([-0.25 * sigmoid(-1.0), -0.25 * sigmoid(0.5)])
    assert rejected.grad.tolist() == pytest.approx([0.25 * sigmoid(-1.0), 0.25 * sigmoid(0.5)])


def test_smoothed_labels_are_wrong_now_and_then():
    zero = double([0.0])
    found = direct_preference(double([2.0]), zero, zero, zero, beta=1.0, label_smoothing=0.1).value.item()
    assert found == pytest.approx(-0.9 * math.log(sigmoid(2.0)) - 0.1 * math.log(sigmoid(-2.0)))


def test_extreme_margins_stay_finite():
    zero = double([0.0, 0.0])
    chosen = double([1e4, -1e4]).requires_grad_()
    found = direct_preference(chosen, zero, zero, zero, beta=1.0)
    found.value.backward()
    assert found.value.item() == pytest.approx(1e4 / 2)
    assert torch.isfinite(chosen.grad).all()


def test_kahneman_tversky_by_hand():
    policy, reference = double([-1.0, -3.0]).requires_grad_(), double([-2.0, -2.0])
    divergence = double(0.5).requires_grad_()
    desirable = torch.tensor([True, False])
    settings = {"beta": 2.0, "desirable_weight": 1.0, "undesirable_weight": 1.5}
    found = kahneman_tversky(policy, reference, desirable, divergence, **settings)
    good, bad = 1 - sigmoid(2 * (1 - 0.5)), 1.5 * (1 - sigmoid(2 * (0.5 + 1)))
    assert found.value.item() == pytest.approx((good + bad) / 2)
    found.value.backward()
    assert policy.grad[0] < 0 < policy.grad[1]
    assert divergence.grad is None


def test_a_negative_divergence_counts_as_none():
    one, yes = double([0.3]), torch.tensor([True])
    below = kahneman_tversky(one, double([0.0]), yes, double(-3.0)).value
    assert below.item() == kahneman_tversky(one, double([0.0]), yes, double(0.0)).value.item()


def test_pairs_of_micro_batches_add_up():
    values = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = direct_preference(*values).value
    parts = [direct_preference(*values[:, rows], total=6).value for rows in (slice(0, 2), slice(2, 6))]
    assert sum(parts).item() == pytest.approx(whole.item())
    good = torch.tensor([True, False] * 3)
    whole = kahneman_tversky(values[0], values[1], good, double(0.1)).value
    parts = [
        kahneman_tversky(values[0, rows], values[1, rows], good[rows], double(0.1), total=6).value
        for rows in (slice(0, 1), slice(1, 6))
    ]
    assert sum(parts).item() == pytest.approx(whole.item())


def test_settings_that_cannot_be():
    zero = double([0.0])
    for wrong in ({"beta": 0.0}, {"beta": math.nan}, {"label_smoothing": 0.5}):
        with pytest.raises(UsageError, match="preference"):
            direct_preference(zero, zero, zero, zero, **wrong)
    with pytest.raises(UsageError, match="beta"):
        kahneman_tversky(zero, zero, torch.tensor([True]), double(0.0), beta=-1.0)
