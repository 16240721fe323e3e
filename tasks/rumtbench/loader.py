"""Reading questions in ruMT-Bench's published form, and the reference answers beside them.

A question is ``{"question_id", "category", "turns"}``, its reference ``{"question_id", "choices": [{"turns"}]}``.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...errors import InputError
from ..records import read_jsonl
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
    seen: dict[str, int] = {}
    for number, record in read_jsonl(path):
        try:
            sample = _sample(record, references)
        except _FieldError as error:
            raise InputError(f"{path}:{number}: {error}") from None
        if sample.id in seen:
            raise InputError(
                f"{path}:{number}: field 'question_id': {sample.id} was already used on line {seen[sample.id]}"
            )
        seen[sample.id] = number
        yield sample


def reference_file(path: Path) -> Path | None:
    """Return the file of reference answers that belongs to a question file; None if there is none.

    Raises:
        InputError: there are several and nothing tells which one is meant.
    """
    for pattern in REFERENCE_FILES:
        found = sorted(path.parent.glob(pattern.format(stem=glob.escape(path.stem))))
        if len(found) > 1:
            raise InputError(
                f"{path}: {len(found)} files of references lie beside it ({found[0].name}, {found[1].name}, …);"
                f" name the right one {path.stem}.reference.jsonl"
            )
        if found:
            return found[0]
    return None


def read_references(path: Path) -> dict[str, References]:
    """Return the reference answers by question id.

    Numbers stand for their decimal text: some published references were turned into numbers by a spreadsheet.

    Raises:
        InputError: the file cannot be read, or a line cannot be used (names file, line and field).
    """
    found: dict[str, References] = {}
    for number, record in read_jsonl(path):
        try:
            key = _key(record)
            choices = _field(record, "choices", list, "a list of one object with 'turns'")
            if not choices or not isinstance(choices[0], dict):
                raise _FieldError("field 'choices': expected a list of one object with 'turns'")
            found[str(key)] = _references(
                _field(choices[0], "turns", list, "a list of answers"), "choices[0].turns"
            )
        except _FieldError as error:
            raise InputError(f"{path}:{number}: {error}") from None
    return found


class _FieldError(Exception):
    """A field of the record at hand cannot be used."""


def _sample(record: Mapping[str, Any], references: Mapping[str, References]) -> Sample:
    key = _key(record)
    category = _field(record, "category", str, "a string")
    turns = _field(record, "turns", list, "a list of questions")
    if len(turns) not in (1, 2) or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        raise _FieldError("field 'turns': expected a list of one or two questions, strings that are not empty")
    temperature = record.get("required_temperature", TEMPERATURES.get(category, OTHER_TEMPERATURE))
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or temperature < 0:
        raise _FieldError(f"field 'required_temperature': expected a number, 0 or more, found {temperature!r}")
    return Sample(
        str(key),
        turns=tuple(turns),
        target=_target(record, category, len(turns), references),
        metadata={"key": key, "category": category},
        sampling={"temperature": float(temperature)},
    )


def _target(
    record: Mapping[str, Any], category: str, turns: int, references: Mapping[str, References]
) -> References | None:
    if category not in GRADED_BY_REFERENCE:
        return None
    target = references.get(str(record["question_id"]))
    if target is None:
        if "reference" not in record:
            raise _FieldError(
                f"question {record['question_id']} ({category}) is graded by a reference answer, and there is none:"
                ' put reference_answers.jsonl beside this file, or write "reference": null to do without'
            )
        if record["reference"] is None:
            return None
        target = _references(_field(record, "reference", list, "a list of answers, or null"), "reference")
    if len(target) != turns:
        raise _FieldError(f"question {record['question_id']} has {turns} turns and {len(target)} reference answers")
    return target


def _references(values: list[Any], field: str) -> References:
    for position, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _FieldError(f"field '{field}[{position}]': expected a string, found {value!r}")
    return tuple(map(str, values))


def _key(record: Mapping[str, Any]) -> int | str:
    key: int | str = _field(record, "question_id", int | str, "a whole number or a string")
    if isinstance(key, bool) or key == "":
        raise _FieldError(f"field 'question_id': expected a whole number or a string, found {key!r}")
    return key


def _field(record: Mapping[str, Any], name: str, kind: Any, expected: str) -> Any:
    if name not in record:
        raise _FieldError(f"field '{name}' is missing")
    if not isinstance(record[name], kind):
        shown = repr(record[name])
        raise _FieldError(f"field '{name}': expected {expected}, found {shown[:59]}")
    return record[name]
