"""From finished rows to metrics with intervals and coverage: ``results.json``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..tasks.registry import open_task
from ..tasks.types import Metric, Score, Usage
from .cost import Ledger, Price
from .manifest import read_manifest
from .statistics import mean_interval
from .store import read_rows

SCHEMA_VERSION = 1


def summarize(directory: Path) -> dict[str, Any]:
    """Compute ``results.json`` from a run directory, finished or still going.

    Raises:
        InputError: the directory is not a run, or a row of it is damaged.
        UsageError: a task of the run is not installed here.
    """
    manifest = read_manifest(directory)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(directory):
        rows[row["task"]].append(row)
    # Rows lie in the order in which they were finished; sums must not depend on it.
    for finished in rows.values():
        finished.sort(key=lambda row: (row["id"], row["epoch"]))
    epochs = manifest["spec"]["epochs"]
    price = Price.model_validate(manifest["price"]) if manifest["price"] else None
    tasks = [_summarize_task(task, rows[task["name"]], epochs, price) for task in manifest["tasks"]]
    return {
        "schema_version": SCHEMA_VERSION,
        "name": manifest["name"],
        "model": manifest["model"]["name"],
        "complete": manifest["finished"] is not None and all(task["coverage"] == 1 for task in tasks),
        "started": manifest["started"],
        "finished": manifest["finished"],
        "tasks": tasks,
    }


def _summarize_task(
    planned: Mapping[str, Any], rows: list[dict[str, Any]], epochs: int, price: Price | None
) -> dict[str, Any]:
    task = open_task(planned["registered_as"])
    scores = [(row["id"], Score.from_json(row["score"])) for row in rows]
    scored = sum(score.value is not None for _, score in scores)
    expected = planned["samples"] * epochs
    ledger = Ledger()
    for row in rows:
        ledger.add(Usage(**row["usage"]) if row["usage"] else None, price)
    return {
        "task": planned["name"],
        "version": planned["version"],
        "title": planned["title"],
        "samples": expected,
        "answered": len(rows),
        "scored": scored,
        "coverage": scored / expected,
        "statuses": dict(sorted(Counter(score.status.value for _, score in scores).items())),
        "metrics": [measure(metric, scores) for metric in task.metrics],
        "usage": {"prompt_tokens": ledger.prompt_tokens, "completion_tokens": ledger.completion_tokens},
        "cost": ledger.as_json(),
        "seconds": sum(row["timing"]["latency"] or 0.0 for row in rows),
    }


def measure(metric: Metric, scores: Iterable[tuple[str, Score]]) -> dict[str, Any]:
    """Compute one metric over ``(sample id, score)`` pairs: the mean, its 95 % interval, and its breakdowns.

    Observations of one sample form a cluster. Scores without a value are left out; coverage tells how many.
    """
    values: list[float] = []
    clusters: list[str] = []
    broken_down: dict[str, dict[str, tuple[list[float], list[str]]]] = defaultdict(
        lambda: defaultdict(lambda: ([], []))
    )
    for sample, score in scores:
        if score.value is None:
            continue
        for observation in metric.observe(score):
            values.append(observation.value)
            clusters.append(sample)
            for label, key in observation.labels.items():
                group_values, group_clusters = broken_down[label][key]
                group_values.append(observation.value)
                group_clusters.append(sample)
    return {
        "name": metric.name,
        "title": metric.title or metric.name,
        **_estimate(values, clusters),
        "breakdown": {
            label: {key: _estimate(*group) for key, group in sorted(groups.items())}
            for label, groups in sorted(broken_down.items())
        },
    }


def _estimate(values: list[float], clusters: list[str]) -> dict[str, Any]:
    if not values:
        return {"value": None, "low": None, "high": None, "se": None, "observations": 0, "samples": 0}
    estimate = mean_interval(values, clusters)
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "se": estimate.se,
        "observations": len(values),
        "samples": len(set(clusters)),
    }
