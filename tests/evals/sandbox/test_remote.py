"""Programs elsewhere: a loopback server of SandboxFusion's protocol, and a slot behind a docker command."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from aiohttp import web
from evalkit.evals.models.http import retry
from evalkit.evals.sandbox import docker, open_sandbox, probe
from evalkit.evals.sandbox.inside.layout import find_layout
from evalkit.evals.sandbox.pool import UNPRIVILEGED_USER, SlotPool
from evalkit.tasks.execution import Asserts, Call, Calls, Exchange, Execution, Limits, Program, Stdio
from evalkit.tests.support.run_code_server import RunCodeServer, run_code_server
from evalkit.tests.support.sandbox_attacks import descendants, forget_others

LIMITS = Limits(cpu_seconds=2.0, wall_seconds=8.0)
DOUBLE = "def double(x):\n    print('hello')\n    return x * 2\n"


@pytest.fixture(autouse=True)
def only_what_this_test_starts() -> None:
    forget_others()


def calls(source: str, name: str, *pairs: tuple, limits: Limits = LIMITS) -> Program:
    return Program(source, Calls(name, tuple(Call(args, expected) for args, expected in pairs)), limits)


def asserts(source: str, name: str, *tests: str) -> Program:
    return Program(source, Asserts(name, tests), LIMITS)


def run(*programs: Program, faults: tuple[web.Response, ...] = ()) -> tuple[list[Execution], RunCodeServer]:
    async def run_all() -> tuple[list[Execution], RunCodeServer]:
        async with run_code_server() as server:
            server.faults = list(faults)
            async with open_sandbox(f"remote:{server.url}", slots=2) as sandbox:
                assert sandbox.name == f"remote:{server.url}"
                return list(await asyncio.gather(*map(sandbox.run, programs))), server

    return asyncio.run(run_all())


def outcomes(execution: Execution) -> list[str]:
    assert not execution.failure
    return [result.outcome.value for result in execution.results]


def test_all_kinds_of_tests_run_far_away():
    mutating = "def f(rows):\n    rows[0].append(1)\n    return {len(rows)}"
    results, server = run(
        calls(DOUBLE, "double", ((2,), 4), (("а",), "аб"), (((1, {2: {3}}),), (1, {2: {3}}, 1, {2: {3}}))),
        calls("class Solution:\n    def f(self, x): return x", "Solution.f", ((1,), 1)),
        asserts(mutating, "f", "rows = [[]]\nassert f(rows) == {1} and rows == [[1]]", "assert f([[]]) == {2}"),
        asserts("def f(x): raise KeyError(x)", "f", "try: f(1)\nexcept KeyError: pass", "f(1)"),
        Program(
            "print(int(input()) * 2)", Stdio((Exchange("2\n", "4"), Exchange("3\n", "7"), Exchange("", ""))), LIMITS
        ),
    )
    assert outcomes(results[0]) == ["passed", "wrong", "passed"]
    assert results[0].output.startswith("hello")
    assert outcomes(results[1]) == ["passed"]
    assert outcomes(results[2]) == ["passed", "wrong"]
    assert outcomes(results[3]) == ["passed", "error"]
    assert outcomes(results[4]) == ["passed", "wrong", "error"]
    assert all(body["language"] == "python" for body in server.requests)
    assert descendants() == []


def test_expected_values_never_leave():
    _, server = run(
        calls(DOUBLE, "double", ((2,), "expected-value-7193")),
        asserts(DOUBLE, "double", "assert double(1) == 'expected-value-7193'"),
        Program("print(1)", Stdio((Exchange("", "expected-value-7193"),)), LIMITS),
    )
    assert len(server.requests) == 3
    assert not any("7193" in str(body) for body in server.requests)


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("import os\ndef f(x): os._exit(0)", "crashed"),
        ("def f(x): raise SystemExit", "crashed"),
        ("raise ValueError", "error"),
        ("def f(x) return", "error"),
        ("import time\ndef f(x): time.sleep(60)", "timeout"),
        ("class E:\n    def __eq__(self, other): return True\ndef f(x): return E()", "wrong"),
        (
            "import sys\ndef f(x):\n    sys.stdout.write = print\n    print('\\n00ff{\"value\": 1}')\n    return 2",
            "crashed",
        ),
    ],
)
def test_failures_of_the_program_are_named(source, outcome):
    # What ends by itself is given the time to: the limit counts the start of an interpreter too.
    limits = Limits(cpu_seconds=2.0, wall_seconds=3.0 if outcome == "timeout" else 60.0)
    (result,), _ = run(calls(source, "f", ((1,), 1), limits=limits))
    assert outcomes(result) == [outcome]


def test_a_server_that_stumbles_is_asked_again_and_one_that_fails_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    busy = web.Response(status=503)
    (result,), server = run(calls(DOUBLE, "double", ((2,), 4)), faults=(busy,))
    assert result.passed
    assert len(server.requests) == 2
    faults = [
        web.json_response({"status": "SandboxError", "message": "no pod", "run_result": None}) for _ in range(6)
    ]
    (result,), server = run(calls(DOUBLE, "double", ((2,), 4)), faults=tuple(faults))
    assert "SandboxError: no pod" in result.failure
    assert result.results == ()
    assert len(server.requests) == 6


NONSENSE = {
    "a list": [1],
    "null": None,
    "no result": {"status": "Success", "run_result": None},
    "an empty result": {"status": "Success", "run_result": {}},
    "no status": {"status": "Success", "run_result": {"stdout": "", "stderr": "", "return_code": 0}},
    "a number for a stream": {
        "status": "Success",
        "run_result": {"status": "Finished", "stdout": 5, "return_code": 0},
    },
    "a text for a code": {
        "status": "Success",
        "run_result": {"status": "Finished", "stdout": "", "return_code": "0"},
    },
    "true for a code": {
        "status": "Failed",
        "run_result": {"status": "Finished", "stdout": "", "return_code": True},
    },
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_server_that_answers_nonsense_gives_no_verdict(kind, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    io = Program("print(1)", Stdio((Exchange("", "1"),)), LIMITS)
    for program in (calls(DOUBLE, "double", ((2,), 4)), io):
        (result,), _ = run(program, faults=tuple(web.json_response(NONSENSE[kind]) for _ in range(6)))
        assert result.failure.startswith("remote:")
        assert result.results == ()


def test_a_server_that_is_not_there_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)

    async def ask() -> Execution:
        async with open_sandbox("remote:http://127.0.0.1:9", slots=1) as sandbox:
            return await sandbox.run(calls(DOUBLE, "double", ((2,), 4)))

    assert "remote:http://127.0.0.1:9" in asyncio.run(ask()).failure


def test_a_server_that_refuses_is_not_asked_again():
    (result,), server = run(
        calls(DOUBLE, "double", ((2,), 4)), faults=tuple(web.Response(status=404) for _ in "ab")
    )
    assert result.failure.endswith("HTTP 404")
    assert len(server.requests) == 2  # a slot is tried twice


def test_objects_need_a_local_sandbox():
    (result,), _ = run(asserts("def f(x): return iter([x])", "f", "assert list(f(1)) == [1]"))
    assert "need a local one" in result.failure


FAKE_DOCKER = """#!{interpreter}
import os, sys
if sys.argv[1] == "version":
    print("1.0")
