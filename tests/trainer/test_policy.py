"""A model with adapters: sampling, log-probabilities of the tempered distribution, the reference."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from evalkit.tests.support.tiny_model import save_tiny_model

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, ModelError, UsageError
from evalkit.tasks.types import Message, Sample
from evalkit.trainer.data.prompts import tokenize
from evalkit.trainer.policy.base_model import find_base
from evalkit.trainer.policy.local_sampler import generate
from evalkit.trainer.policy.model import CRITIC, POLICY, REFERENCE, Policy, open_policy
from evalkit.trainer.recipe.fields import Lora

PROMPTS = ([5, 9, 12], [7], [30, 31, 32, 33, 34])
CLOSE = 1e-3
"""Between log-probabilities in float32: up to 3e-5 is seen, by processor; the values are 1 to 8."""
FLOAT32 = 1e-3
"""A gradient's relative error in float32: up to 1.3e-5 is seen, by processor; one lost position gives 0.35."""
FLOAT64 = 1e-9
"""The same in float64: up to 1.2e-13 is seen."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"), architecture=request.param)


def opened(folder: Path, *, critic: bool = False, model: str = "hf:{}") -> Policy:
    base = find_base(model.format(folder) + ",device=cpu")
    return open_policy(base, Lora(rank=2), seed=0, adapters=[CRITIC] if critic else [])


def gradients_of(policy: Policy) -> dict[str, torch.Tensor]:
    return {name: parameter.grad.clone() for name, parameter in policy.trainable().items()}


def relative_error(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> float:
    """The largest by tensor: gradients of a thousand and of a tenth are held to the same."""
    assert found.keys() == wanted.keys()
    assert all(bool(gradient.any()) for gradient in wanted.values())
    return max(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted)


def stir(policy: Policy, adapter: str = POLICY) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in policy.trainable(adapter).values():
            parameter.add_(0.3 * torch.randn_like(parameter))


def seeds(copies: int, mark: str = "") -> list[list[str]]:
    return [[f"{mark}/{prompt}/{copy}" for copy in range(copies)] for prompt in range(len(PROMPTS))]


def sampled(policy: Policy, **options: object):
    settings = {"max_tokens": 12, "temperature": 1.3, "batch": 64} | options
    return generate(policy, PROMPTS, settings.pop("seeds", seeds(4)), **settings)


def test_what_is_sampled_has_the_log_probabilities_of_the_tempered_distribution(folder: Path):
    policy = opened(folder)
    stir(policy)
    for prompt, answers in zip(PROMPTS, sampled(policy), strict=True):
        for answer in answers:
            text = torch.tensor([[*prompt, *answer.tokens]])
            logits = policy.model(input_ids=text).logits[0, len(prompt) - 1 : -1] / 1.3
            wanted = logits.log_softmax(-1).gather(-1, torch.tensor(answer.tokens)[:, None]).squeeze(-1)
            assert torch.allclose(torch.tensor(answer.log_probabilities), wanted, atol=CLOSE)


@pytest.mark.parametrize("chunk", [3, 1000])
def test_log_probabilities_in_chunks_and_batches_are_those_of_one_answer_alone(folder: Path, chunk: int):
    policy = opened(folder)
    stir(policy)
    answers = [some[0] for some in sampled(policy)]
    tokens = [answer.tokens[:length] for answer, length in zip(answers, (12, 5, 9), strict=True)]
    values = policy.token_values(PROMPTS, tokens, temperature=1.3, chunk=chunk)
    for row, answer in enumerate(answers):
        length = len(tokens[row])
        assert values.mask[row].sum() == length
        found = values.log_probabilities[row, :length].detach()
        assert torch.allclose(found, torch.tensor(answer.log_probabilities[:length]), atol=CLOSE)
        assert (values.entropies[row, :length] > 0).all()
        assert (values.entropies[row, :length] <= math.log(384) + 1e-4).all()


def test_gradients_do_not_depend_on_the_chunk(folder: Path):
    found = []
    for chunk in (2, 1000):
        policy = opened(folder)
        stir(policy)
        tokens = [some[0].tokens for some in sampled(policy)]
        policy.token_values(PROMPTS, tokens, temperature=1.3, chunk=chunk).log_probabilities.sum().backward()
        found.append(gradients_of(policy))
        assert all(parameter.grad is None for parameter in policy.trainable(REFERENCE).values())
    assert relative_error(*found) < FLOAT32


def test_an_answer_does_not_depend_on_its_company(folder: Path):
    # In float32 rounding, which the size of a batch changes, tips a draw in a million; in float64 it does not.
    policy = opened(folder, model="hf:{},dtype=float64")
    together = sampled(policy)
    alone = sampled(policy, batch=1)
    assert [[answer.tokens for answer in some] for some in together] == [
        [answer.tokens for answer in some] for some in alone
    ]
    assert sampled(policy) == together
    assert sampled(policy, seeds=seeds(4, "other")) != together
    assert len({answer.tokens for answer in together[0]}) > 1


def test_draws_follow_the_distribution(folder: Path):
    policy = opened(folder)
    many = generate(
        policy, [PROMPTS[0]], [[str(n) for n in range(3000)]], max_tokens=1, temperature=0.7, batch=3000
    )
    with torch.no_grad():
        logits = policy.last_logits([PROMPTS[0]])[0] / 0.7
    wanted = logits.softmax(-1)
    counts = torch.bincount(torch.tensor([answer.tokens[0] for answer in many[0]]), minlength=len(wanted)) / 3000
    # 3000 draws are 0.04 (llama) and 0.06 (gpt2) off, with a deviation of 0.005; temperature 1 would be 0.2 off.
    assert float((counts - wanted).abs().sum()) / 2 < 0.12


def test_temperature_0_is_greedy_and_the_context_ends_an_answer(folder: Path):
    policy = opened(folder)
    first, second = generate(policy, [PROMPTS[0]], [["a", "b"]], max_tokens=9, temperature=0)[0]
    assert first == second
    policy.context = 8
    for answer in sampled(policy)[2]:
        assert len(answer.tokens) <= 3
        assert answer.finish_reason == ("stop" if answer.tokens[-1] in policy.stop_tokens else "length")


def test_the_reference_starts_as_the_policy_and_stays_until_it_is_moved(folder: Path):
    policy = opened(folder, critic=True)
    tokens = [some[0].tokens for some in sampled(policy)]

    def values(adapter: str):
        with torch.no_grad(), policy.using(adapter):
            return policy.token_values(PROMPTS, tokens, temperature=1.0, chunk=64).log_probabilities

    start = values(REFERENCE)
    assert torch.equal(values(POLICY), start)
    stir(policy)
    assert torch.equal(values(REFERENCE), start)
    assert not torch.allclose(values(POLICY), start, atol=1e-3)
    policy.copy_adapter(POLICY, REFERENCE)
    assert torch.equal(values(POLICY), values(REFERENCE))
    assert torch.equal(values(CRITIC), start)
    assert all(parameter.requires_grad for parameter in policy.trainable().values())


def test_the_adapter_that_is_saved_is_the_one_that_loads(folder: Path, tmp_path: Path):
    policy = opened(folder)
    stir(policy)
    policy.save(tmp_path / "adapter")
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {
        file.name for file in (tmp_path / "adapter").iterdir()
    }
    again = opened(folder, model=f"hf:{{}}+lora:{tmp_path / 'adapter'}")
    for adapter in (POLICY, REFERENCE):
        own = again.trainable(adapter)
        assert all(torch.equal(own[name], tensor) for name, tensor in policy.trainable().items())


def test_an_adapter_of_another_shape_is_refused(folder: Path):
    policy = opened(folder)
    with pytest.raises(ModelError, match="does not match the recipe"):
        policy.load_adapter(POLICY, {})


def test_the_answer_is_no_part_of_what_the_actor_reads(folder: Path):
    policy = opened(folder)
    secret = Sample("1", (Message("user", "Привет!"),), target="Париж", metadata={"gold": "Париж"})
    plain = Sample("1", (Message("user", "Привет!"),))
    assert tokenize(secret, policy.template, policy.context) == tokenize(
        plain, policy.template, policy.context
    ).__class__(secret, tokenize(plain, policy.template, policy.context).tokens)


def test_a_prompt_that_fills_the_context_is_named(folder: Path):
    policy = opened(folder)
    with pytest.raises(InputError, match=r"sample 'long' has .* tokens and the model's context 256"):
        tokenize(Sample.ask("long", "море " * 300), policy.template, policy.context)


def test_models_that_cannot_be_trained_are_refused():
    with pytest.raises(UsageError, match="openai cannot be trained"):
        find_base("openai:gpt")


def test_layers_that_the_model_does_not_have_are_named(folder: Path):
    base = find_base(f"hf:{folder},device=cpu")
    with pytest.raises(UsageError, match=r"field 'lora\.targets': .*q_prj"):
        open_policy(base, Lora(targets=["q_prj"]), seed=0)


def test_what_is_fixed_has_no_dropout(folder: Path):
    base = find_base(f"hf:{folder},device=cpu")
    policy = open_policy(base, Lora(rank=2, dropout=0.5), seed=0)
    stir(policy)
    policy.copy_adapter(POLICY, REFERENCE)

    def values():
        return policy.token_values(PROMPTS, [[5, 6]] * 3, temperature=1.0, chunk=64).log_probabilities

    with policy.fixed(REFERENCE):
        first, second = values(), values()
    assert torch.equal(first, second)
    assert not torch.equal(values(), values())
    state = torch.get_rng_state()
    sampled(policy)
    assert torch.equal(state, torch.get_rng_state())


def test_gradients_with_recomputed_activations_are_the_same(folder: Path):
    found = []
    for recompute in (False, True):
        base = find_base(f"hf:{folder},device=cpu")
        policy = open_policy(base, Lora(rank=2), seed=0, gradient_checkpointing=recompute)
        stir(policy)
        assert bool(policy._learning) is True
        layers = [module for module in policy._learning if getattr(module, "gradient_checkpointing", False)]
        assert bool(layers) is recompute
        tokens = [some[0].tokens for some in sampled(policy)]
        policy.token_values(PROMPTS, tokens, temperature=1.0, chunk=64).log_probabilities.sum().backward()
        found.append(gradients_of(policy))
    assert relative_error(*found) < FLOAT32


@pytest.mark.parametrize("chunk", [2, 1000])
def test_the_gradient_through_the_output_layer_is_autograds(folder: Path, chunk: int):
    policy = open_policy(
        find_base(f"hf:{folder},device=cpu,dtype=float64"),
        Lora(rank=2),
        seed=0,
        gradient_checkpointing=False,
    )
    stir(policy)
    tokens = [some[0].tokens for some in sampled(policy)]
    found = []
    for plain in (True, False):
        assert policy._head_is_plain
        policy._head_is_plain = plain
        values = policy.token_values(PROMPTS, tokens, temperature=1.3, chunk=chunk)
        (values.log_probabilities.square().sum() + values.log_probabilities[:, 0].exp().sum()).backward()
        found.append((values, gradients_of(policy)))
        policy.model.zero_grad()
        policy._head_is_plain = True
    assert torch.allclose(found[0][0].log_probabilities, found[1][0].log_probabilities, rtol=FLOAT64, atol=FLOAT64)
    assert torch.allclose(found[0][0].entropies, found[1][0].entropies, rtol=FLOAT64, atol=FLOAT64)
    assert relative_error(found[1][1], found[0][1]) < FLOAT64


def test_fused_products_are_pefts(folder: Path):
    found = []
    for fused in (True, False):
        base = find_base(f"hf:{folder},device=cpu,dtype=float64")
        policy = open_policy(base, Lora(rank=2), seed=0)
        layers = [module for module in policy.model.modules() if getattr(module, "lora_variant", None)]
        assert len(layers) >= 4
        if not fused:
            for layer in layers:
                layer.lora_variant.clear()
        stir(policy)
        values = policy.token_values(PROMPTS, [[5, 6, 7]] * 3, temperature=1.0, chunk=64).log_probabilities
        values.sum().backward()
        found.append((values.detach(), gradients_of(policy)))
    (fused_values, fused_gradients), (values, gradients) = found
    assert torch.allclose(fused_values, values, rtol=FLOAT64, atol=FLOAT64)
    assert relative_error(fused_gradients, gradients) < FLOAT64
