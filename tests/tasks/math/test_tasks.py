"""The math tasks: own problems proved right, published files read as they are, verdicts turned into scores."""

import json
import re
from collections import Counter
from types import SimpleNamespace

import orjson
import pytest
from evalkit.errors import InputError, UsageError
from evalkit.tasks.math import aime, competition_math, grading, gsm8k, math, math_generated
from evalkit.tasks.math.loaders import last_boxed
from evalkit.tasks.math.task import OWN_PROBLEMS
from evalkit.tasks.types import Completion, Context, Sample, Score, Status, Task
from evalkit.tests.support.math_checks import CHECKS
from hypothesis import given
from hypothesis import strategies as st

TASKS = {"math": math, "gsm8k": gsm8k, "competition-math": competition_math, "aime": aime}
RECORDS = [json.loads(line) for line in OWN_PROBLEMS.read_text(encoding="utf-8").splitlines()]
OWN = {record["id"]: record for record in RECORDS}


def score(sample, text, **fields):
    return math.score(sample, Completion(text, **fields), Context())


def ask(answer, problem="Сколько?"):
    return Sample.ask("1", problem, target=answer)


# --- the own problems --------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", OWN)
def test_the_answer_of_an_own_problem_is_right(id):
    assert CHECKS[id]() == OWN[id]["answer"]


def test_own_problems():
    assert len(RECORDS) == len(OWN) == 120
    assert set(CHECKS) == set(OWN)
    assert len({record["problem"] for record in RECORDS}) == 120
    assert set(Counter(record["topic"] for record in RECORDS).values()) == {8}
    levels = Counter(record["level"] for record in RECORDS)
    assert set(levels) == {1, 2, 3, 4}
    assert min(levels.values()) >= 15
    for record in RECORDS:
        assert set(record) == {"id", "problem", "answer", "topic", "level"}
        assert record["id"].startswith(record["topic"])


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("a whole number", r"-?\d+"),
        ("a common fraction", r"\d+/\d+"),
        ("a decimal fraction", r"-?\d+,\d+"),
        ("several numbers", r"[^();]+(; [^();]+)+|\d+ и \d+"),
        ("an interval", r"[\[(]-?[\d/]+; -?[\d/]+[\])]"),
        ("rays", r".*\\infty.*"),
        ("a tuple", r"\(-?\d+; -?\d+(; -?\d+)?\)"),
        ("tuples", r"\([^()]+\); \([^()]+\)"),
        ("an expression", r"[^=]*x.*|4n\+1|.*a.*"),
        ("an equation", r"y = .*"),
        ("no solutions", "нет решений"),
        ("a unit", r"\d+ (м|км/ч|рублей|л|кг|с|ч|см²|см³)"),
        ("a percentage", r"\d+ %"),
        ("an angle", r"\d+°"),
        ("a time", r"\d\d:\d\d"),
        ("a root", r".*\\sqrt.*"),
        ("a multiple of π", r"\d+\\pi"),
        ("all solutions of a periodic equation", r".*\\mathbb\{Z\}"),
    ],
)
def test_answers_are_of_many_kinds(kind, pattern):
    assert [record["id"] for record in RECORDS if re.fullmatch(pattern, record["answer"])], kind


@pytest.mark.parametrize("id", OWN)
def test_own_problems_are_clean_russian(id):
    text = OWN[id]["problem"]
    assert text == text.strip()
    assert text[0].isupper()
    assert re.search(r"[.?]$", text)
    assert text.count("$") % 2 == 0
    assert not re.search(r"  |\s[,.;?]|[.,;?]{2}|\.[А-ЯЁ]", text)
    prose = re.sub(r"\$.+?\$", "", text)
    assert not re.search(r"[A-Za-z\\^_]", prose), prose
    for formula in re.findall(r"\$(.+?)\$", text):
        assert formula.count("{") == formula.count("}")
        assert not re.search(r"[А-Яа-яё]|\d\.\d|\d,\d", formula), formula


