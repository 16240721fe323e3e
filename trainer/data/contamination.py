"""Contamination: overlap of training and evaluation prompts, by text, checked before anything runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SPAN = 13
"""Words in a row that two prompts do not share by chance (Brown et al. 2020, arXiv:2005.14165, appendix C)."""
SHORTEST = 6
"""Words that a shorter prompt must have for its standing within another one to say anything."""
TEMPLATE_SHARE = 0.02
SHOWN = 3
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A training prompt that is an evaluation prompt, holds all of it, or shares a span of `SPAN` words with it."""

    trained: str
    evaluated: str
    shared: str


def evaluated_texts(
    tasks: Sequence[str], data: Mapping[str, str] | None = None, *, limit: int | None = None, seed: int = 0
) -> dict[str, str]:
    """Return the text of every prompt that ``evalkit run`` would ask, by ``task/sample id``.

    Raises:
        InputError, UsageError: an unknown task, or its data cannot be read.
    """
    from ...evals.records.plan import plan_tasks
    from ...evals.records.spec import RunSpec

    spec = RunSpec.of(model="-", tasks=tasks, data=data or {}, limit=limit, seed=seed)
    return {
        f"{item.task.name}/{sample.id}": "\n".join((*(one.content for one in sample.messages), *sample.turns))
        for item in plan_tasks(spec)
        for sample in item.samples()
    }


def find_overlaps(trained: Mapping[str, str], evaluated: Mapping[str, str]) -> list[Overlap]:
    """Return each evaluation prompt that overlaps with a training prompt, with one such prompt.

    Case, ``ё``, punctuation and spaces do not count. A span that stands in many evaluation prompts (more than
    `TEMPLATE_SHARE` of them, and more than two) is a shared template and does not count.

    Args:
        trained: texts by name.
        evaluated: texts by name.
    """
    words = {name: _words(text) for name, text in evaluated.items()}
    counts = Counter(span for some in words.values() for span in set(_spans(some)))
    allowed = max(2.0, TEMPLATE_SHARE * len(words))
    telling = {span for span, count in counts.items() if count <= allowed}
    short = {some for some in words.values() if SHORTEST <= len(some) < SPAN}
    lengths = sorted({len(some) for some in short})
    whole: dict[tuple[str, ...], str] = {}
    parts: dict[tuple[str, ...], str] = {}
    for name, text in trained.items():
        some = _words(text)
        whole.setdefault(some, name)
        for length in lengths:
            for span in _spans(some, length):
                if span in short:
                    whole.setdefault(span, name)
        for span in _spans(some):
            if span in telling:
                parts.setdefault(span, name)
    overlaps = []
    for name, some in words.items():
        if some and some in whole:
            overlaps.append(Overlap(whole[some], name, "the whole prompt"))
            continue
        span = next((span for span in _spans(some) if span in parts), ())
        if span:
            overlaps.append(Overlap(parts[span], name, f"«{' '.join(span)}»"))
    return overlaps


def overlaps_line(overlaps: Sequence[Overlap]) -> str:
    """Return the first overlaps in one line."""
    return "; ".join(f"{one.trained} and {one.evaluated} share {one.shared}" for one in overlaps[:SHOWN])


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold().replace("ё", "е")))


def _spans(words: tuple[str, ...], length: int = SPAN) -> Iterator[tuple[str, ...]]:
    return (words[start : start + length] for start in range(len(words) - length + 1))
