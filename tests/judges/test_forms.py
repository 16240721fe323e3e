"""Judges' words as they come: known rows that were misread or lost, and new wordings of the same kinds.

Before any of these kinds was mended, 164 of the 270 forms that the generator then made of its default seed were
read wrongly, 68 of them as a verdict that was not given.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.judges import parse_verdict
from evalkit.tasks.types import Status
from evalkit.tests.support.judge_forms import forms

VECTORS = Path(__file__).parents[1] / "vectors"
READ = (Status.OK, Status.OK_LENIENT)


def lines(name):
    return [json.loads(line) for line in (VECTORS / name).read_text("utf-8").splitlines()]


def usable(text, kind, **arguments):
    """The value that a judge's caller would use."""
    verdict = parse_verdict(text, kind=kind, **arguments)
    return verdict.value if verdict.outcome in READ else None


@pytest.mark.parametrize("name", ["judge_misreads.jsonl", "judge_lost.jsonl"])
def test_known_rows(name):
    wrong = [
        (row["kind"], row["text"], row["expected"], said)
        for row in lines(name)
        if (said := usable(row["text"], row["kind"], **row["kwargs"])) != row["expected"]
    ]
    assert wrong == []


def test_objects_in_fences():
    for row in json.loads((VECTORS / "judge_fenced_objects.json").read_text("utf-8")):
        said = usable(row["text"], row["kind"], scale=row.get("scale"), nonce="k7f3q9", graded_answer="Париж.")
        assert said == row["value"], row


def wrongly_read(seed, each):
    return [
        (form.about, form.text, form.value, said)
        for form in forms(seed, each)
        if (said := usable(form.text, form.kind, **form.arguments)) != form.value
    ]


def test_new_wordings():
    assert sum(1 for _ in forms()) >= 200
    assert wrongly_read(seed=0, each=5) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_new_wordings(seed):
    assert wrongly_read(seed, each=40) == []
