"""The science questions: well formed, right where it can be computed, balanced, and read from published files."""

import csv
import json
import math
import re
import unicodedata
from collections import Counter

import pytest
from evalkit.errors import InputError, UsageError
from evalkit.tasks.records import read_records
from evalkit.tasks.science import science
from evalkit.tasks.science.loaders import read_questions
from evalkit.tasks.science.task import OWN_QUESTIONS
from evalkit.tasks.types import Completion, Context, Status, Task

QUESTIONS = list(read_records(OWN_QUESTIONS))
RIGHT = {record["id"]: record["options"][record["answer"]] for record in QUESTIONS}
SUBJECTS = {"physics", "chemistry", "biology", "earth", "computing", "economics"}


def samples(seed=0, limit=None):
    return list(science.samples(split="test", limit=limit, seed=seed))


def score(sample, text, finish_reason="stop"):
    return science.score(sample, Completion(text, finish_reason=finish_reason), Context())


# --- the questions ------------------------------------------------------------------------------------------


def test_twenty_questions_of_each_subject():
    assert Counter(record["subject"] for record in QUESTIONS) == dict.fromkeys(SUBJECTS, 20)
    assert len({record["id"] for record in QUESTIONS}) == len({record["question"] for record in QUESTIONS}) == 120


def test_questions_are_well_formed():
    for record in QUESTIONS:
        assert set(record) == {"id", "subject", "question", "options", "answer", "rationale"}
        assert re.fullmatch(rf"{record['subject']}-\d\d", record["id"])
        assert len(record["options"]) == len({option.casefold() for option in record["options"]}) == 4
        assert record["question"][-1] in "?." or "print" in record["question"]
        assert record["rationale"].endswith(".")
        for text in (record["question"], record["rationale"], *record["options"]):
            assert text == text.strip() and "  " not in text


def test_right_answers_stand_in_each_place_equally_often():
    assert Counter(record["answer"] for record in QUESTIONS) == dict.fromkeys(range(4), 30)


def number(id):
    """The number that the right answer to a question begins with or holds."""
    found = re.search(r"[−-]?\d[\d ]*(?:[.,]\d+)?", RIGHT[id])
    return float(found[0].replace(" ", "").replace(",", ".").replace("−", "-"))


COMPUTED = {
    "physics-01": 20**2 / (2 * 4),
    "physics-02": 1 / (1 / 6 + 1 / 3),
    "physics-03": (327 + 273) / (27 + 273),
    "physics-04": 2 * 10 * 5,
    "physics-05": 100 * (1 - 300 / 500),
    "physics-06": 1 / (1 / 10 - 1 / 30),
    "physics-07": math.sqrt(4),
    "physics-12": 15**2 / (2 * 10),
    "physics-13": math.hypot(6, 8),
    "physics-14": 4200 * 2 * 10 / 1000,
    "physics-15": 50 * 6,
    "physics-16": 3**2,
    "physics-17": 12 / (1 + 5),
    "physics-19": round(math.sqrt(9.81 * 6.371e6) / 1000, 1),
    "physics-20": 1000 * 3 / 4,
    "chemistry-01": 2 * 1 + 32 + 4 * 16,
    "chemistry-02": -math.log10(0.01),
    "chemistry-05": 2 * 22.4,
    "chemistry-06": 4 * 2 - 1,
    "chemistry-10": 16 / (12 + 4) * 2 * (2 + 16),
    "chemistry-15": 100 * 25 / (100 + 25),
    "chemistry-19": 23 - 11,
    "chemistry-20": 3**2,
    "biology-03": 100 * sum(a + b == "aa" for a in "Aa" for b in "Aa") / 4,
    "biology-05": 2 * 23,
    "biology-08": 100 * sum(x == "d" for x in "Dd") / 2,
    "biology-12": 90 / 3,
    "biology-16": 2 * 0.2 * 0.8,
    "biology-18": 10_000 * 0.1 * 0.1,
    "earth-07": 4 * 50_000 / 100 / 1000,
    "earth-09": (75 - 30) / 15,
    "earth-17": 20 - 2 * 6.5,
    "computing-01": 0b110110,
    "computing-05": math.ceil(math.log2(100)),
    "computing-07": 0x2F,
    "computing-12": 1024 * 512 * 24 / 8 / 2**20,
    "computing-13": 7 // 2 + 7 % 2,
    "computing-14": 2**8,
    "computing-20": 4 * 8,
    "economics-02": 10 - 4,
    "economics-03": 20 / 10,
    "economics-04": 100_000 * 1.1**2,
    "economics-06": 300 + 80 + 100 + 50 - 70,
    "economics-10": 500 / 25,
    "economics-14": (100 - 20) / (2 + 2),
    "economics-15": 100 * (150 - 120) / 120,
    "economics-18": 1 / 0.2,
}


