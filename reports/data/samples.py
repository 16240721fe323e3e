"""The samples of a report: the answers of all runs to one prompt, in an order that no run's timing decides.

Rows are read one by one and kept compressed, so that a hundred thousand answers fit in memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...errors import InputError
from ...evals.records.store import Key, read_rows
from ...files import encode
from ...tasks.types import Score

Table = dict[Key, bytes]
"""The rows of one run, compressed."""


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of some runs; iterating yields one plain table a sample.

    ::

        {"task", "id", "epoch", "messages", "target"?, "metadata"?, "answers": [{…} | None]}

    ``answers`` has one entry a run. ``keys`` are in the order of the report.
    """

    keys: tuple[Key, ...]
    rows: Mapping[Key, Sequence[bytes | None]]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for key, rows in self.raw():
            yield _sample(key, rows)

    def raw(self) -> Iterator[tuple[Key, list[dict[str, Any] | None]]]:
        """Yield each key with its row of every run, as ``samples.jsonl`` has them."""
        for key in self.keys:
            yield key, [orjson.loads(zlib.decompress(row)) if row else None for row in self.rows[key]]

    def answered(self, task: str) -> list[list[bool]]:
        """Return, for each sample of a task, which runs have an answer to it."""
        return [[row is not None for row in self.rows[key]] for key in self.keys if key[0] == task]


def read_table(directory: Path) -> Table:
    """Read the rows of a run directory.

    Raises:
        InputError: a line is damaged or not what a run writes (names the file, and the line or the sample).
    """
    table: Table = {}
    for row in read_rows(directory):
        try:
            key = (str(row["task"]), str(row["id"]), int(row["epoch"]))
            Score.from_json(row["score"])
        except (KeyError, TypeError, ValueError) as error:
            path = directory / "samples.jsonl"
            raise InputError(f"{path}: sample {row.get('id')!r} is not what a run writes ({error!r})") from None
        table[key] = zlib.compress(encode(row), 1)
    return table


def side_by_side(tables: Sequence[Table], tasks: Sequence[str]) -> Samples:
    """Put the rows of runs side by side; ``tasks`` gives the order of the tasks."""
    table: dict[Key, list[bytes | None]] = {}
    for index, rows in enumerate(tables):
        for key, row in rows.items():
            table.setdefault(key, [None] * len(tables))[index] = row
    rank = {name: index for index, name in enumerate(tasks)}
    ordered = sorted(table, key=lambda key: (rank.get(key[0], len(rank)), key[0], natural_order(key[1]), key[2]))
    return Samples(tuple(ordered), table)


def natural_order(text: str) -> list[Any]:
    """Return a sort key by which ``"q9"`` comes before ``"q10"``; numbers may have any number of digits."""
    pieces: Sequence[str] = re.split(r"([0-9]+)", text)
    return [_number(piece) if index % 2 else piece for index, piece in enumerate(pieces)]


def _number(digits: str) -> tuple[int, str]:
    significant = digits.lstrip("0")
    return len(significant), significant


def _sample(key: Key, rows: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    first = next(row for row in rows if row)
    messages = first.get("messages") or []
    answers = []
    for row in rows:
        answer = _answer(row) if row else None
        if row and answer is not None and (row.get("messages") or []) != messages:
            answer["messages"] = row["messages"]
        answers.append(answer)
    sample = {"task": key[0], "id": key[1], "epoch": key[2], "messages": messages, "answers": answers}
    for name in ("target", "metadata"):
        if first.get(name) not in (None, "", {}, []):
            sample[name] = first[name]
    return sample


def _answer(row: Mapping[str, Any]) -> dict[str, Any]:
    completion = row.get("completion")
    score = row.get("score") or {}
    usage = row.get("usage") or {}
    answer = {
        "value": score.get("value"),
        "status": score.get("status"),
        "parts": score.get("parts"),
        "explanation": score.get("explanation"),
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "latency": (row.get("timing") or {}).get("latency"),
        "language": row.get("language"),
        "candidates": [_candidate(candidate) for candidate in row.get("candidates") or ()],
        "chosen": row.get("chosen"),
    }
    if completion:
        turns = completion.get("turns") or []
        answer["reasoning"] = completion.get("reasoning")
        answer["finish_reason"] = completion.get("finish_reason")
        answer["turns"] = turns if len(turns) > 1 else None
        answer["loglikelihoods"] = completion.get("loglikelihoods")
    kept = _known(answer)
    # An empty text is an answer; no text at all means that the model was never heard.
    return kept | {"text": completion.get("text") or ""} if completion else kept


def _candidate(draft: Mapping[str, Any]) -> dict[str, Any]:
    score = draft.get("score") or {}
    fields = {name: score.get(name) for name in ("value", "status", "explanation")}
    usage = draft.get("usage") or {}
    fields |= {"answer": draft.get("answer"), "completion_tokens": usage.get("completion_tokens")}
    return {"text": draft.get("text") or "", **_known(fields | {"reasoning": draft.get("reasoning")})}


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
