"""What a method of training is: where it finds what to learn from, and how it learns from it.

`trainer.Trainer` runs any method, one `Trainer.train_step` after the other, and has everything that they share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch.optim import Optimizer

from ..policy.model import Policy
from ..recipe.fields import VALIDATION, Recipe
from ..records.log import Log, Notify
from .sampler import Sampler

Batch = TypeVar("Batch")
StepMetrics = dict[str, Any]
"""The measures of a step in ``metrics.jsonl``, by name."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Resources that a trainer opens for its method."""

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
        notice: what a person should read before training starts, if anything.
        shown: the metrics on the progress line of a step, with their formats.
    """

    adapters: ClassVar[tuple[str, ...]] = ()
    notice: ClassVar[str] = ""
    shown: ClassVar[Mapping[str, str]] = {"loss": ".3f", "kl": ".4f", "entropy": ".2f"}

    def __init__(self, recipe: Any, tools: Tools) -> None:
        self.recipe = recipe
        self.tools = tools

    @staticmethod
    @abstractmethod
    def texts(recipe: Any) -> Mapping[str, str]:
        """Return by name every text that a recipe learns from, for the check for contamination.

        Raises:
            InputError, UsageError: they cannot be read.
        """

    @abstractmethod
    def gather(self, step: int) -> tuple[Batch | None, StepMetrics]:
        """Return the batch of a step, None where there is nothing to learn from, and its metrics."""

    @abstractmethod
    def learn(self, batch: Batch) -> StepMetrics:
        """Update the weights; return the metrics."""

    def validate(self, step: int) -> float | None:
        """Return the mean reward of greedy answers to the validation prompts."""
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


def method_of(recipe: Recipe) -> type[Method[Any]]:
    """Return the class that trains by a recipe of this kind."""
    module, _, name = recipe.LEARNER.partition(":")
    method: type[Method[Any]] = getattr(import_module(f"{__package__}.{module}"), name)
    return method
