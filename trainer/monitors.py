"""Signs that a reward is being gamed: measures that it does not ask for, watched while it rises.

An answer that is short, foreign, repetitive or always the same may well please a scorer. What a step's answers were
like is compared with what they were like at first; the reward itself is never looked at.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..tasks.language import fidelity
from .recipe_fields import Alarms

MEASURES = ("cyrillic", "distinct", "repetition", "length")
_READ_CHARACTERS = 4000


def cyrillic_share(text: str) -> float:
    """Return the share of the letters of a text's prose that is Cyrillic; 0 for a text without letters."""
    return fidelity(text[:_READ_CHARACTERS]).cyrillic_share or 0.0


def distinct_share(groups: Sequence[Sequence[str]]) -> float:
    """Return the mean over prompts of the share of different texts among the answers to one, within (0, 1].

    Over all prompts together, where each has one answer.
    """
    if all(len(group) == 1 for group in groups):
        groups = [[group[0] for group in groups]]
    return sum(len(set(group)) / len(group) for group in groups) / len(groups)


def repetition(text: str) -> float:
    """Return how much of a text repeats itself: 1 - compressed size / size, 0 for what does not shrink."""
    data = text.encode("utf-8", "replace")[: 4 * _READ_CHARACTERS]
    return max(0.0, 1 - len(zlib.compress(data, 6)) / len(data)) if data else 0.0


def measure(groups: Sequence[Sequence[str]], lengths: Sequence[int]) -> dict[str, float]:
    """Measure answers by prompt.

    Args:
        groups: the texts of the answers to each prompt.
        lengths: tokens of each answer.

    Returns:
        Means by the names of `MEASURES`; nothing without answers.
    """
    texts = [text for group in groups for text in group]
    if not texts:
        return {}
    return {
        "cyrillic": sum(map(cyrillic_share, texts)) / len(texts),
        "distinct": distinct_share(groups),
        "repetition": sum(map(repetition, texts)) / len(texts),
        "length": sum(lengths) / len(lengths),
    }


def alarms(rule: Alarms, history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the last step should alarm a person about, empty when nothing.

    Args:
        rule: the limits.
        history: the metrics of each step so far, in order; measures that a step lacks are passed over.
    """
    if len(history) <= rule.window:
        return []
    first, last = history[: rule.window], history[-1]
    reasons = []

    def start(name: str) -> float | None:
        values = [row[name] for row in first if row.get(name) is not None]
        return sum(values) / len(values) if values else None

    for name, limit, sign, words in (
        ("cyrillic", rule.cyrillic_drop, -1, "Cyrillic letters fell"),
        ("distinct", rule.distinct_drop, -1, "different answers to one prompt fell"),
        ("repetition", rule.repetition_rise, 1, "repetition within answers rose"),
    ):
        before, now = start(name), last.get(name)
        if limit is not None and before is not None and now is not None and sign * (now - before) > limit:
            reasons.append(f"{words} from {before:.0%} to {now:.0%}")
    before, now = start("length"), last.get("length")
    factor = rule.length_factor
    if factor is not None and before and now is not None and not before / factor <= now <= before * factor:
        reasons.append(f"answers went from {before:.0f} to {now:.0f} tokens")
    entropy, kl = last.get("entropy"), last.get("kl")
    if rule.entropy_below is not None and entropy is not None and entropy < rule.entropy_below:
        reasons.append(f"entropy is {entropy:.3g} < {rule.entropy_below:g}")
    if rule.kl_above is not None and kl is not None and kl > rule.kl_above:
        reasons.append(f"divergence from the reference is {kl:.3g} > {rule.kl_above:g}")
    return reasons
