"""Multiple-choice files as they are published: MMLU-shaped JSON lines and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..records import read_jsonl
from .letters import CYRILLIC, LATIN

_CSV_FIELDS = ("question", "a", "b", "c", "d", "answer")


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``answer`` is the right option's place, counted from 0."""

    id: str
    subject: str
    question: str
    options: tuple[str, ...]
    answer: int


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a ``.jsonl`` or ``.csv`` file, in its order.

    JSON lines are ``{question, choices | options, answer, subject?, id?}``: the options are a list, an object by
    letter, or the fields A, B, C, D of the line itself; the answer is a place counted from 0, a letter in either
    alphabet, or the option's own text. CSV is ``question, A, B, C, D, answer`` with or without a header (which
    may also name ``subject`` and ``id``, in any order).

    Raises:
        InputError: a line cannot be used (names file, line and field).
    """
    records = _read_csv(path) if path.suffix.lower() == ".csv" else read_jsonl(path)
    for number, record in records:
        yield _question(record, f"{path}:{number}", f"{path.stem}-{number}")


def _read_csv(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    found = False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            fields: Sequence[str] = _CSV_FIELDS
            try:
                for row in rows:
                    if not any(cell.strip() for cell in row):
                        continue
                    names = [cell.strip().lower() for cell in row]
                    if not found and "question" in names and "answer" in names:
                        fields, found = names, True
                        continue
                    found = True
                    if len(row) != len(fields):
                        raise InputError(
                            f"{path}:{rows.line_num}: {len(row)} columns, expected {len(fields)}:"
                            f" {', '.join(fields)}"
                        )
                    yield rows.line_num, dict(zip(fields, row, strict=True))
            except csv.Error as error:
                raise InputError(f"{path}:{rows.line_num}: this line is not CSV: {error}") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: the file is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror or error}") from None
    if not found:
        raise InputError(f"{path}: the file is empty: question,A,B,C,D,answer is expected on each line")


def _question(record: dict[str, Any], where: str, default_id: str) -> Question:
    text = record.get("question")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: 'question' must be a text")
    options = _options(record, where)
    return Question(
        str(record.get("id", default_id)),
        str(record.get("subject", "")),
        text.strip(),
        options,
        _answer(record.get("answer"), options, where),
    )


def _options(record: dict[str, Any], where: str) -> tuple[str, ...]:
    given = record.get("choices", record.get("options"))
    if given is None:
        by_letter = {key.upper(): value for key, value in record.items()}
        given = [by_letter[letter] for letter in LATIN if letter in by_letter]
    if isinstance(given, dict):
        # Hugging Face's own form: {"text": […], "label": […]}.
        given = given["text"] if isinstance(given.get("text"), list) else [given[key] for key in sorted(given)]
    if not isinstance(given, list) or not all(isinstance(option, str | int | float) for option in given):
        raise InputError(f"{where}: 'choices' must be a list of texts")
    if not 2 <= len(given) <= len(LATIN):
        raise InputError(f"{where}: 'choices' has {len(given)} options, expected 2 to {len(LATIN)}")
    return tuple(str(option).strip() for option in given)


def _answer(given: Any, options: tuple[str, ...], where: str) -> int:
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
        raise InputError(
            f"{where}: 'answer' is {given!r}, expected a place from 0 to {len(options) - 1}, a letter or an"
            " option's text"
        )
    return place
