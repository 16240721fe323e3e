"""Trackers: what they get, once and no more, and that none of them can stop a training."""

from __future__ import annotations

import builtins
import math
import os
import signal
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.evals.records.training import MetricsRow
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.methods.trainer import Trainer
from evalkit.trainer.records import trackers
from evalkit.trainer.records.trackers import Trackers, numbers_of
from evalkit.trainer.train import train

LINES = [
    {
        "step": 1,
        "reward": 0.5,
        "kl": None,
        "families": {"math": 0.25},
        "outcome": "full",
        "reset": None,
        "alarms": [],
    },
    {"step": 2, "reward": math.nan, "loss": 1, "outcome": "short", "reset": "every 2 steps", "alarms": ["entropy"]},
]
ROWS = [MetricsRow.from_json(line) for line in LINES]


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


def test_numbers_and_markers_go_out_and_nothing_else():
    assert numbers_of(ROWS[0]) == {"reward": 0.5, "families/math": 0.25}
    assert numbers_of(ROWS[1]) == {"loss": 1.0, "marker/short": 1.0, "marker/reset": 1.0, "marker/alarms": 1.0}
    assert numbers_of(MetricsRow(1, {"components": {"own.py:brief": 1.0}})) == {"components/own.py_brief": 1.0}


class Broken:
    """A tracker that holds what it got, and falls over at step 2."""

    got: ClassVar[Counter[int]] = Counter()

    def __init__(self, directory: Path) -> None:
        self.got.clear()

    def write(self, step: int, numbers: dict[str, float]) -> None:
        if step == 2:
            raise OSError("the disk\nis full")
        self.got[step] += 1

    def close(self) -> None:
        raise AssertionError("it was given up")


def test_a_tracker_that_fails_is_given_up_with_one_line(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trackers, "OPENERS", {"mlflow": Broken})
    told: list[str] = []
    train(write_recipe(bench, "broken.yaml", track=["mlflow"]), tmp_path, notify=told.append)
    warnings = [line for line in told if line.startswith("WARNING")]
    assert warnings == [
        "WARNING: tracker mlflow is dropped (OSError: the disk is full); metrics.jsonl has all metrics"
    ]
    assert Broken.got == {1: 1}
    assert len(journal_lines(tmp_path)) == 3


def test_a_tracker_that_is_not_installed_is_said_and_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *given: object, **named: object) -> object:
        if name.split(".", maxsplit=1)[0] in ("wandb", "mlflow", "tensorboard"):
            raise ModuleNotFoundError(f"No module named '{name}'")
        return real(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    told: list[str] = []
    opened = Trackers(["wandb", "mlflow"], tmp_path, ROWS, told.append)
    opened.write(ROWS[0])
    opened.close()
    assert [line.split(" (")[0] for line in told] == [
        "WARNING: tracker wandb is dropped",
        "WARNING: tracker mlflow is dropped",
    ]


def killed_and_resumed(bench: Path, directory: Path, tracker: str) -> None:
    """Train with a checkpoint every second step, die by SIGKILL when step 3 was tracked, and go on."""
    changes = {"steps": 4, "checkpoint_every": 2, "track": [tracker], "rollouts": {"groups": 1, "max_tokens": 4}}
    recipe = write_recipe(bench, f"{tracker}.yaml", **changes)
    real = Trainer._report

    def dies(self: Trainer, row: MetricsRow) -> None:
        real(self, row)
        if row.step == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        Trainer._report = dies
        train(recipe, directory)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    told: list[str] = []
    train(recipe, directory, notify=told.append)
    assert not [line for line in told if line.startswith("WARNING")]


def test_tensorboard_has_each_step_once_after_a_kill(bench: Path, tmp_path: Path):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    killed_and_resumed(bench, tmp_path, "tensorboard")
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    rows = journal_lines(tmp_path)
    assert [point.step for point in found.Scalars("reward")] == [1, 2, 3, 4]
    assert [point.value for point in found.Scalars("reward")] == pytest.approx([row["reward"] for row in rows])
    assert "families/words" in found.Tags()["scalars"]


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("default")
def test_mlflow_has_each_step_once_after_a_kill(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow")
    place = f"sqlite:///{tmp_path / 'shared.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place)
    killed_and_resumed(bench, tmp_path / "run", "mlflow")
    client = mlflow.MlflowClient(tracking_uri=place)
    (run,) = client.search_runs([client.get_experiment_by_name("evalkit").experiment_id])
    for name in ("reward", "families/words", "learning_seconds"):
        assert [point.step for point in client.get_metric_history(run.info.run_id, name)] == [1, 2, 3, 4]
    assert run.info.status == "FINISHED"


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("default")
def test_wandb_has_each_step_once_after_a_kill(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("wandb", reason="needs wandb")
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    killed_and_resumed(bench, tmp_path, "wandb")
    (file,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    data, place, steps = file.read_bytes(), 7, []
    # A log of LevelDB's form: checksum, length, kind, then the record; this one is shorter than a block.
    while place < len(data):
        size = int.from_bytes(data[place + 4 : place + 6], "little")
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data[place + 7 : place + 7 + size])
        place += 7 + size
        if record.HasField("history"):
            steps.append(record.history.step.num)
    assert steps == [1, 2, 3, 4]
