"""FastChat's own verdicts, for published tables: its first match, its fallback, its -1 and where it stops."""

from __future__ import annotations

import json

import pytest
from evalkit.judges import parse_verdict
from evalkit.tasks.types import Status
from hypothesis import given
from hypothesis import strategies as st

KIND_OF_MODE = {"single": "rating"}


@pytest.mark.conformance
def test_every_public_vector(vector_file):
    lines = vector_file("judges/rating_parse_vectors.jsonl").read_text("utf-8").split("\n")
    for row in map(json.loads, filter(str.strip, lines)):
        kind = KIND_OF_MODE.get(row["mode"], row["mode"])
        verdict = parse_verdict(row["judge_output"], kind=kind, scale=row["scale"], compat="fastchat")
        theirs = row["fastchat"]
        assert (row["id"], verdict.value, type(verdict.value)) == (
            row["id"],
            theirs["value"],
            type(theirs["value"]),
        )
        assert verdict.details.get("exception") == theirs.get("exception")
        if "matched_by" in theirs:
            assert verdict.details["matched_by"] == theirs["matched_by"]


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("[[3]] нет, [[9]]", 3, Status.OK),
        ("см. [2]; Оценка: [[6]]", 6, Status.OK),
        ("см. [2]; Оценка: 6", 2, Status.OK),
        ("Rating: [[7.5]]", 7.5, Status.OK),
        ("Rating: [[7.]]", 7.0, Status.OK),
        ("Rating: [[700]]", 700, Status.OK),
        ("Rating: [[00]]", 0, Status.OK),
        ("Rating: [[0.50]]", 0.5, Status.OK),
        ("Оценка: [[7,5]]", -1, Status.MISSING),
        ("Оценка: [[ 7 ]]", -1, Status.MISSING),
        ("", -1, Status.MISSING),
        ("Оценка: [[07]]", None, Status.MALFORMED),
        ("Оценка: [[07.5]]", 7.5, Status.OK),
        ("Оценка: [[７]]", None, Status.MALFORMED),
        ("Оценка: [[" + "9" * 5000 + "]]", None, Status.MALFORMED),
    ],
)
def test_ratings(text, value, status):
    verdict = parse_verdict(text, kind="rating", compat="fastchat")
    assert (verdict.value, type(verdict.value), verdict.status) == (value, type(value), status)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[B]] не [[A]]", "A"),
        ("[[C]] [[B]]", "B"),
        ("[[C]]", "tie"),
        ("[[А]]", "error"),
        ("[[a]]", "error"),
        ("", "error"),
    ],
)
def test_pairs(text, value):
    assert parse_verdict(text, kind="pair", compat="fastchat").value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[7,5]]", "A"),
        ("[[7, 7.05]]", "tie"),
        ("[[8.1, 8.0]]", "tie"),  # 8.1 - 8.0 < 0.1 in binary
        ("[[7,  9]]", "error"),
        ("[1, 2]", "B"),
        ("[[07, 2]]", None),
    ],
)
def test_pairs_of_scores(text, value):
    verdict = parse_verdict(text, kind="pair_scores", compat="fastchat")
    assert verdict.value == value


@given(st.integers(0, 10**6), st.text(alphabet="абв [].,\n", max_size=30))
def test_the_first_number_in_brackets_counts(number, after):
    verdict = parse_verdict(f"Rating: [[{number}]]{after}", kind="rating", compat="fastchat")
    assert verdict.value == number
    start, end = verdict.span
    assert f"Rating: [[{number}]]{after}"[start:end] == f"[[{number}]]"
