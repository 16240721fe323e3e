"""The commands ``evalkit judge …``: grade stored answers, compare them, measure judges, ask people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    Budget,
    Canaries,
    Judge,
    JudgeApiKey,
    JudgeBaseUrl,
    JudgeLanguage,
    JudgeOption,
    JuryRule,
    judge_spec,
)
from .tables import note, print_comparison, trusted

judge_app = typer.Typer(
    help="Grade stored answers, and measure judges.", no_args_is_help=True, rich_markup_mode=None
)


@judge_app.command("run")
def judge_run(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    judge: Judge,
    output: Annotated[Path, typer.Option("--output", "-o", help="The run directory with the new verdicts.")],
    judge_base_url: JudgeBaseUrl = None,
    judge_api_key: JudgeApiKey = None,
    judge_language: JudgeLanguage = "ru",
    jury_rule: JuryRule = "mean",
    judge_option: JudgeOption = None,
    canaries: Canaries = 0.02,
    budget: Budget = None,
) -> None:
    """Have a judge grade the answers of a run; the model that gave them is not called.

    Exit code 1 when worthless answers (--canaries) got good marks from the judge.
    """
    from ..evals.rescore import judge_again

    before, after = judge_again(
        run,
        output,
        judge=judge_spec(judge, judge_base_url, judge_language, jury_rule, judge_option),
        canaries=canaries,
        api_key=judge_api_key,
        budget=budget,
        notify=note,
    )
    print_comparison([before, after], [str(run), str(output)])
    if not trusted(after):
        raise typer.Exit(1)


@judge_app.command("queue")
def judge_queue(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write what people should grade here, as JSON lines.")
    ] = None,
    verdicts: Annotated[Path | None, typer.Option(help="Take in the same lines with people's verdicts.")] = None,
) -> None:
    """Hand people what the judges could not settle, and take their verdicts back."""
    from ..errors import UsageError
    from ..evals.studies.people import take_verdicts, write_queue

    if (output is None) == (verdicts is None):
        raise UsageError("give -o FILE to write the queue, or --verdicts FILE to take verdicts in")
    if output is not None:
        print(f"{write_queue(run, output)} gradings for people: {output}")
    elif verdicts is not None:
        taken = take_verdicts(run, verdicts)
        print(f"{taken.verdicts} verdicts of people taken in, {taken.still_open} still open")


@judge_app.command("passport")
def judge_passport(
    judge: Annotated[list[str], typer.Option(help="The model to measure, a model string; several are a jury.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The passport (JSON); a .md is written beside it.")
    ],
    judge_base_url: JudgeBaseUrl = None,
    judge_api_key: JudgeApiKey = None,
    jury_rule: JuryRule = "mean",
    judge_option: JudgeOption = None,
    labelled: Annotated[Path | None, typer.Option(help="JSONL of answers with people's labels.")] = None,
    form: Annotated[
        str, typer.Option(help="By which the labelled answers are graded [see: evalkit judges].")
    ] = "rating",
    correct_from: Annotated[
        float, typer.Option(help="Share of the form's scale from which on it says correct.")
    ] = 0.5,
    family: Annotated[str | None, typer.Option(help="Of the judge [default: that of its name].")] = None,
    budget: Budget = None,
) -> None:
    """Measure how far a judge can be trusted: its biases, its coverage, and how it agrees with labels."""
    from ..evals.studies.passport.make import passport_of

    passport = passport_of(
        judge_spec(judge, judge_base_url, "ru", jury_rule, judge_option),
        output,
        api_key=judge_api_key,
        labelled=labelled,
        form=form,
        correct_from=correct_from,
        family=family,
        budget=budget,
        notify=note,
    )
    print(passport)


@judge_app.command("pairwise")
def judge_pairwise(
    runs: Annotated[list[Path], typer.Argument(help="Run directories whose answers are compared.")],
    judge: Judge,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder for battles and ratings.")],
    baseline: Annotated[
        Path | None, typer.Option(help="Compare all others with this run [default: all pairs].")
    ] = None,
    table: Annotated[bool, typer.Option(help="A winner for each of six criteria.")] = False,
    judge_base_url: JudgeBaseUrl = None,
    judge_api_key: JudgeApiKey = None,
    judge_language: JudgeLanguage = "ru",
    jury_rule: JuryRule = "majority",
    judge_option: JudgeOption = None,
    budget: Budget = None,
) -> None:
    """Have a judge compare the answers of runs, each pair in both orders, and rate the runs by it."""
    from ..evals.studies.pairwise.run import compare_answers

    print(
        compare_answers(
            runs,
            output,
            judge=judge_spec(judge, judge_base_url, judge_language, jury_rule, judge_option),
            baseline=baseline,
            table=table,
            api_key=judge_api_key,
            budget=budget,
            notify=note,
        )
    )
