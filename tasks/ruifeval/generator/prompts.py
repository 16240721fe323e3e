"""Generator of Russian prompts with verifiable instructions.

A prompt is a request (a theme's own, or a genre that a theme completes) and one to three instructions that can
all be followed at once. What it is made of differs between the splits: themes, wordings, and the parameters of
instructions. The same split and seed give the same prompts everywhere, and a longer run begins with a shorter one.

The prompts that ship (``data/mini.jsonl``) are made by::

    python -m evalkit.tasks.ruifeval.generator.prompts --split test --count 300 --seed 0 > data/mini.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ....errors import UsageError, nearest
from ...random import Dice, T
from ...types import Sample
from ..instructions import INSTRUCTIONS
from . import compatibility
from .parameters import DrawnInstruction, Supply, draw
from .wording import SPLITS, Split, Theme, frames, genres, render, themes, wordings

# How many instructions a prompt has, and what its request is: each entry is as likely as any other.
_SIZES = (1, 1, 1, 1, 1, 2, 2, 2, 3, 3)
_REQUESTS = ("text", "text", "text", "task", "task", "genre", "genre", "list", "question")
_LONG_REQUESTS = ("text", "text", "task", "genre", "genre")

# What asks for more than a list or a short answer.
_LONG = frozenset(
    (
        *(compatibility.HIGHLIGHTS, compatibility.NTH_PARAGRAPH, compatibility.PARAGRAPHS),
        *(compatibility.POSTSCRIPT, compatibility.SECTIONS, compatibility.TITLE),
    )
)

# A small choice of instructions may run out of new prompts; then prompts come again.
_TRIES_FOR_A_NEW_PROMPT = 50


def generate(
    count: int, *, split: Split, seed: int = 0, types: Collection[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield prompts in the published form: ``{"key", "prompt", "instruction_id_list", "kwargs"}``.

    Every instruction type opens as many prompts as any other; further instructions of a prompt are drawn from
    those compatible with it, the rarer the likelier.

    Args:
        count: how many prompts; their keys are 1 … ``count``.
        split: ``train`` or ``test``; they share no theme, wording or parameters.
        seed: any whole number; other seeds give other prompts of the same split.
        types: the instruction ids to use; all 25 when ``None``.

    Raises:
        UsageError: the split or a type does not exist, no type is given, or the count is negative.
    """
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}: use 'train' or 'test'")
    if count < 0:
        raise UsageError(f"count must not be negative, got {count}")
    return _generate(count, split, Dice(f"{split}:{seed}"), _known(types))


def generate_samples(
    count: int, *, split: Split, seed: int = 0, types: Collection[str] | None = None
) -> Iterator[Sample]:
    """Yield what `generate` does, as the samples that `loader.read_prompts` makes of it."""
    return map(_sample, generate(count, split=split, seed=seed, types=types))


def _sample(record: Mapping[str, Any]) -> Sample:
    instructions = [
        {"id": id, "kwargs": kwargs}
        for id, kwargs in zip(record["instruction_id_list"], record["kwargs"], strict=True)
    ]
    return Sample.ask(str(record["key"]), record["prompt"], key=record["key"], instructions=instructions)


def _known(types: Collection[str] | None) -> list[str]:
    if types is None:
        return sorted(INSTRUCTIONS)
    for id in types:
        if id not in INSTRUCTIONS:
            raise UsageError(f"unknown instruction type {id!r}.{nearest(id, INSTRUCTIONS)}")
    if not types:
        raise UsageError("types is empty: give at least one instruction id, or None for all")
    return sorted(set(types))


def _generate(count: int, split: Split, dice: Dice, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    used: Counter[str] = Counter()
    seen: set[str] = set()
    openings = _deck(ids, dice)
    subjects = _deck(themes(split), dice)
    for key in range(1, count + 1):
        opening = next(openings)
        for _ in range(_TRIES_FOR_A_NEW_PROMPT):
            prompt, instructions = _compose(opening, ids, subjects, used, split, dice)
            if prompt not in seen:
                break
        seen.add(prompt)
        used.update(drawn.id for drawn in instructions)
        yield {
            "key": key,
            "prompt": prompt,
            "instruction_id_list": [drawn.id for drawn in instructions],
            "kwargs": [drawn.kwargs for drawn in instructions],
        }


def _deck(items: Sequence[T], dice: Dice) -> Iterator[T]:
    """Yield the items over and over, each time in a new order."""
    while True:
        yield from dice.shuffled(items)


def _compose(
    opening: str, ids: Sequence[str], subjects: Iterator[Theme], used: Counter[str], split: Split, dice: Dice
) -> tuple[str, list[DrawnInstruction]]:
    formal = dice.below(2) == 1
    while True:
        chosen = _with_companions(opening, ids, used, dice)
        theme = next(subjects)
        request = render(_request(theme, chosen, split, dice), {"about": theme.about}, formal=formal)
        supply = Supply(request, dice.shuffled(theme.keywords), dice.shuffled(theme.forbidden))
        instructions = [draw(id, split, supply, dice) for id in chosen]
        if not compatibility.contradictory([(drawn.id, drawn.kwargs) for drawn in instructions]):
            return _join(request, instructions, split, formal, dice), instructions


def _with_companions(opening: str, ids: Sequence[str], used: Counter[str], dice: Dice) -> list[str]:
    chosen = [opening]
    for _ in range(dice.pick(_SIZES) - 1):
        candidates = [id for id in ids if all(compatibility.compatible(id, other) for other in chosen)]
        if candidates:
            chosen.append(min(dice.pick(candidates), dice.pick(candidates), key=lambda id: used[id]))
    return dice.shuffled(chosen)


def _request(theme: Theme, chosen: Collection[str], split: Split, dice: Dice) -> str:
    kind = dice.pick(_LONG_REQUESTS if _LONG.intersection(chosen) else _REQUESTS)
    if compatibility.CONSTRAINED in chosen:
        kind = "question"
    elif compatibility.PLACEHOLDERS in chosen:
        kind = "text"
    elif compatibility.BULLETS in chosen or compatibility.JSON in chosen:
        kind = "list"
    match kind:
        case "genre":
            return dice.pick(genres(split))
        case "list":
            return dice.pick(theme.lists)
        case "question":
            return dice.pick(theme.questions)
        case "task":
            return dice.pick(theme.tasks)
    return dice.pick(theme.texts)


def _join(request: str, instructions: Sequence[DrawnInstruction], split: Split, formal: bool, dice: Dice) -> str:
    rules = [
        render(dice.pick(wordings(drawn.id, split, drawn.variant)), drawn.values, formal=formal)
        for drawn in instructions
    ]
    repeated = any(drawn.id == compatibility.REPEAT for drawn in instructions)
    listed = len(rules) > 1 and dice.below(3) == 0
    if repeated:
        kind = "repeated_listed" if listed else "repeated"
    else:
        kind = "listed" if listed else "several" if len(rules) > 1 else "single"
    values = {
        "request": request,
        "rules": " ".join(rules),
        "list": "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1)),
    }
    return render(dice.pick(frames(split, kind)), values, formal=formal)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m evalkit.tasks.ruifeval.generator.prompts",
        description="Print ruIFEval prompts as JSON lines in the published form.",
    )
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for prompt in generate(arguments.count, split=arguments.split, seed=arguments.seed):
        sys.stdout.buffer.write(json.dumps(prompt, ensure_ascii=False).encode() + b"\n")


if __name__ == "__main__":
    _main()
