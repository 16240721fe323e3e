"""The training loop itself: what `train.train` runs once the directory is its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..evals.store import write_json
from . import monitors
from .base_model import BaseModel
from .checkpoint import TrainState, load_checkpoint, replace_folder, save_checkpoint, scale_moments
from .generation import generate
from .gmpo import CriticLearner
from .mixture import Family, Mixture, family_means
from .parallel import gathered, own_share, world
from .policy import CRITIC, POLICY, REFERENCE, open_policy
from .prompts import Prompt, PromptFamily, open_families, open_family, tokenize
from .recipe import open_objective
from .recipe_fields import Critic, Recipe
from .resets import ResetRule, after_reset, evaluated, reason_to_reset
from .rollouts import Group
from .sampling import Batch, Kept, SamplingBudget, fresh_enough, next_wave, settle
from .scoring import FamilyRewards, as_answer, shaped, teaches
from .step import advantages_of, rows_of, update
from .train import Clock, Log, Notify, component_means

VALIDATION = "validation"


class Training:
    """A model in training with all that it needs; use as a context manager, which frees it."""

    def __init__(self, recipe: Recipe, base: BaseModel, directory: Path, notify: Notify) -> None:
        self._recipe = recipe
        self._directory = directory
        self._notify = notify
        self._leads = world()[0] == 0
        loss, _ = open_objective(recipe)
        if loss.notice:
            notify(loss.notice)
        settings = recipe.critic or (Critic() if recipe.objective.loss == "gmpo" else None)
        self._policy = open_policy(
            base,
            recipe.lora,
            seed=recipe.seed,
            critic=settings is not None,
            gradient_checkpointing=recipe.optimizer.gradient_checkpointing,
        )
        self._families = self._open_families()
        families = [
            Family(name, len(family.samples), family.weight)
            for name, family in self._families.items()
            if name != VALIDATION
        ]
        self._mixture = Mixture(tuple(families), recipe.seed)
        self._critic = CriticLearner(self._policy, settings, recipe) if settings is not None else None
        self._optimizer = torch.optim.AdamW(
            list(self._policy.trainable(POLICY).values()),
            lr=recipe.optimizer.learning_rate,
            betas=recipe.optimizer.betas,
            weight_decay=recipe.optimizer.weight_decay,
        )
        self._state = self._resumed()
        self._log = Log(directory, write=self._leads, after=self._state.step)
        self._rewards = FamilyRewards(self._families, recipe)

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self._rewards.__exit__()
        self._log.close()

    def run(self) -> None:
        """Do the steps that are left and save the adapter."""
        stopped = self._reason_to_stop()
        while self._state.step < self._recipe.steps and not stopped:
            row = self._step(self._state.step + 1)
            stopped = self._reason_to_stop()
            last = self._state.step == self._recipe.steps or stopped
            by_hand = row["reset"] == "manual"
            if last or by_hand or self._state.step % self._recipe.checkpoint_every == 0:
                self._save()
            if by_hand:
                # Not before the checkpoint: a kill in between would lose the request.
                (self._directory / "reset").unlink(missing_ok=True)
        if self._leads:
            part = self._directory / "adapter.part"
            self._policy.save(part)
            replace_folder(part, self._directory / "adapter")
            raised = [{"step": row["step"], "alarms": row["alarms"]} for row in self._log.history if row["alarms"]]
            result = {"step": self._state.step, "stopped": stopped, "alarms": raised}
            write_json(self._directory / "result.json", result)

    def _reason_to_stop(self) -> str:
        last = self._log.history[-1]["alarms"] if self._log.history else []
        return "; ".join(last) if self._recipe.alarms.stop else ""

    def _step(self, step: int) -> dict[str, Any]:
        clock = Clock()
        batch, sampled, waves = self._collect(step)
        row: dict[str, Any] = {"step": step, **self._describe(sampled)}
        row |= {"outcome": batch.outcome, "waves": waves, "groups": len(batch.train)}
        row["max_tokens"] = self._recipe.rollouts.tokens_at(step)
        row["sampling_seconds"] = clock.lap()
        learned = self._learn(batch, step)
        row |= learned
        row["learning_seconds"] = clock.lap()
        row["reset"] = self._maybe_reset(step, learned.get("kl"))
        row["validation"] = self._validate(step)
        row["alarms"] = monitors.alarms(self._recipe.alarms, [*self._log.history, row])
        self._log.append("metrics", row)
        self._report(row)
        return row

    def _collect(self, step: int) -> tuple[Batch[Group], list[Group], int]:
        wanted = self._recipe.rollouts
        budget = SamplingBudget(
            wanted.groups, wanted.extra_waves, wanted.min_share, wanted.max_surplus, wanted.max_age
        )
        have = list(fresh_enough(budget, self._state.surplus, step))
        cursor = self._state.cursor
        sampled: list[Group] = []
        waves = informative = 0
        while count := next_wave(budget, have=len(have), waves=waves, asked=len(sampled), informative=informative):
            chosen, cursor = self._mixture.draw(cursor, count)
            groups = self._wave(step, waves, chosen)
            good = [group for group in groups if self._teaches(group)]
            have += [Kept(group, step) for group in good]
            sampled += groups
            informative += len(good)
            waves += 1
        batch = settle(budget, have)
        self._state = self._state.after(cursor=cursor, surplus=batch.surplus)
        for group in sampled:
            self._log_answers(step, group)
        return batch, sampled, waves

    def _teaches(self, group: Group) -> bool:
        return teaches(group, None if self._critic is None else self._critic.rewards(group))

    def _wave(self, step: int, wave: int, chosen: Sequence[tuple[str, int]]) -> list[Group]:
        """Sample and score answers to these prompts, or take those that an interrupted attempt had."""
        if (step, wave) in self._log.waves:
            return [Group.from_json(group) for group in self._log.waves[step, wave]]
        groups = gathered(self._sample(step, wave, own_share(list(enumerate(chosen)))))
        self._log.append("pending", {"step": step, "wave": wave, "groups": [group.as_json() for group in groups]})
        return groups

    def _sample(self, step: int, wave: int, numbered: Sequence[tuple[int, tuple[str, int]]]) -> list[Group]:
        if not numbered:
            return []
        wanted = self._recipe.rollouts
        limit = wanted.tokens_at(step)
        chosen = [prompt for _, prompt in numbered]
        prompts = [self._prompt(family, index) for family, index in chosen]
        # A small family may give a prompt twice in a wave: the number tells the two apart.
        seeds = [
            [f"{self._recipe.seed}/{step}/{wave}/{number}/{copy}" for copy in range(wanted.answers)]
            for number, _ in numbered
        ]
        found = generate(
            self._policy, [prompt.tokens for prompt in prompts], seeds, max_tokens=limit,
            temperature=wanted.temperature, batch=wanted.batch,
        )  # fmt: skip
        groups = []
        for (family, index), prompt, some in zip(chosen, prompts, found, strict=True):
            answers = [self._as_answer(one, prompt) for one in some]
            groups.append(Group(family, index, prompt.sample.id, prompt.tokens, tuple(answers)))
        groups = self._scored(groups, limit)
        if self._critic is not None:
            samples = [self._families[group.family].samples[group.index] for group in groups]
            groups = self._critic.assess(groups, samples, step)
        return groups

    def _scored(self, groups: Sequence[Group], limit: int) -> list[Group]:
        scored: dict[int, Group] = {}
        for family in dict.fromkeys(group.family for group in groups):
            places = [place for place, group in enumerate(groups) if group.family == family]
            prompts = [self._prompt(family, groups[place].index) for place in places]
            results = self._rewards.score(family, prompts, [groups[place].answers for place in places])
            for place, answers in zip(places, results, strict=True):
                final = tuple(shaped(answer, self._recipe.shaping, limit) for answer in answers)
                scored[place] = replace(groups[place], answers=final)
        return [scored[place] for place in range(len(groups))]

    def _learn(self, batch: Batch[Group], step: int) -> dict[str, Any]:
        """Learn from a batch: the critic first, from the same answers, then the policy."""
        learned: dict[str, Any] = {"learning_rate": self._warmed_up(step)}
        groups = [kept.group for kept in batch.train]
        if not groups:
            return learned
        # Dropout is all that draws from it; set anew, its state is no part of a checkpoint.
        torch.manual_seed(self._recipe.seed * 1_000_003 + step * 1009 + world()[0])
        if self._critic is None:
            rewards = [answer.shaped for group in groups for answer in group.answers]
            coefficients: Tensor = advantages_of(groups, self._recipe)
        else:
            rewards = [reward for group in groups for reward in self._critic.rewards(group)]
            self._state, coefficients, signals = self._critic.weigh(groups, self._state)
            learned |= signals
            learned |= self._critic.learn(groups, self._samples_of(groups))
            if self._state.critic_frozen:
                return learned
        parts = rows_of(batch.train, rewards, coefficients, step, self._recipe.objective)
        found: list[Mapping[str, float]] = []
        for _ in range(self._recipe.objective.epochs):
            found += [
                update(self._policy, self._optimizer, own_share(rows), self._recipe, step) for rows in parts if rows
            ]
        return learned | component_means(found)

    def _samples_of(self, groups: Sequence[Group]) -> list[Any]:
        return [self._families[group.family].samples[group.index] for group in groups]

    def _warmed_up(self, step: int) -> float:
        wanted = self._recipe.optimizer
        rate = wanted.learning_rate * min(1.0, step / (wanted.warmup + 1))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _maybe_reset(self, step: int, kl: float | None) -> str | None:
        asked = self._directory / "reset"
        rule = ResetRule(**self._recipe.reset.model_dump())
        # The first process's word counts: another may look when the file is already gone.
        manual = gathered([asked.exists()])[0]
        reason = reason_to_reset(rule, self._state.resets, step, kl=kl, manual=manual)
        resets = self._state.resets
        if reason is not None:
            self._policy.copy_adapter(POLICY, REFERENCE)
            scale_moments(self._optimizer, rule.moment_factor)
            resets = after_reset(resets, step, reason)
        self._state = self._state.after(step=step, resets=resets)
        return reason

    def _validate(self, step: int) -> float | None:
        wanted = self._recipe.validation
        if wanted is None or step % wanted.every:
            return None
        indices = range(min(wanted.limit, len(self._families[VALIDATION].samples)))
        prompts = [self._prompt(VALIDATION, index) for index in indices]
        found = generate(
            self._policy, [prompt.tokens for prompt in prompts], [[""]] * len(prompts),
            max_tokens=self._recipe.rollouts.tokens_at(step), temperature=0, batch=self._recipe.rollouts.batch,
        )  # fmt: skip
        answers = [[self._as_answer(some[0], prompt)] for some, prompt in zip(found, prompts, strict=True)]
        scored = self._rewards.score(VALIDATION, prompts, answers)
        values = [some[0].reward for some in scored if some[0].reward is not None]
        value = sum(values) / len(values) if values else None
        rule = ResetRule(**self._recipe.reset.model_dump())
        self._state = self._state.after(resets=evaluated(rule, self._state.resets, value))
        return value

    def _save(self) -> None:
        if self._leads:
            adapters = {name: self._policy.trainable(name) for name in (POLICY, REFERENCE)}
            optimizers = {POLICY: self._optimizer}
            if self._critic is not None:
                adapters[CRITIC] = self._policy.trainable(CRITIC)
                optimizers[CRITIC] = self._critic.optimizer
            save_checkpoint(self._directory / "checkpoints", self._state, adapters, optimizers)
        self._log.forget_pending()

    def _resumed(self) -> TrainState:
        saved = load_checkpoint(self._directory / "checkpoints")
        if saved is None:
            return TrainState()
        for name, tensors in saved.adapters.items():
            self._policy.load_adapter(name, tensors)
        self._optimizer.load_state_dict(saved.optimizers[POLICY])
        if self._critic is not None:
            self._critic.optimizer.load_state_dict(saved.optimizers[CRITIC])
        self._notify(f"{self._directory}: {saved.state.step} steps done before, going on")
        return saved.state

    def _open_families(self) -> dict[str, PromptFamily]:
        families = open_families(self._recipe)
        if self._recipe.validation is not None:
            families[VALIDATION] = open_family(VALIDATION, self._recipe.validation.source, self._recipe.seed)
        return {name: self._fitting(family) for name, family in families.items()}

    def _fitting(self, family: PromptFamily) -> PromptFamily:
        """Return the family without the prompts that fill the model's context.

        Raises:
            InputError: there are no others.
        """
        fitting = []
        problem = None
        for sample in family.samples:
            try:
                tokenize(sample, self._policy.template, self._policy.context)
                fitting.append(sample)
            except InputError as error:
                problem = error
        if problem is not None:
            if not fitting:
                raise problem
            left_out = len(family.samples) - len(fitting)
            self._notify(f"prompts '{family.name}': {left_out} of {len(family.samples)} left out: {problem}")
        return replace(family, samples=tuple(fitting))

    def _prompt(self, family: str, index: int) -> Prompt:
        return tokenize(self._families[family].samples[index], self._policy.template, self._policy.context)

    def _as_answer(self, sampled: Any, prompt: Prompt) -> Any:
        return as_answer(sampled, prompt, self._policy.template.tokenizer, self._policy.stop_tokens)

    def _describe(self, groups: Sequence[Group]) -> dict[str, Any]:
        answers = [answer for group in groups for answer in group.answers]
        families = [group.family for group in groups for _ in group.answers]
        rewards = [answer.reward for answer in answers]
        measured = [reward for reward in rewards if reward is not None]
        mean = sum(measured) / len(measured) if measured else None
        spread = math.sqrt(sum((one - mean) ** 2 for one in measured) / len(measured)) if mean is not None else None
        count = max(1, len(answers))
        texts = [[answer.text for answer in group.answers] for group in groups]
        return {
            "reward": mean,
            "reward_deviation": spread,
            "components": component_means([answer.components for answer in answers]),
            "families": family_means(families, rewards),
            "sampled": len(groups),
            "informative": sum(map(self._teaches, groups)),
            "unscored": (len(answers) - len(measured)) / count,
            "truncated": sum(answer.finish_reason == "length" for answer in answers) / count,
            "generated_tokens": sum(len(answer.tokens) for answer in answers),
            **monitors.measure(texts, [len(answer.tokens) for answer in answers]),
        }

    def _log_answers(self, step: int, group: Group) -> None:
        for answer in group.answers:
            row = {
                "step": step,
                "family": group.family,
                "id": group.sample,
                "text": answer.text,
                "reward": answer.reward,
                "shaped": answer.shaped,
                "components": answer.components,
                "problem": answer.problem,
                "tokens": len(answer.tokens),
                "finish_reason": answer.finish_reason,
            }
            self._log.append("answers", row | ({"critic": answer.critic} if answer.critic else {}))

    def _report(self, row: Mapping[str, Any]) -> None:
        def shown(name: str, form: str) -> str:
            return "" if row.get(name) is None else f"  {name} {row[name]:{form}}"

        seconds = row["sampling_seconds"] + row["learning_seconds"]
        line = f"step {row['step']}/{self._recipe.steps}" + shown("reward", ".3f") + shown("kl", ".4f")
        line += shown("entropy", ".2f") + shown("length", ".0f") + shown("validation", ".3f") + f"  {seconds:.1f} s"
        if row["outcome"] != "full":
            line += f"  ({row['outcome']}: {row['groups']} groups)"
        self._notify(line)
        if row["reset"]:
            self._notify(f"step {row['step']}: the reference was reset: {row['reset']}")
        for alarm in row["alarms"]:
            self._notify(f"ALARM at step {row['step']}: {alarm}")
