"""The rows of a training's journals, typed: ``metrics.jsonl``, ``answers.jsonl`` and ``canaries.jsonl``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from ...errors import InputError
from ...files import read_numbered


class TrainingRow(Protocol):
    """One line of a training's journal ``FILE``."""

    FILE: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """Return the line as JSON values, keys in the order of the file."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`; fields that older versions did not write get their defaults."""


R = TypeVar("R", bound=TrainingRow)


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """The metrics of one training step.

    Attributes:
        step: from 1.
        measures: everything measured while sampling and learning, by name, in the order of the file: numbers,
            mappings of numbers (``components``, ``families``, ``watched``), and short texts (``outcome``).
        reset: why the reference was reset after the step; None where it was not.
        validation: the validation result; None where the step has none.
        canaries: the canary answers compared with those before training (``before``, ``now``, ``unchanged``).
        alarms: the alarms raised at the step.
    """

    FILE: ClassVar[str] = "metrics.jsonl"

    step: int
    measures: Mapping[str, Any]
    reset: str | None = None
    validation: float | None = None
    canaries: Mapping[str, Any] | None = None
    alarms: tuple[str, ...] = ()

    def number(self, name: str) -> float | None:
        """Return a measure by its name; None where the step lacks it."""
        value: float | None = self.measures.get(name)
        return value

    @property
    def reward(self) -> float | None:
        """The mean reward of the sampled answers."""
        return self.number("reward")

    @property
    def watched(self) -> Mapping[str, Mapping[str, float]]:
        """Of each watched reward that scored any answer: its mean ``value``, ``gap`` and number of ``answers``."""
        return self.measures.get("watched") or {}

    @property
    def outcome(self) -> str:
        """``full``, or why the step learned from fewer groups than wanted: ``short``, ``skip``."""
        return str(self.measures.get("outcome", "full"))

    @property
    def critic_alarm(self) -> str:
        """Why the critic is not trusted; empty where it is."""
        return str(self.measures.get("critic_alarm") or "")

    @property
    def informative_share(self) -> float | None:
        """The share of the sampled groups whose rewards differ; None where nothing was sampled."""
        informative, sampled = self.number("informative"), self.number("sampled")
        return informative / sampled if sampled and informative is not None else None

    def as_json(self) -> dict[str, Any]:
        """Return the line as JSON values, keys in the order of the file."""
        line = {"step": self.step, **self.measures, "reset": self.reset, "validation": self.validation}
        if self.canaries is not None:
            line["canaries"] = self.canaries
        return line | {"alarms": list(self.alarms)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        own = {one.name for one in fields(cls)}
        measures = {name: value for name, value in data.items() if name not in own}
        alarms = tuple(data.get("alarms") or ())
        return cls(step_of(data), measures, data.get("reset"), data.get("validation"), data.get("canaries"), alarms)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One sampled answer of a training with its reward.

    Attributes:
        step: of training, from 1.
        family: of the prompt.
        id: of the prompt's sample.
        version: the steps that the policy had learned when it sampled the answer.
        text: as scorers see it.
        reward: as scored; None where the scorer failed.
        shaped: the reward after length shaping.
        components: the named parts of the reward.
        watched: scores by watched rewards.
        problem: why there is no reward.
        tokens: their number.
        finish_reason: ``stop`` or ``length``.
        critic: the critic's scores, explanations and signal (``gmpo``); None without a critic.
    """

    FILE: ClassVar[str] = "answers.jsonl"

    step: int
    family: str
    id: str
    version: int
    text: str
    reward: float | None
    shaped: float | None
    components: Mapping[str, float]
    watched: Mapping[str, float]
    problem: str
    tokens: int
    finish_reason: str
    critic: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the line as JSON values, keys in the order of the file."""
        line = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.critic is None:
            del line["critic"]
        return line

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        known = {one.name: data[one.name] for one in fields(cls) if one.name in data}
        return cls(**{"version": 0, "shaped": known["reward"], "components": {}, "watched": {}, **known})


@dataclass(frozen=True, slots=True)
class CanaryAnswer:
    """A greedy answer to a canary prompt: text, reward, number of tokens."""

    text: str
    reward: float | None
    tokens: int


@dataclass(frozen=True, slots=True)
class CanaryRow:
    """The answers to all canary prompts after a step; step 0 is before training."""

    FILE: ClassVar[str] = "canaries.jsonl"

    step: int
    answers: tuple[CanaryAnswer, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the line as JSON values, keys in the order of the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        return cls(step_of(data), tuple(CanaryAnswer(**one) for one in data["answers"]))


def step_of(line: Mapping[str, Any]) -> int:
    """Return the step that a line of any of a training's journals belongs to."""
    return int(line["step"])


def read_training(directory: Path, kind: type[R]) -> Iterator[R]:
    """Yield the rows of a training's journal; a torn last line is left out, as is a missing file.

    Raises:
        InputError: a line is not such a row (names file and line).
    """
    for number, line in read_numbered(directory / kind.FILE):
        try:
            yield kind.from_json(line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            place = f"{directory / kind.FILE}:{number}"
            raise InputError(f"{place}: not a row of a training ({type(error).__name__}: {error})") from None
