"""Run directories in, one plain table out; every page and export shows this table, so they cannot disagree.

::

    {"schema_version": 3,
     "runs":     [{"label", "name", "directory", "model", "judge", "passport", "canaries", "solver", "started", …}],
     "warnings": [{"kind", "task"?, "name"?, "values": [[run, text], …]}],
     "tasks":    [{"name", "title", "versions", "runs": [{"samples", "scored", "coverage", "judge", …} | None],
                   "metrics": [{"name", "title", "kind", "unit", "runs": [{"value", "low", "high", …} | None],
                                "breakdown": [{"name", "rows": [{"label", "runs": […]}]}]}]}],
     "comparisons": [{"first", "second", "tasks": [{"task", "metrics": […]}], "warnings": […], "trouble"}],
     "outcomes": [{"task", "title", "better", "worse", "samples": [id, …]}],
     "samples":  [{"task", "id", "epoch", "messages", "target", "metadata", "answers": [{…} | None]}],
     "facts":    [{"section", "rows": [{"name", "values": […], "differs"}]}]}

A list named ``runs``, ``answers`` or ``values`` has one entry a run, in the order of ``runs`` at the top, and
``None`` where a run has no such entry. Scores are shares in [0, 1], times are seconds. ``judge`` of a task is
``{"models", "passport", "canaries"}`` where a model graded it. ``won`` and ``lost`` of a difference are
places in ``outcomes``, which names the samples.

The same table is written beside a page as JSON, without the samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...errors import UsageError
from ...evals.records.manifest import Manifest, read_manifest
from ...evals.records.results import Measured, MetricResults, Results, TaskResults, read_results
from ...files import Paths, is_held, paths_of
from ...tasks.registry import open_task
from .comparisons import comparisons
from .outcomes import Outcomes
from .progress import LineCounts, run_progress
from .samples import Samples, Table, natural_order, read_table, side_by_side

SCHEMA_VERSION = 3

# Settings that may differ without making scores incomparable.
_OWN_SETTINGS = frozenset({"model", "tasks", "data", "base_url"})


@dataclass(frozen=True, slots=True)
class Run:
    """What a run directory holds."""

    directory: Path
    manifest: Manifest
    results: Results
    table: Table


def report_data(runs: Paths) -> dict[str, Any]:
    """Read run directories into the table that every page of a report shows.

    Raises:
        UsageError: no run, or the same run twice.
        InputError: a directory is not a run, or a file in it is damaged.
    """
    data, samples = read_report(runs)
    return {**data, "samples": list(samples)}


def read_report(runs: Paths, *, compare: bool = True) -> tuple[dict[str, Any], Samples]:
    """Read run directories as `report_data` does; return the samples separately, compressed.

    ``compare`` asks for the first run's paired comparisons with all others.

    Raises:
        UsageError: no run, or the same run twice.
        InputError: a directory is not a run, or a file in it is damaged.
    """
    directories = paths_of(runs)
    if not directories:
        raise UsageError("a report needs at least one run directory")
    for directory, times in Counter(directory.resolve() for directory in directories).items():
        if times > 1:
            raise UsageError(f"{directory} is given {times} times; name each run once")
    data, samples = side_by_side_data([load_run(directory) for directory in directories])
    if compare:
        outcomes = Outcomes()
        data |= {"comparisons": comparisons(directories, outcomes), "outcomes": outcomes.as_json()}
    return data, samples


def side_by_side_data(loaded: Sequence[Run]) -> tuple[dict[str, Any], Samples]:
    """Make the table of `report_data` without comparisons; return it and the samples."""
    labels = _labels(loaded)
    tasks = _union(run.manifest.by_name for run in loaded)
    samples = side_by_side([run.table for run in loaded], tasks)
    entries = [_run_entry(run, label) for run, label in zip(loaded, labels, strict=True)]
    data = {
        "schema_version": SCHEMA_VERSION,
        "runs": entries,
        "warnings": _warnings(loaded, entries, samples),
        "tasks": _tasks(loaded),
        "comparisons": [],
        "outcomes": [],
        "facts": facts_of([run.manifest.as_json() for run in loaded]),
    }
    return data, samples


def load_run(directory: Path) -> Run:
    """Read what a run directory holds.

    Raises:
        InputError: the directory is not a run, or a file in it is damaged or not what a run writes.
        UsageError: the results must be computed, and a task of the run is not installed here.
    """
    return Run(directory, read_manifest(directory), _results(directory), read_table(directory))


def _results(directory: Path) -> Results:
    results = read_results(directory)
    if results is None:  # the run is unfinished, or was measured by another version
        from ...evals.engine.results import summarize

        return summarize(directory)
    return results


def _labels(runs: Sequence[Run]) -> list[str]:
    """Label runs by model, and where that is ambiguous also by run name and number."""
    models = [run.results.model or run.manifest.spec.model for run in runs]
    named = _extended(models, [run.manifest.name for run in runs])
    return _extended(named, [f"#{index}" for index in range(1, len(runs) + 1)])


def _extended(labels: Sequence[str], extensions: Sequence[str]) -> list[str]:
    times = Counter(labels)
    pairs = zip(labels, extensions, strict=True)
    return [f"{label} ({extension})" if times[label] > 1 else label for label, extension in pairs]


def _progress(run: Run) -> dict[str, Any] | None:
    """Return the progress of a run that is unfinished or being continued."""
    if run.manifest.finished and not is_held(run.directory):
        return None
    return run_progress(run.directory, run.manifest, LineCounts()).unfinished()


def _run_entry(run: Run, label: str) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "label": label,
        "name": manifest.name,
        "directory": run.directory.name,
        "judge": list(manifest.spec.judge.models),
        **_trust(run),
        "solver": manifest.spec.solver,
        "model": run.results.model,
        "started": manifest.started,
        "finished": manifest.finished,
        "progress": _progress(run),
        "command": manifest.command,
        "evalkit": manifest.evalkit,
    }


# Tasks


def _tasks(runs: Sequence[Run]) -> list[dict[str, Any]]:
    by_run = [run.results.by_task for run in runs]
    return [_task(runs, [tasks.get(name) for tasks in by_run], name) for name in _union(by_run)]


def _judge_of(task: str, run: Run) -> dict[str, Any] | None:
    """Return the judge of a task, None if no model graded it; a task that is not installed counts as judged."""
    models = list(run.manifest.spec.judge.models)
    planned = run.manifest.by_name.get(task)
    if not models or planned is None:
        return None
    try:
        needs = open_task(planned.registered_as).needs
    except UsageError:
        needs = ("judge",)
    return {"models": models, **_trust(run)} if "judge" in needs else None


def _trust(run: Run) -> dict[str, Any]:
    """Return the passport line of a run's judge and the results of its decoys."""
    passport, canaries = run.manifest.passport, run.results.canaries
    return {
        "passport": passport.line if passport else None,
        "canaries": canaries.as_json() if canaries else None,
    }