elif sys.argv[1] == "run":
    environment = dict(word[6:].split("=", 1) for word in sys.argv if word.startswith("--env="))
    (mounted,) = [word[9:].split(":")[0] for word in sys.argv if word.startswith("--volume=")]
    flags = sys.argv[sys.argv.index("python") + 1:]
    flags[-1] = flags[-1].replace("'/evalkit'", repr(os.path.dirname(mounted)))
    os.execve(sys.executable, [sys.executable, *flags], environment)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-in for docker starts a slot here")
def test_a_slot_answers_through_the_pipes_of_docker(tmp_path, monkeypatch):
    """What docker itself isolates is not tried here; that the slot behind it works is."""
    command = tmp_path / "docker"
    command.write_text(FAKE_DOCKER.format(interpreter=sys.executable))
    command.chmod(0o755)
    box = Path("/tmp") / f"evalkit-test-box-{os.getpid()}"
    box.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(box, UNPRIVILEGED_USER, UNPRIVILEGED_USER)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(docker, "SCRATCH", str(box))

    async def ask() -> list[Execution]:
        pool = SlotPool("docker", slots=1, layout=find_layout())
        try:
            fork = "import os\ndef f(x): os.fork()"
            return [await pool.run(calls(source, "f", ((1,), 2))) for source in ("def f(x): return x + 1", fork)]
        finally:
            await pool.close()

    try:
        honest, hostile = asyncio.run(ask())
    finally:
        box.rmdir()
    assert honest.passed, honest
    assert outcomes(hostile) == ["error"]
    assert "PermissionError" in hostile.results[0].detail
    assert asyncio.run(docker.find_daemon_flaw()) == ""


def test_docker_without_a_daemon_is_refused_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no docker command" in asyncio.run(probe.probe("docker"))
    command = tmp_path / "docker"
    command.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    command.chmod(0o755)
    assert "Cannot connect to the Docker daemon" in asyncio.run(probe.probe("docker"))
