"""What a recipe can say, section by section, with the defaults (`kinds` has the recipe of each method).

A path in a recipe (a task or a reward in ``file.py:object``, a data file) is taken from the recipe's own folder.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import Field
from pydantic_core import PydanticCustomError

from ...errors import UsageError
from ...judges.spec import JudgeSpec

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]

CANARIES = "canaries"
VALIDATION = "validation"
"""Families of prompts beside those that are trained on."""


class Section(pydantic.BaseModel):
    """A part of a recipe: frozen, and without any key that it does not know."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScaledReward(Section):
    """A reward function with numbers in ``scale``, [lowest, highest]: they are mapped to [0, 1], then weighed."""

    weight: float = 1.0
    scale: tuple[float, float]

    @pydantic.model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.scale[0] < self.scale[1]:
            raise PydanticCustomError("scale", "a scale is its lowest and its highest number")
        return self


RewardSpec = str | Mapping[str, float | ScaledReward]
"""A task, a reward plugin, or several of them with weights."""


def _with_scale(reward: Any) -> Any:
    """Read ``{NAME: weight, scale: [0, 4]}`` as ``{NAME: {weight, scale}}``."""
    if not isinstance(reward, dict) or "scale" not in reward:
        return reward
    names = [name for name in reward if name != "scale"]
    if len(names) != 1 or isinstance(reward[names[0]], dict):
        raise PydanticCustomError(
            "scale", "a scale belongs to one function, as in {my.py:stars: {weight: 0.5, scale: [0, 4]}}"
        )
    return {names[0]: {"weight": reward[names[0]], "scale": reward["scale"]}}


RewardField = Annotated[
    str | dict[str, float | ScaledReward], Field(min_length=1), pydantic.BeforeValidator(_with_scale)
]


class Source(Section):
    """A family of prompts.

    ``reward`` is a task, a reward plugin, or several with weights; by default the task's own score. A function that
    returns numbers of another range than [0, 1] is given with its ``scale`` (see `ScaledReward`).
    """

    task: str
    split: str = "train"
    data: str | None = None
    limit: Positive | None = None
    weight: Annotated[float, Field(ge=0)] = 1.0
    reward: RewardField | None = None

    @property
    def is_evaluated(self) -> bool:
        """Whether these are the very prompts that an evaluation of the task asks."""
        return self.data is None and self.split == "test"


class Lora(Section):
    """The adapter that is trained; the weights under it stay as they are."""

    rank: Positive = 16
    alpha: Annotated[float, Field(gt=0)] = 32.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: str | list[str] = "all-linear"


class Vllm(Section):
    """How answers are sampled by vLLM (see `policy.vllm_sampler`); nothing here changes what is learned.

    ``addresses`` are servers that run already. Without any, one is started: by the interpreter ``python``, on the
    GPUs ``devices`` (tensor-parallel when there are several), in ``dtype``, with ``memory`` as its share of a GPU.
    ``concurrency`` is requests at once of each process, ``timeout`` seconds for one answer.
    """

    addresses: tuple[str, ...] = ()
    python: str | None = None
    devices: tuple[int, ...] = ()
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    memory: Annotated[float, Field(gt=0, le=1)] | None = None
    concurrency: Positive = 64
    timeout: Annotated[float, Field(gt=0)] = 3600.0


class Lengths(Section):
    """Tokens of an answer; ``longer`` raises ``max_tokens`` from a step on: ``{1801: 16384}``."""

    max_tokens: Positive = 512
    longer: dict[Positive, Positive] = {}

    def tokens_at(self, step: int) -> int:
        """Return the longest answer allowed in a step, counted from 1."""
        begun = [first for first in self.longer if first <= step]
        return self.longer[max(begun)] if begun else self.max_tokens

    @property
    def longest(self) -> int:
        """The longest answer allowed in any step."""
        return max([self.max_tokens, *self.longer.values()])


