"""Thoughts are told from answers, whatever marks they stand between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.judges.parsing.parse import parse_verdict
from evalkit.tasks.text.thoughts import closing_of, find_thoughts, opening_of, split_thoughts
from evalkit.tests.support.thought_forms import PAIRS, thought_forms
from hypothesis import given
from hypothesis import strategies as st

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/thoughts.json").read_text(encoding="utf-8"))
PIECES = [
    "<think>",
    "</think>",
    "<THINKING>",
    "[/THINK]",
    "[Reasoning]",
    "`",
    "```\n",
    "«",
    "»",
    " ",
    "\n",
    "да",
    ": ",
]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_given_forms(case: dict[str, str]) -> None:
    assert split_thoughts(case["text"])[0] == case["answer"]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_composed_forms(seed: int) -> None:
    count = 500 if seed == 1 else 20_000
    wrong = [
        (form, got)
        for form in thought_forms(seed, count)
        if (got := split_thoughts(form.text)[0]).split() != form.answer.split()
    ]
    assert not wrong


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_spans_are_sorted_and_apart_and_no_word_is_made_up(text: str) -> None:
    found = find_thoughts(text)
    ends = [place for span in found.spans for place in span]
    assert ends == sorted(ends)
    assert all(start < end for start, end in found.spans)
    answer, thought = split_thoughts(text)
    assert answer.count("да") + (thought or "").count("да") == text.count("да")
    if thought is None:
        assert answer == text


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_a_prompt_that_opens_a_thought_is_known_by_its_mark(opening: str, closing: str) -> None:
    assert opening_of(f"<|im_start|>assistant\n{opening}\n") == opening.rstrip()
    assert closing_of(opening) == closing
    assert opening_of(f"вопрос {closing}\n") == ""


def test_the_judge_and_the_model_share_the_marks() -> None:
    for opening, closing in PAIRS:
        verdict = parse_verdict(f"{opening}Оценка: [[3]]{closing}\nОценка: [[8]]", kind="rating")
        assert verdict.value == 8
        assert parse_verdict(f"{opening}Оценка: [[3]]", kind="rating").value is None


@pytest.mark.parametrize(
    "piece",
    [
        "<think>", "</think>", "<", "<think", " ", "<think></think>", "`<think>`", "«<think>", "<think>\n```\n",
        "да <think> ", "да.\n<think>а</think>", "<|channel|>", "<|start|>", "<|channel|>analysis<|message|>", "[",
        "<|end|>", "\n", "тег ", "```\n", "<think " + 'a="b" ' * 5,
    ],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_millions_of_marks_take_linear_time(piece: str) -> None:
    # A quadratic search would take an hour.
    split_thoughts(piece * (400_000 // len(piece)))
