"""A forecast of a training: samples, calls, memory and disk (``evalkit train --dry-run``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .acceptance import check_measures
from .data.chats import read_examples
from .data.prompts import PromptFamily, open_all_families
from .methods.base import method_of
from .policy.base_model import BaseModel, find_base, settings_of
from .recipe.fields import Recipe, RewardSpec, ScaledReward
from .recipe.kinds import GmpoRecipe, RewardRecipe, SampledRecipe, SftRecipe, loss_of
from .records.checkpoint import KEPT
from .rewards.scoring import judged_tasks

_ADAM = 2  # moments a number
_FLOAT = 4  # bytes
_CHARACTERS = 2.5  # a token, in Russian


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model's configuration decides memory."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    key_value_heads: int
    head: int
    vocabulary: int
    weights: int
    dtype: str

    @classmethod
    def of(cls, folder: Path) -> Shape:
        """Read it from a model's folder; no weights are loaded."""
        config: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
        dtype = config.get("dtype") or config.get("torch_dtype") or "float32"
        config = config.get("text_config", config)

        def first(*names: str, otherwise: int = 0) -> int:
            return next((int(config[name]) for name in names if config.get(name)), otherwise)

        hidden = first("hidden_size", "n_embd", "d_model", otherwise=1)
        heads = first("num_attention_heads", "n_head", otherwise=1)
        size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        return cls(
            layers=first("num_hidden_layers", "n_layer", otherwise=1),
            hidden=hidden,
            feed_forward=first("intermediate_size", "n_inner", otherwise=4 * hidden),
            heads=heads,
            key_value_heads=first("num_key_value_heads", otherwise=heads),
            head=first("head_dim", otherwise=hidden // heads),
            vocabulary=first("vocab_size", otherwise=1),
            weights=size,
            dtype=dtype,
        )

    def adapter_parameters(self, rank: int) -> int:
        """Return the numbers of a LoRA adapter on all linear layers: four of attention, three of a gated unit."""
        wide, narrow = self.heads * self.head, self.key_value_heads * self.head
        sides = [(self.hidden, wide), (self.hidden, narrow), (self.hidden, narrow), (wide, self.hidden)]
        sides += [(self.hidden, self.feed_forward)] * 2 + [(self.feed_forward, self.hidden)]
        return self.layers * rank * sum(one + other for one, other in sides)

    def cached_numbers(self, tokens: int) -> int:
        """Return the numbers in a key-value cache of so many tokens."""
        return 2 * self.layers * self.key_value_heads * self.head * tokens


def forecast(recipe: Recipe, base: BaseModel | None = None) -> list[str]:
    """Return lines that say what training by a recipe will do and need; nothing is loaded or sampled.

    Raises:
        InputError, UsageError: what `train` or `loop` would raise for the recipe, its model, tasks and rewards.
    """
    base = base or find_base(recipe.model)
    families = open_all_families(recipe)
    for name, family in families.items():
        judged_tasks(family.reward, recipe.judge, f"prompts.{name}")
    if recipe.loop is not None:
        check_measures(recipe.loop)
    lines = [f"model: {base.checkpoint.folder}" + (f" with {base.adapter}" if base.adapter else "")]
    if isinstance(recipe, SftRecipe):
        lines += _supervised(recipe, base)
    elif isinstance(recipe, SampledRecipe):
        lines += _sampled(recipe, base, families)
    else:
        longest = recipe.sampling.longest
        lines += [f"steps: {recipe.steps} ({recipe.method})", *_memory(recipe, base, longest, longest)]
    notice = method_of(recipe).notice
    return [*lines, *([notice] if notice else []), *_looped(recipe)]


def _sampled(recipe: SampledRecipe, base: BaseModel, families: Mapping[str, PromptFamily]) -> list[str]:
    wanted, loss = recipe.rollouts, loss_of(recipe)
    answers = wanted.groups * wanted.answers
    advantages = f", advantages: {recipe.objective.advantages}" if isinstance(recipe, RewardRecipe) else ""
    return [
        *_families([families[name] for name in recipe.prompts]),
        *_evaluated(recipe),
        f"steps: {recipe.steps}, each {wanted.groups} prompts with {wanted.answers} answers at temperature"
        f" {wanted.temperature:g}, at most {wanted.max_tokens} tokens"
        + "".join(f", {tokens} from step {step}" for step, tokens in sorted(wanted.longer.items())),
        f"answers: {answers} to {answers * (1 + wanted.extra_waves)} a step,"
        f" {recipe.steps * answers} in all if every prompt is informative"
        f" (at most {_count(recipe.steps * answers * wanted.longest)} tokens); as many calls of each scorer",
        *_critic(recipe, answers),
        *_watched(recipe),
        f"loss: {loss.name}{advantages}, divergence: {loss.kl} · {loss.kl_weight:g}",
        *_memory(recipe, base, *_widths(recipe, list(families.values()))),
    ]


def _supervised(recipe: SftRecipe, base: BaseModel) -> list[str]:
    total = sum(chats.weight for chats in recipe.chats.values())
    lines = []
    for name, chats in recipe.chats.items():
        count = len(read_examples(Path(chats.data), chats.limit))
        share = chats.weight / total if total else 0.0
        passes = recipe.steps * recipe.batch.examples * share / count
        lines.append(f"chats: {name}: {count} answers, {share:.0%} of a step, {passes:.1f} times each in all")
    longest = recipe.batch.longest
    return [
        *lines,
        f"steps: {recipe.steps}, each {recipe.batch.examples} answers of at most {longest} tokens, as they stand"
        " (sft)",
        *_memory(recipe, base, longest, longest),
    ]


def _looped(recipe: Recipe) -> list[str]:
    if recipe.loop is None:
        return []
    return [
        f"loop: up to {recipe.loop.rounds} rounds, accepted by {recipe.loop.accept} on"
        f" {', '.join(Path(name).name for name in recipe.loop.tasks)}"
        + (f" (first {recipe.loop.limit} samples)" if recipe.loop.limit else "")
    ]


def _evaluated(recipe: SampledRecipe) -> list[str]:
    return [
        f"WARNING: prompts '{name}' are the test prompts of {source.task}: evaluations are contaminated"
        for name, source in recipe.prompts.items()
        if source.is_evaluated
    ]


def _families(families: Sequence[PromptFamily]) -> list[str]:
    total = sum(family.weight for family in families)
    return [
        f"prompts: {family.name}: {len(family.samples)}, {family.weight / total:.0%} of a step, reward"
        f" {_reward(family.reward)}"
        for family in families
    ]


def _reward(reward: RewardSpec) -> str:
    if isinstance(reward, str):
        return Path(reward).name
    return " + ".join(
        f"{part.weight:g} · {Path(name).name} of [{part.scale[0]:g}, {part.scale[1]:g}]"
        if isinstance(part, ScaledReward)
        else f"{part:g} · {Path(name).name}"
        for name, part in reward.items()
    )


def _critic(recipe: Recipe, answers: int) -> list[str]:
    if not isinstance(recipe, GmpoRecipe):
        return []
    critic = recipe.critic
    each = f"{critic.explanations} explanations" if critic.explanations > 1 else "an explanation"
    most = recipe.steps * answers * critic.explanations * critic.explanation_tokens
    written = f"{each} of at most {critic.explanation_tokens} tokens to each answer (at most {_count(most)} in all)"
    taught = "is frozen" if critic.frozen else f"learns from the checker, {critic.epochs} × a step"
    return [f"critic: {written if critic.explanation_tokens else 'a score without explanation'}; it {taught}"]


def _watched(recipe: SampledRecipe) -> list[str]:
    """Return lines about the judge, the watched rewards and the canary prompts."""
    lines = [f"judge: {', '.join(recipe.judge.models)}"] if recipe.judge is not None else []
    for name, one in recipe.alarms.watch.items():
        judged_tasks(one.reward, one.judge or recipe.judge, f"alarms.watch.{name}")
        by = f" by {', '.join(one.judge.models)}" if one.judge is not None else ""
        lines.append(f"watched: {name}: {_reward(one.reward)}{by}, {one.share:.0%} of the answers")
    canaries = recipe.alarms.canaries
    if canaries is not None:
        lines.append(f"canary prompts: {canaries.limit} at most, before training and every {canaries.every} steps")
    return lines


def _widths(recipe: SampledRecipe, families: Sequence[PromptFamily]) -> tuple[int, int]:
    """Estimate the longest rows, in tokens: of those that are continued, and of those that are learned from."""
    longest = recipe.rollouts.longest
    samples = [sample for family in families for sample in family.samples]
    prompt = max(_tokens(sum(len(message.content) for message in sample.messages)) for sample in samples)
    if not isinstance(recipe, GmpoRecipe):
        return prompt + longest, prompt + longest
    critic = recipe.critic
    from .methods.gmpo.critic_text import critic_messages

    answer = "x" * round(longest * _CHARACTERS)
    read = max(
        _tokens(len(critic_messages(sample, answer, ("0", "10"))[0].content)) + critic.explanation_tokens
        for sample in samples
    )
    return max(read, prompt + longest), max(read if not critic.frozen else 0, prompt + longest)


def _tokens(characters: int) -> int:
    return round(characters / _CHARACTERS)


def _memory(recipe: Recipe, base: BaseModel, continued: int, learned: int) -> list[str]:
    shape = Shape.of(base.checkpoint.folder)
    width, on_disk = _width(_dtype(base), shape), _width("auto", shape)
    weights = shape.weights * width // on_disk
    adapter = shape.adapter_parameters(recipe.lora.rank) * _FLOAT
    trained = 2 if isinstance(recipe, GmpoRecipe) else 1
    state = adapter * (trained * (2 + _ADAM) + 1)
    cache = shape.cached_numbers(recipe.sampling.batch * continued) * width
    # A block keeps about a dozen activations a token for its gradient, of hidden or of feed-forward width.
    kept = 1 if recipe.optimizer.gradient_checkpointing else 8 + 3 * shape.feed_forward // shape.hidden
    activations = recipe.optimizer.micro_batch * learned * shape.layers * shape.hidden * kept * width
    logits = 4 * recipe.optimizer.logit_chunk * shape.vocabulary * _FLOAT
    peak = weights + state + max(cache, activations + logits)
    saved = adapter * (trained * (1 + _ADAM) + 1)
    return [
        f"memory, roughly: {_size(peak)} (weights {_size(weights)}, adapters and optimizer {_size(state)},"
        f" cache of full answers {_size(cache)}, learning {_size(activations + logits)}; rows of {learned} tokens)",
        f"disk: {_size((KEPT + 1) * saved + adapter)} for checkpoints and the adapter",
    ]


def _dtype(base: BaseModel) -> str:
    try:
        return settings_of(base).dtype
    except UsageError:
        # The GPU may be another machine's.
        return base.options.get("dtype", "auto")


def _width(dtype: str, shape: Shape) -> int:
    """Return the bytes of a number of the weights; ``auto`` is as they lie on disk."""
    import torch

    return int(getattr(torch, shape.dtype if dtype == "auto" else dtype).itemsize)


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "GB" else f"{count:.1f} GB"
        count /= 1000
    return f"{count:.1f} TB"


def _count(number: float) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:.0f}"
