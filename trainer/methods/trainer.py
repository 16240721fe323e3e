"""The training loop itself: what `train.train` runs once the directory is its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...files import write_json
from ..data.mixture import Family, Mixture
from ..data.prompts import Prompt, PromptFamily, fitting, open_all_families, tokenize
from ..policy.base_model import BaseModel
from ..policy.local_sampler import Sampled, generate
from ..policy.model import CRITIC, POLICY, REFERENCE, open_policy
from ..policy.parallel import gathered, of_first, own_share, world
from ..policy.resets import ResetRule, after_reset, evaluated, reason_to_reset
from ..policy.vllm_sampler import VllmSampler
from ..recipe.fields import CanaryPrompts, Critic, Recipe
from ..recipe.reading import CANARIES, VALIDATION, open_objective
from ..records.checkpoint import TrainState, load_checkpoint, replace_folder, save_checkpoint, scale_moments
from ..records.log import Clock, Log, Notify, component_means
from ..records.step_log import answer_row, metrics_of
from ..records.trackers import Trackers
from ..rewards import monitors
from ..rewards.scoring import FamilyRewards, as_answer, shaped, teaches
from ..rewards.watching import WatchedRewards, changed_canaries
from ..rollouts.records import Answer, Group
from ..rollouts.sampling import Batch, Kept, SamplingBudget, fresh_enough, next_wave, settle
from .gmpo.critic import CriticLearner, explanation_tokens, unread_share
from .step import Row, advantages_of, rows_of, update


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
            sharded=recipe.sharding == "full",
        )
        self._families = self._open_families()
        self._mixture = Mixture(self._shares(), recipe.seed)
        self._critic = CriticLearner(self._policy, settings, recipe) if settings is not None else None
        self._optimizer = torch.optim.AdamW(
            list(self._policy.trainable(POLICY).values()),
            lr=recipe.optimizer.learning_rate,
            betas=recipe.optimizer.betas,
            weight_decay=recipe.optimizer.weight_decay,
        )
        self._state = self._resumed()
        self._log = Log(directory, write=self._leads, after=self._state.step)
        self._trackers = Trackers(recipe.track if self._leads else (), directory, self._log.history, notify)
        self._rewards = FamilyRewards(self._families, recipe, directory)
        self._watched = WatchedRewards(recipe, directory)
        self._vllm = None
        if recipe.rollouts.vllm is not None:
            self._vllm = VllmSampler(recipe.rollouts.vllm, base, self._policy, directory / "rollouts")

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        if self._vllm is not None:
            self._vllm.close()
        self._rewards.__exit__()
        self._watched.close()
        self._trackers.close()
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
        first = self._first_canaries()
        row = self._lessons(step)
        row["reset"] = self._maybe_reset(step, row.get("kl"))
        row["validation"] = self._validate(step)
        row |= self._ask_canaries(step, first)
        row["alarms"] = monitors.alarms(self._recipe.alarms, [*self._log.history, row])
        self._log.append("metrics", row)
        self._trackers.write(row)
        self._report(row)
        return row

    def _lessons(self, step: int) -> dict[str, Any]:
        """Sample, score and learn; return the step's metrics."""
        clock = Clock()
        batch, sampled, waves = self._collect(step)
        row: dict[str, Any] = {"step": step, **metrics_of(sampled, informative=sum(map(self._teaches, sampled)))}
        row |= {"outcome": batch.outcome, "waves": waves, "groups": len(batch.train)}
        if self._critic is not None:
            row |= {"critic_unread": unread_share(sampled), "critic_tokens": explanation_tokens(sampled)}
        row["max_tokens"] = self._recipe.rollouts.tokens_at(step)
        row["sampling_seconds"] = clock.lap()
        row |= self._learn(batch, step)
        row["learning_seconds"] = clock.lap()
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
        self._log_answers(step, sampled)
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
        wanted = self._recipe.rollouts
        chosen = [prompt for _, prompt in numbered]
        prompts = [self._prompt(family, index) for family, index in chosen]
        # A small family may give a prompt twice in a wave: the number tells the two apart.
        seeds = [
            [f"{self._recipe.seed}/{step}/{wave}/{number}/{copy}" for copy in range(wanted.answers)]
            for number, _ in numbered
        ]
        found = self._answers_to(prompts, seeds, step, wanted.temperature)
        groups = []
        for (family, index), prompt, some in zip(chosen, prompts, found, strict=True):
            answers = [self._as_answer(one, prompt) for one in some]
            groups.append(Group(family, index, prompt.sample.id, prompt.tokens, tuple(answers), step - 1))
        groups = self._scored(groups, step)
        samples = self._samples_of(groups)
        groups = self._watched.score(groups, samples, step)
        if self._critic is not None and groups:
            groups = self._critic.assess(groups, samples, step, self._critic.checker_share(self._state))
        return groups

    def _answers_to(
        self, prompts: Sequence[Prompt], seeds: Sequence[Sequence[str]], step: int, temperature: float
    ) -> list[list[Sampled]]:
        """Sample in this process or by vLLM; even with nothing to sample, every process has to come here."""
        wanted = self._recipe.rollouts
        limit = wanted.tokens_at(step)
        tokens = [prompt.tokens for prompt in prompts]
        if self._vllm is None:
            return generate(
                self._policy, tokens, seeds, max_tokens=limit, temperature=temperature, batch=wanted.batch
            )
        self._vllm.publish(self._state.step)
        return self._vllm.generate(tokens, seeds, max_tokens=limit, temperature=temperature)

    def _scored(self, groups: Sequence[Group], step: int) -> list[Group]:
        limit = self._recipe.rollouts.tokens_at(step)
        scored: dict[int, Group] = {}
        for family in dict.fromkeys(group.family for group in groups):
            places = [place for place, group in enumerate(groups) if group.family == family]
            prompts = [self._prompt(family, groups[place].index) for place in places]
            results = self._rewards.score(family, prompts, [groups[place].answers for place in places], step)
            for place, answers in zip(places, results, strict=True):
                final = tuple(shaped(answer, self._recipe.shaping, limit) for answer in answers)
                scored[place] = replace(groups[place], answers=final)
        return [scored[place] for place in range(len(groups))]

    def _learn(self, batch: Batch[Group], step: int) -> dict[str, Any]:
        """Learn from a batch: the critic first, from the same answers, then the policy."""
        learned: dict[str, Any] = {"learning_rate": self._prepare(step)}
        groups = [kept.group for kept in batch.train]
        if not groups:
            return learned
        if self._critic is None:
            rewards = [answer.shaped for group in groups for answer in group.answers]
            coefficients: Tensor = advantages_of(groups, self._recipe)
        else:
            rewards = [reward for group in groups for reward in self._critic.rewards(group)]
            self._state, coefficients, signals = self._critic.weigh(groups, self._state)
            learned |= signals
            learned |= self._critic.learn(groups, self._samples_of(groups))
            if self._critic.freezes(self._state):
                return learned
        parts = rows_of(batch.train, rewards, coefficients, step, self._recipe.objective)
        return learned | self._update(parts, step)

    def _update(self, parts: Sequence[Sequence[Row]], step: int) -> dict[str, float]:
        """Go through the minibatches of a step as often as the recipe says; return the means of what is logged."""
        found: list[Mapping[str, float]] = []
        for _ in range(self._recipe.objective.epochs):
            found += [
                update(self._policy, self._optimizer, own_share(rows), self._recipe, step) for rows in parts if rows
            ]
        return component_means(found)

    def _samples_of(self, groups: Sequence[Group]) -> list[Any]:
        return [self._families[group.family].samples[group.index] for group in groups]

    def _prepare(self, step: int) -> float:
        """Set what a step of learning starts from; return its learning rate."""
        # Dropout is all that draws from it; set anew, its state is no part of a checkpoint.
        torch.manual_seed(self._recipe.seed * 1_000_003 + step * 1009 + world()[0])
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
        values = [one.reward for one in self._greedy(VALIDATION, wanted.limit, step) if one.reward is not None]
        value = sum(values) / len(values) if values else None
        rule = ResetRule(**self._recipe.reset.model_dump())
        self._state = self._state.after(resets=evaluated(rule, self._state.resets, value))
        return value

    def _greedy(self, family: str, limit: int, step: int) -> list[Answer]:
        """Answer the first prompts of a family greedily, and have the answers scored."""
        indices = range(min(limit, len(self._families[family].samples)))
        prompts = [self._prompt(family, index) for index in own_share(indices)]
        found = self._answers_to(prompts, [[""]] * len(prompts), step, 0)
        answers = [[self._as_answer(some[0], prompt)] for some, prompt in zip(found, prompts, strict=True)]
        # Scored once and shared: two scorers that time out differently would part the processes' ways.
        return gathered([some[0] for some in self._rewards.score(family, prompts, answers)])

    def _first_canaries(self) -> list[dict[str, Any]]:
        """Return what the canary prompts were answered before training; ask them where nobody has."""
        wanted = self._recipe.alarms.canaries
        if wanted is None:
            return []
        # The first process's word counts: to answer is the work of all, so all must agree that it is to be done.
        first = of_first(self._log.first_canaries) or self._answer_canaries(wanted, 0)
        self._log.first_canaries = first
        return first

    def _ask_canaries(self, step: int, first: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        wanted = self._recipe.alarms.canaries
        if wanted is None or (step % wanted.every and step != self._recipe.steps):
            return {}
        return {"canaries": changed_canaries(first, self._answer_canaries(wanted, step))}

    def _answer_canaries(self, wanted: CanaryPrompts, step: int) -> list[dict[str, Any]]:
        answers = [
            {"text": one.text, "reward": one.reward, "tokens": len(one.tokens)}
            for one in self._greedy(CANARIES, wanted.limit, max(1, step))
        ]
        self._log.append("canaries", {"step": step, "answers": answers})
        return answers

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

    def _shares(self) -> tuple[Family, ...]:
        """Return what is learned from and how often."""
        return tuple(
            Family(name, len(family.samples), family.weight)
            for name, family in self._families.items()
            if name in self._recipe.prompts
        )

    def _open_families(self) -> dict[str, PromptFamily]:
        template, context = self._policy.template, self._policy.context
        opened = open_all_families(self._recipe)
        return {name: fitting(family, template, context, self._notify) for name, family in opened.items()}

    def _prompt(self, family: str, index: int) -> Prompt:
        return tokenize(self._families[family].samples[index], self._policy.template, self._policy.context)

    def _as_answer(self, sampled: Any, prompt: Prompt) -> Any:
        return as_answer(sampled, prompt, self._policy.template.tokenizer, self._policy.stop_tokens)

    def _log_answers(self, step: int, groups: Sequence[Group]) -> None:
        answers = [(group, answer) for group in groups for answer in group.answers]
        critic = self._critic
        signals = [{}] * len(answers) if critic is None else critic.signals(groups, self._state.memory)
        for (group, answer), signal in zip(answers, signals, strict=True):
            judged = {"critic": {**answer.critic, "signal": signal}} if answer.critic else {}
            self._log.append("answers", answer_row(step, group, answer) | judged)

    def _report(self, row: Mapping[str, Any]) -> None:
        def shown(name: str, form: str) -> str:
            return "" if row.get(name) is None else f"  {name} {row[name]:{form}}"

        seconds = row.get("sampling_seconds", 0) + row["learning_seconds"]
        line = f"step {row['step']}/{self._recipe.steps}" + shown("reward", ".3f")
        line += shown("loss", ".3f") if self._recipe.chats else ""
        line += shown("kl", ".4f")
        line += shown("entropy", ".2f") + shown("length", ".0f") + shown("validation", ".3f") + f"  {seconds:.1f} s"
        if row.get("outcome", "full") != "full":
            line += f"  ({row['outcome']}: {row['groups']} groups)"
        self._notify(line)
        if row["reset"]:
            self._notify(f"step {row['step']}: the reference was reset: {row['reset']}")
        for alarm in row["alarms"]:
            self._notify(f"ALARM at step {row['step']}: {alarm}")
