"""Runs a folder of attacks through a sandbox and reports every breach: a module for tests, and a script.

As a script it prints the report as JSON: ``python sandbox_attacks.py TIER MODE FOLDER…``. It needs the standard
library and evalkit's sandbox alone, so that it can run as another user under another interpreter.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from evalkit.evals.sandbox.inside.layout import find_layout
from evalkit.evals.sandbox.pool import SlotPool
from evalkit.tasks.execution import Asserts, Call, Calls, Execution, Limits, Program

CANARY = Path("/tmp/evk_canary")
TCP_PORT, UDP_PORT, ABSTRACT_SOCKET = 48123, 48124, "\0evk_canary_sock"
SECRET = "only-the-harness-knows-5d41"
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=2.0)
# What must end well is given time to do so on any machine.
HONEST_LIMITS = Limits(cpu_seconds=10.0, wall_seconds=60.0)
LONGEST_CLEANING = 60.0


@dataclass
class Report:
    attacks: int = 0
    controls: int = 0
    breaches: list[str] = field(default_factory=list)
    wrong_controls: list[str] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)


class Trap:
    """What an escaped program would touch: files, ports, a secret in the environment."""

    def __init__(self, servers: dict[str, socket.socket]) -> None:
        self.servers = servers
        self.contents = _contents(CANARY)
        for server in servers.values():
            server.setblocking(False)

    def see(self) -> list[str]:
        seen = [f"reached {name}" for name, server in self.servers.items() if _was_reached(server)]
        now = _contents(CANARY)
        if now != self.contents:
            seen.append(f"{CANARY} changed: {sorted(set(now) ^ set(self.contents)) or 'contents'}")
            self.contents = now
        return seen


def _was_reached(server: socket.socket) -> bool:
    try:
        server.recvfrom(64) if server.type == socket.SOCK_DGRAM else server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() if path.is_file() else "folder" for path in sorted(folder.rglob("*"))}


def _alone() -> socket.socket:
    """Take the abstract socket, waiting for others on this machine who set the same trap with its one address."""
    local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for _ in range(1200):
        try:
            local.bind(ABSTRACT_SOCKET)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.1)
        else:
            return local
    local.close()
    raise RuntimeError("another run of these attacks holds its sockets for two minutes")


@contextmanager
def trap():
    local = _alone()
    CANARY.mkdir(exist_ok=True)
    CANARY.chmod(0o777)
    (CANARY / "precious.txt").write_text("keep me")
    (CANARY / "precious.txt").chmod(0o666)
    os.environ["EVK_SECRET"] = SECRET
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", UDP_PORT))
    local.listen()
    servers = {"tcp": socket.create_server(("127.0.0.1", TCP_PORT)), "udp": udp, "abstract socket": local}
    found = Trap(servers)
    try:
        yield found
    finally:
        shutil.rmtree(CANARY)  # before the socket is given to the next one
        for server in servers.values():
            server.close()
        del os.environ["EVK_SECRET"]


def program(source: str, task: dict, mode: str, limits: Limits) -> Program:
    entry = task["entry_point"]
    if mode == "asserts":
        return Program(source, Asserts(entry, (f"{task['check']}\ncheck({entry})",)), limits)
    calls = []
    for test in task["io"]:
        # JSON has no tuples: such values are also given as Python.
        expected = eval(test["expected_py"]) if "expected_py" in test else test["expected"]
        calls.append(Call(tuple(test["args"]), expected))
    return Program(source, Calls(entry, tuple(calls)), limits)


async def run_folder(pool: SlotPool, folder: Path, mode: str, found: Trap, report: Report) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    task = manifest["task"]

    async def run(source: str, limits: Limits = HONEST_LIMITS) -> Execution:
        return await pool.run(program(source, task, mode, limits))

    honest, wrong = ((folder / name).read_text() for name in ("control_01_honest.py", "control_02_wrong.py"))
    for attack in manifest["attacks"]:
        name = f"{attack['file']} ({mode})"
        report.attacks += 1
        result = await run((folder / attack["file"]).read_text(), LIMITS)
        report.outcomes[name] = result.failure or " ".join(f"{r.outcome}: {r.detail}" for r in result.results)
        text = result.output + result.failure + "".join(r.detail for r in result.results)
        problems = found.see()
        if result.passed:
            problems.append("forged pass")
        if result.failure:
            problems.append(f"no verdict: {result.failure}")
        if "LEAK:EVK" in text or SECRET in text:
            problems.append(f"leak: {text[:200]}")
        # Processor time, for this machine may be busy: the wall limit leaves out the wait for a processor.
        if result.cpu_seconds > (len(result.results) + 1) * LIMITS.cpu_seconds + 0.5:
            problems.append(f"took {result.cpu_seconds:.1f} s of processor time")
        after_honest, after_wrong = await run(honest), await run(wrong)
        if not after_honest.passed:
            problems.append(f"the next honest program fails: {after_honest}")
        if after_wrong.passed or after_wrong.failure:
            problems.append(f"the next wrong program: {after_wrong}")
        report.breaches += [f"{name}: {problem}" for problem in problems]
    for control in manifest["controls"]:
        if "numpy" in control["file"] and not find_layout().packages:
            continue
        report.controls += 1
        result = await run((folder / control["file"]).read_text())
        if result.failure or result.passed != (control["expect_verdict"] == ["pass"]):
            report.wrong_controls.append(f"{control['file']} ({mode}): {result}")


OTHERS: set[int] = set()
"""Processes that earlier tests of this process have left to live on; see `forget_others`."""


def forget_others() -> None:
    """Leave out of `descendants` what is there already (a pool of graders, a cluster), with all below it."""
    OTHERS.clear()
    OTHERS.update(descendants())


def descendants() -> list[int]:
    """Return the processes below this one."""
    parents = {}
    for entry in filter(str.isdecimal, (path.name for path in Path("/proc").iterdir())):
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
    found = [os.getpid()]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process and child not in OTHERS]
    return found[1:]


async def run_attacks(tier: str, modes: list[str], folders: list[Path]) -> Report:
    """Run all attacks of the folders, each mode through a slot of its own, all at once."""
    report = Report()
    with trap() as found:
        pools = [SlotPool(tier, slots=1, layout=find_layout()) for _ in modes]
        try:
            for folder in folders:
                runs = [
                    run_folder(pool, folder, mode, found, report) for pool, mode in zip(pools, modes, strict=True)
                ]
                await asyncio.gather(*runs)
        finally:
            for pool in pools:
                await pool.close()
        await asyncio.sleep(0.3)
        ending = time.monotonic() + LONGEST_CLEANING
        while descendants() and time.monotonic() < ending:  # killed, and not yet gone on a busy machine
            await asyncio.sleep(0.1)
        report.breaches += [f"afterwards: {problem}" for problem in found.see()]
        report.breaches += [f"process {process} is left behind" for process in descendants()]
    return report


if __name__ == "__main__":
    tier_, modes_, *folders_ = sys.argv[1:]
    result_ = asyncio.run(run_attacks(tier_, modes_.split(","), [Path(folder) for folder in folders_]))
    print(json.dumps(asdict(result_), ensure_ascii=False))
