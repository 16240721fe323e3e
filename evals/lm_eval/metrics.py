"""lm-eval's metrics as evalkit's: means with our intervals, every other aggregation by lm-eval's own function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ...tasks.types import Metric, Observation, Score

PERCENT = ("bleu", "chrf", "chrf++", "ter")
SHARES = frozenset(("acc", "accuracy", "em", "match", "mc1", "mc2"))
"""Words in the names of means that lie in [0, 1]; lm-eval's metrics declare no scale."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One metric of an lm-eval task behind one of its filters; ``key`` is lm-eval's ``metric,filter``.

    ``bounds`` are the least and the greatest possible value of lm-eval's own functions, ``None`` of any other.
    """

    key: str
    function: Callable[[Sequence[Any]], float]
    is_mean: bool
    higher_is_better: bool
    bounds: tuple[float, float] | None = None

    def share(self, item: Any) -> float | None:
        """Return this metric of one sample alone on a scale from 0 to 1 where 1 is best, or ``None``.

        A mean's item is taken as it is and cut off at 0 and 1, BLEU and its like are divided by 100, a pair (gold,
        predicted) counts 1 when both agree, and x that is better when lower becomes 1 / (1 + x).
        """
        metric = self.key.partition(",")[0]
        if metric in ("f1", "mcc") and isinstance(item, list) and len(item) == 2:
            return float(item[0] == item[1])
        try:
            number = float(item if self.is_mean else self.function([item]))
        except OverflowError:
            number = math.inf
        except Exception:  # lm-eval's functions are third-party code; many need more than one item
            return None
        if math.isnan(number):
            return None
        if metric in PERCENT:
            number /= 100
        return min(max(number, 0.0), 1.0) if self.higher_is_better else 1 / (1 + max(number, 0.0))


def aggregations(task: Any) -> list[Aggregation]:
    """Return the metrics that an lm-eval task declares, in its order, once for each filter."""
    from lm_eval.api.metrics import bleu, chrf, chrfpp, f1_score, matthews_corrcoef, mean, nanmean

    percent = (0.0, 100.0)
    bounds = {f1_score: (0.0, 1.0), matthews_corrcoef: (-1.0, 1.0), bleu: percent, chrf: percent, chrfpp: percent}
    better = task.higher_is_better()
    return [
        Aggregation(
            f"{name},{ensemble.name}",
            function,
            function in (mean, nanmean),
            better.get(name) is not False,
            bounds.get(function),
        )
        for ensemble in task._filters
        for name, function in task.aggregation().items()
    ]


def value(metrics: Mapping[str, Any], known: Sequence[Aggregation]) -> float:
    """Return one sample's score: its first metric that is a mean to be maximised, else the first that has a share.

    Raises:
        ValueError: no metric of the sample can be brought to [0, 1].
    """
    ordered = sorted(known, key=lambda one: not (one.is_mean and one.higher_is_better))
    for one in ordered:
        share = one.share(metrics[one.key]) if metrics.get(one.key) is not None else None
        if share is not None:
            return share
    raise ValueError(f"none of its metrics ({', '.join(metrics)}) can be brought to [0, 1]")


def as_metrics(tasks: Mapping[str, Sequence[Aggregation]], group: Any | None) -> tuple[Metric, ...]:
    """Return evalkit's metrics of one lm-eval task, or of a group of them broken down by task.

    A metric that is a mean everywhere, and weighted by size in the group, is a plain mean over samples. Anything
    else is computed by lm-eval's function within each task, and the group's rule over the tasks.
    """
    by_key: dict[str, dict[str, Aggregation]] = {}
    for task, known in tasks.items():
        for one in known:
            by_key.setdefault(one.key, {})[task] = one
    unweighted = {
        one.metric for one in getattr(group, "aggregate_metric_list", None) or () if not one.weight_by_size
    }
    return tuple(
        _metric(key, of_tasks, by_size=key.partition(",")[0] not in unweighted, is_group=len(tasks) > 1)
        for key, of_tasks in by_key.items()
    )


def _metric(key: str, of_tasks: Mapping[str, Aggregation], *, by_size: bool, is_group: bool) -> Metric:
    name, _, filter_name = key.partition(",")
    title = name if filter_name == "none" else f"{name} ({filter_name})"
    plain = by_size and all(one.is_mean for one in of_tasks.values())

    def observe(score: Score) -> Iterable[Observation]:
        item = score.parts["metrics"].get(key)
        if item is not None:
            task = score.parts["task"]
            yield Observation(float(item) if plain else (task, item), {"task": task} if is_group else {})

    if plain:
        is_share = not SHARES.isdisjoint(name.split("_"))
        return Metric(key, observe, title, unit="share" if is_share else "number")

    def aggregate(items: Sequence[tuple[str, Any]]) -> float:
        ordered = sorted(items, key=lambda pair: pair[0])
        groups = [(task, [item for _, item in pairs]) for task, pairs in groupby(ordered, lambda pair: pair[0])]
        weights = [len(of_task) if by_size else 1 for _, of_task in groups]
        values = [float(of_tasks[task].function(of_task)) for task, of_task in groups]
        return sum(v * weight for v, weight in zip(values, weights, strict=True)) / sum(weights)

    common = {one.bounds for one in of_tasks.values()}
    return Metric(key, observe, title, aggregate=aggregate, bounds=common.pop() if len(common) == 1 else None)
