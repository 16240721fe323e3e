"""The front door: each command is a thin layer over the Python call of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from . import reporting as cli_report
from . import training as cli_train
from .judging import judge_app
from .options import (
    Budget,
    Canaries,
    JudgeApiKey,
    JudgeBaseUrl,
    JudgeLanguage,
    JudgeOption,
    JuryRule,
    MaybeJudge,
    Sandbox,
    UnsafeCode,
    judge_spec,
    pairs,
)
from .tables import metrics_table, note, print_comparison, print_results, print_table

app = typer.Typer(
    help="Measure a Russian-language LLM, learn from the measurement, show the difference.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    # Rich's panels would take a third of the time until --help answers.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(judge_app, name="judge")


def _version(wanted: bool) -> None:
    if wanted:
        from .._version import __version__

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
    model: Annotated[
        str | None, typer.Option(help="embedded[:NAME] | gguf:PATH | hf:PATH | vllm:PATH | openai:NAME | …")
    ] = None,
    tasks: Annotated[
        str | None, typer.Option(help="Task names, separated by commas, or path/to/file.py:object.")
    ] = None,
    from_manifest: Annotated[
        Path | None, typer.Option("--from", metavar="MANIFEST", help="Repeat the run that made this manifest.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples of each task.")] = None,
    epochs: Annotated[int, typer.Option(help="Ask each sample this many times.")] = 1,
    solver: Annotated[
        str, typer.Option(help="single | cot | best_of(n=4) | vote(n=4) | multi_agent(n=4)")
    ] = "single",
    judge: MaybeJudge = None,
    judge_base_url: JudgeBaseUrl = None,
    judge_api_key: JudgeApiKey = None,
    judge_language: JudgeLanguage = "ru",
    jury_rule: JuryRule = "mean",
    judge_option: JudgeOption = None,
    require_passport: Annotated[
        Path | None, typer.Option(metavar="PASSPORT", help="Refuse a judge that this passport is not of.")
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="What its passport must show, as 'order_consistency >= 0.8'.")
    ] = None,
    canaries: Canaries = 0.02,
    min_coverage: Annotated[
        float, typer.Option(help="Exit code 1 when a smaller share of a task's samples has a score.")
    ] = 1.0,
    data: Annotated[list[str] | None, typer.Option(metavar="TASK=FILE", help="A task's published file.")] = None,
    output: Output = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests in flight [default: the model's].")] = None,
    base_url: Annotated[
        list[str] | None, typer.Option(help="Address of an OpenAI-compatible server; several share the requests.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="OPENAI_API_KEY", help="Key for it.", show_envvar=True)
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that one request may take.")] = 600.0,
    budget: Budget = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy [default: what the task wants, else 0].")
    ] = None,
    top_p: Annotated[float | None, typer.Option(help="Nucleus sampling.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer [default: the task's].")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    sandbox: Sandbox = "auto",
    unsafe_code: UnsafeCode = False,
    executor: Annotated[
        Literal["local", "ray"], typer.Option(help="ray opens the model on the machines of a cluster.")
    ] = "local",
    workers: Annotated[int | None, typer.Option(help="Copies of the model on the cluster [one a machine].")] = None,
    cluster: Annotated[str | None, typer.Option(help="Address of the Ray cluster, as ray://HOST:10001.")] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only this part of the samples; see merge.")
    ] = None,
    report: Annotated[bool, typer.Option(help="Write report.html into the run directory.")] = True,
) -> None:
    """Score a model on tasks. Run the same command again to go on after an interruption.

    Exit code 1 when a sample is left without a score (a server that gave up, a scorer that broke): see
    --min-coverage. So it is when worthless answers (--canaries) got good marks from the judge.
    """
    from ..errors import UsageError
    from ..evals.records.spec import RunSpec, split_tasks
    from ..evals.run import RunOptions, repeat, run_spec

    run_options = RunOptions(
        output=output,
        concurrency=concurrency,
        api_key=api_key,
        judge_api_key=judge_api_key,
        timeout=timeout,
        budget=budget,
        passport=require_passport,
        thresholds=tuple(threshold or ()),
        canaries=canaries,
        sandbox=sandbox,
        unsafe_code=unsafe_code,
        executor=executor,
        workers=workers,
        cluster=cluster,
        notify=note,
        show_progress=True,
    )
    if from_manifest is not None:
        directory = repeat(from_manifest, run_options)
    elif model is None or tasks is None:
        raise UsageError("which model and which tasks? give --model and --tasks (or --from a run's manifest.json)")
    else:
        spec = RunSpec.of(
            model=model,
            tasks=tuple(split_tasks(tasks)),
            data=pairs(data, "--data", "TASK=FILE"),
            base_url=",".join(base_url) if base_url else None,
            limit=limit,
            epochs=epochs,
            solver=solver,
            judge=judge_spec(judge, judge_base_url, judge_language, jury_rule, judge_option),
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            shard=shard,
        )
        directory = run_spec(spec, run_options)
    coverage, reliable = print_results(directory)
    if report:
        from ..reports import write_report

        print(f"report: {write_report([directory], directory / 'report.html')}")
    print(f"run:    {directory}")
    if coverage < 1:
        note("some samples have no score; run the same command again to try them once more")
    if coverage < min_coverage or not reliable:
        raise typer.Exit(1)


@app.command()
def score(
    task: Annotated[str, typer.Argument(help="A task's name.")],
    responses: Annotated[Path, typer.Option(help='JSONL of {"id", "response"} or {"id", "responses"}.')],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL of verdicts, a line a response.")],
    samples: Annotated[Path | None, typer.Option(help="The task's published file [default: its own data].")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    sandbox: Sandbox = "auto",
    unsafe_code: UnsafeCode = False,
    judge: MaybeJudge = None,
    judge_base_url: JudgeBaseUrl = None,
    judge_api_key: JudgeApiKey = None,
    judge_language: JudgeLanguage = "ru",
    jury_rule: JuryRule = "mean",
    judge_option: JudgeOption = None,
    drop_reasoning: Annotated[
        bool, typer.Option("--drop-reasoning", help="Take <think>…</think> out first.")
    ] = False,
) -> None:
    """Score answers made elsewhere; no model is called."""
    from ..evals.score import score as score_file

    scored = score_file(
        task,
        responses,
        output=output,
        samples=samples,
        seed=seed,
        drop_reasoning=drop_reasoning,
        sandbox=sandbox,
        unsafe_code=unsafe_code,
        judge=judge_spec(judge, judge_base_url, judge_language, jury_rule, judge_option),
        judge_api_key=judge_api_key,
    )
    for warning in scored.warnings:
        note(warning)
    print_table(metrics_table(task, scored.metrics))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(scored.statuses.items()))
    print(f"{scored.lines} verdicts ({statuses}): {output}")


@app.command()
def rescore(run: Annotated[Path, typer.Argument(help="A run directory.")]) -> None:
    """Score stored answers again, with the tasks as they are now; no model is called."""
    from ..evals.rescore import rescore as rescore_run

    before, after = rescore_run(run)
    print_comparison([before, after], ["before", "after"])


@app.command()
def merge(
    runs: Annotated[list[Path], typer.Argument(help="The run directories of all shards.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The merged run directory.")],
) -> None:
    """Join the shards of one run (`run --shard 1/2`, `run --shard 2/2`) into one run directory."""
    from ..evals.merge import merge as merge_runs

    coverage, reliable = print_results(merge_runs(runs, output))
    print(f"run:    {output}")
    if coverage < 1:
        note("some samples have no score; finish the shards and merge them again")
    if coverage < 1 or not reliable:
        raise typer.Exit(1)


app.command()(cli_report.report)
app.command()(cli_report.leaderboard)
app.command()(cli_report.view)
app.command()(cli_report.compare)
app.command()(cli_report.export)


@app.command()
def validate(
    task: Annotated[str, typer.Argument(help="A task's name, or path/to/file.py:object.")],
    data: Annotated[Path | None, typer.Option(help="The task's published file [default: its own data].")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples.")] = None,
    sandbox: Sandbox = "auto",
    unsafe_code: UnsafeCode = False,
) -> None:
    """Show a task's scorer right and wrong answers; no model is called. Exit code 1 when it is mistaken."""
    from ..evals.validate import validate as validate_task

    found = validate_task(task, data=data, limit=limit, sandbox=sandbox, unsafe_code=unsafe_code)
    for surprise in found.surprises:
        note(surprise)
    without = f", {found.without_gold} samples without gold" if found.without_gold else ""
    print(f"{task}: {found.gold} gold and {found.wrong} wrong answers{without}; {len(found.surprises)} surprises")
    if found.surprises:
        raise typer.Exit(1)


