"""The commands ``evalkit judge …``: grade stored answers, compare runs, measure judges, ask people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .options import judge_spec, option, output_option
from .tables import note, print_comparison, trusted

judge_app = typer.Typer(
    help="Grade stored answers and measure judges.", no_args_is_help=True, rich_markup_mode=None
)


@judge_app.command("run", cls=options.Command)
def judge_run(
    run: options.Run,
    judge: options.Judge,
    output: Annotated[Path, output_option("DIR", "Run directory for the new verdicts.")],
    judge_base_url: options.JudgeBaseUrl = None,
    judge_api_key: options.JudgeApiKey = None,
    judge_language: options.JudgeLanguage = "ru",
    jury_rule: options.JuryRule = "mean",
    judge_option: options.JudgeOption = None,
    canaries: options.Canaries = 0.02,
    budget: options.Budget = None,
) -> None:
    """Grade the answers of a run with a judge.

    The model that wrote the answers is not called. Exits with 1 if the judge gave decoys (--canaries) good grades.
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


@judge_app.command("queue", cls=options.Command)
def judge_queue(
    run: options.Run,
    output: Annotated[
        Path | None, output_option("FILE", "Write the gradings for human review here (JSONL).")
    ] = None,
    verdicts: Annotated[Path | None, option("FILE", "Read human verdicts from this file (JSONL).")] = None,
) -> None:
    """Have people grade what the judge left undecided.

    First write the gradings for human review with -o, then read the verdicts with --verdicts.
    """
    from ..errors import UsageError
    from ..evals.studies.people import take_verdicts, write_queue

    if (output is None) == (verdicts is None):
        raise UsageError("give either -o FILE to write the queue, or --verdicts FILE to read verdicts")
    if output is not None:
        print(f"gradings for human review: {write_queue(run, output)}, written to {output}")
    elif verdicts is not None:
        taken = take_verdicts(run, verdicts)
        print(f"verdicts read: {taken.verdicts}; still open: {taken.still_open}")


@judge_app.command("passport", cls=options.Command)
def judge_passport(
    judge: options.Judge,
    output: Annotated[Path, output_option("FILE", "Passport as JSON; a .md is written beside it.")],
    judge_base_url: options.JudgeBaseUrl = None,
    judge_api_key: options.JudgeApiKey = None,
    jury_rule: options.JuryRule = "mean",
    judge_option: options.JudgeOption = None,
    labelled: Annotated[Path | None, option("FILE", "JSONL of answers with human labels.")] = None,
    form: Annotated[str, option("NAME", "Judge form for the labelled answers; see 'evalkit judges'.")] = "rating",
    correct_from: Annotated[
        float, option("SHARE", "Lowest share of the form's scale that counts as correct.")
    ] = 0.5,
    family: Annotated[str | None, option("NAME", "Model family of the judge [default: from its name].")] = None,
    budget: options.Budget = None,
) -> None:
    """Measure a judge: write its passport.

    A passport holds the judge's biases, its coverage and its agreement with human labels, with intervals.
    """
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


@judge_app.command("pairwise", cls=options.Command)
def judge_pairwise(
    runs: options.Runs,
    judge: options.Judge,
    output: Annotated[Path, output_option("DIR", "Folder for the comparisons and ratings.")],
    baseline: Annotated[
        Path | None, option("RUN", "Compare all others with this run [default: all pairs].")
    ] = None,
    table: Annotated[bool, typer.Option(help="Also name a winner for each of six criteria.")] = False,
    judge_base_url: options.JudgeBaseUrl = None,
    judge_api_key: options.JudgeApiKey = None,
    judge_language: options.JudgeLanguage = "ru",
    jury_rule: options.JuryRule = "majority",
    judge_option: options.JudgeOption = None,
    budget: options.Budget = None,
) -> None:
    """Rate runs by comparing their answers.

    The judge compares each pair of answers in both orders.
    """
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
