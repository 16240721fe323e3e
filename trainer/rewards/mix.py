"""Rewards: the tasks' own scores of an answer, weighed; the very objects and worker processes of an evaluation.

A reward is a task's name, a plugin's, or a mix: ``{"ruifeval-mini": 0.7, "my.py:in_lower_case": 0.3}``. A plugin is
a task, or a function of (sample, completion) that returns a number within [0, 1] (or within the scale that is
declared for it: ``{"my.py:stars": {"weight": 0.5, "scale": [0, 4]}}``), a `Score`, or None where it cannot tell; it
may be async. Whatever raises, hangs, dies or returns anything else makes a reward without a value, never a 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from ...errors import UsageError, nearest
from ...evals.engine.scorer_context import open_scorer_context
from ...evals.engine.scoring import DEADLINE_SECONDS, Scorer
from ...plugins import installed, load_plugin
from ...tasks.adapter import adapt
from ...tasks.base import BaseTask
from ...tasks.registry import FAMILIES, open_task, task_names
from ...tasks.rubrics import drop_criteria
from ...tasks.types import Completion, Context, Judge, Metric, Sample, Score, Status, Task, mean_value
from ..recipe.fields import RewardSpec, ScaledReward

OpenJudge = Callable[[], AbstractAsyncContextManager[Judge | None]]

GROUP = "evalkit.rewards"
FAMILY = "reward"
_SCALE = re.compile(r"(-?[\d.e+-]+)\.\.(-?[\d.e+-]+):")


@dataclass(frozen=True, slots=True)
class Reward:
    """What one answer earned.

    Attributes:
        value: the weighted sum of the parts' scores; None if any part could not be scored.
        components: numbers to log by name: each part's score, and each metric of its task (``part/metric``).
        scores: the score of each part, by its name.
    """

    value: float | None
    components: Mapping[str, float]
    scores: Mapping[str, Score]

    @property
    def why_unscored(self) -> str:
        """One line that says which parts have no score and why; empty when all have."""
        return "; ".join(
            f"{name}: {score.status}: {score.explanation}"
            for name, score in self.scores.items()
            if score.value is None
        )


@dataclass(frozen=True, slots=True)
class RewardPart:
    """A scoring task, its name in the worker processes, and the weight of its score."""

    task: BaseTask
    registered_as: str
    weight: float = 1.0


class PromptlessTask(BaseTask):
    """A scorer with the interface of a task: it scores the answers to other tasks' prompts."""

    __slots__ = ()

    max_tokens: int = 1024
    metrics: tuple[Metric, ...] = (mean_value(),)

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Raise a `UsageError`: there are no prompts."""
        raise UsageError(f"the reward '{self.name}' has no prompts of its own; mix it with a task that has")

    def read(self, path: Path) -> Iterable[Sample]:
        """Raise a `UsageError`: there is no file format."""
        raise UsageError(f"the reward '{self.name}' reads no files; give {path} to a task")


@dataclass(frozen=True, slots=True)
class FunctionTask(PromptlessTask):
    """A reward function as a task."""

    name: str
    title: str
    function: Any
    version: str = "1"
    scale: tuple[float, float] = (0.0, 1.0)

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Call the function and return its result as a score."""
        if _is_of_trl(self.function):
            return _unscored(
                "it has the signature of TRL's rewards, (completions, **kwargs) for many answers; write a function"
                " of (sample, completion) that returns the number of one answer"
            )
        returned = self.function(sample, completion)
        if inspect.iscoroutine(returned):
            returned = asyncio.run(returned)
        return _as_score(returned, self.scale)


def _is_of_trl(function: Any) -> bool:
    try:
        return "completions" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some callables written in C tell nothing
        return False


