"""Watched rewards: scorers that nothing is learned from see the answers that training is rewarded for.

A policy that learns the task rises by other measures of it too; one that learns its reward alone does not. So a
recipe names other checkers of the same thing, or a gold judge of another family (on a share of the answers, for it
is dear), and `monitors` compares the trends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...evals.records.training import CanaryAnswer
from ...evals.statistics.gold import goes_to_gold
from ...tasks.types import Sample
from ..recipe.kinds import SampledRecipe
from ..rollouts.records import Answer, Group
from . import monitors
from .adapters.bridge import RewardBridge
from .scoring import completion_of, open_bridge


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
            answers_shown = [(samples[row], completion_of(groups[row].answers[column])) for row, column in places]
            for place, reward in zip(places, bridge.score(answers_shown), strict=True):
                if reward.value is not None:
                    values.setdefault(place, {})[name] = reward.value
        scored = []
        for row, group in enumerate(groups):
            answers = (replace(one, watched=values.get((row, at), {})) for at, one in enumerate(group.answers))
            scored.append(replace(group, answers=tuple(answers)))
        return scored

    def close(self) -> None:
        """Kill the workers."""
        for bridge in self._bridges.values():
            bridge.close()


def watched_means(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Describe the answers by each watched reward that scored any of them.

    Returns:
        By its name its mean ``value``, the mean of the training reward less it on the same answers (``gap``, where
        there is one), and how many ``answers`` they were.
    """
    means: dict[str, dict[str, float]] = {}
    for name in sorted({name for answer in answers for name in answer.watched}):
        scored = [answer for answer in answers if name in answer.watched]
        gaps = [answer.reward - answer.watched[name] for answer in scored if answer.reward is not None]
        means[name] = {
            "value": sum(answer.watched[name] for answer in scored) / len(scored),
            "answers": len(scored),
        }
        if gaps:
            means[name]["gap"] = sum(gaps) / len(gaps)
    return means


def canary_changes(first: Sequence[CanaryAnswer], now: Sequence[CanaryAnswer]) -> dict[str, Any]:
    """Compare the greedy answers to the canary prompts with those before training.

    Returns:
        ``before`` and ``now``, each with the measures of `monitors.measure` and the mean ``reward`` of the answers
        that were scored both times; ``unchanged``, the share of the answers that are the same.
    """
    pairs = list(zip(first, now, strict=True))
    scored = [(one.reward, two.reward) for one, two in pairs if one.reward is not None and two.reward is not None]

    def described(answers: Sequence[CanaryAnswer], rewards: Sequence[float]) -> dict[str, Any]:
        measures = monitors.measure([[one.text] for one in answers], [one.tokens for one in answers])
        return {**measures, "reward": sum(rewards) / len(rewards) if rewards else None}

    return {
        "before": described(first, [reward for reward, _ in scored]),
        "now": described(now, [reward for _, reward in scored]),
        "unchanged": sum(one.text == two.text for one, two in pairs) / len(now),
    }
