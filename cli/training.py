"""The commands that learn: train, loop, and select."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .tables import note

if TYPE_CHECKING:
    from ..trainer.recipe.fields import Recipe as Settings

Recipe = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe in YAML, or the name of one that ships.")]
TrainOutput = Annotated[Path | None, typer.Option("--output", "-o", help="Where to train [default: runs/NAME].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it will do and need, and stop.")]


def train(recipe: Recipe, output: TrainOutput = None, dry_run: DryRun = False) -> None:
    """Train an adapter by a recipe; the same command goes on after any interruption."""
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
    """Measure, learn, measure; keep what is better for certain. Exit code 1 when no round was."""
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
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of evaluations or trainings.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The chats to learn from, as JSON lines.")],
    min_score: Annotated[float, typer.Option(help="The lowest score that is good enough.")] = 1.0,
    per_prompt: Annotated[int, typer.Option(help="At most so many different answers to a prompt.")] = 1,
    against: Annotated[
        list[str] | None, typer.Option(metavar="TASK[=FILE]", help="What will be evaluated on, besides their own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides between equally good answers of one length.")] = 0,
) -> None:
    """Keep the best of answers that were sampled and scored, for learning (rejection sampling)."""
    from ..trainer.select import select as select_now

    wanted = dict(text.partition("=")[::2] for text in against or [])
    print(
        select_now(runs, output, min_score=min_score, per_prompt=per_prompt, against=wanted, seed=seed, notify=note)
    )


def _write_report(directory: Path) -> None:
    """Draw what was learned."""
    from ..reports import write_learning

    note(f"report: {write_learning([directory], directory)}")


def _need_torch() -> None:
    from importlib.util import find_spec

    from ..errors import MissingExtraError

    if find_spec("torch") is None or find_spec("peft") is None:
        raise MissingExtraError("train")


def _announced(recipe: str) -> Settings:
    """Read a recipe and say, once, what it will do and need."""
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