def _as_score(returned: Any, scale: tuple[float, float] = (0.0, 1.0)) -> Score:
    if isinstance(returned, Score):
        return returned
    if returned is None:
        return _unscored("the reward returned no number (None)")
    low, high = scale
    said = f"the reward returned {returned!r:.200}"
    if isinstance(returned, bool) or not isinstance(returned, Real):
        return _unscored(f"{said}, a {type(returned).__name__}: return a number, as in float(…)")
    value = float(returned)
    if not math.isfinite(value):
        return _unscored(f"{said}: a finite number is needed")
    if not low <= value <= high:
        return _unscored(
            f"{said}, which is not within [{low:g}, {high:g}]: declare the range that it has in the recipe, as in"
            " reward: {NAME: 1.0, scale: [0, 4]}, or return a number within this one"
        )
    return Score((value - low) / (high - low))


def _unscored(reason: str) -> Score:
    return Score(None, Status.SCORER_ERROR, explanation=reason[:2000])


def plugin_task(name: str) -> BaseTask:
    """Open a reward plugin as a task: the family ``reward:`` of task names.

    Args:
        name: the plugin's, after the range of its numbers if that is not [0, 1]: ``0.0..4.0:my.py:stars``.

    Raises:
        UsageError: no such plugin, or it is neither a task nor a function.
    """
    scaled = _SCALE.match(name)
    name = name[scaled.end() :] if scaled else name
    plugin = load_plugin(GROUP, name)
    if isinstance(plugin, Task):
        return adapt(plugin, name)
    if not callable(plugin):
        raise UsageError(f"the reward '{name}' is neither a task nor a function of (sample, completion)")
    own = name.rpartition(":")[2]
    scale = (float(scaled[1]), float(scaled[2])) if scaled else (0.0, 1.0)
    return FunctionTask(own, own, plugin, version=str(getattr(plugin, "version", "1")), scale=scale)


def open_reward(spec: RewardSpec | Mapping[str, Any]) -> tuple[RewardPart, ...]:
    """Open the tasks and plugins of a reward.

    Args:
        spec: the name of a task or of a plugin, or several with their weights; a negative weight is a penalty. In
            place of a weight, a `ScaledReward` or its fields say in which range the numbers of a function lie.

    Raises:
        UsageError: an unknown name (the nearest are given), two parts of one name, weights that are no numbers, or
            a scale that is none or belongs to a task.
    """
    weights: dict[str, Any] = {spec: 1.0} if isinstance(spec, str) else dict(spec)
    if not weights:
        raise UsageError("a reward needs at least one task or plugin")
    parts = []
    for name, value in weights.items():
        weight, scale = _weight_and_scale(name, value)
        registered_as = _registered_as(name)
        if scale is not None:
            if registered_as != f"{FAMILY}:{name}":
                raise UsageError(f"the reward '{name}' is a task: its score lies in [0, 1], so it has no scale")
            registered_as = f"{FAMILY}:{scale[0]!r}..{scale[1]!r}:{name}"
        parts.append(RewardPart(open_task(registered_as), registered_as, weight))
    names = [part.task.name for part in parts]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two parts of the reward are named '{name}'")
    return tuple(parts)


def _weight_and_scale(name: str, value: Any) -> tuple[float, tuple[float, float] | None]:
    if isinstance(value, Mapping):
        try:
            value = ScaledReward.model_validate(value)
        except ValidationError as error:
            raise UsageError(f"reward '{name}': {error.errors()[0]['msg']}") from None
    if isinstance(value, ScaledReward):
        return value.weight, value.scale
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"reward '{name}': the weight is a number, not {value!r}")
    return float(value), None


def _registered_as(name: str) -> str:
    """Return what `open_task` knows a task or a reward plugin by."""
    if name in task_names() or name.partition(":")[0] in installed(FAMILIES):
        return name
    if name in installed(GROUP):
        return f"{FAMILY}:{name}"
    if ".py:" in name:
        return name if isinstance(load_plugin(GROUP, name), Task) else f"{FAMILY}:{name}"
    known = [*task_names(), *installed(GROUP)]
    raise UsageError(f"unknown reward '{name}'.{nearest(name, known)}")


def with_rubric_dropout(
    parts: Sequence[RewardPart], reward: Reward, *, fraction: float, example: str, step: int, seed: int
) -> Reward:
    """Return a reward by the criteria that count at one step (see `drop_criteria`); other parts stay."""
    scores = []
    for part in parts:
        score = reward.scores[part.task.name]
        if part.task.rubric:
            kept = drop_criteria(part.task.rubric, fraction=fraction, example=example, step=step, seed=seed)
            score = part.task.by_rubric(score, kept)
        scores.append(score)
    return _combined(parts, scores)


