"""Progress and state of runs, trainings and loops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from ...errors import InputError
from ...evals.records.manifest import Manifest, read_manifest
from ...files import is_held
from .learning_files import is_learning, is_loop, read_rounds, run_in

Kind = Literal["run", "training", "loop"]
State = Literal["going", "finished", "stopped", "damaged"]

# Folders of trainings that contain no runs.
_OWN_FOLDERS = frozenset({"checkpoints", "adapter"})


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run, training or loop.

    Attributes:
        kind: run, training or loop.
        title: the model of a run, the folder of a training; for a damaged directory, the error.
        state: ``going`` while a process writes; ``stopped`` when none does and the work is unfinished.
        done: finished rows of a run, steps of a training, judged rounds of a loop.
        total: expected number, None if unknown.
        started: ISO 8601 in UTC, None if unknown.
    """

    kind: Kind
    title: str
    state: State
    done: int
    total: int | None
    started: str | None = None

    def unfinished(self) -> dict[str, Any] | None:
        """Return state and progress of unfinished work, None for finished work."""
        if self.state == "finished":
            return None
        return {"state": self.state, "done": self.done, "total": self.total}


class LineCounts:
    """Counts the lines of growing files, reading only new bytes."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int, int]] = {}

    def of(self, path: Path) -> int:
        """Return the number of complete lines, 0 without a file."""
        try:
            with path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                before, offset, lines = self._known.get(path, (inode, 0, 0))
                if before != inode or os.fstat(file.fileno()).st_size < offset:
                    offset = lines = 0
                file.seek(offset)
                while block := file.read(1 << 20):
                    lines += block.count(b"\n")
                    offset += len(block)
        except FileNotFoundError:
            return 0
        self._known[path] = (inode, offset, lines)
        return lines


def progress_of(directory: Path, counts: LineCounts) -> Progress:
    """Return the progress of the work in a directory."""
    try:
        if not is_learning(directory):
            return run_progress(directory, read_manifest(directory), counts)
        return _loop_progress(directory, counts) if is_loop(directory) else _training_progress(directory)
    except (InputError, OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        return Progress("run", f"{type(error).__name__}: {error}", "damaged", 0, None)


def run_progress(directory: Path, manifest: Manifest, counts: LineCounts) -> Progress:
    """Return the progress of a run with this manifest."""
    return Progress(
        "run",
        manifest.model.name,
        _state(is_held(directory), manifest.finished is not None),
        counts.of(directory / "samples.jsonl"),
        sum(task.samples for task in manifest.tasks) * manifest.spec.epochs,
        manifest.started,
    )


def _training_progress(directory: Path) -> Progress:
    (training,) = read_rounds(directory)
    steps = training.recipe.get("steps")
    ended = training.result is not None and (
        bool(training.result["stopped"]) or steps is None or training.result["step"] >= steps
    )
    done = training.rows[-1].step if training.rows else 0
    return Progress("training", directory.name, _state(is_held(directory), ended), done, steps)


def _loop_progress(directory: Path, counts: LineCounts) -> Progress:
    rounds = read_rounds(directory)
    first = run_in(directory / "baseline")
    baseline = progress_of(first, counts) if first else None
    return Progress(
        "loop",
        baseline.title if baseline else directory.name,
        _state(is_held(directory), (directory / "loop.json").is_file()),
        sum(one.verdict is not None for one in rounds),
        None,
        baseline.started if baseline else None,
    )


def _state(going: bool, ended: bool) -> State:
    return "going" if going else "finished" if ended else "stopped"


def find_work(root: Path) -> Iterator[Path]:
    """Yield the directories below a folder (or the folder itself) that hold a run, a training or a loop, by path.

    Symbolic links are not followed; directories that contain links out of the folder are skipped.
    """
    root = root.resolve()
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _OWN_FOLDERS and not name.startswith("."))
        directory = Path(place)
        is_run = "manifest.json" in files and "samples.jsonl" in files
        if (is_run or is_learning(directory)) and not _leads_out(root, directory):
            yield directory


def _leads_out(root: Path, directory: Path) -> bool:
    links = (path for path in directory.rglob("*") if path.is_symlink())
    return any(not link.resolve().is_relative_to(root) for link in links)
