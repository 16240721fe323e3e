"""The generative critic at work: a second adapter that reads the true answer, explains, and scores on a grid.

The words and formulas are those of `losses.critic`. The critic alone reads a sample's target; what the actor reads
is made of the sample's messages (`prompts.tokenize`). The actor's text is quoted between marks that it cannot
write; the score is read from probabilities at a place that the template fixes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from ....tasks.types import Sample
from ...losses import Totals
from ...losses import critic as losses
from ...losses.advantages import effective_sample_size
from ...losses.groups import reward_tensor
from ...policy.local_sampler import generate
from ...policy.model import CRITIC, Policy
from ...policy.parallel import rank_share
from ...recipe.kinds import GmpoRecipe, open_weighing
from ...rollouts.records import Answer, Group
from ..step import optimizer_step
from .alarms import alarms, compare_critic
from .critic_text import claims_of, critic_messages, grid_of, spelt_out


@dataclass(frozen=True, slots=True)
class _Lesson:
    """One explanation of an answer: the critic's prompt and text, the checker's score, the text's advantage."""

    prompt: tuple[int, ...]
    explanation: tuple[int, ...]
    target: float
    advantage: float


@dataclass(frozen=True, slots=True)
class CriticState:
    """Whether a critic is trusted, and the statistics behind it.

    Attributes:
        memory: recent mean and variance of its scores.
        frozen: why it is not trusted, empty while it is.
        record: the latest (critic's score, checker's score) pairs.
    """

    memory: losses.Memory = field(default_factory=losses.Memory)
    frozen: str = ""
    record: tuple[tuple[float, float], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "memory": [self.memory.mean, self.memory.variance, self.memory.decay],
            "critic_frozen": self.frozen,
            "critic_record": [list(pair) for pair in self.record],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CriticState:
        """Inverse of `as_json`."""
        record = tuple((score, target) for score, target in data["critic_record"])
        return cls(losses.Memory(*data["memory"]), data["critic_frozen"], record)


class CriticLearner:
    """The critic's adapter with its optimizer.

    Raises:
        UsageError: an option of ``critic.weighing`` that does not exist, or a value that cannot be.
        ModelError: the tokenizer has no eleven single tokens for the grid.
    """

    def __init__(self, policy: Policy, recipe: GmpoRecipe) -> None:
        self._policy = policy
        self._settings = settings = recipe.critic
        self._recipe = recipe
        self._weighing = open_weighing(settings)
        self._tokenizer = policy.template.tokenizer
        self._labels, self._grid = grid_of(self._tokenizer)
        self._closing = self._tokenizer("</explanation><score>", add_special_tokens=False)["input_ids"]
        self.optimizer = torch.optim.AdamW(
            list(policy.trainable(CRITIC).values()), lr=settings.learning_rate, weight_decay=0.0
        )

    def rewards(self, group: Group) -> list[float | None]:
        """Return what the actor learns from: the critic's scores, blended with the checker's."""
        return [None if answer.critic is None else answer.critic["blended"] for answer in group.answers]

    def freezes(self, state: CriticState) -> bool:
        """Return whether the actor is not trained because its critic is not trusted."""
        return bool(state.frozen) and self._settings.distrusted == "freeze"

    def checker_share(self, state: CriticState) -> float:
        """Return α; 1 while the critic is not trusted, if the checker then teaches alone."""
        untrusted = state.frozen or not state.record
        return 1.0 if untrusted and self._settings.distrusted == "checker" else self._settings.checker_share

    def assess(
        self, groups: Sequence[Group], samples: Sequence[Sample], step: int, checker_share: float
    ) -> list[Group]:
        """Let the critic explain and score every answer; of one that does not fit its context it says nothing.

        An answer whose checker failed teaches nothing when the checker scored others to the same prompt: its score
        would be on another scale than theirs. With a ``checker_share`` of 1 it teaches nothing anyhow.
        """
        read = [
            (group, answer, prompt)
            for group, sample in zip(groups, samples, strict=True)
            for answer in group.answers
            if self._room(prompt := self._prompt(sample, answer)) >= 0
        ]
        if not read:
            return list(groups)
        readings = self._read([prompt for *_, prompt in read], step)
        scores = [fmean(reading["score"] for reading in some) for some in readings]
        targets = reward_tensor([answer.reward for _, answer, _ in read])
        blended = losses.blend(reward_tensor(scores), targets, checker_share).tolist()
        critics: dict[int, dict[str, Any]] = {}
        for (group, answer, _), score, value, some in zip(read, scores, blended, readings, strict=True):
            checked = checker_share > 0 and any(reward is not None for reward in group.rewards)
            untaught = answer.reward is None and (checker_share == 1 or checked)
            critics[id(answer)] = {"score": score, "blended": None if untaught else value, "readings": some}
        return [
            replace(group, answers=tuple(replace(one, critic=critics.get(id(one))) for one in group.answers))
            for group in groups
        ]

    def _read(self, prompts: Sequence[tuple[int, ...]], step: int) -> list[list[dict[str, Any]]]:
        """Explain each answer ``explanations`` times and read the score after each: JSON values for the log."""
        explained = self._explain(prompts, step)
        flat = [(prompt, tokens) for prompt, some in zip(prompts, explained, strict=True) for tokens in some]
        rows = []
        for (_, tokens), logits in zip(flat, self._score_logits(flat), strict=True):
            text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            score = float(losses.expected_score(logits.double()))
            probabilities = [round(value, 5) for value in logits.softmax(-1).tolist()]
            rows.append(
                {
                    "explanation": text, "tokens": list(tokens), "probabilities": probabilities, "score": score,
                    "claims": claims_of(text, score),
                }
            )  # fmt: skip
        each = self._settings.explanations
        return [rows[start : start + each] for start in range(0, len(rows), each)]

    def weigh(self, groups: Sequence[Group], state: CriticState) -> tuple[CriticState, Tensor, dict[str, Any]]:
        """Turn scores into the actor's coefficients ω, and check whether the critic is trusted.

        Returns:
            The state after it, ω [B], and what there is to log.
        """
        rewards, signal = self._signal(groups, state.memory)
        answers = [answer for group in groups for answer in group.answers]
        scores = [float(answer.critic["score"]) if answer.critic else None for answer in answers]
        pairs = [(score, one.reward) for score, one in zip(scores, answers, strict=True) if score is not None]
        # Rewards outside [0, 1] (penalties) are no checker's scores to be compared with.
        record = (*state.record, *((score, y) for score, y in pairs if y is not None and 0 <= y <= 1))
        record = record[-self._settings.window * self._recipe.rollouts.groups * self._recipe.rollouts.answers :]
        metrics: dict[str, Any] = {
            "critic_score": float(reward_tensor(scores).nanmean()),
            "critic_reward": float(rewards.nanmean()),
            "critic_temperature": float(signal.temperatures.nanmean()),
            "critic_deviation": float(signal.variances.sqrt().nanmean()),
            "critic_effective_samples": effective_sample_size(signal.weights) / max(1, len(rewards)),
        }
        frozen = ""
        if record:
            report = compare_critic([score for score, _ in record], [y for _, y in record])
            metrics |= {"critic_brier": report.brier, "critic_inflation": report.inflation}
            if report.auroc is not None:
                metrics["critic_auroc"] = report.auroc
            # With α = 1 the checker alone teaches, and nobody needs the critic's word.
            if self._settings.checker_share < 1:
                limits = {"min_auroc": self._settings.min_auroc, "max_inflation": self._settings.max_inflation}
                frozen = "; ".join(alarms(report, **limits))
        if frozen:
            metrics["critic_alarm"] = frozen
        return CriticState(signal.memory, frozen, record), signal.coefficients, metrics

    def signals(self, groups: Sequence[Group], memory: losses.Memory) -> list[dict[str, float]]:
        """Return what the scores of each answer come to, in order: r, b, A, σ, τ, w and ω of `losses.critic`.

        NaN where the critic could not be read. For the log: every sampled answer has them, also those of groups
        that teach nothing.
        """
        if not groups:
            return []
        rewards, signal = self._signal(groups, memory)
        columns = {
            "r": rewards, "b": signal.baselines, "A": signal.advantages, "sigma": signal.variances.sqrt(),
            "tau": signal.temperatures, "w": signal.weights, "omega": signal.coefficients,
        }  # fmt: skip
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in values]

    def _signal(self, groups: Sequence[Group], memory: losses.Memory) -> tuple[Tensor, losses.CriticSignal]:
        rewards = reward_tensor([value for group in groups for value in self.rewards(group)])
        index = torch.tensor([number for number, group in enumerate(groups) for _ in group.answers])
        return rewards, losses.weigh(rewards, index, self._weighing, memory)

    def learn(self, groups: Sequence[Group], samples: Sequence[Sample]) -> dict[str, float]:
        """Move the critic towards the checker's scores; without any, or frozen, it stays as it is.

        Returns:
            What there is to log, of the last time through the answers.
        """
        answers = [(sample, one) for group, sample in zip(groups, samples, strict=True) for one in group.answers]
        lessons = [lesson for sample, answer in answers for lesson in self._lessons(sample, answer)]
        if self._settings.frozen or not lessons:
            return {}
        totals = Totals(sum(len(one.explanation) for one in lessons), len(lessons))
        metrics: dict[str, float] = {}
        for _ in range(self._settings.epochs):
            metrics = self._step(rank_share(lessons), totals)
        return metrics

    def _lessons(self, sample: Sample, answer: Answer) -> list[_Lesson]:
        if answer.reward is None or answer.critic is None:
            return []
        readings = answer.critic["readings"]
        scores = torch.tensor([[reading["score"] for reading in readings]], dtype=torch.float64)
        (advantages,) = losses.explanation_advantages(scores, reward_tensor([answer.reward])).tolist()
        prompt = self._prompt(sample, answer)
        return [
            _Lesson(prompt, tuple(reading["tokens"]), answer.reward, advantage)
            for reading, advantage in zip(readings, advantages, strict=True)
        ]

    def _step(self, lessons: Sequence[_Lesson], totals: Totals) -> dict[str, float]:
        size, clip = self._recipe.optimizer.micro_batch, self._recipe.optimizer.gradient_clip
        parts = (
            self._add_gradient(lessons[start : start + size], totals) for start in range(0, len(lessons), size)
        )
        with self._policy.using(CRITIC):
            statistics = optimizer_step(self._policy, CRITIC, self.optimizer, parts, clip)
        return {f"critic_{name}": value for name, value in statistics.items()}

    def _add_gradient(self, lessons: Sequence[_Lesson], totals: Totals) -> dict[str, float]:
        """Add a micro-batch's gradient to that of the step and return its part of what there is to log."""
        texts = [(one.prompt, one.explanation) for one in lessons]
        logits = self._logits(texts)
        targets = reward_tensor([one.target for one in lessons]).to(logits.device)
        loss = losses.critic_loss(logits, targets, total=totals.sequences)
        statistics = {"loss": float(loss.detach()), "kl": 0.0}
        if self._settings.kl_weight:
            with torch.no_grad(), self._policy.model.disable_adapter():
                initial = self._logits(texts)
            drift = losses.critic_divergence(logits, initial, total=totals.sequences)
            statistics["kl"] = float(drift.detach())
            loss = loss + self._settings.kl_weight * drift
        loss.backward()
        # One pass at a time: their activations need not be in memory together.
        written = [one for one in lessons if one.explanation and one.advantage]
        if self._settings.explanation_weight:
            statistics["explanation_loss"] = 0.0
        if self._settings.explanation_weight and written:
            values = self._policy.token_values(
                [one.prompt for one in written],
                [one.explanation for one in written],
                temperature=self._settings.explanation_temperature,
                chunk=self._recipe.optimizer.logit_chunk,
            )
            advantages = torch.tensor([one.advantage for one in written], device=values.mask.device)
            loss = losses.explanation_loss(values.log_probabilities, values.mask, advantages, total=totals.tokens)
            (self._settings.explanation_weight * loss).backward()
            statistics["explanation_loss"] = float(loss.detach())
        return statistics

    def _prompt(self, sample: Sample, answer: Answer) -> tuple[int, ...]:
        """Return what the critic reads of an answer, up to the opening tag of its explanation."""
        special = [str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special]
        text = spelt_out(answer.text, special)
        rendered = self._policy.template.render(critic_messages(sample, text, self._labels))
        return tuple(self._policy.template.tokens(f"{rendered}<explanation>"))

    def _explain(self, prompts: Sequence[tuple[int, ...]], step: int) -> list[list[tuple[int, ...]]]:
        limit, copies = self._settings.explanation_tokens, range(self._settings.explanations)
        if not limit:
            return [[()] for _ in prompts]
        seeds = [[f"{self._recipe.seed}/critic/{step}/{copy}/{prompt}" for copy in copies] for prompt in prompts]
        sampled = generate(
            self._policy, prompts, seeds, max_tokens=limit,
            temperature=self._settings.explanation_temperature, batch=self._recipe.rollouts.batch, adapter=CRITIC,
        )  # fmt: skip
        return [
            [self._until_closed(one.tokens)[: self._room(prompt)] for one in some]
            for prompt, some in zip(prompts, sampled, strict=True)
        ]

    def _room(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of the context are left for an explanation, below 0 when no score would fit."""
        return self._policy.context - len(prompt) - len(self._closing)

    def _until_closed(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """Cut an explanation at its own closing tag: what follows is written by the template."""
        words = [token for token in tokens if token not in self._policy.stop_tokens]
        text = self._tokenizer.decode(words, clean_up_tokenization_spaces=False)
        head, tag, _ = text.partition("</")
        return tuple(self._tokenizer(head, add_special_tokens=False)["input_ids"]) if tag else tuple(words)

    def _score_logits(self, texts: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> Tensor:
        """Return the grid's logits [N, 11] after each (prompt, explanation), without gradient."""
        size = self._recipe.rollouts.batch
        with self._policy.fixed(CRITIC):
            return torch.cat([self._logits(texts[start : start + size]) for start in range(0, len(texts), size)])

    def _logits(self, texts: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> Tensor:
        rows = [[*prompt, *explanation, *self._closing] for prompt, explanation in texts]
        return self._policy.last_logits(rows)[:, self._grid]


def explanation_tokens(groups: Sequence[Group]) -> int:
    """Return how many tokens the critic wrote of these groups."""
    read = [answer.critic for group in groups for answer in group.answers if answer.critic is not None]
    return sum(len(reading["tokens"]) for critic in read for reading in critic["readings"])


def unread_share(groups: Sequence[Group]) -> float:
    """Return the share of the answers that the critic said nothing of: they did not fit its context."""
    answers = [answer for group in groups for answer in group.answers]
    return sum(answer.critic is None for answer in answers) / max(1, len(answers))
