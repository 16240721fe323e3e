"""The paired comparisons of a report: the first run with each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...errors import InputError, UsageError
from ...evals.compare import Difference, compare_runs
from .outcomes import Outcomes


def comparisons(runs: Sequence[Path], outcomes: Outcomes) -> list[dict[str, Any]]:
    """Compare the first run with each of the others, as `evalkit compare` does.

    Return ``{"first", "second", "tasks", "warnings", "trouble"}`` for each pair: the numbers of the runs; for each
    task its metrics, headline first, with their differences (first minus second) and those of their breakdowns; and
    in ``trouble`` the reason if the two cannot be compared. ``won`` and ``lost`` of a difference index
    ``outcomes``, None where there is no such sample.
    """
    return [_comparison(runs, second, outcomes) for second in range(1, len(runs))]


def _comparison(runs: Sequence[Path], second: int, outcomes: Outcomes) -> dict[str, Any]:
    comparison: dict[str, Any] = {"first": 0, "second": second, "tasks": [], "warnings": [], "trouble": ""}
    try:
        compared = compare_runs(runs[0], runs[second])
    except (InputError, UsageError) as error:
        return comparison | {"trouble": str(error)}
    tasks: dict[str, dict[str, dict[str, Any]]] = {}
    for difference in compared.differences:
        metrics = tasks.setdefault(difference.task, {})
        if not difference.dimension:
            links = _links(difference, second, outcomes)
            metrics[difference.metric] = {**asdict(difference), **links, "breakdown": {}}
    for difference in compared.differences:
        if difference.dimension:
            breakdown = tasks[difference.task][difference.metric]["breakdown"]
            breakdown.setdefault(difference.dimension, []).append(_part(difference, second, outcomes))
    named = [{"task": task, "metrics": list(metrics.values())} for task, metrics in tasks.items()]
    return comparison | {"tasks": named, "warnings": list(compared.warnings)}


def _links(difference: Difference, second: int, outcomes: Outcomes) -> dict[str, int | None]:
    about = {"task": difference.task, "title": " · ".join(filter(None, (difference.title, difference.label)))}
    return {
        "won": outcomes.add(difference.won, **about, better=0, worse=second),
        "lost": outcomes.add(difference.lost, **about, better=second, worse=0),
    }


def _part(difference: Difference, second: int, outcomes: Outcomes) -> dict[str, Any]:
    names = ("label", "value", "low", "high", "p_value", "wins", "ties", "losses", "samples")
    return {name: getattr(difference, name) for name in names} | _links(difference, second, outcomes)
