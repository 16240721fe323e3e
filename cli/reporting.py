"""The commands that show runs: report, leaderboard, compare, export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Runs, argument, option, output_option
from .tables import note, print_comparison, print_differences

Folder = Annotated[Path, argument("DIR", "Folder that contains runs, at any depth.")]
Language = Annotated[Literal["en", "ru"], typer.Option(help="Language of the page.")]
Page = Annotated[Path, output_option("FILE", "HTML file.")]


def report(
    runs: Annotated[list[Path], argument("RUN", "Directories of runs, or of trainings and loops.")],
    output: Page = Path("report.html"),
    language: Language = "en",
    once: Annotated[bool, typer.Option("--once", help="Do not follow a run in progress.")] = False,
) -> None:
    """Write an HTML report of runs or trainings.

    Several runs are compared. The file is complete and opens offline. While a run is in progress it is rewritten
    every few seconds, and an open page reloads itself.
    """
    from ..evals.engine.results import summarize
    from ..reports import is_learning, write_learning, write_report
    from ..reports.live.refresh import is_going, write_until_ended

    learned = any(map(is_learning, runs))
    write = partial(write_learning if learned else write_report, runs, output, language=language)
    if once or not is_going(runs):
        written = write()
    else:
        note("in progress: the report is updated until the run ends (stop with Ctrl-C, or use --once)")
        written = write_until_ended(runs, write)
    if not learned:
        print_comparison([summarize(directory) for directory in runs])
    print(f"report: {written}")


def leaderboard(
    directory: Folder,
    output: Page = Path("leaderboard.html"),
    baseline: Annotated[
        str | None, option("NAME", "Baseline model or run [default: the best one of each task].")
    ] = None,
    language: Language = "en",
) -> None:
    """Write an HTML leaderboard of runs.

    All runs below DIR are ranked. The file is complete and opens offline.
    """
    from ..reports import write_leaderboard

    written = write_leaderboard(directory, output, baseline=baseline, language=language, tell=note)
    print(f"leaderboard: {written}")


def view(
    directory: Folder = Path("runs"),
    port: Annotated[int, option("N", "Port on localhost; 0 selects a free one.", min=0, max=65535)] = 0,
    language: Language = "en",
) -> None:
    """Serve runs to a local browser, live.

    Shows progress, the leaderboard and reports of the runs below DIR, on localhost, until Ctrl-C.
    """
    from ..reports.live.view import view as serve

    serve(directory, port=port, language=language, announce=lambda address: print(f"view: {address}", flush=True))


def compare(
    first: Annotated[Path, argument("FIRST", "Run directory.")],
    second: Annotated[Path, argument("SECOND", "Run directory to compare it with.")],
    gate: Annotated[
        list[str] | None,
        option("RULE", "Exit with 1 unless this condition holds, e.g. 'ruifeval > -0.01'. Repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    output: Annotated[Path | None, output_option("FILE", "Also write an HTML report of both.")] = None,
    language: Language = "en",
) -> None:
    """Compare two runs sample by sample.

    Prints paired differences (FIRST less SECOND) with intervals, and wins and losses, on the samples that both runs
    have scored. A --gate bounds such a difference from below.
    """
    from ..evals.compare import Gate, compare_runs
    from ..files import encode

    gates = [Gate.parse(text) for text in gate or []]
    comparison = compare_runs(first, second)
    for warning in comparison.warnings:
        note(f"the runs differ: {warning}")
    if as_json:
        print(encode(comparison.as_json(), indent=True).decode())
    else:
        print_differences(comparison)
    if output is not None:
        from ..reports import write_report

        note(f"report: {write_report([first, second], output, language=language)}")
    results = [(one.text, *one.holds(comparison)) for one in gates]
    for text, passed, difference in results:
        note(f"gate {text}: {'passed' if passed else 'FAILED'} ({difference.value:+.4f})")
    if not all(passed for _, passed, _ in results):
        raise typer.Exit(1)


def export(
    runs: Runs,
    format: Annotated[
        Literal["csv", "parquet", "markdown", "latex", "lm-eval"],
        option("FORMAT", "csv, parquet, markdown, latex or lm-eval."),
    ],
    output: Annotated[Path | None, output_option("FILE", "File; for lm-eval a folder [default: stdout].")] = None,
) -> None:
    """Export the metrics of runs as a table.

    The format lm-eval writes one run as lm-eval's result files instead.
    """
    from ..reports.export import export as export_runs

    print(export_runs(runs, format, output), end="")
