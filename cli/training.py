"""The commands for training: train, loop, select."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Seed, argument, option, output_option
from .tables import note

if TYPE_CHECKING:
    from ..trainer.recipe.fields import Recipe as Settings

Recipe = Annotated[str, argument("RECIPE", "YAML file, or the name of a recipe that ships.")]
TrainOutput = Annotated[Path | None, output_option("DIR", "Output directory [default: runs/NAME].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and the memory needed, and stop.")]


def train(recipe: Recipe, output: TrainOutput = None, dry_run: DryRun = False) -> None:
    """Train an adapter by a recipe.

    Repeat the command to continue an interrupted training.
    """
    _need_torch()
    from ..trainer.policy.parallel import process_group, world

    with process_group():
        settings = _announced(recipe)
        if dry_run:
            return
        from ..trainer.train import train as train_now

        directory = output or _named(recipe)
        adapter = train_now(settings, directory, notify=note)
        if world()[0] == 0:
            print(adapter)
            _write_report(directory)


def loop(recipe: Recipe, output: TrainOutput = None, dry_run: DryRun = False) -> None:
    """Evaluate, train, evaluate again.

    An adapter is accepted only if the interval of its gain lies above zero and no guardrail is violated. Exits
    with 1 if no round was accepted.
    """
    _need_torch()
    settings = _announced(recipe)
    from ..trainer.loop import check_loop
    from ..trainer.loop import loop as loop_now

    if dry_run:
        check_loop(settings, note)
        return

    directory = output or _named(recipe)
    result = loop_now(settings, directory, notify=note)
    _write_report(directory)
    if result.adapter is None:
        raise typer.Exit(1)
    print(result.adapter)


def select(
    runs: Annotated[list[Path], argument("RUN", "Directories of runs or trainings.")],
    output: Annotated[Path, output_option("FILE", "Chats for supervised training (JSONL).")],
    min_score: Annotated[float, option("SCORE", "Lowest score to keep.")] = 1.0,
    per_prompt: Annotated[int, option("N", "Most answers kept per prompt.")] = 1,
    against: Annotated[
        list[str] | None, option("TASK[=FILE]", "Stop if kept prompts overlap this evaluation set.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Keep the best of sampled answers.

    Rejection sampling: answers that runs or trainings have scored become training data.
    """
    from ..trainer.select import select as select_now

    evaluated = dict(text.partition("=")[::2] for text in against or [])
    print(
        select_now(
            runs, output, min_score=min_score, per_prompt=per_prompt, against=evaluated, seed=seed, notify=note
        )
    )


def _write_report(directory: Path) -> None:
    """Write the learning report of a training or loop."""
    from ..reports import write_learning

    note(f"report: {write_learning([directory], directory)}")


def _need_torch() -> None:
    from importlib.util import find_spec

    from ..errors import MissingExtraError

    if find_spec("torch") is None or find_spec("peft") is None:
        raise MissingExtraError("train")


def _announced(recipe: str) -> Settings:
    """Read a recipe; the first process prints the plan and the memory needed."""
    from ..trainer.forecast import forecast
    from ..trainer.policy.parallel import world
    from ..trainer.recipe.reading import read_recipe

    if world()[0]:
        return read_recipe(recipe)
    settings = read_recipe(recipe, notify=note)
    for line in forecast(settings):
        note(line)
    return settings


def _named(recipe: str) -> Path:
    return Path("runs") / Path(recipe).stem
