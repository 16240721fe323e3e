"""``--executor ray``: copies of the model on the machines of a Ray cluster, behind one `Model`.

::

    runner ── generate() ──▶ queue in this process ──▶ batches ──▶ actors, each with the model open
       │  the only writer              ▲                              │
       └── completion ◀────────────────┴── of an actor that died ─────┘

Scoring, saving and resuming stay in this process, so each result is written once whatever happens to a worker. An
actor that dies is replaced, and its unanswered requests are sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import EvalkitError, MissingExtraError, ModelError, UsageError
from ...tasks.types import Completion, Message
from ..models.base import LikelihoodModel, Model, ModelOptions, Sampling
from ..models.open import open_model

if TYPE_CHECKING:
    from ray.actor import ActorHandle

SMALLEST_BATCH, LARGEST_BATCH = 8, 64
BATCHES_IN_FLIGHT = 2
DEATHS_OF_A_REQUEST = 3
DEATHS_IN_A_ROW = 3
ON_GPUS = ("hf", "vllm")


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the model and its arguments, as they travel to an actor."""

    method: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """Result of a call: its value, or its error."""

    value: Any = None
    error: str | None = None
    fatal: bool = False


class RayWorker:
    """The model in an actor's process."""

    def __init__(self, model: str, options: ModelOptions) -> None:
        self._failure: str | None = None
        try:
            self._model: Model = open_model(model, options)
        except EvalkitError as error:  # The driver reports it: Ray would wrap an exception raised here.
            self._failure = str(error)

    def describe(self) -> dict[str, Any]:
        """Return the model's ``name``, ``identity`` and ``concurrency``, or why it could not be opened."""
        if self._failure is not None:
            return {"failure": self._failure}
        return {
            "name": self._model.name,
            "identity": dict(self._model.identity),
            "concurrency": self._model.concurrency,
            "measures": isinstance(self._model, LikelihoodModel),
        }

    async def answer(self, calls: Sequence[Call]) -> list[Reply]:
        """Do all calls side by side."""
        return list(await asyncio.gather(*map(self._answer, calls)))

    async def _answer(self, call: Call) -> Reply:
        try:
            return Reply(await getattr(self._model, call.method)(*call.arguments))
        except ModelError as error:
            return Reply(error=str(error), fatal=error.fatal)

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()


@dataclass(slots=True)
class _Pending:
    call: Call
    future: asyncio.Future[Any]
    deaths: int = 0


@dataclass(slots=True)
class _Seat:
    """A slot for an actor; a new one is started when it dies."""

    actor: ActorHandle
    in_flight: int = 0
    deaths_in_a_row: int = 0


@dataclass(slots=True)
class _Cluster:
    """How to open one more actor, and whether the cluster was started for this run."""

    model: str
    options: ModelOptions
    resources: Mapping[str, float]
    started_here: bool
    seats: list[_Seat] = field(default_factory=list)

    def new_actor(self) -> ActorHandle:
        import ray

        remote = ray.remote(RayWorker).options(scheduling_strategy="SPREAD", **self.resources)
        return remote.remote(self.model, self.options)


