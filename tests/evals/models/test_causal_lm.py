"""The engine under evaluation and training: batches, caches and hidden states, on real models of random weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from evalkit.tests.support.tiny_model import save_tiny_model

torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
transformers = pytest.importorskip("transformers", reason="needs evalkit-ru[hf]")

if TYPE_CHECKING:
    from evalkit.evals.models.hf.causal_lm import CausalLM

PROMPTS = ([5, 9, 12], [7], [30, 31, 32, 33, 34])
ARCHITECTURES = ["llama", "gemma3_text", "lfm2", "qwen3_next", "gpt2", "bloom"]
"""Full and sliding attention, convolutions, linear attention, learned positions, ALiBi."""
CLOSE = 1e-3
"""Between numbers of size 10 in float32 (qwen3_next has no float64)."""


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"), architecture=request.param)


def opened(folder: Path) -> CausalLM:
    from evalkit.evals.models.hf.causal_lm import CausalLM

    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    return CausalLM(model, stop_tokens=frozenset(), pad_token=2)


def logits_of(lm: CausalLM, tokens: list[int]) -> Any:
    """What the model says after each token, with neither padding nor cache."""
    return lm.model(input_ids=torch.tensor([tokens])).logits[0].detach()


def test_rows_that_branch_and_end_read_what_they_would_alone(folder: Path) -> None:
    lm = opened(folder)
    said: list[list[int]] = [[] for _ in range(9)]
    passes: list[int] = []

    def step(logits: Any, live: list[int]) -> Any:
        for row, own in zip(live, logits, strict=True):
            alone = logits_of(lm, [*PROMPTS[row // 3], *said[row]])[-1]
            assert torch.allclose(own, alone, rtol=CLOSE, atol=CLOSE)
            said[row].append(40 + row + 10 * len(said[row]))
        return torch.tensor([said[row][-1] for row in live]), [len(said[row]) < 2 + row for row in live]

    with torch.no_grad():
        lm.decode(PROMPTS, step, copies=3, turn=lambda: passes.append(1))
    assert [len(tokens) for tokens in said] == [2, *range(3, 11)]
    # The prompts in one pass, then one for each token but the last.
    assert len(passes) == 10


def test_hidden_states_are_what_the_output_layer_reads(folder: Path) -> None:
    lm = opened(folder)
    inputs, mask = lm.padded(PROMPTS)
    chosen = mask.bool()
    chosen[2, 1] = False
    with torch.no_grad():
        states = lm.hidden_states(inputs, mask, chosen)
        found = lm.model.get_output_embeddings()(states)
        wanted = [logits_of(lm, list(prompt)) for prompt in PROMPTS]
    wanted[2] = wanted[2][[0, 2, 3, 4]]
    assert states.shape == (8, 32)
    assert torch.allclose(found, torch.cat(wanted), rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("plain", [True, False])
def test_token_values_are_those_of_each_answer_alone(folder: Path, plain: bool) -> None:
    lm = opened(folder)
    assert lm._head_is_plain
    lm._head_is_plain = plain
    answers = [[8, 3], [4, 5, 6, 7], [90]]
    with torch.no_grad():
        values = lm.token_values(PROMPTS, answers, temperature=0.7, chunk=3)
        for row, (prompt, answer) in enumerate(zip(PROMPTS, answers, strict=True)):
            before = logits_of(lm, [*prompt, *answer])[len(prompt) - 1 : -1]
            distribution = (before / 0.7).log_softmax(-1)
            length = len(answer)
            wanted = distribution[range(length), answer]
            assert values.mask[row].tolist() == [True] * length + [False] * (4 - length)
            assert torch.allclose(values.log_probabilities[row, :length], wanted, rtol=CLOSE, atol=CLOSE)
            entropies = -(distribution.exp() * distribution).sum(-1)
            assert torch.allclose(values.entropies[row, :length], entropies, rtol=CLOSE, atol=CLOSE)


def test_a_cache_that_grows_in_place_holds_the_same() -> None:
    from evalkit.evals.models.hf.key_values import LEAST_ROOM, GrowingLayer, grow_in_place
    from transformers.cache_utils import DynamicCache, DynamicLayer

    draw = torch.Generator().manual_seed(3)
    caches = DynamicCache(), DynamicCache()

    def append(tokens: int, rows: int) -> None:
        states = [torch.rand(rows, 2, tokens, 4, generator=draw) for _ in range(4)]
        for layer in range(2):
            held = [cache.update(*states[2 * layer : 2 * layer + 2], layer) for cache in caches]
            assert all(torch.equal(own, other) for own, other in zip(*held, strict=True))
        assert caches[0].get_seq_length() == caches[1].get_seq_length()

    append(5, 3)
    grow_in_place(caches[0])
    assert all(type(layer) is GrowingLayer for layer in caches[0].layers)
    assert all(type(layer) is DynamicLayer for layer in caches[1].layers)
    for _ in range(LEAST_ROOM + 20):
        append(1, 3)
    for cache in caches:
        cache.reorder_cache(torch.tensor([2, 0]))
    for tokens in (1, LEAST_ROOM + 60, 1):
        append(tokens, 2)