@pytest.mark.parametrize("id", COMPUTED)
def test_what_can_be_computed(id):
    assert number(id) == pytest.approx(COMPUTED[id])


def test_fractions_and_powers():
    genotypes = [(a, b) for a in ("AA", "Aa", "aA", "aa") for b in ("BB", "Bb", "bB", "bb")]
    assert RIGHT["biology-04"] == f"{sum('A' in a and 'B' in b for a, b in genotypes)}/{len(genotypes)}"
    assert RIGHT["physics-08"] == f"1/{2 ** (24 // 8)}"
    assert RIGHT["chemistry-04"] == f"{0.5 * 6.02:.2f}".replace(".", ",") + "·10²³"
    electrons = [unicodedata.digit(mark) for mark in re.findall(r"[spd](.)", "1s²2s²2p⁶3s²3p⁵")]
    assert sum(electrons) == 17 and RIGHT["chemistry-03"] == "хлор"


# --- samples ------------------------------------------------------------------------------------------------


def test_samples_are_the_same_for_the_same_arguments():
    assert isinstance(science, Task)
    assert len(samples()) == 120
    assert samples(3) == samples(3)
    assert samples(3)[:10] == samples(3, 10)
    assert [sample.id for sample in samples(0)] == [sample.id for sample in samples(1)]
    assert samples(0) != samples(1)
    assert {sample.metadata["subject"] for sample in samples(0, 6)} == SUBJECTS


@pytest.mark.parametrize("seed", range(4))
def test_the_seed_orders_the_options_in_balance(seed):
    made = samples(seed)
    for start in range(0, 120, 4):
        assert {sample.target for sample in made[start : start + 4]} == set("АБВГ")
    for sample in made:
        options = sample.metadata["options"]
        assert options["АБВГ".index(sample.target)] == RIGHT[sample.id]
        assert len(set(options)) == 4
        for label, option in zip("АБВГ", options, strict=True):
            assert f"\n{label}) {option}\n" in sample.prompt
        assert "Ответ: <буква>" in sample.prompt


def test_right_and_wrong_answers():
    for sample in samples():
        right = score(sample, f"Так как …\n\nОтвет: {sample.target}")
        assert (right.value, right.status) == (1.0, Status.OK)
        assert score(sample, f"Ответ: {RIGHT[sample.id]}").value == 1.0
        for label, option in zip("АБВГ", sample.metadata["options"], strict=True):
            expected = float(label == sample.target)
            assert score(sample, f"Ответ: {label}").value == expected
            assert score(sample, f"{label}) {option}").value == expected
            assert score(sample, f"Ответ: {option}.").value == expected


def test_gold_and_wrong_answers():
    for sample in samples():
        assert science.score(sample, science.gold(sample), Context()).value == 1.0
        wrong = [science.score(sample, completion, Context()).value for completion in science.wrong(sample)]
        assert wrong == [0.0] * 9


def test_votes_count_letters_of_both_alphabets_together():
    texts = ("Ответ: В", "**Ответ: C**", "The answer is (C)", "В) нейтрон", "\\boxed{\\text{В}}")
    assert {science.final_answer(Completion(text)) for text in texts} == {"В"}
    assert science.final_answer(Completion("Не знаю")) is None


def test_latin_and_cyrillic_letters_alike():
    for sample in samples():
        for cyrillic, latin in zip("АБВГ", "ABCD", strict=True):
            assert score(sample, f"Ответ: {latin}").value == score(sample, f"Ответ: {cyrillic}").value


def test_statuses():
    (sample,) = samples(0, 1)
    cases = {
        "": Status.EMPTY,
        "Не знаю": Status.MISSING,
        "Ответ: А или Б": Status.AMBIGUOUS,
        f"{sample.target})": Status.OK_LENIENT,
    }
    for text, status in cases.items():
        assert score(sample, text).status is status
    assert score(sample, "Рассмотрим", "length").status is Status.TRUNCATED
    assert score(sample, "Рассмотрим", "length").value == 0.0
    assert score(sample, f"Ответ: {sample.target}", "length").value == 1.0


def test_the_metric_is_broken_down_by_subject():
    (sample,) = samples(0, 1)
    (seen,) = science.metrics[0].observe(score(sample, f"Ответ: {sample.target}"))
    assert seen.value == 1.0
    assert seen.labels == {"subject": "physics"}


