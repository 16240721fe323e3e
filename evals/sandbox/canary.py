"""A self-test of a tier: an escape attempt that it must stop before it is used."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from ...tasks.execution import Call, Calls, Execution, Limits, Program
from .inside.layout import Layout
from .pool import SlotPool

_CANARY = """
import os, socket

def try_all(path, port):
    attempts = {
        "read a file of the user": lambda: open(path).read(),
        "write to a file of the user": lambda: open(path, "w").close(),
        "change a file of the user": lambda: os.chmod(path, 0),
        "reach a port of this machine": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "start a process": lambda: os.fork() == 0 and os._exit(0),
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        done.append(name)
    return done

def work():
    import colorsys, sqlite3, tempfile, threading, wave
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    thread = threading.Thread(target=list)
    thread.start()
    thread.join()
    return "fine"
"""


async def find_flaw(tier: str, layout: Layout) -> str:
    """Try a tier on this machine: return why it cannot be used, or an empty text when it holds.

    An honest program must work in a slot of it, and a hostile one must not read or change a file of the user,
    reach a port of this machine, signal its parent or start a process.
    """
    pool = SlotPool(tier, slots=1, layout=layout)
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        secret = Path(folder, "secret")
        secret.write_text("for the user alone")
        secret.chmod(0o666)
        call = Call((str(secret), listener.getsockname()[1]), [])
        try:
            honest = await _run(pool, Calls("work", (Call((), "fine"),)))
            if not honest.passed:
                return f"a harmless test program failed: {_reason(honest)}"
            hostile = await _run(pool, Calls("try_all", (call,)))
        finally:
            await pool.close()
    return "" if hostile.passed else f"isolation failed: {_reason(hostile)}"


async def _run(pool: SlotPool, tests: Calls) -> Execution:
    return await pool.run(Program(_CANARY, tests, Limits(cpu_seconds=5.0, wall_seconds=20.0)))


def _reason(execution: Execution) -> str:
    return execution.failure or execution.results[0].detail
