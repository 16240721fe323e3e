"""``evalkit loop`` as a Python call: evaluate, train, evaluate, keep significant improvements, repeat.

::

    baseline/              the run of the model before any training
    round-01/training/     see `train`
    round-01/evaluation/   the run of the trained model
    round-01/verdict.json  accepted or not, and why
    adapter/               the last accepted adapter
    loop.json              all rounds

Every part can be interrupted; the same command resumes it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunError, UsageError
from ..evals.models.hf.loading import release_memory
from ..files import AnyPath, write_json
from .data.contamination import Overlap, evaluated_texts, find_overlaps, overlaps_line
from .recipe.fields import Loop, Recipe
from .recipe.reading import read_recipe
from .records.log import Notify, raised_alarms, read_metrics
from .train import train

if TYPE_CHECKING:
    from .policy.base_model import BaseModel


@dataclass(frozen=True, slots=True)
class LoopResult:
    """How a loop ended: ``adapter`` is the accepted one, None when no round was better; ``rounds`` are JSON."""

    adapter: Path | None
    rounds: tuple[dict[str, Any], ...]


def loop(recipe: Recipe | AnyPath, directory: AnyPath, *, notify: Notify = lambda line: None) -> LoopResult:
    """Do the rounds of a recipe's ``loop``.

    Each round trains on from the last accepted adapter and is accepted or rolled back by `acceptance.decide_round`.

    Args:
        recipe: a recipe with ``loop``, its file, or the name of one that the package ships.
        directory: where everything is written; it may hold a part of the same loop.
        notify: called with each user-facing message.

    Raises:
        InputError, UsageError: the recipe or something it names is wrong, or another process works there.
        RunError: training prompts overlap with the evaluation (unless the recipe allows it), or the disk is full.
        MissingExtraError: torch, transformers or peft is not installed.
    """
    from .policy.base_model import find_base
    from .records.checkpoint import only_writer

    directory = Path(directory)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe, notify=notify)
    settings = check_loop(recipe, notify)
    base = find_base(recipe.model)
    with only_writer(directory):
        return _rounds(recipe, settings, base, directory, notify)


def _rounds(recipe: Recipe, settings: Loop, base: BaseModel, directory: Path, notify: Notify) -> LoopResult:
    from .acceptance import decide_round, examples

    start = base.adapter
    accepted = start
    best = _evaluate(recipe, settings, base.model_string(accepted), directory / "baseline", notify)
    rounds: list[dict[str, Any]] = []
    failures = 0
    for number in range(1, settings.rounds + 1):
        folder = directory / f"round-{number:02d}"
        notify(f"round {number}: training")
        training = folder / "training"
        adapter = train(_of_round(recipe, number), training, base=base.with_adapter(accepted), notify=notify)
        release_memory()
        candidate = _evaluate(recipe, settings, base.model_string(adapter), folder / "evaluation", notify)
        history = read_metrics(training)
        alarms = history[-1].alarms if history else ()
        decision = decide_round(best, candidate, settings, looks=number, alarms=alarms)
        entry = {
            "round": number,
            **asdict(decision),
            "alarms": raised_alarms(history),
            "examples": examples(best, candidate, decision.gain.task),
        }
        write_json(folder / "verdict.json", entry)
        rounds.append(entry)
        _say(entry, notify)
        if decision.accepted:
            accepted, best, failures = adapter, candidate, 0
            _keep(adapter, directory)
        else:
            failures += 1
        if failures >= settings.patience:
            notify(f"{failures} rounds without improvement: the loop ends")
            break
    result = LoopResult(directory / "adapter" if accepted != start else None, tuple(rounds))
    model = base.model_string(result.adapter.resolve() if result.adapter else start)
    summary = {"model": model, "accepted": result.adapter is not None, "rounds": rounds}
    write_json(directory / "loop.json", summary)
    return result


def check_loop(recipe: Recipe, notify: Notify = lambda line: None) -> Loop:
    """Return a recipe's ``loop``, after checking that it can run.

    Raises:
        UsageError: there is none, it names what is not there, or several processes are to run it.
        RunError: training prompts overlap with the evaluation (unless the recipe allows it).
    """
    from .acceptance import check_measures

    if recipe.loop is None:
        raise UsageError("this recipe has no 'loop': run evalkit train, or add the section")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("evalkit loop runs in one process: under torchrun use evalkit train, then evalkit run")
    check_measures(recipe.loop)
    check_overlap(recipe, recipe.loop, notify)
    return recipe.loop


def check_overlap(recipe: Recipe, settings: Loop, notify: Notify = lambda line: None) -> list[Overlap]:
    """Find training prompts in the evaluation.

    Raises:
        RunError: there are some, and the recipe does not allow it.
    """
    from .methods.base import method_of

    evaluated = evaluated_texts(settings.tasks, settings.data, limit=settings.limit, seed=recipe.seed)
    texts = method_of(recipe).texts
    trained = dict(texts(recipe))
    for number in range(2, settings.rounds + 1):
        # A task may draw other prompts by another seed, and every round has its own.
        later = texts(_of_round(recipe, number))
        trained |= {f"{name} of round {number}": text for name, text in later.items() if trained.get(name) != text}
    overlaps = find_overlaps(trained, evaluated)
    if not overlaps:
        notify(f"no training prompt overlaps with the {len(evaluated)} evaluation prompts")
        return overlaps
    shared = overlaps_line(overlaps)
    line = f"{len(overlaps)} of {len(evaluated)} evaluation prompts overlap with training prompts: {shared}"
    if not settings.allow_overlap:
        raise RunError(f"{line}. Train on other prompts, or set 'allow_overlap: true' in 'loop'")
    notify(f"WARNING: {line}")
    return overlaps


def _of_round(recipe: Recipe, number: int) -> Recipe:
    return recipe.model_copy(update={"seed": recipe.seed + number - 1})


def _evaluate(recipe: Recipe, settings: Loop, model: str, output: Path, notify: Notify) -> Path:
    from ..evals.run import run

    notify(f"evaluating {model}")
    directory = run(
        model, settings.tasks, output=output, data=settings.data, limit=settings.limit,
        max_tokens=settings.max_tokens, temperature=settings.temperature, seed=recipe.seed, notify=notify,
    )  # fmt: skip
    release_memory()
    return directory


def _keep(adapter: Path, directory: Path) -> None:
    from .records.checkpoint import replace_folder

    part = directory / "adapter.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(adapter, part)
    replace_folder(part, directory / "adapter")


def _say(entry: dict[str, Any], notify: Notify) -> None:
    gain = entry["gain"]
    low, high = gain["low"], gain["high"]
    interval = "" if low is None else f" ({low:+.3f} … {high:+.3f})"
    word = "accepted" if entry["accepted"] else "rolled back"
    value = "not measured" if gain["value"] is None else f"{gain['value']:+.3f}{interval}"
    notify(f"round {entry['round']}: {word}: {gain['task']} {value}, {gain['samples']} samples")
    for reason in entry["reasons"]:
        notify(f"  {reason}")
