"""Public benchmarks of code, read as they are published: HumanEval, MBPP, LiveCodeBench.

Each function makes a sample of one line; `records.read_samples` reads the file. A sample's metadata has

* ``intent``: ``write``, or ``continue`` when ``given`` is the beginning of a function;
* ``entry_point``: the function under test (empty for whole programs);
* ``in_class``: the class that may hold it as a method, if there is one;
* ``preamble``: what stands before every program;
* ``checks``: the tests, see `checks`;
* ``wrong``: answers that must fail.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Mapping
from typing import Any

from ..records import Record, shown
from ..types import Sample
from . import checks
from .packed import unpacked
from .prompts import build_prompt

_DEFINITION = re.compile(r"^(?:async +)?(def|class) +(\w+)", re.MULTILINE)
_CALLED = re.compile(r"\b([^\W\d]\w*)\(")

# LiveCodeBench promises its programs the usual names without importing them, as the contest sites do.
_CONTEST_MODULES = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
    *("itertools", "functools", "operator", "io", "sys", "json", "typing"),
)
CONTEST_PREAMBLE = "".join(
    [
        *(f"from {module} import *\n" for module in _CONTEST_MODULES),
        *(f"import {module}\n" for module in _CONTEST_MODULES),
        "from builtins import *\nsys.setrecursionlimit(50000)\n",
    ]
)


def humaneval_sample(record: Record) -> Sample:
    """Make a sample of ``{"task_id", "prompt", "entry_point", "canonical_solution", "test"}``.

    The test's ``check`` is one test. What stands in the prompt before the function (imports, helpers) stands before
    every answer, and its tests may use it.

    Raises:
        InputError: a field cannot be used.
    """
    prompt, entry_point = record.text("prompt"), record.text("entry_point")
    starts = [found.start() for found in _DEFINITION.finditer(prompt) if found[2] == entry_point]
    if not starts:
        raise record.field_error("entry_point", f"the prompt does not define {shown(entry_point)}")
    before = prompt[: starts[-1]]
    test = f"{record.text('test')}\n\ncheck({entry_point})\n"
    return Sample.ask(
        record.text("task_id"),
        build_prompt("continue", given=prompt.strip()),
        target=record.get("canonical_solution"),
        intent="continue",
        entry_point=entry_point,
        given=prompt,
        preamble=before,
        checks=checks.asserts([test], setup=before),
        wrong=["    pass\n"],
    )


def mbpp_sample(record: Record) -> Sample:
    """Make a sample of ``{"task_id", "text" or "prompt", "code", "test_list", …}``.

    ``test_imports`` (of the sanitized edition) and ``test_setup_code`` run before the tests. The entry point, which
    the file does not name, is the function of ``code`` that the tests use first.

    Raises:
        InputError: a field cannot be used.
    """
    problem = record.text("text" if "text" in record else "prompt")
    tests = record.texts("test_list")
    if not tests:
        raise record.field_error("test_list", "it is empty, so there is nothing to check")
    imports = record.texts("test_imports") if record.get("test_imports") is not None else []
    if record.get("test_setup_code"):
        # It may use the program's classes, so it runs with the first test: one namespace serves all tests.
        tests = [f"{record.text('test_setup_code')}\n{tests[0]}", *tests[1:]]
    code = record.text("code") if record.get("code") is not None else None
    entry_point, exposes = _tested_names(code or "", "\n".join(tests))
    if entry_point is None:
        raise record.field_error("test_list", "the tests call no function of the program")
    return Sample.ask(
        str(record.key("task_id")),
        build_prompt("asserted", problem=problem, tests="\n".join(tests)),
        target=code,
        intent="write",
        entry_point=entry_point,
        checks=checks.asserts(tests, setup="\n".join(imports), exposes=exposes),
        wrong=[f"def {entry_point}(*arguments):\n    raise NotImplementedError\n"],
    )


def livecodebench_sample(record: Record) -> Sample:
    """Make a sample of a LiveCodeBench problem (``code_generation_lite``).

    Used are ``question_id`` (or ``question_title``), ``question_content``, ``starter_code``, the public and the
    private test cases (JSON text, or packed as `packed.unpacked` says) and ``metadata.func_name``. Problems with a
    function's name are tested by calls, the others by standard input and output.

    Raises:
        InputError: a field cannot be used.
    """
    id = record.text("question_id" if record.get("question_id") else "question_title")
    problem, starter = record.text("question_content"), record.get("starter_code") or ""
    cases = [*_cases(record, "public_test_cases"), *_cases(record, "private_test_cases")]
    if not cases:
        raise record.field_error("public_test_cases", "there are no tests at all")
    name = _function_name(record)
    pairs = [(case["input"], case["output"]) for case in cases]
    metadata: dict[str, Any] = {
        "intent": "write",
        "entry_point": name,
        "in_class": "Solution",
        "preamble": CONTEST_PREAMBLE,
        "checks": checks.calls(_call(record, *pair) for pair in pairs) if name else checks.stdio(pairs),
        "wrong": [f"def {name}(*arguments):\n    raise NotImplementedError\n" if name else "raise SystemExit(1)\n"],
    }
    if not name:
        prompt = build_prompt("contest", problem=problem)
    elif starter.strip():
        prompt = build_prompt("starter", problem=problem, given=starter.strip())
    else:
        prompt = build_prompt("starter", problem=problem, given=f"class Solution:\n    def {name}(self, ...):")
    return Sample.ask(id, prompt, **metadata)


def _tested_names(code: str, tests: str) -> tuple[str | None, list[str]]:
    """Return the function that tests are about, None if there is none, and what else of the program they use."""
    kinds = {found[2]: found[1] for found in _DEFINITION.finditer(code)}
    used = list(dict.fromkeys(word for word in re.findall(r"\w+", tests) if word in kinds))
    entry_point = next((name for name in used if kinds[name] == "def"), None)
    if entry_point is None:
        called = (name for name in _CALLED.findall(tests) if not hasattr(builtins, name))
        entry_point = next(called, None)
    return entry_point, [name for name in used if name != entry_point]


def _cases(record: Record, name: str) -> list[Mapping[str, str]]:
    if record.get(name) in (None, ""):
        return []
    value = record[name]
    try:
        cases = unpacked(value) if isinstance(value, str) else value
    except ValueError as error:
        raise record.field_error(name, str(error)) from None
    if not isinstance(cases, list):
        raise record.field_error(name, f"expected a list of tests, found {shown(cases)}")
    for position, case in enumerate(cases):
        if not isinstance(case, dict) or not all(isinstance(case.get(key), str) for key in ("input", "output")):
            raise record.field_error(
                f"{name}[{position}]", f"expected texts 'input' and 'output', found {shown(case)}"
            )
    return cases


def _function_name(record: Record) -> str:
    """Return ``metadata.func_name``, or an empty string; the metadata may be JSON text or an object."""
    metadata = record.get("metadata") or {}
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            raise record.field_error("metadata", f"it is not JSON: {shown(metadata)}") from None
    name = metadata.get("func_name") if isinstance(metadata, dict) else None
    if name is not None and not (isinstance(name, str) and name.isidentifier()):
        raise record.field_error("metadata.func_name", f"expected the name of a function, found {shown(name)}")
    return name or ""


def _call(record: Record, arguments: str, expected: str) -> tuple[str, str]:
    """Return (JSON array of arguments, JSON of the value) of a test whose input has one JSON value a line."""
    lines = [line for line in arguments.split("\n") if line.strip()]
    for line in (*lines, expected):
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            raise record.error(
                f"fields 'public_test_cases', 'private_test_cases': a function's test has {shown(line)}, not JSON"
            ) from None
    return f"[{', '.join(lines)}]", expected