@app.command()
def lm_eval_path() -> None:
    """Print the folder for lm-eval's --include_path, from which it can run evalkit's tasks."""
    from ..evals.lm_eval import tasks_folder

    print(tasks_folder())


app.command()(cli_train.train)
app.command()(cli_train.loop)
app.command()(cli_train.select)


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Describe this task and show its first sample.")] = None,
) -> None:
    """List the tasks, or describe one."""
    from ..tasks.registry import open_task, task_names

    if name is None:
        from rich.table import Table

        table = Table("task", "version", "what it is", box=None, pad_edge=False)
        for known in task_names():
            task = open_task(known)
            table.add_row(known, task.version, task.title)
        print_table(table)
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

    from ..evals.doctor import backends, embedded_models

    table = Table("backend", "model string", "here", box=None, pad_edge=False)
    for backend in backends():
        table.add_row(backend.name, backend.usage, backend.state)
    print_table(table)
    print()
    table = Table("embedded model", "size", "licence", "languages", "here", box=None, pad_edge=False)
    for entry in embedded_models():
        table.add_row(*entry)
    print_table(table)


@app.command()
def judges() -> None:
    """List the forms that judges fill in: what is asked, on which scale, in which languages."""
    from rich.table import Table

    from ..judges.forms import LANGUAGES, form_names, load_form

    table = Table("form", "verdict", "scale", "grades", "languages", box=None, pad_edge=False)
    for name in form_names():
        form = load_form(name, LANGUAGES[0])
        scale = "–".join(map(str, form.scale)) if form.scale else ""
        table.add_row(name, form.kind, scale, ", ".join(form.graded), ", ".join(LANGUAGES))
    print_table(table)


@app.command()
def doctor() -> None:
    """Say what is installed, what can run here, and the command that adds what is missing."""
    from ..evals.doctor import examine

    for line in examine():
        print(line)
