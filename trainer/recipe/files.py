"""The files that a recipe names: where they are, and what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .fields import Recipe, Source


def located(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe with its relative paths taken from its folder."""

    def place(name: str) -> str:
        file, mark, rest = name.rpartition(".py:")
        return f"{folder / file}{mark}{rest}" if mark else name

    def of_reward(reward: str | dict[str, float]) -> str | dict[str, float]:
        if isinstance(reward, dict):
            return {place(name): weight for name, weight in reward.items()}
        return place(reward)

    def of_source(source: Source) -> Source:
        reward = None if source.reward is None else of_reward(source.reward)
        data = None if source.data is None else str(folder / source.data)
        return source.model_copy(update={"task": place(source.task), "reward": reward, "data": data})

    update: dict[str, Any] = {"prompts": {name: of_source(source) for name, source in recipe.prompts.items()}}
    update["chats"] = {
        name: chats.model_copy(update={"data": str(folder / chats.data)}) for name, chats in recipe.chats.items()
    }
    alarms = recipe.alarms
    watched = {name: one.model_copy(update={"reward": of_reward(one.reward)}) for name, one in alarms.watch.items()}
    canaries = alarms.canaries
    if canaries is not None:
        canaries = canaries.model_copy(update={"source": of_source(canaries.source)})
    update["alarms"] = alarms.model_copy(update={"watch": watched, "canaries": canaries})
    if recipe.validation is not None:
        source = of_source(recipe.validation.source)
        update["validation"] = recipe.validation.model_copy(update={"source": source})
    if recipe.loop is not None:
        data = {place(name): str(folder / file) for name, file in recipe.loop.data.items()}
        tasks = tuple(map(place, recipe.loop.tasks))
        update["loop"] = recipe.loop.model_copy(update={"tasks": tasks, "data": data})
    return recipe.model_copy(update=update)


def files_learned_from(recipe: Recipe) -> dict[str, str]:
    """Return the sha256 of each file that decides what is learned: plugins of tasks and rewards, data, chats."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in dict.fromkeys(_learned_from(recipe))
        if path.is_file()
    }


def _learned_from(recipe: Recipe) -> Iterator[Path]:
    for chats in recipe.chats.values():
        yield Path(chats.data)
    sources = [*recipe.prompts.values()]
    sources += [] if recipe.validation is None else [recipe.validation.source]
    for source in sources:
        if source.data is not None:
            yield Path(source.data)
        rewards = [source.reward] if isinstance(source.reward, str) else (source.reward or ())
        for name in (source.task, *rewards):
            file, mark, _ = name.rpartition(".py:")
            if mark:
                yield Path(f"{file}.py")
