"""From finished rows to metrics with intervals and coverage: ``results.json``."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...files import write_json
from ...tasks.registry import open_task
from ...tasks.types import Metric, Score
from ..costs.prices import Ledger, Price
from ..judging.canaries import read_canaries, summary_of
from ..judging.opening import ledger_of
from ..records.document import SCHEMA_VERSION
from ..records.manifest import RunTask, read_manifest
from ..records.parquet import write_parquet
from ..records.results import RESULTS, Results
from ..records.rows import ROWS, SampleRow, read_rows
from ..records.spec import RunSpec
from ..solvers import open_solver
from .series import Rows, Series
from .side_metrics import LanguageMetrics, SampleMetrics


def summarize(directory: Path) -> Results:
    """Compute the results of a run directory, finished or still going.

    Raises:
        InputError: the directory is not a run, or a row of it is damaged.
        UsageError: a task of the run is not installed here.
    """
    manifest = read_manifest(directory)
    tallies = {task.name: _TaskTally(task, manifest.spec, manifest.price) for task in manifest.tasks}
    for row in read_rows(directory):
        if row.task not in tallies:
            raise InputError(f"{directory / ROWS}: '{row.task}', of sample '{row.id}', is not a task of this run")
        tallies[row.task].add(row)
    tasks = [tally.summary() for tally in tallies.values()]
    ledger = ledger_of(directory, manifest.judge_prices)
    canaries = summary_of(read_canaries(directory))
    judging = ledger.as_json() | {"canaries": canaries.as_json() if canaries else None}
    results = {
        "schema_version": SCHEMA_VERSION,
        "name": manifest.name,
        "model": manifest.model.name,
        "complete": manifest.finished is not None and all(task["coverage"] == 1 for task in tasks),
        "started": manifest.started,
        "finished": manifest.finished,
        "judging": judging if manifest.judge else None,
        "tasks": tasks,
    }
    return Results.decode(results, source=directory / RESULTS)


def write_summary(directory: Path) -> Results:
    """Compute the results of a run directory and write them there, with the table of its rows; return them.

    Raises:
        InputError, UsageError: as `summarize`.
        RunError: the disk is full or the folder is read-only.
    """
    results = summarize(directory)
    write_json(directory / RESULTS, results.as_json())
    write_parquet(directory)
    return results


class _TaskTally:
    """Running totals of one task, updated row by row."""

    def __init__(self, planned: RunTask, spec: RunSpec, price: Price | None) -> None:
        self._planned = planned
        self._price = price
        self._solver = open_solver(spec.solver)
        self._expected = planned.samples * spec.epochs
        self._rows = Rows()
        self._metrics = [_MetricTally(metric) for metric in open_task(planned.registered_as).metrics]
        self._of_samples = SampleMetrics(spec.epochs, self._solver.name, self._solver.drafts)
        self._language = LanguageMetrics()
        self._statuses: Counter[str] = Counter()
        self._scored = 0
        self._seconds = array("d")
        self._ledger = Ledger()

    def add(self, row: SampleRow) -> None:
        number = self._rows.add(row.id, row.epoch)
        score = row.score
        self._statuses[score.status.value] += 1
        self._ledger.add(row.usage, self._price)
        self._seconds.append(row.latency or 0.0)
        self._of_samples.add(row)
        self._language.add(number, row)
        self._scored += score.value is not None
        for metric in self._metrics:
            metric.add(number, score)

    def summary(self) -> dict[str, Any]:
        return {
            "task": self._planned.name,
            "version": self._planned.version,
            "title": self._planned.title,
            "samples": self._expected,
            "answered": self._statuses.total(),
            "scored": self._scored,
            "coverage": self._scored / self._expected,
            "statuses": dict(sorted(self._statuses.items())),
            "metrics": [
                *({"kind": "task", **metric.summary(self._rows)} for metric in self._metrics),
                *self._of_samples.summary(),
                *self._language.summary(self._rows),
            ],
            "solver": {
                "name": self._solver.name,
                "drafts": self._solver.drafts,
                "tokens": dict(self._of_samples.tokens),
            },
            "usage": {
                "prompt_tokens": self._ledger.prompt_tokens,
                "completion_tokens": self._ledger.completion_tokens,
            },
            "cost": self._ledger.as_json(),
            "seconds": sum(sorted(self._seconds)),
        }


class _MetricTally:
    """The observations of one metric, and of every part of its breakdown."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._all = Series(metric.bounds, metric.aggregate)
        self._parts: dict[str, dict[str, Series]] = defaultdict(dict)

    def add(self, row: int, score: Score) -> None:
        if score.value is None and not self._metric.partial:
            return
        for observation in self._metric.observe(score):
            self._all.add(row, observation.value)
            for label, key in observation.labels.items():
                series = self._parts[label].get(key)
                if series is None:
                    series = self._parts[label][key] = Series(self._metric.bounds, self._metric.aggregate)
                series.add(row, observation.value)

    def summary(self, rows: Rows) -> dict[str, Any]:
        return {
            "name": self._metric.name,
            "title": self._metric.title or self._metric.name,
            "unit": self._metric.unit,
            "bounds": self._metric.bounds,
            **self._whole(rows),
            "breakdown": {
                label: {key: series.estimate(rows) for key, series in sorted(parts.items())}
                for label, parts in sorted(self._parts.items())
            },
        }

    def _whole(self, rows: Rows) -> dict[str, Any]:
        try:
            return self._all.estimate(rows)
        except ValueError as error:
            raise InputError(
                f"metric '{self._metric.name}': {error}; a metric of another scale declares it: "
                "Metric(…, unit='number', bounds=(least, greatest)), or no bounds"
            ) from None


def measure_metric(metric: Metric, scores: Iterable[tuple[str, Score]]) -> dict[str, Any]:
    """Compute one metric over ``(sample id, score)`` pairs: the mean, its 95 % interval, and its breakdowns.

    Observations of one sample form a cluster. Scores without a value are left out; coverage tells how many.

    Raises:
        InputError: an observation lies outside the metric's bounds.
    """
    rows, tally = Rows(), _MetricTally(metric)
    for number, (sample, score) in enumerate(scores):
        tally.add(rows.add(sample, number), score)
    return tally.summary(rows)