def _task(runs: Sequence[Run], results: Sequence[TaskResults | None], name: str) -> dict[str, Any]:
    present = [result for result in results if result]
    metrics = [{metric.name: metric for metric in result.metrics} if result else {} for result in results]
    found = [_metric([of_run.get(metric) for of_run in metrics], metric) for metric in _union(metrics)]
    return {
        "name": name,
        "title": present[0].title or name,
        "versions": sorted({result.version for result in present}),
        "runs": [_of_run(result, run) if result else None for run, result in zip(runs, results, strict=True)],
        "metrics": [metric for metric in found if metric["kind"] == "task" or _is_measured(metric)],
    }


def _of_run(result: TaskResults, run: Run) -> dict[str, Any]:
    return {
        "version": result.version,
        "judge": _judge_of(result.task, run),
        "samples": result.samples,
        "answered": result.answered,
        "scored": result.scored,
        "coverage": result.coverage,
        "statuses": result.statuses,
        "usage": result.usage.as_json(),
        "cost": result.cost.as_json() if result.cost else None,
        "seconds": result.seconds,
    }


def _is_measured(metric: dict[str, Any]) -> bool:
    return any(point and point["value"] is not None for point in metric["runs"])


def _metric(results: Sequence[MetricResults | None], name: str) -> dict[str, Any]:
    present = [result for result in results if result]
    breakdowns = [result.breakdown if result else {} for result in results]
    return {
        "name": name,
        "title": present[0].title or name,
        "kind": present[0].kind,
        "unit": "share" if all(result.unit == "share" for result in present) else "number",
        "runs": [{"unit": result.unit, **result.estimate} if result else None for result in results],
        "breakdown": [
            {"name": dimension, "rows": _breakdown([of_run.get(dimension) or {} for of_run in breakdowns])}
            for dimension in _union(breakdowns)
        ],
    }


