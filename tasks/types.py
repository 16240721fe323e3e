"""The data types shared by all packages: plain frozen dataclasses, convertible to and from JSON.

A `Sample` is one prompt, a `Completion` one answer of a model, a `Score` the result of scoring it. A `Task`
provides samples and scores completions; the trainer uses the same ``task.score`` as its reward.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

from .blank import has_content
from .execution import Sandbox

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str

    def as_json(self) -> dict[str, str]:
        """Return the OpenAI form ``{"role", "content"}``."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Sample:
    """One prompt of a task.

    ``id`` is stable across runs and machines and unique within a task. Either ``messages`` hold the whole prompt,
    or ``turns`` hold the user messages of a multi-turn conversation, each sent with the answers before it, or
    ``continuations`` hold (context, continuation) pairs to compute log-likelihoods of instead of generating.
    ``sampling`` overrides sampling parameters for this sample (``temperature``, ``max_tokens``, ``stop``).
    ``target`` and ``metadata`` are for the scorer and the report; the model never sees them. A sample whose
    ``metadata`` has ``skip`` (a reason) is left out of runs.
    """

    id: str
    messages: tuple[Message, ...] = ()
    turns: tuple[str, ...] = ()
    target: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    continuations: tuple[tuple[str, str], ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def ask(cls, id: str, prompt: str, *, target: Any = None, **metadata: Any) -> Self:
        """Make a sample of a single user message."""
        return cls(id, (Message("user", prompt),), target=target, metadata=metadata)

    @property
    def prompt(self) -> str:
        """The text of the last message (or of the first turn, or of the first pair's context)."""
        if self.continuations:
            return self.continuations[0][0]
        return self.turns[0] if self.turns else self.messages[-1].content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make a sample from its fields as JSON values (as ``orjson.dumps(sample)`` writes them)."""
        messages = tuple(Message(**message) for message in data["messages"])
        pairs = tuple((context, continuation) for context, continuation in data["continuations"])
        values = (data["target"], data["metadata"], pairs, data["sampling"])
        return cls(data["id"], messages, tuple(data["turns"]), *values)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one answer; ``None`` where the server did not report them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @classmethod
    def from_server(cls, usage: Mapping[str, Any]) -> Self:
        """Return the counts reported by a server (or a file of its answers); invalid values become None."""
        return cls(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    return int(value) if is_count and value == int(value) else None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model.

    ``text`` is the part that is scored: reasoning (``<think>…</think>`` or an API's own field) is moved to
    ``reasoning``. ``turns`` holds the answers of all turns when the sample has several (``text`` is the last).
    ``finish_reason`` is the server's (``stop``, ``length``, …); ``latency`` is in seconds. ``loglikelihoods``
    answers a sample's ``continuations``: (natural logarithm of the probability, whether it is the greedy one).
    """

    text: str
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage = Usage()
    latency: float | None = None
    turns: tuple[str, ...] = ()
    loglikelihoods: tuple[tuple[float, bool], ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make a completion from its fields as JSON values (as ``orjson.dumps(completion)`` writes them)."""
        fields = dict(data)
        fields["usage"] = Usage(**data["usage"])
        fields["turns"] = tuple(data["turns"])
        fields["loglikelihoods"] = tuple((value, greedy) for value, greedy in data["loglikelihoods"])
        return cls(**fields)


class Status(StrEnum):
    """How a score was obtained: a closed set.

    The first group describes the model's answer, which is scored by the task's rules whatever the status. The
    second group (`APPARATUS_FAILURES`) describes failures of the infrastructure, ours or the server's: the score's
    value is then ``None``.
    """

    OK = "ok"
    OK_LENIENT = "ok_lenient"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    OUT_OF_RANGE = "out_of_range"
    WRONG_SCALE = "wrong_scale"
    MALFORMED = "malformed"
    INJECTION_SUSPECTED = "injection_suspected"

    API_ERROR = "api_error"
    JUDGE_ERROR = "judge_error"
    SANDBOX_ERROR = "sandbox_error"
    SCORER_ERROR = "scorer_error"
    TIMEOUT = "timeout"


APPARATUS_FAILURES = frozenset(
    {Status.API_ERROR, Status.JUDGE_ERROR, Status.SANDBOX_ERROR, Status.SCORER_ERROR, Status.TIMEOUT}
)


def first_failure(failed: Sequence[Status]) -> Status:
    """Return the status to report when several gradings failed: the first that a retry may fix, else the first."""
    return next((status for status in failed if status in APPARATUS_FAILURES), failed[0])


def answer_status(completion: Completion, status: Status, *, decided: bool = False) -> Status:
    """Return ``truncated`` or ``empty`` for an answer that was cut off or is blank, else the scorer's ``status``.

    A ``decided`` answer (one whose verdict the missing end cannot change) is never ``truncated``.
    """
    if completion.finish_reason == "length" and not decided:
        return Status.TRUNCATED
    return status if has_content(completion.text) else Status.EMPTY


@dataclass(frozen=True, slots=True)
class Score:
    """The result of scoring one completion.

    ``value`` is in [0, 1]; it is ``None`` when nothing could be measured, which lowers coverage and is masked in
    training. ``parts`` holds the task's named components (JSON values).
    """

    value: float | None
    status: Status = Status.OK
    parts: Mapping[str, Any] = field(default_factory=dict)
    explanation: str = ""

    def __post_init__(self) -> None:
        if self.value is None:
            if self.status is Status.OK:
                raise ValueError("a score without a value needs a status other than 'ok'")
        elif not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a score's value must be in [0, 1], got {self.value!r}")
        elif self.status in APPARATUS_FAILURES:
            raise ValueError(f"status {self.status} means that nothing was measured: the value must be None")

    def as_json(self) -> dict[str, Any]:
        """Return ``{"value", "status", "parts", "explanation"}``."""
        return {
            "value": self.value,
            "status": self.status.value,
            "parts": dict(self.parts),
            "explanation": self.explanation,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        return cls(data["value"], Status(data["status"]), data["parts"], data["explanation"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's verdict on one answer.

    ``value`` is on the scale of the form that was filled in (a rating from 1 to 10, points from 0 to 7), and
    ``None`` whenever ``status`` is not ``ok`` or ``ok_lenient``. ``details`` holds JSON values for the report: the
    judge's reply, the criteria, the verdicts of all members of a jury.
    """

    value: float | None
    status: Status
    details: Mapping[str, Any] = field(default_factory=dict)


class GradingLimits(Protocol):
    """Bounds on the cost of one grading: the number of attempts, and the tokens of each reply."""

    @property
    def attempts(self) -> int:
        """The maximum number of attempts to get a readable verdict."""
        ...

    @property
    def max_tokens(self) -> int:
        """The maximum number of tokens of one reply."""
        ...


class Judge(Protocol):
    """A model, or a jury of them, that grades answers."""

    @property
    def name(self) -> str:
        """The name recorded with verdicts."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings that affect verdicts, for the manifest."""
        ...

    @property
    def members(self) -> Sequence[Judge]:
        """The members of a jury; empty for a single judge."""
        ...

    @property
    def settings(self) -> GradingLimits | None:
        """The settings of a single judge; None for a jury, whose members have their own."""
        ...

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        """Fill in a form (``rating``, ``proof``, …) whose blanks are ``fields``.

        ``draw`` numbers repeated gradings of the same thing. Failures are reported as a status, not an exception.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Resources opened for scorers: the judge and the sandbox are set if the task ``needs`` them."""

    seed: int = 0
    judge: Judge | None = None
    sandbox: Sandbox | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One value that a metric takes from a score, with labels to break it down by.

    ``value`` is a number, unless the metric has an ``aggregate`` of its own that takes something else.
    """

    value: Any
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """A mean over the observations that ``observe`` draws from each scored sample.

    Several observations of one sample (instructions of one prompt, epochs) form a cluster, and the interval
    accounts for it. The first metric of a task is its headline metric.

    ``unit`` tells how to show the number: a ``share`` in per cent, a ``number`` as it is. ``bounds`` are the least
    and the greatest value that an observation can have; the interval is computed on this scale and stays inside
    it. A share lies in [0, 1]; a number without bounds has none. With ``partial`` scores without a value are
    observed too, as their parts may hold partial results.

    A metric other than a mean (perplexity, F1) has an ``aggregate``, which takes the values of all observations and
    returns the number, by default a ``number``; where it is undefined (F1 without positives) it raises
    ``ZeroDivisionError`` or ``ValueError``. The interval is then by a bootstrap over samples. ``bounds`` are those
    of the number: give them where it has any, as without them a number that does not vary (F1 = 1) has no interval.

    Raises:
        ValueError: the bounds are not two ascending numbers, or those of a share are not (0, 1).
    """

    name: str
    observe: Callable[[Score], Iterable[Observation]]
    title: str = ""
    aggregate: Callable[[Sequence[Any]], float] | None = None
    partial: bool = False
    unit: Literal["share", "number"] | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        unit = self.unit or ("share" if self.aggregate is None else "number")
        bounds = self.bounds or ((0.0, 1.0) if unit == "share" else None)
        if bounds and not bounds[0] < bounds[1]:
            raise ValueError(f"metric '{self.name}': bounds are two numbers, the lower one first, got {bounds}")
        if unit == "share" and bounds != (0.0, 1.0):
            raise ValueError(f"metric '{self.name}': a share lies in [0, 1]; with other bounds, give unit='number'")
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "bounds", bounds)


def mean_value(
    name: str = "score", title: str = "", labels: Callable[[Score], Mapping[str, str]] = lambda score: {}
) -> Metric:
    """Make the simplest metric: the mean of ``Score.value``, broken down by the ``labels`` of a score."""

    def observe(score: Score) -> list[Observation]:
        return [] if score.value is None else [Observation(score.value, labels(score))]

    return Metric(name, observe, title)


@runtime_checkable
class Task(Protocol):
    """The required interface of a task plugin.

    ``version`` changes whenever scoring changes; scores of different versions are never mixed. ``max_tokens`` is
    the answer length that the task's rules assume. A synchronous ``score`` runs in a worker process and may use the
    CPU; an ``async`` one runs on the event loop and may await a judge.

    `base.BaseTask` adds the optional hooks.
    """

    name: str
    version: str
    title: str
    metrics: tuple[Metric, ...]
    max_tokens: int

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the task's own samples, the same ones in the same order for the same arguments."""
        ...

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield samples from a file in the task's published form.

        Raises:
            InputError: a line cannot be used (names file, line and field).
        """
        ...

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score | Awaitable[Score]:
        """Score one completion; must not raise for any text that a model can produce."""
        ...
