"""Thought and answer are parted, whatever a model writes."""

from __future__ import annotations

import pytest
from evalkit.evals.models.reasoning import split_reasoning
from evalkit.tasks.types import Completion
from hypothesis import given
from hypothesis import strategies as st

PIECES = st.lists(st.sampled_from(["<think>", "</think>", "<thi", "nk>", " ", "\n", "да", "ё", "<"])).map("".join)


@pytest.mark.parametrize(
    ("written", "text", "reasoning"),
    [
        ("да", "да", None),
        ("  да\n", "  да\n", None),
        ("<think>а</think>да", "да", "а"),
        ("\n<think>\nа\n</think>\n\nда\n", "да\n", "а"),
        ("<think></think>да", "да", None),
        ("а</think>да", "да", "а"),
        ("<think>а", "", "а"),
        ("<think>а</think>", "", "а"),
        ("<think>а</think>б</think>в", "в", "а</think>б"),
        ("пишите <think>а</think> так", "пишите <think>а</think> так", None),
        ("пишите <think>", "пишите <think>", None),
    ],
)
def test_what_is_thought_and_what_is_answer(written: str, text: str, reasoning: str | None) -> None:
    split = split_reasoning(Completion(written))
    assert (split.text, split.reasoning) == (text, reasoning)


def test_the_rest_of_the_completion_stays() -> None:
    split = split_reasoning(Completion("<think>б</think>да", reasoning="а", finish_reason="length", latency=1.0))
    assert split == Completion("да", reasoning="а\n\nб", finish_reason="length", latency=1.0)


@given(PIECES)
def test_nothing_is_made_up(written: str) -> None:
    split = split_reasoning(Completion(written))
    assert split.text.count("да") + (split.reasoning or "").count("да") == written.count("да")


@given(PIECES.filter(lambda text: "</think>" not in text), st.text())
def test_a_closed_thought_never_reaches_the_answer(thought: str, answer: str) -> None:
    assert split_reasoning(Completion(f"<think>{thought}</think>{answer}")).text == answer.lstrip()


@given(PIECES.filter(lambda text: "</think>" not in text))
def test_an_open_thought_leaves_no_answer(thought: str) -> None:
    assert split_reasoning(Completion(f"<think>{thought}")).text == ""


@pytest.mark.parametrize("piece", ["<think>", "</think>", "<", "<think", " ", "<think></think>"])
def test_hostile_lengths(piece: str) -> None:
    # Anything worse than linear would meet the time limit of the tests.
    split_reasoning(Completion(piece * (300_000 // len(piece))))
