"""The grader against answers meant to stall, crash or fool it, from every kind of caller."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from evalkit.tasks.math.grading import Verdict, extract, grade, same
from evalkit.tasks.math.grading.pool import _worker
from evalkit.tests.support.hostile_math import HOSTILE_MATH

GOLDS = ("5", "x^2+1", r"(1;\sqrt{2})\cup(3;4)", r"\{\sqrt{2}; \sqrt{3}\}")
HARMLESS = {Verdict.WRONG, Verdict.UNPARSED, Verdict.LIMIT, Verdict.TIMEOUT}
MEGABYTE = 1_000_000


@pytest.mark.parametrize("name", HOSTILE_MATH)
def test_hostile_answers_end(name: str) -> None:
    for gold in GOLDS:
        verdict, _ = same(gold, HOSTILE_MATH[name], budget=0.15)
        assert verdict in HARMLESS, gold


def test_the_whole_budget_ends_too() -> None:
    assert grade("5", r"\boxed{\lim_{n\to\infty} \sum_{k=1}^{10^9} \frac{1}{k!}}").verdict in HARMLESS


def test_the_next_answers_are_judged_as_ever() -> None:
    for name in ("limit of a sum", "set of roots"):
        same("x^2+1", HOSTILE_MATH[name], budget=0.2)
        # The budget is wall time, of which a busy machine needs more.
        assert same(r"\sqrt{8}", r"2\sqrt2", budget=30)[0] is Verdict.CORRECT
        assert same(r"\sqrt{8}", r"2\sqrt3", budget=30)[0] is Verdict.WRONG


def test_from_threads() -> None:
    names = [*HOSTILE_MATH][::3]

    def judge(name: str) -> tuple[Verdict, Verdict]:
        bad, _ = same("x^2+1", HOSTILE_MATH[name], budget=0.5)
        good, _ = same(r"\sin^2 x", r"1-\cos^2 x", budget=30)
        return bad, good

    with ThreadPoolExecutor(8) as threads:
        for bad, good in threads.map(judge, names):
            assert bad in HARMLESS
            assert good is Verdict.CORRECT


def test_from_asyncio() -> None:
    async def judge_all() -> list[Verdict]:
        ask = [asyncio.to_thread(same, "x^2+1", HOSTILE_MATH[name], budget=0.5) for name in [*HOSTILE_MATH][::4]]
        return [verdict for verdict, _ in await asyncio.gather(*ask)]

    assert set(asyncio.run(judge_all())) <= HARMLESS


def test_the_callers_own_alarm_is_left_alone() -> None:
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        same(r"\sqrt{2}", HOSTILE_MATH["limit of a sum"], budget=0.3)
        assert rung.wait(60)  # an alarm that was taken away never rings
    finally:
        signal.signal(signal.SIGALRM, before)


def test_no_code_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in ("__import__('os').system('touch pwned')", 'exec(\'open("pwned", "w")\')', r"\text{}__import__"):
        for gold in GOLDS:
            assert grade(gold, rf"\boxed{{{code}}}").verdict in HARMLESS
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("mode", ["numeric", "symbolic"])
def test_a_killed_worker_is_started_again(mode: str) -> None:
    gold, answer = {"numeric": (r"\sqrt{8}", r"2\sqrt{2}"), "symbolic": (r"\int_0^1 x dx", r"\frac{1}{2}")}[mode]
    assert same(gold, answer, budget=30)[0] is Verdict.CORRECT
    worker = _worker(mode)
    worker.process.kill()
    worker.process.wait()
    assert same(gold, answer, budget=30)[0] is Verdict.CORRECT


def test_a_fork_gets_a_worker_of_its_own() -> None:
    script = (
        "import os, sys\n"
        "from evalkit.tasks.math.grading import close_workers, grade\n"
        "right = lambda: grade(r'\\sqrt{8}', r'\\boxed{2\\sqrt2}').verdict == 'correct'\n"
        "ok = right()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    ok = right()\n"
        "    close_workers()\n"
        "    os._exit(0 if ok else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "sys.exit(0 if ok and right() and status == 0 else 1)\n"
    )
    # Forking with threads around is what this is about, so Python's warning of it is not an error here.
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script], timeout=120, check=False
    )
    assert done.returncode == 0


def test_workers_end_with_their_owner() -> None:
    script = (
        "import os, signal\n"
        "from evalkit.tasks.math.grading import grade\n"
        "from evalkit.tasks.math.grading.pool import _worker\n"
        "grade(r'\\sqrt{8}', r'\\boxed{2\\sqrt2}')\n"
        "print(_worker('numeric').process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=120, check=False, capture_output=True, text=True)
    pid = int(done.stdout)
    for _ in range(1200):
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        threading.Event().wait(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the worker outlived its owner")


REPEATED = (
    *(r"\boxed{", r"\boxed{1} ", r"\boxed ", r"\begin{", r"\[", r"\(", "\\", "$", "$x", "{", "(", '"', "#", "*"),
    *(
        "Ответ: ",
        "Ответ: 5. ",
        "Ответ:\n",
        "Ответ: (",
        "answer is ",
        "is ",
        "Пусть x равно 5. ",
        "<think>",
        "</think>",
    ),
    *("7", "7 ", "1.", " ", "\n", "<|", "я"),
)


@pytest.mark.parametrize("unit", REPEATED)
def test_a_megabyte_is_read(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    extract(text)
    found = extract(text + "\n\nОтвет: 17")
    assert found is None or "17" in found or unit in (r"\boxed{", "</think>")


def test_an_answer_before_a_megabyte_of_text() -> None:
    assert grade("5", r"\boxed{5}" + " пояснение" * 100_000).verdict is Verdict.CORRECT
    assert grade("5", "Ответ: 5.\n" + " пояснение" * 100_000).verdict is Verdict.CORRECT


def test_candidates_are_not_sprayed() -> None:
    sprays = (
        "2 или 3 или 4",
        "2, 3, 4",
        "{1; 2; 3; 4; 5}",
        r"\{..., -2, -1, 0, 1, 2, 3, ...\}",
        r"1, 2, 3, \ldots",
        r"\mathbb{Z}",
        r"\mathbb{R}",
        "любое число",
        "n, n ∈ Z",
        r"\pm 3",
        "от 1 до 5",
        "2-4",
        "2;3;4",
        "2 3 4",
    )
    for answer in sprays:
        for text in (f"Ответ: {answer}", rf"\boxed{{{answer}}}"):
            assert grade("3", text).verdict is not Verdict.CORRECT, text
    assert grade("3", r"\boxed{2} \boxed{3} \boxed{4}").verdict is not Verdict.CORRECT
    assert grade("3", r"\boxed{2}, \boxed{3}, \boxed{4}").verdict is not Verdict.CORRECT
