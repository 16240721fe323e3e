"""Reading problems as they are published: HumanEval, MBPP, LiveCodeBench, and the project's own form."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
import subprocess
import sys
import zlib
from functools import partial

import pytest
from evalkit.errors import InputError, UsageError
from evalkit.tasks.code import code, humaneval, livecodebench, mbpp
from evalkit.tasks.code.checks import runnable
from evalkit.tasks.code.packed import LARGEST, unpacked
from evalkit.tasks.execution import Asserts, Call, Calls, Exchange, Stdio
from evalkit.tasks.types import Sample, Task

HUMANEVAL = {
    "task_id": "HumanEval/7",
    "prompt": 'import math\n\n\ndef half(x):\n    return x / 2\n\n\ndef area(r):\n    """Площадь круга.\n    """\n',
    "entry_point": "area",
    "canonical_solution": "    return math.pi * r ** 2\n",
    "test": "\n\ndef check(candidate):\n    assert candidate(0) == 0\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function to add one.",
    "code": "class Box:\n    pass\n\ndef helper(x):\n    return x\n\ndef add_one(x):\r\n  return helper(x) + 1",
    "test_list": ["assert add_one(1) == 2", "assert add_one(Box()) == 2"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
STDIN_CASES = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]
CALL_CASES = [{"input": '[1, 2]\n"а"', "output": "[3]", "testtype": "functional"}]
LIVE = {
    "question_title": "Сумма",
    "question_content": "Сложи два числа.",
    "platform": "atcoder",
    "question_id": "abc300_a",
    "starter_code": "",
    "public_test_cases": json.dumps(STDIN_CASES),
    "private_test_cases": "",
    "metadata": "{}",
}
STARTER = "class Solution:\n    def join(self, numbers: List[int], text: str) -> List[int]:\n        "
LIVE_CALL = {
    **LIVE,
    "starter_code": STARTER,
    "public_test_cases": json.dumps(CALL_CASES),
    "metadata": '{"func_name": "join"}',
}
OWN = {
    "id": "add",
    "intent": "write",
    "topic": "numbers",
    "difficulty": "easy",
    "problem": "Сложи два числа.",
    "entry_point": "add",
    "signature": "def add(a: int, b: int) -> int:",
    "tests": [{"args": [1, 2], "expected": 3}, {"args": [0, -1], "expected": -1}, {"args": [2, 2], "expected": 4}],
    "solution": "def add(a, b):\n    return a + b",
    "wrong": ["def add(a, b):\n    return a - b"],
}


@pytest.fixture
def file(tmp_path):
    def write(*records):
        path = tmp_path / "problems.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    return write


def packed(cases, pack=pickle.dumps):
    return base64.b64encode(zlib.compress(pack(json.dumps(cases)))).decode()


def test_a_line_of_humaneval(file):
    (sample,) = humaneval.read(file(HUMANEVAL))
    assert sample.id == "HumanEval/7"
    assert HUMANEVAL["prompt"].strip() in sample.prompt
    assert sample.target == HUMANEVAL["canonical_solution"]
    before = "import math\n\n\ndef half(x):\n    return x / 2\n\n\n"
    assert (sample.metadata["preamble"], sample.metadata["given"]) == (before, HUMANEVAL["prompt"])
    tests = runnable(sample.metadata["checks"], "area")
    assert tests == Asserts("area", (HUMANEVAL["test"] + "\n\ncheck(area)\n",), before)
    assert humaneval.gold(sample).text == HUMANEVAL["canonical_solution"]


def test_a_line_of_mbpp(file):
    (sample,) = mbpp.read(file(MBPP))
    assert sample.id == "11"
    assert sample.metadata["entry_point"] == "add_one"
    tests = runnable(sample.metadata["checks"], "add_one")
    assert tests == Asserts("add_one", tuple(MBPP["test_list"]), "", ("Box",))
    assert MBPP["text"] in sample.prompt
    assert "\n".join(MBPP["test_list"]) in sample.prompt


def test_a_line_of_sanitized_mbpp(file):
    line = {**MBPP, "prompt": MBPP["text"], "test_imports": ["import math"], "test_setup_code": "x = 1"}
    del line["text"]
    line["test_list"] = ["assert math.isclose(add_one(1), 2)", "assert set(add_one(2)) == set()"]
    (sample,) = mbpp.read(file(line))
    first, second = line["test_list"]
    tests = runnable(sample.metadata["checks"], "add_one")
    assert tests == Asserts("add_one", (f"x = 1\n{first}", second), "import math")


def test_mbpp_without_a_solution_guesses_the_function(file):
    line = {key: value for key, value in MBPP.items() if key != "code"} | {
        "test_list": ["assert sorted(f([1])) == [1]"]
    }
    (sample,) = mbpp.read(file(line))
    assert sample.metadata["entry_point"] == "f"
    assert mbpp.gold(sample) is None


def test_a_line_of_livecodebench_with_input_and_output(file):
    (sample,) = livecodebench.read(file(LIVE))
    assert sample.id == "abc300_a"
    assert "Сложи два числа." in sample.prompt
    assert runnable(sample.metadata["checks"], "") == Stdio((Exchange("1 2\n", "3\n"),))


def test_a_line_of_livecodebench_with_calls(file):
    (sample,) = livecodebench.read(file(LIVE_CALL))
    assert STARTER.strip() in sample.prompt
    assert runnable(sample.metadata["checks"], "Solution.join") == Calls(
        "Solution.join", (Call(([1, 2], "а"), [3]),), tuples_as_lists=True
    )


def test_whole_numbers_of_livecodebench_keep_their_size(file):
    big = 3**200
    cases = [{"input": str(big), "output": str(-big)}]
    (sample,) = livecodebench.read(file({**LIVE_CALL, "public_test_cases": json.dumps(cases)}))
    (call,) = runnable(sample.metadata["checks"], "join").tests
    assert (call.args, call.expected) == ((big,), -big)


PACKINGS = {
    "JSON": json.dumps,
    "a list": lambda cases: cases,
    "compressed JSON": lambda cases: packed(cases, str.encode),
    **{f"pickle {n}": partial(packed, pack=partial(pickle.dumps, protocol=n)) for n in (2, 3, 4, 5)},
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_private_tests_are_unpacked(file, packing):
    private = [{"input": "5 5\n", "output": "10\n"}, {"input": "ё" * 70_000, "output": "0"}]
    (sample,) = livecodebench.read(file({**LIVE, "private_test_cases": PACKINGS[packing](private)}))
    exchanges = runnable(sample.metadata["checks"], "").tests
    assert exchanges == tuple(Exchange(case["input"], case["output"]) for case in STDIN_CASES + private)


class Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_does_more_is_refused_and_not_run(file, tmp_path):
    canary = tmp_path / "canary"
    evil = packed([], lambda text: pickle.dumps(Command(canary)))
    with pytest.raises(InputError, match=r"'private_test_cases': it is a pickle with the opcode .* not loaded"):
        list(livecodebench.read(file({**LIVE, "private_test_cases": evil})))
    assert not canary.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("не base64", "neither JSON nor base64"),
        ("AAAA", "neither JSON nor base64"),
        (base64.b64encode(b"plain").decode(), "neither JSON nor base64"),
        (base64.b64encode(zlib.compress(b"[" * 100_000)).decode(), "content is not JSON"),
        (base64.b64encode(zlib.compress(b"x" * 1000)[:-6]).decode(), "cut off"),
        (packed([], lambda text: pickle.dumps(["[]"])), "opcode EMPTY_LIST"),
        (packed([], lambda text: pickle.dumps("[]")[:-4]), "pickled string is broken"),
        (packed([], lambda text: pickle.dumps("[]")[:5]), "pickled string is broken"),
        (packed([], lambda text: b"\x80\x04\x8c\x05ab"), "pickled string is broken"),
        (packed([], lambda text: b"\x80\x04\x8c\x02\xff\xff."), "pickled string is broken"),
        (packed([], lambda text: b"\x80\x04."), "something other than a string"),
        ("[" * 100_000, "content is not JSON"),
    ],
)
def test_what_cannot_be_unpacked_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        unpacked(text)


def test_a_decompression_bomb_is_told(monkeypatch):
    monkeypatch.setattr("evalkit.tasks.code.packed.LARGEST", 2**16)
    with pytest.raises(ValueError, match="larger than 65536 bytes"):
        unpacked(base64.b64encode(zlib.compress(bytes(2**20))).decode())
    assert LARGEST >= 2**28


@pytest.mark.parametrize(
    ("task", "record"), [(humaneval, HUMANEVAL), (mbpp, MBPP), (livecodebench, LIVE), (code, OWN)], ids=lambda x: ""
)
def test_a_compressed_file_is_the_same(file, tmp_path, task, record):
    plain = file(record)
    compressed = tmp_path / "problems.jsonl.gz"
    compressed.write_bytes(gzip.compress(plain.read_bytes()))
    samples = list(task.read(plain))
    assert list(task.read(compressed)) == samples
    assert [Sample.from_json(json.loads(json.dumps(as_json(sample)))) for sample in samples] == samples


def as_json(sample):
    import dataclasses

    return dataclasses.asdict(sample)


def test_broken_compressed_files_are_told(file, tmp_path):
    data = gzip.compress(file(HUMANEVAL, {**HUMANEVAL, "task_id": "x", "prompt": ""}).read_bytes())
    path = tmp_path / "broken.jsonl.gz"
    for content, message in [
        (b"plain text", f"{path}: the file cannot be decompressed: Not a gzipped file"),
        (data[:-20], f"{path}: the file cannot be decompressed: "),
        (data[:40] + b"\xff\xff" + data[42:], f"{path}: the file cannot be decompressed: "),
        (data, f"{path}:2: field 'prompt': it is empty"),
        (gzip.compress(b"", mtime=0), f"{path}: the file is empty"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            list(humaneval.read(path))
        assert str(caught.value).startswith(message)
    with pytest.raises(InputError, match="file not found"):
        list(humaneval.read(tmp_path / "nowhere.jsonl.gz"))


def without(record, name):
    return {key: value for key, value in record.items() if key != name}


MISTAKES = [
    (humaneval, without(HUMANEVAL, "test"), "field 'test' is missing"),
    (humaneval, {**HUMANEVAL, "task_id": 7}, "field 'task_id': expected a string, found 7"),
    (humaneval, {**HUMANEVAL, "entry_point": "volume"}, "field 'entry_point': the prompt does not define 'volume'"),
    (mbpp, without(MBPP, "text"), "field 'prompt' is missing"),
    (mbpp, {**MBPP, "task_id": True}, "field 'task_id': expected a whole number or a string, found True"),
    (mbpp, {**MBPP, "test_list": []}, "field 'test_list': it is empty"),
    (mbpp, {**MBPP, "test_list": "assert"}, "field 'test_list': expected a list of strings, found 'assert'"),
    (mbpp, {**MBPP, "test_list": [1]}, "field 'test_list[0]': expected a string, found 1"),
    (mbpp, {**MBPP, "test_list": ["assert True"]}, "field 'test_list': the tests call no function"),
    (livecodebench, without(LIVE, "question_content"), "field 'question_content' is missing"),
    (livecodebench, without(without(LIVE, "question_id"), "question_title"), "field 'question_title' is missing"),
    (livecodebench, {**LIVE, "public_test_cases": ""}, "field 'public_test_cases': there are no tests"),
    (livecodebench, {**LIVE, "public_test_cases": "[1]"}, "field 'public_test_cases[0]': expected texts 'input'"),
    (livecodebench, {**LIVE, "public_test_cases": "{}"}, "field 'public_test_cases': expected a list of tests"),
    (livecodebench, {**LIVE, "metadata": "{"}, "field 'metadata': it is not JSON"),
    (livecodebench, {**LIVE, "metadata": {"func_name": "a b"}}, "field 'metadata.func_name': expected the name"),
    (livecodebench, {**LIVE, "metadata": '{"func_name": "f"}'}, "a function's test has '1 2', not JSON"),
    (code, {**OWN, "intent": "sing"}, "field 'intent': expected one of write, fix, middle, tests, found 'sing'"),
    (code, {**OWN, "tests": []}, "field 'tests': it is empty"),
    (code, {**OWN, "tests": [{"args": [1]}]}, "field 'tests[0]': expected an object with args and expected"),
    (code, {**OWN, "tests": [{"args": 1, "expected": 2}]}, "field 'tests[0].args': expected a list, found 1"),
    (code, without(OWN, "entry_point"), "field 'tests[0]': expected an object with stdin and stdout"),
    (code, without(OWN, "signature"), "field 'signature' is missing"),
    (code, {**OWN, "intent": "fix"}, "field 'given' is missing"),
    (code, {**OWN, "intent": "middle", "given": "x"}, "field 'given': one line '# ПРОПУСК' is expected"),
    (code, {**OWN, "intent": "tests", "given": "x", "mutants": []}, "field 'mutants': it is empty"),
    (code, {**OWN, "wrong": None}, "field 'wrong': expected a list of strings, found None"),
]


@pytest.mark.parametrize(("task", "record", "message"), MISTAKES, ids=[mistake[2][:40] for mistake in MISTAKES])
def test_a_mistake_is_told_with_file_line_and_field(file, task, record, message):
    good = {"humaneval": HUMANEVAL, "mbpp": MBPP, "livecodebench": LIVE, "code": OWN}[task.name]
    path = file({**good, "task_id": "1", "question_id": "1", "id": "1"}, record)
    with pytest.raises(InputError) as caught:
        list(task.read(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_an_id_used_twice_is_told(file):
    with pytest.raises(InputError, match=r":2: the id 'HumanEval/7' was already used on line 1"):
        list(humaneval.read(file(HUMANEVAL, HUMANEVAL)))


def test_the_own_problems():
    samples = list(code.samples(split="test", limit=None, seed=0))
    assert len({sample.id for sample in samples}) == len(samples) == 60
    counts = {intent: sum(s.metadata["intent"] == intent for s in samples) for intent in ("fix", "middle", "tests")}
    assert counts == {"fix": 6, "middle": 4, "tests": 4}
    assert sum(s.metadata["checks"]["kind"] == "stdio" for s in samples) == 12
    for sample in samples:
        assert len(sample.metadata["wrong"]) == 2
        if sample.metadata["intent"] == "tests":
            assert len(sample.metadata["mutants"]) >= 4
        else:
            assert 6 <= len(sample.metadata["checks"]["tests"]) <= 12
        for text in (sample.target, *sample.metadata["wrong"], *sample.metadata.get("mutants", ())):
            assert text not in sample.prompt
    assert list(code.samples(split="test", limit=5, seed=1)) == samples[:5]


def test_prompts_show_two_examples_and_no_other_tests(file):
    (sample,) = code.read(file(OWN))
    assert "add(1, 2) → 3\nadd(0, -1) → -1\n" in sample.prompt
    assert "add(2, 2)" not in sample.prompt


@pytest.mark.parametrize("task", [code, humaneval, mbpp, livecodebench], ids=lambda task: task.name)
def test_the_tasks_are_tasks(task):
    assert isinstance(task, Task)
    assert task.needs == ("sandbox",)
    assert task.metrics[0].name == "pass@1"
    with pytest.raises(UsageError, match="only the split 'test'"):
        task.samples(split="train", limit=None, seed=0)


def test_published_tasks_have_a_stand_in():
    for task in (humaneval, mbpp, livecodebench):
        assert task.stand_in == code.name
        with pytest.raises(UsageError, match=f"--data {task.name}=FILE"):
            task.samples(split="test", limit=None, seed=0)


def test_importing_the_tasks_loads_nothing_heavy():
    names = ("yaml", "numpy", "asyncio", "pickle", "evalkit.evals")
    program = f"import sys, evalkit.tasks.code; print([name for name in {names} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert found == "[]\n"
