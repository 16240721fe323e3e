"""A run in lm-eval's own files: ``results_<time>.json`` and ``samples_<task>_<time>.jsonl``.

The forms are those of lm-eval 0.4.13 (``lm_eval/result_schema.py``, ``EvaluationTracker``), so that its table, its
readers and the tools built on them accept a run of evalkit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...errors import InputError
from ...files import write_json, write_lines
from ...tasks.registry import open_task
from ...tasks.types import Task
from ..engine.results import summarize
from ..records.manifest import Manifest, read_manifest
from ..records.results import Measured, MetricResults, TaskResults
from ..records.rows import read_rows
from .bridge import LmEvalTask
from .exported_samples import exported_samples, lm_eval_name, metric_and_filter, sha256


def export_lm_eval(directory: Path, output: Path) -> list[Path]:
    """Write a run as lm-eval would have, into ``<output>/<model>/``.

    A metric's standard error is ours: clustered by sample, and equal to lm-eval's where each sample was asked once.
    Samples without a score are left out. With several epochs each row has an ``epoch``, which lm-eval has not.

    Returns:
        The results file, then the samples files.

    Raises:
        InputError: the directory is not a run, or nothing of it has a score.
        UsageError: a task of the run is not installed here.
        RunError: the files cannot be written.
    """
    manifest = read_manifest(directory)
    summary = summarize(directory)
    results = _head(manifest)
    folder = output / results["model_name_sanitized"]
    folder.mkdir(parents=True, exist_ok=True)
    ended = datetime.fromisoformat(manifest.finished or manifest.started).replace(tzinfo=None)
    stamp = ended.isoformat().replace(":", "-")
    written: list[Path] = []
    for planned, measured in zip(manifest.tasks, summary.tasks, strict=True):
        task = open_task(planned.registered_as)
        rows = [row for row in read_rows(directory) if row.task == planned.name]
        samples = exported_samples(task, rows, manifest.spec)
        for name, of_task in samples.items():
            hashes = (one["doc_hash"] + one["prompt_hash"] + one["target_hash"] for one in of_task)
            results["task_hashes"][name] = sha256("".join(hashes))
            path = folder / f"samples_{name}_{stamp}.jsonl"
            write_lines(path, of_task)
            written.append(path)
        counts = {name: len({one["doc_id"] for one in of_task}) for name, of_task in samples.items()}
        if isinstance(task, LmEvalTask):
            _add_theirs(results, task, measured.metrics, counts)
        else:
            _add_ours(results, task, measured, counts)
    if not written:
        raise InputError(f"{directory}: no sample has a score, so there is nothing to export")
    path = folder / f"results_{stamp}.json"
    write_json(path, results)
    return [path, *written]


def _add_ours(results: dict[str, Any], task: Task, measured: TaskResults, counts: Mapping[str, int]) -> None:
    name = lm_eval_name(task.name)
    metadata = {"evalkit_task": task.name, "version": task.version}
    effective = counts.get(name, 0)
    entries = {
        "results": _entry(name, measured.title, effective, [(metric.name, metric) for metric in measured.metrics]),
        "configs": {"task": name, "output_type": "generate_until", "num_fewshot": 0, "metadata": metadata},
        "versions": task.version,
        "n-shot": 0,
        "higher_is_better": {metric.name: True for metric in task.metrics},
        "n-samples": {"original": measured.samples, "effective": effective},
    }
    for section, entry in entries.items():
        results[section][name] = entry


def _add_theirs(
    results: dict[str, Any], task: LmEvalTask, metrics: Sequence[MetricResults], counts: Mapping[str, int]
) -> None:
    for name, inner in task.tasks.items():
        effective = counts.get(name, 0)
        described = json.loads(json.dumps(inner.dump_config(), default=str))
        own: Iterable[tuple[str, Measured]] = [(metric.name, metric) for metric in metrics]
        if len(task.tasks) > 1:
            parts = [(metric.name, metric.breakdown.get("task", {}).get(name)) for metric in metrics]
            own = [(key, part) for key, part in parts if part is not None]
        entries = {
            "results": _entry(name, described.get("task_alias") or name, effective, own),
            "configs": described,
            "versions": inner.VERSION,
            "n-shot": inner.config.num_fewshot,
            "higher_is_better": dict(inner.higher_is_better()),
            "n-samples": {"original": len(task.documents[name]), "effective": effective},
        }
        for section, entry in entries.items():
            results[section][name] = entry
    if task.group is not None:
        _add_group(results, task.group, metrics, sum(counts.values()))


def _add_group(results: dict[str, Any], group: Any, metrics: Iterable[MetricResults], effective: int) -> None:
    declared = {one.metric for one in group.aggregate_metric_list or ()}
    own = [(metric.name, metric) for metric in metrics if metric_and_filter(metric.name)[0] in declared]
    found = _entry(group.name, group.alias or group.name, effective, own)
    results["results"][group.name] = found
    results["versions"][group.name] = group.version
    results["group_subtasks"][group.name] = group.child_names
    if declared:
        results.setdefault("groups", {})[group.name] = found


def _entry(name: str, alias: str, effective: int, metrics: Iterable[tuple[str, Measured]]) -> dict[str, Any]:
    values: dict[str, Any] = {"name": name, "alias": alias, "sample_len": effective}
    for key, metric in metrics:
        if metric.value is not None:
            name, filter_name = metric_and_filter(key)
            values[f"{name},{filter_name}"] = metric.value
            values[f"{name}_stderr,{filter_name}"] = "N/A" if metric.se is None else metric.se
    return values


def _head(manifest: Manifest) -> dict[str, Any]:
    spec, model, packages = manifest.spec, manifest.model, manifest.packages
    started = datetime.fromisoformat(manifest.started)
    ended = datetime.fromisoformat(manifest.finished or manifest.started)
    environment = {"evalkit": __version__, "python": manifest.python, **manifest.hardware, **packages}
    settings = {"temperature": spec.temperature, "top_p": spec.top_p, "max_tokens": spec.max_tokens}
    given = {name: value for name, value in settings.items() if value is not None}
    return {
        "results": {},
        "group_subtasks": {},
        "configs": {},
        "versions": {},
        "n-shot": {},
        "higher_is_better": {},
        "n-samples": {},
        "config": {
            "model": "evalkit",
            "model_args": {"model": spec.model},
            "batch_size": None,
            "batch_sizes": [],
            "device": None,
            "use_cache": None,
            "limit": spec.limit,
            "bootstrap_iters": 0,
            "gen_kwargs": given or None,
            "random_seed": spec.seed,
            "numpy_seed": spec.seed,
            "torch_seed": spec.seed,
            "fewshot_seed": None,
        },
        "git_hash": manifest.git.commit if manifest.git else None,
        "date": started.timestamp(),
        "pretty_env_info": "\n".join(f"{name}: {value}" for name, value in environment.items()),
        "transformers_version": packages.get("transformers", "N/A"),
        "lm_eval_version": packages.get("lm_eval", "N/A"),
        "upper_git_hash": None,
        "task_hashes": {},
        "model_source": "evalkit",
        "model_name": model.name,
        "model_name_sanitized": re.sub(r'["<>:/|\\?*\[\]]+', "__", model.name),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": None,
        "chat_template": None,
        "chat_template_sha": model.as_json().get("chat_template_sha256"),
        "total_evaluation_time_seconds": str((ended - started).total_seconds()),
    }
