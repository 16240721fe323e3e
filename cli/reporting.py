"""The commands that show runs: report, leaderboard, compare, export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from .tables import note, print_comparison, print_differences

Language = Annotated[Literal["en", "ru"], typer.Option(help="Language of the page.")]


def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Run directories, or those of train and loop; several are compared.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    language: Language = "en",
    once: Annotated[
        bool, typer.Option("--once", help="Write it once, also while a run is going on [default: until it ends].")
    ] = False,
) -> None:
    """Write one offline HTML file that shows runs down to each verdict, or how models learned.

    While a run is going on the file is written anew every few seconds, and the page in a browser follows it.
    """
    from ..evals.engine.results import summarize
    from ..reports import is_learning, write_learning, write_report
    from ..reports.live.refresh import is_going, write_until_ended

    learned = any(map(is_learning, runs))
    write = partial(write_learning if learned else write_report, runs, output, language=language)
    if once or not is_going(runs):
        written = write()
    else:
        note("still going on: the report is written anew until it ends (Ctrl-C leaves it as it is, or use --once)")
        written = write_until_ended(runs, write)
    if not learned:
        print_comparison([summarize(directory) for directory in runs])
    print(f"report: {written}")


def leaderboard(
    directory: Annotated[Path, typer.Argument(help="A folder with runs, at any depth.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("leaderboard.html"),
    baseline: Annotated[
        str | None, typer.Option(help="Model or run that others are held against [default: the best of each task].")
    ] = None,
    language: Language = "en",
) -> None:
    """Write one offline HTML file that ranks all runs below a folder."""
    from ..reports import write_leaderboard

    written = write_leaderboard(directory, output, baseline=baseline, language=language, tell=note)
    print(f"leaderboard: {written}")


def view(
    directory: Annotated[Path, typer.Argument(help="A folder with runs, at any depth.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 0,
    language: Language = "en",
) -> None:
    """Show a folder of runs in the browser of this machine, live, until Ctrl-C: progress, leaderboard, reports."""
    from ..reports.live.view import view as serve

    serve(directory, port=port, language=language, announce=lambda address: print(f"view: {address}", flush=True))


def compare(
    first: Annotated[Path, typer.Argument(help="A run directory.")],
    second: Annotated[Path, typer.Argument(help="The run that it is compared with.")],
    gate: Annotated[
        list[str] | None, typer.Option(help="As 'ruifeval > -0.01': exit code 1 when FIRST is worse than that.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report of both here.")] = None,
    language: Language = "en",
) -> None:
    """Compare two runs on the samples that both have scored: paired differences with intervals, wins and losses."""
    from ..evals.compare import Gate, compare_runs
    from ..files import encode

    gates = [Gate.parse(text) for text in gate or []]
    found = compare_runs(first, second)
    for warning in found.warnings:
        note(f"the runs differ: {warning}")
    if as_json:
        print(encode(found.as_json(), indent=True).decode())
    else:
        print_differences(found)
    if output is not None:
        from ..reports import write_report

        note(f"report: {write_report([first, second], output, language=language)}")
    failed = False
    for one in gates:
        passed, difference = one.holds(found)
        failed = failed or not passed
        note(f"gate {one.text}: {'passed' if passed else 'FAILED'} ({difference.value:+.4f})")
    if failed:
        raise typer.Exit(1)


def export(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.")],
    format: Annotated[Literal["csv", "parquet", "markdown", "latex", "lm-eval"], typer.Option()],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file (a folder for lm-eval) [default: the terminal].")
    ] = None,
) -> None:
    """Write the metrics of runs as one table, or a run as lm-eval's files."""
    from ..reports.export import export as export_runs

    print(export_runs(runs, format, output), end="")
