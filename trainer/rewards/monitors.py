"""Signs of reward hacking: measures that the reward does not ask for, monitored while it rises.

An answer that is short, foreign, repetitive or always the same may well please a scorer. What a step's answers were
like is compared with what they were like at first; the reward itself is never looked at.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...evals.records.training import MetricsRow
from ...evals.statistics.gold import Trend, divergence_of
from ...tasks.text.language import fidelity
from ..recipe.fields import Alarms, WatchedAlarms

MEASURES = ("cyrillic", "distinct", "repetition", "length")
_READ_CHARACTERS = 4000


def cyrillic_share(text: str) -> float | None:
    """Return the share of the letters of a text's prose that is Cyrillic; None for one without (formulas alone)."""
    return fidelity(text).cyrillic_share


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
        Means by the names of `MEASURES`; nothing without answers, no ``cyrillic`` where no answer has words.
    """
    texts = [text for group in groups for text in group]
    if not texts:
        return {}
    shares = [share for text in texts if (share := cyrillic_share(text)) is not None]
    return {
        **({"cyrillic": sum(shares) / len(shares)} if shares else {}),
        "distinct": distinct_share(groups),
        "repetition": sum(map(repetition, texts)) / len(texts),
        "length": sum(lengths) / len(lengths),
    }


def alarms(rule: Alarms, history: Sequence[MetricsRow]) -> list[str]:
    """Return the alarms that the last step raises.

    Args:
        rule: the limits.
        history: the metrics of each step so far, in order; measures that a step lacks are passed over.
    """
    reasons = _of_canaries(rule, history[-1].canaries) if history else []
    if len(history) <= rule.window:
        return reasons
    first, last = history[: rule.window], history[-1]
    if isinstance(rule, WatchedAlarms):
        reasons += _divergences(rule, history)
    known = {name: [value for row in first if (value := row.number(name)) is not None] for name in MEASURES}
    start = {name: sum(values) / len(values) for name, values in known.items() if values}
    reasons += _changes(rule, start, last.measures)
    entropy, kl = last.number("entropy"), last.number("kl")
    if rule.entropy_below is not None and entropy is not None and entropy < rule.entropy_below:
        reasons.append(f"entropy is {entropy:.3g} < {rule.entropy_below:g}")
    if rule.kl_above is not None and kl is not None and kl > rule.kl_above:
        reasons.append(f"divergence from the reference is {kl:.3g} > {rule.kl_above:g}")
    return reasons


def _changes(rule: Alarms, first: Mapping[str, Any], last: Mapping[str, Any]) -> list[str]:
    """Return in which of the `MEASURES` the last answers are too far from the first."""
    reasons = []
    for name, limit, sign, words in (
        ("cyrillic", rule.cyrillic_drop, -1, "Cyrillic letters fell"),
        ("distinct", rule.distinct_drop, -1, "different answers fell"),
        ("repetition", rule.repetition_rise, 1, "repetition within answers rose"),
    ):
        before, now = first.get(name), last.get(name)
        if limit is not None and before is not None and now is not None and sign * (now - before) > limit:
            reasons.append(f"{words} from {before:.0%} to {now:.0%}")
    before, now = first.get("length"), last.get("length")
    factor = rule.length_factor
    if factor is not None and before and now is not None and not before / factor <= now <= before * factor:
        reasons.append(f"answers went from {before:.0f} to {now:.0f} tokens")
    return reasons


def _of_canaries(rule: Alarms, canaries: Mapping[str, Any] | None) -> list[str]:
    if canaries is None or rule.canaries is None:
        return []
    before, now = canaries["before"], canaries["now"]
    reasons = _changes(rule, before, now)
    limit = rule.canaries.reward_drop
    if limit is not None and before["reward"] is not None and before["reward"] - now["reward"] > limit:
        reasons.append(f"their reward fell from {before['reward']:.2f} to {now['reward']:.2f}")
    return [f"canary prompts: {reason}" for reason in reasons]


def _divergences(rule: WatchedAlarms, history: Sequence[MetricsRow]) -> list[str]:
    """Return which watched rewards did not rise with the training reward (see `evalkit.evals.statistics.gold`)."""
    reasons = []
    for name, watched in rule.watch.items():
        rows = history[-watched.window :]
        values = [(row.step, row.watched[name]) for row in rows if name in row.watched]
        divergence = divergence_of(
            [(row.step, row.reward) for row in rows if row.reward is not None],
            [(step, one["value"]) for step, one in values],
            [(step, one["gap"]) for step, one in values if "gap" in one],
        )
        if divergence.trend is Trend.ALARM:
            reasons.append(
                f"the reward rises by {divergence.train.value:.2g} a step, and '{name}', which is only watched, by"
                f" {divergence.gold.value:.2g}"
            )
    return reasons