@pytest.mark.parametrize("id", OWN)
@pytest.mark.parametrize(
    "wording", ["Рассуждаем.\n\nОтвет: {}", "Ответ: {}.", "Получаем $\\boxed{{{}}}$.", "**Ответ:** {}"]
)
def test_an_own_answer_is_accepted_however_it_is_given(id, wording):
    answer = OWN[id]["answer"]
    if "boxed" in wording:
        answer = re.sub("[а-я/]{2,}|[а-я]", r"\\text{ \g<0> }", answer)
        for sign, command in {"%": r"\%", "°": r"^\circ", "²": "^2", "³": "^3"}.items():
            answer = answer.replace(sign, command)
    verdict = score(ask(OWN[id]["answer"]), wording.format(answer))
    assert (verdict.value, verdict.status) == (1.0, Status.OK), verdict


def test_no_own_answer_is_accepted_for_another():
    answers = sorted({record["answer"] for record in RECORDS})
    accepted = {
        (answer, other)
        for answer, other in zip(answers, answers[1:] + answers[:1], strict=True)
        if bare(answer) != bare(other) and score(ask(answer), f"Ответ: {other}").value != 0
    }
    assert not accepted


def bare(answer):
    """An answer without its unit: a unit may be left out."""
    return re.sub(r"(?<=\d) ?(?:%|°|(?:м|км/ч|рублей|л|кг|с|ч|см²|см³)$)", "", answer)


