"""The commands that learn: train and loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal import note

if TYPE_CHECKING:
    from .trainer.recipe_fields import Recipe as Settings

Recipe = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe in YAML, or the name of one that ships.")]
TrainOutput = Annotated[Path | None, typer.Option("--output", "-o", help="Where to train [default: runs/NAME].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it will do and need, and stop.")]


def train(recipe: Recipe, output: TrainOutput = None, dry_run: DryRun = False) -> None:
    """Train an adapter by a recipe; the same command goes on after any interruption."""
    settings = _announced(recipe)
    if not dry_run:
        from .trainer.train import train as train_now

        print(train_now(settings, output or _named(recipe), notify=note))


def loop(recipe: Recipe, output: TrainOutput = None, dry_run: DryRun = False) -> None:
    """Measure, learn, measure; keep what is better for certain. Exit code 1 when no round was."""
    settings = _announced(recipe)
    if dry_run:
        return
    from .trainer.loop import loop as loop_now

    result = loop_now(settings, output or _named(recipe), notify=note)
    if result.adapter is None:
        raise typer.Exit(1)
    print(result.adapter)


def _announced(recipe: str) -> Settings:
    """Read a recipe and say what it will do and need."""
    from importlib.util import find_spec

    from .errors import MissingExtraError

    if find_spec("torch") is None or find_spec("peft") is None:
        raise MissingExtraError("train")
    from .trainer.forecast import forecast
    from .trainer.recipe import read_recipe

    settings = read_recipe(recipe)
    for line in forecast(settings):
        note(line)
    return settings


def _named(recipe: str) -> Path:
    return Path("runs") / Path(recipe).stem
