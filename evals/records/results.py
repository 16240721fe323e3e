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

    value: float | None = Field(default=None, description="estimate; shares lie in [0, 1]")
    low: float | None = Field(default=None, description="lower bound of the 95 % interval")
    high: float | None = Field(default=None, description="upper bound of the 95 % interval")
    se: float | None = Field(default=None, description="standard error, clustered by sample")
    observations: int = Field(default=0, ge=0, description="number of observations")
    samples: int = Field(default=0, ge=0, description="number of distinct samples among the observations")

    @property
    def estimate(self) -> dict[str, Any]:
        """The numbers alone, as JSON values."""
        return {name: getattr(self, name) for name in Measured.model_fields}


class MetricResults(Measured):
    """One metric of a task, and its estimate."""

    kind: str = Field(
        default="task", description="`task`, `repeated` (several epochs), `solver` (drafts) or `language`"
    )
    name: str = Field(description="name of the metric")
    title: str = Field(default="", description="display name of the metric")
    unit: str = Field(default="share", description="`share` or `number`")
    bounds: tuple[float, float] | None = Field(
        default=None, description="lowest and highest possible value; null if unbounded"
    )
    breakdown: dict[str, dict[str, Measured]] = Field(
        default={}, description="estimates by category and its values"
    )


class Tokens(Part):
    """Tokens used by a task."""

    prompt_tokens: int = Field(default=0, ge=0, description="number of prompt tokens")
    completion_tokens: int = Field(default=0, ge=0, description="number of completion tokens")


class Cost(Tokens):
    """Usage and cost of the requests of one role."""

    requests: int = Field(default=0, ge=0, description="number of requests")
    unpriced_requests: int = Field(default=0, ge=0, description="number of requests of unknown cost")
    cost: dict[str, float] | None = Field(
        default=None, description="total cost by currency; null if any request's cost is unknown"
    )
    known_cost: dict[str, float] = Field(default={}, description="sum of the known costs, by currency")


class SolverResults(Part):
    """The solver, and the tokens of its drafts."""

    name: str = Field(default="single", description="name of the solver")
    drafts: int = Field(default=1, ge=1, description="number of drafts per sample")
    tokens: dict[str, int] = Field(
        default={}, description="completion tokens of a `single` draft, of all `drafts`, and of `all` requests"
    )


class TaskResults(Part):
    """Results of one task."""

    task: str = Field(description="name of the task")
    version: str = Field(description="version of the scoring rules")
    title: str = Field(default="", description="display name of the task")
    samples: int = Field(ge=0, description="number of expected answers: samples times epochs")
    answered: int = Field(default=0, ge=0, description="number of rows")
    scored: int = Field(default=0, ge=0, description="number of rows with a score")
    coverage: float = Field(default=0.0, ge=0, description="`scored` / `samples`")
    statuses: dict[str, int] = Field(default={}, description="number of rows by status")
    metrics: tuple[MetricResults, ...] = Field(default=(), description="metrics, the task's own first")
    solver: SolverResults | None = Field(default=None, description="solver, and the tokens of its drafts")
    usage: Tokens = Field(default=Tokens(), description="tokens of the answers")
    cost: Cost | None = Field(default=None, description="cost of the answers")
    seconds: float = Field(default=0.0, ge=0, description="sum of the answers' latencies, in seconds")


class CanaryResults(Part):
    """Results of the canaries: worthless answers that ask for a good grade."""

    sent: int = Field(ge=0, description="number of canaries sent to the judge")
    fooled: int = Field(ge=0, description="number of canaries with a good grade")
    unread: int = Field(default=0, ge=0, description="number of canaries without a verdict")
    rate: float | None = Field(default=None, description="`fooled` / (`sent` - `unread`)")
    interval: tuple[float | None, float | None] | None = Field(
        default=None, description="95 % interval of `rate` (Wilson)"
    )
    limit: float = Field(default=0.0, description="highest acceptable rate")
    trusted: bool = Field(
        default=True,
        description="false if several canaries succeeded and the whole interval of `rate` lies above `limit`",
    )


class JudgingResults(Cost):
    """Usage and cost of the judge, and its canaries."""

    canaries: CanaryResults | None = Field(
        default=None, description="results of the canaries; null if none were sent"
    )


class Results(Document):
    """``results.json``: the results of a run."""

    schema_version: int = Field(description="version of the format of this file")
    name: str = Field(description="name of the run")
    model: str | None = Field(default=None, description="name of the model")
    complete: bool = Field(default=False, description="whether the run is finished and every answer has a score")
    started: str | None = Field(default=None, description="start time, ISO 8601, UTC")
    finished: str | None = Field(
        default=None, description="end time, ISO 8601, UTC; null until the run is finished"
    )
    judging: JudgingResults | None = Field(default=None, description="usage of the judge; null if no model graded")
    tasks: tuple[TaskResults, ...] = Field(description="results of each task, in the order of the manifest")

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