# What a model may well write after «Ответ:», and what comes near and is wrong.
RIGHT = {
    "arithmetic-02": ["0,75", r"\boxed{\dfrac34}"],
    "arithmetic-03": ["5/3 м", r"\boxed{1\tfrac{2}{3}}", "1 2/3"],
    "arithmetic-04": ["7:25", "7 ч 25 мин", "07:25 утра", "поезд прибыл в 07:25"],
    "arithmetic-05": ["4/25", "0.16", "$0{,}16$"],
    "arithmetic-06": [r"$2\sqrt 2$", "2√2", r"\boxed{2\sqrt{2}}", r"$\sqrt{8}$"],
    "equations-01": [
        "$x_1 = 5$, $x_2 = -1{,}5$",
        "5; -3/2",
        r"$x=5$ или $x=-\frac32$",
        r"\boxed{5;\ -1{,}5}",
        "−1,5 и 5",
        "{-1,5; 5}",
    ],
    "equations-02": [
        "корней нет",
        "нет корней",
        r"$\varnothing$",
        "уравнение не имеет решений",
        "решений нет",
        r"\boxed{\text{нет решений}}",
    ],
    "equations-03": [r"$\frac13$ и $9$", "x = 9; x = 1/3"],
    "equations-06": ["при a = -2 и a = 4", "$a=4$ или $a=-2$", "4; -2"],
    "equations-08": [
        r"$\{1, \sqrt6, \sqrt{11}, 4\}$",
        "1, √6, √11, 4",
        r"$x=1$, $x=\sqrt{6}$, $x=\sqrt{11}$, $x=4$",
    ],
    "systems-01": ["x = 4, y = -2", "$(4;-2)$", "(4, -2)", r"$\begin{cases} x=4 \\ y=-2 \end{cases}$"],
    "systems-02": ["3; 4", "4 и 3", "числа 3 и 4"],
    "systems-03": ["(4; 3), (-3; -4)", "(4;3) и (-3;-4)", r"$(4;3)$, $(-3;-4)$", "x = 4, y = 3 или x = -3, y = -4"],
    "systems-05": ["x = 2, y = -1, z = 4", "$(2;-1;4)$", "(2, -1, 4)"],
    "systems-06": ["k = -2", "при k=−2"],
    "systems-07": ["(1;1;1)"],
    "inequalities-01": [r"$x \in [-3; 4]$", r"$-3 \le x \le 4$", "[-3;4]"],
    "inequalities-02": [
        r"$(-\infty; -2) \cup [5; +\infty)$",
        "(-∞; -2) ∪ [5; +∞)",
        "x < -2 или x ≥ 5",
        r"$x<-2$ или $x \geqslant 5$",
    ],
    "inequalities-03": [
        r"$\left(-\frac{7}{3}; 3\right)$",
        r"$-\frac73 < x < 3$",
        "(-7/3; 3)",
        r"$\left(-2\frac13; 3\right)$",
    ],
    "inequalities-07": ["решений нет", "∅", "пустое множество"],
    "inequalities-08": ["a < -1", r"$a \in (-\infty; -1)$", "(-∞; -1)", "при a<-1"],
    "functions-01": ["f(x) = x² + x - 2", "$x^2+x-2$", "$(x-1)(x+2)$", "$f(x)=(x+2)(x-1)$"],
    "functions-02": [
        r"$y=\frac{3x+1}{x-2}$",
        r"$\frac{1+3x}{x-2}$",
        "y = (3x+1)/(x-2)",
    ],
    "functions-03": [r"$R=\frac{ab}{a+b}$", "R = ab/(a+b)"],
    "functions-04": ["$y=-2x+3$", "y = 3 - 2x", r"\boxed{y = -2x + 3}"],
    "functions-05": ["$(4;6)$", "(4, 6)", "x = 4, y = 6"],
    "functions-06": [r"$y \in [2; 6]$"],
    "functions-08": [r"$f(x)=2x-\frac1x$", r"$\frac{2x^2-1}{x}$"],
    "progressions-03": ["6, 12, 24", "6; 12; 24", "числа 6, 12 и 24"],
    "progressions-04": ["$a_n=4n+1$", "a_n = 4n + 1"],
    "progressions-05": ["1050 мест", "1 050"],
    "percent-01": ["5440", "5440 руб.", "5 440 рублей", "5440 ₽"],
    "percent-02": ["на 4 %", "4%", "на 4 процента", "4"],
    "percent-03": ["16%", "16", "16 процентов"],
    "percent-04": ["106 480 рублей", "106480", "106 480 руб."],
    "percent-06": ["2 : 3", "2/3", r"\boxed{2:3}"],
    "motion-01": ["через 3 часа", "3", "3 часа"],
    "motion-03": ["300 метров", "300"],
    "motion-05": ["14 ч", "14 часов", "в 14 часов 00 минут"],
    "motion-06": ["200", "через 200 секунд", "3 мин 20 с"],
    "motion-07": [r"$\frac{180}{11}$ минуты", r"$16\frac{4}{11}$", "16 4/11 мин"],
    "number-theory-04": ["47124, 47520, 47628", "47124; 47520; 47628", "47 124, 47 520 и 47 628"],
    "number-theory-05": ["5623"],
    "number-theory-06": ["(3;16), (15;4)", "(15; 4) и (3; 16)", "x=3, y=16 или x=15, y=4"],
    "number-theory-07": ["p = 3", "$p=3$", "только p = 3"],
    "combinatorics-03": ["75 600"],
    "probability-02": ["7/8", "0.875"],
    "probability-05": ["120", "120 руб."],
    "geometry-01": ["135", "135 кв. см", r"$135\text{ см}^2$", r"\boxed{135 \text{ см}^2}"],
    "geometry-02": ["105", "105 градусов", r"$105^\circ$"],
    "geometry-03": [r"$9\frac{3}{13}$", r"$\frac{120}{13}$"],
    "geometry-05": [r"$24\sqrt3$ см²", "24√3", r"$24\sqrt{3}\text{ см}^2$"],
    "solids-01": ["120 литров", "120"],
    "solids-04": ["96π", r"$96\pi$"],
    "solids-07": ["60", r"$60^{\circ}$", "60 градусов"],
    "solids-08": ["3√2", r"$\frac{6}{\sqrt2}$"],
    "trigonometry-01": ["$-2{,}4$", r"$-\frac{12}{5}$"],
    "trigonometry-02": [
        r"$x=\pm\frac{2\pi}{3}+2\pi k,\ k\in\mathbb{Z}$",
        r"$\pm\frac{2\pi}{3}+2\pi n$, $n \in \mathbb{Z}$",
        r"$x = \pm \frac{2\pi}{3} + 2\pi n, n \in Z$",
    ],
    "trigonometry-03": [
        r"$\frac{\pi}{6}$, $\frac{\pi}{2}$, $\frac{5\pi}{6}$",
        "π/6; π/2; 5π/6",
        r"$x=\frac\pi6$; $x=\frac\pi2$; $x=\frac{5\pi}{6}$",
    ],
    "trigonometry-05": [r"$\frac{1+3a}{3+a}$", "(1+3a)/(3+a)"],
    "trigonometry-06": ["100 и 0,1", "x = 100, x = 1/10", "1/10; 100"],
    "calculus-02": ["$y=3x-9$", "y = 3(x - 3)"],
    "calculus-04": ["-2 < x < 2", r"$x \in (-2; 2)$", "|x| < 2"],
    "calculus-05": ["$F(x)=2x^3-2x^2+x+4$", "2x³ - 2x² + x + 4"],
    "calculus-06": [r"$10\frac{2}{3}$", r"$\frac{32}{3}$"],
    "calculus-08": ["2000", "2000 куб. см", r"$2000\text{ см}^3$", "2 000 см³", "2 л"],
}
WRONG = {
    "arithmetic-03": ["1/3 м", "12/3 м", "1 2/3 см", "5/3 км"],
    "arithmetic-04": ["7:52", "19:25", "7,25"],
    "arithmetic-05": ["0,4", "16", "4/26"],
    "arithmetic-06": [r"$\sqrt{2}$", r"$-2\sqrt{2}$", "2"],
    "arithmetic-07": ["0,2424", "24/56", "55/24"],
    "equations-01": ["5", "-1,5", "1,5; 5", "-1,5; 5; 6", "нет решений"],
    "equations-02": ["-3", "0", "x — любое"],
    "equations-08": [r"1; \sqrt{6}; 4", "1; 6; 11; 4", "1; 2; 3; 4"],
    "systems-01": ["(-2; 4)", "4; 2", "(4; 2)", "4"],
    "systems-02": ["3", "7 и 12", "3,4", "(3; 5)"],
    "systems-03": ["(4; 3)", "(3; 4); (-4; -3)", "(-3; -4); (4; -3)"],
    "inequalities-01": ["(-3; 4)", "[-3; 4)", "-3; 4", "[-4; 3]", "x ≤ 4"],
    "inequalities-02": [r"$(-\infty; -2] \cup [5; +\infty)$", "[5; +∞)", "(-2; 5]", r"$(-\infty; +\infty)$"],
    "inequalities-03": ["(-7; 3)", "[-7/3; 3]", "(-7/3; 9)"],
    "inequalities-08": ["a ≤ -1", r"$(-\infty; -1) \cup (4; +\infty)$", "-1", "(-1; +∞)"],
    "functions-01": ["x^2+x+2", "x^2+3x", "$(x+1)(x-2)$"],
    "functions-04": ["y = 2x + 3", "y = -2x - 3", "-2"],
    "functions-05": ["(6; 4)", "4", "6", "4,6"],
    "functions-06": ["(2; 6)", "[3; 6]", "2; 6"],
    "progressions-03": ["6; 12", "6; 12; 24; 48", "61224"],
    "progressions-04": ["4n-1", "2n^2+3n", "5"],
    "percent-01": ["5440 копеек", "960 рублей", "54,40"],
    "percent-02": ["4 рубля", "0,4 %", "96 %"],
    "percent-06": ["3:2", "2,3", "2;3"],
    "motion-01": ["3 мин", "3 км", "180 с"],
    "motion-03": ["300 см", "300 км", "30"],
    "number-theory-04": ["47124; 47520", "47124; 47520; 47629"],
    "number-theory-06": ["(3; 16)", "(16; 3); (4; 15)"],
    "geometry-01": ["135 см³", "135 м²", "135 см"],
    "geometry-02": ["105 рад", "75°", "45°"],
    "geometry-05": ["24", r"$24\sqrt{2}$", r"$\sqrt{24}$"],
    "solids-01": ["120 м³", "120 см³", "12 л"],
    "solids-04": ["96", r"$32\pi$", "301"],
    "trigonometry-02": [
        r"$\pm\frac{2\pi}{3}$",
        r"$\pm\frac{2\pi}{3}+\pi n, n\in\mathbb{Z}$",
        r"$\pm\frac{\pi}{3}+2\pi n, n\in\mathbb{Z}$",
        r"$\frac{2\pi}{3}+2\pi n, n\in\mathbb{Z}$",
    ],
    "trigonometry-03": [r"$\frac{\pi}{6}$, $\frac{\pi}{2}$", "30; 90; 150"],
    "trigonometry-05": [r"$\frac{3a+1}{a+2}$", r"$\frac{a+3}{3a+1}$"],
    "trigonometry-06": ["0,1", "100", "-1; 2", "0,01; 100"],
    "calculus-02": ["y = 3x + 9", "3", "y = 9x - 3"],
    "calculus-04": ["[-2; 2]", "(2; -2)", "-2; 2"],
    "calculus-05": ["2x^3-2x^2+x+C", "2x^3-2x^2+x", "2x^3-2x^2+x+5"],
    "calculus-08": ["2000 см²", "2000 л", "200 см³"],
}


