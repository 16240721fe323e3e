"""The package's Python calls accept one path or several, as text or as `Path`."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path

import evalkit
import pytest
from evalkit.errors import InputError
from evalkit.evals.merge import merge
from evalkit.evals.records.manifest import read_manifest
from evalkit.files import paths_of
from evalkit.reports.export import export
from evalkit.tests.support.learning_builder import build_training
from evalkit.tests.support.run_builder import build_run, sample_rows

OLD = Path(__file__).parent / "data" / "old-runs" / "plain"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return build_run(tmp_path / "run", sample_rows(2, skill=0.5, seed=1), model="x")


def test_one_path_is_a_list_of_one() -> None:
    assert paths_of("a") == paths_of(Path("a")) == paths_of(["a"]) == [Path("a")]
    assert paths_of(["a", Path("b")]) == [Path("a"), Path("b")]


@pytest.mark.parametrize("kind", [str, Path])
def test_pages_are_written_of_one_directory(run: Path, tmp_path: Path, kind: type) -> None:
    page = evalkit.write_report(kind(run), kind(tmp_path / "report.html"))
    assert page.read_bytes() == evalkit.write_report([run], tmp_path / "again.html").read_bytes()
    board = evalkit.write_leaderboard(kind(tmp_path), kind(tmp_path / "board.html"))
    assert board.exists()
    training = build_training(tmp_path / "training", [{"step": 1, "reward": 0.5}])
    assert evalkit.write_learning(kind(training), kind(tmp_path / "learning.html")).exists()


@pytest.mark.parametrize("kind", [str, Path])
def test_runs_are_compared_exported_and_scored_again(tmp_path: Path, kind: type) -> None:
    first, second = (Path(shutil.copytree(OLD, tmp_path / name)) for name in ("a", "b"))
    assert evalkit.compare(kind(first), kind(second)).differences
    assert export(kind(first), "csv", None).startswith("run,model,task")
    before, after = evalkit.rescore(kind(first))
    assert before.tasks[0].metrics[0].value == after.tasks[0].metrics[0].value
    with pytest.raises(InputError, match="same shard"):
        merge([kind(first), kind(second)], kind(tmp_path / "merged"))
    assert not (tmp_path / "merged").exists()


def test_tasks_may_be_one_text(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"prompt": "?", "response": "A"}\n', encoding="utf-8")
    model = f"replay:{tmp_path / 'answers.jsonl'}"
    directory = evalkit.run(model, "science,math", limit=1, output=str(tmp_path / "run"))
    assert [task.name for task in read_manifest(directory).tasks] == ["science", "math"]


def test_every_path_of_a_public_call_may_be_text() -> None:
    for name in evalkit.__all__:
        call = getattr(evalkit, name)
        for parameter in inspect.signature(call).parameters.values() if callable(call) else ():
            assert parameter.annotation not in ("Path", "Sequence[Path]", "Path | None"), (
                f"{name}: {parameter.name}"
            )
