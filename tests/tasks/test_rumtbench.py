"""ruMT-Bench: the published files as they are, the errata, which form grades what, and the numbers in the end."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter

import pytest
from evalkit.errors import InputError, ModelError, UsageError
from evalkit.evals.engine.results import measure_metric
from evalkit.tasks.rumtbench import rumtbench, rumtbench_fixed, rumtbench_mini
from evalkit.tasks.rumtbench.errata import errata
from evalkit.tasks.rumtbench.scoring import form_of, headline
from evalkit.tasks.types import Completion, Context, Judgement, Sample, Score, Status, Task
from evalkit.tests.support.scripted import ScriptedJudge

CATEGORIES = {"writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities"}
GOOD = {"question_id": 7, "category": "math", "turns": ["Сколько будет 2 + 2?", "А 3 + 3?"]}
REFERENCE = {"question_id": 7, "choices": [{"index": 0, "turns": ["4", 6]}]}


def score(sample: Sample, *answers: str, judge=None, finish_reason="stop") -> Score:
    completion = Completion(answers[-1], turns=answers, finish_reason=finish_reason)
    return asyncio.run(rumtbench.score(sample, completion, Context(judge=judge or ScriptedJudge(7))))


@pytest.fixture
def folder(tmp_path):
    """Write a question file, and reference files beside it; return the path of the questions."""

    def write(*questions, **files):
        for name, records in {"question.jsonl": questions, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            lines = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in records]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / "question.jsonl"

    return write


def test_the_tasks_are_tasks_and_stand_for_each_other():
    for task in (rumtbench, rumtbench_fixed, rumtbench_mini):
        assert isinstance(task, Task)
        assert "judge" in task.needs
    assert rumtbench.stand_in == rumtbench_fixed.stand_in == rumtbench_mini.name
    with pytest.raises(UsageError, match="has only the split 'test'"):
        list(rumtbench_mini.samples(split="train", limit=None, seed=0))


def test_our_own_questions_are_three_a_category_of_two_turns():
    samples = list(rumtbench_mini.samples(split="test", limit=None, seed=0))
    assert Counter(sample.metadata["category"] for sample in samples) == dict.fromkeys(CATEGORIES, 3)
    for sample in samples:
        assert len(sample.turns) == 2
        assert rumtbench_mini.gradings(sample) == 2
        by_reference = sample.metadata["category"] in ("math", "reasoning", "coding")
        assert (sample.target is not None) == by_reference
        assert not by_reference or all(sample.target)
    assert len(list(rumtbench_mini.samples(split="test", limit=5, seed=0))) == 5


def test_code_in_our_own_questions_and_references_is_what_it_claims_to_be(capsys):
    samples = {sample.id: sample for sample in rumtbench_mini.samples(split="test", limit=None, seed=0)}
    (printing,) = (sample for sample in samples.values() if "def add(item, items=[])" in sample.turns[0])
    exec(re.search(r"```\n(.*?)```", printing.turns[0], re.DOTALL)[1], {})
    assert capsys.readouterr().out == "[1]\n[1, 2]\n"
    (palindromes,) = (sample for sample in samples.values() if "is_palindrome" in sample.turns[0])
    for sample, call, expected in (
        (printing, "(add(1), add(2))", ([1], [2])),
        (
            palindromes,
            "[is_palindrome(t) for t in ('А роза упала на лапу Азора', 'Ёже', 'ёлка')]",
            [True, True, False],
        ),
    ):
        names: dict[str, object] = {}
        exec(next(text for text in reversed(sample.target) if text.startswith("def ")), names)
        assert eval(call, names) == expected


def test_a_published_question_becomes_a_sample(folder):
    (sample,) = rumtbench.read(folder(GOOD, **{"reference_answers.jsonl": [REFERENCE]}))
    assert sample == Sample(
        "7",
        turns=("Сколько будет 2 + 2?", "А 3 + 3?"),
        target=("4", "6"),
        metadata={"key": 7, "category": "math"},
        sampling={"temperature": 0.0},
    )


@pytest.mark.parametrize(
    ("category", "temperature"), [("writing", 0.7), ("stem", 0.1), ("extraction", 0.0), ("arena-hard-200", 0.7)]
)
def test_each_category_has_its_temperature(folder, category, temperature):
    (sample,) = rumtbench.read(folder({**GOOD, "category": category}))
    assert sample.sampling == {"temperature": temperature}
    assert sample.target is None


def test_a_question_may_ask_for_a_temperature_of_its_own(folder):
    (sample,) = rumtbench.read(folder({**GOOD, "category": "writing", "required_temperature": 0.2}))
    assert sample.sampling == {"temperature": 0.2}


@pytest.mark.parametrize(
    "name",
    [
        "reference_answers.jsonl",
        "reference_answer/gpt-4.jsonl",
        "reference_answer/human.jsonl",
        "question.reference.jsonl",
    ],
)
def test_references_are_found_where_they_are_published(folder, name):
    (sample,) = rumtbench.read(folder(GOOD, **{name: [REFERENCE]}))
    assert sample.target == ("4", "6")


def test_several_reference_files_are_not_chosen_from(folder):
    files = {f"reference_answer/{name}.jsonl": [REFERENCE] for name in ("gpt-4", "human")}
    with pytest.raises(InputError, match=r"2 reference files found beside it .*question\.reference\.jsonl"):
        list(rumtbench.read(folder(GOOD, **files)))
    other = {**REFERENCE, "choices": [{"turns": ["четыре", "шесть"]}]}
    (sample,) = rumtbench.read(folder(GOOD, **files, **{"question.reference.jsonl": [other]}))
    assert sample.target == ("четыре", "шесть")


def test_a_reference_in_the_question_serves_and_null_does_without(folder):
    (sample,) = rumtbench.read(folder({**GOOD, "reference": [0.19, ""]}))
    assert sample.target == ("0.19", "")
    (sample,) = rumtbench.read(folder({**GOOD, "reference": None}))
    assert sample.target is None


MISTAKES = {
    "no id": ({"category": "math", "turns": ["?"]}, "field 'question_id' is missing"),
    "a wrong id": ({**GOOD, "question_id": True}, "field 'question_id': expected a whole number or a string"),
    "no category": ({"question_id": 1, "turns": ["?"]}, "field 'category' is missing"),
    "no turns": ({**GOOD, "turns": []}, "field 'turns': expected a list of one or two non-empty strings"),
    "three turns": (
        {**GOOD, "turns": ["1", "2", "3"]},
        "field 'turns': expected a list of one or two non-empty strings",
    ),
    "an empty turn": ({**GOOD, "turns": ["?", " "]}, "field 'turns'"),
    "no reference": (
        GOOD,
        r'question 7 \(math\) is graded by a reference answer, and there is none: .*"reference": null',
    ),
    "too few references": ({**GOOD, "reference": ["4"]}, "question 7 has 2 turns and 1 reference answers"),
    "a wrong reference": (
        {**GOOD, "reference": ["4", None]},
        r"field 'reference\[1\]': expected a string, found None",
    ),
    "a wrong temperature": (
        {**GOOD, "reference": None, "required_temperature": -1},
        "field 'required_temperature'",
    ),
    "not JSON": ("{", "not valid JSON"),
}


@pytest.mark.parametrize(("record", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_line_and_field(folder, record, message):
    fine = {**GOOD, "question_id": 1, "category": "stem"}
    with pytest.raises(InputError, match=rf"question\.jsonl:2: {message}"):
        list(rumtbench.read(folder(fine, record)))


def test_an_id_that_is_there_twice_is_an_error(folder):
    question = {**GOOD, "category": "stem"}
    with pytest.raises(InputError, match=r":2: field 'question_id': 7 was already used on line 1"):
        list(rumtbench.read(folder(question, question)))


@pytest.mark.parametrize(
    "line", [{"question_id": 7}, {"question_id": 7, "choices": [{}]}, {"question_id": 7, "choices": []}]
)
def test_a_mistake_in_the_reference_file_is_named_too(folder, line):
    with pytest.raises(
        InputError, match=r"reference_answers\.jsonl:1: field 'choices|reference_answers\.jsonl:1: field 'turns"
    ):
        list(rumtbench.read(folder(GOOD, **{"reference_answers.jsonl": [line]})))


@pytest.mark.shared
def test_the_published_files_load_as_they_are(datasets):
    samples = list(rumtbench.read(datasets / "ru_mt_bench" / "question.jsonl"))
    assert [sample.id for sample in samples] == [str(number) for number in range(81, 161)]
    assert Counter(sample.metadata["category"] for sample in samples) == dict.fromkeys(CATEGORIES, 10)
    assert sum(sample.target is not None for sample in samples) == 30
    by_id = {sample.id: sample for sample in samples}
    assert by_id["113"].target == ("0.19", "0")
    assert by_id["103"].target[1] == ""
    assert form_of(by_id["103"], ("a", "b"), 1)[0] == "rating-turn-2-reference"


@pytest.mark.shared
def test_every_documented_defect_that_reaches_a_judge_is_repaired(datasets):
    path = datasets / "ru_mt_bench" / "question.jsonl"
    published = {sample.id: sample for sample in rumtbench.read(path)}
    fixed = {sample.id: sample for sample in rumtbench_fixed.read(path)}
    changed = {id for id in published if published[id] != fixed[id]}
    assert changed == set(errata())
    assert all("erratum" in fixed[id].metadata for id in changed)
    known = {
        str(row["question_id"])
        for row in map(json.loads, (path.parent / "known_defects.jsonl").read_text().splitlines())
    }
    # Numbers instead of strings are read as strings anyway; 0 is about the whole file.
    assert known - changed == {"112", "0"}
    for sample in fixed.values():
        for text in (*sample.turns, *(sample.target or ())):
            if text and "```" in text:
                assert "\u00a0" not in text
        if sample.target:
            assert "" not in sample.target
    assert form_of(fixed["103"], ("a", "b"), 1)[0] == "rating-turn-2"
    assert form_of(fixed["110"], ("a", "b"), 0)[1]["reference"].endswith("c).")
    code = re.search(r"```\n(.*?)```", fixed["124"].turns[1], re.DOTALL)[1]
    compile(code, "124", "exec")
    with pytest.raises(SyntaxError):
        compile(re.search(r"```\n(.*?)```", published["124"].turns[1], re.DOTALL)[1], "124", "exec")


def test_an_erratum_touches_no_other_question(folder):
    question = {"question_id": 124, "category": "coding", "turns": ["```\n\u00a0x\n```"], "reference": ["да"]}
    (sample,) = rumtbench_fixed.read(folder(question))
    assert sample.turns == ("```\n\u00a0x\n```",)
    assert "erratum" not in sample.metadata


def math(**more) -> Sample:
    return Sample("1", turns=("два?", "три?"), target=("2", "3"), metadata={"category": "math"}, **more)


def test_turn_two_is_shown_with_the_models_own_turn_one_and_both_references():
    judge = ScriptedJudge(7)
    score(math(), "первый {question_2}", "второй", judge=judge)
    assert sorted(judge.asked) == [
        ("rating-reference", {"question": "два?", "answer": "первый {question_2}", "reference": "2"}),
        (
            "rating-turn-2-reference",
            {
                "question_1": "два?",
                "answer_1": "первый {question_2}",
                "question_2": "три?",
                "answer_2": "второй",
                "reference_1": "2",
                "reference_2": "3",
            },
        ),
    ]
    judge = ScriptedJudge(7)
    score(Sample("1", turns=("раз?", "два?"), metadata={"category": "stem"}), "а", "б", judge=judge)
    assert sorted(form for form, _ in judge.asked) == ["rating", "rating-turn-2"]


def test_the_value_is_the_mean_of_the_ratings_brought_to_0_and_1():
    judge = ScriptedJudge(lambda form, fields, draw: 10 if "answer" in fields else 5.5)
    verdict = score(math(), "а", "б", judge=judge)
    assert verdict.value == (9 / 9 + 4.5 / 9) / 2
    assert verdict.status is Status.OK
    assert [(turn["rating"], turn["status"]) for turn in verdict.parts["turns"]] == [(10.0, "ok"), (5.5, "ok")]
    assert Score.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict
    assert verdict.explanation == "ход 1: 10; ход 2: 5.5"


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (ModelError("500"), Status.API_ERROR),
        (None, Status.MISSING),
        (11, Status.OUT_OF_RANGE),
        (Completion("Ответ неплох, и всё же [[7", finish_reason="length"), Status.TRUNCATED),
    ],
)
def test_a_failed_verdict_is_no_number_and_the_other_turn_is_kept(said, failure):
    judge = ScriptedJudge(lambda form, fields, draw: 8 if "answer" in fields else said)
    verdict = score(math(), "а", "б", judge=judge)
    assert (verdict.value, verdict.status) == (None, failure)
    assert [(turn["rating"], turn["status"]) for turn in verdict.parts["turns"]] == [(8.0, "ok"), (None, failure)]


def test_of_two_failures_the_one_that_can_be_mended_is_named():
    judge = ScriptedJudge(lambda form, fields, draw: None if "answer" in fields else ModelError("500"))
    assert score(math(), "а", "б", judge=judge).status is Status.API_ERROR


@pytest.mark.parametrize("rating", [0.0, 11.0, -1.0])
def test_a_rating_off_the_scale_is_kept_and_is_no_value(rating):
    verdict = score(math(), "а", "б", judge=ScriptedJudge(Judgement(rating, Status.OK)))
    assert (verdict.value, verdict.status) == (None, Status.OUT_OF_RANGE)
    assert [turn["rating"] for turn in verdict.parts["turns"]] == [rating, rating]


@pytest.mark.parametrize("empty", ["", " \n", "\u200b\u00a0\ufeff"])
def test_an_empty_answer_is_rated_1_and_nobody_is_asked(empty):
    judge = ScriptedJudge(7)
    verdict = score(math(), empty, "б", judge=judge)
    assert [form for form, _ in judge.asked] == ["rating-turn-2-reference"]
    assert [(turn["rating"], turn["status"]) for turn in verdict.parts["turns"]] == [(1.0, "empty"), (7.0, "ok")]
    assert (verdict.value, verdict.status) == ((0 + 6 / 9) / 2, Status.EMPTY)


def test_an_answer_that_is_not_there_is_not_an_empty_one():
    verdict = score(math(), "только первый")
    assert (verdict.value, verdict.status) == (None, Status.MISSING)
    assert [turn["rating"] for turn in verdict.parts["turns"]] == [7.0, None]


def test_an_answer_cut_off_is_rated_as_it_stands_and_says_so():
    verdict = score(math(), "а", "б", finish_reason="length")
    assert verdict.value is not None
    assert verdict.status is Status.TRUNCATED


def test_without_a_judge_there_is_a_status_and_a_remedy():
    verdict = asyncio.run(rumtbench.score(math(), Completion("а", turns=("а", "б")), Context()))
    assert (verdict.value, verdict.status) == (None, Status.JUDGE_ERROR)
    assert "--judge" in verdict.explanation


def ratings(question: int, *turns: float | None, category="math") -> tuple[str, Score]:
    def said(form, fields, draw):
        rating = turns["answer_2" in fields]
        return ModelError("500") if rating is None else rating

    judge = ScriptedJudge(said)
    sample = Sample(str(question), turns=("?", "?"), metadata={"category": category})
    return sample.id, score(sample, "а", "б", judge=judge)


def test_the_mean_is_clustered_by_question_and_broken_down_by_category_and_turn():
    scores = [ratings(1, 8.0, 6.0), ratings(2, 9.0, 3.0), ratings(3, 10.0, 10.0, category="stem")]
    found = measure_metric(rumtbench.metrics[0], scores)
    assert found["unit"] == "number"
    assert found["value"] == pytest.approx(46 / 6)
    assert (found["observations"], found["samples"]) == (6, 3)
    assert found["low"] < found["value"] < found["high"]
    assert {key: row["value"] for key, row in found["breakdown"]["turn"].items()} == pytest.approx(
        {"1": 9.0, "2": 19 / 3}
    )
    assert {key: row["value"] for key, row in found["breakdown"]["category"].items()} == {"math": 6.5, "stem": 10.0}


def test_the_headline_says_on_how_many_turns_it_stands():
    scores = [ratings(1, 8.0, None), ratings(2, 9.0, 8.0), ratings(3, None, None)]
    assert headline([score for _, score in scores], turns=6) == "8.33 on 3 of 6"
    assert headline([], turns=6) == "no rating on 0 of 6"
