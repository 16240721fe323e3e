"""Reinforcement learning: answers to prompts are sampled and rewarded, and what did better becomes likelier.

The losses (PPO, GRPO, DAPO, Dr.GRPO, GSPO, CISPO, GMPO of the geometric mean, REINFORCE, AWR) differ in a formula
each (`losses.table`); how much better an answer did is an advantage (`losses.advantages`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...errors import RunError
from ...tasks.types import Sample
from ..data.mixture import Family, Mixture
from ..data.prompts import open_families
from ..losses.advantages import regression_weights
from ..losses.groups import reward_tensor, usable
from ..policy.parallel import all_gather, rank_share
from ..recipe.kinds import Objective, RegressionObjective, RewardRecipe, SampledRecipe, estimator_of
from ..records.log import Clock
from ..records.step_log import answer_row, metrics_of
from ..rewards.scoring import is_informative, shape_reward
from ..rewards.watching import WatchedRewards
from ..rollouts.records import Group, Wave
from ..rollouts.sampling import fresh_enough, next_wave, settle
from .base import Method, StepMetrics, Tools
from .step import Row, learn_from

_LONGEST_PROBLEM = 600


@dataclass(frozen=True, slots=True)
class SampledBatch:
    """The groups of answers that a step learns from."""

    step: int
    groups: tuple[Group, ...]


class Sampling(Method[SampledBatch]):
    """What methods that learn from sampled answers share: waves of them, until there is enough to learn from."""

    shown: ClassVar[Mapping[str, str]] = {"reward": ".3f", "kl": ".4f", "entropy": ".2f", "length": ".0f"}

    def __init__(self, recipe: SampledRecipe, tools: Tools) -> None:
        super().__init__(recipe, tools)
        families = [tools.sampler.families[name] for name in recipe.prompts]
        self._mixture = Mixture(
            tuple(Family(family.name, len(family.samples), family.weight) for family in families), recipe.seed
        )
        self._drawn: Mapping[str, int] = {}
        self._surplus: tuple[Group, ...] = ()
        self._watched = WatchedRewards(recipe, tools.directory)
        self._told: set[str] = set()

    @staticmethod
    def texts(recipe: SampledRecipe) -> dict[str, str]:
        """Return the prompts."""
        return {
            f"{name}/{sample.id}": "\n".join(message.content for message in sample.messages)
            for name, family in open_families(recipe).items()
            for sample in family.samples
        }

    def gather(self, step: int) -> tuple[SampledBatch | None, StepMetrics]:
        """Sample and score waves of answers until enough groups teach something or the budget ends.

        Raises:
            RunError: none of the step's answers could be scored.
        """
        clock, rollouts = Clock(), self.recipe.rollouts
        have = list(fresh_enough(rollouts, self._surplus, step))
        sampled: list[Group] = []
        waves = informative = 0
        while count := next_wave(
            rollouts, have=len(have), waves=waves, asked=len(sampled), informative=informative
        ):
            prompts, self._drawn = self._mixture.draw(self._drawn, count)
            groups = self._wave(step, waves, prompts)
            good = [group for group in groups if is_informative(group, self.rewards(group))]
            have += good
            sampled += groups
            informative += len(good)
            waves += 1
            self._tell_unscored(step, groups)
            if not _has_reward(sampled):
                self._log_answers(step, sampled)
                raise RunError(
                    f"step {step}: none of its {sum(len(group.answers) for group in sampled)} answers could be"
                    f" scored; the first: {_first_problem(sampled)}. If a judge or a server failed, repeat the"
                    " command: the steps before are kept. A changed reward is another training, in a new directory"
                )
        batch = settle(rollouts, have)
        self._surplus = batch.surplus
        self._log_answers(step, sampled)
        metrics = metrics_of(sampled, informative=informative)
        metrics |= {
            "outcome": batch.outcome,
            "waves": waves,
            "groups": len(batch.train),
            **self.extra_metrics(sampled),
        }
        metrics |= {"max_tokens": rollouts.tokens_at(step), "sampling_seconds": clock.lap()}
        return (SampledBatch(step, batch.train) if batch.train else None), metrics

    @abstractmethod
    def prepare(self, groups: Sequence[Group], samples: Sequence[Sample], step: int) -> list[Group]:
        """Return scored groups with what the method computes of each answer before learning."""

    def rewards(self, group: Group) -> list[float | None]:
        """Return by what the answers to a prompt must differ to teach something."""
        return group.rewards

    def extra_metrics(self, groups: Sequence[Group]) -> StepMetrics:
        """Return further metrics of a step's answers."""
        return {}

    def critic_notes(self, groups: Sequence[Group]) -> list[dict[str, Any] | None]:
        """Return what the critic said of each answer of these groups, in order; None without a critic."""
        return [None for group in groups for _ in group.answers]

    def state(self) -> dict[str, Any]:
        """Return how far the prompts are used up, and groups sampled but not yet learned from."""
        surplus = [{"step": group.step, "group": asdict(group)} for group in self._surplus]
        return {"cursor": {"drawn": self._drawn}, "surplus": surplus}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        self._drawn = dict(state["cursor"]["drawn"])
        self._surplus = tuple(
            replace(Group.from_json(row["group"]), version=row["step"] - 1) for row in state["surplus"]
        )

    def close(self) -> None:
        """End what scores the watched rewards."""
        self._watched.close()

    def _wave(self, step: int, wave: int, chosen: Sequence[tuple[str, int]]) -> list[Group]:
        """Sample and score answers to these prompts, or take those that an interrupted attempt had."""
        log = self.tools.log
        if (step, wave) in log.waves:
            return list(log.waves[step, wave])
        groups = all_gather(self._sample(step, wave, rank_share(list(enumerate(chosen)))))
        if _has_reward(groups):
            # A wave that nothing could score is not kept: the next attempt has to score its answers anew.
            log.append(Wave(step, wave, tuple(groups)))
        return groups

    def _sample(self, step: int, wave: int, numbered: Sequence[tuple[int, tuple[str, int]]]) -> list[Group]:
        # A small family may give a prompt twice in a wave: the number tells the two apart.
        seeds = [
            [f"{self.recipe.seed}/{step}/{wave}/{number}/{copy}" for copy in range(self.recipe.rollouts.answers)]
            for number, _ in numbered
        ]
        groups = self.tools.sampler.sample([prompt for _, prompt in numbered], seeds, step)
        samples = self.tools.sampler.samples_of(groups)
        return self.prepare(self._watched.score(groups, samples, step), samples, step)

    def _tell_unscored(self, step: int, groups: Sequence[Group]) -> None:
        """Say of each family once what the first answer without a reward lacks."""
        for group in groups:
            if group.family not in self._told and (problem := _first_problem([group])):
                self._told.add(group.family)
                self.tools.notify(
                    f"step {step}: an answer of prompts '{group.family}' has no reward and is left out: {problem}"
                )

    def _log_answers(self, step: int, groups: Sequence[Group]) -> None:
        answers = [(group, answer) for group in groups for answer in group.answers]
        for (group, answer), critic in zip(answers, self.critic_notes(groups), strict=True):
            self.tools.log.append(answer_row(step, group, answer, critic))


