"""The rows of a run in the form of lm-eval's ``samples_<task>_<time>.jsonl``: one for each filter and document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...tasks.types import Score, Task
from ..records.rows import SampleRow
from ..records.spec import RunSpec
from .bridge import LmEvalTask

NO_FILTER = "none"


def lm_eval_name(task: str) -> str:
    """Return the name under which lm-eval knows one of our tasks: ``evalkit_ruifeval_mini``."""
    return "evalkit_" + re.sub(r"\W", "_", task.rpartition(":")[2])


def metric_and_filter(name: str) -> tuple[str, str]:
    """Split a metric's name at the comma that lm-eval puts before the filter; our own metrics have none."""
    metric, comma, filter_name = name.rpartition(",")
    return (metric, filter_name) if comma else (filter_name, NO_FILTER)


def exported_samples(task: Task, rows: Sequence[SampleRow], spec: RunSpec) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by lm-eval's name of the task, in lm-eval's order: by filter, then by document.

    Args:
        task: what made the rows; an lm-eval group has several names, any other task has one.
        rows: those of this task, in any order. Those without a score are left out. Documents
            of our own tasks are numbered in the order of their ids.
        spec: the run's settings, from its manifest.
    """
    scored = [row for row in rows if row.score.value is not None]
    scored.sort(key=lambda row: (_natural(row.id), row.epoch))
    places = {id: place for place, id in enumerate(dict.fromkeys(row.id for row in scored))}
    samples: dict[str, list[dict[str, Any]]] = {}
    for filter_name in dict.fromkeys(metric_and_filter(metric.name)[1] for metric in task.metrics):
        for row in scored:
            if isinstance(task, LmEvalTask):
                name, number = row.score.parts["task"], int(row.id.rpartition("/")[2])
            else:
                name, number = lm_eval_name(task.name), places[row.id]
            metrics = _metrics(task, row.score, filter_name)
            if metrics:
                sample = _sample(row, number, filter_name, metrics, spec)
                samples.setdefault(name, []).append(sample)
    return samples


def sha256(text: str) -> str:
    """Return the hash by which lm-eval tells texts apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _metrics(task: Task, score: Score, filter_name: str) -> dict[str, Any]:
    if isinstance(task, LmEvalTask):
        found = {metric_and_filter(key): value for key, value in score.parts["metrics"].items()}
        return {metric: value for (metric, behind), value in found.items() if behind == filter_name}
    observed = {metric.name: [one.value for one in metric.observe(score)] for metric in task.metrics}
    return {name: values[0] if len(values) == 1 else values for name, values in observed.items()}


def _sample(
    row: SampleRow, number: int, filter_name: str, metrics: Mapping[str, Any], spec: RunSpec
) -> dict[str, Any]:
    own = {"id": row.id, "messages": _chat(row), "target": row.target, "metadata": row.metadata}
    document = row.metadata.get("document", own)
    requests = _requests(row, spec)
    responses, filtered = _responses(row, filter_name)
    return {
        "doc_id": number,
        "doc": document,
        "target": str(row.target),
        "arguments": {
            f"gen_args_{i}": {f"arg_{j}": value for j, value in enumerate(request)}
            for i, request in enumerate(requests)
        },
        "resps": responses,
        "filtered_resps": filtered,
        "filter": filter_name,
        "metrics": list(metrics),
        "doc_hash": sha256(json.dumps(document, indent=2, ensure_ascii=False)),
        "prompt_hash": sha256(requests[0][0]),
        "target_hash": sha256(str(row.target)),
        **({"epoch": row.epoch} if spec.epochs > 1 else {}),
        **metrics,
    }


def _requests(row: SampleRow, spec: RunSpec) -> list[tuple[Any, ...]]:
    """Return the arguments of lm-eval's requests: (prompt, settings), (context, continuation) or (text,)."""
    messages, sampling = row.messages, row.sampling
    prompt = messages[0].content if len(messages) == 1 else json.dumps(_chat(row), ensure_ascii=False)
    if sampling.get("rolling"):
        return [(text,) for _, text in row.continuations]
    if row.continuations:
        return [(prompt if messages else context, text) for context, text in row.continuations]
    wanted = {**sampling, **spec.model_dump(include={"temperature", "max_tokens"}, exclude_none=True)}
    temperature = wanted.get("temperature", 0.0)
    settings = {
        "until": list(sampling.get("stop", ())),
        "max_gen_toks": wanted.get("max_tokens"),
        "temperature": temperature,
        "do_sample": temperature > 0,
    }
    return [(prompt, settings)]


def _responses(row: SampleRow, filter_name: str) -> tuple[list[Any], list[Any]]:
    """Return what the model said and what the filter made of it; lm-eval writes all of it as text."""
    assert row.completion is not None, "a scored row has a completion"
    answer = row.completion
    if row.sampling.get("rolling"):
        values = [str(value) for value, _ in answer.loglikelihoods]
        return [[value] for value in values], values
    if row.continuations:
        pairs = [[str(value), str(greedy)] for value, greedy in answer.loglikelihoods]
        return [[pair] for pair in pairs], pairs
    filtered = row.score.parts.get("filtered", {}).get(filter_name, [answer.text])
    return [[answer.text]], [_as_text(item) for item in filtered]


def _chat(row: SampleRow) -> list[dict[str, str]]:
    return [message.as_json() for message in row.messages]


def _as_text(item: Any) -> Any:
    return [_as_text(one) for one in item] if isinstance(item, list) else str(item)


def _natural(id: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 9 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", id) if part]
