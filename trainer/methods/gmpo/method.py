"""Generative-model policy optimization: a critic reads, scores and learns; the policy imitates what it prefers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer

from ....tasks.types import Sample
from ...policy.model import CRITIC
from ...recipe.kinds import GmpoRecipe
from ...rollouts.records import Group
from ..base import StepMetrics, Tools
from ..rl import SampledBatch, Sampling, rows_of
from ..step import learn_from
from .critic import CriticLearner, CriticState, explanation_tokens, unread_share


class Gmpo(Sampling):
    """Weighted regression on answers, with the weights that the critic's scores come to."""

    adapters = (CRITIC,)
    notice = (
        "gmpo is generative-model policy optimization: advantage-weighted regression on scores that a generative"
        " critic gives. The geometric-mean method of the same initials is gmpo-geo; the regression without a critic"
        " is awr."
    )
    recipe: GmpoRecipe

    def __init__(self, recipe: GmpoRecipe, tools: Tools) -> None:
        super().__init__(recipe, tools)
        self._critic = CriticLearner(tools.policy, recipe)
        self._trust = CriticState()

    def prepare(self, groups: Sequence[Group], samples: Sequence[Sample], step: int) -> list[Group]:
        """Let the critic read every answer."""
        share = self._critic.checker_share(self._trust)
        return self._critic.assess(groups, samples, step, share)

    def rewards(self, group: Group) -> list[float | None]:
        """Return the critic's scores, blended with the checker's."""
        return self._critic.rewards(group)

    def extra_metrics(self, groups: Sequence[Group]) -> StepMetrics:
        """Return the share of unread answers and the number of explanation tokens."""
        return {"critic_unread": unread_share(groups), "critic_tokens": explanation_tokens(groups)}

    def critic_notes(self, groups: Sequence[Group]) -> list[dict[str, Any] | None]:
        """Return the critic's scores and explanations of each answer, and the signal computed from them."""
        answers = [answer for group in groups for answer in group.answers]
        signals = self._critic.signals(groups, self._trust.memory)
        return [
            {**answer.critic, "signal": signal} if answer.critic else None
            for answer, signal in zip(answers, signals, strict=True)
        ]

    def learn(self, batch: SampledBatch) -> StepMetrics:
        """Train the critic on the answers, then the policy by the scores from before that."""
        groups = batch.groups
        self._trust, coefficients, metrics = self._critic.weigh(groups, self._trust)
        metrics |= self._critic.learn(groups, self.tools.sampler.samples_of(groups))
        if self._critic.freezes(self._trust):
            return metrics
        rewards = [reward for group in groups for reward in self._critic.rewards(group)]
        parts = rows_of(batch, rewards, coefficients, self.recipe.objective)
        return metrics | learn_from(self.tools.policy, self.tools.optimizer, parts, self.recipe, batch.step)

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The critic's."""
        return {CRITIC: self._critic.optimizer}

    def state(self) -> dict[str, Any]:
        """Return the sampled answers' state and the critic's."""
        return {**super().state(), **self._trust.as_json()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        super().load_state(state)
        self._trust = CriticState.from_json(state)
