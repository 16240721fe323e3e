r"""Problems with known answers, from files in the forms in which they are published.

A file holds one JSON object a line, or one JSON array of objects. Names of fields are read without regard to case
(``Problem``, ``problem``). A `Shape` makes a problem of a record:

* `own_shape`: ``{"id", "problem", "answer", "topic"?, "level"?}``;
* `gsm8k_shape`: ``{"question", "answer": "… #### 42"}``;
* `competition_shape`: ``{"problem", "solution", "level", "type" | "subject", "answer"?}``, where the answer is the
  last ``\boxed{…}`` of the solution unless it is given;
* `aime_shape`: ``{"problem" | "question", "answer"}`` with a whole number from 0 to 999;
* `any_shape`: whichever of the first three the record has the fields of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path

from ..records import Record, read_samples, shown
from ..types import Sample

RUSSIAN_PROMPT = (
    "Решите задачу. Приведите решение, а последней строкой напишите «Ответ: …», "
    "где вместо многоточия стоит только сам ответ.\n\n{problem}"
)
ENGLISH_PROMPT = (
    'Solve the problem. Show your solution, and end with the line "Answer: …" '
    "that has nothing but the answer in place of the dots.\n\n{problem}"
)

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_GROUPED_DIGITS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class MathProblem:
    """A problem and its known answer; ``id`` is empty where the file gives none, ``labels`` for breakdowns."""

    id: str
    text: str
    answer: str
    labels: Mapping[str, str] = field(default_factory=dict)


Shape = Callable[[Record], MathProblem]


def make_sample(id: str, problem: str, answer: str, labels: Mapping[str, str]) -> Sample:
    """Make the sample of a problem, with a prompt in Russian if it has a Cyrillic letter, else in English."""
    prompt = RUSSIAN_PROMPT if _CYRILLIC.search(problem) else ENGLISH_PROMPT
    return Sample.ask(id, prompt.replace("{problem}", problem), target=answer, labels=dict(labels))


def read_problems(path: Path, shape: Shape) -> Iterator[Sample]:
    """Yield the samples of a file in its own order; one without an id gets its number in the file, from 1.

    Raises:
        InputError: the file cannot be read, or a record cannot be used (names file, line and field).
    """
    numbers = count(1)

    def sample_of(record: Record) -> Sample:
        problem = shape(replace(record, data={name.lower(): value for name, value in record.items()}))
        number = next(numbers)
        return make_sample(problem.id or str(number), problem.text, problem.answer, problem.labels)

    return read_samples(path, sample_of, id_field="id")


def own_shape(record: Record) -> MathProblem:
    """Read ``{"id", "problem", "answer"}``; ``topic`` and ``level`` may be there."""
    if not _id(record):
        raise record.error("field 'id' is missing")
    return MathProblem(_id(record), record.text("problem", "question").strip(), _answer(record), _labels(record))


def gsm8k_shape(record: Record) -> MathProblem:
    """Read ``{"question", "answer"}``, where a solution leads up to ``#### 1,234``."""
    text, solution = record.text("question", "problem").strip(), record.text("answer").strip()
    _, mark, answer = solution.rpartition("####")
    answer = answer.strip()
    if not mark or not answer:
        raise record.field_error("answer", "no final answer after '####'")
    if _GROUPED_DIGITS.fullmatch(answer):
        # English thousands; to a Russian reader this comma would begin the decimals.
        answer = answer.replace(",", "")
    return MathProblem(_id(record), text, answer, _labels(record))


def competition_shape(record: Record) -> MathProblem:
    r"""Read ``{"problem", "solution"}`` (MATH) or ``{"problem", "answer"}`` (MATH-500), with level and subject."""
    text = record.text("problem", "question").strip()
    if record.get("answer") is not None:
        return MathProblem(_id(record), text, _answer(record), _labels(record))
    answer = last_boxed(record.text("solution").strip())
    if not answer:
        raise record.field_error("solution", r"no final answer in \boxed{…}, and there is no field 'answer'")
    return MathProblem(_id(record), text, answer, _labels(record))


def aime_shape(record: Record) -> MathProblem:
    """Read ``{"problem" | "question", "answer"}``, where the answer is a whole number from 0 to 999."""
    text, answer = record.text("problem", "question").strip(), _answer(record)
    if not (answer.isascii() and answer.isdigit()) or int(answer[:9]) > 999:
        raise record.field_error("answer", f"expected a whole number from 0 to 999, found {shown(answer)}")
    return MathProblem(_id(record), text, str(int(answer)), _labels(record))


def any_shape(record: Record) -> MathProblem:
    """Read a record by the fields that it has: a GSM8K, a MATH or one of our own."""
    if "####" in str(record.get("answer")):
        return gsm8k_shape(record)
    return competition_shape(record) if "solution" in record else own_shape(record)


def last_boxed(solution: str) -> str:
    r"""Return what the last ``\boxed{…}`` holds (or the word after ``\boxed``), and ``""`` where there is none."""
    _, mark, rest = solution.rpartition(r"\boxed")
    rest = rest.lstrip()
    if not mark or not rest:
        return ""
    if rest[0] != "{":
        return re.split(r"[\s$]", rest, maxsplit=1)[0]
    depth = 0
    for position, character in enumerate(rest):
        escaped = position > 0 and rest[position - 1] == "\\"
        if not escaped:
            depth += (character == "{") - (character == "}")
        if depth == 0:
            return rest[1:position].strip()
    return ""


def _answer(record: Record) -> str:
    value = record.get("answer")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return record.text("answer").strip()
    if not math.isfinite(value):
        raise record.field_error("answer", f"{value} is not a number")
    # Exported tables turn whole numbers into floats.
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")


def _id(record: Record) -> str:
    for name in ("id", "unique_id", "problem_id", "problem_idx"):
        if record.get(name) is not None:
            return str(record.key(name))
    return ""


def _labels(record: Record) -> dict[str, str]:
    """Return the labels of a problem: topic (MATH says ``type`` or ``subject``), family, level and year."""
    topic = record.get("topic", record.get("subject", record.get("type")))
    found = {"topic": topic, **{name: record.get(name) for name in ("family", "level", "year")}}
    return {name: str(value) for name, value in found.items() if isinstance(value, int | str) and value != ""}
