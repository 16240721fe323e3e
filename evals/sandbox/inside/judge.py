"""Judging a program by its tests: this is where expected values and test code live."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from .codec import decode
from .compare import as_lists, close, same_text, shown
from .guest import Guest, SandboxError, StoppedError

TestVerdict = tuple[str, str]
"""An outcome and its detail, as `evalkit.tasks.execution.TestResult` has them."""

_OUTPUT_SHOWN = 4096
_CHECKER_SECONDS = 2.0


class ProgramRun:
    """Results of one program so far: verdicts, output, processor time."""

    def __init__(self) -> None:
        self.verdicts: list[TestVerdict] = []
        self.output = b""
        self.cpu_seconds = 0.0

    def leave(self, guest: Guest) -> None:
        """Take what a program leaves behind, and free it."""
        try:
            guest.end()
            if len(self.output) < _OUTPUT_SHOWN:
                self.output += guest.output(_OUTPUT_SHOWN)[0]
            self.cpu_seconds += guest.cpu_seconds
        finally:
            guest.close()


MakeGuest = Callable[[bytes, bool], Guest]
"""Starts a program's process, given its standard input and whether standard error is kept apart."""


def judge(make_guest: MakeGuest, program: dict[str, Any]) -> ProgramRun:
    """Run a program against its tests, in processes that ``make_guest`` starts.

    Raises:
        SandboxError: the sandbox failed, or cannot run these tests.
    """
    random.seed(0)
    judgement = ProgramRun()
    kind = program["kind"]
    (_judge_stdio if kind == "stdio" else _judge_loaded)(make_guest, program, judgement)
    left = len(program["tests"]) - len(judgement.verdicts)
    judgement.verdicts += [("not_run", "")] * left
    return judgement


def _judge_loaded(make_guest: MakeGuest, program: dict[str, Any], judgement: ProgramRun) -> None:
    """Load the program once and run all tests against it."""
    limits = program["limits"]
    guest = make_guest(b"", False)
    try:
        try:
            with _watched(guest):
                guest.start(program["source"], main=False, tests=len(program["tests"]))
                guest.load()
        except StoppedError as stop:
            judgement.verdicts.append((stop.outcome, stop.detail))
            return
        except Exception as error:
            if error is not guest.raised:
                raise
            judgement.verdicts.append(_of_exception(error))
            return
        tests = _calls(guest, program) if program["kind"] == "calls" else _asserts(guest, program)
        for test in tests:
            verdict = _run_test(guest, test)
            if guest.printed() > limits["output"]:
                verdict = ("output", f"more than {limits['output']} bytes were printed")
            judgement.verdicts.append(verdict)
            if guest.stopped is not None:
                return
    finally:
        judgement.leave(guest)


@contextmanager
def _watched(guest: Guest) -> Iterator[None]:
    """Run one test under the limits of the program, and of the checker.

    What a program returns can make the checker itself work without end (numbers chosen to collide in a set, a
    fraction of two huge numbers); the kernel then ends this process, which the pool knows by the signal.
    """
    signal.setitimer(signal.ITIMER_PROF, guest.limits["cpu"] + _CHECKER_SECONDS)
    guest.begin()
    try:
        yield
        guest.check_time()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _run_test(guest: Guest, test: Callable[[], TestVerdict]) -> TestVerdict:
    try:
        with _watched(guest):
            return test()
    except StoppedError as stop:
        return (stop.outcome, stop.detail)


def _of_exception(error: BaseException) -> TestVerdict:
    if isinstance(error, MemoryError):
        return ("memory", "the program ran out of memory")
    return ("error", f"{type(error).__name__}: {error}"[:400])


def _calls(guest: Guest, program: dict[str, Any]) -> list[Callable[[], TestVerdict]]:
    tolerance = program["tolerance"]

    def test(call: dict[str, Any]) -> TestVerdict:
        arguments = [decode(argument) for argument in call["args"]]
        keywords = {name: decode(value) for name, value in call["kwargs"].items()}
        try:
            value = guest.ask("call", program["entry_point"], *arguments, **keywords)
        except Exception as error:
            if error is guest.raised:
                return _of_exception(error)
            raise
        expected = decode(call["expected"])
        try:
            if program["tuples_as_lists"]:
                value, expected = as_lists(value), as_lists(expected)
            same = value == expected if tolerance == 0 else close(value, expected, tolerance)
        except MemoryError:
            return ("output", "returned a value too large to compare")
        except Exception as error:  # such as a signaling NaN, or a value nested too deeply
            return ("wrong", f"returned a value that cannot be compared ({type(error).__name__})")
        return ("passed", "") if same is True else ("wrong", f"returned {shown(value)}, expected {shown(expected)}")

    return [partial(test, call) for call in program["tests"]]


