"""Plans a run from its spec, and validates all input before any request is paid for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from ...errors import InputError, UsageError
from ...files import sha256_of
from ...tasks.base import BaseTask
from ...tasks.registry import open_task
from ...tasks.types import Sample
from .spec import RunSpec


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One task of a run with its data: ``path`` is a file in the published form, or None for the task's own.

    ``measures`` tells that it wants log-likelihoods, which not every model can give.
    """

    task: BaseTask
    registered_as: str
    path: Path | None
    spec: RunSpec
    size: int
    sha256: str
    measures: bool
    notice: str = ""

    def samples(self) -> Iterator[Sample]:
        """Yield the samples of this shard, read anew each time: a run holds few of them in memory."""
        samples = _samples(self.task, self.path, self.spec)
        return islice(samples, self.spec.shard_index, None, self.spec.shard_count)

    @property
    def shard_size(self) -> int:
        """How many samples the shard has; ``size`` counts those of all shards."""
        return len(range(self.spec.shard_index, self.size, self.spec.shard_count))

    def identity(self) -> dict[str, Any]:
        """Return what the manifest records, and what a resumed run must find unchanged."""
        return {
            "name": self.task.name,
            "registered_as": self.registered_as,
            "version": self.task.version,
            "title": self.task.title,
            "samples": self.shard_size,
            "data": {"path": str(self.path) if self.path else None, "sha256": self.sha256},
        }


def plan_tasks(spec: RunSpec) -> list[PlannedTask]:
    """Open every task and read its data once, to the end.

    A benchmark whose data cannot be shipped names a ``stand_in`` of our own; it is used, under its own name, when
    no file is given.

    Raises:
        UsageError: an unknown task.
        InputError: a data file that cannot be used (names file and line).
    """
    planned = [_plan(spec, name) for name in spec.tasks]
    asked: dict[str, list[str]] = {}
    for name, item in zip(spec.tasks, planned, strict=True):
        asked.setdefault(item.task.name, []).append(name)
    for task, names in asked.items():
        if len(names) > 1:
            raise UsageError(
                f"--tasks: {' and '.join(names)} are the same task ({task}) without a data file: remove one, or"
                f" give --data {next(name for name in names if name != task)}=FILE"
            )
    return planned


def _plan(spec: RunSpec, name: str) -> PlannedTask:
    task = open_task(name)
    notice = ""
    given = spec.data.get(name)
    stand_in = task.stand_in
    if given is None and stand_in is not None:
        notice = (
            f"{name}: no data file given, so the prompts shipped as {stand_in} are used"
            f" (--data {name}=FILE runs the published ones)"
        )
        name, task = stand_in, open_task(stand_in)
    path = Path(given).resolve() if given is not None else None
    size, sha256, measures = _examine(task, path, spec)
    return PlannedTask(task, name, path, spec, size, sha256, measures, notice)


def _samples(task: BaseTask, path: Path | None, spec: RunSpec) -> Iterator[Sample]:
    if path is None:
        samples: Iterable[Sample] = task.samples(split="test", limit=spec.limit, seed=spec.seed)
    else:
        samples = islice(task.read(path), spec.limit)
    return (sample for sample in samples if "skip" not in sample.metadata)


def _examine(task: BaseTask, path: Path | None, spec: RunSpec) -> tuple[int, str, bool]:
    digest = hashlib.sha256()
    seen: set[str] = set()
    measures = False
    for sample in _samples(task, path, spec):
        if not isinstance(sample.id, str):
            raise InputError(f"{path or task.name}: the id {sample.id!r} of a sample is not a string")
        if sample.id in seen:
            raise InputError(f"{path or task.name}: two samples have the id '{sample.id}'; ids must be unique")
        seen.add(sample.id)
        measures = measures or bool(sample.continuations)
        if path is None:
            digest.update(orjson.dumps(sample))
    if not seen:
        raise InputError(f"{path or task.name}: no samples")
    return len(seen), digest.hexdigest() if path is None else _sha256(task.sources(path)), measures


def _sha256(paths: Sequence[Path]) -> str:
    """Return the sha256 of a file, or of the digests of several."""
    sums = [sha256_of(path) for path in paths]
    return sums[0] if len(sums) == 1 else hashlib.sha256(b"".join(map(bytes.fromhex, sums))).hexdigest()