class Rollouts(Lengths):
    """What is sampled for a step: ``groups`` prompts with ``answers`` answers each, in waves (see `sampling`).

    After the first wave there are ``extra_waves`` at most. A step with less than ``min_share`` of its groups is
    skipped; ``max_surplus`` groups (all of them for null) wait for the next one, ``max_age`` steps at most.

    ``batch`` is answers at once. With ``vllm`` (it may be empty: ``{}``) they are not sampled by this process but
    by vLLM.
    """

    groups: Positive = 8
    answers: Annotated[int, Field(ge=2)] = 8
    temperature: Annotated[float, Field(gt=0)] = 1.0
    batch: Positive = 64
    extra_waves: Annotated[int, Field(ge=0)] = 4
    min_share: Share = 0.25
    max_surplus: Annotated[int, Field(ge=0)] | None = None
    max_age: Annotated[int, Field(ge=0)] = 1
    vllm: Vllm | None = None


class Optimizer(Section):
    """AdamW; ``micro_batch`` is answers at once, ``logit_chunk`` tokens whose logits are held at once."""

    learning_rate: Annotated[float, Field(gt=0)] = 1e-5
    warmup: Annotated[int, Field(ge=0)] = 0
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_clip: Annotated[float, Field(gt=0)] = 1.0
    micro_batch: Positive = 8
    logit_chunk: Positive = 256
    gradient_checkpointing: bool = False


class Reset(Section):
    """When the reference moves up to the policy (see `resets`); by default it never does.

    ``every`` so many steps since it last did, after ``patience`` validations in a row that did not exceed the best
    one by more than ``min_delta``, or where the divergence exceeds ``kl_above``. The optimizer's moments are then
    cleared, kept, or scaled by ``factor``.
    """

    every: Positive | None = None
    patience: Positive | None = None
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    kl_above: Annotated[float, Field(gt=0)] | None = None
    optimizer: Literal["clear", "keep", "scale"] = "clear"
    factor: Share = 0.5

    @property
    def moment_factor(self) -> float:
        """What the optimizer's moments are multiplied by at a reset: 0 clears them, 1 keeps them."""
        return {"clear": 0.0, "keep": 1.0, "scale": self.factor}[self.optimizer]


class Validation(Section):
    """Greedy answers to held-out prompts every so many steps, scored by the family's reward."""

    every: Positive
    source: Source
    limit: Positive = 64


