"""A process that scores (``python -m evalkit.evals.engine.scoring_worker TASK SEED``): JSON lines in and out.

Scorers process untrusted text; in a separate process, one that hangs or crashes costs a sample, not the run.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import orjson

from ...files import encode
from ...tasks.registry import open_task
from ...tasks.types import Completion, Context, Sample
from .scored_answer import examine


def main(task_name: str, seed: str) -> None:
    """Answer each line ``{"sample", "completion"}`` with ``{"score", "answer", "language"}`` or ``{"error"}``.

    A line ``{}`` comes before the first: the task is open.
    """
    # A plugin that prints must not break the protocol: it gets stderr as its stdout.
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    task = open_task(task_name)
    context = Context(seed=int(seed))
    replies.write(b"{}\n")
    for line in sys.stdin.buffer:
        replies.write(encode(_reply(task, context, orjson.loads(line))) + b"\n")


def _reply(task: Any, context: Context, request: dict[str, Any]) -> dict[str, Any]:
    sample = Sample.from_json(request["sample"])
    try:
        completion = Completion.from_json(request["completion"])
        score = task.score(sample, completion, context)
        answer, language = examine(task, completion)
        return {"score": score.as_json(), "answer": answer, "language": language}
    except Exception as error:
        return {"error": f"the scorer of '{task.name}' raised {type(error).__name__}: {error}"[:2000]}


if __name__ == "__main__":
    main(*sys.argv[1:])
