"""The command line: each command is a thin layer over the Python call of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from . import options
from .judging import judge_app
from .options import argument, judge_spec, option, output_option, pairs
from .reporting import compare, export, leaderboard, report, view
from .tables import metrics_table, new_table, note, print_comparison, print_results, print_table
from .training import loop, select, train


def run(
    model: Annotated[
        str | None, option("MODEL", "Model string, e.g. embedded or openai:NAME; see 'evalkit models'.")
    ] = None,
    tasks: Annotated[str | None, option("NAMES", "Task names separated by commas, or FILE.py:object.")] = None,
    from_manifest: Annotated[
        Path | None, option("MANIFEST", "Repeat the run with this manifest.", "--from")
    ] = None,
    limit: options.Limit = None,
    epochs: Annotated[int, option("N", "Answers per sample.")] = 1,
    solver: Annotated[str, option("NAME", "single, cot, best_of(n=4), vote(n=4) or multi_agent(n=4).")] = "single",
    judge: options.MaybeJudge = None,
    judge_base_url: options.JudgeBaseUrl = None,
    judge_api_key: options.JudgeApiKey = None,
    judge_language: options.JudgeLanguage = "ru",
    jury_rule: options.JuryRule = "mean",
    judge_option: options.JudgeOption = None,
    require_passport: Annotated[
        Path | None, option("PASSPORT", "Stop unless this passport is the judge's.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        option("RULE", "Condition on a measurement of the passport, e.g. 'order_consistency >= 0.8'. Repeatable."),
    ] = None,
    canaries: options.Canaries = 0.02,
    min_coverage: Annotated[float, option("SHARE", "Exit with 1 if a task's coverage is lower.")] = 1.0,
    data: Annotated[list[str] | None, option("TASK=FILE", "Data file of a task. Repeatable.")] = None,
    output: Annotated[Path | None, output_option("DIR", "Run directory [default: runs/NAME].")] = None,
    concurrency: Annotated[int | None, option("N", "Requests in flight [default: the model's].")] = None,
    base_url: Annotated[list[str] | None, option("URL", "URL of an OpenAI-compatible server. Repeatable.")] = None,
    api_key: Annotated[str | None, option("KEY", "API key of the server.", envvar="OPENAI_API_KEY")] = None,
    timeout: Annotated[float, option("SECONDS", "Time limit of one request.")] = 600.0,
    budget: options.Budget = None,
    temperature: Annotated[float | None, option("T", "Sampling temperature [default: the task's, else 0].")] = None,
    top_p: Annotated[float | None, option("P", "Nucleus sampling: top-p.")] = None,
    max_tokens: Annotated[int | None, option("N", "Token limit of an answer [default: the task's].")] = None,
    seed: options.Seed = 0,
    sandbox: options.Sandbox = "auto",
    unsafe_code: options.UnsafeCode = False,
    executor: Annotated[Literal["local", "ray"], typer.Option(help="Run here, or on a Ray cluster.")] = "local",
    workers: Annotated[int | None, option("N", "Replicas on the cluster [default: one per machine].")] = None,
    cluster: Annotated[str | None, option("URL", "Address of the Ray cluster, e.g. ray://HOST:10001.")] = None,
    shard: Annotated[str | None, option("I/N", "Run only part I of N; see 'evalkit merge'.")] = None,
    write_html: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
) -> None:
    """Evaluate a model on tasks.

    Repeat the command to continue an interrupted run. Exits with 1 if too many samples have no score because a
    server or a scorer failed, or if the judge gave decoys (--canaries) good grades.
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
        raise UsageError("give --model and --tasks, or --from MANIFEST to repeat a run")
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
    if write_html:
        from ..reports import write_report

        print(f"report: {write_report([directory], directory / 'report.html')}")
    print(f"run:    {directory}")
    if coverage < 1:
        note("some samples have no score; repeat the command to retry them")
    if coverage < min_coverage or not reliable:
        raise typer.Exit(1)


def score(
    task: options.Task,
    responses: Annotated[Path, option("FILE", 'JSONL of {"id", "response"} or {"id", "responses"}.')],
    output: Annotated[Path, output_option("FILE", "JSONL of verdicts, one line per response.")],
    samples: Annotated[Path | None, option("FILE", "Published data file [default: the data that ships].")] = None,
    seed: options.Seed = 0,
    sandbox: options.Sandbox = "auto",
    unsafe_code: options.UnsafeCode = False,
    judge: options.MaybeJudge = None,
    judge_base_url: options.JudgeBaseUrl = None,
    judge_api_key: options.JudgeApiKey = None,
    judge_language: options.JudgeLanguage = "ru",
    jury_rule: options.JuryRule = "mean",
    judge_option: options.JudgeOption = None,
    drop_reasoning: Annotated[
        bool, typer.Option("--drop-reasoning", help="Remove reasoning, such as <think>…</think>.")
    ] = False,
) -> None:
    """Score answers from a file."""
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


