"""What a code assistant is asked beyond writing: completing in the middle, and writing tests.

Tests that a model wrote are hostile text too, and a program that is tested by them could be recognised instead of
tested (by its source, by its byte code). So they are read as data, never run: each assertion becomes a call with
literal arguments and an expected value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from ..execution import Call, Calls, Execution, Limits, Outcome, Program, Sandbox
from ..types import Score, Status
from .blocks import code_blocks
from .extraction import bare_program, find_program, fragment, indented_to
from .pieces import parsed

GAP = "# ПРОПУСК"
"""The comment that stands for the missing lines."""

MOST_TESTS = 200


def filled(given: str, entry_point: str, answer: str) -> str | None:
    """Return the given program with the answer's lines in place of its gap; None when the answer has no code.

    An answer that defines the entry point is the whole program.
    """
    whole = find_program(answer, (entry_point,))
    if whole is not None:
        return whole
    missing = fragment(answer)
    if missing is None:
        return None
    lines = given.split("\n")
    place = next(number for number, line in enumerate(lines) if line.strip() == GAP)
    margin = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    return "\n".join([*lines[:place], indented_to(missing, margin), *lines[place + 1 :]])


def asserted_calls(answer: str, entry_point: str) -> tuple[Call, ...]:
    """Return the calls that an answer's assertions make of a function, with the values that they expect.

    Read are ``assert f(…) == value`` (or ``value == f(…)``, or ``f(…) is value``) with literals, at the top level
    and directly in functions and classes; everything else is ignored. An answer that is no Python, or has more than
    50,000 characters of code, has none. At most `MOST_TESTS` are returned.
    """
    blocks = [block.text for block in code_blocks(answer) if block.is_python]
    source = "\n".join(text for text in blocks if "assert" in text) or _bare_asserts(answer)
    tree = parsed(source)
    if tree is None:
        return ()
    found = (_call(test, entry_point) for test in _assertions(tree.body))
    return tuple(call for call in found if call is not None)[:MOST_TESTS]


async def score_tests(
    calls: tuple[Call, ...], metadata: Mapping[str, Any], sandbox: Sandbox, limits: Limits, status: Status
) -> Score:
    """Judge tests by the mutants that they reject.

    The value is the share of ``metadata["mutants"]`` that fail a test, if ``metadata["given"]``, the right
    program, passes all of them; else 0. ``parts["tests"]`` has the right program first and then each mutant.
    """
    from asyncio import gather

    tests = Calls(metadata["entry_point"], calls)
    mutants = metadata["mutants"]
    right = await sandbox.run(Program(metadata["given"], tests, limits))
    if right.failure:
        return Score(None, Status.SANDBOX_ERROR, explanation=right.failure)
    first = {"name": "верная программа", **_first_failure(right)}
    if not right.passed:
        parts = {"intent": "tests", "passed": 0, "total": len(mutants), "tests": [first]}
        return Score(0.0, status, parts, f"тесты не проходят на верной программе: {first['reason']}")
    runs = await gather(*(sandbox.run(Program(mutant, tests, limits)) for mutant in mutants))
    failure = next((run.failure for run in runs if run.failure), "")
    if failure:
        return Score(None, Status.SANDBOX_ERROR, explanation=failure)
    rejected = sum(not run.passed for run in runs)
    verdicts = [{"name": f"мутант {number}", **_first_failure(run)} for number, run in enumerate(runs, start=1)]
    parts = {"intent": "tests", "passed": rejected, "total": len(mutants), "tests": [first, *verdicts]}
    return Score(rejected / len(mutants), status, parts, f"отвергнуто мутантов: {rejected} из {len(mutants)}")


def _bare_asserts(answer: str) -> str:
    return "\n".join(line for line in (bare_program(answer) or answer).split("\n") if line.startswith("assert "))


def _assertions(body: list[ast.stmt]) -> Iterator[ast.expr]:
    for statement in body:
        if isinstance(statement, ast.Assert):
            yield statement.test
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _assertions(statement.body)


def _call(test: ast.expr, entry_point: str) -> Call | None:
    """Return the call that an asserted expression makes, or None when it is of another form."""
    match test:
        case ast.Compare(left=ast.Call() as called, ops=[ast.Eq() | ast.Is()], comparators=[value]):
            pass
        case ast.Compare(left=value, ops=[ast.Eq()], comparators=[ast.Call() as called]):
            pass
        case _:
            return None
    if not (isinstance(called.func, ast.Name) and called.func.id == entry_point):
        return None
    try:
        args = tuple(_literal(argument) for argument in called.args)
        named = {keyword.arg: _literal(keyword.value) for keyword in called.keywords}
        expected = _literal(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    if None in named:
        return None
    return Call(args, expected, {name: argument for name, argument in named.items() if name is not None})


def _literal(node: ast.expr) -> Any:
    if any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node)):
        raise ValueError("an ellipsis is no value")
    return ast.literal_eval(node)


def _first_failure(run: Execution) -> dict[str, str]:
    failed = next((result for result in run.results if result.outcome is not Outcome.PASSED), None)
    outcome = failed.outcome if failed else Outcome.PASSED
    return {"outcome": str(outcome), "reason": failed.detail if failed else ""}