def answered(form):
    return form if form.startswith("\\boxed") else f"Решение опустим.\n\nОтвет: {form}"


@pytest.mark.parametrize("id", RIGHT)
def test_right_answers_in_other_words(id):
    refused = [form for form in RIGHT[id] if score(ask(OWN[id]["answer"]), answered(form)).value != 1.0]
    assert not refused


@pytest.mark.parametrize("id", WRONG)
def test_answers_that_come_near(id):
    accepted = [form for form in WRONG[id] if score(ask(OWN[id]["answer"]), answered(form)).value != 0.0]
    assert not accepted


# --- asking ------------------------------------------------------------------------------------------------


def test_tasks_are_tasks():
    for name, task in {**TASKS, "math-generated": math_generated}.items():
        assert isinstance(task, Task)
        assert task.name == name
        assert task.max_tokens == 2048
        assert [metric.name for metric in task.metrics] == ["accuracy", "answered"]


def test_own_samples():
    samples = list(math.samples(split="test", limit=None, seed=0))
    assert [sample.id for sample in samples] == list(OWN)
    assert list(math.samples(split="test", limit=3, seed=5)) == samples[:3]
    first = samples[0]
    assert first.prompt.endswith("\n\n" + RECORDS[0]["problem"])
    assert "последней строкой напишите «Ответ: …»" in first.prompt
    assert first.metadata["labels"] == {"topic": "arithmetic", "level": "1"}
    assert Sample.from_json(orjson.loads(orjson.dumps(first))) == first


