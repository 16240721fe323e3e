"""``evalkit merge``: the shards of one run, made on several machines, become one run directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError, UsageError
from ..files import AnyPath, Paths, paths_of, read_journal, read_shared_journal, replacing, write_json, write_lines
from .engine.results import write_summary
from .judging.canaries import CANARIES
from .judging.opening import VERDICTS
from .records.manifest import MANIFEST, Manifest, differences, now, read_manifest
from .records.rows import ROWS, Key, encode, read_rows
from .studies.people import PEOPLE


def merge(runs: Paths, output: AnyPath) -> Path:
    """Write the rows of all runs into one run directory, each (task, sample, epoch) once, the first one found.

    Raises:
        UsageError: the runs are not parts of one run (the message shows the differences), or ``output`` exists.
        InputError: a directory is not a run.
    """
    runs, output = paths_of(runs), Path(output)
    if len(runs) < 2:
        raise UsageError("merge needs at least two run directories")
    if output.exists():
        raise UsageError(f"{output} exists already; give another --output")
    manifests = [read_manifest(run) for run in runs]
    for run, manifest in zip(runs[1:], manifests[1:], strict=True):
        found = differences(_common(manifests[0]), _common(manifest))
        if found:
            raise UsageError(f"{run} and {runs[0]} are not shards of one run. They differ in\n" + "\n".join(found))
    merged = _merged_manifest(manifests, output.name)
    output.mkdir(parents=True)
    seen: set[Key] = set()
    with replacing(output / ROWS) as file:
        for run in runs:
            for row in read_rows(run):
                if row.key not in seen:
                    seen.add(row.key)
                    file.write(encode(row))
    for name in (VERDICTS, CANARIES, PEOPLE):
        if any((run / name).exists() for run in runs):
            write_lines(output / name, (row for run in runs for row in _rows(run, name)))
    write_json(output / MANIFEST, merged.as_json())
    write_summary(output)
    return output


def _rows(run: Path, name: str) -> Iterable[dict[str, Any]]:
    if name == VERDICTS:
        return (row for _, row in read_shared_journal(run / name))
    return read_journal(run / name)


def _common(manifest: Manifest) -> dict[str, Any]:
    """What the parts of one run share."""
    tasks = [{**task.as_json(), "samples": None} for task in manifest.tasks]
    return {
        "spec": {**manifest.settings, "shard": None},
        "model": manifest.model.as_json(),
        "judge": manifest.judge,
        "tasks": tasks,
    }


def _merged_manifest(manifests: Sequence[Manifest], name: str) -> Manifest:
    shards = [manifest.spec.shard for manifest in manifests]
    if len(set(shards)) != len(shards):
        raise InputError(f"two of the runs are the same shard ({', '.join(map(str, shards))})")
    tasks = [
        {**parts[0].as_json(), "samples": sum(part.samples for part in parts)}
        for parts in zip(*(manifest.tasks for manifest in manifests), strict=True)
    ]
    finished = [manifest.finished for manifest in manifests if manifest.finished]
    return manifests[0].changed(
        name=name,
        spec={**manifests[0].settings, "shard": None},
        tasks=tasks,
        started=min(manifest.started for manifest in manifests),
        finished=max(finished) if len(finished) == len(manifests) else None,
        merged={"at": now(), "shards": shards},
    )