def test_an_unknown_split():
    with pytest.raises(UsageError, match="only the split 'test'"):
        science.samples(split="train", limit=None, seed=0)


# --- published files ----------------------------------------------------------------------------------------

ROW = {"question": "2 + 2?", "choices": ["3", "4", "5", "6"], "answer": 1, "subject": "arithmetic"}


def read(tmp_path, *rows):
    path = tmp_path / "mmlu.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return list(read_questions(path))


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        {**ROW, "answer": "B"},
        {**ROW, "answer": "b"},
        {**ROW, "answer": "Б"},
        {**ROW, "answer": "4"},
        {"question": "2 + 2?", "options": ROW["choices"], "answer": 1, "subject": "arithmetic"},
        {**ROW, "choices": {"B": "4", "A": "3", "C": "5", "D": "6"}},
        {**ROW, "choices": {"text": ["3", "4", "5", "6"], "label": ["A", "B", "C", "D"]}},
        {"question": "2 + 2?", "A": "3", "B": "4", "C": "5", "D": "6", "answer": "B", "subject": "arithmetic"},
        {**ROW, "choices": [3, 4, 5, 6]},
    ],
)
def test_shapes_of_json_lines(tmp_path, row):
    (question,) = read(tmp_path, row)
    assert question.options == ("3", "4", "5", "6")
    assert (question.id, question.subject, question.answer) == ("mmlu-1", "arithmetic", 1)


def test_published_options_keep_their_order_and_latin_letters(tmp_path):
    path = tmp_path / "mmlu.jsonl"
    path.write_text(json.dumps(ROW), encoding="utf-8")
    (sample,) = science.read(path)
    assert sample.target == "B"
    assert "A) 3\nB) 4\nC) 5\nD) 6" in sample.prompt
    assert score(sample, "Ответ: В").value == 1.0
    assert score(sample, "Ответ: Б").value == 1.0
    assert score(sample, "Ответ: C").value == 0.0


def test_ten_options(tmp_path):
    (question,) = read(tmp_path, {"question": "?", "options": [f"o{n}" for n in range(10)], "answer": "J"})
    assert question.answer == 9


@pytest.mark.parametrize("header", [None, ["question", "A", "B", "C", "D", "answer"]])
def test_csv(tmp_path, header):
    path = tmp_path / "mmlu.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        if header:
            writer.writerow(header)
        writer.writerow(["Сколько будет\n2 + 2?", "3", "4, ровно", "5", "6", "B"])
        writer.writerow([])
        writer.writerow(["1 + 1?", "1", "2", "3", "4", "А"])
    first, second = read_questions(path)
    assert (first.question, first.options[1], first.answer) == ("Сколько будет\n2 + 2?", "4, ровно", 1)
    assert second.answer == 0
    assert first.id != second.id


def test_csv_with_other_columns(tmp_path):
    path = tmp_path / "mmlu.csv"
    path.write_text("id,Subject,answer,question,A,B,C\nq7,math,C,1+1?,0,1,2\n", encoding="utf-8")
    (question,) = read_questions(path)
    assert (question.id, question.subject, question.answer, question.options) == ("q7", "math", 2, ("0", "1", "2"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": ""}, ":1: field 'question'"),
        ({"choices": "3, 4"}, ":1: field 'choices': expected a list"),
        ({"choices": ["3"]}, ":1: field 'choices': expected 2 to 10 options, found 1"),
        ({"choices": [["3"], ["4"]]}, ":1: field 'choices': expected a list of strings"),
        ({"answer": 4}, ":1: field 'answer': expected an index from 0 to 3, a letter or an option's text, found 4"),
        (
            {"answer": "E"},
            ":1: field 'answer': expected an index from 0 to 3, a letter or an option's text, found 'E'",
        ),
        (
            {"answer": None},
            ":1: field 'answer': expected an index from 0 to 3, a letter or an option's text, found None",
        ),
        (
            {"answer": True},
            ":1: field 'answer': expected an index from 0 to 3, a letter or an option's text, found True",
        ),
    ],
)
def test_a_line_that_cannot_be_used(tmp_path, change, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read(tmp_path, {**ROW, **change})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"1 + 1?,1,2,B\n", ":1: 4 columns, expected 6"),
        (b'1 + 1?,"1,2\n', "not valid CSV"),
        (b"\xff\xfe,1,2,3,4,B\n", "not UTF-8"),
    ],
)
def test_a_csv_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "mmlu.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_questions(path))


def test_a_csv_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="file not found"):
        list(read_questions(tmp_path / "mmlu.csv"))
