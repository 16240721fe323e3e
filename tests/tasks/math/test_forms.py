"""Forms of answers that a seed makes up: right ones count, and what cannot be told never does."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from evalkit.tasks.math.grading import Verdict, grade
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


@pytest.mark.parametrize("kind", sorted({json.loads(line)["kind"] for line in CASES.read_text("utf-8").splitlines()}))
def test_reported_forms(kind: str) -> None:
    rows = [Pair(**json.loads(line)) for line in CASES.read_text("utf-8").splitlines()]
    assert not misjudged([row for row in rows if row.kind == kind])


@pytest.mark.exhaustive
def test_forms_of_other_seeds() -> None:
    missed: Counter[str] = Counter()
    for seed in range(100):
        missed.update(f"{row.kind}: {row.gold} <- {row.answer}" for row, _ in misjudged(pairs(seed)))
    assert not missed
