"""Code tasks: programs are run against their tests in a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..base import BaseTask, check_split
from ..execution import Execution, Limits, Outcome, Program
from ..records import Record, read_samples
from ..types import Completion, Context, Metric, Sample, Score, Status, answer_status, mean_value
from .checks import runnable
from .extraction import continued, defines, find_program, preceded
from .intents import asserted_calls, filled, score_tests
from .loaders import humaneval_sample, livecodebench_sample, mbpp_sample
from .problems import own_sample

LONGEST_PROGRAM = 2**20
"""The maximum length of a program in characters, more than any of these problems needs."""

_LIMITS = Limits()
OWN_PROBLEMS = Path(__file__).parent / "data" / "problems.jsonl"


def _intent(score: Score) -> dict[str, str]:
    return {"intent": score.parts["intent"]} if score.parts.get("intent") else {}


@dataclass(frozen=True, slots=True)
class CodeTask(BaseTask):
    """Problems whose answers are programs.

    ``sample_of`` makes a sample of a line of the published file. A task with ``stand_in`` has no problems of its
    own: without a file a run has those of the task of that name. ``limits`` are those of one test.
    """

    name: str
    title: str
    sample_of: Callable[[Record], Sample]
    limits: Limits = _LIMITS
    stand_in: str | None = None
    version: str = "1"
    max_tokens: int = 2048
    metrics: tuple[Metric, ...] = (mean_value("pass@1", "pass@1", _intent),)
    needs: tuple[str, ...] = ("sandbox",)

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the task's own problems, the first ``limit`` of them, in the order of their file.

        Raises:
            UsageError: the split is not ``test``, or the task has no problems of its own.
        """
        check_split(self.name, split)
        if self.stand_in is not None:
            raise UsageError(f"{self.name} has no problems of its own: give its file with --data {self.name}=FILE")
        return islice(self.read(OWN_PROBLEMS), limit)

    def read(self, path: Path) -> Iterator[Sample]:
        """Yield the problems of a ``.jsonl`` or ``.jsonl.gz`` file in the published form, in its order.

        Raises:
            InputError: a line cannot be used (names file, line and field).
        """
        return read_samples(path, self.sample_of)

    async def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Run the answer's program against the problem's tests.

        The value is 1 when all tests pass, else 0 (for the intent ``tests``: the share of mutants rejected).
        ``parts`` has ``passed``, ``total``, and for each test its ``index``, ``outcome`` and ``reason``. An answer
        without a program scores 0; a sandbox failure gives no value.
        """
        sandbox, metadata = context.sandbox, sample.metadata
        if sandbox is None:
            return Score(None, Status.SANDBOX_ERROR, explanation="no sandbox is available")
        status = Status.TRUNCATED if completion.finish_reason == "length" else Status.OK
        if metadata["intent"] == "tests":
            calls = asserted_calls(completion.text, metadata["entry_point"])
            if not calls:
                return _nothing(metadata, completion)
            return await score_tests(calls, metadata, sandbox, self.limits, status)
        program = program_of(sample, completion.text)
        if program is None or len(program) > LONGEST_PROGRAM:
            return _nothing(metadata, completion)
        tests = runnable(metadata["checks"], _callable_name(metadata, program))
        return _verdict(await sandbox.run(Program(program, tests, self.limits)), metadata, status)

    def gold(self, sample: Sample) -> Completion | None:
        """Return the published solution as an answer, if there is one."""
        return None if sample.target is None else _answer(sample, sample.target)

    def wrong(self, sample: Sample) -> Sequence[Completion]:
        """Return answers that must not get full score."""
        return [_answer(sample, text) for text in sample.metadata["wrong"]]


def program_of(sample: Sample, answer: str) -> str | None:
    """Return the program that an answer gives to a problem, or None when there is none."""
    metadata = sample.metadata
    entry_point, preamble = metadata["entry_point"], metadata.get("preamble", "")
    if metadata["intent"] == "middle":
        return filled(metadata["given"], entry_point, answer)
    names = tuple(name for name in (entry_point, metadata.get("in_class")) if name) if entry_point else ()
    program = find_program(answer, names)
    if program is None:
        whole = metadata["intent"] == "continue"
        return continued(metadata["given"], entry_point, answer) if whole else None
    return preceded(preamble, program)


def _callable_name(metadata: Mapping[str, Any], program: str) -> str:
    """Return how the sandbox finds the function: by its name, or as a method of the class that may hold it."""
    name, holder = metadata["entry_point"], metadata.get("in_class")
    return f"{holder}.{name}" if holder and defines(program, holder) else str(name)


def _verdict(execution: Execution, metadata: Mapping[str, Any], status: Status) -> Score:
    if execution.failure:
        return Score(None, Status.SANDBOX_ERROR, explanation=execution.failure)
    tests = [
        {"index": index, "outcome": str(result.outcome), "reason": result.detail}
        for index, result in enumerate(execution.results)
    ]
    passed = sum(result.outcome is Outcome.PASSED for result in execution.results)
    failed = next((test for test in tests if test["outcome"] != Outcome.PASSED), None)
    explanation = f"пройдено тестов: {passed} из {len(tests)}"
    if failed is not None:
        explanation += f"; тест {failed['index']}: {failed['outcome']} {failed['reason']}".rstrip()
    parts = {"intent": metadata["intent"], "passed": passed, "total": len(tests), "tests": tests}
    return Score(float(execution.passed), status, parts, explanation)


def _nothing(metadata: Mapping[str, Any], completion: Completion) -> Score:
    """Return the score of an answer without a program to run."""
    name, wanted = metadata["entry_point"], metadata["checks"]["tests"]
    if metadata["intent"] == "tests":
        wanted, reason = metadata["mutants"], f"в ответе нет проверок вида assert {name}(…) == значение"
    else:
        wanted_program = f"программы, которая определяет {name}" if name else "программы"
        reason = f"в ответе нет {wanted_program}, или она длиннее {LONGEST_PROGRAM} знаков"
    tests = [{"index": index, "outcome": str(Outcome.NOT_RUN), "reason": ""} for index in range(len(wanted))]
    parts = {"intent": metadata["intent"], "passed": 0, "total": len(wanted), "tests": tests}
    return Score(0.0, answer_status(completion, Status.MISSING), parts, reason)


def _answer(sample: Sample, text: str) -> Completion:
    if sample.metadata["intent"] == "continue":
        return Completion(text)
    return Completion(f"```python\n{text.rstrip()}\n```")


code = CodeTask("code", "Code (own problems)", own_sample)
humaneval = CodeTask("humaneval", "HumanEval", humaneval_sample, Limits(cpu_seconds=3.0), stand_in="code")
mbpp = CodeTask("mbpp", "MBPP", mbpp_sample, Limits(cpu_seconds=3.0), stand_in="code")
livecodebench = CodeTask(
    "livecodebench",
    "LiveCodeBench",
    livecodebench_sample,
    Limits(cpu_seconds=6.0, memory_bytes=2**30, output_bytes=2**24),
    stand_in="code",
    max_tokens=4096,
)