def _has_reward(groups: Sequence[Group]) -> bool:
    return any(answer.reward is not None for group in groups for answer in group.answers)


def _first_problem(groups: Sequence[Group]) -> str:
    """Return why the first answer without a reward has none, on one printable line; empty if all have one."""
    for group in groups:
        for answer in group.answers:
            if answer.reward is None:
                said = f"sample '{group.sample}': {answer.problem}"[:_LONGEST_PROBLEM]
                return "".join(char if char.isprintable() else " " for char in said)
    return ""


class Reinforcement(Sampling):
    """Any loss of `losses.table` on the advantages of rewards."""

    recipe: RewardRecipe

    def prepare(self, groups: Sequence[Group], samples: Sequence[Sample], step: int) -> list[Group]:
        """Let length shape the rewards."""
        shaping, limit = self.recipe.shaping, self.recipe.rollouts.tokens_at(step)
        return [
            replace(group, answers=tuple(shape_reward(answer, shaping, limit) for answer in group.answers))
            for group in groups
        ]

    def learn(self, batch: SampledBatch) -> StepMetrics:
        """Make answers with an advantage likelier, others less likely."""
        rewards = [answer.shaped for group in batch.groups for answer in group.answers]
        parts = rows_of(batch, rewards, advantages_of(batch.groups, self.recipe), self.recipe.objective)
        return learn_from(self.tools.policy, self.tools.optimizer, parts, self.recipe, batch.step)


def advantages_of(groups: Sequence[Group], recipe: RewardRecipe) -> Tensor:
    """Return the advantages [B] of all answers of these groups, in order; the weights themselves for ``awr``."""
    rewards = reward_tensor([answer.shaped for group in groups for answer in group.answers])
    index = torch.tensor([number for number, group in enumerate(groups) for _ in group.answers])
    advantages: Tensor = estimator_of(recipe)(rewards, index)
    if not isinstance(recipe.objective, RegressionObjective):
        return advantages
    measured = torch.where(rewards.isnan(), torch.nan, advantages)
    temperature = recipe.objective.weight_temperature
    return regression_weights(measured, index, temperature=temperature, normalization="centred")


def rows_of(
    batch: SampledBatch, rewards: Sequence[float | None], coefficients: Tensor, objective: Objective
) -> list[list[Row]]:
    """Return the answers to learn from, cut into the minibatches of a step by whole groups.

    Args:
        batch: the groups of the step.
        rewards: [B], of their answers in order: one without a reward is left out, as is a group with too many.
        coefficients: [B], what each answer counts.
        objective: how often and in how many parts they are learned from.
    """
    index = torch.tensor([number for number, group in enumerate(batch.groups) for _ in group.answers])
    marks = usable(reward_tensor(rewards), index).tolist()
    several_updates = objective.epochs * objective.minibatches > 1
    place = 0
    parts: list[list[Row]] = [[] for _ in range(min(objective.minibatches, len(batch.groups)))]
    for number, group in enumerate(batch.groups):
        fresh = group.step == batch.step and not several_updates
        for answer in group.answers:
            if marks[place]:
                row = Row(group.prompt, answer, float(coefficients[place]), fresh)
                parts[number % len(parts)].append(row)
            place += 1
    return parts
