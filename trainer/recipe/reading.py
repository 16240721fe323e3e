"""Reading a recipe: everything that decides what training does, as one YAML file.

A path in a recipe (a task or a reward in ``file.py:object``, a data file) is taken from the recipe's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ...errors import EvalkitError, InputError, UsageError, nearest
from .fields import Critic, Recipe, Section, Shaping
from .files import located

CANARIES = "canaries"
VALIDATION = "validation"
"""Families of prompts beside those that are trained on."""

PACKAGED = Path(__file__).parents[1] / "recipes"
_NAMED_FIELD = re.compile(r"field '([^']+)'")


def read_recipe(path: Path | str, **changes: Any) -> Recipe:
    """Read a recipe, with ``changes`` in place of what it says; a bare name is a recipe of the package.

    Raises:
        InputError: there is no such file, or something in it is wrong (names file, line and field).
    """
    import yaml

    path = find_recipe(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
        twice = next(_repeated(yaml.compose(text)), None)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML in UTF-8: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: a recipe is a mapping of fields; docs/train-with-my-own-reward.md shows one")
    if twice is not None:
        raise InputError(f"{path}:{twice[0]}: field '{twice[1]}' is given twice: take one out")
    try:
        recipe = Recipe.model_validate({**data, **changes})
    except ValidationError as error:
        raise InputError(_described(path, text, error)) from None
    try:
        recipe = located(recipe, path.parent)
        _check(recipe)
    except UsageError as error:
        field = _NAMED_FIELD.match(str(error))
        line = f":{_line(text, field[1].split('.'))}" if field else ""
        raise InputError(f"{path}{line}: {error}") from None
    return recipe


def find_recipe(name: Path | str) -> Path:
    """Return the file of a recipe: a path, or the name of one that the package ships.

    Raises:
        InputError: there is none.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = PACKAGED / f"{path.name.removesuffix('.yaml')}.yaml"
    if len(path.parts) == 1 and shipped.is_file():
        return shipped
    known = [file.stem for file in PACKAGED.glob("*.yaml")]
    raise InputError(f"there is no recipe {name}.{nearest(path.stem, known)}")


def _described(path: Path, text: str, error: ValidationError) -> str:
    # A field that is missing is most often there, and misspelt.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = tuple(first["loc"])
    name = ".".join(map(str, place))
    where = f"{path}:{_line(text, place)}: field '{name}'"
    if first["type"] == "extra_forbidden":
        return f"{where}: no such field.{nearest(str(place[-1]), _fields(place[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: it is missing"
    return f"{where}: {first['msg']}, got {first['input']!r}"


def _line(text: str, place: Sequence[str | int]) -> int:
    """Return the line of a field, or of the nearest thing around it that is there."""
    import yaml

    node = yaml.compose(text)
    line = 1
    for step in place:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            break
        line = found[0].start_mark.line + 1
        node = found[1]
    return line


def _repeated(node: Any) -> Iterator[tuple[int, str]]:
    """Yield line and name of each field that is there again: YAML alone would silently take the last."""
    import yaml

    children = list(node.value) if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        children = [value for _, value in node.value]
        for place, (key, _) in enumerate(node.value):
            if key.value in names[:place]:
                yield key.start_mark.line + 1, key.value
    for child in children:
        yield from _repeated(child)


def _fields(place: Sequence[str | int]) -> list[str]:
    """Return the fields of the section at a place."""
    section: Any = Recipe
    for step in place:
        if not _is_section(section):
            continue  # a name that the recipe gave: the section beneath it is the one already found
        kind = section.model_fields[step].annotation if step in section.model_fields else section
        section = next((one for one in (kind, *get_args(kind)) if _is_section(one)), section)
    return list(section.model_fields) if _is_section(section) else []


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _check(recipe: Recipe) -> None:
    """Refuse what no single field is wrong in.

    Raises:
        UsageError: names the fields.
    """
    open_objective(recipe)
    if recipe.critic is not None:
        open_weighing(recipe.critic)
        _check_explanations(recipe.critic)
    _check_what_is_learned(recipe)
    reserved = sorted({VALIDATION, CANARIES} & recipe.prompts.keys())
    if reserved:
        raise UsageError(f"field 'prompts.{reserved[0]}': this name is for prompts that are not trained on")
    if recipe.reset.patience is not None and recipe.validation is None:
        raise UsageError("field 'reset.patience' counts validations: give 'validation' too")
    for field, value in (("reset", recipe.reset.kl_above), ("alarms", recipe.alarms.kl_above)):
        if value is not None and not recipe.objective.kl_weight:
            raise UsageError(f"field '{field}.kl_above' needs 'objective.kl_weight' above 0")
    if recipe.sharding == "full" and recipe.objective.loss == "gmpo":
        raise UsageError("field 'sharding': the critic of gmpo needs whole weights: say 'sharding: none'")
    if recipe.critic is not None and recipe.objective.loss != "gmpo":
        raise UsageError(f"field 'critic' belongs to the loss gmpo, not to {recipe.objective.loss}")
    if recipe.objective.weight_temperature != 1 and recipe.objective.loss != "awr":
        raise UsageError(
            f"field 'objective.weight_temperature' belongs to the loss awr, not to {recipe.objective.loss}"
        )
    if recipe.objective.loss == "gmpo" and recipe.shaping != Shaping():
        raise UsageError("field 'shaping': gmpo learns from the critic's scores, which length does not shape")
    if recipe.rollouts.longer and recipe.objective.options.get("max_length") is not None:
        raise UsageError("field 'objective.options.max_length' is one number, and 'rollouts.longer' changes it")
    if recipe.rollouts.vllm is not None and recipe.rollouts.temperature > 2:
        raise UsageError("field 'rollouts.temperature': vLLM takes no more than 2")
    cache = recipe.shaping.overlong_cache
    if cache is not None and cache > recipe.rollouts.max_tokens:
        raise UsageError("field 'shaping.overlong_cache' is more than 'rollouts.max_tokens'")