class Grader(JudgeSpec, Section):
    """Who grades where a reward needs a judge: a `JudgeSpec` that names a model at least."""

    models: Annotated[tuple[str, ...], Field(min_length=1)]

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _as_field_error(cls, given: Any, make: pydantic.ModelWrapValidatorHandler[Grader]) -> Grader:
        try:
            return make(given)
        except UsageError as error:
            # So that the error gets the line of the field.
            raise PydanticCustomError("judge", "{why}", {"why": str(error)}) from None

    @pydantic.model_serializer(mode="wrap")
    def _omit_empty_options(self, as_fields: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Trainings started before there were options resume: their recipes have none.
        return {field: value for field, value in as_fields(self).items() if field != "options" or value}


class Watched(Section):
    """A reward that nothing is learned from: it scores a ``share`` of the sampled answers (see `watching`).

    It may be another checker of the same thing, or a gold ``judge`` of another family. When the training reward
    rose over the last ``window`` steps and this one did not, that is an alarm.
    """

    reward: RewardField
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    window: Annotated[int, Field(ge=5)] = 20
    judge: Grader | None = None


class CanaryPrompts(Section):
    """A few prompts, answered greedily every so many steps and compared with the answers before training.

    ``reward_drop`` is how much of the source's own reward may be lost; the limits of `Alarms` hold for the rest.
    """

    source: Source
    every: Positive = 10
    limit: Positive = 16
    reward_drop: Share | None = 0.3


class Alarms(Section):
    """Signs that the reward is being gamed: changes against the first ``window`` steps (see `monitors`).

    A sign that is null is not watched; ``stop`` ends training at the first alarm.
    """

    window: Positive = 2
    cyrillic_drop: Share | None = 0.3
    distinct_drop: Share | None = 0.4
    repetition_rise: Share | None = 0.3
    length_factor: Annotated[float, Field(gt=1)] | None = 4.0
    entropy_below: Annotated[float, Field(gt=0)] | None = None
    kl_above: Annotated[float, Field(gt=0)] | None = None
    canaries: CanaryPrompts | None = None
    stop: bool = False


class WatchedAlarms(Alarms):
    """The same with rewards to ``watch``, for methods that learn from a reward."""

    watch: dict[str, Watched] = {}


class Guards(Section):
    """How much worse a round may make what the reward does not ask for; null is not guarded.

    ``cyrillic`` and ``distinct`` are falls of a share, ``length`` is how much longer or shorter the mean answer may
    get (0.5: one and a half times, or by the same factor less); ``tasks`` are falls of ``TASK`` or ``TASK/METRIC``
    in the metric's own unit.
    """

    cyrillic: Share | None = 0.1
    distinct: Share | None = 0.15
    length: Annotated[float, Field(gt=0)] | None = 1.0
    tasks: dict[str, Annotated[float, Field(ge=0)]] = {}


class Loop(Section):
    """Rounds of training with an evaluation before and after, on prompts that are never trained on.

    ``tasks`` are evaluated, the metric ``accept`` of one of them (``TASK`` or ``TASK/METRIC``) must rise by more
    than ``margin`` with the whole of its interval. ``patience`` rounds without success end the loop.
    """

    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    accept: str
    data: dict[str, str] = {}
    limit: Positive | None = None
    max_tokens: Positive | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    rounds: Positive = 3
    patience: Positive = 2
    margin: Annotated[float, Field(ge=0)] = 0.0
    guards: Guards = Guards()
    allow_overlap: bool = False


class Recipe(Section):
    """A training run: what every ``method`` needs. Each has a recipe of its own, with its own sections (`RECIPES`).

    ``sharding: full`` spreads the model's weights over the processes, when they do not fit one device.

    ``track`` names the trackers that get the metrics too (see `trackers`). ``judge`` grades where a reward is a
    judge's; of a reward by a rubric, ``rubric_dropout`` is the share of the criteria that each step leaves out (see
    `evalkit.tasks.rubrics`).
    """

    LEARNER: ClassVar[str]
    """The method, as ``module:name`` below `trainer.methods` (which needs torch)."""

    method: str
    model: str
    steps: Positive
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    lora: Lora = Lora()
    optimizer: Optimizer = Optimizer()
    reset: Reset = Reset()
    validation: Validation | None = None
    alarms: Alarms = Alarms()
    judge: Grader | None = None
    rubric_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    loop: Loop | None = None
    track: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ()
    sharding: Literal["none", "full"] = "none"
    checkpoint_every: Positive = 1
    scoring_workers: Positive = 1
    scoring_deadline: Annotated[float, Field(gt=0)] = 30.0

    @property
    @abstractmethod
    def sampling(self) -> Rollouts:
        """How the policy is asked, be it for validation and canaries alone."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """The prompts that answers are sampled to for learning, by family; none for most methods."""
        return {}

    @property
    def kl_weight(self) -> float:
        """How hard the reference pulls; the divergence from it is measured where this is above 0."""
        return 0.0

    def check(self) -> None:
        """Refuse what no single field is wrong in.

        Raises:
            UsageError: names the fields.
            MissingExtraError: torch is not installed.
        """
        if self.reset.patience is not None and self.validation is None:
            raise UsageError("field 'reset.patience' counts validations: add 'validation'")
        for field, value in (("reset", self.reset.kl_above), ("alarms", self.alarms.kl_above)):
            if value is not None and not self.kl_weight:
                raise UsageError(f"field '{field}.kl_above' needs 'objective.kl_weight' above 0")
