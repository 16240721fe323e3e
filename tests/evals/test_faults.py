"""A server that does everything wrong: no crash, every sample accounted for by its status, an end in sight."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import orjson
import pytest
from evalkit.evals.records.rows import read_rows
from evalkit.evals.run import run
from evalkit.tests.support.chat_server import LoopbackServer

# Each twice as likely as in any bad week: a fifth of all requests fail in one of nine ways.
FAULTS = (
    "429:0.01", "429", "500", "503:overloaded", "reset", "truncated", "broken", "empty", "html",
)  # fmt: skip
TASK = """
from evalkit.tasks.types import Sample, Score, mean_value

class Echo:
    name, version, title, max_tokens = "echo", "1", "Echo", 16
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        yield from (Sample.ask(str(n), f"вопрос {n}.") for n in range(limit))
    def read(self, path):
        raise NotImplementedError
    def score(self, sample, completion, context):
        return Score(float(completion.text.startswith(sample.prompt)))

echo = Echo()
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("samples", [600, pytest.param(5000, marks=pytest.mark.exhaustive)])
def test_thousands_of_requests_at_a_server_that_does_everything_wrong(samples: int, tmp_path: Path) -> None:
    chance = random.Random(7)
    hanging = {f"вопрос {number}." for number in chance.sample(range(samples), samples // 250)}
    refused = {f"вопрос {number}." for number in chance.sample(range(samples), samples // 125)}
    huge = {f"вопрос {number}." for number in chance.sample(range(samples), 5)} - hanging - refused
    hung: Counter[str] = Counter()
    failed: set[str] = set()

    def fault(number: int, prompt: str) -> str | None:
        if prompt in refused:
            return "400:this prompt is refused"
        if prompt in hanging:
            hung[prompt] += 1
            kind = "hang" if hung[prompt] == 1 else None
        else:
            kind = chance.choice(FAULTS) if chance.random() < 0.2 else None
        if kind:
            failed.add(prompt)
        return kind

    def answer(prompt: str) -> str:
        return prompt + " да" * (700_000 if prompt in huge else 1)

    (tmp_path / "echo.py").write_text(TASK)
    with LoopbackServer(answer=answer, faults=fault) as server:
        directory = run(
            "openai:x",
            [f"{tmp_path}/echo.py:echo"],
            limit=samples,
            base_url=server.url,
            concurrency=64,
            timeout=5.0,
            output=tmp_path / "run",
        )
    rows = list(read_rows(directory))
    assert len({row.id for row in rows}) == len(rows) == samples
    statuses = Counter(row.score.status for row in rows)
    unanswered = {row.messages[-1].content for row in rows if row.score.status == "api_error"}
    assert unanswered >= refused
    # After eight failures, or when the time for attempts is over, a request is given up: the server's fault and no
    # score. How many have so few attempts depends on the speed of the machine; none is given up without a failure,
    # and most of those that the server failed are answered in the end.
    assert unanswered - refused <= failed
    assert len(unanswered - refused) < len(failed) / 2
    assert statuses["ok"] == samples - statuses["api_error"]
    assert all(row.score.value == 1 for row in rows if row.score.status == "ok")
    (task,) = orjson.loads((directory / "results.json").read_bytes())["tasks"]
    assert task["coverage"] == pytest.approx(1 - statuses["api_error"] / samples)
    # Four megabytes may take longer than the five seconds of a request on a busy machine; what came is whole.
    sizes = [len(row.completion.text) for row in rows if row.completion and row.messages[-1].content in huge]
    assert all(size > 2_000_000 for size in sizes if size)
