"""An answer that shows nothing is none, whatever characters it is made of."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from evalkit.judges.guard.precheck import Reason, precheck
from evalkit.tasks.blank import has_content
from evalkit.tasks.registry import open_task
from evalkit.tasks.ruifeval.text import Text
from evalkit.tasks.types import Completion, Context, Score, Status, answer_status
from hypothesis import given
from hypothesis import strategies as st

BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800\U0001d159"
BLANK = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Cn", "Co", "Mn", "Mc", "Me")
    or char in BLANK_LETTERS
]
TEXTS = st.lists(st.sampled_from(BLANK), min_size=1, max_size=20).map("".join)


@given(TEXTS)
def test_what_shows_nothing_is_no_answer(text: str) -> None:
    assert not has_content(text)
    assert answer_status(Completion(text), Status.OK) is Status.EMPTY
    finding = precheck(text)
    assert finding is not None
    assert finding.reason is Reason.EMPTY
    assert Text(text).invisible


@given(TEXTS, st.sampled_from("аZ5∞—.家🙂é½"))
def test_one_character_that_shows_is_an_answer(blank: str, char: str) -> None:
    assert has_content(blank + char)
    assert answer_status(Completion(char + blank), Status.OK) is Status.OK


@pytest.mark.parametrize("name", ["ruifeval-mini", "math", "science", "logic"])
@pytest.mark.parametrize(
    "char", ["\u2800", "\u3164", "\u115f", "\U000e0041", "\ufe0f", "\u0301", "\ue000", "\u200b"]
)
def test_no_task_pays_for_blank_answers(name: str, char: str) -> None:
    task = open_task(name)
    for sample in task.samples(split="test", limit=20, seed=0):
        score = task.score(sample, Completion(char * 3), Context())
        assert isinstance(score, Score)
        assert not score.value
        assert score.status is Status.EMPTY or name != "ruifeval-mini"
