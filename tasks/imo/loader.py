"""Reading problems whose solutions are proofs, in the forms in which they are published.

* IMO 2025: a JSON array of ``{"id", "question", "answer", "contest", "problem_idx"}``; the answer is ``"null"``
  if only a proof is required.
* IMO-ProofBench: CSV with ``Problem ID, Problem, Solution, Grading guidelines, Category, Level, Short Answer,
  Source``.
* the project's own: JSON Lines of ``{"id", "problem", "answer"?, "solution"?, "scheme"?, "topic"?}``; the scheme is
  that of `scheme.py`.

The format is detected by the fields, so every task reads all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..records import Record, read_samples
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


@dataclass(frozen=True, slots=True)
class ProofProblem:
    """A problem with its grading data, stored as the sample's ``target``.

    ``answer`` is the known final answer, None if only a proof is required; ``solution`` a reference solution;
    ``labels`` break down the results.
    """

    text: str
    answer: str | None = None
    solution: str | None = None
    scheme: Scheme | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def read_problems(path: Path) -> Iterator[Sample]:
    """Return the samples of a file in its own order; see the module for the forms.

    Raises:
        InputError: the file cannot be read, or a record cannot be used (names file, line and field).
    """
    return read_samples(path, _sample)


def _sample(record: Record) -> Sample:
    try:
        id, problem = _shape(record)(record)
    except SchemeError as error:
        raise record.error(str(error)) from None
    return proof_sample(id, problem, key=record.get("id", id))


def proof_sample(id: str, problem: ProofProblem, *, key: Any) -> Sample:
    """Make the sample of a problem, with a prompt in Russian if the problem has a Cyrillic letter, else in English.

    ``key`` is the id as in the file, a number or a string.
    """
    prompt = RUSSIAN_PROMPT if _CYRILLIC.search(problem.text) else ENGLISH_PROMPT
    return Sample.ask(id, prompt + problem.text, target=_as_target(problem), key=key, labels=dict(problem.labels))


def problem_of(sample: Sample) -> ProofProblem:
    """Rebuild the problem of a sample from its ``target``."""
    target = dict(sample.target)
    scheme = target.pop("scheme", None)
    guidelines = target.pop("guidelines", None)
    return ProofProblem(
        **target,
        scheme=Levels(guidelines) if guidelines is not None else scheme and read_scheme(scheme),
        labels=sample.metadata.get("labels", {}),
    )


def _as_target(problem: ProofProblem) -> dict[str, Any]:
    """Return the problem as JSON values, as samples are sent between processes and stored in manifests."""
    target: dict[str, Any] = {"text": problem.text, "answer": problem.answer, "solution": problem.solution}
    if isinstance(problem.scheme, Levels):
        target["guidelines"] = problem.scheme.guidelines
    elif problem.scheme is not None:
        target["scheme"] = problem.scheme.as_json()
    return target


def _shape(record: Record) -> Callable[[Record], tuple[str, ProofProblem]]:
    if "Problem ID" in record:
        return _proofbench
    if "question" in record:
        return _olympiad
    if "problem" in record:
        return _own
    raise record.error(
        "no field 'problem' (own form), 'question' (IMO 2025) or 'Problem ID' (IMO-ProofBench);"
        f" found: {', '.join(map(str, record))[:200]}"
    )


def _own(record: Record) -> tuple[str, ProofProblem]:
    labels = {name: record.text(name) for name in ("topic",) if name in record}
    scheme = read_scheme(record["scheme"]) if record.get("scheme") is not None else None
    return str(record.key("id")), ProofProblem(
        record.text("problem"), record.optional_text("answer"), record.optional_text("solution"), scheme, labels
    )


def _olympiad(record: Record) -> tuple[str, ProofProblem]:
    labels = {name: str(record[name]) for name in ("contest", "problem_idx") if name in record}
    answer = record.optional_text("answer")
    known = None if answer is None or answer.strip().lower() in ("null", "none") else answer
    return str(record.key("id")), ProofProblem(record.text("question"), known, labels=labels)


def _proofbench(record: Record) -> tuple[str, ProofProblem]:
    labels = {name.lower(): record[name] for name in ("Category", "Level") if record.get(name)}
    guidelines = record.text("Grading guidelines")
    return str(record.key("Problem ID")), ProofProblem(
        record.text("Problem"),
        record.optional_text("Short Answer"),
        record.optional_text("Solution"),
        Levels(guidelines),
        labels,
    )
