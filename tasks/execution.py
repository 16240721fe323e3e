"""Data types for running untrusted programs in a sandbox.

A `Program` is source text with tests of one kind: `Calls` (values in, values out), `Asserts` (assertions written in
Python) or `Stdio` (text in, text out). A `Sandbox` runs it and returns an `Execution`, one `TestResult` per test.
Whatever the kind, expected values and test code stay outside the process that runs the program: it sees the
arguments of one call, or the input of one run, and nothing else.

Values that cross the process boundary are plain: ``None``, ``bool``, ``int``, ``float``, ``complex``, ``str``,
``bytes``, ``list``, ``tuple``, ``dict``, ``set``, ``frozenset``, ``range``, ``Decimal`` and ``Fraction``. What a
program returns as a subclass of one (``Counter``, a named tuple, an ``IntEnum``) or as a NumPy scalar arrives as
the plain value; any other object arrives as a handle that equals nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits of one test.

    ``cpu_seconds`` limits processor time, so that machine load does not affect verdicts. ``wall_seconds`` stops a
    program that waits forever; time spent waiting for a free processor does not count. ``None`` means one and a
    half times ``cpu_seconds`` plus half a second. Loading the program has the same limits as a test.
    ``memory_bytes`` is added to the memory of an idle interpreter; ``output_bytes`` bounds standard output and
    standard error separately.
    """

    cpu_seconds: float = 2.0
    wall_seconds: float | None = None
    memory_bytes: int = 512 * 2**20
    output_bytes: int = 2**20

    @property
    def wall(self) -> float:
        """The wall-clock limit in seconds, with the default resolved."""
        return 1.5 * self.cpu_seconds + 0.5 if self.wall_seconds is None else self.wall_seconds


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the entry point, and the value that it must return (plain values, see the module)."""

    args: tuple[Any, ...]
    expected: Any
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """Tests that compare returned values with expected ones.

    ``entry_point`` names a function of the program, or ``Class.method``: the class is then instantiated once,
    without arguments. Values are compared with ``==``; a ``tolerance`` above 0 lets numbers inside differ by that
    much, relatively or absolutely. ``tuples_as_lists`` is for expected values from JSON, which has no tuples.
    """

    entry_point: str
    tests: tuple[Call, ...]
    tolerance: float = 0.0
    tuples_as_lists: bool = False


@dataclass(frozen=True, slots=True)
class Asserts:
    """Tests in Python: each passes when it runs to its end and fails when it raises.

    ``tests`` run one after another in one namespace, outside the program's process. In it ``entry_point`` and
    every name in ``exposes`` (a class that a test makes an argument of) are stand-ins that call the program.
    ``setup`` runs first: imports and helpers that the tests use, such as the prompt's own; it must come from the
    benchmark, never from a model. An exception of the program is raised by the stand-in as the builtin class of
    the same name (``StopIteration`` out of a call as a ``RuntimeError``, unless the test or the setup names it: it
    would end a loop of the test); arguments that the program changes in place are changed for the test too;
    functions given as arguments are called back. HumanEval's ``check`` is one test that ends in
    ``check(name_of_the_function)``.
    """

    entry_point: str
    tests: tuple[str, ...]
    setup: str = ""
    exposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One run of the program as ``__main__``: its standard input and the expected standard output."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True)
class Stdio:
    """Tests that run the whole program, each time in a fresh process, and compare what it prints.

    Lines are compared without trailing blanks and without empty lines at the end; where they differ, lines
    whose words are all numbers are compared as numbers, exactly, or within ``tolerance`` when it is above 0. An
    exit status other than 0 fails.
    """

    tests: tuple[Exchange, ...]
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """An untrusted program, its tests and its limits."""

    source: str
    tests: Calls | Asserts | Stdio
    limits: Limits = Limits()


class Outcome(StrEnum):
    """How one test ended: a closed set. Only ``passed`` is a success; none of them is a failure of the sandbox."""

    PASSED = "passed"
    WRONG = "wrong"
    """The value, the output or an assertion is not as expected."""
    ERROR = "error"
    """The program raised, does not compile, or lacks its entry point."""
    CRASHED = "crashed"
    """The program ended before it answered: it exited, or a signal killed it."""
    TIMEOUT = "timeout"
    """The processor time or the wall time ran out."""
    MEMORY = "memory"
    """The memory ran out."""
    OUTPUT = "output"
    """The program exceeded the output limit."""
    NOT_RUN = "not_run"
    """A test before this one killed the program, or the program could not be loaded."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """The result of one test; ``detail`` is one line for display, at most 500 characters, possibly hostile text."""

    __test__ = False  # keeps pytest from collecting it

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """The results of a program: one per test, in order.

    ``failure`` is not empty when the sandbox itself failed twice or cannot run these tests: then nothing was
    measured, ``results`` is empty and the score has no value. ``output`` is the beginning of the program's output
    (of all its runs). ``cpu_seconds`` is the program's processor time, ``wall_seconds`` the time from start to
    verdict.
    """

    results: tuple[TestResult, ...] = ()
    failure: str = ""
    output: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether there were tests and all of them passed."""
        return bool(self.results) and all(result.outcome is Outcome.PASSED for result in self.results)


class Sandbox(Protocol):
    """An isolated environment for untrusted programs.

    ``name`` tells the kind of isolation: ``namespace``, ``landlock``, ``docker``, ``remote:URL`` or ``unsafe``.
    """

    name: str

    async def run(self, program: Program) -> Execution:
        """Run a program against its tests. A sandbox that fails is `Execution.failure`, not an exception.

        Any number of calls may be pending; the sandbox runs as many in parallel as it has slots.
        """
        ...
