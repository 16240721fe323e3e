"""``evalkit train`` as a Python call: sample, score, learn, save; it resumes after any interruption.

::

    recipe.json        what is trained, which weights, and for how many steps
    metrics.jsonl      a line a step
    answers.jsonl      every sampled answer as text, with what it earned
    canaries.jsonl     the greedy answers to canary prompts, before training (step 0) and since
    checkpoints/       the two newest (`checkpoint`)
    pending.jsonl      groups sampled and scored since the newest checkpoint, reused on resume
    adapter/           the trained adapter as PEFT saves it
    result.json        the last step, why training stopped, alarms

A file ``reset`` in the directory asks for a reset of the reference after the step at hand.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import orjson

from ..errors import MissingExtraError, UsageError
from ..evals.records.manifest import differences
from ..files import AnyPath, write_json
from .recipe.fields import Recipe, Vllm
from .recipe.files import files_learned_from
from .recipe.reading import read_recipe, saved_recipe
from .records.log import Notify


def train(
    recipe: Recipe | AnyPath, directory: AnyPath, *, base: Any = None, notify: Notify = lambda line: None
) -> Path:
    """Train an adapter by a recipe and return its folder.

    Call it again with the same arguments after any interruption: on a CPU the weights come out the same to the last
    bit. With more ``steps`` than before training continues; so does a training that an alarm
    stopped, once ``alarms.stop`` is false.

    Args:
        recipe: a recipe, its file, or the name of one that the package ships.
        directory: where everything is written; it may hold a part of the same training.
        base: a `base_model.BaseModel` in place of the recipe's ``model``.
        notify: called with each user-facing message.

    Raises:
        InputError, UsageError: the recipe, a model, a task or its data is wrong, or the directory holds another
            training (every difference is shown).
        MissingExtraError: torch, transformers or peft is not installed.
        RunError: the disk is full, or a peer process was killed or crashed.
    """
    directory = Path(directory)
    try:
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError:
        raise MissingExtraError("train") from None
    from .policy.base_model import find_base
    from .policy.parallel import process_group, world
    from .records.checkpoint import only_writer

    with process_group():
        leads = world()[0] == 0
        say = notify if leads else lambda line: None
        if not isinstance(recipe, Recipe):
            recipe = read_recipe(recipe, notify=say)
        base = base or find_base(recipe.model)
        with only_writer(directory) if leads else contextlib.nullcontext():
            return _train(recipe, directory, base, say)


def _train(recipe: Recipe, directory: Path, base: Any, notify: Notify) -> Path:
    from .policy.parallel import world

    adapter = directory / "adapter"
    _same_training(recipe, base, directory, write=world()[0] == 0)
    result = directory / "result.json"
    ended = orjson.loads(result.read_bytes()) if result.is_file() else None
    stopped = ended is not None and ended["stopped"] and recipe.alarms.stop
    if ended is not None and (stopped or ended["step"] >= recipe.steps) and adapter.is_dir():
        notify(f"{directory}: already finished, {ended['step']} steps")
        return adapter
    from .methods.trainer import Trainer

    with Trainer(recipe, base, directory, notify) as trainer:
        trainer.run()
    return adapter


def _same_training(recipe: Recipe, base: Any, directory: Path, *, write: bool) -> None:
    from ..evals.models.weights.checkpoints import adapter_sha256

    weights = {**base.checkpoint.identity(), "options": dict(base.options)}
    start = None if base.adapter is None else adapter_sha256(base.adapter)
    decisive = {"files": files_learned_from(recipe), "weights": weights, "adapter": start, "steps": recipe.steps}
    planned = {"recipe": _decisive(recipe), **orjson.loads(orjson.dumps(decisive))}
    path = directory / "recipe.json"
    if path.is_file():
        before = orjson.loads(path.read_bytes())
        known = {**before, "recipe": _decisive(saved_recipe(before["recipe"])), "steps": recipe.steps}
        lines = differences(known, planned)
        if lines:
            raise UsageError(
                "\n".join([f"{directory} holds another training; give another directory. Before / now:", *lines])
            )
        if before == planned:
            return
    if write:
        write_json(path, planned)


def _decisive(recipe: Recipe) -> Any:
    """Return the settings of a recipe that decide what is learned (not where or for how long), as JSON values."""
    places: dict[str, Any] = {"track": True, "sharding": True, "alarms": {"stop"}}
    if recipe.sampling.vllm is not None:
        places["rollouts"] = {"vllm": set(Vllm.model_fields) - {"dtype"}}
    settings = recipe.model_dump(mode="json", exclude={"loop": True, "steps": True, "model": True, **places})
    return orjson.loads(orjson.dumps(settings, option=orjson.OPT_NON_STR_KEYS))
