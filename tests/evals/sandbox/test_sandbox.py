"""Running programs: what passes, what fails and how, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from evalkit.errors import RunError, UsageError
from evalkit.evals.sandbox import open_sandbox, probe
from evalkit.evals.sandbox.inside.layout import find_layout
from evalkit.evals.sandbox.pool import SlotPool
from evalkit.tasks.execution import (
    Asserts,
    Call,
    Calls,
    Exchange,
    Execution,
    Limits,
    Outcome,
    Program,
    Stdio,
)
from evalkit.tests.support.sandbox_attacks import descendants, forget_others

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="local sandboxes need Linux")


@pytest.fixture(autouse=True)
def only_what_this_test_starts() -> None:
    forget_others()


LIMITS = Limits(cpu_seconds=1.0, wall_seconds=2.0)
DOUBLE = "def double(x):\n    return x * 2\n"


@pytest.fixture(scope="module")
def tier() -> str:
    for name in probe.LOCAL_TIERS:
        if not asyncio.run(probe.probe(name)):
            return name
    pytest.skip("no local sandbox works on this machine")


@asynccontextmanager
async def opened(tier: str, slots: int = 1):
    pool = SlotPool(tier, slots=slots, layout=find_layout())
    try:
        yield pool
    finally:
        await pool.close()


def run(tier: str, *programs: Program) -> list[Execution]:
    async def run_all() -> list[Execution]:
        async with opened(tier) as pool:
            return [await pool.run(program) for program in programs]

    return asyncio.run(run_all())


def outcomes(execution: Execution) -> list[str]:
    assert not execution.failure
    return [result.outcome.value for result in execution.results]


def calls(source: str, name: str, *pairs: tuple, limits: Limits = LIMITS, **settings) -> Program:
    return Program(source, Calls(name, tuple(Call(args, expected) for args, expected in pairs), **settings), limits)


def asserts(source: str, name: str, *tests: str, setup: str = "", exposes: tuple[str, ...] = ()) -> Program:
    return Program(source, Asserts(name, tests, setup, exposes), LIMITS)


def stdio(source: str, *pairs: tuple[str, str], limits: Limits = LIMITS, tolerance: float = 0.0) -> Program:
    return Program(source, Stdio(tuple(Exchange(*pair) for pair in pairs), tolerance), limits)


def test_calls(tier):
    method = "class Solution:\n    def __init__(self): self.n = 0\n    def add(self, x): self.n += x; return self.n"
    values = [None, -(10**30), 2.5, "ё\ud800\0", b"\0", [1, (2, {3})], {(1,): {"k": 1j}}, float("inf"), range(3)]
    same, after = "def same(x):\n    return x", "def pair(x):\n    return (x, [x, (x,)])"
    program = Program("def f(a, *, b): return a - b", Calls("f", (Call((3,), 1, {"b": 2}),)), LIMITS)
    results = run(
        tier,
        calls(DOUBLE, "double", ((2,), 4), ((3,), 7), (("а",), "аа")),
        calls(method, "Solution.add", ((2,), 2), ((3,), 5)),
        calls(same, "same", *(((value,), value) for value in values)),
        calls(after, "pair", ((1,), [1, [1, [1]]]), tuples_as_lists=True),
        calls(after, "pair", ((1,), [1, [1, [1]]])),
        calls("def f(x): return [x / 3, {'k': x}]", "f", ((1,), [0.333333, {"k": 1.0}]), tolerance=1e-5),
        calls("def f(x): return x / 3", "f", ((1,), 0.333333), ((float("nan"),), 1.0), tolerance=1e-9),
        program,
    )
    assert outcomes(results[0]) == ["passed", "wrong", "passed"]
    assert results[0].results[1].detail == "returned 6, expected 7"
    assert [outcomes(result) for result in results[1:4]] == [["passed"] * 2, ["passed"] * len(values), ["passed"]]
    assert outcomes(results[4]) == ["wrong"]
    assert outcomes(results[5]) == ["passed"]
    assert outcomes(results[6]) == ["wrong", "wrong"]
    assert results[7].passed


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x) return", ["error", "not_run"]),
        ("raise ValueError('при загрузке')", ["error", "not_run"]),
        ("g = 1", ["error", "error"]),
        ("def f(x):\n    if x == 1: raise KeyError(x)\n    return 2", ["error", "passed"]),
        ("import os\ndef f(x): os._exit(0)", ["crashed", "not_run"]),
        ("import os\nos._exit(0)", ["crashed", "not_run"]),
        ("def f(x): exit()", ["crashed", "not_run"]),
        ("def f(x):\n    while True: pass", ["timeout", "not_run"]),
        ("while True: pass", ["timeout", "not_run"]),
        ("import time\ndef f(x): time.sleep(9)", ["timeout", "not_run"]),
        ("def f(x): return bytearray(2 << 30)", ["memory", "memory"]),
        ("def f(x): return 'x' * (32 << 20)", ["output", "not_run"]),
        ("def f(x):\n    print('x' * (2 << 20))\n    return 1", ["output", "output"]),
        ("import ctypes\ndef f(x): ctypes.string_at(0)", ["crashed", "not_run"]),
        ("def f(x):\n    f.y = [f]\n    return f", ["wrong", "wrong"]),
        ("", ["error", "error"]),
    ],
)
def test_failures_of_the_program_are_named(tier, source, expected):
    (result,) = run(tier, calls(source, "f", ((1,), 1), ((2,), 2)))
    assert outcomes(result) == expected
    quiet = (Outcome.PASSED, Outcome.NOT_RUN)
    assert all(test.detail for test in result.results if test.outcome not in quiet)


def test_hostile_words_come_out_as_one_line_of_text(tier):
    source = "def f(x): raise type('Б\\n', (Exception,), {})('\\udcff\\r\\nда\\x1b[2J' + 'x' * 10000)"
    (result,) = run(tier, calls(source, "f", ((1,), 1)))
    detail = result.results[0].detail
    detail.encode()
    assert detail.isprintable()
    assert "да" in detail
    assert len(detail) <= 500


def test_processor_time_of_all_threads_counts_though_the_answer_comes(tier):
    source = "import time\ndef f(x):\n    while time.process_time() < 1.2: pass\n    return 1"
    (result,) = run(tier, calls(source, "f", ((1,), 1)))
    assert outcomes(result) == ["timeout"]
    assert result.cpu_seconds >= 1.0


def test_asserts(tier):
    mutating = (
        "def work(rows, seen):\n    rows[0].append(1)\n    rows.append([])\n    seen.add('я')\n    return None"
    )
    pair = (
        "class Pair:\n    def __init__(self, a): self.a = a\n    def twice(self): return self.a * 2\n"
        "    def __len__(self): return 7\n"
    )
    results = run(
        tier,
        asserts(DOUBLE, "double", "def check(f):\n    assert f(2) == 4\n    assert f('a') == 'aa'\ncheck(double)"),
        asserts(
            DOUBLE,
            "double",
            "assert double(2) == 4",
            "assert double(2) == 5, 'нет'",
            "assert double([1]) == [1, 1]",
        ),
        asserts(
            mutating,
            "work",
            "rows, seen = [[]], set()\nwork(rows, seen)\nassert rows == [[1], []] and seen == {'я'}",
        ),
        asserts("def f(x): raise KeyError(x)", "f", "try:\n    f(1)\nexcept KeyError:\n    pass", "f(1)"),
        asserts("def f(g): return [g(x) for x in (1, 2)]", "f", "assert f(lambda x: x + 1) == [2, 3]"),
        asserts("def f(n):\n    yield from range(n)", "f", "assert list(f(3)) == [0, 1, 2]", "assert f(1) != [0]"),
        asserts(
            pair + "def f(p): return p.a",
            "f",
            "p = Pair(3)\nassert f(p) == p.a == 3 and p.twice() == 6 and len(p) == 7",
            exposes=("Pair",),
        ),
        asserts(
            DOUBLE,
            "double",
            "assert helper(double(2)) == 5 and floor(2.5) == 2",
            setup="from math import floor\ndef helper(x): return x + 1",
        ),
        asserts(DOUBLE, "double", "len(double(None))", "double()"),
    )
    assert results[0].passed
    assert outcomes(results[1]) == ["passed", "wrong", "passed"]
    assert results[1].results[1].detail == "failed: assert double(2) == 5, 'нет'"
    assert results[2].passed
    assert outcomes(results[3]) == ["passed", "error"]
    assert results[3].results[1].detail == "KeyError: '1'"
    assert all(result.passed for result in results[4:8])
    assert outcomes(results[8]) == ["error", "error"]


def test_a_test_may_set_an_attribute_of_the_program_s_object(tier):
    source = (
        "class Node:\n    def __init__(self, v):\n        self.v, self.left = v, None\n"
        "def depth(n):\n    return 0 if n is None else 1 + depth(n.left)\n"
    )
    setup = "root = Node(1); root.left = Node(2)\nassert depth(root) == "
    program = asserts(source, "depth", f"{setup}2", f"{setup}1", exposes=("Node",))
    assert outcomes(run(tier, program)[0]) == ["passed", "wrong"]


@pytest.mark.parametrize("death", ["os._exit(0)", "sys.exit(0)", "os.kill(os.getpid(), 9)", "os.closerange(0, 99)"])
def test_a_test_that_expects_an_exception_takes_no_death_for_it(tier, death):
    tolerant = "try:\n    f(1)\nexcept:\n    pass"
    (result,) = run(tier, asserts(f"import os, sys\ndef f(x): {death}", "f", tolerant, "assert True"))
    assert outcomes(result) == ["crashed", "not_run"]


def test_tests_that_cannot_run_are_failures_of_the_apparatus(tier):
    results = run(
        tier,
        asserts(DOUBLE, "double", "double(object())"),
        asserts(DOUBLE, "double", "assert True", setup="import nothing_of_this_name"),
        calls(DOUBLE, "double", ((object(),), 1)),
        calls(DOUBLE, "double", (("x" * (17 << 20),), 1)),
        calls(DOUBLE, "double", ((2,), 4)),
    )
    assert [bool(result.failure) for result in results] == [True, True, True, True, False]
    assert "type object" in results[0].failure
    assert "setup of the tests raised ModuleNotFoundError" in results[1].failure
    assert results[4].passed


def test_stdio(tier):
    echo = "import sys\nfor line in sys.stdin: print(line.rstrip(), end=' \\n')\nprint()"
    results = run(
        tier,
        stdio("print(int(input()) * 2)", ("2\n", "4"), ("3", "6\n\n"), ("4", "9"), ("", "0"), ("5", "10")),
        stdio(echo, ("а\nб\n", "а\nб\n")),
        stdio("print('1.50', 2)", ("", "1.5 2.0"), ("", "1.5 3"), ("", "1.5"), ("", "1.5\n2")),
        stdio("print(0.1 + 0.2)", ("", "0.3"), tolerance=1e-9),
        stdio("print(0.1 + 0.2)", ("", "0.3")),
        stdio("import sys\nprint(1)\nsys.exit(0)", ("", "1")),
        stdio("print(1)\nimport sys\nsys.exit('беда')", ("", "1")),
        stdio("import os\nprint(open(0).read(), flush=True)\nos._exit(0)", ("1", "1")),
        stdio(
            "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print(1))).start()",
            ("", "1"),
        ),
        stdio("if __name__ == '__main__': print(1)", ("", "1")),
        stdio("while True: pass", ("", "1"), ("", "1")),
        stdio("print('x' * (2 << 20))", ("", "x")),
        stdio("x = bytearray(2 << 30)", ("", "x")),
        stdio("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", ("", "x")),
    )
    assert outcomes(results[0]) == ["passed", "passed", "wrong", "error", "passed"]
    assert results[0].results[2].detail == "printed '8\\n', expected '9'"
    assert results[0].results[3].detail.startswith("EOFError")
    assert outcomes(results[1]) == ["passed"]
    assert outcomes(results[2]) == ["passed", "wrong", "wrong", "wrong"]
    assert [outcomes(result)[0] for result in results[3:]] == [
        *(
            "passed",
            "wrong",
            "passed",
            "error",
            "passed",
            "passed",
            "passed",
            "timeout",
            "output",
            "memory",
            "crashed",
        )
    ]
    assert outcomes(results[10]) == ["timeout", "not_run"]
    assert results[6].results[0].detail == "беда"


@pytest.mark.parametrize(
    "source",
    [
        "print(int(open('/dev/stdin').read()) * 2)",
        "import sys\nsys.stdin = open('/dev/stdin')\nprint(int(input()) * 2)",
        "from pathlib import Path\nprint(int(Path('/dev/stdin').read_text()) * 2)",
        "with open('/proc/self/fd/0', 'rb') as file: print(int(file.read()) * 2)",
        "print(int(open(0).read()) * 2)",
    ],
)
def test_standard_input_has_its_usual_names(tier, source):
    assert run(tier, stdio(source, ("3\n", "6"), ("4\n", "8")))[0].passed


@pytest.mark.parametrize(
    "source",
    [
        "from multiprocessing import Pool\nwith Pool(2) as pool: print(pool.map(abs, [1]))",
        "from multiprocessing import Process\nProcess(target=print).start()",
        "from concurrent.futures import ProcessPoolExecutor as P\nwith P() as pool: print(*pool.map(abs, [1]))",
        "import os\nos.fork()",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.system('true') == 0 or os.posix_spawn('/bin/true', ['true'], {})",
    ],
)
def test_a_program_that_starts_processes_is_told_that_it_cannot(tier, source):
    (result,) = run(tier, stdio(source, ("", "1")))
    assert outcomes(result) == ["error"]
    assert "cannot start processes" in result.results[0].detail


def test_limits_hold_while_bytes_keep_coming(tier):
    drip = (
        "import os, struct, time\ndef f(x):\n    for number in range(3, 256):\n        try:\n"
        "            if os.fstat(number).st_mode & 0o170000 == 0o140000:\n"
        "                os.write(number, struct.pack('>I', 16 * 2**20))\n"
        "                while True:\n                    os.write(number, b' ')\n"
        "                    time.sleep(0.004)\n"
        "        except OSError: pass\n"
    )
    items = "import time\ndef f(x):\n    while True:\n        time.sleep(0.005)\n        yield 1\n"
    asked = "import time\ndef f(g):\n    while True:\n        time.sleep(0.005)\n        g(1)\n"
    results = run(
        tier,
        calls(drip, "f", ((1,), 1)),
        asserts(items, "f", "assert list(f(1)) == [1]"),
        asserts(asked, "f", "assert f(lambda x: x) == 1"),
    )
    assert [outcomes(result) for result in results] == [["timeout"]] * 3


def test_the_test_and_the_program_may_not_call_each_other_forever(tier):
    forever = "def again(x): return f(again)\nassert f(again) == 1"
    results = run(
        tier, asserts("def f(g): return g(1)", "f", forever, "assert True"), calls(DOUBLE, "double", ((1,), 2))
    )
    assert outcomes(results[0])[0] == "error"
    assert results[1].passed


def test_runs_do_not_see_one_another(tier):
    leave = "import random\ndef f(x):\n    open('left', 'w').write('x')\n    random.seed(9)\n    return x"
    look = "import os, random\ndef f(x): return [os.listdir('.'), random.random(), sorted(map(hash, 'абв'))]"
    expected: list = []

    async def look_twice() -> list[str]:
        async with opened(tier) as first, opened(tier) as second:
            await first.run(calls(leave, "f", ((1,), 1)))
            return [
                (await pool.run(calls(look, "f", ((1,), expected)))).results[0].detail for pool in (first, second)
            ]

    one, other = asyncio.run(look_twice())
    assert one == other
    assert one.startswith("returned [[], 0.")


def test_numpy_programs_answer_with_plain_numbers(tier):
    pytest.importorskip("numpy")
    (result,) = run(tier, calls("import numpy as np\ndef f(x): return np.arange(x).sum()", "f", ((4,), 6)))
    assert result.passed, result


def test_a_slot_that_dies_is_replaced_and_its_program_run_again(tier):
    # Far longer than it takes to kill it: one kill is waited for in full, the second attempt after two is not.
    slow = "import time\ndef f(x):\n    time.sleep({})\n    return 1"

    async def kill(times: int) -> Execution:
        async with opened(tier) as pool:
            await pool.run(calls(DOUBLE, "double", ((1,), 2)))
            limits = Limits(cpu_seconds=1.0, wall_seconds=120.0)
            program = calls(slow.format(2 if times == 1 else 100), "f", ((1,), 1), limits=limits)
            running, killed = asyncio.create_task(pool.run(program)), []
            for _ in range(times):
                while not (started := [s._process for s in pool._open if s._process and s._process not in killed]):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.35)  # killed while it starts or while it runs: both must do
                killed += started
                started[0].kill()
            result = await running
            assert (await pool.run(calls(DOUBLE, "double", ((1,), 2)))).passed
            return result

    assert asyncio.run(kill(1)).passed
    assert "sandbox process died" in asyncio.run(kill(2)).failure


def test_a_zygote_that_dies_is_no_verdict_on_the_program(tier):
    async def kill_zygote() -> list[Execution]:
        async with opened(tier) as pool:
            await pool.run(calls(DOUBLE, "double", ((1,), 2)))
            worker = next(iter(pool._open))._process.pid
            (zygote,) = [pid for pid in descendants() if _parent(pid) == worker]
            os.kill(zygote, signal.SIGKILL)
            return [await pool.run(calls(DOUBLE, "double", ((1,), 2))) for _ in range(2)]

    assert all(result.passed for result in asyncio.run(kill_zygote()))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_cancelled_run_frees_its_slot(tier):
    async def cancel() -> bool:
        async with opened(tier) as pool:
            running = asyncio.create_task(pool.run(calls("import time\ndef f(x): time.sleep(9)", "f", ((1,), 1))))
            await asyncio.sleep(0.5)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return (await pool.run(calls(DOUBLE, "double", ((1,), 2)))).passed

    assert asyncio.run(cancel())
    assert descendants() == []


@pytest.mark.exhaustive
def test_many_runs_leave_nothing_behind(tier):
    """Two thousand runs, bad ones among them: no process, descriptor, file or memory is kept."""
    good, bad = calls(DOUBLE, "double", ((1,), 2)), calls("import os\ndef f(x): os.abort()", "f", ((1,), 1))
    big = calls("def f(x): return list(range(20000))", "f", ((1,), 1))

    async def run_many() -> None:
        async with opened(tier, slots=2) as pool:
            await asyncio.gather(*(pool.run(program) for program in [good, bad, big] * 10))
            before = _belongings(pool)
            for _ in range(20):
                await asyncio.gather(*(pool.run(program) for program in [*[good] * 94, *[bad] * 4, *[big] * 2]))
            after = _belongings(pool)
            assert after["processes"] == before["processes"]
            assert after["descriptors"] == before["descriptors"]
            assert after["memory"] <= before["memory"] + 8 * 2**20

    folders = set(Path("/tmp").glob("evalkit-sandbox-*"))
    asyncio.run(run_many())
    assert descendants() == []
    assert set(Path("/tmp").glob("evalkit-sandbox-*")) <= folders


def _belongings(pool: SlotPool) -> dict[str, int]:
    workers = [slot._process.pid for slot in pool._open if slot._process]
    assert len(workers) == 2
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in descendants())
    descriptors = sum(map(_descriptors, [os.getpid(), *descendants()]))
    return {
        "processes": len(descendants()),
        "descriptors": descriptors,
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
    }


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except PermissionError:
        return 0  # only root may look into a worker


def test_the_strongest_tier_that_works_is_opened(tier):
    async def opened_name() -> str:
        async with open_sandbox(slots=1) as sandbox:
            assert (await sandbox.run(calls(DOUBLE, "double", ((1,), 2)))).passed
            return sandbox.name

    assert asyncio.run(opened_name()) == tier


def test_unsafe_must_be_allowed_and_says_what_it_is():
    async def open_it(unsafe: bool) -> str:
        async with open_sandbox("unsafe", slots=1, unsafe=unsafe) as sandbox:
            assert (await sandbox.run(calls(DOUBLE, "double", ((1,), 2)))).passed
            return sandbox.name

    assert asyncio.run(open_it(True)) == "unsafe"
    with pytest.raises(UsageError, match="--unsafe-code"):
        asyncio.run(open_it(False))


def test_nothing_weaker_is_taken_where_nothing_works(monkeypatch):
    async def flawed(*_: object) -> str:
        return "unshare: Operation not permitted"

    async def no_daemon() -> str:
        return "there is no docker command"

    monkeypatch.setattr(probe, "find_flaw", flawed)
    monkeypatch.setattr(probe, "find_daemon_flaw", no_daemon)

    async def open_it(choice: str, unsafe: bool = False) -> str:
        async with open_sandbox(choice, slots=1, unsafe=unsafe) as sandbox:
            return sandbox.name

    with pytest.raises(
        RunError, match=r"programs are not run.*unshare.*apparmor.*no docker command.*--unsafe-code"
    ):
        asyncio.run(open_it("auto"))
    with pytest.raises(RunError, match="'landlock' does not work here"):
        asyncio.run(open_it("landlock", unsafe=True))
    with pytest.raises(UsageError, match="Did you mean 'namespace'"):
        asyncio.run(open_it("namespaces"))
    assert asyncio.run(open_it("auto", unsafe=True)) == "unsafe"
    assert [(name, works) for name, works, _ in probe.describe_sandbox()] == [
        ("namespace", False),
        ("landlock", False),
        ("docker", False),
    ]


REFUSING = """
import asyncio, os, struct, sys
from evalkit.errors import RunError
from evalkit.evals.sandbox import open_sandbox
from evalkit.evals.sandbox.inside import seccomp, system

