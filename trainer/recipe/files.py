"""The files that a recipe names: where they are, and what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from .fields import Loop, Recipe, Section, Source, Watched

R = TypeVar("R", bound=Recipe)


def resolve_paths(recipe: R, folder: Path) -> R:
    """Return the recipe with its relative paths taken from its folder."""

    def place(name: str) -> str:
        file, mark, rest = name.rpartition(".py:")
        return f"{folder / file}{mark}{rest}" if mark else name

    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: placed(one) for name, one in value.items()}
        if not isinstance(value, Section):
            return value
        update = {name: placed(getattr(value, name)) for name in type(value).model_fields}
        if isinstance(value, Source | Watched) and value.reward is not None:
            update["reward"] = (
                place(value.reward)
                if isinstance(value.reward, str)
                else {place(name): weight for name, weight in value.reward.items()}
            )
        if isinstance(value, Source):
            update["task"] = place(value.task)
        if isinstance(update.get("data"), str):
            update["data"] = str(folder / update["data"])
        if isinstance(value, Loop):
            update["data"] = {place(name): str(folder / file) for name, file in value.data.items()}
            update["tasks"] = tuple(map(place, value.tasks))
        return value.model_copy(update=update)

    resolved_recipe: R = placed(recipe)
    return resolved_recipe


def files_learned_from(recipe: Recipe) -> dict[str, str]:
    """Return the sha256 of each file that decides what is learned: plugins of tasks and rewards, data, chats."""
    decisive = [getattr(recipe, name) for name in type(recipe).model_fields if name not in ("alarms", "loop")]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in dict.fromkeys(path for value in decisive for path in _named(value))
        if path.is_file()
    }


def _named(value: Any) -> Iterator[Path]:
    data = getattr(value, "data", None)
    if isinstance(value, Section) and isinstance(data, str):
        yield Path(data)
    if isinstance(value, Source):
        rewards = [value.reward] if isinstance(value.reward, str) else (value.reward or ())
        for name in (value.task, *rewards):
            file, mark, _ = name.rpartition(".py:")
            if mark:
                yield Path(f"{file}.py")
    parts = (
        value.values() if isinstance(value, dict) else vars(value).values() if isinstance(value, Section) else ()
    )
    for part in parts:
        yield from _named(part)
