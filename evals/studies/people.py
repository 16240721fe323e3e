"""Human review: gradings that judges could not settle are exported as JSON lines, and verdicts imported.

A line that goes out (`evalkit judge queue RUN -o FILE`)::

    {"task", "id", "epoch", "turn",            which grading; ``turn`` counts from 1, null where there are no turns
     "why", "status",                          the reason for review; the status of the grading
     "scale": [0, 7],                          the lowest and the highest verdict, whole numbers
     "problem", "solution", "target",          what was asked, what is to be graded, what is known of the problem
     "graders": [{"judge", "verdict", "status", "words"}],
     "gate",                                   what code made of a proof's final answer, null for anything else
     "answer_sha256",                          of the solution: a verdict counts for this very text alone
     "verdict": null, "by": "", "comment": ""} for the person to fill in

The reasons: ``unscored``, the judges gave no usable verdict; ``escalated``, they differ by more than
two points; ``gated``, they give a proof over two points more than its wrong final answer lets through.

What is graded, and how a verdict becomes a score, the tasks say: `BaseTask.review` and `BaseTask.settle`.

The same lines come back with verdicts in them; those still null stay open. They are appended to the run's
``people.jsonl`` and stand in the scores from then on, marked ``human``, whatever judges or parsers say later.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ...errors import UsageError
from ...files import Journal, read_journal, replacing, write_lines
from ...tasks.base import BaseTask, Grading, HumanVerdict
from ...tasks.records import Record, read_records
from ...tasks.registry import open_task
from ..engine.results import write_summary
from ..records import rows
from ..records.manifest import read_manifest
from ..records.rows import ROWS, SampleRow, read_rows

PEOPLE: Final = "people.jsonl"
"""The human verdicts of a run, in its directory."""

KEY_FIELDS: Final = ("task", "id", "epoch", "turn")
Line = dict[str, Any]
"""A line of the queue, or of ``people.jsonl``."""
GradingKey = tuple[str, str, int, int | None]
"""(task, sample id, epoch, turn): what a person grades."""


@dataclass(frozen=True, slots=True)
class ImportedVerdicts:
    """Counts of an imported file: verdicts taken, and lines still without one."""

    verdicts: int
    still_open: int


@dataclass(frozen=True, slots=True)
class _RowGrading:
    """A grading of a row of the run."""

    key: GradingKey
    grading: Grading

    @property
    def why(self) -> str | None:
        """The reason for human review; None if there is none, or it was done."""
        if self.grading.human:
            return None
        return "unscored" if self.grading.verdict is None else self.grading.doubt

    @property
    def answer_sha256(self) -> str:
        return hashlib.sha256(self.grading.text.encode("utf-8", "surrogatepass")).hexdigest()


def write_queue(directory: Path, output: Path) -> int:
    """Write what people should grade, in the run's order, and return how many lines these are.

    Raises:
        InputError: the directory is not a run.
        UsageError: the file is there already: people's verdicts may be in it; or a task is not installed.
    """
    read_manifest(directory)
    if output.exists():
        raise UsageError(
            f"{output} already exists and may contain verdicts: read them with --verdicts {output},"
            " or give another -o"
        )
    task_of = _tasks(directory)
    gradings = ((row, asked) for row in read_rows(directory) for asked in _gradings(row, task_of))
    return write_lines(output, (_line(row, asked) for row, asked in gradings if asked.why is not None))


def take_verdicts(directory: Path, path: Path) -> ImportedVerdicts:
    """Import human verdicts into a run; its scores, ``results.json`` and ``samples.parquet`` are updated.

    Nothing is changed unless every line can be used. A later verdict on the same grading replaces an earlier one.

    Raises:
        InputError: the directory is not a run, or a line cannot be used (names file, line and field).
        UsageError: the run is still going, or a task is not installed.
    """
    if read_manifest(directory).finished is None:
        raise UsageError(f"{directory} has not finished: resume it first, so that no row is written twice")
    task_of = _tasks(directory)
    gradings = {asked.key: asked for row in read_rows(directory) for asked in _gradings(row, task_of)}
    given: dict[GradingKey, Line] = {}
    still_open = 0
    # An empty queue is valid.
    lines = read_records(path) if not path.exists() or path.stat().st_size else ()
    for line in lines:
        asked = _graded(line, gradings)
        if line.get("verdict") is None:
            still_open += 1
            continue
        verdict = _verdict(line, asked)
        if given.setdefault(asked.key, verdict) != verdict:
            raise line.error("there are two different verdicts on this grading; leave one of them")
    if given:
        with contextlib.closing(Journal(directory / PEOPLE)) as journal:
            for verdict in given.values():
                journal.append(verdict)
        _settle_all(directory)
    return ImportedVerdicts(len(given), still_open)


def _settle_all(directory: Path) -> None:
    settle = settled_by_people(directory)
    with replacing(directory / ROWS) as file:
        for row in read_rows(directory):
            file.write(rows.encode(settle(row)))
    write_summary(directory)


def settled_by_people(directory: Path) -> Callable[[SampleRow], SampleRow]:
    """Return a function that applies human verdicts to a scored row; rows without one are returned unchanged.

    A verdict applies only to the answer that was reviewed; if the row has another answer, it is ignored.
    """
    verdicts = {_key(line): line for line in read_journal(directory / PEOPLE)}
    if not verdicts:
        return lambda row: row

    task_of = _tasks(directory)

    def settle(row: SampleRow) -> SampleRow:
        for asked in _gradings(row, task_of):
            said = verdicts.get(asked.key)
            if said is not None and said["answer_sha256"] == asked.answer_sha256:
                verdict = HumanVerdict(said["verdict"], asked.grading.turn, said["by"], said["comment"])
                row = replace(row, score=task_of(row.task).settle(row.score, verdict))
        return row

    return settle


def _tasks(directory: Path) -> Callable[[str], BaseTask]:
    """Return what opens a task of a run by its name, once."""
    registered = {planned.name: planned.registered_as for planned in read_manifest(directory).tasks}
    return cache(lambda name: open_task(registered[name]))


def _gradings(row: SampleRow, task_of: Callable[[str], BaseTask]) -> Iterator[_RowGrading]:
    """Yield what judges graded of a row; nothing if no model answered."""
    if row.completion is None:
        return
    for grading in task_of(row.task).review(row.completion, row.score):
        yield _RowGrading((*row.key, grading.turn), grading)


def _line(row: SampleRow, asked: _RowGrading) -> Line:
    grading, turn = asked.grading, asked.grading.turn
    messages = row.messages[:turn] if turn is not None else row.messages
    return {
        **dict(zip(KEY_FIELDS, asked.key, strict=True)),
        "why": asked.why,
        "status": grading.status,
        "scale": grading.scale,
        "problem": "\n\n".join(message.content for message in messages),
        "solution": grading.text,
        "target": row.target,
        "graders": list(_graders(grading.judged)),
        "gate": row.score.parts.get("gate"),
        "answer_sha256": asked.answer_sha256,
        "verdict": None,
        "by": "",
        "comment": "",
    }


def _graders(judged: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the reasons of each judge, of the members of a jury one by one."""
    if "members" in judged:
        for member in judged["members"]:
            yield from _graders(member)
    elif judged:
        words = judged.get("words") or judged.get("error") or judged.get("unasked") or ""
        verdict = judged.get("points", judged.get("value"))
        yield {"judge": judged.get("judge", ""), "verdict": verdict, "status": judged.get("status"), "words": words}


