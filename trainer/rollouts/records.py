"""What was sampled: answers to one prompt with what they earned; JSON in and out, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled answer.

    Attributes:
        tokens: what was drawn, an end-of-text token included.
        log_probabilities: of each, under the distribution that was sampled.
        finish_reason: ``stop`` or ``length``.
        text: as scorers see it.
        reward: as scored, None where scoring failed.
        components: the reward's named parts.
        problem: why there is no reward.
        shaped: the reward after length shaping: what advantages are made of.
        critic: the critic's scores and explanations; None without a critic.
        watched: scores by watched rewards, by name.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finish_reason: str
    text: str = ""
    reward: float | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    shaped: float | None = None
    critic: Mapping[str, Any] | None = None
    watched: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A prompt and its answers. ``family`` and ``index`` say where the prompt is found.

    ``version`` is the number of steps that the policy had learned when it gave the answers.
    """

    family: str
    index: int
    sample: str
    prompt: tuple[int, ...]
    answers: tuple[Answer, ...]
    version: int = 0

    @property
    def step(self) -> int:
        """The step that the answers were sampled in, from 1."""
        return self.version + 1

    @property
    def rewards(self) -> list[float | None]:
        """What the answers earned, before any shaping."""
        return [answer.reward for answer in self.answers]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        answers = tuple(
            Answer(**{**answer, "tokens": tuple(answer["tokens"]),
                      "log_probabilities": tuple(answer["log_probabilities"])})
            for answer in data["answers"]
        )  # fmt: skip
        return cls(
            data["family"], data["index"], data["sample"], tuple(data["prompt"]), answers, data.get("version", 0)
        )


@dataclass(frozen=True, slots=True)
class Wave:
    """Groups sampled and scored together: a row of ``pending.jsonl``; a step samples waves ``number`` 0, 1, …."""

    FILE: ClassVar[str] = "pending.jsonl"

    step: int
    number: int
    groups: tuple[Group, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"step": self.step, "wave": self.number, "groups": [asdict(group) for group in self.groups]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        return cls(data["step"], data["wave"], tuple(map(Group.from_json, data["groups"])))
