"""``evalkit judge …`` on the command line, against judges on loopback servers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from evalkit.evals.run import run
from evalkit.tests.support.chat_server import LoopbackServer, Reply
from evalkit.tests.support.scripted import verdict, verdict_asked_for


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "evalkit", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def fair(prompt: str) -> str:
    """Fill in any form: 7 of 10, the first of two."""
    return verdict(prompt, "A" if verdict_asked_for(prompt) in ("Вердикт", "Verdict") else 7)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = []
    for name in ("short", "long"):
        answer = (lambda prompt: "Коротко.") if name == "short" else (lambda prompt: "Подробно. " * 30)
        with LoopbackServer(answer=answer) as subject, LoopbackServer(answer=fair) as judge:
            made.append(
                run(
                    f"openai:{name}", ["rumtbench-mini"], limit=6, base_url=subject.url, output=folder / name,
                    judge=("openai:j",), judge_base_url=judge.url,
                )
            )  # fmt: skip
    return made


def test_a_passport_is_made_shown_and_demanded(tmp_path: Path, runs: list[Path]) -> None:
    with LoopbackServer(answer=fair) as judge, LoopbackServer() as subject:
        server = ["--judge", "openai:j", "--judge-base-url", judge.url]
        made = command("judge", "passport", *server, "-o", tmp_path / "passport.json")
        assert made.returncode == 0, made.stderr
        assert "order_consistency" in made.stdout
        assert (tmp_path / "passport.md").read_text() == made.stdout.removesuffix("\n")
        asked = len(judge.requests)
        assert command("judge", "passport", *server, "-o", tmp_path / "passport.json").returncode == 0
        assert len(judge.requests) == asked
        task = ["run", "--model", "openai:s", "--base-url", subject.url, "--tasks", "rumtbench-mini", "--limit", 2]
        demanded = [*task, *server, "--require-passport", tmp_path / "passport.json", "--no-report"]
        accepted = command(*demanded, "-o", tmp_path / "run")
        assert accepted.returncode == 0, accepted.stderr
        manifest = orjson.loads((tmp_path / "run" / "manifest.json").read_bytes())
        assert len(manifest["passport"]["sha256"]) == 64
        unmet = command(*demanded, "--threshold", "order_consistency >= 0.9", "-o", tmp_path / "unmet")
        assert unmet.returncode == 1
        assert "order_consistency" in unmet.stderr
        other = command(*task, "--judge", "openai:other", *server[2:], *demanded[-3:], "-o", tmp_path / "other")
        assert other.returncode == 2, other.stderr


def test_answers_of_runs_are_compared_in_both_orders(tmp_path: Path, runs: list[Path]) -> None:
    with LoopbackServer(answer=fair) as judge:
        server = ["--judge", "openai:j", "--judge-base-url", judge.url]
        done = command("judge", "pairwise", *runs, *server, "-o", tmp_path / "pairs")
        assert done.returncode == 0, done.stderr
        asked = len(judge.requests)
        assert asked == 6 * 2 * 2
        # Who always takes the first answer says nothing about the runs.
        result = orjson.loads((tmp_path / "pairs" / "pairwise.json").read_bytes())
        assert result["winner"] is None
        assert command("judge", "pairwise", *runs, *server, "-o", tmp_path / "pairs").returncode == 0
        assert len(judge.requests) == asked


@pytest.mark.parametrize("kind", ["pairwise", "passport"])
def test_calls_and_money_are_told_before_and_are_enough(
    kind: str, tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    price = {
        "backend": "openai", "models": ["j"], "currency": "USD", "input": "100", "output": "400",
        "valid_from": "2020-01-01", "source": "made up",
    }  # fmt: skip
    (tmp_path / "prices.yaml").write_bytes(orjson.dumps([price]))
    monkeypatch.setenv("EVALKIT_PRICES", str(tmp_path / "prices.yaml"))
    used: list[int] = []

    def answer(prompt: str) -> Reply:
        used.append(len(prompt.encode()) // 3)
        return Reply(fair(prompt), usage={"prompt_tokens": used[-1], "completion_tokens": 2048})

    with LoopbackServer(answer=answer) as judge:
        words = ("judge", kind, *(runs if kind == "pairwise" else ()), "-o", tmp_path / "out.json")
        done = command(*words, "--judge", "openai:j", "--judge-base-url", judge.url)
    assert done.returncode == 0, done.stderr
    found = re.search(r"judge calls: (\d+) \(up to \d+ with retries\); at most ([\d.]+) USD, ", done.stderr)
    assert found, done.stderr
    assert len(used) <= int(found[1]) < len(used) + 20
    spent = sum(100 * tokens + 400 * 2048 for tokens in used) / 1e6
    assert spent <= float(found[2]) < 1.3 * spent


def test_another_judge_grades_the_same_answers(tmp_path: Path, runs: list[Path]) -> None:
    with LoopbackServer(answer=lambda prompt: fair(prompt).replace("[[7]]", "[[4]]")) as judge:
        graded = command(
            *("judge", "run", runs[0], "--judge", "openai:strict", "--judge-base-url", judge.url),
            *("-o", tmp_path / "again"),
        )
    assert graded.returncode == 0, graded.stderr
    values = [
        orjson.loads((directory / "results.json").read_bytes())["tasks"][0]["metrics"][0]["value"]
        for directory in (runs[0], tmp_path / "again")
    ]
    assert values == [7.0, 4.0]
