"""The 25 rules: own vectors for each, the reasons, the repairs, and the score made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.tasks.ruifeval import ruifeval
from evalkit.tasks.ruifeval.fixes import ALL_FIXES, NO_FIXES, Fix
from evalkit.tasks.ruifeval.instructions import INSTRUCTIONS, check
from evalkit.tasks.ruifeval.result import quoted
from evalkit.tasks.ruifeval.text import Text
from evalkit.tasks.text.identification import identify
from evalkit.tasks.text.nouns import Noun
from evalkit.tasks.types import Completion, Context, Sample, Status

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "vectors" / "ruifeval.jsonl").read_text("utf-8").splitlines()
]


def score(*instructions, answer, finish_reason=None, task=ruifeval):
    listed = [{"id": id, "kwargs": kwargs} for id, kwargs in instructions]
    sample = Sample.ask("1", "?", instructions=listed)
    return task.score(sample, Completion(answer, finish_reason=finish_reason), Context())


@pytest.mark.parametrize("id", INSTRUCTIONS)
def test_own_vectors(id):
    vectors = [vector for vector in VECTORS if vector["instruction_id"] == id]
    assert len(vectors) >= 5
    for vector in vectors:
        part = score((id, vector["kwargs"]), answer=vector["response"]).parts["instructions"][0]
        assert (part["strict"], part["loose"]) == (vector["strict"], vector["loose"]), vector


REPAIRED = {
    Fix.LATIN_KEYWORDS: ("keywords:existence", {"keywords": ["Python"]}, "только русские слова", True),
    Fix.GUILLEMETS: ("keywords:forbidden_words", {"forbidden_words": ["рок"]}, "слушаю «рока»", True),
    Fix.WHOLE_WORDS: ("keywords:existence", {"keywords": ["еда"]}, "скорая победа", True),
    Fix.SECTION_LETTERS: (
        "detectable_format:multiple_sections",
        {"section_spliter": "Раздел", "num_sections": 2},
        "РАЗДЕЛ № 1\nа\nраздел Б\nб",
        False,
    ),
    Fix.POSTSCRIPT_SPACES: (
        "detectable_content:postscript",
        {"postscript_marker": "P. S."},
        "P.S. Пиши",
        False,
    ),
    Fix.SENTENCE_WORDS: (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "at least"},
        "Вот текст. Это ответ. Конец.",
        False,
    ),
    Fix.PARAGRAPH_INDEX: (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "два"},
        "Раз\n\n\n\nДва",
        False,
    ),
}


@pytest.mark.parametrize("fix", REPAIRED)
def test_a_repair_changes_something_and_only_its_own(fix):
    """Each switch alone moves its example; with the seven others the example stays as published."""
    id, kwargs, answer, published = REPAIRED[fix]
    assert check(id, kwargs, answer).followed is published
    assert check(id, kwargs, answer, frozenset({fix})).followed is not published
    assert check(id, kwargs, answer, ALL_FIXES - {fix}).followed is published


def test_section_words_do_not_number_themselves():
    kwargs = {"section_spliter": "Раздел", "num_sections": 1}
    for answer in ("разделы книги", "Раздел о зиме", "РАЗДЕЛ О ЗИМЕ", "подраздел 1"):
        assert not check("detectable_format:multiple_sections", kwargs, answer, ALL_FIXES).followed


def test_ordinary_words_still_abbreviate_before_a_small_letter():
    kwargs = {"num_sentences": 2, "relation": "less than"}
    assert check("length_constraints:number_sentences", kwargs, "Это зам. директора.", ALL_FIXES).followed


def test_a_final_dot_is_optional_only_where_it_is_said():
    kwargs = {"end_phrase": "пока"}
    assert not check("startend:end_checker", kwargs, "Ну, пока.").followed
    assert check("startend:end_checker", {**kwargs, "final_dot_optional": True}, "Ну, пока.").followed


def test_reasons_are_russian_sentences_with_the_numbers():
    words = {"num_words": 200, "relation": "at least"}
    assert check("length_constraints:number_words", words, "раз " * 121).reason == (
        "121 слово, требуется не меньше 200"
    )
    assert check("length_constraints:number_words", words, "раз " * 202).reason == (
        "202 слова, требуется не меньше 200"
    )
    assert check("punctuation:no_comma", {}, "раз два").reason == "нет запятых"
    assert check("punctuation:no_comma", {}, "раз, два, три").reason == "2 запятые, первая на позиции 4"
    for vector in VECTORS:
        reason = check(vector["instruction_id"], vector["kwargs"], vector["response"]).reason
        assert any("а" <= letter <= "я" for letter in reason.lower())
        assert "\n" not in reason and len(reason) < 400


def test_russian_numerals():
    noun = Noun("слово", "слова", "слов")
    expected = {0: "слов", 1: "слово", 2: "слова", 4: "слова", 5: "слов", 11: "слов", 12: "слов", 14: "слов"}
    expected |= {21: "слово", 22: "слова", 25: "слов", 101: "слово", 111: "слов", 112: "слов", 1000: "слов"}
    for number, form in expected.items():
        assert noun.count(number) == f"{number} {form}"


def test_quoting_keeps_reasons_short_and_on_one_line():
    assert quoted("а\nб") == "«а б»"
    assert len(quoted("а" * 1_000_000)) < 70


def test_loose_readings_are_the_published_ones():
    readings = {text.raw for text in Text("*а*\n б \n*в*").variants}
    assert readings == {"а\n б \nв", "б \n*в*", "*а*\n б", "б", "б \nв", "а\n б"}
    assert Text("одна строка").variants == ()
    assert [text.raw for text in Text("*одна* строка").variants] == ["одна строка"]


def test_the_score_keeps_the_order_and_the_duplicates():
    comma = ("punctuation:no_comma", {})
    quotation = ("startend:quotation", {})
    result = score(quotation, comma, quotation, answer='"да"\nнет, пока')
    assert [part["id"] for part in result.parts["instructions"]] == [quotation[0], comma[0], quotation[0]]
    assert [part["strict"] for part in result.parts["instructions"]] == [False, False, False]
    assert [part["loose"] for part in result.parts["instructions"]] == [True, True, True]
    assert result.parts["prompt_strict"] is False
    assert result.parts["prompt_loose"] is True
    assert result.value == 0.0


def test_the_value_is_the_share_strictly_followed():
    result = score(("punctuation:no_comma", {}), ("startend:quotation", {}), answer="да")
    assert result.value == 0.5
    assert result.status is Status.OK
    assert result.explanation == "1 инструкция выполнена из 2"


def test_a_loose_verdict_gives_both_reasons():
    part = score(("punctuation:no_comma", {}), answer="Итак, вот:\nтекст").parts["instructions"][0]
    assert part["reason"] == "1 запятая, первая на позиции 5; нестрого: нет запятых"


@pytest.mark.parametrize("answer", ["", " \n\t\u2028", "\xa0"])
def test_a_blank_answer_follows_nothing(answer):
    lenient = ("length_constraints:number_words", {"num_words": 10, "relation": "less than"})
    result = score(lenient, answer=answer)
    assert result.status is Status.EMPTY
    assert result.value == 0.0
    assert result.parts["instructions"][0]["reason"] == "пустой ответ"


def test_a_cut_answer_is_scored_and_says_so():
    result = score(("punctuation:no_comma", {}), answer="недописанный отв", finish_reason="length")
    assert (result.value, result.status) == (1.0, Status.TRUNCATED)


def test_a_prompt_without_instructions_has_no_value():
    result = score(answer="да")
    assert (result.value, result.status) == (None, Status.MISSING)
    assert [list(metric.observe(result)) for metric in ruifeval.metrics] == [[], [], [], []]


def test_metrics_break_down_by_instruction_and_group():
    result = score(("punctuation:no_comma", {}), ("startend:quotation", {}), answer="да")
    observed = {metric.name: list(metric.observe(result)) for metric in ruifeval.metrics}
    assert list(observed) == ["prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose"]
    assert [item.value for item in observed["prompt_strict"]] == [0.0]
    assert [(item.value, item.labels["group"]) for item in observed["instruction_strict"]] == [
        (1.0, "punctuation"),
        (0.0, "startend"),
    ]
    assert observed["instruction_loose"][1].labels["instruction"] == "startend:quotation"


def test_every_instruction_has_a_rule_of_its_name_in_the_module_of_its_group():
    assert len(INSTRUCTIONS) == 25
    for id, instruction in INSTRUCTIONS.items():
        group, _, name = id.partition(":")
        assert instruction.rule.__module__ == f"evalkit.tasks.ruifeval.rules.{group}"
        assert instruction.rule.__name__ == name


def test_no_fixes_is_the_published_behaviour():
    assert ruifeval.fixes == NO_FIXES == frozenset()


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_short_russian_sentences_are_russian(change):
    """Found on a model's answers: langdetect alone took one sentence in twenty for another Slavic language."""
    sentences = (
        "Назовите правила поведения в зоопарке.",
        "Опиши осенний сад в тумане.",
        "Напиши рекламу лавки подарков.",
        "Упомяните в ответе слова «шляпка» и «ножка».",
        "Не употребляйте в ответе слово «ягода».",
        "Море шумит у скал.",
    )
    assert [identify(change(sentence)) for sentence in sentences] == ["ru"] * len(sentences)
