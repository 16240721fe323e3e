"""Multiple-choice files as they are published: MMLU-shaped JSON lines and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..records import Record, read_records
from .letters import CYRILLIC, LATIN

_COLUMNS = ("question", "a", "b", "c", "d", "answer")


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``answer`` is the right option's place, counted from 0."""

    id: str
    subject: str
    question: str
    options: tuple[str, ...]
    answer: int


def read_questions(path: Path) -> Iterator[Question]:
    """Return the questions of a ``.jsonl`` or ``.csv`` file, in its order.

    JSON lines are ``{question, choices | options, answer, subject?, id?}``: the options are a list, an object by
    letter, or the fields A, B, C, D of the line itself; the answer is a place counted from 0, a letter in either
    alphabet, or the option's own text. CSV is ``question, A, B, C, D, answer`` with or without a header (which
    may also name ``subject`` and ``id``, in any order).

    Raises:
        InputError: a line cannot be used (names file, line and field).
    """
    return map(_question, read_records(path, columns=_COLUMNS))


def _question(record: Record) -> Question:
    options = _options(record)
    return Question(
        str(record.get("id", f"{record.path.stem}-{record.number}")),
        str(record.get("subject", "")),
        record.text("question").strip(),
        options,
        _answer(record, options),
    )


def _options(record: Record) -> tuple[str, ...]:
    given = record.get("choices", record.get("options"))
    if given is None:
        by_letter = {key.upper(): value for key, value in record.items()}
        given = [by_letter[letter] for letter in LATIN if letter in by_letter]
    if isinstance(given, dict):
        # Hugging Face's own form: {"text": […], "label": […]}.
        given = given["text"] if isinstance(given.get("text"), list) else [given[key] for key in sorted(given)]
    if not isinstance(given, list) or not all(isinstance(option, str | int | float) for option in given):
        raise record.field_error("choices", "expected a list of strings")
    if not 2 <= len(given) <= len(LATIN):
        raise record.field_error("choices", f"expected 2 to {len(LATIN)} options, found {len(given)}")
    return tuple(str(option).strip() for option in given)


def _answer(record: Record, options: tuple[str, ...]) -> int:
    given = record.get("answer")
    if isinstance(given, int) and not isinstance(given, bool):
        place = given
    else:
        word = str(given).strip()
        if len(word) == 1 and word.upper() in LATIN + CYRILLIC:
            place = (LATIN if word.upper() in LATIN else CYRILLIC).index(word.upper())
        elif options.count(word) == 1:
            place = options.index(word)
        else:
            place = int(word) if word.isascii() and word.isdigit() else -1
    if not 0 <= place < len(options):
        expected = f"an index from 0 to {len(options) - 1}, a letter or an option's text"
        raise record.field_error("answer", f"expected {expected}, found {given!r}")
    return place
