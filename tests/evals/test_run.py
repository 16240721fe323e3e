"""`evalkit run` as a user types it: real processes, a real server on loopback, kill -9, bad input."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import evalkit
import pytest
from evalkit.__main__ import main
from evalkit.errors import ModelError, UsageError
from evalkit.evals.records.rows import read_rows
from evalkit.tasks.registry import open_task
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.kills import kill_in_the_middle

DOCUMENTED_TASK = Path(__file__).parents[2] / "docs" / "write-a-task.md"


def words(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "evalkit", *map(str, arguments)]


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(*arguments), capture_output=True, text=True, check=False, **options)


def on_server(server: LoopbackServer, output: Path, *more: object) -> list[object]:
    base = ["run", "--model", "openai:loopback", "--base-url", server.url, "--tasks", "ruifeval-mini"]
    return [*base, "--output", output, *more]


def run_of(server: LoopbackServer, output: Path, **settings: Any) -> Path:
    """Make in this process the run that the arguments of `on_server` make in another."""
    return evalkit.run("openai:loopback", ["ruifeval-mini"], base_url=server.url, output=output, **settings)


def test_a_run_from_the_command_line_to_the_report(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        result = command(*on_server(server, tmp_path / "run", "--limit", 20))
    assert result.returncode == 0, result.stderr
    assert "Prompts, strict" in result.stdout
    assert "20 scored" in result.stdout
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"manifest.json", "samples.jsonl", "samples.parquet", "results.json", "report.html"} <= files
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["complete"] is True
    assert results["tasks"][0]["coverage"] == 1.0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["finished"] is not None
    assert manifest["model"]["base_url"] == server.url
    assert (tmp_path / "run" / "answers.jsonl").read_bytes() == b""


def test_two_runs_make_one_report_and_a_table_that_compares(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        with LoopbackServer(answer=f"{name} {{}} ".format) as server:
            run_of(server, tmp_path / name, limit=10)
    result = command("report", tmp_path / "good", tmp_path / "bad", "--output", tmp_path / "report.html")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert "openai:loopback" in result.stdout


def test_541_prompts_at_concurrency_64_survive_429_and_500(tmp_path: Path) -> None:
    """One request in ten fails, by turns with 429 and 500; every sample is scored, none is asked in vain."""
    failures = {number: ("429:0.05" if number % 20 else "500") for number in range(0, 2000, 10)}
    task = tmp_path / "many.py"
    task.write_text(
        "from evalkit.tasks.ruifeval import ruifeval_mini as base\n"
        "from evalkit.tasks.ruifeval.generator.prompts import generate_samples\n"
        "class Many(type(base)):\n"
        "    def samples(self, *, split, limit, seed):\n"
        "        return generate_samples(541, split='test', seed=1)\n"
        "many = Many(name='many', title='541 generated prompts')\n"
    )
    with LoopbackServer(faults=lambda number, prompt: failures.get(number), together=33) as server:
        run = ["run", "--model", "openai:x", "--base-url", server.url, "--tasks", f"{task}:many"]
        result = command(*run, "--concurrency", 64, "--output", tmp_path / "run")
        assert server.most_at_once > 32  # it answers nobody before, or a slow client would not get there
    assert result.returncode == 0, result.stderr
    assert "541 scored" in result.stdout
    rows = list(read_rows(tmp_path / "run"))
    assert len({row.id for row in rows}) == len(rows) == 541
    failed = sum(number < len(server.requests) for number in failures)
    assert len(server.requests) == 541 + failed


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.exhaustive)])
def test_kill_9_in_the_middle_and_the_same_command_finishes_the_rest(kills: int, tmp_path: Path) -> None:
    """Killed at random moments of a sampled run: each sample once; repeated requests are those in flight."""
    concurrency = 8
    chance = random.Random(0)
    with LoopbackServer(latency=0.02) as server:
        arguments = on_server(server, tmp_path / "run", "--temperature", 0.8, "--concurrency", concurrency)
        arguments += ["--limit", 300, "--epochs", 3, "--no-report"]
        for _ in range(kills):
            kill_in_the_middle(words(*arguments), server, chance.randrange(1, 40))
        result = command(*arguments)
        assert result.returncode == 0, result.stderr
        assert "resuming" in result.stderr
        rows = list(read_rows(tmp_path / "run"))
        assert len({(row.id, row.epoch) for row in rows}) == len(rows) == 900
        assert len(server.requests) - 900 <= kills * concurrency


def test_ctrl_c_drains_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    with LoopbackServer(latency=0.05) as server:
        arguments = on_server(server, tmp_path / "run", "--concurrency", 4)
        server.answers = 20  # the run cannot end before the signal
        process = subprocess.Popen(words(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while len(server.requests) < 20:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        server.answers = None
        _, stderr = process.communicate(timeout=60)
        asked = len(server.requests)
    assert process.returncode == 1
    assert "run the same command again" in stderr
    assert "Traceback" not in stderr
    assert len(list(read_rows(tmp_path / "run"))) == asked


def test_a_poisoned_prompt_costs_one_sample_and_the_exit_code_tells(tmp_path: Path) -> None:
    def poison(number: int, prompt: str) -> str | None:
        return "400:this prompt is poison" if prompt == first else None

    (sample,) = open_task("ruifeval-mini").samples(split="test", limit=1, seed=0)
    first = sample.prompt
    with LoopbackServer(answer=lambda prompt: "Вода кипит.", faults=poison) as server:
        result = command(*on_server(server, tmp_path / "run", "--limit", 10))
    assert result.returncode == 1
    assert "9 scored (90.0% of 10); api_error: 1, ok: 9" in result.stdout
    (failed,) = (row for row in read_rows(tmp_path / "run") if row.score.value is None)
    assert "this prompt is poison" in failed.score.explanation


def test_another_spec_under_the_same_name_shows_the_difference(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        run_of(server, tmp_path / "run", limit=2)
        result = command(*on_server(server, tmp_path / "run", "--limit", 2, "--temperature", 0.5, "--no-report"))
        asked = len(server.requests)
    assert result.returncode == 2
    assert "spec.temperature: None / 0.5" in result.stderr
    assert asked == 2


def test_shards_merge_into_the_whole(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        run_of(server, tmp_path / "whole", limit=9)
        run_of(server, tmp_path / "1-2", limit=9, shard="1/2")
        run_of(server, tmp_path / "2-2", limit=9, shard="2/2")
        merged = command("merge", tmp_path / "1-2", tmp_path / "2-2", "--output", tmp_path / "merged")
    assert merged.returncode == 0, merged.stderr
    first, second = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("whole", "merged"))
    assert [task["metrics"] for task in first["tasks"]] == [task["metrics"] for task in second["tasks"]]
    again = command("merge", tmp_path / "whole", tmp_path / "1-2", "--output", tmp_path / "merged")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_rescoring_asks_nobody(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        run_of(server, tmp_path / "run", limit=5)
    before = list(read_rows(tmp_path / "run"))
    result = command("rescore", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert list(read_rows(tmp_path / "run")) == before


def test_the_task_in_the_docs_runs(tmp_path: Path) -> None:
    text = DOCUMENTED_TASK.read_text(encoding="utf-8")
    (tmp_path / "capitals.py").write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    with LoopbackServer(answer=lambda prompt: "Это Москва." if "России" in prompt else "Не знаю.") as server:
        arguments = [
            "run",
            "--model",
            "openai:loopback",
            "--base-url",
            server.url,
            "--tasks",
            "capitals.py:capitals",
        ]
        result = command(*arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "33.3" in result.stdout
    assert list((tmp_path / "runs").glob("openai-loopback-capitals-*/report.html"))


def test_a_replayed_run_gives_the_same_verdicts(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        run_of(server, tmp_path / "run", limit=6)
    again = evalkit.run(
        f"replay:{tmp_path}/run/samples.jsonl", ["ruifeval-mini"], limit=6, output=tmp_path / "replayed"
    )
    scores = [{row.id: row.score for row in read_rows(folder)} for folder in (tmp_path / "run", again)]
    assert scores[0] == scores[1]


BAD_USAGE = {
    "unknown task": (
        ["--model", "openai:x", "--tasks", "ruifevl"],
        "unknown task 'ruifevl'. Did you mean 'ruifeval'",
    ),
    "unknown backend": (
        ["--model", "opnai:x", "--tasks", "ruifeval"],
        "unknown model 'opnai'. Did you mean 'openai'",
    ),
    "unknown embedded model": (["--model", "embedded:qwen", "--tasks", "ruifeval"], "unknown embedded model"),
    "unknown option": (["--model", "openai:x,tempo=1", "--tasks", "ruifeval"], "has no option 'tempo'"),
    "no server": (["--model", "openai:x", "--tasks", "ruifeval"], "no server is given: use --base-url"),
    "a missing data file": (
        ["--model", "openai:x", "--tasks", "ruifeval", "--data", "ruifeval=nowhere.jsonl"],
        "nowhere.jsonl",
    ),
    "data for another task": (
        ["--model", "openai:x", "--tasks", "ruifeval", "--data", "ruifeval-fixed=x"],
        "--data names ruifeval-fixed, which is not among --tasks",
    ),
    "a wrong number": (["--model", "openai:x", "--tasks", "ruifeval", "--limit", "0"], "--limit: "),
    "a wrong shard": (["--model", "openai:x", "--tasks", "ruifeval", "--shard", "3/2"], "--shard: 3/2"),
    "a task twice": (["--model", "openai:x", "--tasks", "ruifeval,ruifeval"], "ruifeval is named twice"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_wrong_usage_is_one_clear_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    for name in [name for name in os.environ if name.startswith("OPENAI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["evalkit", "run", *arguments, "--output", str(tmp_path / "run")])
    monkeypatch.setattr("evalkit.__main__.collect_less_often", lambda: None)  # a setting of the whole process
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = command("run", "--debug", "--model", "openai:x", "--tasks", "nothing")
    assert result.returncode != 0
    assert "Traceback" in result.stderr


def test_no_server_there_is_one_clear_line(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        gone = server.url
    with pytest.raises(ModelError, match=r"cannot reach http://127.*is the server running"):
        evalkit.run("openai:x", ["ruifeval-mini"], base_url=gone, limit=2, output=tmp_path / "run")


def test_a_run_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with LoopbackServer() as server:
        result = command(*on_server(server, tmp_path / "file" / "run", "--limit", 1))
        assert result.returncode == 1
        assert "cannot write" in result.stderr
        assert not server.requests


def test_the_disk_fills_up_in_the_middle(tmp_path: Path) -> None:
    """Everything answered before stays, the message says so, and with space the same command finishes."""
    resource = pytest.importorskip("resource")

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    with LoopbackServer(latency=0.01) as server:
        arguments = on_server(server, tmp_path / "run", "--limit", 60, "--no-report", "--concurrency", 2)
        full = command(*arguments, preexec_fn=small_files_only)
        kept = len(list(read_rows(tmp_path / "run")))
        assert full.returncode == 1
        assert "Nothing written so far is lost" in full.stderr
        assert 0 < kept < 60
        result = command(*arguments)
        assert result.returncode == 0, result.stderr
        assert len(list(read_rows(tmp_path / "run"))) == 60
        assert len(server.requests) <= 60 + 4


def test_the_key_is_written_nowhere(tmp_path: Path) -> None:
    with LoopbackServer(api_key="a-secret-key") as server:
        evalkit.run(
            "openai:x",
            ["ruifeval-mini"],
            base_url=server.url,
            api_key="a-secret-key",
            limit=2,
            output=tmp_path / "run",
        )
    for path in (tmp_path / "run").iterdir():
        assert b"a-secret-key" not in path.read_bytes()
    with LoopbackServer(api_key="a-secret-key") as server, pytest.raises(ModelError, match="401"):
        evalkit.run("openai:x", ["ruifeval-mini"], base_url=server.url, limit=2, output=tmp_path / "other")


def test_two_tasks_that_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ruifeval and ruifeval-mini are the same task"):
        evalkit.run(
            "openai:x", ["ruifeval", "ruifeval-mini"], base_url="http://127.0.0.1:1", output=tmp_path / "run"
        )


@pytest.mark.embedded
def test_the_embedded_model_answers_for_real(tmp_path: Path) -> None:
    arguments = ["run", "--model", "embedded:smollm2-135m", "--tasks", "ruifeval-mini", "--limit", 2]
    environment = {**os.environ, "EVALKIT_THREADS": "1"}
    result = command(*arguments, "--max-tokens", 8, "--output", tmp_path / "run", env=environment)
    assert result.returncode == 0, result.stderr
    rows = list(read_rows(tmp_path / "run"))
    assert all(row.completion.text.strip() for row in rows)
    assert all(row.usage.completion_tokens for row in rows)


def test_a_manifest_repeats_its_run_and_refuses_to_be_another(tmp_path: Path) -> None:
    data = tmp_path / "prompts.jsonl"
    data.write_bytes((Path(evalkit.__file__).parent / "tasks/ruifeval/data/mini.jsonl").read_bytes())
    with LoopbackServer(answer="Ответ на {}".format) as server:
        arguments = ["run", "--model", "openai:x", "--base-url", server.url, "--tasks", "ruifeval", "--limit", 8]
        arguments += ["--data", f"ruifeval={data}", "--seed", 3]
        assert command(*arguments, "--output", tmp_path / "first", "--no-report").returncode == 0
        manifest = tmp_path / "first" / "manifest.json"
        again = command("run", "--from", manifest, "--output", tmp_path / "again", "--no-report")
        assert again.returncode == 0, again.stderr
        rows = [
            [
                {key: value for key, value in row.as_json().items() if key != "timing"}
                for row in read_rows(tmp_path / name)
            ]
            for name in ("first", "again")
        ]
        assert sorted(rows[0], key=str) == sorted(rows[1], key=str)
        data.write_text(data.read_text().replace("«", "“", 1))
        refused = command("run", "--from", manifest, "--output", tmp_path / "other", "--no-report")
    assert refused.returncode == 2
    assert "tasks[0].data.sha256" in refused.stderr
    neither = command("run", "--model", "embedded")
    assert neither.returncode == 2
    assert "--from" in neither.stderr