def _asserts(guest: Guest, program: dict[str, Any]) -> list[Callable[[], TestVerdict]]:
    namespace: dict[str, Any] = {"__name__": "tests"}
    try:
        exec(compile(program["setup"], "<setup>", "exec", dont_inherit=True), namespace)
    except Exception as error:
        raise SandboxError(f"the setup of the tests raised {type(error).__name__}: {error}") from error
    for name in (program["entry_point"], *program["exposes"]):
        namespace[name.rpartition(".")[2]] = _stand_in(guest, name)

    def test(number: int, code: str) -> TestVerdict:
        guest.may_end_loops = "StopIteration" in code or "StopIteration" in program["setup"]
        try:
            exec(compile(code, f"<test {number}>", "exec", dont_inherit=True), namespace)
        except (StoppedError, SandboxError):
            raise
        except BaseException as error:
            return _of_exception(error) if error is guest.raised else ("wrong", _failed_line(error, number, code))
        if guest.stopped is not None:
            raise guest.stopped  # a bare ``except`` of the test has swallowed it
        return ("passed", "")

    return [partial(test, number, code) for number, code in enumerate(program["tests"], 1)]


def _stand_in(guest: Guest, name: str) -> Callable[..., Any]:
    def stand_in(*arguments: Any, **keywords: Any) -> Any:
        return guest.ask("call", name, *arguments, mirror=True, **keywords)

    stand_in.__name__ = name.rpartition(".")[2]
    return stand_in


def _failed_line(error: BaseException, number: int, code: str) -> str:
    lines = code.splitlines()
    frame = error.__traceback__
    line = 0
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == f"<test {number}>":
            line = frame.tb_lineno
        frame = frame.tb_next
    where = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
    if isinstance(error, AssertionError):
        return f"failed: {where}"
    try:
        text = str(error)[:150]
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text} (at: {where})"


def _judge_stdio(make_guest: MakeGuest, program: dict[str, Any], judgement: ProgramRun) -> None:
    """Run the program once for each test; one that ran out of its limits is not started again."""
    for exchange in program["tests"]:
        outcome, detail = _exchange(make_guest, program, exchange, judgement)
        judgement.verdicts.append((outcome, detail))
        if outcome in ("timeout", "memory", "output"):
            return


def _exchange(
    make_guest: MakeGuest, program: dict[str, Any], exchange: dict[str, str], judgement: ProgramRun
) -> TestVerdict:
    limits = program["limits"]
    guest = make_guest(exchange["stdin"].encode(errors="surrogatepass"), True)
    try:
        with _watched(guest):
            guest.start(program["source"], main=True, tests=1)
            status = guest.wait_for_end()
            if guest.printed() > limits["output"]:
                return ("output", f"more than {limits['output']} bytes were printed")
            printed, complaint = guest.output(limits["output"])
            if status != 0:
                return _of_status(status, complaint)
            text = printed.decode(errors="replace")
            if same_text(text, exchange["stdout"], program["tolerance"]):
                return ("passed", "")
            return ("wrong", f"printed {shown(text)}, expected {shown(exchange['stdout'])}")
    except StoppedError as stop:
        return (stop.outcome, stop.detail)
    finally:
        judgement.leave(guest)


def _of_status(status: int, complaint: bytes) -> TestVerdict:
    last = (complaint[-2000:].decode(errors="replace").strip().splitlines() or [""])[-1][:400]
    if last.startswith("MemoryError"):
        return ("memory", "the program ran out of memory")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return ("timeout", "the CPU time limit was exceeded")
        return ("crashed", f"the program was killed by {signal.Signals(number).name}")
    return ("error", last or f"exit status {os.WEXITSTATUS(status)}")