def open_on_ray(
    model: str, options: ModelOptions, *, workers: int | None = None, address: str | None = None
) -> RayModel:
    """Open copies of a model on a Ray cluster, each on a GPU of its own where the cluster has some.

    Args:
        model: a model string.
        options: what the command line says about the model.
        workers: how many copies; by default one for each GPU, or machine where there are none.
        address: of the cluster (``ray://HOST:10001``, ``auto``); by default one that this machine belongs to, else
            one started here for the run.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: no such cluster, or the model cannot be opened on it.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray") from None
    started_here = _connect(address)
    gpus = int(ray.cluster_resources().get("GPU", 0)) if model.partition(":")[0] in ON_GPUS else 0
    machines = sum(bool(node["Alive"]) for node in ray.nodes())
    cluster = _Cluster(model, options, {"num_gpus": 1} if gpus else {"num_cpus": 1}, started_here)
    cluster.seats = [_Seat(cluster.new_actor()) for _ in range(workers or gpus or machines)]
    try:
        descriptions = ray.get([seat.actor.describe.remote() for seat in cluster.seats])
    except ray.exceptions.RayError as error:
        raise UsageError(f"--executor ray: a worker did not start: {error}") from None
    for one in descriptions:
        if "failure" in one:
            raise UsageError(f"on a worker: {one['failure']}")
        if one["identity"] != descriptions[0]["identity"]:
            raise UsageError(
                f"the Ray workers loaded different models: {descriptions[0]['identity']} / {one['identity']};"
                " give all machines the same files and versions"
            )
    kind = RayLikelihoodModel if descriptions[0]["measures"] else RayModel
    return kind(cluster, descriptions[0])


def _connect(address: str | None) -> bool:
    """Connect to a cluster; return whether it was started here."""
    import ray

    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        ray.init(address=address or "auto", **quiet)
        return False
    except (ConnectionError, ValueError, RuntimeError) as error:
        if address is not None:
            raise UsageError(f"--cluster {address}: {error}") from None
    ray.init(address="local", include_dashboard=False, **quiet)
    return True


class RayModel:
    """One model on many actors; a request goes to the least busy actor."""

    def __init__(self, cluster: _Cluster, description: Mapping[str, Any]) -> None:
        self.name: str = description["name"]
        self.identity: Mapping[str, Any] = description["identity"]
        self.concurrency: int = description["concurrency"] * len(cluster.seats)
        self.executor = {"name": "ray", "workers": len(cluster.seats)}
        self._batch = min(LARGEST_BATCH, max(SMALLEST_BATCH, description["concurrency"] // BATCHES_IN_FLIGHT))
        self._cluster = cluster
        self._queue: deque[_Pending] = deque()
        self._sending: set[asyncio.Task[None]] = set()
        self._failure: ModelError | None = None

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat on some actor.

        Raises:
            ModelError: it failed there, or actors died on it repeatedly.
        """
        completion: Completion = await self._call("generate", tuple(messages), sampling)
        return completion

    async def _call(self, method: str, *arguments: Any) -> Any:
        if self._failure is not None:
            raise self._failure
        pending = _Pending(Call(method, arguments), asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        # Requests that are made in the same moment share a batch.
        asyncio.get_running_loop().call_soon(self._send)
        return await pending.future

    def _send(self) -> None:
        while self._queue:
            seat = min(self._cluster.seats, key=lambda seat: seat.in_flight)
            if seat.in_flight >= BATCHES_IN_FLIGHT:
                return
            batch = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
            seat.in_flight += 1
            task = asyncio.create_task(self._deliver(seat, batch))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, seat: _Seat, batch: list[_Pending]) -> None:
        import ray

        actor = seat.actor
        try:
            replies = await actor.answer.remote([pending.call for pending in batch])
        except ray.exceptions.RayActorError as error:
            if seat.actor is actor:
                self._replace(seat, error)
            self._requeue(batch)
        except Exception as error:  # a batch that Ray cannot send must not leave callers waiting
            for pending in batch:
                _settle(pending, Reply(error=f"Ray failed: {' '.join(str(error).split())[:500]}"))
        else:
            seat.deaths_in_a_row = 0
            for pending, reply in zip(batch, replies, strict=True):
                _settle(pending, reply)
        finally:
            seat.in_flight -= 1
            self._send()

    def _replace(self, seat: _Seat, error: Exception) -> None:
        seat.deaths_in_a_row += 1
        if seat.deaths_in_a_row >= DEATHS_IN_A_ROW:
            reason = " ".join(str(error).split())[:500]
            self._failure = ModelError(f"{DEATHS_IN_A_ROW} workers in a row died: {reason}", fatal=True)
        else:
            seat.actor = self._cluster.new_actor()

    def _requeue(self, batch: Sequence[_Pending]) -> None:
        for pending in reversed(batch):
            pending.deaths += 1
            if self._failure is not None:
                _settle(pending, Reply(error=str(self._failure), fatal=True))
            elif pending.deaths >= DEATHS_OF_A_REQUEST:
                _settle(pending, Reply(error=f"{pending.deaths} workers died on this request"))
            else:
                self._queue.appendleft(pending)

    async def close(self) -> None:
        """Close the models and end the actors."""
        import ray

        for seat in self._cluster.seats:
            with contextlib.suppress(ray.exceptions.RayError):
                await seat.actor.close.remote()
            ray.kill(seat.actor)
        if self._cluster.started_here:
            ray.shutdown()


class RayLikelihoodModel(RayModel):
    """A `RayModel` whose copies can also measure texts."""

    async def loglikelihood(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
        """Return, for each (context, continuation), log P(continuation | context) and whether it is the greedy one.

        Raises:
            ModelError: it cannot be computed.
        """
        return list(await self._call("loglikelihood", tuple(pairs)))

    async def loglikelihood_rolling(self, texts: Sequence[str]) -> list[float]:
        """Return log P(text) of whole texts.

        Raises:
            ModelError: it cannot be computed.
        """
        return list(await self._call("loglikelihood_rolling", tuple(texts)))


def _settle(pending: _Pending, reply: Reply) -> None:
    if pending.future.done():
        return
    if reply.error is not None:
        pending.future.set_exception(ModelError(reply.error, fatal=reply.fatal))
    else:
        pending.future.set_result(reply.value)
