"""Rejection sampling: which answers are kept, which prompts are refused, and that what comes out can be learned."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, RunError, UsageError
from evalkit.evals.run import run
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.data.chats import read_examples
from evalkit.trainer.select import select
from evalkit.trainer.train import train

TASK = '''
import json
from evalkit.tasks.types import Completion, Sample, Score, mean_value

class Sums:
    """Its published file asks for training; what it asks by itself is the test."""
    name, version, title, max_tokens = "sums", "1", "Sums", 8
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        return [Sample.ask(str(n), f"Сколько будет {n} и {n}?", target=str(2 * n)) for n in range(3)][:limit]
    def read(self, path):
        return [Sample.ask(**json.loads(line)) for line in path.read_text().splitlines()]
    def score(self, sample, completion, context):
        return Score(float(sample.target in completion.text))

sums = Sums()
'''


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_bench(tmp_path_factory.mktemp("bench"))
    (folder / "sums.py").write_text(TASK, encoding="utf-8")
    return folder


def lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluated(bench: Path, folder: Path, asked: dict[str, str], answers: dict[str, str], epochs: int = 1) -> Path:
    """A run over these prompts (with what a right answer holds), answered by a file."""
    data = lines(
        folder.with_suffix(".data"),
        [{"id": str(n), "prompt": prompt, "target": right} for n, (prompt, right) in enumerate(asked.items())],
    )
    replies = lines(folder.with_suffix(".jsonl"), [{"prompt": p, "response": text} for p, text in answers.items()])
    task = f"{bench / 'sums.py'}:sums"
    return run(f"replay:{replies}", [task], output=folder, data={task: str(data)}, epochs=epochs)


def chosen(path: Path) -> list[dict]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_right_answers_are_kept_with_their_thoughts(bench: Path, tmp_path: Path):
    asked = {"Сколько будет 5 и 5?": "10", "Сколько будет 7 и 7?": "14", "Сколько будет 8 и 8?": "16"}
    answers = dict(zip(asked, ["Это 10", "<think>семь и семь</think>Будет 14", "15"], strict=True))
    told: list[str] = []
    directory = evaluated(bench, tmp_path / "run", asked, answers, epochs=2)
    out = select([directory], tmp_path / "sft.jsonl", notify=told.append)
    assert [(row["id"], row["score"], row["messages"][-1]["content"]) for row in chosen(out)] == [
        ("0", 1.0, "Это 10"),
        ("1", 1.0, "<think>\nсемь и семь\n</think>\n\nБудет 14"),
    ]
    assert told[0] == (
        "6 answers to 3 prompts: 2 chosen, to 2 of them; 2 score below 1, 0 have no score,"
        " 0 are cut off or empty, 2 repeat another"
    )
    assert told[1] == "no chosen prompt overlaps with the 3 evaluation prompts"
    assert read_examples(out)[0].answer == "Это 10"


def test_prompts_of_the_test_are_refused(bench: Path, tmp_path: Path):
    task = f"{bench / 'sums.py'}:sums"
    replies = lines(
        tmp_path / "r.jsonl", [{"prompt": f"Сколько будет {n} и {n}?", "response": "4"} for n in range(3)]
    )
    test = run(f"replay:{replies}", [task], output=tmp_path / "test")
    with pytest.raises(
        UsageError, match=r"evaluated sums on its test prompts, which must not be trained on.*--data"
    ):
        select([test], tmp_path / "out.jsonl")
    leak = evaluated(bench, tmp_path / "leak", {"сколько будет: 2 и 2": "4"}, {"сколько будет: 2 и 2": "4"})
    with pytest.raises(RunError, match=r"1 of 3 evaluation prompts overlap with the chosen.* the whole prompt"):
        select([leak], tmp_path / "out.jsonl")
    other = evaluated(bench, tmp_path / "other", {"Сколько будет 9 и 9?": "18"}, {"Сколько будет 9 и 9?": "18"})
    file = lines(tmp_path / "held.jsonl", [{"id": "0", "prompt": "Сколько будет 9 и 9?", "target": "18"}])
    with pytest.raises(RunError, match="1 of 1 evaluation prompts overlap"):
        select([other], tmp_path / "out.jsonl", against={task: str(file)})
    assert not (tmp_path / "out.jsonl").exists()


def test_a_training_gives_its_best_answers_which_can_be_learned(bench: Path, tmp_path: Path):
    rollouts = {"groups": 4, "answers": 6, "max_tokens": 12, "extra_waves": 0}
    train(write_recipe(bench, "rl.yaml", steps=2, rollouts=rollouts), tmp_path / "rl")
    rows = [orjson.loads(line) for line in (tmp_path / "rl/answers.jsonl").read_bytes().splitlines()]
    told: list[str] = []
    settings = {"min_score": 0.05, "per_prompt": 2, "notify": told.append}
    out = select([tmp_path / "rl"], tmp_path / "sft.jsonl", **settings)
    kept = chosen(out)
    assert kept
    for row in kept:
        own = [
            one for one in rows if one["id"] == row["id"] and one["finish_reason"] == "stop" and one["text"].strip()
        ]
        best = sorted({one["reward"] for one in own}, reverse=True)[:2]
        assert row["score"] in best
        assert row["score"] >= 0.05
    assert max(sum(row["id"] == one["id"] for one in kept) for row in kept) <= 2
    assert "are cut off or empty" in told[0]
    again = select([tmp_path / "rl"], tmp_path / "again.jsonl", **settings)
    assert again.read_bytes() == out.read_bytes()
    recipe = write_recipe(
        bench, "learn.yaml", method="sft", prompts=None, rollouts=None, chats={"best": {"data": str(out)}}, steps=2
    )
    train(recipe, tmp_path / "learned")
    assert len(journal_lines(tmp_path / "learned")) == 2


def test_what_cannot_be_chosen_from_is_named(bench: Path, tmp_path: Path):
    with pytest.raises(InputError, match="neither a run of evalkit nor a training"):
        select([tmp_path], tmp_path / "out.jsonl")
    asked = {"Сколько будет 5 и 5?": "10"}
    directory = evaluated(bench, tmp_path / "run", asked, {"Сколько будет 5 и 5?": "11"})
    with pytest.raises(RunError, match="no answer scores 1 or more"):
        select([directory], tmp_path / "out.jsonl")
    with pytest.raises(UsageError, match="--per-prompt"):
        select([directory], tmp_path / "out.jsonl", per_prompt=0)
    source = {"task": "plugin.py:words", "split": "test"}
    train(write_recipe(bench, "test.yaml", steps=1, prompts={"words": source}), tmp_path / "test")
    with pytest.raises(UsageError, match="prompts 'words' are the test prompts of"):
        select([tmp_path / "test"], tmp_path / "out.jsonl")


def test_the_command(bench: Path, tmp_path: Path):
    from evalkit.cli.main import app
    from typer.testing import CliRunner

    asked = {"Сколько будет 5 и 5?": "10"}
    directory = evaluated(bench, tmp_path / "run", asked, {"Сколько будет 5 и 5?": "10"})
    out = tmp_path / "sft.jsonl"
    found = CliRunner().invoke(app, ["select", str(directory), "-o", str(out), "--min-score", "0.5"])
    assert found.exit_code == 0, found.output
    assert len(chosen(out)) == 1