@dataclass(eq=False, kw_only=True)
class Rewards:
    """Scores answers with all parts of a reward; use as an async context manager.

    Plain functions are scored in ``workers`` processes a part, which are killed after ``deadline`` seconds; async
    tasks (those that ask a judge or use a sandbox) are awaited here for no longer.

    Args:
        parts: what `open_reward` gave.
        seed: for scorers that draw.
        judge: an open judge, for tasks that need one, or a function that opens it when the rest is opened.
        sandbox: ``auto`` for the strongest that works here, or its name.
        workers: processes a part.
        deadline: seconds for one answer.
    """

    parts: Sequence[RewardPart] = field(kw_only=False)
    seed: int = 0
    judge: Judge | OpenJudge | None = None
    sandbox: str = "auto"
    workers: int = 1
    deadline: float = DEADLINE_SECONDS
    _scorers: list[Scorer] = field(default_factory=list, init=False)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack, init=False)

    async def __aenter__(self) -> Self:
        judge = self.judge
        if callable(judge):
            judge = await self._stack.enter_async_context(judge())
        tasks = [part.task for part in self.parts]
        context = await self._stack.enter_async_context(
            open_scorer_context(tasks, seed=self.seed, judge=judge, sandbox=self.sandbox)
        )
        for part in self.parts:
            scorer = Scorer(
                part.task, part.registered_as, context=context, workers=self.workers, deadline=self.deadline
            )
            self._scorers.append(await self._stack.enter_async_context(scorer))
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._stack.aclose()

    async def score(self, sample: Sample, completion: Completion) -> Reward:
        """Return what an answer earns; whatever goes wrong is a reward without a value, never an exception."""
        scorers = zip(self.parts, self._scorers, strict=True)
        verdicts = await asyncio.gather(*(self._verdict(*pair, sample, completion) for pair in scorers))
        return _combined(self.parts, verdicts)

    async def score_all(self, answers: Sequence[tuple[Sample, Completion]]) -> list[Reward]:
        """Return what each answer earns, in order."""
        return list(await asyncio.gather(*(self.score(sample, completion) for sample, completion in answers)))

    async def _verdict(self, part: RewardPart, scorer: Scorer, sample: Sample, completion: Completion) -> Score:
        scoring = scorer.score(sample, completion)
        if not inspect.iscoroutinefunction(part.task.score):
            return (await scoring).score
        try:
            scored = await asyncio.wait_for(scoring, self.deadline)
        except TimeoutError:
            return Score(None, Status.TIMEOUT, explanation=f"not scored within {self.deadline:g} s")
        return _as_score(scored.score)


def _combined(parts: Sequence[RewardPart], verdicts: Sequence[Score]) -> Reward:
    scores = {part.task.name: verdict for part, verdict in zip(parts, verdicts, strict=True)}
    components: dict[str, float] = {}
    value: float | None = 0.0
    for part, verdict in zip(parts, verdicts, strict=True):
        if verdict.value is None:
            value = None
            continue
        components[part.task.name] = verdict.value
        components |= _metrics(part.task, verdict)
        if value is not None:
            value += part.weight * verdict.value
    return Reward(value, components, scores)


def _metrics(task: Task, score: Score) -> dict[str, float]:
    means = {}
    for metric in task.metrics:
        if metric.aggregate is None:
            # A metric that cannot read a verdict spoils a curve of the log; the reward stands.
            with contextlib.suppress(Exception):
                observed = [float(observation.value) for observation in metric.observe(score)]
                if observed:
                    means[f"{task.name}/{metric.name}"] = sum(observed) / len(observed)
    return means


def component_names(parts: Sequence[RewardPart]) -> list[str]:
    """Return every name that `Reward.components` of these parts may have, in order."""
    names = []
    for part in parts:
        names.append(part.task.name)
        names += [f"{part.task.name}/{metric.name}" for metric in part.task.metrics if metric.aggregate is None]
    return names
