"""Runs ``evalkit`` in several processes that train together, as ``torchrun`` would; a line of JSON a scenario.

Run as a script: ``trainer_ranks.py SCENARIOS.json``, a list of ``{"arguments": [...], "ranks": 2, "log": FOLDER}``
with, if wanted, ``"fault": [RANK, "kill" | "raise" | "raise everywhere"]`` in the second step's learning. The
processes are forked from one that has everything imported, which makes many of them affordable. What rank N says is
in ``LOG/N``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import peft  # noqa: F401
import torch
import transformers  # noqa: F401

torch.set_num_threads(1)

from evalkit.__main__ import main as evalkit
from evalkit.errors import ModelError
from evalkit.trainer.methods import step
from evalkit.trainer.methods import trainer as training

DEADLINE = 90.0


def arm(kind: str, *, own: bool) -> None:
    """Have the second step of learning go wrong in this process."""
    real, calls = step.update, 0

    def faulty(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 and (own or kind == "raise everywhere"):
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ModelError("the model fell over")
        return real(*given)

    step.update = faulty


def say_what_is_held() -> None:
    """Print the bytes of the blocks' weights that this process holds, adapters left off."""
    real = training.open_policy

    def opened(*given: Any, **options: Any) -> Any:
        policy = real(*given, **options)
        blocks = policy.model.get_base_model().model.layers.named_parameters()
        kept = [parameter for name, parameter in blocks if "lora_" not in name]
        print("held", sum(getattr(one, "to_local", lambda one=one: one)().nbytes for one in kept), file=sys.stderr)
        return policy

    training.open_policy = opened


def rank_main(scenario: dict[str, Any], rank: int, port: int) -> int:
    log = os.open(Path(scenario["log"], str(rank)), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ |= {
        "RANK": str(rank), "WORLD_SIZE": str(scenario["ranks"]), "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    if "fault" in scenario:
        at, kind = scenario["fault"]
        arm(kind, own=rank == at)
    say_what_is_held()
    sys.argv = ["evalkit", *scenario["arguments"]]
    try:
        evalkit()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def play(scenario: dict[str, Any]) -> list[int | str]:
    """Return how each rank ended: its exit code, minus the signal, or ``hung``."""
    Path(scenario["log"]).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(scenario["ranks"]):
        child = os.fork()
        if not child:
            code = 1
            try:
                code = rank_main(scenario, rank, port)
            finally:
                os._exit(code)
        children.append(child)
    deadline = time.monotonic() + DEADLINE
    ends: dict[int, int | str] = {}
    while len(ends) < len(children):
        for child in set(children) - set(ends):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                ends[child] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                ends[child] = "hung"
        time.sleep(0.02)
    return [ends[child] for child in children]


if __name__ == "__main__":
    for one in json.loads(Path(sys.argv[1]).read_bytes()):
        print(json.dumps(play(one)), flush=True)
