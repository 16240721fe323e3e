"""``evalkit compare A B``: paired differences of two runs, and gates on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, UsageError
from ..files import AnyPath
from ..tasks.registry import open_task
from ..tasks.types import Metric, Score
from .records.manifest import Manifest, differences, read_manifest
from .records.rows import read_rows
from .statistics import compare_scores, holm

# Settings, besides the model, that change a run's numbers.
_SETTINGS = ("limit", "epochs", "solver", "seed", "temperature", "top_p", "max_tokens", "shard")
_GATE = re.compile(
    r"\s*(?P<task>[^\s/<>=]+)(?:/(?P<metric>[^\s<>=]+))?\s*(?P<sign>>=|>)\s*(?P<bound>[-+]?\d*\.?\d+)\s*"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of the first run less that of the second, on the samples that both have scored.

    ``value``, ``low`` and ``high`` are in the metric's own unit; ``p_value`` is of one test, ``adjusted`` is Holm's
    over all tests of the comparison (None for the parts of a breakdown, which are not tested).
    ``wins``, ``ties`` and ``losses`` count samples, by their mean; ``won`` and ``lost`` name those that differ.
    """

    task: str
    metric: str
    title: str
    dimension: str
    label: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    p_value: float
    wins: int
    ties: int
    losses: int
    samples: int
    detectable: float | None
    won: tuple[str, ...]
    lost: tuple[str, ...]
    adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side: ``warnings`` list differences other than the model, and unfinished runs."""

    first: str
    second: str
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gate:
    """``ruifeval > -0.01``: the headline metric of a task (or ``task/metric``) may not be worse than this.

    The bound is on the difference itself, first less second, as a share or in the metric's own unit.
    """

    text: str
    task: str
    metric: str | None
    bound: float
    strict: bool

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Read a gate.

        Raises:
            UsageError: it is not one.
        """
        found = _GATE.fullmatch(text)
        if found is None:
            raise UsageError(f"--gate {text!r}: give it as 'TASK > NUMBER' or 'TASK/METRIC >= NUMBER'")
        return cls(text.strip(), found["task"], found["metric"], float(found["bound"]), found["sign"] == ">")

    def holds(self, comparison: Comparison) -> tuple[bool, Difference]:
        """Tell whether the gate is passed, and by which difference.

        Raises:
            UsageError: the runs have no such task or metric in common.
        """
        for difference in comparison.differences:
            named = difference.task == self.task and self.metric in (None, difference.metric)
            if named and not difference.dimension:
                value = difference.value
                passed = value is not None and (value > self.bound if self.strict else value >= self.bound)
                return passed, difference
        raise UsageError(f"--gate {self.text!r}: the runs have no such task and metric in common")


def compare_runs(first: AnyPath, second: AnyPath) -> Comparison:
    """Compare two runs by every metric, paired by sample and clustered by it.

    Interval and p-value of a difference come from one test, on the metric's scale; see `statistics.compare_scores`.

    Raises:
        InputError: a directory is not a run, the runs have no scored sample in common, or a score lies outside the
            metric's bounds.
        UsageError: a task is not installed here.
    """
    directories = [Path(first), Path(second)]
    manifests = [read_manifest(directory) for directory in directories]
    tasks = [manifest.by_name for manifest in manifests]
    shared = [name for name in tasks[0] if name in tasks[1]]
    if not shared:
        raise InputError(f"{first} and {second} have no task in common")
    scores = [_scores(directory) for directory in directories]
    found: list[Difference] = []
    for name in shared:
        for metric in open_task(tasks[0][name].registered_as).metrics:
            if metric.aggregate is None:
                found += _of_metric(name, metric, scores[0][name], scores[1][name])
    if not found:
        raise InputError(f"{first} and {second} have no scored sample in common")
    one, other = (manifest.model.name for manifest in manifests)
    return Comparison(one, other, _adjusted(found), _unlike(manifests))


def _scores(directory: Path) -> dict[str, dict[tuple[str, int], Score]]:
    scores: dict[str, dict[tuple[str, int], Score]] = defaultdict(dict)
    for row in read_rows(directory):
        if row.score.value is not None:
            scores[row.task][row.id, row.epoch] = row.score
    return scores


def _of_metric(
    task: str, metric: Metric, first: Mapping[tuple[str, int], Score], second: Mapping[tuple[str, int], Score]
) -> Iterable[Difference]:
    samples = sorted({sample for sample, _ in first} & {sample for sample, _ in second})
    sides = [_observed(metric, scores) for scores in (first, second)]
    for (dimension, label), one in sides[0].items():
        other = sides[1].get((dimension, label), {})
        common = [sample for sample in samples if sample in one and sample in other]
        if not common:
            continue
        pairs = [one[sample] for sample in common], [other[sample] for sample in common]
        try:
            result = compare_scores(*pairs, bounds=metric.bounds)
        except ValueError as error:  # rows of a version of the task that had another scale
            raise InputError(f"{task}: metric '{metric.name}': {error}") from None
        difference = result.difference
        yield Difference(
            task, metric.name, metric.title or metric.name, dimension, label, metric.unit or "number",
            difference.value, difference.low, difference.high, result.p_value,
            result.wins, result.ties, result.losses, len(common), result.detectable,
            tuple(sample for sample in common if one[sample] > other[sample]),
            tuple(sample for sample in common if one[sample] < other[sample]),
        )  # fmt: skip


def _observed(metric: Metric, scores: Mapping[tuple[str, int], Score]) -> dict[tuple[str, str], dict[str, float]]:
    """Return, for the whole metric and each part of its breakdown, the mean of every sample's observations."""
    values: dict[tuple[str, str], dict[str, list[float]]] = {("", ""): defaultdict(list)}
    for (sample, _), score in scores.items():
        for observation in metric.observe(score):
            for part in (("", ""), *observation.labels.items()):
                values.setdefault(part, defaultdict(list))[sample].append(float(observation.value))
    return {
        part: {sample: sum(some) / len(some) for sample, some in of_part.items()}
        for part, of_part in sorted(values.items())
    }


def _adjusted(found: Sequence[Difference]) -> tuple[Difference, ...]:
    whole = [one for one in found if not one.dimension]
    adjusted = dict(zip(map(id, whole), holm([one.p_value for one in whole]), strict=True))
    return tuple(replace(one, adjusted=float(adjusted[id(one)])) if id(one) in adjusted else one for one in found)


def _unlike(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """Return a line for everything but the model in which the runs differ and that can move a number."""

    def matters(manifest: Manifest) -> dict[str, Any]:
        tasks = {
            task.name: {"version": task.version, "data": task.data.sha256, "samples": task.samples}
            for task in manifest.tasks
        }
        settings = {name: getattr(manifest.spec, name) for name in _SETTINGS}
        return {**settings, "tasks": tasks, "evalkit": manifest.evalkit}

    unfinished = tuple(f"{manifest.name} is not finished" for manifest in manifests if not manifest.finished)
    first, second = map(matters, manifests)
    return unfinished + tuple(line.strip() for line in differences(first, second))