def rescore(run: options.Run) -> None:
    """Score a run's stored answers again.

    The tasks' present scorers are used; no model is called.
    """
    from ..evals.rescore import rescore as rescore_run

    before, after = rescore_run(run)
    print_comparison([before, after], ["before", "after"])


def merge(
    runs: options.Runs,
    output: Annotated[Path, output_option("DIR", "Merged run directory.")],
) -> None:
    """Merge the shards of a run.

    Give the run directories of all shards ('evalkit run --shard 1/2', 'evalkit run --shard 2/2').
    """
    from ..evals.merge import merge as merge_runs

    coverage, reliable = print_results(merge_runs(runs, output))
    print(f"run:    {output}")
    if coverage < 1:
        note("some samples have no score; finish the shards and merge them again")
    if coverage < 1 or not reliable:
        raise typer.Exit(1)


def validate(
    task: options.Task,
    data: Annotated[Path | None, option("FILE", "Published data file [default: the data that ships].")] = None,
    limit: options.Limit = None,
    sandbox: options.Sandbox = "auto",
    unsafe_code: options.UnsafeCode = False,
) -> None:
    """Check a task's scorer with known answers.

    No model is called. Exits with 1 if the scorer rejects a gold answer or accepts a wrong one.
    """
    from ..evals.validate import validate as validate_task

    found = validate_task(task, data=data, limit=limit, sandbox=sandbox, unsafe_code=unsafe_code)
    for surprise in found.surprises:
        note(surprise)
    without = f", {found.without_gold} samples without gold" if found.without_gold else ""
    print(f"{task}: {found.gold} gold and {found.wrong} wrong answers{without}; {len(found.surprises)} unexpected")
    if found.surprises:
        raise typer.Exit(1)


def lm_eval_path() -> None:
    """Print the folder for lm-eval's --include_path.

    With it, lm-eval runs evalkit's tasks.
    """
    from ..evals.lm_eval import tasks_folder

    print(tasks_folder())


def tasks(
    name: Annotated[str | None, argument("TASK", "Describe this task and show its first sample.")] = None,
) -> None:
    """List the tasks, or describe one."""
    from ..tasks.registry import open_task, task_names

    if name is None:
        table = new_table("task", "version", "title", numeric=False)
        for known in task_names():
            task = open_task(known)
            table.add_row(known, task.version, task.title)
        print_table(table)
        return
    task = open_task(name)
    print(f"{task.name} (version {task.version}): {task.title}")
    print(f"answers up to {task.max_tokens} tokens; metrics: {', '.join(metric.name for metric in task.metrics)}")
    for sample in task.samples(split="test", limit=1, seed=0):
        print(f"\nfirst sample, {sample.id}:\n{sample.prompt}")


def models() -> None:
    """List model backends and embedded models."""
    from ..evals.doctor import backends, embedded_models

    table = new_table("backend", "model string", "here", numeric=False)
    for backend in backends():
        table.add_row(backend.name, backend.usage, backend.state)
    print_table(table)
    print()
    table = new_table("embedded model", "size", "licence", "languages", "here", numeric=False)
    for entry in embedded_models():
        table.add_row(*entry)
    print_table(table)


def judges() -> None:
    """List judge forms: verdict, scale, languages."""
    from ..judges.forms import LANGUAGES, form_names, load_form

    table = new_table("form", "verdict", "scale", "grades", "languages", numeric=False)
    for name in form_names():
        form = load_form(name, LANGUAGES[0])
        scale = "–".join(map(str, form.scale)) if form.scale else ""
        table.add_row(name, form.kind, scale, ", ".join(form.graded), ", ".join(LANGUAGES))
    print_table(table)


def doctor() -> None:
    """Show what is installed and what can run here.

    For each missing part, the command that installs it is shown.
    """
    from ..evals.doctor import examine

    for line in examine():
        print(line)


app = typer.Typer(
    help="Evaluate Russian-language LLMs, train on the scores, report the difference.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    # Rich's panels would take a third of the time until --help answers.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    *(run, score, rescore, merge, report, leaderboard, view, compare, export, validate, lm_eval_path),
    *(train, loop, select, tasks, models, judges, doctor),
):
    app.command(cls=options.Command)(_command)
app.add_typer(judge_app, name="judge")


def _print_version(requested: bool) -> None:
    if requested:
        from .._version import __version__

        print(f"evalkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    # `--debug` is handled in __main__, which catches the errors.
    pass