def _check_explanations(critic: Critic) -> None:
    if critic.explanation_weight and critic.explanations < 2:
        raise UsageError(
            "field 'critic.explanation_weight' compares explanations: give 2 'critic.explanations' or more"
        )
    if critic.explanations > 1 and not (critic.explanation_temperature and critic.explanation_tokens):
        raise UsageError(
            "field 'critic.explanations': they would all be the same: 'critic.explanation_temperature' and"
            " 'critic.explanation_tokens' are above 0"
        )


def _check_what_is_learned(recipe: Recipe) -> None:
    if recipe.objective.loss != "sft":
        if recipe.chats:
            raise UsageError("field 'chats' is learned by the loss sft: say 'objective: {loss: sft}'")
        if not recipe.prompts:
            raise UsageError("field 'prompts' is missing: what answers are sampled to")
        if not any(source.weight for source in recipe.prompts.values()):
            raise UsageError("field 'prompts': one at least needs a 'weight' above 0")
        return
    if not recipe.chats or recipe.prompts:
        raise UsageError("the loss sft learns from 'chats', a file of each, and not from 'prompts'")
    if not any(chats.weight for chats in recipe.chats.values()):
        raise UsageError("field 'chats': one at least needs a 'weight' above 0")
    idle = {
        "rollouts.temperature": recipe.rollouts.temperature != 1,
        "rollouts.vllm": recipe.rollouts.vllm is not None,
        "objective.correction": recipe.objective.correction is not None,
        "shaping": recipe.shaping != Shaping(),
        "alarms.watch": bool(recipe.alarms.watch),
    }
    for field, said in idle.items():
        if said:
            raise UsageError(f"field '{field}': the loss sft samples nothing: take it out")


def open_objective(recipe: Recipe, step: int = 1) -> Any:
    """Return the loss (a `losses.Loss`) and the advantage estimator of a step.

    Raises:
        UsageError: a name or an option that does not exist (names the field).
        MissingExtraError: torch is not installed.
    """
    from ...errors import MissingExtraError

    try:
        from ..losses import Correction, loss_options, open_loss
        from ..losses.advantages import open_estimator
    except ImportError:
        raise MissingExtraError("train") from None
    wanted = recipe.objective
    options: dict[str, Any] = {**wanted.options, "kl_weight": wanted.kl_weight}
    if wanted.kl is not None:
        options["kl"] = wanted.kl
    if wanted.correction is not None:
        options["correction"] = Correction(**wanted.correction.model_dump())
    elif recipe.rollouts.vllm is not None:
        # Another engine's probabilities are never quite the trainer's.
        options["correction"] = Correction()
    try:
        known: Mapping[str, Any] = loss_options(wanted.loss)
        if options.get("aggregation", known["aggregation"]) == "constant":
            options.setdefault("max_length", recipe.rollouts.tokens_at(step))
        loss = open_loss(wanted.loss, **options)
        estimator = open_estimator(wanted.advantages, **wanted.advantage_options)
    except EvalkitError as error:
        raise UsageError(f"field 'objective': {error}") from None
    return loss, estimator


def open_weighing(critic: Critic) -> Any:
    """Return how the critic's scores become weights (a `losses.critic.Weighing`).

    Raises:
        UsageError: an option that does not exist, or a value that cannot be (names the field).
    """
    from ..losses.critic import Weighing

    known = [field.name for field in fields(Weighing)]
    for name in critic.weighing:
        if name not in known:
            raise UsageError(f"field 'critic.weighing': no option '{name}'.{nearest(name, known)}")
    try:
        return Weighing(**critic.weighing)
    except (TypeError, UsageError) as error:
        raise UsageError(f"field 'critic.weighing': {error}") from None
