"""The samples of a report: the answers of all runs to one prompt, in an order independent of timing.

Rows are kept compressed, so that a hundred thousand answers fit in memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...evals.records.rows import ROWS, Key, SampleRow, ScoredCandidate, decode, encode, read_rows
from ...tasks.types import Usage

Table = dict[Key, bytes]
"""The rows of one run, compressed."""


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of some runs; iterating yields one plain table per sample.

    ::

        {"task", "id", "epoch", "messages", "target"?, "metadata"?, "answers": [{…} | None]}

    ``answers`` has one entry per run. ``keys`` are in the order of the report.
    """

    keys: tuple[Key, ...]
    rows: Mapping[Key, Sequence[bytes | None]]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for key, rows in self.raw():
            yield _sample(key, rows)

    def raw(self) -> Iterator[tuple[Key, list[SampleRow | None]]]:
        """Yield each key with its row of every run."""
        for key in self.keys:
            yield key, [_unpacked(row) if row else None for row in self.rows[key]]

    def answered(self, task: str) -> list[list[bool]]:
        """Return, for each sample of a task, which runs have an answer to it."""
        return [[row is not None for row in self.rows[key]] for key in self.keys if key[0] == task]


def read_table(directory: Path) -> Table:
    """Read the rows of a run directory.

    Raises:
        InputError: a line is damaged or not what a run writes (names file, line and field).
    """
    return {row.key: zlib.compress(encode(row), 1) for row in read_rows(directory)}


def _unpacked(row: bytes) -> SampleRow:
    return decode(orjson.loads(zlib.decompress(row)), source=ROWS, line=0)


def side_by_side(tables: Sequence[Table], tasks: Sequence[str]) -> Samples:
    """Join the rows of runs by sample; ``tasks`` gives the order of the tasks."""
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


def _sample(key: Key, rows: Sequence[SampleRow | None]) -> dict[str, Any]:
    first = next(row for row in rows if row)
    answers = []
    for row in rows:
        answer = _answer(row) if row else None
        if row and answer is not None and row.messages != first.messages:
            answer["messages"] = _messages(row)
        answers.append(answer)
    sample = {"task": key[0], "id": key[1], "epoch": key[2], "messages": _messages(first), "answers": answers}
    return sample | _known({"target": first.target, "metadata": first.metadata})


def _messages(row: SampleRow) -> list[dict[str, str]]:
    return [message.as_json() for message in row.messages]


def _answer(row: SampleRow) -> dict[str, Any]:
    completion, usage = row.completion, row.usage or Usage()
    answer = {
        **row.score.as_json(),
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "latency": row.latency,
        "language": row.language,
        "candidates": [_candidate(candidate) for candidate in row.candidates],
        "chosen": row.chosen,
    }
    if completion:
        answer["reasoning"] = completion.reasoning
        answer["finish_reason"] = completion.finish_reason
        answer["turns"] = list(completion.turns) if len(completion.turns) > 1 else None
        answer["loglikelihoods"] = [list(pair) for pair in completion.loglikelihoods]
    kept = _known(answer)
    # An empty text is an answer; a missing text means that there was none.
    return kept | {"text": completion.text} if completion else kept


def _candidate(draft: ScoredCandidate) -> dict[str, Any]:
    score, completion = draft.score, draft.completion
    fields = {
        "value": score.value,
        "status": score.status.value,
        "explanation": score.explanation,
        "answer": draft.answer,
        "completion_tokens": completion.usage.completion_tokens,
        "reasoning": completion.reasoning,
    }
    return {"text": completion.text, **_known(fields)}


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
