"""The metrics of a training, passed on to TensorBoard, Weights & Biases or MLflow where a recipe asks for it.

``metrics.jsonl`` is what counts; a tracker holds a view of it. On opening it is brought to where training stands.
One that was added late has the whole curve, and a training that was killed no point twice. Only numbers go out: no
text, code, host or console. A tracker that fails is dropped with a warning, and training goes on.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import orjson

from ...evals.records.training import MetricsRow
from ...files import write_json

PROJECT = "evalkit"
_NOT_IN_A_NAME = re.compile(r"[^\w\-. /]")


class Tracker(Protocol):
    """Where numbers by step go; steps that it holds already are passed over."""

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add the numbers of a step."""

    def close(self) -> None:
        """Flush and close."""


class Trackers:
    """The trackers that a recipe asks for, each until it fails.

    Args:
        names: of `OPENERS`.
        directory: the training's; what belongs to a tracker lies in it.
        history: the metrics of the steps that are done.
        notify: called with a warning for each tracker that is dropped.
    """

    def __init__(
        self, names: Sequence[str], directory: Path, history: Sequence[MetricsRow], notify: Callable[[str], None]
    ) -> None:
        self._notify = notify
        self._open: dict[str, Tracker] = {}
        for name in dict.fromkeys(names):
            with self._giving_up(name):
                self._open[name] = OPENERS[name](directory)
                for row in history:
                    self._open[name].write(row.step, numbers_of(row))

    def write(self, row: MetricsRow) -> None:
        """Pass on the metrics of a step."""
        self._for_each(lambda tracker: tracker.write(row.step, numbers_of(row)))

    def close(self) -> None:
        """Close all of them."""
        self._for_each(lambda tracker: tracker.close())

    def _for_each(self, action: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            with self._giving_up(name):
                action(tracker)

    @contextmanager
    def _giving_up(self, name: str) -> Iterator[None]:
        """Drop the tracker on any error: it must not stop the training."""
        try:
            yield
        except Exception as error:
            self._open.pop(name, None)
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self._notify(f"WARNING: tracker {name} is dropped ({reason}); metrics.jsonl has all metrics")


def numbers_of(row: MetricsRow) -> dict[str, float]:
    """Return the finite numbers of a step's metrics, those of a part as ``part/name``, and its markers.

    A marker is ``marker/NAME``: 1 at the steps with a reset, an alarm, or too few groups to learn from.
    """
    numbers = dict(_flat(row.as_json(), ""))
    del numbers["step"]
    markers = {
        "reset": row.reset,
        "alarms": row.alarms,
        "critic_alarm": row.critic_alarm,
        row.outcome: row.outcome != "full",
    }
    return numbers | {f"marker/{name}": 1.0 for name, present in markers.items() if present}


def _flat(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}/")
        elif isinstance(value, int | float) and math.isfinite(value):
            yield _NOT_IN_A_NAME.sub("_", f"{before}{name}"), float(value)


class _TensorBoard:
    """Event files in ``tensorboard/``, written anew on opening: an event file cannot be taken back a step."""

    def __init__(self, directory: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(directory / "tensorboard", ignore_errors=True)
        self._writer = SummaryWriter(str(directory / "tensorboard"))

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    """One run of project `PROJECT`, gone on with by its id; offline where nobody is logged in.

    A run that is synced goes on after its last step. An offline run cannot be asked for it, so it is written anew.
    """

    def __init__(self, directory: Path) -> None:
        import wandb

        offline = os.environ.get("WANDB_MODE") == "offline"
        if "WANDB_MODE" not in os.environ:
            offline = not wandb.login(prompt=False)
        if offline:
            shutil.rmtree(directory / "wandb", ignore_errors=True)
        settings = wandb.Settings(
            console="off", silent=True, disable_code=True, disable_git=True, save_code=False, x_disable_stats=True,
            x_disable_meta=True, x_disable_machine_info=True,
        )  # fmt: skip
        identity = _identity(directory, "wandb", lambda: uuid4().hex)
        self._run = wandb.init(
            project=PROJECT, name=directory.name, id=identity, resume="allow", dir=directory, settings=settings,
            mode="offline" if offline else None,
        )  # fmt: skip
        self._next = self._run.step

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        if step >= self._next:
            self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


class _MlFlow:
    """One run of experiment `PROJECT` at ``MLFLOW_TRACKING_URI``, by default in ``mlflow.db`` of the training."""

    def __init__(self, directory: Path) -> None:
        from mlflow import MlflowClient

        place = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(directory / 'mlflow.db').resolve()}"
        self._client = MlflowClient(tracking_uri=place)
        self._run = _identity(directory, "mlflow", lambda: self._new_run(directory.name))
        # A kill may come between two numbers of a step: each has its own end.
        self._last = {
            name: max(point.step for point in self._client.get_metric_history(self._run, name))
            for name in self._client.get_run(self._run).data.metrics
        }

    def _new_run(self, name: str) -> str:
        known = self._client.get_experiment_by_name(PROJECT)
        experiment = self._client.create_experiment(PROJECT) if known is None else known.experiment_id
        return str(self._client.create_run(experiment, run_name=name).info.run_id)

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        fresh = [
            Metric(name, value, now, step) for name, value in numbers.items() if step > self._last.get(name, 0)
        ]
        if fresh:
            self._client.log_batch(self._run, metrics=fresh)

    def close(self) -> None:
        self._client.set_terminated(self._run)


def _identity(directory: Path, tracker: str, new: Callable[[], str]) -> str:
    """Return under which name a tracker knows this training, from ``trackers.json``, where a new one is kept."""
    path = directory / "trackers.json"
    known: dict[str, str] = {}
    with suppress(FileNotFoundError):
        known = orjson.loads(path.read_bytes())
    if tracker not in known:
        known[tracker] = new()
        write_json(path, known)
    return known[tracker]


OPENERS: Mapping[str, Callable[[Path], Tracker]] = {"tensorboard": _TensorBoard, "wandb": _Wandb, "mlflow": _MlFlow}