def test_splits():
    with pytest.raises(UsageError, match="only the split 'test', not 'train'"):
        math.samples(split="train", limit=None, seed=0)
    with pytest.raises(UsageError, match="unknown split"):
        list(math_generated.samples(split="dev", limit=1, seed=0))
    assert len(list(math_generated.samples(split="train", limit=None, seed=0))) == 500


def test_tasks_without_data_of_their_own_name_the_one_that_stands_in():
    assert {name: task.stand_in for name, task in TASKS.items()} == {
        "math": None,
        "gsm8k": "math",
        "competition-math": "math",
        "aime": "math",
    }


# --- published files ---------------------------------------------------------------------------------------


def write(path, *records):
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


PUBLISHED = [
    ("gsm8k", {"question": "How many?", "answer": "6*7=<<6*7=42>>42\n#### 42"}, "1", "42", {}),
    ("gsm8k", {"question": "Сколько?", "answer": "Всего …\n#### 1,234,500"}, "1", "1234500", {}),
    ("gsm8k", {"id": 0, "question": "How many?", "answer": "#### -1,5"}, "0", "-1,5", {}),
    (
        "competition-math",
        {
            "problem": "Find $x$.",
            "level": "Level 5",
            "type": "Algebra",
            "solution": r"First $\boxed{1}$ was wrong, so $x=\boxed{\frac{1}{\sqrt{2}}}$.",
        },
        "1",
        r"\frac{1}{\sqrt{2}}",
        {"topic": "Algebra", "level": "Level 5"},
    ),
    (
        "competition-math",
        {
            "problem": "Find $x$.",
            "solution": r"It is $\boxed{7}$.",
            "answer": "7",
            "subject": "Algebra",
            "level": 5,
            "unique_id": "test/algebra/7.json",
        },
        "test/algebra/7.json",
        "7",
        {"topic": "Algebra", "level": "5"},
    ),
    ("aime", {"ID": "2031-I-4", "Problem": "Find it.", "Solution": "…", "Answer": 33}, "2031-I-4", "33", {}),
    ("aime", {"id": 60, "problem": "Find it.", "answer": "033", "year": "2031"}, "60", "33", {"year": "2031"}),
    ("aime", {"question": "Find it.", "answer": "0"}, "1", "0", {}),
    ("aime", {"problem_idx": 3, "problem": "Find it.", "answer": 70.0}, "3", "70", {}),
    ("math", {"id": 5, "problem": "Сколько?", "answer": "2,5 м"}, "5", "2,5 м", {}),
    ("math", {"id": "a", "question": "Сколько?", "answer": 2.5}, "a", "2.5", {}),
    ("math", {"question": "Сколько?", "answer": "Так.\n#### 7"}, "1", "7", {}),
    ("math", {"problem": "Найдите.", "solution": r"$\boxed{8}$"}, "1", "8", {}),
]


