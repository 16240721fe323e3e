"""Watched rewards: scorers that nothing is learned from see the answers that training is rewarded for.

A policy that learns the task rises by other measures of it too; one that learns its reward alone does not. So a
recipe names other checkers of the same thing, or a gold judge of another family (on a share of the answers, for it
is dear), and `monitors` compares the trends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...evals.statistics.gold import goes_to_gold
from ...tasks.types import Sample
from ..recipe.fields import SampledRecipe
from ..rollouts.records import Answer, Group
from .adapters.bridge import RewardBridge, answer_of
from .scoring import open_bridge


class WatchedRewards:
    """The watched rewards of a recipe, open in worker processes; `close` kills them."""

    def __init__(self, recipe: SampledRecipe, directory: Path) -> None:
        self._watched = recipe.alarms.watch
        self._seed = recipe.seed
        self._bridges: dict[str, RewardBridge] = {
            name: open_bridge(one.reward, recipe, one.judge or recipe.judge, directory, f"alarms.watch.{name}")
            for name, one in self._watched.items()
        }

    def score(self, groups: Sequence[Group], samples: Sequence[Sample], step: int) -> list[Group]:
        """Return the groups with what their answers earned from each watched reward that was shown them."""
        values: dict[tuple[int, int], dict[str, float]] = {}
        for name, bridge in self._bridges.items():
            share = self._watched[name].share
            places = [
                (row, column)
                for row, group in enumerate(groups)
                for column in range(len(group.answers))
                if goes_to_gold(f"{name}/{step}/{group.sample}/{column}", share=share, seed=self._seed)
            ]
            asked = [(samples[row], _completion(groups[row].answers[column])) for row, column in places]
            for place, reward in zip(places, bridge.score(asked), strict=True):
                if reward.value is not None:
                    values.setdefault(place, {})[name] = reward.value

        def seen(row: int, answers: Sequence[Answer]) -> tuple[Answer, ...]:
            return tuple(
                replace(answer, watched=values.get((row, column), {})) for column, answer in enumerate(answers)
            )

        return [replace(group, answers=seen(row, group.answers)) for row, group in enumerate(groups)]

    def close(self) -> None:
        """Kill the workers."""
        for bridge in self._bridges.values():
            bridge.close()


def _completion(answer: Answer) -> Any:
    return answer_of(answer.text, truncated=answer.finish_reason == "length")


def watched_means(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Describe the answers by each watched reward that scored any of them.

    Returns:
        By its name its mean ``value``, the mean of the training reward less it on the same answers (``gap``, where
        there is one), and how many ``answers`` they were.
    """
    found: dict[str, dict[str, float]] = {}
    for name in sorted({name for answer in answers for name in answer.watched}):
        seen = [answer for answer in answers if name in answer.watched]
        gaps = [answer.reward - answer.watched[name] for answer in seen if answer.reward is not None]
        found[name] = {"value": sum(answer.watched[name] for answer in seen) / len(seen), "answers": len(seen)}
        if gaps:
            found[name]["gap"] = sum(gaps) / len(gaps)
    return found


def changed_canaries(first: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the greedy answers to the canary prompts, ``{"text", "reward", "tokens"}`` each, beside the first.

    Returns:
        ``before`` and ``now``, each with the measures of `monitors.measure` and the mean ``reward`` of the answers
        that were scored both times; ``unchanged``, the share of the answers that are the same.
    """
    from . import monitors

    both = [(one["reward"], two["reward"]) for one, two in zip(first, now, strict=True)]
    scored = [pair for pair in both if None not in pair]
    sides = []
    for side, answers in enumerate((first, now)):
        texts = [[answer["text"]] for answer in answers]
        row: dict[str, Any] = monitors.measure(texts, [answer["tokens"] for answer in answers])
        row["reward"] = sum(pair[side] for pair in scored) / len(scored) if scored else None
        sides.append(row)
    same = sum(one["text"] == two["text"] for one, two in zip(first, now, strict=True))
    return {"before": sides[0], "now": sides[1], "unchanged": same / len(now)}
