"""The tables that the commands print."""

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
    """Say something to the person, beside what a command prints."""
    print(line, file=sys.stderr)


def print_results(directory: Path) -> tuple[float, bool]:
    """Print the metrics of a run.

    Returns:
        The smallest share of a task's samples that has a score, and whether its judge can be trusted.
    """
    from ..evals.records.results import read_results

    results = read_results(directory)
    assert results is not None, "a run that has ended has results"
    for task in results.tasks:
        print_table(metrics_table(task.title, task.metrics))
        unscored = "" if task.coverage == 1 else f" ({task.coverage:.1%} of {task.samples})"
        statuses = ", ".join(f"{status}: {count}" for status, count in task.statuses.items())
        tokens = f"{task.usage.completion_tokens} tokens{_amounts(task.cost)}"
        print(f"{task.scored} scored{unscored}; {statuses}; {tokens}")
    if judging := results.judging:
        print(f"judging: {judging.requests} answers; {judging.completion_tokens} tokens{_amounts(judging)}")
        if canaries := judging.canaries:
            print(f"canaries: {canaries.fooled} of {canaries.sent} worthless answers got a good mark")
    return min(task.coverage for task in results.tasks), trusted(results)


def _amounts(cost: Cost | None) -> str:
    known = cost.known_cost if cost else {}
    return "".join(f"; {amount:.4g} {currency}" for currency, amount in known.items())


def trusted(results: Results) -> bool:
    """Tell whether worthless answers left a run's judge, if it has one, above suspicion (see `evals.canaries`)."""
    return results.canaries is None or results.canaries.trusted


def metrics_table(title: str, metrics: Sequence[MetricResults]) -> Table:
    """Return the table of one task's metrics with their intervals."""
    from rich.table import Table

    table = Table(title, "score", "95 % interval", "n", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for metric in metrics:
        if metric.value is None:
            table.add_row(metric.title, "—", "", "0")
            continue
        interval = f"{_shown(metric, metric.low)} – {_shown(metric, metric.high)}"
        table.add_row(metric.title, _shown(metric, metric.value), interval, str(metric.observations))
    return table


def print_comparison(runs: Sequence[Results], titles: Sequence[str] = ()) -> None:
    """Print the results of several runs side by side, a table a task; columns are titled by the models, or so."""
    from rich.table import Table

    columns = titles or [str(run.model) for run in runs]
    for title in dict.fromkeys(task.title for run in runs for task in run.tasks):
        rows: dict[str, dict[int, str]] = {}
        for number, run in enumerate(runs):
            for metric in (metric for task in run.tasks if task.title == title for metric in task.metrics):
                rows.setdefault(metric.title, {})[number] = _with_interval(metric)
        table = Table(title, *columns, box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for metric_title, cells in rows.items():
            table.add_row(metric_title, *(cells.get(number, "") for number in range(len(runs))))
        print_table(table)


def print_differences(comparison: Comparison) -> None:
    """Print the paired differences of two runs, the parts of breakdowns left out."""
    from rich.table import Table

    heading = f"{comparison.first} − {comparison.second}"
    table = Table(
        heading, "difference", "95 % interval", "p", "p (Holm)", "win/tie/loss", "n", box=None, pad_edge=False
    )
    for column in table.columns[1:]:
        column.justify = "right"
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
    """Print a table as wide as the terminal."""
    from rich.console import Console

    # A pipe has no width of its own, and nobody wants names cut off in a log.
    width = None if sys.stdout.isatty() else 120
    Console(highlight=False, width=width).print(table)
