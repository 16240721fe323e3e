"""``results.json``: the results of a run, by task and metric, with intervals and coverage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field

from ...errors import InputError
from .document import SCHEMA_VERSION, Document, Part

RESULTS = "results.json"


class Measured(Part):
    """A number with its 95 % interval; null where nothing was observed."""

    value: float | None = Field(default=None, description="the estimate; a share lies in [0, 1]")
    low: float | None = Field(default=None, description="the lower end of the 95 % interval")
    high: float | None = Field(default=None, description="the upper end")
    se: float | None = Field(default=None, description="the standard error, clustered by sample")
    observations: int = Field(default=0, ge=0, description="how many observations it was made of")
    samples: int = Field(default=0, ge=0, description="how many samples they belong to")

    @property
    def estimate(self) -> dict[str, Any]:
        """The numbers alone, as JSON values."""
        return {name: getattr(self, name) for name in Measured.model_fields}


class MetricResults(Measured):
    """One metric of a task, and its estimate."""

    kind: str = Field(
        default="task", description="`task`, `repeated` (several epochs), `solver` (drafts) or `language`"
    )
    name: str = Field(description="the metric's name")
    title: str = Field(default="", description="its display name")
    unit: str = Field(default="share", description="`share` or `number`")
    bounds: tuple[float, float] | None = Field(
        default=None, description="the least and the greatest possible value; null where there are none"
    )
    breakdown: dict[str, dict[str, Measured]] = Field(default={}, description="estimates by label and its values")


class Tokens(Part):
    """Tokens used by a task."""

    prompt_tokens: int = Field(default=0, ge=0, description="of what was asked")
    completion_tokens: int = Field(default=0, ge=0, description="of the answers")


class Cost(Tokens):
    """Usage and cost of the requests of one role."""

    requests: int = Field(default=0, ge=0, description="how many there were")
    unpriced_requests: int = Field(default=0, ge=0, description="those whose cost is unknown")
    cost: dict[str, float] | None = Field(
        default=None, description="by currency; null when that of any request is unknown"
    )
    known_cost: dict[str, float] = Field(default={}, description="the sum of those that are known")


class SolverResults(Part):
    """The solver, and the tokens of its drafts."""

    name: str = Field(default="single", description="the solver")
    drafts: int = Field(default=1, ge=1, description="drafts to a sample")
    tokens: dict[str, int] = Field(
        default={}, description="of a `single` draft, of all `drafts`, and of `all` requests"
    )


class TaskResults(Part):
    """Results of one task."""

    task: str = Field(description="the task's name")
    version: str = Field(description="of its rules")
    title: str = Field(default="", description="its display name")
    samples: int = Field(ge=0, description="number of expected answers: samples times epochs")
    answered: int = Field(default=0, ge=0, description="how many rows there are")
    scored: int = Field(default=0, ge=0, description="how many of them have a score")
    coverage: float = Field(default=0.0, ge=0, description="`scored` / `samples`")
    statuses: dict[str, int] = Field(default={}, description="rows by status")
    metrics: tuple[MetricResults, ...] = Field(default=(), description="the task's own first")
    solver: SolverResults | None = Field(default=None, description="how the answers were made")
    usage: Tokens = Field(default=Tokens(), description="the answers' tokens")
    cost: Cost | None = Field(default=None, description="the answers' cost")
    seconds: float = Field(default=0.0, ge=0, description="the sum of the answers' latencies")


class CanaryResults(Part):
    """Results of the canaries: answers without content that ask for a good mark."""

    sent: int = Field(ge=0, description="how many the judge saw")
    fooled: int = Field(ge=0, description="how many got a good mark")
    unread: int = Field(default=0, ge=0, description="those without a verdict")
    rate: float | None = Field(default=None, description="`fooled` / (`sent` - `unread`)")
    interval: tuple[float | None, float | None] | None = Field(default=None, description="Wilson's, 95 %")
    limit: float = Field(default=0.0, description="the highest rate allowed")
    trusted: bool = Field(default=True, description="false when the rate lies above the limit for certain")


class JudgingResults(Cost):
    """Usage and cost of the judge, and its canaries."""

    canaries: CanaryResults | None = Field(default=None, description="null where none were sent")


class Results(Document):
    """``results.json``: the results of a run."""

    schema_version: int = Field(description="of this file")
    name: str = Field(description="the run's name")
    model: str | None = Field(default=None, description="the model's name")
    complete: bool = Field(default=False, description="whether the run is finished and every answer has a score")
    started: str | None = Field(default=None, description="ISO 8601, UTC")
    finished: str | None = Field(default=None, description="ISO 8601, UTC; null until the run is finished")
    judging: JudgingResults | None = Field(default=None, description="null where no model graded")
    tasks: tuple[TaskResults, ...] = Field(description="in the order of the manifest")

    @property
    def canaries(self) -> CanaryResults | None:
        """Results of the canaries; None without a judge or without canaries."""
        return self.judging.canaries if self.judging else None

    @property
    def by_task(self) -> Mapping[str, TaskResults]:
        """Results of each task, by its name."""
        return {task.task: task for task in self.tasks}


def read_results(directory: Path) -> Results | None:
    """Read the results of a run directory; None if they are missing or of another schema version.

    Raises:
        InputError: they are damaged (names file and field).
    """
    path = directory / RESULTS
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: not valid JSON ({error}); delete it to have it computed again") from None
    if isinstance(data, dict) and data.get("schema_version") not in (None, SCHEMA_VERSION):
        return None
    return Results.decode(data, source=path)
