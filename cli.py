"""The front door: each command is a thin layer over the Python call of the same name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    help="Measure a Russian-language LLM, learn from the measurement, show the difference.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        print(f"evalkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    # `--debug` is read by __main__, which catches the errors.
    pass


Output = Annotated[Path | None, typer.Option("--output", "-o", help="The run directory [default: runs/NAME].")]


@app.command()
def run(
    model: Annotated[str, typer.Option(help="embedded[:NAME] | gguf:PATH | openai:NAME | replay:FILE")],
    tasks: Annotated[str, typer.Option(help="Task names, separated by commas, or path/to/file.py:object.")],
    limit: Annotated[int | None, typer.Option(help="Only the first N samples of each task.")] = None,
    epochs: Annotated[int, typer.Option(help="Ask each sample this many times.")] = 1,
    data: Annotated[list[str] | None, typer.Option(metavar="TASK=FILE", help="A task's published file.")] = None,
    output: Output = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests in flight [default: the model's].")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="OPENAI_API_KEY", help="Key for it.", show_envvar=True)
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that one request may take.")] = 600.0,
    budget: Annotated[str | None, typer.Option(help="Stop before the run costs more than this, as 5usd.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy [default: what the task wants, else 0].")
    ] = None,
    top_p: Annotated[float | None, typer.Option(help="Nucleus sampling.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer [default: the task's].")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only this part of the samples; see merge.")
    ] = None,
    report: Annotated[bool, typer.Option(help="Write report.html into the run directory.")] = True,
) -> None:
    """Score a model on tasks. Run the same command again to go on after an interruption.

    Exit code 1 when a sample is left without a score (a server that gave up, a scorer that broke).
    """
    from .evals.run import run as run_model

    directory = run_model(
        model,
        [name for name in tasks.split(",") if name],
        output=output,
        concurrency=concurrency,
        api_key=api_key,
        timeout=timeout,
        budget=budget,
        notify=_note,
        show_progress=True,
        data=_pairs(data or []),
        base_url=base_url,
        limit=limit,
        epochs=epochs,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        shard=shard,
    )
    complete = _print_results(directory)
    if report:
        from .reports import write_report

        print(f"report: {write_report([directory], directory / 'report.html')}")
    print(f"run:    {directory}")
    if not complete:
        _note("some samples have no score; run the same command again to try them once more")
        raise typer.Exit(1)


@app.command()
def score(
    task: Annotated[str, typer.Argument(help="A task's name.")],
    responses: Annotated[Path, typer.Option(help='JSONL of {"id", "response"} or {"id", "responses"}.')],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL of verdicts, a line a response.")],
    samples: Annotated[Path | None, typer.Option(help="The task's published file [default: its own data].")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    drop_reasoning: Annotated[
        bool, typer.Option("--drop-reasoning", help="Take <think>…</think> out first.")
    ] = False,
) -> None:
    """Score answers made elsewhere; no model is called."""
    from .evals.score import score as score_file

    scored = score_file(task, responses, output=output, samples=samples, seed=seed, drop_reasoning=drop_reasoning)
    for warning in scored.warnings:
        _note(warning)
    _print(_metrics_table(task, scored.metrics))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(scored.statuses.items()))
    print(f"{scored.lines} verdicts ({statuses}): {output}")


@app.command()
def rescore(run: Annotated[Path, typer.Argument(help="A run directory.")]) -> None:
    """Score stored answers again, with the tasks as they are now; no model is called."""
    from .evals.rescore import rescore as rescore_run

    before, after = rescore_run(run)
    _print_comparison([{**before, "model": "before"}, {**after, "model": "after"}])


@app.command()
def merge(
    runs: Annotated[list[Path], typer.Argument(help="The run directories of all shards.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The merged run directory.")],
) -> None:
    """Join the shards of one run (`run --shard 1/2`, `run --shard 2/2`) into one run directory."""
    from .evals.merge import merge as merge_runs

    complete = _print_results(merge_runs(runs, output))
    print(f"run:    {output}")
    if not complete:
        _note("some samples have no score; finish the shards and merge them again")
        raise typer.Exit(1)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories; several are compared.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    language: Annotated[Literal["en", "ru"], typer.Option(help="Language of the page.")] = "en",
) -> None:
    """Write one offline HTML file that shows runs down to each verdict."""
    from .evals.results import summarize
    from .reports import write_report

    written = write_report(runs, output, language=language)
    _print_comparison([summarize(directory) for directory in runs])
    print(f"report: {written}")


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Describe this task and show its first sample.")] = None,
) -> None:
    """List the tasks, or describe one."""
    from .tasks.registry import open_task, task_names

    if name is None:
        from rich.table import Table

        table = Table("task", "version", "what it is", box=None, pad_edge=False)
        for known in task_names():
            task = open_task(known)
            table.add_row(known, task.version, task.title)
        _print(table)
        return
    task = open_task(name)
    print(f"{task.name} (version {task.version}): {task.title}")
    print(f"answers up to {task.max_tokens} tokens; metrics: {', '.join(metric.name for metric in task.metrics)}")
    for sample in task.samples(split="test", limit=1, seed=0):
        print(f"\nits first own sample, {sample.id}:\n{sample.prompt}")


@app.command()
def models() -> None:
    """List the model backends and the embedded models."""
    from rich.table import Table

    from .evals.doctor import backends, embedded_models

    table = Table("backend", "model string", "here", box=None, pad_edge=False)
    for backend in backends():
        table.add_row(backend.name, backend.usage, backend.state)
    _print(table)
    print()
    table = Table("embedded model", "size", "licence", "languages", "here", box=None, pad_edge=False)
    for entry in embedded_models():
        table.add_row(*entry)
    _print(table)


@app.command()
def doctor() -> None:
    """Say what is installed, what can run here, and the command that adds what is missing."""
    from .evals.doctor import examine

    for line in examine():
        print(line)


def _pairs(options: list[str]) -> dict[str, str]:
    from .errors import UsageError

    pairs = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--data {option}: give it as TASK=FILE")
        pairs[name] = value
    return pairs


def _note(line: str) -> None:
    print(line, file=sys.stderr)


def _print_results(directory: Path) -> bool:
    import orjson

    results = orjson.loads((directory / "results.json").read_bytes())
    for task in results["tasks"]:
        _print(_metrics_table(task["title"], task["metrics"]))
        unscored = "" if task["coverage"] == 1 else f" ({task['coverage']:.1%} of {task['samples']})"
        statuses = ", ".join(f"{status}: {count}" for status, count in task["statuses"].items())
        cost = "".join(f"; {amount:.4g} {currency}" for currency, amount in task["cost"]["known_cost"].items())
        print(f"{task['scored']} scored{unscored}; {statuses}; {task['usage']['completion_tokens']} tokens{cost}")
    return all(task["coverage"] == 1 for task in results["tasks"])


def _metrics_table(title: str, metrics: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(title, "score", "95 % interval", "n", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for metric in metrics:
        if metric["value"] is None:
            table.add_row(metric["title"], "—", "", "0")
            continue
        interval = f"{100 * metric['low']:.1f} – {100 * metric['high']:.1f}"
        table.add_row(metric["title"], f"{100 * metric['value']:.1f}", interval, str(metric["observations"]))
    return table


def _print_comparison(runs: list[dict[str, Any]]) -> None:
    from rich.table import Table

    titles = {task["title"]: None for run in runs for task in run["tasks"]}
    for title in titles:
        rows: dict[str, dict[int, str]] = {}
        for number, run in enumerate(runs):
            for metric in (metric for task in run["tasks"] if task["title"] == title for metric in task["metrics"]):
                rows.setdefault(metric["title"], {})[number] = _with_interval(metric)
        table = Table(title, *(run["model"] for run in runs), box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for metric_title, cells in rows.items():
            table.add_row(metric_title, *(cells.get(number, "") for number in range(len(runs))))
        _print(table)


def _with_interval(metric: dict[str, Any]) -> str:
    if metric["value"] is None:
        return "—"
    return f"{100 * metric['value']:.1f} [{100 * metric['low']:.1f}, {100 * metric['high']:.1f}]"


def _print(table: Table) -> None:
    from rich.console import Console

    # A pipe has no width of its own, and nobody wants names cut off in a log.
    width = None if sys.stdout.isatty() else 120
    Console(highlight=False, width=width).print(table)
