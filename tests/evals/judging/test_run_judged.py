"""Runs whose answers are graded by a model: on loopback servers, killed, resumed, scored again, and paid for."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from evalkit.evals.records.rows import read_rows
from evalkit.evals.run import run
from evalkit.tests.support.chat_server import LoopbackServer, Reply
from evalkit.tests.support.kills import kill_in_the_middle
from evalkit.tests.support.scripted import verdict


def words(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "evalkit", *map(str, arguments)]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(*arguments), capture_output=True, text=True, check=False)


def rate(prompt: str) -> str:
    """Rate with 7, in the verdict line that the prompt asks for."""
    return verdict(prompt, 7)


@pytest.fixture
def subject() -> Iterator[LoopbackServer]:
    with LoopbackServer(answer=lambda prompt: f"Развёрнутый ответ на вопрос: {prompt[:40]}") as server:
        yield server


def judged(subject: LoopbackServer, output: Path, *more: object) -> list[object]:
    model = ["--model", "openai:subject", "--base-url", subject.url, "--tasks", "rumtbench-mini"]
    return ["run", *model, "--output", output, "--no-report", "--canaries", 0, *more]


def results(directory: Path) -> dict:
    return orjson.loads((directory / "results.json").read_bytes())


def test_a_judge_rates_both_turns_and_rescore_asks_nobody(tmp_path: Path, subject: LoopbackServer) -> None:
    with LoopbackServer(answer=rate) as judge:
        run = judged(subject, tmp_path / "run", "--judge", "openai:j", "--judge-base-url", judge.url)
        done = command(*run)
        assert done.returncode == 0, done.stderr
        assert len(judge.requests) == 48
        (task,) = results(tmp_path / "run")["tasks"]
        assert task["metrics"][0]["name"] == "rating"
        assert (task["metrics"][0]["value"], task["metrics"][0]["observations"]) == (7.0, 48)
        assert results(tmp_path / "run")["judging"]["requests"] == 48
        manifest = orjson.loads((tmp_path / "run" / "manifest.json").read_bytes())
        assert manifest["judge"]["model"]["model"] == "j"
        assert command(*run).returncode == 0
        again = command("rescore", tmp_path / "run")
        assert again.returncode == 0, again.stderr
        assert len(judge.requests) == 48
    assert results(tmp_path / "run")["tasks"][0]["metrics"][0]["value"] == 7.0


def test_a_verdict_that_cannot_be_read_lowers_coverage_and_a_floor_decides(
    tmp_path: Path, subject: LoopbackServer
) -> None:
    def sometimes(prompt: str) -> str:
        return "Затрудняюсь оценить." if len(prompt) % 5 == 0 else rate(prompt)

    with LoopbackServer(answer=sometimes) as judge:
        arguments = ["--judge", "openai:j", "--judge-base-url", judge.url]
        strict = command(*judged(subject, tmp_path / "run", *arguments))
        (task,) = results(tmp_path / "run")["tasks"]
        metric = task["metrics"][0]
        assert metric["value"] == 7.0
        assert metric["observations"] < 48
        assert task["coverage"] < 1
        assert strict.returncode == 1
        lenient = command(*judged(subject, tmp_path / "run", *arguments, "--min-coverage", 0.1))
        assert lenient.returncode == 0, lenient.stderr


def test_without_a_judge_nothing_is_asked_and_three_ways_out_are_named(
    tmp_path: Path, subject: LoopbackServer
) -> None:
    refused = command(*judged(subject, tmp_path / "run"))
    assert refused.returncode == 2
    assert all(way in refused.stderr for way in ("openai:", "hf:", "replay:"))
    assert not subject.requests
    useless = command(
        "run", "--model", "openai:x", "--base-url", subject.url, "--tasks", "ruifeval-mini", "--judge", "openai:j"
    )
    assert useless.returncode == 2


def test_a_judge_that_fails_is_no_score_and_is_asked_again(tmp_path: Path, subject: LoopbackServer) -> None:
    refuse = lambda number, prompt: "400:no" if number % 4 == 0 else None  # noqa: E731
    with LoopbackServer(answer=rate, faults=refuse) as judge:
        run = judged(subject, tmp_path / "run", "--judge", "openai:j", "--judge-base-url", judge.url)
        assert command(*run).returncode == 1
    statuses = {row.score.status for row in read_rows(tmp_path / "run")}
    assert statuses == {"ok", "api_error"}
    asked = len(subject.requests)
    with LoopbackServer(answer=rate, port=judge.port) as judge:
        assert command(*run).returncode == 0
    assert len(subject.requests) == asked


def test_what_judging_may_cost_is_told_before_and_is_not_exceeded(
    tmp_path: Path, subject: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = {
        "backend": "openai", "models": ["j", "k"], "currency": "USD", "input": "100", "output": "400",
        "valid_from": "2020-01-01", "source": "made up",
    }  # fmt: skip
    (tmp_path / "prices.yaml").write_bytes(orjson.dumps([price]))
    monkeypatch.setenv("EVALKIT_PRICES", str(tmp_path / "prices.yaml"))

    def answer(prompt: str) -> Reply:
        tokens = len(prompt.encode()) // 3
        return Reply(rate(prompt), usage={"prompt_tokens": tokens, "completion_tokens": 2048})

    def told(*judges: str) -> str:
        lines: list[str] = []
        with LoopbackServer(answer=answer) as judge:
            run(
                "openai:subject", ["rumtbench-mini"], limit=2, base_url=subject.url, judge=judges, canaries=0,
                judge_base_url=judge.url, output=tmp_path / "-".join(judges), notify=lines.append,
            )  # fmt: skip
        return next(line for line in lines if "judge calls" in line)

    line = told("openai:j")
    found = re.fullmatch(
        r"judge calls: 4 \(up to 12 with retries\); at most ([\d.]+) USD, ([\d.]+) USD with retries .*", line
    )
    assert found, line
    once, most = map(float, found.groups())
    spent = results(tmp_path / "openai:j")["judging"]["cost"]["USD"]
    assert spent < once < 3 * spent
    assert most == pytest.approx(3 * once, abs=0.02)
    assert float(told("openai:j", "openai:k").split("; at most ")[1].split()[0]) == pytest.approx(
        2 * once, abs=0.02
    )
    assert told("openai:no-price") == "judge calls: 4 (up to 12 with retries)"


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.exhaustive)])
def test_kills_of_a_run_with_two_judges_lose_no_verdict(kills: int, tmp_path: Path) -> None:
    chance = random.Random(1)
    concurrency = 4
    with (
        LoopbackServer(answer=lambda prompt: f"Ответ: {prompt[:30]}", latency=0.01) as subject,
        LoopbackServer(answer=lambda prompt: Reply(rate(prompt)), latency=0.02) as judge,
    ):
        run = judged(
            subject, tmp_path / "run", "--judge", "openai:one", "--judge", "openai:two",
            "--judge-base-url", judge.url, "--concurrency", concurrency, "--epochs", 8,
        )  # fmt: skip
        for _ in range(kills):
            kill_in_the_middle(words(*run), judge, chance.randrange(1, 30))
        done = command(*run)
        assert done.returncode == 0, done.stderr
        rows = list(read_rows(tmp_path / "run"))
        assert len({(row.id, row.epoch) for row in rows}) == len(rows) == 24 * 8
        distinct = len({orjson.dumps(request, option=orjson.OPT_SORT_KEYS) for request in judge.requests})
        in_flight = 2 * 2 * concurrency
        assert len(judge.requests) - distinct <= kills * in_flight