@pytest.mark.parametrize(("task", "record", "id", "target", "labels"), PUBLISHED)
@pytest.mark.parametrize("form", ["lines", "array"])
def test_published_records(tmp_path, task, record, id, target, labels, form):
    path = write(tmp_path / "data.json", record if form == "lines" else [record])
    (sample,) = TASKS[task].read(path)
    assert (sample.id, sample.target, sample.metadata["labels"]) == (id, target, labels)
    statement = record.get("problem", record.get("Problem", record.get("question")))
    assert sample.prompt.endswith(f"\n\n{statement}")
    assert ("Ответ: …" in sample.prompt) == bool(re.search("[а-я]", statement))
    assert ("Answer: …" in sample.prompt) != ("Ответ: …" in sample.prompt)


def test_records_without_an_id_are_numbered_in_order(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "1?", "answer": "#### 1"}\n\n{"question": "2?", "answer": "#### 2"}\n'
    )
    assert [(sample.id, sample.target) for sample in gsm8k.read(path)] == [("1", "1"), ("2", "2")]


def test_a_pretty_printed_array(tmp_path):
    path = tmp_path / "aime.json"
    path.write_text("\n" + json.dumps([{"problem": "?", "answer": 1}, {"problem": "??", "answer": 2}], indent=2))
    assert [sample.target for sample in aime.read(path)] == ["1", "2"]


