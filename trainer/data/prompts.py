"""The prompts that training samples answers to, by family, as the model's own tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...errors import InputError, ModelError, UsageError
from ...tasks.registry import open_task
from ...tasks.text.thoughts import opening_of
from ...tasks.types import Sample
from ..recipe.fields import CANARIES, VALIDATION, Recipe, RewardSpec, Source

if TYPE_CHECKING:
    from ...evals.models.hf.chat_template import ChatTemplate

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked and how the model reads it; ``opening`` is what the template has already said for it."""

    sample: Sample
    tokens: tuple[int, ...]
    opening: str = ""


@dataclass(frozen=True, slots=True)
class PromptFamily:
    """Samples of one source, and what answers to them earn."""

    name: str
    samples: tuple[Sample, ...]
    weight: float
    reward: RewardSpec


def open_families(recipe: Recipe) -> dict[str, PromptFamily]:
    """Read all prompts that a recipe has answers sampled to for learning.

    Raises:
        UsageError: an unknown task or split, or samples that are no single chat (names the family).
        InputError: a data file that cannot be used, or no prompts.
    """
    return {name: open_family(name, source, recipe.seed) for name, source in recipe.sources.items()}


def open_all_families(recipe: Recipe) -> dict[str, PromptFamily]:
    """Read, beside the prompts of a recipe, those of its validation and its canaries, by `VALIDATION`, `CANARIES`.

    Raises what `open_families` does.
    """
    families = open_families(recipe)
    if recipe.validation is not None:
        families[VALIDATION] = open_family(VALIDATION, recipe.validation.source, recipe.seed)
    if recipe.alarms.canaries is not None:
        families[CANARIES] = open_family(CANARIES, recipe.alarms.canaries.source, recipe.seed)
    return families


def open_family(name: str, source: Source, seed: int) -> PromptFamily:
    """Read the prompts of one source; raises what `open_families` does."""
    task = open_task(source.task)
    if source.data is not None:
        candidates = islice(task.read(Path(source.data)), source.limit)
    else:
        candidates = islice(task.samples(split=source.split, limit=source.limit, seed=seed), source.limit)
    samples = tuple(sample for sample in candidates if "skip" not in sample.metadata)
    if not samples:
        place = f"the split '{source.split}'" if source.data is None else source.data
        raise InputError(f"prompts '{name}': {source.task} has no samples in {place}")
    for sample in samples:
        if sample.turns or sample.continuations:
            raise UsageError(f"prompts '{name}': sample '{sample.id}' is not a single chat, as training needs")
    return PromptFamily(name, samples, source.weight, source.reward or source.task)


def tokenize(sample: Sample, template: ChatTemplate, context: int) -> Prompt:
    """Return a sample as the model reads it. Its target and metadata are the scorer's, and no part of it.

    Raises:
        InputError: the template refuses the chat, or the prompt leaves no room for an answer.
    """
    try:
        rendered = template.render(sample.messages)
    except ModelError as error:
        raise InputError(f"sample '{sample.id}': {error}") from None
    tokens = tuple(template.tokens(rendered))
    if len(tokens) >= context:
        raise InputError(
            f"sample '{sample.id}' has {len(tokens)} tokens and the model's context {context}: leave it out"
        )
    return Prompt(sample, tokens, opening_of(rendered))


def fitting(
    family: PromptFamily, template: ChatTemplate, context: int, notify: Callable[[str], None]
) -> PromptFamily:
    """Return the family without the prompts that do not fit the model's context or template (see `readable`)."""
    pairs = readable(
        family.samples, lambda sample: tokenize(sample, template, context), f"prompts '{family.name}'", notify
    )
    return replace(family, samples=tuple(sample for sample, _ in pairs))


def readable(
    items: Sequence[T], read: Callable[[T], R], what: str, notify: Callable[[str], None]
) -> list[tuple[T, R]]:
    """Return the items that ``read`` accepts, each with its result, and report how many it refused and why.

    Raises:
        InputError: it refused all of them.
    """
    pairs = []
    problem = None
    for item in items:
        try:
            pairs.append((item, read(item)))
        except InputError as error:
            problem = error
    if problem is not None:
        if not pairs:
            raise problem
        notify(f"{what}: {len(items) - len(pairs)} of {len(items)} left out: {problem}")
    return pairs
