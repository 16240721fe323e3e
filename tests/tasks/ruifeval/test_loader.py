"""Reading prompts: what is tolerated, and what each mistake in a file is told."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from evalkit.errors import InputError, UsageError
from evalkit.tasks.records import read_records
from evalkit.tasks.ruifeval import ruifeval, ruifeval_fixed, ruifeval_mini
from evalkit.tasks.ruifeval.loader import read_prompts
from evalkit.tasks.types import Message, Task

WORDS = "length_constraints:number_words"
GOOD = {
    "key": 7,
    "prompt": "Напиши рассказ.",
    "instruction_id_list": [WORDS, "punctuation:no_comma"],
    "kwargs": [{"relation": "at least", "num_words": 300}, {}],
}


@pytest.fixture
def file(tmp_path):
    def write(*records, encoding="utf-8"):
        path = tmp_path / "prompts.jsonl"
        lines = [
            record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records
        ]
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return write


def with_kwargs(*kwargs, ids=(WORDS,)):
    return {**GOOD, "instruction_id_list": list(ids), "kwargs": list(kwargs)}


def test_a_published_line_becomes_a_sample(file):
    (sample,) = read_prompts(file(GOOD))
    assert sample.id == "7"
    assert sample.messages == (Message("user", "Напиши рассказ."),)
    assert sample.metadata == {
        "key": 7,
        "instructions": [
            {"id": WORDS, "kwargs": {"relation": "at least", "num_words": 300}},
            {"id": "punctuation:no_comma", "kwargs": {}},
        ],
    }


def test_the_order_of_the_file_is_kept(file):
    samples = list(read_prompts(file(*({**GOOD, "key": key} for key in (3, 1, 2)))))
    assert [sample.id for sample in samples] == ["3", "1", "2"]


def test_null_arguments_and_floats_of_exports_are_tolerated(file):
    padded = with_kwargs({"relation": "at least", "num_words": 300.0, "keywords": None, "letter": None})
    (sample,) = read_prompts(file(padded))
    assert sample.metadata["instructions"][0]["kwargs"] == {"relation": "at least", "num_words": 300}
    assert type(sample.metadata["instructions"][0]["kwargs"]["num_words"]) is int


def test_a_byte_order_mark_and_blank_lines_are_tolerated(file):
    assert [sample.id for sample in read_prompts(file("", GOOD, "  ", encoding="utf-8-sig"))] == ["7"]


def test_a_line_separator_inside_a_string_does_not_end_the_line(file):
    (sample,) = read_prompts(file({**GOOD, "prompt": "раз\u2028два\x85три"}))
    assert sample.prompt == "раз\u2028два\x85три"


def test_text_keys_are_allowed(file):
    (sample,) = read_prompts(file({**GOOD, "key": "зима-1"}))
    assert (sample.id, sample.metadata["key"]) == ("зима-1", "зима-1")


MISTAKES = {
    "no key": ({k: v for k, v in GOOD.items() if k != "key"}, "field 'key' is missing"),
    "key of wrong type": ({**GOOD, "key": [1]}, "field 'key': expected a whole number or a string, found [1]"),
    "key true": ({**GOOD, "key": True}, "field 'key': expected a whole number"),
    "blank prompt": ({**GOOD, "prompt": " "}, "field 'prompt': it is empty"),
    "prompt of wrong type": ({**GOOD, "prompt": 5}, "field 'prompt': expected a string, found 5"),
    "ids of wrong type": ({**GOOD, "instruction_id_list": WORDS}, "field 'instruction_id_list': expected a list"),
    "no ids": ({**GOOD, "instruction_id_list": [], "kwargs": []}, "field 'instruction_id_list': it is empty"),
    "lengths differ": ({**GOOD, "kwargs": [{}]}, "field 'kwargs': 1 entries for 2 instructions"),
    "unknown id": (
        with_kwargs({}, ids=["punctuation:no_coma"]),
        "field 'instruction_id_list[0]': unknown instruction 'punctuation:no_coma'. Did you mean "
        "'punctuation:no_comma'",
    ),
    "id of wrong type": (with_kwargs({}, ids=[3]), "field 'instruction_id_list[0]': unknown instruction 3."),
    "kwargs of wrong type": (with_kwargs([]), "field 'kwargs[0]': expected an object, found []"),
    "missing argument": (
        with_kwargs({"relation": "at least"}),
        f"field 'kwargs[0].num_words': {WORDS} needs it (a whole number, 0 or more), and it is missing",
    ),
    "null is missing": (with_kwargs({"relation": "at least", "num_words": None}), "and it is missing"),
    "number as text": (
        with_kwargs({"relation": "at least", "num_words": "300"}),
        "field 'kwargs[0].num_words': expected a whole number, 0 or more, found '300'",
    ),
    "number with a fraction": (with_kwargs({"relation": "at least", "num_words": 1.5}), "found 1.5"),
    "number true": (with_kwargs({"relation": "at least", "num_words": True}), "found True"),
    "negative number": (with_kwargs({"relation": "at least", "num_words": -1}), "found -1"),
    "unknown relation": (
        with_kwargs({"relation": "at most", "num_words": 3}),
        "field 'kwargs[0].relation': expected 'less than' or 'at least', found 'at most'",
    ),
    "argument of another": (
        with_kwargs({"relation": "at least", "num_words": 3, "num_word": 4}),
        f"field 'kwargs[0].num_word': {WORDS} has no such argument. Did you mean 'num_words'",
    ),
    "argument of one without": (
        with_kwargs({"comma": 1}, ids=["punctuation:no_comma"]),
        "has no such argument. It takes none.",
    ),
    "keywords as text": (
        with_kwargs({"keywords": "кот"}, ids=["keywords:existence"]),
        "expected a list of non-empty strings, found 'кот'",
    ),
    "no keywords": (with_kwargs({"keywords": []}, ids=["keywords:existence"]), "found []"),
    "a letter of two": (
        with_kwargs(
            {"letter": "аб", "let_frequency": 1, "let_relation": "at least"}, ids=["keywords:letter_frequency"]
        ),
        "expected a single character, found 'аб'",
    ),
    "paragraph beyond the last": (
        with_kwargs(
            {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "кот"},
            ids=["length_constraints:nth_paragraph_first_word"],
        ),
        "field 'kwargs[0].nth_paragraph': it is greater than num_paragraphs",
    ),
    "not an object": ("[1, 2]", "expected a JSON object, found list"),
    "broken JSON": ('{"key": 7,', "not valid JSON: "),
    "nested too deeply": ("[" * 100_000, "not valid JSON: nested too deeply"),
    "key used twice": (GOOD, "field 'key': 7 was already used on line 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_line_and_field(file, mistake):
    record, message = MISTAKES[mistake]
    path = file(GOOD, record)
    with pytest.raises(InputError) as caught:
        list(read_prompts(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_empty_file_is_told(file):
    with pytest.raises(InputError, match="the file is empty"):
        list(read_prompts(file("")))


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(InputError, match="file not found"):
        list(read_prompts(tmp_path / "nowhere.jsonl"))
    with pytest.raises(InputError, match="this is a directory"):
        list(read_prompts(tmp_path))


def test_other_encodings_are_told(file):
    path = file(GOOD, encoding="cp1251")
    with pytest.raises(InputError, match=r"prompts\.jsonl:1: byte \d+ of this line is not valid UTF-8"):
        list(read_records(path))


def test_nothing_is_read_before_it_is_asked_for(file):
    lines = read_records(file('{"a": 1}', "broken"))
    assert next(lines) == {"a": 1}
    with pytest.raises(InputError, match=":2: "):
        next(lines)


@pytest.mark.parametrize("task", [ruifeval, ruifeval_fixed, ruifeval_mini], ids=lambda task: task.name)
def test_the_tasks_are_tasks_with_prompts_of_their_own(task):
    assert isinstance(task, Task)
    assert task.max_tokens == (512 if task.name == "ruifeval-mini" else 1280)
    first = list(task.samples(split="test", limit=5, seed=0))
    assert len(first) == 5
    assert first == list(task.samples(split="test", limit=None, seed=3))[:5]
    assert list(task.samples(split="test", limit=0, seed=0)) == []


def test_the_published_tasks_name_their_stand_in():
    assert ruifeval.stand_in == ruifeval_fixed.stand_in == ruifeval_mini.name == "ruifeval-mini"
    assert ruifeval_mini.stand_in is None


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="the splits 'train' and 'test', not 'dev'"):
        ruifeval_mini.samples(split="dev", limit=None, seed=0)


def test_importing_the_task_loads_no_linguistics():
    code = (
        "import sys, evalkit.tasks.ruifeval; "
        "print([name for name in ('pymorphy3', 'langdetect', 'punkt', 'yaml') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
