"""Draws, batches and cut texts: the parts of the ``hf:`` backend that need no model."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from evalkit.errors import ModelError
from evalkit.evals.models.hf.batching import Batcher, choose_batch
from evalkit.evals.models.likelihood import TokenCutter
from hypothesis import given, settings
from hypothesis import strategies as st

VOCABULARY = 24
LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=VOCABULARY, max_size=VOCABULARY)


# -- draws --------------------------------------------------------------------------------------------------------


@given(
    logits=LOGITS,
    seed=st.integers(0, 2**32),
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    top_p=st.sampled_from([None, 0.1, 0.5, 0.9, 1.0]),
    tolerance=st.sampled_from([1e-3, 0.1, 1.0]),
)
@settings(max_examples=300, deadline=None)
def test_a_certain_draw_survives_every_error_within_the_tolerance(
    logits: list[float], seed: int, temperature: float, top_p: float | None, tolerance: float
) -> None:
    torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
    from evalkit.evals.models.hf.draws import draw, gumbel_noise

    generator = torch.Generator().manual_seed(seed)
    exact = torch.tensor(logits)
    noise = gumbel_noise(VOCABULARY, generator) if temperature else None
    way = {"temperature": temperature, "top_p": top_p, "noise": noise}
    token, certain = draw(exact, **way, tolerance=tolerance)
    if certain:
        for _ in range(10):
            error = (torch.rand(VOCABULARY, generator=generator) - 0.5) * tolerance * 0.999
            assert draw(exact + error, **way, tolerance=0.0)[0] == token
            assert draw(exact + error.sign() * tolerance * 0.499, **way, tolerance=0.0)[0] == token


@given(logits=LOGITS, seed=st.integers(0, 2**32), top_p=st.floats(0.01, 0.99))
@settings(max_examples=200, deadline=None)
def test_the_nucleus_is_the_usual_one(logits: list[float], seed: int, top_p: float) -> None:
    torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
    from evalkit.evals.models.hf.draws import draw, gumbel_noise

    distinct = torch.tensor(logits, dtype=torch.float64) + torch.arange(VOCABULARY) * 1e-6
    noise = gumbel_noise(VOCABULARY, torch.Generator().manual_seed(seed))
    order = distinct.argsort(descending=True)
    mass = distinct[order].softmax(-1).cumsum(-1)
    kept = order[: int((mass < top_p).sum()) + 1]
    token, _ = draw(distinct, temperature=1.0, top_p=top_p, noise=noise, tolerance=0.0)
    assert token == int(kept[(distinct + noise)[kept].argmax()])


def test_draws_follow_the_distribution() -> None:
    torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
    from evalkit.evals.models.hf.draws import draw, gumbel_noise
    from scipy.stats import chisquare

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0])
    generator = torch.Generator().manual_seed(0)
    for temperature in (0.7, 1.5):
        counts = [0] * 5
        for _ in range(4000):
            noise = gumbel_noise(5, generator)
            counts[draw(logits, temperature=temperature, top_p=None, noise=noise, tolerance=1e-3)[0]] += 1
        expected = (logits.double() / temperature).softmax(-1) * 4000
        assert chisquare(counts, expected.tolist()).pvalue > 1e-3


def test_masked_logits_do_not_widen_the_tolerance() -> None:
    torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
    from evalkit.evals.models.hf.draws import draw, rounding_tolerance

    masked = torch.tensor([3.0, 1.0, -float("inf"), -1e4])
    assert rounding_tolerance(masked) < 0.01
    assert draw(masked, temperature=0, top_p=None, noise=None, tolerance=rounding_tolerance(masked)) == (0, True)
    alone = torch.tensor([0.0, -float("inf")])
    assert draw(alone, temperature=0, top_p=None, noise=None, tolerance=1e-3) == (0, True)


# -- batches ------------------------------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.tuples(st.integers(1, 500), st.integers(0, 100)), min_size=1, max_size=40),
    rows=st.integers(1, 16),
    tokens=st.integers(1, 5000),
)
def test_a_batch_has_the_oldest_request_and_keeps_to_its_bounds(
    sizes: list[tuple[int, int]], rows: int, tokens: int
) -> None:
    chosen = choose_batch(sizes, rows=rows, tokens=tokens)
    assert 0 in chosen
    assert len(set(chosen)) == len(chosen) <= rows
    padded = len(chosen) * (max(sizes[index][0] for index in chosen) + max(sizes[index][1] for index in chosen))
    assert padded <= tokens or chosen == [0]
    farthest = max(abs(sizes[index][0] - sizes[0][0]) for index in chosen)
    nearer = [index for index, size in enumerate(sizes) if abs(size[0] - sizes[0][0]) < farthest]
    assert set(nearer) <= set(chosen)


def test_all_requests_are_answered_in_batches() -> None:
    batches: list[list[int]] = []

    def work(items: Any, finish: Any, abandoned: Any) -> None:
        batches.append(list(items))
        for index, item in enumerate(items):
            finish(index, ModelError("odd") if item == 7 else item * 10)

    async def run() -> list[Any]:
        with ThreadPoolExecutor(1) as thread:
            batcher = Batcher[int, int](work, thread=thread, rows=4, tokens=1000)
            asked = (batcher.submit(item, length=item + 1) for item in range(10))
            answered = await asyncio.gather(*asked, return_exceptions=True)
            await batcher.close()
            return answered

    answered = asyncio.run(run())
    assert isinstance(answered.pop(7), ModelError)
    assert answered == [item * 10 for item in range(10) if item != 7]
    assert [len(batch) for batch in batches] == [4, 4, 2]


# -- cut texts ----------------------------------------------------------------------------------------------------


class Letters:
    """A tokenizer of letters, whose BOS is 1."""

    bos_token_id = 1

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        return [1, *map(ord, text)] if add_special_tokens else list(map(ord, text))

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


@pytest.mark.parametrize(
    ("context", "continuation", "inputs", "targets"),
    [
        ("ab", " c", [1, 97, 98, 32], [32, 99]),
        ("ab ", "c", [1, 97, 98, 32], [32, 99]),
        ("", "ab", [1, 97], [97, 98]),
        ("", "\x01b", [1], [98]),
        ("  ", "a", [1, 32, 32], [32, 32, 97]),
        ("abcdefgh", "xy", list(map(ord, "defghx")), [120, 121]),
    ],
)
def test_pairs(context: str, continuation: str, inputs: list[int], targets: list[int]) -> None:
    found = TokenCutter(Letters(), 6).pair(context, continuation)
    assert (list(found.inputs), list(found.targets)) == (inputs, targets)


@given(tokens=st.lists(st.integers(2, 99), max_size=60), max_length=st.integers(1, 12))
def test_windows_score_every_token_once(tokens: list[int], max_length: int) -> None:
    windows = list(TokenCutter(Letters(), max_length).windows("".join(map(chr, tokens))))
    tokens = [1, *tokens]
    assert [token for window in windows for token in window.targets] == tokens
    assert len(windows) == math.ceil(len(tokens) / max_length)
    seen = 0
    for window in windows:
        assert len(window.targets) <= len(window.inputs) <= max_length
        context = window.inputs[: len(window.inputs) - len(window.targets) + 1]
        assert list(context) == ([1, *tokens][: seen + 1][-len(context) :] if seen else [1])
        seen += len(window.targets)