def _breakdown(results: Sequence[Mapping[str, Measured]]) -> list[dict[str, Any]]:
    labels = sorted(_union(results), key=natural_order)
    found = [[of_run.get(label) for of_run in results] for label in labels]
    return [
        {"label": label, "runs": [one.estimate if one else None for one in some]}
        for label, some in zip(labels, found, strict=True)
    ]


# What differs between runs


def _warnings(runs: Sequence[Run], entries: Sequence[dict[str, Any]], samples: Samples) -> list[dict[str, Any]]:
    manifests = [run.manifest for run in runs]
    found: list[dict[str, Any]] = []

    def compare(kind: str, values: Sequence[Any], **about: str) -> None:
        known = [[index, _text(value)] for index, value in enumerate(values) if value is not _ABSENT]
        if len({value for _, value in known}) > 1:
            found.append({"kind": kind, **about, "values": known})

    unfinished = [
        [index, f"{entry['progress']['done']} / {entry['progress']['total']}"]
        for index, entry in enumerate(entries)
        if entry["progress"]
    ]
    if unfinished:
        found.append({"kind": "incomplete", "values": unfinished})
    tasks = [manifest.by_name for manifest in manifests]
    for name in _union(tasks):
        lacking = [[index, ""] for index, of_run in enumerate(tasks) if name not in of_run]
        if lacking:
            found.append({"kind": "task_missing", "task": name, "values": lacking})
        having = [of_run.get(name) for of_run in tasks]
        compare("data", [task.data.sha256 if task else _ABSENT for task in having], task=name)
        compare("version", [task.version if task else _ABSENT for task in having], task=name)
        answered = samples.answered(name)
        times = [sum(answers[index] for answers in answered) for index in range(len(runs))]
        counts = [[index, str(times[index])] for index, task in enumerate(having) if task]
        if any(times[index] < len(answered) for index, task in enumerate(having) if task):
            found.append({"kind": "samples", "task": name, "values": counts})
    for task in _tasks(runs):
        unscored = [
            [index, f"{of_run['samples'] - of_run['scored']} / {of_run['samples']}"]
            for index, (run, of_run) in enumerate(zip(runs, task["runs"], strict=True))
            if of_run and run.manifest.finished and of_run["scored"] < of_run["samples"]
        ]
        if unscored:
            found.append({"kind": "unscored", "task": task["name"], "values": unscored})
    specs = [manifest.settings for manifest in manifests]
    for name in _union(specs):
        if name not in _OWN_SETTINGS:
            compare("setting", [spec.get(name) for spec in specs], name=name)
    compare("evalkit", [manifest.evalkit for manifest in manifests])
    return found


_ABSENT = object()


def facts_of(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Flatten settings into rows ``a.b.c`` by top-level section, one value for each of them."""
    flat = [dict(_flatten(one)) if one else {} for one in settings]
    sections: dict[str, list[dict[str, Any]]] = {}
    for path in _union(flat):
        values = [_text(of_run[path]) if path in of_run else None for of_run in flat]
        row = {"name": ".".join(path[1:]) or path[0], "values": values, "differs": len(set(values)) > 1}
        sections.setdefault(path[0] if len(path) > 1 else "", []).append(row)
    return [{"section": section, "rows": rows} for section, rows in sections.items()]


def _flatten(value: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flatten(item, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            name = item.get("name", index + 1) if isinstance(item, dict) else index + 1
            yield from _flatten(item, (*path, str(name)))
    else:
        yield path, value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _union(mappings: Iterable[Mapping[Any, Any]]) -> list[Any]:
    """Return the keys of all mappings, each once, in the order of first appearance."""
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))