refused = [int(number) for number in sys.argv[1:]]
tests = [(0x15, len(refused) - place, 0, number) for place, number in enumerate(refused)]
instructions = [(0x20, 0, 0, 0), *tests, (6, 0, 0, 0x7FFF0000), (6, 0, 0, 0x50001)]
system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install_filter(b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions), os.getpid())

async def name():
    async with open_sandbox("auto", slots=1) as sandbox:
        return sandbox.name

try:
    print(asyncio.run(name()))
except RunError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("landlock_too", [False, True])
def test_a_machine_that_refuses_namespaces_gets_the_next_tier_or_the_reasons(tier, landlock_too, monkeypatch):
    """As under Docker's default profile, which refuses ``unshare``, and an older one, which knows no Landlock."""
    monkeypatch.setenv("PATH", "/nowhere")  # no docker command
    unshare = {"x86_64": 272, "aarch64": 97}[os.uname().machine]
    numbers = [str(unshare), *(["444"] if landlock_too else [])]
    command = [sys.executable, "-c", REFUSING, *numbers]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if said != "landlock":
        assert said.startswith("refused: no sandbox works here, so model-written programs are not run. namespace: ")
        assert "unshare: Operation not permitted" in said
        assert "there is no docker command" in said
    if landlock_too:
        assert "landlock: " in said
