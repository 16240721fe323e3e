"""Losses and their gradients: the expected numbers, vectors worked out by hand, and what must always hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import UsageError
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="losses are functions on tensors: they need evalkit-ru[train]")

from evalkit.trainer.losses import (
    LOSSES,
    Correction,
    TokenBatch,
    Totals,
    aggregate,
    kl_divergence,
    loss_options,
    open_loss,
)
from evalkit.trainer.losses import advantages as estimators
from evalkit.trainer.losses.critic import (
    Memory,
    Weighing,
    blend,
    critic_loss,
    expected_score,
    explanation_advantages,
    explanation_loss,
    two_hot,
    weigh,
)

torch.set_num_threads(1)

REWARDED = [name for name in LOSSES if name != "sft"]
"""The losses that learn from advantages."""
TOLERANCE = 1e-9
NUMBER = r"([0-9.]+(?:e-?[0-9]+)?)"


@pytest.fixture(scope="module")
def document(vector_file: Callable[[str], Path]) -> dict[str, Any]:
    return json.loads(vector_file("trainer/oracle_vectors.json").read_text(encoding="utf-8"))


def double(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


class Vectors:
    """The inputs of the oracle, and the losses that its names mean."""

    def __init__(self, inputs: dict[str, Any], dtype: torch.dtype = torch.float64) -> None:
        names = ("logp_new", "logp_old", "logp_ref", "logp_rollout", "mask", "rewards")
        tensors = [torch.tensor(inputs[name], dtype=dtype) for name in names]
        self.policy, self.old, self.reference, self.sampler, self.mask, self.rewards = tensors
        self.policy.requires_grad_()
        self.groups = torch.arange(len(self.rewards)) // inputs["G"]

    def batch(self, advantages: torch.Tensor) -> TokenBatch:
        return TokenBatch(self.policy, self.old, self.mask, advantages, self.reference, self.sampler)

    def of_advantages(self, name: str, **options: Any) -> Any:
        advantages = estimators.group_zscore(self.rewards, self.groups, ddof=1, epsilon=1e-4)
        return open_loss(name, **options)(self.batch(advantages))

    def of_weights(self, weights: torch.Tensor, name: str = "awr", **options: Any) -> Any:
        return open_loss(name, **options)(self.batch(weights))

    def awr(self, **options: Any) -> torch.Tensor:
        return estimators.regression_weights(
            estimators.group_zscore(self.rewards, self.groups), self.groups, **options
        )

    def loss(self, name: str) -> Any:
        """Compute the loss that a name of the oracle means; None for an unknown name."""
        if named := re.fullmatch(rf"grpo(?:_(k1|k2|k3|k3is)_beta{NUMBER})?", name):
            return self.of_advantages("grpo", **divergence(*named.groups()))
        if named := re.fullmatch(rf"dapo(?:_dualclip{NUMBER})?", name):
            return self.of_advantages("dapo", dual_clip=float(named[1]) if named[1] else None)
        if named := re.fullmatch(rf"prorl_(k1|k2|k3|k3is)_beta{NUMBER}", name):
            return self.of_advantages("dapo", clip_high=0.4, **divergence(*named.groups()))
        if named := re.fullmatch(r"dr_grpo_max(\d+)", name):
            advantages = estimators.centred(self.rewards, self.groups)
            return open_loss("dr_grpo", max_length=int(named[1]))(self.batch(advantages))
        if named := re.fullmatch(rf"gspo_{NUMBER}_{NUMBER}", name):
            return self.of_advantages("gspo", clip_low=float(named[1]), clip_high=float(named[2]))
        if named := re.fullmatch(rf"cispo_(?:minimax|trl)_cap{NUMBER}", name):
            return self.of_advantages("cispo", ratio_cap=float(named[1]))
        if named := re.fullmatch(rf"cispo_verl_{NUMBER}_{NUMBER}", name):
            return self.of_advantages("cispo", ratio_floor=float(named[1]), ratio_cap=float(named[2]))
        if named := re.fullmatch(rf"gmpo_geo_{NUMBER}", name):
            return self.of_advantages("gmpo-geo", clip=float(named[1]))
        if named := re.fullmatch(rf"gmpo_awr_tau{NUMBER}_wmax{NUMBER}", name):
            return self.of_weights(self.awr(temperature=float(named[1]), maximum=float(named[2])))
        if name == "gmpo_awr_seqmean":
            return self.of_weights(self.awr(), aggregation="sequence_mean")
        if named := re.fullmatch(r"gmpo_awr_(norm|center)_group", name):
            normalization = {"norm": "group", "center": "centred"}[named[1]]
            return self.of_weights(self.awr(normalization=normalization))
        if named := re.fullmatch(rf"gmpo_critic_taudyn_(k2|k3|k3is)_beta{NUMBER}", name):
            signal = weigh(self.rewards, self.groups, Weighing(mode="pure"))
            return self.of_weights(signal.coefficients, "gmpo", **divergence(*named.groups()))
        if name == "rloo_reinforce":
            return open_loss("reinforce")(self.batch(estimators.rloo(self.rewards, self.groups)))
        if named := re.fullmatch(rf"dapo_is_(token|sequence)_(truncate|mask)_C{NUMBER}", name):
            correction = correction_of(*named.groups())
            return self.of_advantages("dapo", correction=correction)
        if named := re.fullmatch(r"kl_(k1|k2|k3|k3_is)", name):
            # The divergence alone: nothing to learn from, everything to keep.
            nothing = torch.zeros_like(self.rewards)
            return open_loss("ppo", kl=named[1], kl_weight=1.0)(self.batch(nothing))
        return None


def correction_of(level: Any, mode: Any, maximum: str) -> Correction:
    # Tokens are masked outside [1/C, C]; a sequence is by its upper bound alone.
    both_sides = (level, mode) == ("token", "mask")
    return Correction(level, mode, float(maximum), 1 / float(maximum) if both_sides else 0.0)


def divergence(estimator: str | None, weight: str | None) -> dict[str, Any]:
    if estimator is None or weight is None:
        return {}
    return {"kl": estimator.replace("k3is", "k3_is"), "kl_weight": float(weight)}


@pytest.mark.conformance
def test_losses_and_gradients_of_the_oracle(document):
    unknown = []
    for name, expected in document["losses"].items():
        vectors = Vectors(document["inputs"])
        found = vectors.loss(name)
        if found is None:
            unknown.append(name)
            continue
        found.value.backward()
        assert found.value.item() == pytest.approx(expected["loss"], abs=TOLERANCE, rel=0), name
        assert torch.allclose(vectors.policy.grad, double(expected["grad"]), atol=TOLERANCE, rtol=0), name
    if unknown:
        pytest.skip(f"all others are right, and none of ours is {', '.join(unknown)}")


@pytest.mark.conformance
def test_single_precision_is_close_to_the_oracle(document):
    # Single precision has 1e-7 of the largest term, and terms of order 1 are summed.
    for name, expected in document["losses"].items():
        vectors = Vectors(document["inputs"], torch.float32)
        found = vectors.loss(name)
        if found is None:
            continue
        found.value.backward()
        assert found.value.dtype == torch.float32
        assert found.value.item() == pytest.approx(expected["loss"], abs=1e-5, rel=1e-5), name
        assert torch.allclose(vectors.policy.grad, double(expected["grad"]).float(), atol=1e-5, rtol=1e-5), name


@pytest.mark.conformance
def test_shares_of_clipped_tokens_of_the_oracle(document):
    for name, expected in document["losses"].items():
        if name.startswith("kl_"):
            continue
        found = Vectors(document["inputs"]).loss(name)
        if found is None:
            continue
        for key in ("clip_frac", "clip_frac_seq", "cap_frac"):
            if key in expected.get("extras", {}):
                share = found.statistics["clip_fraction"].item()
                assert share == pytest.approx(expected["extras"][key], abs=1e-6), name


@pytest.mark.conformance
def test_weights_of_the_oracle(document):
    vectors = Vectors(document["inputs"])
    losses = document["losses"]
    for name in losses:
        extras = losses[name].get("extras")
        if not extras:
            continue
        if named := re.fullmatch(rf"gmpo_awr_tau{NUMBER}_wmax{NUMBER}", name):
            weights = vectors.awr(temperature=float(named[1]), maximum=float(named[2]))
        elif name.startswith("gmpo_critic_taudyn"):
            weights = weigh(vectors.rewards, vectors.groups, Weighing(mode="pure")).weights
        elif named := re.fullmatch(rf"dapo_is_(token|sequence)_(truncate|mask)_C{NUMBER}", name):
            correction = correction_of(*named.groups())
            found = correction.weights(vectors.old, vectors.sampler, vectors.mask.bool())
            assert torch.allclose(found, double(extras["is"]), atol=TOLERANCE, rtol=0), name
            continue
        else:
            continue
        assert torch.allclose(weights, double(extras["w"]), atol=TOLERANCE, rtol=0), name
        assert estimators.effective_sample_size(weights) == pytest.approx(extras["ess"], abs=TOLERANCE), name


def one_token(ratio: float, advantage: float, **more: Any) -> tuple[TokenBatch, torch.Tensor]:
    """A batch of one sequence of one token whose policy is ``ratio`` times as probable as before."""
    policy = double([[math.log(0.25 * ratio)]]).requires_grad_()
    batch = TokenBatch(policy, double([[math.log(0.25)]]), torch.ones(1, 1), double([advantage]), **more)
    return batch, policy


def value_and_slope(name: str, ratio: float, advantage: float, **options: Any) -> tuple[float, float]:
    batch, policy = one_token(ratio, advantage)
    loss = open_loss(name, **options)(batch).value
    loss.backward()
    return loss.item(), policy.grad.item()


@pytest.mark.parametrize(
    ("name", "options", "ratio", "advantage", "value", "slope"),
    [
        ("grpo", {}, 1.0, 2.0, -2.0, -2.0),
        ("grpo", {}, 1.1, 2.0, -2.2, -2.2),
        ("grpo", {}, 1.5, 2.0, -2.4, 0.0),  # clipped at 1.2
        ("grpo", {}, 0.5, 2.0, -1.0, -1.0),  # below, where A > 0: free to come back
        ("grpo", {}, 0.5, -1.0, 0.8, 0.0),  # clipped at 0.8
        ("grpo", {}, 1.5, -1.0, 1.5, 1.5),
        ("dapo", {}, 1.5, 2.0, -2.56, 0.0),  # clipped at 1.28
        ("dapo", {"dual_clip": 3.0}, 4.0, -1.0, 3.0, 0.0),
        ("dapo", {"dual_clip": 3.0}, 2.5, -1.0, 2.5, 2.5),
        ("dapo", {"dual_clip": 3.0}, 4.0, 1.0, -1.28, 0.0),
        ("ppo", {"clip_low": 0.1, "clip_high": 0.1}, 0.5, -1.0, 0.9, 0.0),
        ("gspo", {}, 1.1, 1.0, -1.0004, 0.0),
        ("gspo", {"clip_high": 0.2}, 1.1, 1.0, -1.1, -1.1),
        ("cispo", {}, 0.5, 1.0, -0.5 * math.log(0.125), -0.5),
        ("cispo", {}, 8.0, 1.0, -5 * math.log(2.0), -5.0),  # capped, the gradient is kept
        ("cispo", {"ratio_floor": 0.8}, 0.5, 1.0, -0.8 * math.log(0.125), -0.8),
        ("gmpo-geo", {}, 1.5, 1.0, -math.exp(0.4), 0.0),
        ("gmpo-geo", {}, 1.4, 1.0, -1.4, -1.4),
        ("gmpo-geo", {}, 0.5, 1.0, -0.5, -0.5),
        ("gmpo-geo", {}, 0.5, -1.0, math.exp(-0.4), 0.0),
        ("reinforce", {}, 1.0, 3.0, -3 * math.log(0.25), -3.0),
        ("awr", {}, 2.0, 3.0, -3 * math.log(0.5), -3.0),
        ("gmpo", {}, 2.0, 0.5, -0.5 * math.log(0.5), -0.5),
        ("dr_grpo", {"max_length": 8}, 1.1, 2.0, -2.2 / 8, -2.2 / 8),
    ],
)
def test_one_token_by_hand(name, options, ratio, advantage, value, slope):
    assert value_and_slope(name, ratio, advantage, **options) == pytest.approx((value, slope), abs=1e-12)


@pytest.mark.parametrize(
    ("estimator", "value", "slope"),
    [
        ("k1", math.log(2), 1.0),
        ("k2", math.log(2) ** 2 / 2, math.log(2)),
        ("k3", 0.5 - 1 + math.log(2), 0.5),
        ("k3_is", 4 * (0.5 - 1 + math.log(2)), 4 * math.log(2)),
    ],
)
def test_divergence_by_hand(estimator, value, slope):
    # Twice as probable as under the reference, four times as under the old policy.
    policy = double([math.log(0.5)]).requires_grad_()
    found = kl_divergence(policy, double([math.log(0.25)]), estimator, double([math.log(0.125)]))
    found.sum().backward()
    assert (found.item(), policy.grad.item()) == pytest.approx((value, slope), abs=1e-12)


def test_without_an_old_policy_the_answers_are_the_policys_own():
    policy = double([math.log(0.5)]).requires_grad_()
    kl_divergence(policy, double([math.log(0.25)]), "k3_is").sum().backward()
    assert policy.grad.item() == pytest.approx(math.log(2), abs=1e-12)


def test_three_means_by_hand():
    values = double([[1.0, 2.0, 3.0], [4.0, 9.0, 9.0], [7.0, 7.0, 7.0]])
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    totals = Totals.of(mask)
    # The last sequence has nothing to train: it does not count.
    assert totals == Totals(4, 2)
    assert aggregate(values, mask, "sequence_mean", totals).item() == pytest.approx((2 + 4) / 2)
    assert aggregate(values, mask, "token_mean", totals).item() == pytest.approx(10 / 4)
    assert aggregate(values, mask, "constant", totals, 5).item() == pytest.approx(10 / (2 * 5))


def random_batch(seed: int, rows: int, length: int, width: int = 0) -> TokenBatch:
    """A batch whose masks are prefixes of random lengths, some of them empty, padded by ``width`` more."""
    generator = torch.Generator().manual_seed(seed)

    def draw(scale: float) -> torch.Tensor:
        return -torch.rand(rows, length, generator=generator, dtype=torch.float64) * scale

    policy = draw(2.0)
    others = [policy + draw(0.5) + 0.25 for _ in range(3)]
    lengths = torch.randint(0, length + 1, (rows, 1), generator=generator)
    mask = torch.arange(length)[None, :] < lengths
    advantages = torch.randn(rows, generator=generator, dtype=torch.float64)
    filler = torch.full((rows, width), torch.nan, dtype=torch.float64)
    padded = [torch.cat([values, filler], dim=1) for values in (policy, *others)]
    padded_mask = torch.cat([mask, torch.zeros(rows, width, dtype=torch.bool)], dim=1)
    return TokenBatch(padded[0].requires_grad_(), padded[1], padded_mask, advantages, padded[2], padded[3])


def options_of(name: str) -> dict[str, Any]:
    options: dict[str, Any] = {"kl_weight": 0.1, "correction": Correction("token", "truncate", 1.2)}
    return options | ({"max_length": 12} if name == "dr_grpo" else {})


def gradient(name: str, batch: TokenBatch) -> tuple[float, torch.Tensor]:
    loss = open_loss(name, **options_of(name))(batch).value
    (slope,) = torch.autograd.grad(loss, batch.policy)
    return loss.item(), slope


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(1, 5), length=st.integers(1, 6), width=st.integers(1, 3))
def test_padding_changes_nothing(name, seed, rows, length, width):
    loss, slope = gradient(name, random_batch(seed, rows, length))
    padded_loss, padded_slope = gradient(name, random_batch(seed, rows, length, width))
    assert padded_loss == pytest.approx(loss, abs=1e-12)
    assert torch.allclose(padded_slope[:, :length], slope, atol=1e-12, rtol=0)
    assert not padded_slope[:, length:].any()


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(1, 6), length=st.integers(1, 5), cut=st.integers(0, 6))
def test_micro_batches_add_up_to_the_step(name, seed, rows, length, cut):
    whole = random_batch(seed, rows, length)
    loss, slope = gradient(name, whole)
    totals = Totals.of(whole.mask)
    bound = open_loss(name, **options_of(name))
    parts = [
        bound(
            TokenBatch(
                *(
                    getattr(whole, field)[rows_of_part]
                    for field in ("policy", "old", "mask", "advantages", "reference", "sampler")
                )
            ),
            totals,
        )
        for rows_of_part in (slice(0, cut), slice(cut, None))
    ]
    assert sum(part.value.item() for part in parts) == pytest.approx(loss, abs=1e-12)
    (summed,) = torch.autograd.grad(sum(part.value for part in parts), whole.policy)
    assert torch.allclose(summed, slope, atol=1e-12, rtol=0)
    statistics = bound(whole).statistics
    for key, value in statistics.items():
        together = sum(part.statistics[key].item() for part in parts)
        assert together == pytest.approx(value.item(), abs=1e-6), key


@pytest.mark.parametrize("name", REWARDED)
def test_a_better_answer_becomes_more_probable(name):
    options = {"max_length": 4} if name == "dr_grpo" else {}
    for advantage in (1.0, -1.0):
        _, slope = value_and_slope(name, 1.0, advantage, **options)
        assert slope * advantage < 0  # the loss falls as the probability moves the advantage's way


@pytest.mark.parametrize("name", REWARDED)
def test_an_answer_no_better_than_expected_teaches_nothing(name):
    options = {"max_length": 4} if name == "dr_grpo" else {}
    assert value_and_slope(name, 1.3, 0.0, **options) == (0.0, 0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_with_nothing_to_train_is_zero(name):
    batch = random_batch(1, 3, 4)
    empty = TokenBatch(
        batch.policy, batch.old, torch.zeros_like(batch.mask), batch.advantages, batch.reference, batch.sampler
    )
    loss, slope = gradient(name, empty)
    assert loss == 0.0
    assert not slope.any()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("ratio", [1e-40, 1e40])
def test_a_policy_that_ran_away_gives_finite_numbers(name, ratio):
    options = {"max_length": 4} if name == "dr_grpo" else {}
    for advantage in (1.0, -1.0):
        value, slope = value_and_slope(name, ratio, advantage, **options)
        assert math.isfinite(value)
        assert math.isfinite(slope)


def test_float64_rewards_leave_a_float32_policy_float32():
    batch = random_batch(2, 3, 4)
    policy = batch.policy.detach().float().requires_grad_()
    mixed = TokenBatch(policy, batch.old.float(), batch.mask, batch.advantages)
    loss = open_loss("dapo")(mixed).value
    assert loss.dtype == torch.float32
    exact = open_loss("dapo")(TokenBatch(batch.policy, batch.old, batch.mask, batch.advantages)).value
    assert loss.item() == pytest.approx(exact.item(), abs=1e-5)


def test_a_runaway_from_the_reference_is_reported():
    batch, _ = one_token(1.0, 1.0, reference=double([[-50.0]]))
    found = open_loss("dapo", kl_weight=1e-4)(batch)
    assert found.statistics["kl_bound_reached"].item() == 1.0


def test_advantages_of_tokens():
    batch = random_batch(3, 4, 5)
    spread = batch.advantages.unsqueeze(1).expand(4, 5)
    by_token = TokenBatch(batch.policy, batch.old, batch.mask, spread, batch.reference, batch.sampler)
    for name in LOSSES:
        if name == "gmpo-geo":
            continue
        assert gradient(name, by_token)[0] == pytest.approx(gradient(name, batch)[0], abs=1e-12)
    with pytest.raises(UsageError, match="one advantage a sequence"):
        gradient("gmpo-geo", by_token)


def test_an_unmeasured_answer_is_masked_whatever_its_advantage_says():
    batch = random_batch(5, 3, 4)
    mask = batch.mask.clone()
    mask[1] = False
    advantages = batch.advantages.clone()
    advantages[1] = torch.nan
    left_out = TokenBatch(batch.policy, batch.old, mask, advantages, batch.reference, batch.sampler)
    for name in LOSSES:
        loss, slope = gradient(name, left_out)
        assert math.isfinite(loss)
        assert not slope[1].any()
        assert torch.isfinite(slope).all()


def test_an_unknown_loss_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"unknown loss 'gmpo_geo'\. Did you mean 'gmpo-geo'"):
        open_loss("gmpo_geo")
    with pytest.raises(UsageError, match=r"loss 'dapo' has no option 'clip_hihg'\. Did you mean 'clip_high'"):
        open_loss("dapo", clip_hihg=0.3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dapo", {"clip_low": -0.1}, "clip_low is a number >= 0, not -0.1"),
        ("dapo", {"clip_low": math.nan}, "clip_low is a number >= 0, not nan"),
        ("dapo", {"dual_clip": 0.5}, "dual_clip is a number >= 1, not 0.5"),
        ("dapo", {"clip_low": "0.1"}, "clip_low is a number >= 0, not '0.1'"),
        ("dapo", {"kl": "k4"}, "unknown kl 'k4'"),
        ("dapo", {"kl_weight": -1.0}, "kl_weight is a number >= 0"),
        ("dapo", {"kl_weight": math.nan}, "kl_weight is a number >= 0"),
        ("dapo", {"aggregation": "mean"}, "unknown aggregation 'mean'"),
        ("dr_grpo", {}, "needs max_length"),
        ("dapo", {"aggregation": "constant"}, "needs max_length"),
    ],
)
def test_options_that_cannot_be(name, options, message):
    with pytest.raises(UsageError, match=message):
        open_loss(name, **options)


def test_what_a_loss_needs_and_the_batch_lacks():
    batch, _ = one_token(1.0, 1.0)
    with pytest.raises(UsageError, match=r"kl_weight 0\.1 needs the reference's log-probabilities"):
        open_loss("grpo", kl_weight=0.1)(batch)
    with pytest.raises(UsageError, match="correction needs the sampler's log-probabilities"):
        open_loss("grpo", correction=Correction())(batch)
    with pytest.raises(UsageError, match="max_length"):
        aggregate(double([[1.0]]), torch.ones(1, 1).bool(), "constant", Totals(1, 1))


def test_defaults_are_those_of_the_papers():
    assert loss_options("dapo")["clip_high"] == 0.28
    assert loss_options("grpo")["clip_high"] == 0.2
    assert (loss_options("gspo")["clip_low"], loss_options("gspo")["clip_high"]) == (3e-4, 4e-4)
    assert loss_options("gmpo-geo")["clip"] == 0.4
    assert loss_options("cispo")["ratio_cap"] == 5.0


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        (Correction("token", "truncate", 2.0), [[2.0, 0.5, 0.0]]),
        (Correction("token", "truncate", 2.0, 0.8), [[2.0, 0.8, 0.0]]),
        (Correction("token", "mask", 2.0), [[0.0, 0.5, 0.0]]),
        (Correction("token", "mask", 5.0, 0.8), [[4.0, 0.0, 0.0]]),
        (Correction("sequence", "truncate", 1.5), [[1.5, 1.5, 0.0]]),
        (Correction("sequence", "mask", 1.5), [[0.0, 0.0, 0.0]]),
        (Correction("sequence", "mask", 3.0), [[2.0, 2.0, 0.0]]),
    ],
)
def test_corrections_by_hand(correction, expected):
    # The trainer finds the first token four times as probable as the sampler did, the second half as probable.
    old = double([[math.log(0.8), math.log(0.1), 5.0]])
    sampler = double([[math.log(0.2), math.log(0.2), -5.0]])
    mask = torch.tensor([[True, True, False]])
    assert torch.allclose(correction.weights(old, sampler, mask), double(expected))


@pytest.mark.parametrize(
    "wrong", [{"level": "word"}, {"mode": "clip"}, {"maximum": 0.5}, {"minimum": 2.0}, {"maximum": math.nan}]
)
def test_corrections_that_cannot_be(wrong):
    with pytest.raises(UsageError, match="sampler correction"):
        Correction(**wrong)


def test_the_critics_score_is_the_expected_grid_point():
    certain = double([[-40.0] * 7 + [40.0] + [-40.0] * 3])
    assert expected_score(certain).item() == pytest.approx(0.7)
    assert expected_score(double([[0.0] * 11])).item() == pytest.approx(0.5)
    logits = double([[0.3] * 11]).requires_grad_()
    expected_score(logits).sum().backward()
    assert logits.grad[0, 10] > 0 > logits.grad[0, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(2, 13))
def test_two_hot_keeps_the_mean(targets, size):
    shares = two_hot(double(targets), size)
    assert torch.allclose(shares.sum(dim=-1), torch.ones(len(targets), dtype=torch.float64))
    assert torch.allclose(shares @ torch.linspace(0, 1, size, dtype=torch.float64), double(targets))
    assert (shares > 0).sum(dim=-1).max() <= 2
    assert (shares >= 0).all()


def test_the_critic_learns_the_checkers_score_and_nothing_without_one():
    logits = torch.zeros(3, 11, dtype=torch.float64, requires_grad=True)
    loss = critic_loss(logits, double([1.0, 0.0, math.nan]))
    assert loss.item() == pytest.approx(math.log(11))
    loss.backward()
    assert logits.grad[0, 10] < 0 < logits.grad[0, 0]
    assert logits.grad[1, 0] < 0 < logits.grad[1, 10]
    assert not logits.grad[2].any()
    assert critic_loss(logits[2:], double([math.nan])).item() == 0.0
    assert critic_loss(logits[:1], double([1.0]), total=2).item() == pytest.approx(math.log(11) / 2)


def test_explanations_are_compared_with_their_fellows():
    found = explanation_advantages(double([[0.9, 0.5], [0.2, 0.2]]), double([1.0, 0.0]))
    torch.testing.assert_close(found, double([[0.12, -0.12], [0.0, 0.0]]))


def test_the_explanations_gradient_is_that_of_the_expected_agreement():
    """Over all explanations with their chances it is the gradient of E[R]: the baseline takes nothing away."""
    logits = double([0.3, -0.2, 1.0]).requires_grad_()
    scores, target = double([[0.9, 0.4, 0.1]]), double([1.0])
    chances = logits.softmax(0)
    (wanted,) = torch.autograd.grad((chances * (1 - (scores[0] - target) ** 2)).sum(), logits)
    (advantages,) = explanation_advantages(scores, target)
    found = torch.zeros(3, dtype=torch.float64)
    for one, chance in enumerate(chances.detach()):
        values = logits.log_softmax(0)[one].reshape(1, 1)
        loss = explanation_loss(values, torch.ones(1, 1, dtype=torch.bool), advantages[one : one + 1])
        found -= chance * torch.autograd.grad(loss, logits)[0]
    torch.testing.assert_close(found, wanted)


def test_explanations_of_any_length_count_by_their_tokens():
    values = double([[-1.0, -2.0], [-3.0, -9.0]])
    mask = torch.tensor([[True, True], [True, False]])
    assert explanation_loss(values, mask, double([0.5, -0.5])).item() == pytest.approx((1.5 - 1.5) / 3)
    assert explanation_loss(values, mask, double([1.0, 0.0]), total=6).item() == pytest.approx(0.5)


def test_weights_of_one_right_answer_of_eight():
    scores, groups = double([1.0] + [0.0] * 7), torch.zeros(8, dtype=torch.long)
    dynamic = weigh(scores, groups, Weighing(mode="pure"))
    assert dynamic.baselines[0].item() == pytest.approx(1 / 8)
    assert dynamic.weights.max().item() == pytest.approx(math.exp(math.sqrt(7)))
    assert estimators.effective_sample_size(dynamic.weights) / 8 == pytest.approx(0.22, abs=5e-3)
    fixed = weigh(scores, groups, Weighing(temperature=0.5, mode="pure"))
    assert fixed.weights.max().item() == pytest.approx(math.exp((7 / 8) / 0.5))
    assert estimators.effective_sample_size(fixed.weights) / 8 == pytest.approx(0.42, abs=5e-3)


def test_the_largest_weight_is_bounded():
    scores, groups = double([1.0] + [0.0] * 15), torch.zeros(16, dtype=torch.long)
    assert weigh(scores, groups).weights.max().item() == pytest.approx(20.0)


def test_centred_coefficients_cancel_within_a_prompt_and_vanish_in_a_tie():
    scores, groups = double([1.0, 0.0, 0.4, 0.4, 0.4]), torch.tensor([0, 0, 1, 1, 1])
    signal = weigh(scores, groups)
    assert signal.coefficients[:2].sum().item() == pytest.approx(0.0)
    assert signal.coefficients[2:].abs().max().item() < 1e-12
    assert torch.allclose(signal.weights[2:], torch.ones(3, dtype=torch.float64))


def test_an_answer_that_the_critic_could_not_be_read_on_weighs_nothing():
    whole = weigh(double([1.0, 0.0, 0.5]), torch.zeros(3, dtype=torch.long))
    holed = weigh(double([1.0, math.nan, 0.0, 0.5]), torch.zeros(4, dtype=torch.long))
    assert holed.coefficients[1].item() == 0.0
    assert torch.allclose(holed.coefficients[[0, 2, 3]], whole.coefficients)
    assert weigh(double([math.nan]), torch.zeros(1, dtype=torch.long)).memory == Memory()


def test_recent_variance_shrinks_a_small_groups_own():
    scores, groups = double([0.6, 0.5]), torch.zeros(2, dtype=torch.long)
    memory = Memory(mean=0.5, variance=0.25)
    own = weigh(scores, groups, Weighing(minimum=0.01), memory).temperatures[0].item()
    shrunk = weigh(scores, groups, Weighing(minimum=0.01, prior=4), memory).temperatures[0].item()
    assert own == pytest.approx(0.05)
    assert shrunk == pytest.approx(math.sqrt((4 * 0.25 + 2 * 0.0025) / 6))


def test_a_prompt_with_one_answer_is_compared_with_the_recent_past():
    one = torch.zeros(1, dtype=torch.long)
    signal = weigh(double([0.9]), one, Weighing(temperature=0.5, mode="pure"), Memory(0.4, 0.1))
    assert signal.advantages.item() == pytest.approx(0.5)
    assert signal.memory.mean == pytest.approx(0.99 * 0.4 + 0.01 * 0.9)
    first = weigh(double([0.9]), one, Weighing(mode="pure"))
    assert first.weights.item() == 1.0
    assert first.memory == Memory(0.9, 0.0)


def test_scores_are_blended_where_the_checker_spoke():
    assert torch.allclose(blend(double([0.2, 0.2]), double([1.0, math.nan]), 0.5), double([0.6, 0.2]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 0.0},
        {"temperature": math.nan},
        {"minimum": 0.0},
        {"minimum": 2.0},
        {"mode": "half"},
        {"kappa": -1.0},
        {"max_weight": 0.0},
        {"prior": -1.0},
    ],
)
def test_weighings_that_cannot_be(wrong):
    with pytest.raises(UsageError, match="gmpo: "):
        Weighing(**wrong)


def test_weights_take_no_gradient():
    scores = double([0.7, 0.2]).requires_grad_()
    assert not weigh(scores, torch.zeros(2, dtype=torch.long)).coefficients.requires_grad