@pytest.mark.parametrize(
    ("task", "record", "message"),
    [
        ("gsm8k", {"answer": "#### 1"}, "data.jsonl:2: field 'question' is missing"),
        ("gsm8k", {"question": "?", "answer": "42"}, "data.jsonl:2: field 'answer': no final answer after '####'"),
        ("gsm8k", {"question": "?", "answer": "so #### "}, "field 'answer': no final answer"),
        ("gsm8k", {"question": " ", "answer": "#### 1"}, "field 'question': it is empty"),
        ("competition-math", {"problem": "?"}, "field 'solution' is missing"),
        (
            "competition-math",
            {"problem": "?", "solution": "It is 7."},
            r"field 'solution': no final answer in \\boxed",
        ),
        ("competition-math", {"problem": "?", "solution": r"\boxed{7"}, "field 'solution': no final answer"),
        ("competition-math", {"problem": ["?"], "solution": r"\boxed{7}"}, "field 'problem': expected a string"),
        ("aime", {"problem": "?", "answer": "1000"}, "a whole number from 0 to 999, found '1000'"),
        ("aime", {"problem": "?", "answer": "-1"}, "from 0 to 999"),
        ("aime", {"problem": "?", "answer": "²"}, "from 0 to 999"),
        ("aime", {"problem": "?", "answer": 1.5}, "from 0 to 999"),
        ("aime", {"problem": "?", "answer": True}, "field 'answer': expected a string, found True"),
        ("aime", {"problem": "?", "answer": "9" * 5000}, "from 0 to 999"),
        ("math", {"id": 2, "problem": "?"}, "field 'answer' is missing"),
        ("math", {"id": 2, "problem": "?", "answer": " "}, "field 'answer': it is empty"),
        ("math", {"id": 2, "problem": "?", "answer": float("nan")}, "field 'answer': nan is not a number"),
        ("math", {"problem": "?", "answer": "1"}, "field 'id' is missing"),
        ("math", {"id": [], "problem": "?", "answer": "1"}, "field 'id': expected a whole number or a string"),
        (
            "math",
            {"id": "first", "problem": "?", "answer": "1"},
            "field 'id': first was already used on line 1",
        ),
    ],
)
def test_records_that_cannot_be_used(tmp_path, task, record, message):
    first = {"id": "first", "question": "?", "problem": "?", "answer": "#### 1" if task == "gsm8k" else "1"}
    path = write(tmp_path / "data.jsonl", first, record)
    with pytest.raises(InputError, match=message):
        list(TASKS[task].read(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "the array is empty"),
        ("[1]", "record 1: expected a JSON object, found int"),
        ('[{"id": 1}, ', "not a valid JSON array"),
        ("[" * 100_000, "not a valid JSON array"),
        ("", "the file is empty"),
        ('{"id": 1}\n{', "data.json:1: field 'problem' is missing"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "data.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        list(math.read(path))
    with pytest.raises(InputError, match="file not found"):
        list(math.read(tmp_path / "absent.json"))


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"$\boxed{1}$, no: $\boxed{ \{1, 2\} }$", r"\{1, 2\}"),
        (r"$\boxed{\text{odd}}$", r"\text{odd}"),
        (r"$\boxed 5$.", "5"),
        (r"$\boxed{}$", ""),
        (r"\boxed", ""),
        ("7", ""),
        (r"\boxed{" + "{" * 100_000, ""),
    ],
)
def test_the_last_box(solution, answer):
    assert last_boxed(solution) == answer


@given(st.text(alphabet="\\boxed{} 1"))
def test_any_solution_can_be_looked_through(solution):
    assert isinstance(last_boxed(solution + r" \boxed{" + solution), str)


# --- scoring -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "text", "fields", "value", "status"),
    [
        ("5", "Ответ: 5", {}, 1.0, Status.OK),
        ("5", "Ответ: 15", {}, 0.0, Status.OK),
        ("5", "", {}, 0.0, Status.EMPTY),
        ("5", " \n\u00a0", {}, 0.0, Status.EMPTY),
        ("5", "Не знаю.", {}, 0.0, Status.MALFORMED),
        ("5", "Ответ: @$", {}, 0.0, Status.MALFORMED),
        ("5", "Ответ: 5", {"finish_reason": "length"}, 1.0, Status.TRUNCATED),
        ("5", "Сначала найдём", {"finish_reason": "length"}, 0.0, Status.TRUNCATED),
        ("5", "Ответ: 6", {"reasoning": "Ответ: 5"}, 0.0, Status.OK),
        ("1080", "Answer: 1,080", {}, 1.0, Status.OK),
        ("2 и 3", "Ответ: $x_1 = 3$, $x_2 = 2$", {}, 1.0, Status.OK),
    ],
)
def test_scores(target, text, fields, value, status):
    verdict = score(ask(target), text, **fields)
    assert (verdict.value, verdict.status) == (value, status), verdict
    assert set(verdict.parts) == {"extracted", "gold", "verdict"}
    assert Score.from_json(orjson.loads(orjson.dumps(verdict.as_json()))) == verdict


