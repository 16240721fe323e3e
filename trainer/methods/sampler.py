"""Sampling from the policy: the prompts of a recipe, the answers and their rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...tasks.types import Sample
from ..data.prompts import Prompt, fitting, open_all_families, tokenize
from ..policy.base_model import BaseModel
from ..policy.local_sampler import generate
from ..policy.model import Policy
from ..policy.parallel import all_gather, rank_share
from ..policy.vllm_sampler import VllmSampler
from ..recipe.fields import Recipe
from ..records.log import Notify
from ..rewards.scoring import FamilyRewards, as_answer
from ..rollouts.records import Answer, Group


class Sampler:
    """The families of prompts of a recipe with their rewards, and the engine that samples.

    Attributes:
        families: by name, those of validation and canaries among them; what the model cannot read is left out.
        learned: the steps that the policy has learned: the version that vLLM is to sample from.
    """

    def __init__(self, recipe: Recipe, policy: Policy, directory: Path, notify: Notify, *, learned: int) -> None:
        self._wanted = recipe.sampling
        self._policy = policy
        self.learned = learned
        self.families = {
            name: fitting(family, policy.template, policy.context, notify)
            for name, family in open_all_families(recipe).items()
        }
        self._rewards = FamilyRewards(self.families, recipe, directory)
        self._vllm: VllmSampler | None = None

    def start(self, base: BaseModel, folder: Path) -> None:
        """Start vLLM where it is to sample ``base``; whatever fails afterwards has to come to `close`."""
        if self._wanted.vllm is not None:
            self._vllm = VllmSampler(self._wanted.vllm, base, self._policy, folder)

    def sample(self, chosen: Sequence[tuple[str, int]], seeds: Sequence[Sequence[str]], step: int) -> list[Group]:
        """Return the scored answers to prompts, (family, index) each, one for each of a prompt's seeds."""
        prompts = [self._prompt(family, index) for family, index in chosen]
        answers_each = self._answers_to(prompts, seeds, step, self._wanted.temperature)
        groups = [
            Group(family, index, prompt.sample.id, prompt.tokens, answers, step - 1)
            for (family, index), prompt, answers in zip(chosen, prompts, answers_each, strict=True)
        ]
        return self._scored(groups, prompts, step)

    def greedy(self, family: str, limit: int, step: int) -> list[Answer]:
        """Answer the first prompts of a family greedily, and have the answers scored."""
        indices = range(min(limit, len(self.families[family].samples)))
        prompts = [self._prompt(family, index) for index in rank_share(indices)]
        answers = self._answers_to(prompts, [[""]] * len(prompts), step, 0)
        # Scored once and shared: timeouts on single ranks would let the ranks diverge.
        return all_gather([answer for (answer,) in self._rewards.score(family, prompts, answers)])

    def samples_of(self, groups: Sequence[Group]) -> list[Sample]:
        """Return what the prompts of groups were made from, with their targets."""
        return [self.families[group.family].samples[group.index] for group in groups]

    def close(self) -> None:
        """Stop the sampling server and the scorers."""
        if self._vllm is not None:
            self._vllm.close()
        self._rewards.close()

    def _prompt(self, family: str, index: int) -> Prompt:
        return tokenize(self.families[family].samples[index], self._policy.template, self._policy.context)

    def _answers_to(
        self, prompts: Sequence[Prompt], seeds: Sequence[Sequence[str]], step: int, temperature: float
    ) -> list[tuple[Answer, ...]]:
        """Sample in this process or by vLLM; even with nothing to sample, every process has to come here."""
        tokens, limit = [prompt.tokens for prompt in prompts], self._wanted.tokens_at(step)
        if self._vllm is not None:
            self._vllm.publish(self.learned)
            sampled = self._vllm.generate(tokens, seeds, max_tokens=limit, temperature=temperature)
        else:
            batch = self._wanted.batch
            sampled = generate(self._policy, tokens, seeds, max_tokens=limit, temperature=temperature, batch=batch)
        tokenizer, stop_tokens = self._policy.template.tokenizer, self._policy.stop_tokens
        return [
            tuple(as_answer(one, prompt, tokenizer, stop_tokens) for one in some)
            for prompt, some in zip(prompts, sampled, strict=True)
        ]

    def _scored(self, groups: Sequence[Group], prompts: Sequence[Prompt], step: int) -> list[Group]:
        scored = list(groups)
        for family in dict.fromkeys(group.family for group in groups):
            places = [place for place, group in enumerate(groups) if group.family == family]
            asked, answers = [prompts[place] for place in places], [groups[place].answers for place in places]
            for place, some in zip(places, self._rewards.score(family, asked, answers, step), strict=True):
                scored[place] = replace(groups[place], answers=tuple(some))
        return scored
