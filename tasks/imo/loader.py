"""Reading problems whose solutions are proofs, in the forms in which they are published.

* IMO 2025: a JSON array of ``{"id", "question", "answer", "contest", "problem_idx"}``; the answer is ``"null"``
  where nothing but a proof is asked for.
* IMO-ProofBench: CSV with ``Problem ID, Problem, Solution, Grading guidelines, Category, Level, Short Answer,
  Source``.
* the project's own: JSON Lines of ``{"id", "problem", "answer"?, "solution"?, "scheme"?, "topic"?}``; the scheme is
  that of `scheme.py`.

The form is known by the fields, so any of the tasks reads any of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...errors import InputError
from ..records import read_jsonl
from ..types import Sample
from .scheme import Levels, Scheme, SchemeError, read_scheme

RUSSIAN_PROMPT: Final = (
    "Решите задачу. Приведите полное и строгое решение: обоснуйте каждый шаг и разберите все случаи. "
    "Если в задаче надо что-то найти, последней строкой напишите «Ответ: …», "
    "где вместо многоточия стоит только сам ответ.\n\n"
)
ENGLISH_PROMPT: Final = (
    "Solve the problem. Give a complete and rigorous solution: justify every step and treat all cases. "
    'If the problem asks for something to be found, end with the line "Answer: …" '
    "that has nothing but the answer in place of the dots.\n\n"
)

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_LARGEST_FIELD = 10_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What a solution is graded by: the sample's ``target``.

    ``answer`` is the known final answer, None where nothing but a proof is asked for; ``solution`` a reference
    solution; ``labels`` sort the results.
    """

    text: str
    answer: str | None = None
    solution: str | None = None
    scheme: Scheme | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


Record = Mapping[str, Any]


class _FieldError(Exception):
    """A field of the record at hand cannot be used."""


def read_problems(path: Path) -> Iterator[Sample]:
    """Yield the samples of a file in its own order; see the module for the forms.

    Raises:
        InputError: the file cannot be read, or a record cannot be used (names file, line and field).
    """
    seen: dict[str, str] = {}
    for where, record in _records(path):
        try:
            id, problem = _shape(record)(record)
        except (_FieldError, SchemeError) as error:
            raise InputError(f"{where}: {error}") from None
        if id in seen:
            raise InputError(f"{where}: the id {id!r} was already used at {seen[id]}; ids must be unique")
        seen[id] = where
        yield ask(id, problem, key=record.get("id", id))


def ask(id: str, problem: Problem, *, key: Any) -> Sample:
    """Make the sample that asks a problem in its language: Russian if it has a Cyrillic letter, else English.

    ``key`` is the id as the file spells it, a number or a string.
    """
    prompt = RUSSIAN_PROMPT if _CYRILLIC.search(problem.text) else ENGLISH_PROMPT
    return Sample.ask(id, prompt + problem.text, target=_as_target(problem), key=key, labels=dict(problem.labels))


def problem_of(sample: Sample) -> Problem:
    """Return the problem that a sample asks, from its ``target``."""
    target = dict(sample.target)
    scheme = target.pop("scheme", None)
    guidelines = target.pop("guidelines", None)
    return Problem(
        **target,
        scheme=Levels(guidelines) if guidelines is not None else scheme and read_scheme(scheme),
        labels=sample.metadata.get("labels", {}),
    )


def _as_target(problem: Problem) -> dict[str, Any]:
    """Return the problem as JSON values: samples travel between processes and into manifests."""
    target: dict[str, Any] = {"text": problem.text, "answer": problem.answer, "solution": problem.solution}
    if isinstance(problem.scheme, Levels):
        target["guidelines"] = problem.scheme.guidelines
    elif problem.scheme is not None:
        target["scheme"] = problem.scheme.as_json()
    return target


def _shape(record: Record) -> Callable[[Record], tuple[str, Problem]]:
    if "Problem ID" in record:
        return _proofbench
    if "question" in record:
        return _olympiad
    if "problem" in record:
        return _own
    raise _FieldError(
        "no field 'problem' (own form), 'question' (IMO 2025) or 'Problem ID' (IMO-ProofBench);"
        f" there are: {', '.join(map(str, record))[:200]}"
    )


def _own(record: Record) -> tuple[str, Problem]:
    labels = {name: _string(record, name) for name in ("topic",) if name in record}
    scheme = read_scheme(record["scheme"]) if record.get("scheme") is not None else None
    return _id(record, "id"), Problem(
        _string(record, "problem"), _maybe(record, "answer"), _maybe(record, "solution"), scheme, labels
    )


def _olympiad(record: Record) -> tuple[str, Problem]:
    labels = {name: str(record[name]) for name in ("contest", "problem_idx") if name in record}
    answer = _maybe(record, "answer")
    known = None if answer is None or answer.strip().lower() in ("null", "none") else answer
    return _id(record, "id"), Problem(_string(record, "question"), known, labels=labels)


def _proofbench(record: Record) -> tuple[str, Problem]:
    labels = {name.lower(): record[name] for name in ("Category", "Level") if record.get(name)}
    guidelines = _string(record, "Grading guidelines")
    return _id(record, "Problem ID"), Problem(
        _string(record, "Problem"),
        _maybe(record, "Short Answer"),
        _maybe(record, "Solution"),
        Levels(guidelines),
        labels,
    )


def _id(record: Record, name: str) -> str:
    found = record.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str) or not str(found).strip():
        raise _FieldError(f"field '{name}': expected a whole number or a string, found {found!r}")
    return str(found)


def _string(record: Record, name: str) -> str:
    found = record.get(name)
    if not isinstance(found, str) or not found.strip():
        raise _FieldError(f"field '{name}': expected a string that is not empty, found {str(found)[:59]!r}")
    return found


def _maybe(record: Record, name: str) -> str | None:
    found = record.get(name)
    if found is None or (isinstance(found, str) and not found.strip()):
        return None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise _FieldError(f"field '{name}': expected a string, found {str(found)[:59]!r}")
    return str(found)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record with where it stands: CSV, one JSON array, or JSON Lines."""
    if path.suffix.lower() == ".csv":
        yield from _csv_records(path)
        return
    if _text(path).lstrip("\ufeff \t\r\n").startswith("["):
        yield from _array_records(path)
        return
    for number, record in read_jsonl(path):
        yield f"{path}:{number}", record


def _array_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        found = json.loads(_text(path).lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error})") from None
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            raise InputError(f"{path}: record {number}: expected an object, found {str(record)[:59]!r}")
        yield f"{path}: record {number}", record


def _csv_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.DictReader(io.StringIO(_text(path).lstrip("\ufeff"), newline=""), strict=True)
    try:
        for record in reader:
            if None in record or None in record.values():
                raise InputError(f"{path}:{reader.line_num}: the row has not as many fields as the header")
            yield f"{path}:{reader.line_num}", dict(record)
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not valid CSV ({error})") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start})") from None
