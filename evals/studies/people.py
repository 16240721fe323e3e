"""The queue for people: gradings that judges could not settle go out as JSON lines, people's verdicts come back in.

A line that goes out (`evalkit judge queue RUN -o FILE`)::

    {"task", "id", "epoch", "turn",            which grading; ``turn`` counts from 1, null where there are no turns
     "why", "status",                          one of `WHY`; the status of the grading
     "scale": [0, 7],                          the lowest and the highest verdict, whole numbers
     "problem", "solution", "target",          what was asked, what is to be graded, what is known of the problem
     "graders": [{"judge", "verdict", "status", "words"}],
     "gate",                                   what code made of a proof's final answer, null for anything else
     "answer_sha256",                          of the solution: a verdict counts for this very text alone
     "verdict": null, "by": "", "comment": ""} for the person to fill in

The same lines come back with verdicts in them; those still null stay open. They are appended to the run's
``people.jsonl`` and stand in the scores from then on, marked ``human``, whatever judges or parsers say later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...errors import UsageError
from ...files import Journal, read_journal, write_json, write_lines
from ...tasks.imo.scheme import FULL
from ...tasks.imo.scoring import ESCALATE_ABOVE
from ...tasks.records import Record, read_records
from ...tasks.rumtbench.scoring import HIGHEST, LOWEST
from ...tasks.types import Status
from ..engine.results import summarize
from ..records.manifest import read_manifest
from ..records.parquet import write_parquet
from ..records.store import read_rows

PEOPLE: Final = "people.jsonl"
"""What people said, in the run's directory."""

WHY: Final[Mapping[str, str]] = {
    "unscored": "the judges gave no verdict that could be used",
    "escalated": "the judges differ by more than two points",
    "gated": "the judges give a proof over two points more than its wrong final answer lets through",
}
"""Why a person should look. Where judges and code contradict each other, one of them is wrong."""

_BY_A_PERSON: Final = "; ход {turn}, оценка человека: "

Row = dict[str, Any]
GradingKey = tuple[str, str, int, int | None]
"""(task, sample id, epoch, turn): what a person grades."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file of verdicts: how many count now, and how many lines have none yet."""

    verdicts: int
    still_open: int


@dataclass(frozen=True, slots=True)
class _Grading:
    """One thing that a judge was to grade, as a row of the run has it."""

    key: GradingKey
    scale: tuple[int, int]
    solution: str
    verdict: float | None
    status: str
    escalated: bool
    judged: Mapping[str, Any]
    human: bool
    gated: float = 0.0

    @property
    def why(self) -> str | None:
        """Why a person should look; None if there is no reason, or one has."""
        if self.human:
            return None
        if self.verdict is None:
            return "unscored"
        return "escalated" if self.escalated else "gated" if self.gated > ESCALATE_ABOVE else None

    @property
    def answer_sha256(self) -> str:
        return hashlib.sha256(self.solution.encode("utf-8", "surrogatepass")).hexdigest()


def write_queue(directory: Path, output: Path) -> int:
    """Write what people should grade, in the run's order, and return how many lines these are.

    Raises:
        InputError: the directory is not a run.
        UsageError: the file is there already: people's verdicts may be in it.
    """
    read_manifest(directory)
    if output.exists():
        raise UsageError(
            f"{output} is there already, and verdicts may be in it: take them in with --verdicts {output},"
            " or give another -o"
        )
    gradings = ((row, grading) for row in read_rows(directory) for grading in _gradings(row))
    return write_lines(output, (_line(row, grading) for row, grading in gradings if grading.why is not None))


def take_verdicts(directory: Path, path: Path) -> Taken:
    """Take people's verdicts into a run: its scores, ``results.json`` and ``samples.parquet`` are made anew.

    Nothing is changed unless every line can be used. A later verdict on the same grading replaces an earlier one.

    Raises:
        InputError: the directory is not a run, or a line cannot be used (names file, line and field).
        UsageError: the run is still going.
    """
    if read_manifest(directory)["finished"] is None:
        raise UsageError(f"{directory} has not finished: resume it first, so that no row is written twice")
    gradings = {grading.key: grading for row in read_rows(directory) for grading in _gradings(row)}
    given: dict[GradingKey, Row] = {}
    still_open = 0
    # An empty queue is a good one.
    lines = read_records(path) if not path.exists() or path.stat().st_size else ()
    for line in lines:
        grading = _graded(line, gradings)
        if line.get("verdict") is None:
            still_open += 1
            continue
        verdict = _verdict(line, grading)
        if given.setdefault(grading.key, verdict) != verdict:
            raise line.error("there are two different verdicts on this grading; leave one of them")
    if given:
        _keep(directory, given.values())
        _settle_all(directory)
    return Taken(len(given), still_open)


def _keep(directory: Path, verdicts: Iterable[Row]) -> None:
    journal = Journal(directory / PEOPLE)
    try:
        for verdict in verdicts:
            journal.append(verdict)
    finally:
        journal.close()


def _settle_all(directory: Path) -> None:
    settle = settled_by_people(directory)
    write_lines(directory / "samples.jsonl", map(settle, read_rows(directory)))
    write_json(directory / "results.json", summarize(directory))
    write_parquet(directory)


def settled_by_people(directory: Path) -> Callable[[Row], Row]:
    """Return what puts people's verdicts into a scored row; rows on which nobody has spoken come back as they are.

    A verdict counts for the very answer that the person read; if a row has another one by now, it is passed over.
    """
    verdicts = {_key(line): line for line in read_journal(directory / PEOPLE)}
    if not verdicts:
        return lambda row: row

    def settle(row: Row) -> Row:
        for grading in _gradings(row):
            said = verdicts.get(grading.key)
            if said is not None and said["answer_sha256"] == grading.answer_sha256:
                row = {**row, "score": _with_verdict(row["score"], grading, said)}
        return row

    return settle


