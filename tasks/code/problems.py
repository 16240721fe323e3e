"""The project's own problems: their file, and what a model is asked.

A line of the file is ``{"id", "intent", "topic", "difficulty", "problem", "tests", "solution", "wrong"}``.
``intent`` is ``write``, ``fix``, ``middle`` or ``tests``; all but ``write`` have ``given``, the program that is
shown. Problems about a function have ``entry_point`` and ``signature``, and tests ``{"args", "expected"}``; the
others are about a program with tests ``{"stdin", "stdout"}``. The first two tests are shown as examples.
``solution`` is a right answer and ``wrong`` some plausible wrong ones: programs, or the missing lines (``middle``),
or assertions (``tests``, which also has ``mutants``: wrong versions of ``given`` that good assertions reject).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..records import Record, shown
from ..types import Sample
from . import checks
from .intents import GAP
from .prompts import build_prompt

INTENTS = ("write", "fix", "middle", "tests")
_EXAMPLES = 2


def own_sample(record: Record) -> Sample:
    """Make a sample of a line.

    Raises:
        InputError: a field cannot be used.
    """
    intent = record.choice("intent", INTENTS)
    entry_point = record.text("entry_point") if "entry_point" in record else ""
    metadata: dict[str, Any] = {
        "intent": intent,
        "topic": record.text("topic"),
        "difficulty": record.text("difficulty"),
        "entry_point": entry_point,
        "checks": _checks(record, entry_point),
        "wrong": record.texts("wrong"),
    }
    if intent != "write":
        metadata["given"] = record.text("given")
    if intent == "middle" and metadata["given"].count(GAP) != 1:
        raise record.field_error("given", f"one line '{GAP}' is expected in place of the missing code")
    if intent == "tests":
        metadata["mutants"] = record.texts("mutants")
        if not metadata["mutants"]:
            raise record.field_error("mutants", "it is empty, so there is nothing for tests to reject")
    prompt = _prompt(record, metadata)
    return Sample.ask(record.text("id"), prompt, target=record.text("solution"), **metadata)


def _checks(record: Record, entry_point: str) -> dict[str, Any]:
    tests = record.field("tests", list, "a list of objects")
    names = ("args", "expected") if entry_point else ("stdin", "stdout")
    kinds = (list, object) if entry_point else (str, str)
    if not tests:
        raise record.field_error("tests", "it is empty, so there is nothing to check")
    for position, test in enumerate(tests):
        place = f"tests[{position}]"
        if not isinstance(test, dict) or not test.keys() >= set(names):
            raise record.field_error(place, f"expected an object with {' and '.join(names)}, found {shown(test)}")
        for name, kind in zip(names, kinds, strict=True):
            if not isinstance(test[name], kind):
                raise record.field_error(
                    f"{place}.{name}", f"expected a {kind.__name__}, found {shown(test[name])}"
                )
    pairs = [(test[names[0]], test[names[1]]) for test in tests]
    if not entry_point:
        return checks.stdio(pairs)
    return checks.calls((_json(args), _json(expected)) for args, expected in pairs)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _prompt(record: Record, metadata: Mapping[str, Any]) -> str:
    problem, intent = record.text("problem"), metadata["intent"]
    shown_tests = record["tests"][:_EXAMPLES]
    if not metadata["entry_point"]:
        examples = "\n\n".join(build_prompt("exchange", **_ends_trimmed(test)) for test in shown_tests)
        return build_prompt("program", problem=problem, examples=examples)
    name = metadata["entry_point"]
    examples = "\n".join(
        f"{name}({', '.join(map(repr, test['args']))}) → {test['expected']!r}" for test in shown_tests
    )
    if intent == "write":
        return build_prompt("function", problem=problem, signature=record.text("signature"), examples=examples)
    return build_prompt(intent, problem=problem, given=metadata["given"], examples=examples, entry_point=name)


def _ends_trimmed(test: Mapping[str, str]) -> dict[str, str]:
    return {"stdin": test["stdin"].rstrip("\n"), "stdout": test["stdout"].rstrip("\n")}
