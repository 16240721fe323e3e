"""Training by any method: what `train.train` runs once the directory is its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...errors import RunError
from ...evals.records.training import CanaryAnswer, CanaryRow, MetricsRow
from ...files import write_json
from ..policy.base_model import BaseModel
from ..policy.model import POLICY, REFERENCE, open_policy
from ..policy.parallel import all_gather, broadcast, world
from ..policy.resets import reason_to_reset, record_evaluation, record_reset
from ..recipe.fields import CANARIES, CanaryPrompts, Recipe
from ..records.checkpoint import TrainState, load_checkpoint, replace_folder, save_checkpoint, scale_moments
from ..records.log import Clock, Log, Notify, raised_alarms
from ..records.trackers import Trackers
from ..rewards import monitors
from ..rewards.watching import canary_changes
from .base import StepMetrics, Tools, method_of
from .sampler import Sampler


class Trainer:
    """A model in training by a method, with all that it needs; use as a context manager, which frees it."""

    def __init__(self, recipe: Recipe, base: BaseModel, directory: Path, notify: Notify) -> None:
        self._recipe = recipe
        self._directory = directory
        self._notify = notify
        self._leads = world()[0] == 0
        method = method_of(recipe)
        if method.notice:
            notify(method.notice)
        settings = recipe.optimizer
        self._policy = open_policy(
            base, recipe.lora, seed=recipe.seed, adapters=method.adapters,
            gradient_checkpointing=settings.gradient_checkpointing, sharded=recipe.sharding == "full",
        )  # fmt: skip
        parameters = list(self._policy.trainable(POLICY).values())
        self._optimizer = torch.optim.AdamW(
            parameters, lr=settings.learning_rate, betas=settings.betas, weight_decay=settings.weight_decay
        )
        saved = load_checkpoint(directory / "checkpoints")
        self._state = TrainState() if saved is None else saved.state
        self._log = Log(directory, write=self._leads, after=self._state.step)
        self._sampler = Sampler(recipe, self._policy, directory, notify, learned=self._state.step)
        tools = Tools(self._policy, self._optimizer, self._sampler, self._log, notify, directory)
        self._method = method(recipe, tools)
        self._optimizers = {POLICY: self._optimizer, **self._method.optimizers}
        if saved is not None:
            for name, tensors in saved.adapters.items():
                self._policy.load_adapter(name, tensors)
            for name, optimizer in self._optimizers.items():
                optimizer.load_state_dict(saved.optimizers[name])
            self._method.load_state(saved.state.method)
            notify(f"{directory}: {saved.state.step} steps done before, going on")
        self._trackers = Trackers(recipe.track if self._leads else (), directory, self._log.history, notify)
        # Last: a server that was started has to come to its end in `__exit__`.
        self._sampler.start(base, directory / "rollouts")

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *_: object) -> None:
        self._sampler.close()
        self._method.close()
        self._trackers.close()
        self._log.close()

    def run(self) -> None:
        """Do the steps that are left and save the adapter.

        Raises:
            RunError: nothing was learned in any step, and answers were left out for want of a reward.
        """
        stopped = self._reason_to_stop()
        while self._state.step < self._recipe.steps and not stopped:
            row = self.train_step()
            stopped = self._reason_to_stop()
            last = self._state.step == self._recipe.steps or stopped
            by_hand = row.reset == "manual"
            if last or by_hand or self._state.step % self._recipe.checkpoint_every == 0:
                self._save()
            if by_hand:
                # Not before the checkpoint: a kill in between would lose the request.
                (self._directory / "reset").unlink(missing_ok=True)
        steps = self._log.history
        if steps and all(row.outcome == "skip" for row in steps) and any(row.number("unscored") for row in steps):
            raise RunError(
                f"{self._directory}: nothing was learned in {len(steps)} steps: too many answers have no reward"
                " (answers.jsonl has the 'problem' of each)"
            )
        if self._leads:
            part = self._directory / "adapter.part"
            self._policy.save(part)
            replace_folder(part, self._directory / "adapter")
            raised = raised_alarms(self._log.history)
            result = {"step": self._state.step, "stopped": stopped, "alarms": raised}
            write_json(self._directory / "result.json", result)

    def train_step(self) -> MetricsRow:
        """Gather a batch, learn from it, validate, check for alarms, and log; return the step's metrics."""
        step = self._state.step + 1
        first = self._first_canaries()
        batch, metrics = self._method.gather(step)
        clock = Clock()
        measures: StepMetrics = {**metrics, "learning_rate": self._prepare(step)}
        if batch is not None:
            measures |= self._method.learn(batch)
        measures["learning_seconds"] = clock.lap()
        self._state = replace(self._state, step=step)
        self._sampler.learned = step
        reset = self._maybe_reset(measures.get("kl"))
        row = MetricsRow(step, measures, reset, self._validate(), self._canary_changes(first))
        row = replace(row, alarms=tuple(monitors.alarms(self._recipe.alarms, [*self._log.history, row])))
        self._log.append(row)
        self._trackers.write(row)
        self._report(row)
        return row

    def _prepare(self, step: int) -> float:
        """Set what a step of learning starts from; return its learning rate."""
        # Dropout is all that draws from it; set anew, its state is no part of a checkpoint.
        torch.manual_seed(self._recipe.seed * 1_000_003 + step * 1009 + world()[0])
        settings = self._recipe.optimizer
        rate = settings.learning_rate * min(1.0, step / (settings.warmup + 1))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _maybe_reset(self, kl: float | None) -> str | None:
        request, step = self._directory / "reset", self._state.step
        # The first process's word counts: another may look when the file is already gone.
        manual = all_gather([request.exists()])[0]
        reason = reason_to_reset(self._recipe.reset, self._state.resets, step, kl=kl, manual=manual)
        if reason is not None:
            self._policy.copy_adapter(POLICY, REFERENCE)
            scale_moments(self._optimizer, self._recipe.reset.moment_factor)
            self._state = replace(self._state, resets=record_reset(self._state.resets, step, reason))
        return reason

    def _validate(self) -> float | None:
        validation = self._recipe.validation
        if validation is None or self._state.step % validation.every:
            return None
        value = self._method.validate(self._state.step)
        self._state = replace(self._state, resets=record_evaluation(self._recipe.reset, self._state.resets, value))
        return value

    def _first_canaries(self) -> Sequence[CanaryAnswer]:
        """Return the answers to the canary prompts before training; sample them if there are none yet."""
        canaries = self._recipe.alarms.canaries
        if canaries is None:
            return ()
        # All ranks sample the answers together, so all must take the first rank's decision whether to.
        first = broadcast(self._log.first_canaries) or self._answer_canaries(canaries, 0)
        self._log.first_canaries = first
        return first

    def _canary_changes(self, first: Sequence[CanaryAnswer]) -> dict[str, Any] | None:
        canaries, step = self._recipe.alarms.canaries, self._state.step
        if canaries is None or (step % canaries.every and step != self._recipe.steps):
            return None
        return canary_changes(first, self._answer_canaries(canaries, step))

    def _answer_canaries(self, wanted: CanaryPrompts, step: int) -> Sequence[CanaryAnswer]:
        sampled = self._sampler.greedy(CANARIES, wanted.limit, max(1, step))
        row = CanaryRow(step, tuple(CanaryAnswer(one.text, one.reward, len(one.tokens)) for one in sampled))
        self._log.append(row)
        return row.answers

    def _reason_to_stop(self) -> str:
        last = self._log.history[-1].alarms if self._log.history else ()
        return "; ".join(last) if self._recipe.alarms.stop else ""

    def _save(self) -> None:
        if self._leads:
            names = (POLICY, REFERENCE, *self._method.adapters)
            adapters = {name: self._policy.trainable(name) for name in names}
            state = replace(self._state, method=self._method.state())
            save_checkpoint(self._directory / "checkpoints", state, adapters, self._optimizers)
        self._log.forget_pending()

    def _report(self, row: MetricsRow) -> None:
        values = {**{name: row.number(name) for name in self._method.shown}, "validation": row.validation}
        formats = {**self._method.shown, "validation": ".3f"}
        parts = [f"  {name} {value:{formats[name]}}" for name, value in values.items() if value is not None]
        seconds = (row.number("sampling_seconds") or 0) + (row.number("learning_seconds") or 0)
        line = f"step {row.step}/{self._recipe.steps}{''.join(parts)}  {seconds:.1f} s"
        if row.outcome != "full":
            line += f"  ({row.outcome}: {row.number('groups')} groups)"
        self._notify(line)
        if row.reset:
            self._notify(f"step {row.step}: the reference was reset: {row.reset}")
        for alarm in row.alarms:
            self._notify(f"ALARM at step {row.step}: {alarm}")
