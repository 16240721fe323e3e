"""What a method of training is: where it finds what to learn from, and how it learns from it.

`trainer.Trainer` runs any method, one `Trainer.train_step` after the other, and has everything that they share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch.optim import Optimizer

from ..policy.model import Policy
from ..recipe.reading import VALIDATION
from ..records.log import Log, Notify
from .sampler import Sampler

Batch = TypeVar("Batch")
StepMetrics = dict[str, Any]
"""What ``metrics.jsonl`` says of a step, by name."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a trainer lends to its method."""

    policy: Policy
    optimizer: Optimizer
    sampler: Sampler
    log: Log
    notify: Notify
    directory: Path


class Method(ABC, Generic[Batch]):
    """A method of training, opened for a recipe of its own kind; a ``Batch`` is what it learns from in a step.

    Attributes:
        adapters: the names of the adapters that it needs beside the policy's and the reference's.
        shown: which of a step's metrics a person reads on the line of the step, and their format.
    """

    adapters: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[Mapping[str, str]] = {"loss": ".3f", "kl": ".4f", "entropy": ".2f"}

    def __init__(self, recipe: Any, tools: Tools) -> None:
        self.recipe = recipe
        self.tools = tools

    @abstractmethod
    def gather(self, step: int) -> tuple[Batch | None, StepMetrics]:
        """Return what to learn from in a step, None where there is nothing, and what there is to say of it."""

    @abstractmethod
    def learn(self, batch: Batch) -> StepMetrics:
        """Move the weights; return what there is to say of it."""

    def validate(self, step: int) -> float | None:
        """Return how good the policy is on held-out data: the mean reward of greedy answers to prompts."""
        answers = self.tools.sampler.greedy(VALIDATION, self.recipe.validation.limit, step)
        values = [one.reward for one in answers if one.reward is not None]
        return sum(values) / len(values) if values else None

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The optimizers of `adapters`, by their names; the policy's is the trainer's."""
        return {}

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what the next step depends on beside tensors, as JSON values: it is part of a checkpoint."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; the values of other methods in it are passed over."""

    def close(self) -> None:
        """Free what the method opened."""
