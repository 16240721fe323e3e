"""Train again and again in child processes that die by SIGKILL somewhere, until one ends; a line of JSON a child.

Run as a script: ``trainer_kills.py RECIPE DIRECTORY KILLS SEED``. The children are forked from a process that has
everything imported, which makes thirty of them affordable.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft  # noqa: F401
import torch
import transformers  # noqa: F401

torch.set_num_threads(1)

from evalkit.evals.records import store
from evalkit.trainer.methods import step
from evalkit.trainer.methods import trainer as training
from evalkit.trainer.policy import local_sampler as generation
from evalkit.trainer.records import checkpoint
from evalkit.trainer.records.log import Log
from evalkit.trainer.rewards.adapters.bridge import RewardBridge
from evalkit.trainer.train import train

# Where a child may die, and how often each place is passed at most in a step.
PLACES: list[tuple[Any, str, int]] = [
    (generation, "draw_at", 20),
    (RewardBridge, "score", 3),
    (step, "token_values", 8),
    (torch.optim.AdamW, "step", 2),
    (training, "scale_moments", 1),
    (store.Journal, "append", 20),
    (Log, "forget_pending", 2),
    (checkpoint, "_sync", 10),
    (checkpoint.shutil, "rmtree", 6),
    (Path, "rename", 3),
    (training, "replace_folder", 1),
]


def die_at(owner: Any, name: str, count: int) -> None:
    """Have this process killed when a function is called for the ``count``-th time."""
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(owner, name, deadly)


def attempt(recipe: Path, directory: Path, place: tuple[Any, str, int] | None, count: int) -> bool:
    """Train in a child; return whether it lived to the end."""
    child = os.fork()
    if child == 0:
        try:
            if place is not None:
                die_at(place[0], place[1], count)
            train(recipe, directory)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("training failed, and not by being killed")
    return True


def main() -> None:
    recipe, directory, kills, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    dice = random.Random(seed)
    died = 0
    while died < kills:
        place = PLACES[died % len(PLACES)]
        count = dice.randint(1, place[2])
        lived = attempt(recipe, directory, place, count)
        print(json.dumps({"place": place[1], "call": count, "lived": lived}), flush=True)
        died += 1
        if lived and died < kills:
            # It got to its end: go back to where there is something left to be killed in.
            (directory / "result.json").unlink()
            newest = sorted((directory / "checkpoints").iterdir())[-1]
            shutil.rmtree(newest)
    attempt(recipe, directory, None, 0)


if __name__ == "__main__":
    main()
