"""Answers written to break a checker: the fast scanners equal the plain patterns, and nothing hangs or dies."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from evalkit.tasks.ruifeval import ruifeval
from evalkit.tasks.ruifeval.instructions import INSTRUCTIONS, check
from evalkit.tasks.ruifeval.lemmas import lemma, morphology
from evalkit.tasks.ruifeval.sentences import punkt_model, sentence_spans
from evalkit.tasks.ruifeval.text import Text
from evalkit.tasks.text.identification import identify
from evalkit.tasks.types import Completion, Context, Sample
from hypothesis import example, given, settings
from hypothesis import strategies as st

KWARGS = {
    "change_case:capital_word_frequency": {"capital_frequency": 10**7, "capital_relation": "at least"},
    "combination:repeat_prompt": {"prompt_to_repeat": "Привет"},
    "detectable_content:number_placeholders": {"num_placeholders": 10**7},
    "detectable_content:postscript": {"postscript_marker": "P. P. S"},
    "detectable_format:multiple_sections": {"section_spliter": "Раздел", "num_sections": 10**7},
    "detectable_format:number_bullet_lists": {"num_bullets": 10**7},
    "detectable_format:number_highlighted_sections": {"num_highlights": 10**7},
    "keywords:existence": {"keywords": ["кот", "пёс"]},
    "keywords:forbidden_words": {"forbidden_words": ["кот", "json", "а"]},
    "keywords:frequency": {"keyword": "кот", "frequency": 10**7, "relation": "at least"},
    "keywords:letter_frequency": {"letter": "а", "let_frequency": 10**7, "let_relation": "at least"},
    "language:response_language": {"language": "kn"},
    "length_constraints:nth_paragraph_first_word": {
        "num_paragraphs": 2,
        "nth_paragraph": 1,
        "first_word": "кот",
    },
    "length_constraints:number_paragraphs": {"num_paragraphs": 3},
    "length_constraints:number_sentences": {"num_sentences": 10**7, "relation": "at least"},
    "length_constraints:number_words": {"num_words": 10**7, "relation": "at least"},
    "startend:end_checker": {"end_phrase": "конец."},
}
INSTRUCTION_LIST = [{"id": id, "kwargs": KWARGS.get(id, {})} for id in INSTRUCTIONS]
UNITS = [
    "\n", " ", "[", "]", "[]", "[\n", "<", "<<\n", "<<a ", ">", "*", "*\n", "* \n", "*a", "*a\n", "\n***", "***x",
    '{"a":', '["', '"\\', "а", "А", "a", "P.", "P. ", "!", ".", "?!", ". ", "!a)", "а.)", "'", "A'", '"', ",", "А,",
    "-", "-\n", "`", "\r\n", "\u2028", "1", "🙂", "\xa0", "не", "супер", "раздел ", "а\n\n", "\ud800", "\x00\x01 ",
    "и\u0306", "ا", "क", "a@b", "https://a", "Раздел А ", "АБ.:1", "\\",
]  # fmt: skip


def followed(id, kwargs, text):
    return check(id, kwargs, text).followed


def everything(answer):
    sample = Sample.ask("1", "?", instructions=INSTRUCTION_LIST)
    return ruifeval.score(sample, Completion(answer), Context())


# Quadratic time would outlast the suite's time limit with either length.
@pytest.mark.parametrize("length", [50_000, pytest.param(1_000_000, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_a_long_answer_of_anything_is_scored(unit, length):
    answer = "x" + unit * (length // len(unit)) + "y"
    assert everything(answer).value is not None
    assert all(len(part["reason"]) < 600 for part in everything(answer[:1000]).parts["instructions"])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("\ud800")
@example("\x01а\x01")
@example("İ")
@example("\U00017000")
def test_any_text_is_scored_and_serialisable(answer):
    json.dumps(everything(answer).as_json())


marks = st.text(alphabet="*-a \n\r\u2028\xa0\t", max_size=14)


@settings(max_examples=1500)
@given(marks)
def test_bullets_equal_the_plain_patterns(text):
    plain = len(re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)) + len(
        re.findall(r"^\s*-.*$", text, re.MULTILINE)
    )
    kwargs = {"num_bullets": plain}
    assert followed("detectable_format:number_bullet_lists", kwargs, text) == bool(text.strip())


@settings(max_examples=1000)
@given(st.text(alphabet="[]a\n\u2028*", max_size=14))
def test_placeholders_equal_the_plain_pattern(text):
    plain = len(re.findall(r"\[.*?\]", text))
    for wanted in (plain, plain + 1):
        kwargs = {"num_placeholders": wanted}
        expected = bool(text.strip()) and plain >= wanted
        assert followed("detectable_content:number_placeholders", kwargs, text) == expected


@settings(max_examples=1500)
@given(st.text(alphabet="<>a \n*", max_size=14))
def test_titles_equal_the_plain_pattern(text):
    plain = any(found.lstrip("<").rstrip(">").strip() for found in re.findall(r"<<[^\n]+>>", text))
    assert followed("detectable_format:title", {}, text) == plain


@settings(max_examples=1500)
@given(st.text(alphabet="*a \n", max_size=16))
def test_highlights_equal_the_plain_patterns(text):
    plain = sum(bool(found.strip("*").strip()) for found in re.findall(r"\*[^\n\*]*\*", text))
    plain += sum(
        bool(found.removeprefix("**").removesuffix("**").strip()) for found in re.findall(r"\*\*[^\n\*]*\*\*", text)
    )
    for wanted in (plain, plain + 1):
        kwargs = {"num_highlights": wanted}
        expected = bool(text.strip()) and plain >= wanted
        assert followed("detectable_format:number_highlighted_sections", kwargs, text) == expected


@settings(max_examples=1000)
@given(st.text(alphabet="ps. \n\u2028x", max_size=14))
def test_postscripts_equal_the_plain_patterns(text):
    for marker, pattern in {
        "P.P.S": r"\s*p\.\s?p\.\s?s.*$",
        "P.S.": r"\s*p\.\s?s\..*$",
        "P. S.": r"\s*p. s..*$",
    }.items():
        plain = bool(re.findall(pattern, text.lower(), re.MULTILINE))
        assert followed("detectable_content:postscript", {"postscript_marker": marker}, text) == plain


@settings(max_examples=1500)
@given(st.text(alphabet="аб'\".,?! \n", max_size=16))
def test_first_words_equal_the_letter_by_letter_rule(text):
    for position in (1, 2):
        kwargs = {"num_paragraphs": 2, "nth_paragraph": position, "first_word": "аб"}
        expected = first_word_by_letters(text, position) == "аб"
        assert followed("length_constraints:nth_paragraph_first_word", kwargs, text) == expected


def first_word_by_letters(text, position):
    """The rule as it is published: None unless there are two paragraphs and the wanted one is not blank."""
    paragraphs = text.split("\n\n")
    if sum(bool(paragraph.strip()) for paragraph in paragraphs) != 2 or not paragraphs[position - 1].strip():
        return None
    word = ""
    for letter in paragraphs[position - 1].split()[0].lstrip("'").lstrip('"'):
        if letter in ".,?!'\"":
            break
        word += letter.lower()
    return word


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="абвеёйкорстАБЁ-\x01\u0301", min_size=1, max_size=12))
@example("не" * 40)
@example("А")
def test_the_short_cut_to_dictionary_forms_changes_none(token):
    if not token.split() or len(token.split()[0]) != len(token):
        return
    assert lemma(token) == morphology().normal_forms(token)[0]


NON_WORD = r"[)\";}\]*:@'({\[‘’“”«»!?]"
MULTIPLE = r"(?:\-{2,}|\.{2,}|(?:\.\s){2,}\.)"
PLAIN_TOKEN = re.compile(
    rf"{MULTIPLE}|(?=[^(\"`{{\[:;&\#*@)}}\]\-,])\S+?(?=\s|$|{NON_WORD}|{MULTIPLE}|,(?=$|\s|{NON_WORD}|{MULTIPLE}))|\S"
)


@settings(max_examples=1500)
@given(st.text(alphabet="аБ1.,-!?;:'\")(«» \xa0\t", max_size=16))
def test_the_token_pattern_equals_its_plain_form(text):
    from evalkit.tasks.ruifeval.sentences import _TOKEN

    assert [token.group() for token in _TOKEN.finditer(text)] == PLAIN_TOKEN.findall(text)


@settings(max_examples=500)
@given(st.text(alphabet="аБ1.,-!?'\") \n\t\xa0", max_size=30))
def test_sentences_lie_in_the_text_in_order(text):
    spans = sentence_spans(text, punkt_model("russian"))
    assert all(start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert bool(spans) == bool(text.strip())


def test_deep_json_is_not_followed_however_deep_the_caller_is():
    deep = "[" * 501 + "]" * 501
    flat = "[" + ",".join(["[]"] * 2000) + "]"

    def at(depth):
        return (
            at(depth - 1)
            if depth
            else [followed("detectable_format:json_format", {}, text) for text in (deep, flat)]
        )

    assert at(0) == at(200) == [False, True]
    assert followed("detectable_format:json_format", {}, '["' + "[" * 2000 + '"]')


def test_languages_do_not_depend_on_order_or_thread():
    texts = ["Das ist ein Test", "це тест", "тест", "Hili ni jibu fupi", "यह एक परीक्षण है", "این یک آزمایش است"] * 5
    alone = [identify(text) for text in texts]
    barrier = threading.Barrier(4)

    def reversed_order(_):
        barrier.wait()
        return [identify(text) for text in reversed(texts)][::-1]

    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(reversed_order, range(4)))


def test_variants_of_a_hostile_text_are_few():
    assert len(Text("*а*\n" * 1000).variants) <= 7
