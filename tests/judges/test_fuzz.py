"""Any text is read: no exception, no value off the scale, no time that grows faster than the text."""

from __future__ import annotations

import json

import pytest
from evalkit.judges import parse_verdict
from evalkit.judges.parsing import KINDS
from evalkit.tests.support.hostile_text import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

WINNERS = {"A", "B", "tie"}
PIECES = st.sampled_from(
    [
        "[",
        "]",
        "[[",
        "]]",
        "(",
        ")",
        "{",
        "}",
        "<think>",
        "</think>",
        "<points>",
        "</points>",
        "<score>",
        "</score>",
        "\\boxed{",
        "\\[",
        "\\]",
        "```",
        "```json\n",
        "`",
        '"',
        "'",
        "«",
        "»",
        "“",
        "„",
        "”",
        "> ",
        "|",
        "|---|",
        "\n",
        " ",
        "\u00a0",
        "\u200b",
        "\u202e",
        "\ud800",
        "\x00",
        "\u0301",
        "½",
        "²",
        "８",
        "٣",
        "0",
        "7",
        "10",
        "99999999999",
        "-1",
        "1e9",
        ",",
        ".",
        "/10",
        " из 10",
        "%",
        "–",
        "Оценка",
        "Rating",
        "Итог",
        ":",
        "балл",
        "не могу оценить",
        "A",
        "В",
        "A>>B",
        "ничья",
        "семь",
        '{"rating": ',
        '"winner": "A"}',
        "null}",
        "Корректность",
        "Полнота",
        "Строгость",
        "Структура",
        "Разбор случаев",
        "Итоговый ответ",
        "Среднее",
        "k7f3",
        "$ERROR$",
        "İ",
        "【",
        "】",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(PIECES, max_size=40).map("".join),
    st.tuples(PIECES, st.integers(1, 3000)).map(lambda nest: nest[0] * nest[1]),
)


def check(verdict, kind, text):
    if verdict.value is not None:
        values = verdict.value.values() if isinstance(verdict.value, dict) else [verdict.value]
        for value in values:
            if kind in ("pair", "pair_scores", "criteria_table"):
                assert value in WINNERS | {None}
            else:
                assert value is None or 0 <= value <= 100
    if verdict.span:
        assert 0 <= verdict.span[0] <= verdict.span[1] <= len(text)
    json.dumps([verdict.value, dict(verdict.details)], allow_nan=False)


@given(
    TEXTS,
    st.sampled_from(KINDS),
    st.one_of(st.none(), TEXTS),
    st.sampled_from([None, "k7f3"]),
    st.sampled_from([None, "stop", "length"]),
)
def test_any_text_is_read(text, kind, answer, nonce, finish_reason):
    verdict = parse_verdict(text, kind=kind, graded_answer=answer, nonce=nonce, finish_reason=finish_reason)
    check(verdict, kind, text)


@given(TEXTS, st.sampled_from(["rating", "pair", "pair_scores"]))
def test_any_text_is_read_like_fastchat(text, kind):
    parse_verdict(text, kind=kind, compat="fastchat")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_texts(text):
    for kind in KINDS:
        check(parse_verdict(text, kind=kind, graded_answer=text[:1000], nonce=None), kind, text)


UNITS = [
    "[",
    "[[",
    "[[1",
    "[[1]] ",
    "[[1]] или ",
    "[[rating]]",
    "<think>",
    "</think>",
    '"',
    '"\n',
    "«",
    "«»",
    "“„”",
    "'a'",
    "`a`",
    "```\n",
    "> [[1]]\n",
    "1",
    "1,",
    "<points>",
    "<points>1</points>",
    "\\boxed{",
    "{",
    '{"a":',
    '{"rating":1}',
    "\\[\\[",
    "оценка ",
    "Оценка: ",
    "оценка: [[1]] ",
    "8 баллов ",
    "a",
    " ",
    "\n",
    "Корректность: 1% ",
    "Корректность: 1%\n",
    "| Полнота | A |\n",
    "и\u0306",
    "\u0301\u0316",
    "\u202e1",
    "８",
    "[[1\u200b]]",
    "Ответ A лучше ",
    "не могу ",
    ", ",
    "<|channel|>final<|message|>",
    "{'a':",
    '{"a":"\\"',
    '{"code": "k7f3", "rating": 1}\n',
    "~~a~~ ",
    "Оценка: не 8, а 7, нет, 6; ",
    "[[1]], нет, ",
    "8 + ",
    "8 из 10 ",
    "| 8 |\n",
    "Оценка: 8\n",
    "Вердикт: A\n",
    "Ответ A хуже B ",
    "Полнота: не 8%, а 7%\n",
    "или ",
    "-- ",
]


def check_long(unit, kinds):
    """Quadratic time on any of them would outlast the suite's time limit."""
    text = unit * (80_000 // len(unit))
    for kind in kinds:
        check(parse_verdict(text, kind=kind, graded_answer=text[1000:]), kind, text)


@pytest.mark.parametrize("number", range(len(UNITS)), ids=[repr(unit) for unit in UNITS])
def test_long_texts_of_one_piece(number):
    """Every piece is read in two ways, and every way meets pieces of all sorts."""
    check_long(UNITS[number], {KINDS[number % len(KINDS)], KINDS[(number + 4) % len(KINDS)]})


@pytest.mark.exhaustive
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_long_texts_of_one_piece_are_read_in_every_way(unit):
    check_long(unit, KINDS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("unit", ["[[1", '"«', "<think></think>", "{"], ids=repr)
def test_ten_megabytes(unit):
    text = unit * (10_000_000 // len(unit)) + "\nОценка: [[7]]"
    check(parse_verdict(text, kind="rating"), "rating", text)