@pytest.mark.parametrize(
    "text", ["10^{10^{10^{10}}}", "(" * 50_000, "9" * 1_000_000, "(10^9)!", "\\frac{" * 20_000]
)
def test_a_monstrous_answer_is_the_models_failure(text):
    verdict = score(ask("5"), f"Ответ: ${text}$")
    assert verdict.value == 0.0
    assert verdict.status in (Status.OK, Status.MALFORMED, Status.MISSING)
    assert len(orjson.dumps(verdict.as_json())) < 10_000


@pytest.mark.parametrize(
    ("verdict", "extracted", "value", "status"),
    [
        ("correct", "5", 1.0, Status.OK),
        ("wrong", "6", 0.0, Status.OK),
        ("unparsed", "?", 0.0, Status.MALFORMED),
        ("unparsed", "", 0.0, Status.MISSING),
        ("limit", "9^9^9", 0.0, Status.MALFORMED),
        ("timeout", "x", None, Status.TIMEOUT),
        ("malformed", "5", None, Status.SCORER_ERROR),
    ],
)
def test_every_verdict_has_its_score(monkeypatch, verdict, extracted, value, status):
    # A time-out of the worker cannot be had on demand: here the verdict is given.
    assert verdict in set(grading.Verdict)
    found = SimpleNamespace(verdict=grading.Verdict(verdict), extracted=extracted, gold="5", reason="because")
    monkeypatch.setattr(grading, "grade", lambda gold, answer: found)
    result = score(ask("5"), "Ответ")
    assert (result.value, result.status) == (value, status)
    assert result.explanation.endswith(": because")


@pytest.mark.parametrize(
    ("extracted", "gold", "value", "status"),
    [
        (r"\int_0^1 x^x dx", "5", 0.0, Status.MALFORMED),
        (r"\lim\limits_{x \to 0} f", "1/2", 0.0, Status.MALFORMED),
        ("∑ 1/k", "5", 0.0, Status.MALFORMED),
        (r"\sum_{k=1}^n \frac1k", r"\sum_{k=1}^n \frac{1}{k}", None, Status.TIMEOUT),
        (r"\sin^{1000} x", r"\cos x", None, Status.TIMEOUT),
        (None, "5", None, Status.TIMEOUT),
    ],
)
def test_a_late_verdict_is_no_number_unless_the_answer_is_left_to_be_worked_out(
    monkeypatch, extracted, gold, value, status
):
    # How long an answer takes depends on the machine: here the verdict is given.
    late = grading.Grade(grading.Verdict.TIMEOUT, extracted, gold, "out of time")
    monkeypatch.setattr(grading, "grade", lambda gold, answer: late)
    result = score(ask(gold), "Ответ")
    assert (result.value, result.status) == (value, status)


def test_an_absurd_known_answer_measures_nothing():
    verdict = score(ask("?!"), "Ответ: 5")
    assert verdict.value is None


def test_metrics():
    sample = next(iter(math.samples(split="test", limit=1, seed=0)))
    accuracy, answered = math.metrics
    right, empty = score(sample, "Ответ: 3"), score(sample, "")
    assert [(seen.value, seen.labels) for seen in accuracy.observe(right)] == [
        (1.0, {"topic": "arithmetic", "level": "1"})
    ]
    assert [seen.value for verdict in (right, empty) for seen in answered.observe(verdict)] == [1.0, 0.0]
    failed = Score(None, Status.TIMEOUT)
    assert [*accuracy.observe(failed), *answered.observe(failed)] == []


@given(st.text(max_size=200))
def test_any_text_can_be_scored(text):
    assert score(ask("не бывает"), text).value in (0.0, None)
