"""Recipes as they were before each method had its own: ``objective.loss`` for ``method``, ``rollouts`` for all.

They are read for one release; then this module goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .kinds import RECIPES, Shaping

_BATCH = {"groups": "examples", "max_tokens": "max_tokens", "longer": "longer", "batch": "sampled"}
_IDLE: Mapping[str, Any] = {
    "prompts": {},
    "chats": {},
    "critic": None,
    "shaping": Shaping().model_dump(),
    "rollouts.temperature": 1.0,
    "rollouts.vllm": None,
    "objective.correction": None,
    "objective.weight_temperature": 1.0,
    "alarms.watch": {},
}
"""What changed nothing, for any method, and stands in each ``recipe.json`` of then."""
_ADVANTAGES = ("objective.advantages", "objective.advantage_options")
_WAVES = tuple(f"rollouts.{name}" for name in ("answers", "extra_waves", "min_share", "max_surplus", "max_age"))
_UNREAD = {"sft": (*_WAVES, *_ADVANTAGES), "gmpo": _ADVANTAGES}
"""What these methods let any_rank say, and never read."""


def upgrade(data: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the fields of a recipe as they are today, and what to write in place of what is there (or nothing)."""
    new = {name: dict(value) if isinstance(value, Mapping) else value for name, value in data.items()}
    if "method" in new:
        return new, ""
    sections = {name: value for name, value in new.items() if isinstance(value, dict)}
    method = new["method"] = sections.get("objective", {}).pop("loss", "dapo")
    write = f"'method: {method}' in place of 'objective.loss'"
    if not isinstance(method, str) or method not in RECIPES:
        return new, write
    rollouts = sections.get("rollouts", {})
    if method == "sft" and rollouts:
        new["batch"] = {name: rollouts.pop(old) for old, name in _BATCH.items() if old in rollouts}
        shown = ", ".join(f"{name}: {value}" for name, value in new["batch"].items())
        write += f" and 'batch: {{{shown}}}' in place of 'rollouts'"
    for place in (*_IDLE, *_UNREAD.get(method, ())):
        section, _, name = place.rpartition(".")
        holder = sections.get(section, {}) if section else new
        if name in holder and holder[name] == _IDLE.get(place, holder[name]):
            del holder[name]
    return {name: value for name, value in new.items() if value != {} or name not in ("rollouts", "shaping")}, write
