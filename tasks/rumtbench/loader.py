"""Reading questions in ruMT-Bench's published form, and the reference answers beside them.

A question is ``{"question_id", "category", "turns"}``, its reference ``{"question_id", "choices": [{"turns"}]}``.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...errors import InputError
from ..records import Record, read_records, read_samples, shown
from ..types import Sample

TEMPERATURES: Final[Mapping[str, float]] = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
"""At which temperature answers are drawn, by category (FastChat, ``temperature_config``)."""

OTHER_TEMPERATURE: Final = 0.7

GRADED_BY_REFERENCE: Final = frozenset({"math", "reasoning", "coding"})
"""The categories whose answers are compared with a reference (FastChat, ``NEED_REF_CATS``)."""

REFERENCE_FILES: Final = (
    "{stem}.reference.jsonl",
    "reference_answers.jsonl",
    "reference_answer.jsonl",
    "reference_answer/*.jsonl",
    "reference_answers/*.jsonl",
)
"""Where references are looked for, from the question file's folder; the first pattern that finds a file counts."""

References = tuple[str | None, ...]
"""The reference answer to each turn; ``None`` where the turn is graded without one."""


def read_questions(path: Path) -> Iterator[Sample]:
    """Yield the samples of a question file in its own order.

    ``sampling`` holds the category's temperature (or the question's own ``required_temperature``), ``target`` the
    references of the categories that are graded by reference. References come from a file beside the questions
    (`reference_file`), else from a question's own field ``reference``; where that is null, the question is graded
    without.

    Raises:
        InputError: a file cannot be read, a line cannot be used (names file, line and field), or a question that is
            graded by reference has none.
    """
    beside = reference_file(path)
    references = read_references(beside) if beside is not None else {}
    yield from read_samples(path, lambda record: _sample(record, references), id_field="question_id")


def reference_file(path: Path) -> Path | None:
    """Return the file of reference answers that belongs to a question file; None if there is none.

    Raises:
        InputError: there are several candidates.
    """
    for pattern in REFERENCE_FILES:
        found = sorted(path.parent.glob(pattern.format(stem=glob.escape(path.stem))))
        if len(found) > 1:
            raise InputError(
                f"{path}: {len(found)} reference files found beside it ({found[0].name}, {found[1].name}, …);"
                f" rename the right one to {path.stem}.reference.jsonl"
            )
        if found:
            return found[0]
    return None


def read_references(path: Path) -> dict[str, References]:
    """Return the reference answers by question id.

    Numbers are converted to text: a spreadsheet has turned some published references into numbers.

    Raises:
        InputError: the file cannot be read, or a line cannot be used (names file, line and field).
    """
    found: dict[str, References] = {}
    for record in read_records(path):
        key = record.key("question_id")
        choices = record.field("choices", list, "a list of one object with 'turns'")
        if not choices or not isinstance(choices[0], dict) or not isinstance(choices[0].get("turns"), list):
            raise record.field_error("choices", "expected a list of one object with 'turns', a list of answers")
        found[str(key)] = _references(record, choices[0]["turns"], "choices[0].turns")
    return found


def _sample(record: Record, references: Mapping[str, References]) -> Sample:
    key = record.key("question_id")
    category = record.field("category", str, "a string")
    turns = record.field("turns", list, "a list of questions")
    if len(turns) not in (1, 2) or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        raise record.field_error("turns", "expected a list of one or two non-empty strings")
    temperature = record.get("required_temperature", TEMPERATURES.get(category, OTHER_TEMPERATURE))
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or temperature < 0:
        raise record.field_error("required_temperature", f"expected a number, 0 or more, found {temperature!r}")
    return Sample(
        str(key),
        turns=tuple(turns),
        target=_target(record, category, len(turns), references),
        metadata={"key": key, "category": category},
        sampling={"temperature": float(temperature)},
    )


def _target(record: Record, category: str, turns: int, references: Mapping[str, References]) -> References | None:
    if category not in GRADED_BY_REFERENCE:
        return None
    target = references.get(str(record["question_id"]))
    if target is None:
        if "reference" not in record:
            raise record.error(
                f"question {record['question_id']} ({category}) is graded by a reference answer, and there is none:"
                ' put reference_answers.jsonl beside this file, or set "reference": null to grade without one'
            )
        if record["reference"] is None:
            return None
        target = _references(record, record.field("reference", list, "a list of answers, or null"), "reference")
    if len(target) != turns:
        raise record.error(
            f"question {record['question_id']} has {turns} turns and {len(target)} reference answers"
        )
    return target


def _references(record: Record, values: list[Any], field: str) -> References:
    for position, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise record.field_error(f"{field}[{position}]", f"expected a string, found {shown(value)}")
    return tuple(map(str, values))
