"""Tokens per second of an embedded model when its waiting threads spin or sleep, alone and beside a busy process.

    python bench/llama_threads.py [--model smollm2-135m]

Each figure is a fresh process: the setting is read when llama.cpp's library is loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time

from evalkit.evals.models.base import Sampling
from evalkit.evals.models.open import open_model
from evalkit.tasks.types import Message

REQUESTS, TOKENS = 8, 32


async def tokens_per_second(model: str) -> float:
    opened = open_model(f"embedded:{model}")
    sampling = Sampling(max_tokens=TOKENS)
    chats = [[Message("user", f"Write a story number {number}.")] for number in range(REQUESTS)]
    started = time.perf_counter()
    answers = await asyncio.gather(*(opened.generate(chat, sampling) for chat in chats))
    seconds = time.perf_counter() - started
    await opened.close()
    return sum(answer.usage.completion_tokens or 0 for answer in answers) / seconds


def measure(model: str, policy: str, threads: int) -> float:
    environment = {**os.environ, "OMP_WAIT_POLICY": policy, "EVALKIT_THREADS": str(threads)}
    command = [sys.executable, __file__, "--model", model, "--once"]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(asyncio.run(tokens_per_second(arguments.model)))
        return
    print("| beside | threads | spinning | sleeping |\n| --- | --- | --- | --- |")
    for beside in ("nothing", "a busy process"):
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if beside != "nothing" else None
        try:
            for threads in (1, 2):
                figures = [measure(arguments.model, policy, threads) for policy in ("active", "passive")]
                print(f"| {beside} | {threads} | {figures[0]:.0f} | {figures[1]:.0f} |", flush=True)
        finally:
            if busy is not None:
                busy.kill()
                busy.wait()


if __name__ == "__main__":
    main()
