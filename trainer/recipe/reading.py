"""Reading a recipe: everything that decides what training does, as one YAML file.

A path in a recipe (a task or a reward in ``file.py:object``, a data file) is taken from the recipe's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ...errors import InputError, UsageError, nearest
from .fields import Recipe, Section
from .files import resolve_paths
from .kinds import RECIPES
from .older import upgrade

PACKAGED = Path(__file__).parents[1] / "recipes"
_NAMED_FIELD = re.compile(r"field '([^']+)'")


def read_recipe(path: Path | str, *, notify: Callable[[str], None] = lambda line: None, **changes: Any) -> Recipe:
    """Read a recipe, with ``changes`` in place of what it says; a bare name is a recipe of the package.

    ``notify`` receives what to write instead in a recipe of an older form.

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
        raise InputError(f"{path}:{twice[0]}: field '{twice[1]}' is given twice: remove one")
    data, instead = upgrade({**data, **changes})
    if instead:
        notify(f"{path} has an older form, which the next release will not read: write {instead}")
    try:
        recipe = resolve_paths(recipe_of(data), path.parent)
        recipe.check()
    except ValidationError as error:
        raise InputError(_described(path, text, error, data["method"])) from None
    except UsageError as error:
        field = _NAMED_FIELD.match(str(error))
        line = f":{_line(text, field[1].split('.'))}" if field else ""
        raise InputError(f"{path}{line}: {error}") from None
    return recipe


def recipe_of(data: Mapping[str, Any]) -> Recipe:
    """Return the recipe of these fields: of its method's own kind.

    Raises:
        UsageError: no such method (the nearest are given).
        ValidationError: pydantic's, of any other field.
    """
    method = data.get("method")
    if not isinstance(method, str) or method not in RECIPES:
        raise UsageError(f"field 'method': unknown method '{method}'.{nearest(str(method), RECIPES)}")
    return RECIPES[method].model_validate(data)


def saved_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a training's ``recipe.json``, which leaves out what may change, of either form."""
    return recipe_of(upgrade({"model": "-", "steps": 1, **settings})[0])


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


def _described(path: Path, text: str, error: ValidationError, method: str) -> str:
    # A field that is missing is most often there, and misspelt.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = tuple(first["loc"])
    name = ".".join(map(str, place))
    where = f"{path}:{_line(text, place)}: field '{name}'"
    if first["type"] == "extra_forbidden":
        others = [name for name in RECIPES if place[-1] in _fields(name, place[:-1])]
        if others:
            several = "s" if len(others) > 1 else ""
            return f"{where} belongs to the method{several} {', '.join(others)}, not to {method}"
        return f"{where}: no such field.{nearest(str(place[-1]), _fields(method, place[:-1]))}"
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


def _fields(method: str, place: Sequence[str | int]) -> list[str]:
    """Return the fields of the section at a place of a method's recipe."""
    section: Any = RECIPES[method]
    for step in place:
        if step in section.model_fields:
            kinds = (kind for kind in _parts(section.model_fields[step].annotation) if isinstance(kind, type))
            section = next((kind for kind in kinds if issubclass(kind, Section)), section)
        elif section is RECIPES[method]:
            return []
        # Else a name that the recipe gave: the section beneath it is the one already found.
    return list(section.model_fields)


def _parts(kind: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)
