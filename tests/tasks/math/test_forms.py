"""Forms of answers that a seed makes up: right ones count, and what cannot be told never does."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from evalkit.tasks.math.grading import Verdict, grade
from evalkit.tasks.math.grading.extracting.formulas import find_formulas
from evalkit.tasks.math.task import math, math_generated, score_answer
from evalkit.tasks.types import Completion, Sample
from evalkit.tests.support.math_forms import KINDS, SEED, Pair, pairs

CASES = Path(__file__).parents[2] / "data" / "math_forms.jsonl"


def misjudged(rows: list[Pair]) -> list[tuple[Pair, str]]:
    verdicts = ((row, grade(row.gold, row.answer)) for row in rows)
    return [(row, found.verdict) for row, found in verdicts if (found.verdict is Verdict.CORRECT) != row.right]


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_forms(kind: str) -> None:
    rows = [pair for pair in pairs(SEED) if pair.kind == kind]
    assert {row.right for row in rows} == {True, False} or kind in ("identical", "echoes")
    assert not misjudged(rows)


@pytest.mark.parametrize(
    "kind", sorted({json.loads(line)["kind"] for line in CASES.read_text("utf-8").splitlines()})
)
def test_reported_forms(kind: str) -> None:
    rows = [Pair(**json.loads(line)) for line in CASES.read_text("utf-8").splitlines()]
    assert not misjudged([row for row in rows if row.kind == kind])


@pytest.mark.exhaustive
def test_forms_of_other_seeds() -> None:
    missed: Counter[str] = Counter()
    for seed in range(100):
        missed.update(f"{row.kind}: {row.gold} <- {row.answer}" for row, _ in misjudged(pairs(seed)))
    assert not missed


def echoes(sample: Sample) -> list[str]:
    """The ways to say nothing but what the problem says; a single number of it may be the answer indeed."""
    problem = sample.messages[-1].content.partition("\n\n")[2]
    formulas = [formula.content for formula in find_formulas(problem)]
    numbers = re.findall(r"\d+(?:,\d+)?", problem)
    said = [sample.messages[-1].content, problem, *formulas]
    said += ["; ".join(numbers), ", ".join(numbers), " ".join(numbers)] if len(numbers) > 2 else []
    said += [" = ".join(formulas)] if len(formulas) > 1 else []
    said = [text for text in said if not re.fullmatch(r"-?\d+(?:\{?,\}?\d+)?", text)]
    return [form for text in said for form in (text, f"Ответ: {text}", f"Ответ: ${text}$", rf"\boxed{{{text}}}")]


@pytest.mark.parametrize(
    ("task", "split", "limit"),
    [(math, "test", None), (math_generated, "test", 300), (math_generated, "train", 300)],
)
def test_the_question_is_not_its_answer(task, split: str, limit: int | None) -> None:
    samples = [*task.samples(split=split, limit=limit, seed=5)]
    paid = [(s.id, text) for s in samples for text in echoes(s) if score_answer(s, Completion(text)).value]
    assert not paid


def test_the_gold_answers_still_count() -> None:
    for sample in math.samples(split="test", limit=None, seed=0):
        assert score_answer(sample, math.gold(sample)).value == 1.0, sample.id