def _gradings(row: Row) -> Iterator[_Grading]:
    """Yield what judges graded of a row: points for a proof, or ratings of turns; nothing if no model answered."""
    if row["completion"] is None:
        return
    score, completion = row["score"], row["completion"]
    key = (row["task"], row["id"], row["epoch"])
    parts = score["parts"]
    if "points" in parts:
        yield _Grading(
            (*key, None),
            (0, FULL),
            completion["text"],
            verdict=parts["points"],
            status=score["status"],
            escalated=parts["escalated"],
            judged={"members": parts["graders"]},
            human="human" in parts,
            gated=(parts["ungated_points"] or 0.0) - (parts["points"] or 0.0),
        )
        return
    answers = completion["turns"] or [completion["text"]]
    for number, turn in enumerate(parts.get("turns", ()), start=1):
        if "rating" in turn and number <= len(answers):
            judged = turn.get("judge", {})
            yield _Grading(
                (*key, number),
                (LOWEST, HIGHEST),
                answers[number - 1],
                verdict=turn["rating"],
                status=turn["status"],
                escalated=judged.get("escalated", False),
                judged=judged,
                human="human" in turn,
            )


def _line(row: Row, grading: _Grading) -> Row:
    task, id, epoch, turn = grading.key
    messages = row["messages"][:turn] if turn is not None else row["messages"]
    return {
        "task": task,
        "id": id,
        "epoch": epoch,
        "turn": turn,
        "why": grading.why,
        "status": grading.status,
        "scale": grading.scale,
        "problem": "\n\n".join(message["content"] for message in messages),
        "solution": grading.solution,
        "target": row.get("target"),
        "graders": list(_graders(grading.judged)),
        "gate": row["score"]["parts"].get("gate"),
        "answer_sha256": grading.answer_sha256,
        "verdict": None,
        "by": "",
        "comment": "",
    }


def _graders(judged: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the reasons of each judge, of the members of a jury one by one."""
    if "members" in judged:
        for member in judged["members"]:
            yield from _graders(member)
    elif judged:
        said = judged.get("points", judged.get("value"))
        words = judged.get("words") or judged.get("error") or judged.get("unasked") or ""
        yield {
            "judge": judged.get("judge", ""),
            "verdict": said,
            "status": judged.get("status"),
            "words": words,
        }


def _key(line: Mapping[str, Any]) -> GradingKey:
    return line["task"], line["id"], line["epoch"], line.get("turn")


def _graded(line: Record, gradings: Mapping[GradingKey, _Grading]) -> _Grading:
    for name in ("task", "id", "epoch", "answer_sha256"):
        if name not in line:
            raise line.error(f"field '{name}' is missing; send back the lines of the queue as they were")
    try:
        grading = gradings.get(_key(line))
    except TypeError:
        grading = None
    if grading is None:
        turn = f", turn {line['turn']}" if line.get("turn") is not None else ""
        raise line.error(
            f"the run has nothing that judges grade at task {line['task']!r}, id {line['id']!r},"
            f" epoch {line['epoch']!r}{turn}"
        )
    if grading.answer_sha256 != line["answer_sha256"]:
        raise line.error(f"the answer of '{line['id']}' is not the one that this verdict is on")
    return grading


def _verdict(line: Record, grading: _Grading) -> Row:
    verdict = line["verdict"]
    low, high = grading.scale
    whole = isinstance(verdict, int | float) and not isinstance(verdict, bool) and verdict == int(verdict)
    if not whole or not low <= verdict <= high:
        raise line.field_error("verdict", f"expected a whole number from {low} to {high}, found {verdict!r}")
    task, id, epoch, turn = grading.key
    return {
        "task": task,
        "id": id,
        "epoch": epoch,
        "turn": turn,
        "answer_sha256": grading.answer_sha256,
        "verdict": int(verdict),
        "by": str(line.get("by") or ""),
        "comment": str(line.get("comment") or ""),
    }


def _with_verdict(score: Row, grading: _Grading, said: Row) -> Row:
    """Return a score in which a person's verdict stands; ``human`` keeps what the judges had said."""
    verdict, turn = said["verdict"], said["turn"]
    parts = score["parts"]
    before = parts if turn is None else parts["turns"][turn - 1]
    machine = before["human"]["machine"] if grading.human else grading.verdict
    human = {"verdict": verdict, "by": said["by"], "comment": said["comment"], "machine": machine}
    if turn is None:
        value: float | None = verdict / FULL
        parts = {**parts, "points": float(verdict), "human": human}
        explanation = f"{verdict} из {FULL}: оценка человека"
    else:
        turns = list(parts["turns"])
        turns[turn - 1] = {**before, "rating": float(verdict), "status": Status.OK.value, "human": human}
        ratings = [one["rating"] for one in turns]
        rated = all(rating is not None and LOWEST <= rating <= HIGHEST for rating in ratings)
        span = HIGHEST - LOWEST
        value = sum((rating - LOWEST) / span for rating in ratings) / len(ratings) if rated else None
        parts = {**parts, "turns": turns}
        said_before = score["explanation"].split(_BY_A_PERSON.format(turn=turn))[0]
        explanation = said_before + _BY_A_PERSON.format(turn=turn) + str(verdict)
    status = Status.OK.value if score["value"] is None and value is not None else score["status"]
    return {**score, "value": value, "status": status, "parts": parts, "explanation": explanation}