def _key(line: Mapping[str, Any]) -> GradingKey:
    return line["task"], line["id"], line["epoch"], line.get("turn")


def _graded(line: Record, gradings: Mapping[GradingKey, _RowGrading]) -> _RowGrading:
    for name in ("task", "id", "epoch", "answer_sha256"):
        if name not in line:
            raise line.error(f"field '{name}' is missing; keep all fields of the queue's lines")
    try:
        asked = gradings.get(_key(line))
    except TypeError:
        asked = None
    if asked is None:
        turn = f", turn {line['turn']}" if line.get("turn") is not None else ""
        raise line.error(
            f"this line matches no graded answer of the run: task {line['task']!r}, id {line['id']!r},"
            f" epoch {line['epoch']!r}{turn}; is it the queue of another run?"
        )
    if asked.answer_sha256 != line["answer_sha256"]:
        raise line.error(f"the answer of '{line['id']}' has changed since this line was exported")
    return asked


def _verdict(line: Record, asked: _RowGrading) -> Line:
    verdict = line["verdict"]
    low, high = asked.grading.scale
    whole = isinstance(verdict, int | float) and not isinstance(verdict, bool) and verdict == int(verdict)
    if not whole or not low <= verdict <= high:
        raise line.field_error("verdict", f"expected a whole number from {low} to {high}, found {verdict!r}")
    return {
        **dict(zip(KEY_FIELDS, asked.key, strict=True)),
        "answer_sha256": asked.answer_sha256,
        "verdict": int(verdict),
        "by": str(line.get("by") or ""),
        "comment": str(line.get("comment") or ""),
    }
