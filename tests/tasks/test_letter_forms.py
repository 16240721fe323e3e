"""Answers to lettered questions as models word them: known rows that were misread, and new wordings by kind.

Before any of these kinds was mended, 153 of the 330 forms that the generator makes of its default seed were read
wrongly, 56 of them as an option that was not settled on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from evalkit.tasks.science import science
from evalkit.tasks.science.letters import extract
from evalkit.tasks.science.task import score_answer
from evalkit.tasks.types import Completion, Sample
from evalkit.tests.support.letter_forms import forms

VECTORS = Path(__file__).parents[1] / "vectors"


def wrongly_read(seed: int, each: int) -> list[tuple[str, str, int | None, int | None]]:
    return [
        (form.about, form.text, form.index, said)
        for form in forms(seed, each)
        if (said := extract(form.text, form.options, form.labels).index) != form.index
    ]


@pytest.mark.parametrize("name", ["science_letters.jsonl", "science_letters_own.jsonl"])
def test_known_rows(name: str) -> None:
    rows = map(json.loads, (VECTORS / name).read_text("utf-8").splitlines())
    said = [(row, extract(row["text"], row["options"], row["labels"]).index) for row in rows]
    assert [(row["text"], row["index"], index) for row, index in said if index != row["index"]] == []


def test_new_wordings() -> None:
    assert sum(1 for _ in forms(0, 10)) >= 300
    assert wrongly_read(seed=0, each=10) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_new_wordings(seed: int) -> None:
    assert wrongly_read(seed, each=60) == []


def attacks(sample: Sample) -> list[str]:
    """What a reader of the prompt alone may try without choosing an option."""
    prompt = sample.messages[-1].content
    labels, options = sample.metadata["labels"], sample.metadata["options"]
    lettered = [f"{label}) {option}" for label, option in zip(labels, options, strict=True)]
    lists = [
        separator.join(listed)
        for listed in (labels, options, lettered)
        for separator in (" ", ", ", "; ", "\n", " или ", ". ", "?? ", "/", " и ")
    ]
    said = [prompt, *prompt.split("\n\n"), *lists, *(f"{listed}\n{listed}" for listed in lists)]
    repeated = [
        separator.join(form.format(label) for label in labels)
        for form in (
            "Ответ: {}",
            "Ответ: {}.",
            "\\boxed{{{}}}",
            "<answer>{}</answer>",
            "Верен вариант {}.",
            "**{}**",
        )
        for separator in (" ", "\n", " или ", "\n\n")
    ]
    return [
        form.format(text) for text in said for form in ("{}", "Ответ: {}", "Ответ:\n{}", "\\boxed{{{}}}")
    ] + repeated


def paid(samples: Iterable[Sample]) -> list[tuple[str, str]]:
    return [
        (sample.id, text)
        for sample in samples
        for text in attacks(sample)
        if score_answer(sample, Completion(text)).value
    ]


def test_nothing_is_paid_to_an_answer_that_chooses_no_option() -> None:
    assert paid(science.samples(split="test", limit=8, seed=3)) == []


@pytest.mark.exhaustive
def test_nothing_is_paid_to_an_answer_that_chooses_no_option_of_any_question() -> None:
    assert paid(science.samples(split="test", limit=None, seed=4)) == []
