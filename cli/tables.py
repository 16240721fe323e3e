"""The tables and notes that commands print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ..evals.compare import Comparison
    from ..evals.records.results import Cost, MetricResults, Results


def note(line: str) -> None:
    """Print a message for the user to stderr, apart from a command's output."""
    print(line, file=sys.stderr)


def print_results(directory: Path) -> tuple[float, bool]:
    """Print the metrics of a run.

    Returns:
        The lowest coverage of its tasks in [0, 1], and whether its judge passed the check by decoys.
    """
    from ..evals.records.results import read_results

    results = read_results(directory)
    assert results is not None, "a finished run has results"
    for task in results.tasks:
        print_table(metrics_table(task.title, task.metrics))
        unscored = "" if task.coverage == 1 else f" ({task.coverage:.1%} of {task.samples})"
        statuses = ", ".join(f"{status}: {count}" for status, count in task.statuses.items())
        tokens = f"{task.usage.completion_tokens} tokens{_amounts(task.cost)}"
        print(f"{task.scored} scored{unscored}; {statuses}; {tokens}")
    if judging := results.judging:
        print(f"judge: {judging.requests} answers; {judging.completion_tokens} tokens{_amounts(judging)}")
        if canaries := judging.canaries:
            print(f"canaries: judge fooled by {canaries.fooled} of {canaries.sent} decoys")
    return min(task.coverage for task in results.tasks), trusted(results)


def _amounts(cost: Cost | None) -> str:
    known = cost.known_cost if cost else {}
    return "".join(f"; {amount:.4g} {currency}" for currency, amount in known.items())


def trusted(results: Results) -> bool:
    """Tell whether a run has no judge or one that passed the check by decoys (see `evals.judging.canaries`)."""
    return results.canaries is None or results.canaries.trusted


def new_table(*columns: str, numeric: bool = True) -> Table:
    """Return an empty table without borders; columns after the first are right-aligned if ``numeric``."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if numeric and place else "left")
    return table


def metrics_table(title: str, metrics: Sequence[MetricResults]) -> Table:
    """Return the table of one task's metrics with their intervals."""
    table = new_table(title, "score", "95 % interval", "n")
    for metric in metrics:
        if metric.value is None:
            table.add_row(metric.title, "—", "", "0")
            continue
        interval = f"{_shown(metric, metric.low)} – {_shown(metric, metric.high)}"
        table.add_row(metric.title, _shown(metric, metric.value), interval, str(metric.observations))
    return table


def print_comparison(runs: Sequence[Results], titles: Sequence[str] = ()) -> None:
    """Print the results of several runs side by side, one table per task; ``titles`` default to the models."""
    columns = titles or [str(run.model) for run in runs]
    for title in dict.fromkeys(task.title for run in runs for task in run.tasks):
        rows: dict[str, dict[int, str]] = {}
        for number, run in enumerate(runs):
            for metric in (metric for task in run.tasks if task.title == title for metric in task.metrics):
                rows.setdefault(metric.title, {})[number] = _with_interval(metric)
        table = new_table(title, *columns)
        for metric_title, cells in rows.items():
            table.add_row(metric_title, *(cells.get(number, "") for number in range(len(runs))))
        print_table(table)


def print_differences(comparison: Comparison) -> None:
    """Print the paired differences of two runs, without those of breakdowns."""
    heading = f"{comparison.first} − {comparison.second}"
    table = new_table(heading, "difference", "95 % interval", "p", "p (Holm)", "win/tie/loss", "n")
    for one in comparison.differences:
        if one.dimension:
            continue
        scale, digits = (100, 1) if one.unit == "share" else (1, 3)
        numbers = [
            "?" if number is None else f"{scale * number:+.{digits}f}" for number in (one.value, one.low, one.high)
        ]
        table.add_row(
            f"{one.task}: {one.title}",
            numbers[0],
            f"{numbers[1]} – {numbers[2]}",
            f"{one.p_value:.3g}",
            "" if one.adjusted is None else f"{one.adjusted:.3g}",
            f"{one.wins}/{one.ties}/{one.losses}",
            str(one.samples),
        )
    print_table(table)


def _with_interval(metric: MetricResults) -> str:
    if metric.value is None:
        return "—"
    return f"{_shown(metric, metric.value)} [{_shown(metric, metric.low)}, {_shown(metric, metric.high)}]"


def _shown(metric: MetricResults, number: float | None) -> str:
    """Return a share in percent, and any other number as it is."""
    if number is None:
        return "?"
    return f"{100 * number:.1f}" if metric.unit == "share" else f"{number:.4g}"


def print_table(table: Table) -> None:
    """Print a table in the width of the terminal, or of 120 columns without one."""
    from rich.console import Console

    # Without a terminal rich assumes 80 columns, which would truncate names in logs.
    width = None if sys.stdout.isatty() else 120
    Console(highlight=False, markup=False, width=width).print(table)
