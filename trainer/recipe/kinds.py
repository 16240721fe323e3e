"""The recipe of each method: its own sections, what it refuses, the loss, and the class that trains by it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field

from ...errors import EvalkitError, MissingExtraError, UsageError, nearest
from .fields import CANARIES, VALIDATION, Lengths, Positive, Recipe, Rollouts, Section, Share, Source, WatchedAlarms

if TYPE_CHECKING:
    from ..losses import Loss
    from ..losses.advantages import Estimator


class SamplerCorrection(Section):
    """Importance weights between sampler and trainer (see `losses.ratios`)."""

    level: Literal["token", "sequence"] = "token"
    mode: Literal["truncate", "mask"] = "truncate"
    maximum: Annotated[float, Field(ge=1)] = 2.0
    minimum: Share = 0.0


class Objective(Section):
    """The own ``options`` of the method's loss, and the pull of the reference.

    A batch is gone through ``epochs`` times in ``minibatches`` optimizer steps.
    """

    options: dict[str, Any] = Field(default_factory=dict)
    kl: Literal["k1", "k2", "k3", "k3_is"] | None = None
    kl_weight: Annotated[float, Field(ge=0)] = 0.0
    epochs: Positive = 1
    minibatches: Positive = 1


class SampledObjective(Objective):
    """An objective of sampled answers: with a ``correction`` for what the sampler computed otherwise."""

    correction: SamplerCorrection | None = None


class LossRecipe(Recipe):
    """Learning by the loss of `losses.table` that the method is named after."""

    objective: Objective = Objective()

    @property
    def kl_weight(self) -> float:
        """That of the objective."""
        return self.objective.kl_weight

    def check(self) -> None:
        """Refuse a loss that cannot be, beside what any recipe refuses."""
        loss_of(self)
        super().check()
        if self.sampling.longer and self.objective.options.get("max_length") is not None:
            raise UsageError(
                "field 'objective.options.max_length' is fixed, but 'longer' raises the limit: remove one"
            )


class Chats(Section):
    """Chats that are learned as they stand: a file of JSON lines (see `chats`)."""

    data: str
    limit: Positive | None = None
    weight: Annotated[float, Field(ge=0)] = 1.0


class Batch(Lengths):
    """What is learned in a step of ``sft``: ``examples`` answers of chats, cut off at ``max_tokens``.

    Nothing is sampled to be learned from; validation and canaries sample ``sampled`` answers at once.
    """

    examples: Positive = 8
    sampled: Positive = 64


class SftRecipe(LossRecipe):
    """Supervised learning: ``chats`` are learned as they stand."""

    LEARNER = "sft:Supervised"

    method: Literal["sft"]
    chats: Annotated[dict[str, Chats], Field(min_length=1)]
    batch: Batch = Batch()

    @property
    def sampling(self) -> Rollouts:
        """As long as what is learned, by this process."""
        return Rollouts(max_tokens=self.batch.max_tokens, longer=self.batch.longer, batch=self.batch.sampled)

    def check(self) -> None:
        """Refuse chats that all weigh nothing."""
        super().check()
        check_weights("chats", self.chats)


class SampledRecipe(LossRecipe):
    """Answers to ``prompts`` are sampled and rewarded."""

    prompts: Annotated[dict[str, Source], Field(min_length=1)]
    rollouts: Rollouts = Rollouts()
    objective: SampledObjective = SampledObjective()
    alarms: WatchedAlarms = WatchedAlarms()

    @property
    def sampling(self) -> Rollouts:
        """As for learning."""
        return self.rollouts

    @property
    def sources(self) -> Mapping[str, Source]:
        """The ``prompts``."""
        return self.prompts

    def check(self) -> None:
        """Refuse prompts of reserved names or without weights, and what vLLM cannot sample."""
        super().check()
        check_weights("prompts", self.prompts)
        reserved = sorted({VALIDATION, CANARIES} & self.prompts.keys())
        if reserved:
            raise UsageError(
                f"field 'prompts.{reserved[0]}': this name is reserved for prompts that are not trained on"
            )
        if self.rollouts.vllm is not None and self.rollouts.temperature > 2:
            raise UsageError("field 'rollouts.temperature': vLLM takes no more than 2")


class Shaping(Section):
    """What length does to a reward (see `rewards.scoring`): nothing where a value is null."""

    overlong_cache: Annotated[int, Field(ge=0)] | None = None
    overlong_weight: Annotated[float, Field(ge=0)] = 1.0
    truncated: Annotated[float, Field(le=1)] | None = None


class RewardObjective(SampledObjective):
    """An objective of rewards: the advantages by name, with their own options."""

    advantages: str = "group"
    advantage_options: dict[str, Any] = Field(default_factory=dict)


class RewardRecipe(SampledRecipe):
    """Reinforcement learning from the advantages of rewards."""

    LEARNER = "rl:Reinforcement"

    shaping: Shaping = Shaping()
    objective: RewardObjective = RewardObjective()

    def check(self) -> None:
        """Refuse advantages and a length penalty that cannot be."""
        super().check()
        estimator_of(self)
        cache = self.shaping.overlong_cache
        if cache is not None and cache > self.rollouts.max_tokens:
            raise UsageError("field 'shaping.overlong_cache' is more than 'rollouts.max_tokens'")


class GrpoRecipe(RewardRecipe):
    """GRPO and its kin."""

    method: Literal["ppo", "grpo", "dapo", "dr_grpo", "gspo", "cispo", "gmpo-geo", "reinforce"]


class RegressionObjective(RewardObjective):
    """The objective of ``awr``: ``weight_temperature`` is τ of the weights exp(A/τ)."""

    weight_temperature: Annotated[float, Field(gt=0)] = 1.0


class AwrRecipe(RewardRecipe):
    """Advantage-weighted regression."""

    method: Literal["awr"]
    objective: RegressionObjective = RegressionObjective()


class Critic(Section):
    """The generative critic of ``gmpo`` (see `losses.critic` for the words).

    ``checker_share`` is α, the checker's part in the score that the actor learns from. ``frozen`` keeps the critic
    as it is; without a checker it must be. ``learning_rate`` is the critic's own, ``kl_weight`` the pull of the
    critic that it was at first, ``epochs`` how often it goes through a step's answers. An answer gets so many
    ``explanations``, and its score is the mean after each; with ``explanation_weight`` above 0 the critic learns to
    explain too. While it does not deserve trust (``min_auroc``, ``max_inflation``, over ``window`` steps),
    ``distrusted`` freezes the actor or leaves it to the checker's scores alone.
    """

    explanation_tokens: Annotated[int, Field(ge=0)] = 96
    explanation_temperature: Annotated[float, Field(ge=0)] = 0.0
    explanations: Positive = 1
    explanation_weight: Annotated[float, Field(ge=0)] = 0.0
    checker_share: Share = 0.5
    learning_rate: Annotated[float, Field(gt=0)] = 1e-5
    kl_weight: Annotated[float, Field(ge=0)] = 1e-3
    epochs: Positive = 1
    frozen: bool = False
    distrusted: Literal["freeze", "checker"] = "freeze"
    weighing: dict[str, Any] = Field(default_factory=dict)
    min_auroc: Share = 0.6
    max_inflation: Share = 0.15
    window: Positive = 8


class GmpoRecipe(SampledRecipe):
    """Regression on the scores of a generative ``critic``, which needs whole weights."""

    LEARNER = "gmpo.method:Gmpo"

    method: Literal["gmpo"]
    critic: Critic = Critic()
    sharding: Literal["none"] = "none"

    def check(self) -> None:
        """Refuse weights that cannot be, and explanations that could not be told apart."""
        super().check()
        critic = self.critic
        open_weighing(critic)
        if critic.explanation_weight and critic.explanations < 2:
            raise UsageError(
                "field 'critic.explanation_weight' compares explanations: set 'critic.explanations' to 2 or more"
            )
        if critic.explanations > 1 and not (critic.explanation_temperature and critic.explanation_tokens):
            raise UsageError(
                "field 'critic.explanations': they would all be the same: set 'critic.explanation_temperature' and"
                " 'critic.explanation_tokens' above 0"
            )


RECIPES: Mapping[str, type[Recipe]] = {
    name: kind
    for kind in (SftRecipe, GrpoRecipe, AwrRecipe, GmpoRecipe)
    for name in get_args(kind.model_fields["method"].annotation)
}
"""What a recipe is by its ``method``."""


def check_weights(field: str, mixture: Mapping[str, Source] | Mapping[str, Chats]) -> None:
    """Refuse a mixture without a weight above 0.

    Raises:
        UsageError: names the ``field``.
    """
    if not any(one.weight for one in mixture.values()):
        raise UsageError(f"field '{field}': one at least needs a 'weight' above 0")


def loss_of(recipe: LossRecipe, step: int = 1) -> Loss:
    """Return the loss that a method learns by in a step.

    Raises:
        UsageError: a name or an option that does not exist (names the field).
        MissingExtraError: torch is not installed.
    """
    objective = recipe.objective
    options: dict[str, Any] = {**objective.options, "kl_weight": objective.kl_weight}
    with _opening_objective():
        from ..losses import Correction, loss_options, open_loss

        if objective.kl is not None:
            options["kl"] = objective.kl
        if isinstance(objective, SampledObjective) and objective.correction is not None:
            options["correction"] = Correction(**objective.correction.model_dump())
        elif recipe.sampling.vllm is not None:
            # Another engine's probabilities are never quite the trainer's.
            options["correction"] = Correction()
        if options.get("aggregation", loss_options(recipe.method)["aggregation"]) == "constant":
            options.setdefault("max_length", recipe.sampling.tokens_at(step))
        return open_loss(recipe.method, **options)


def estimator_of(recipe: RewardRecipe) -> Estimator:
    """Return how a recipe's rewards become advantages; raises what `loss_of` does."""
    with _opening_objective():
        from ..losses.advantages import open_estimator

        return open_estimator(recipe.objective.advantages, **recipe.objective.advantage_options)


@contextlib.contextmanager
def _opening_objective() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise MissingExtraError("train") from None
    except EvalkitError as error:
        raise UsageError(f"field 'objective': {error}") from None


def open_weighing(critic: Critic) -> Any:
    """Return how the critic's scores become weights (a `losses.critic.Weighing`).

    Raises:
        UsageError: an option that does not exist, or a value that cannot be (names the field).
    """
    from ..losses.critic import Weighing

    known = [field.name for field in fields(Weighing)]
    for name in critic.weighing:
        if name not in known:
            raise UsageError(f"field 'critic.weighing': no option '{name}'.{nearest(name, known)}")
    try:
        return Weighing(**critic.weighing)
    except (TypeError, UsageError) as error:
        raise UsageError(f"field 'critic.weighing': {error}") from None
