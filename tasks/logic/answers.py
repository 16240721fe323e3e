"""Reference answers of puzzles, extraction of a model's final answer, and their comparison.

An answer is correct or wrong as a whole: a number inside a longer number, a name among other names or two answers
joined by «или» are wrong. Ignored are letter case, ё and е, quotes, bold, a full stop at the end, and
the order of a set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from ..text.answers import ANSWER, closing_brace, heading, plain, unwrapped
from ..types import Status

Form = Literal["integer", "choice", "sequence", "set", "grid"]

LONGEST_ANSWER = 2000
"""The maximum length of an answer in characters: a 9×9 grid drawn with frames has some 500."""

_MARKER = re.compile(
    rf"(?<![^\W_])(?:{ANSWER})[ \t\xa0*_]{{0,9}}(?:[:：][ \t\xa0*_]{{0,9}}|[ \t\xa0][—–][ \t\xa0])"
    rf"|{heading('итоговый|окончательный|правильный|final')}",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER_LINE = re.compile(r"\W*\d{1,9}\W*")
_REPORTED = re.compile(r"\w:\s*[«„“\"]\w")
_BOXED = re.compile(r"\\f?boxed[ \t]*\{")
_INTEGER = re.compile(r"[+-]?\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?: \d{3})+")
_LIST_PUNCTUATION = re.compile(r"[^\w\s,;.:()№#→>—–-]")
_RANGE_OR_FRACTION = re.compile(r"\d\s*[-–—→>]\s*\d|\d[.:]\d")
_GRID_FRAME = re.compile(r"[\s,;.|+/()\[\]—–-]")


@dataclass(frozen=True, slots=True)
class Answer:
    """The one right answer.

    ``value`` holds its parts: one for an ``integer`` and a ``choice``, the items
    of a ``sequence`` (in order) or a ``set`` (in any), the rows of a ``grid``. ``aliases`` leads from
    other spellings of a part to it; ``ignored`` are words that may accompany it (a unit, «монета»). Aliases and
    ignored words are `plain`.
    """

    form: Form
    value: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "form": self.form,
            "value": list(self.value),
            "aliases": dict(self.aliases),
            "ignored": list(self.ignored),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `as_json`."""
        return cls(data["form"], tuple(data["value"]), data.get("aliases", {}), tuple(data.get("ignored", ())))

    def __str__(self) -> str:
        return (" " if self.form == "grid" else ", ").join(self.value)


def integer(number: int, *, units: Sequence[str] = ()) -> Answer:
    """Make the answer that is a whole number; ``units`` may follow it."""
    return Answer("integer", (str(number),), ignored=tuple(map(plain, units)))


def choice(word: str, *, aliases: Sequence[str] = ()) -> Answer:
    """Make the answer that is a word or phrase, or another spelling of it."""
    return Answer("choice", (word,), {plain(alias): plain(word) for alias in aliases})


def items(
    form: Literal["sequence", "set"],
    labels: Sequence[str],
    *,
    aliases: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
) -> Answer:
    """Make the answer that is a list of single words or numbers."""
    spellings = {plain(alias): plain(label) for alias, label in (aliases or {}).items()}
    return Answer(form, tuple(labels), spellings, tuple(map(plain, ignored)))


@dataclass(frozen=True, slots=True)
class AnswerCheck:
    """Whether an answer is correct, the status of its extraction, and its text (None if there is none)."""

    right: bool
    status: Status
    extracted: str | None


def check_answer(answer: Answer, text: str) -> AnswerCheck:
    r"""Check a model's whole text by its last «Ответ: …» or ``\boxed{…}``, whichever comes later.

    An answer that begins on the line below its marker is the paragraph there; numbers below one another are a list.
    Linear in the length of the text.
    """
    found = final_answer(text, paragraph=answer.form == "grid")
    if not found:
        return AnswerCheck(False, Status.MISSING, None)
    # Somebody's words («Иван: «Пётр — лжец»») are a piece of the puzzle, not a list of names.
    if len(found) > LONGEST_ANSWER or _REPORTED.search(found):
        return AnswerCheck(False, Status.MALFORMED, found[:LONGEST_ANSWER])
    return AnswerCheck(_MATCHERS[answer.form](answer, plain(found)), Status.OK, found)


def final_answer(text: str, *, paragraph: bool = False) -> str:
    r"""Return what stands in the last «Ответ: …» line or ``\boxed{…}``, LaTeX wrapping removed; '' when nowhere.

    ``paragraph`` takes the lines below the answer's first one too, up to a blank line.
    """
    marked, end = "", -1
    for match in _MARKER.finditer(text):
        end = match.end()
    if end >= 0:
        marked, end = _after(text, end, paragraph)
    start = -1
    for match in _BOXED.finditer(text, max(end, 0)):
        start = match.end()
    found = _boxed(text, start) if start >= 0 else marked
    return unwrapped(found).strip()


def _after(text: str, start: int, paragraph: bool) -> tuple[str, int]:
    """Return the answer that follows a marker, and where it ends."""
    lines: list[str] = []
    end = start
    one_line = False
    # Beyond this many characters nothing can be an answer any more.
    for line in text[start : start + 2 * LONGEST_ANSWER].split("\n"):
        if lines and not line.strip():
            break
        if one_line and not (_NUMBER_LINE.fullmatch(lines[0]) and _NUMBER_LINE.fullmatch(line)):
            break
        if _says_something(line):
            one_line = one_line or (end == start and not paragraph)
            lines.append(line)
        end += len(line) + 1
    return "\n".join(lines), end


def _says_something(line: str) -> bool:
    return bool(line.strip(" \t\r\xa0*_`$\\[]")) and not line.lstrip().startswith("```")


def _boxed(text: str, start: int) -> str:
    """Return what stands in the box whose brace opens before ``start``; '' if it is never closed."""
    end = closing_brace(text, start, start + LONGEST_ANSWER)
    return "" if end is None else text[start:end]


def _same_integer(answer: Answer, given: str) -> bool:
    for unit in sorted(answer.ignored, key=len, reverse=True):
        if given.endswith(unit):
            given = given[: -len(unit)].rstrip()
            break
    if not _INTEGER.fullmatch(given) and not _THOUSANDS.fullmatch(given):
        return False
    digits = given.lstrip("+-").replace(" ", "").lstrip("0") or "0"
    return ("-" if given[0] == "-" and digits != "0" else "") + digits == answer.value[0]


def _same_choice(answer: Answer, given: str) -> bool:
    return answer.aliases.get(given, given) == plain(answer.value[0])


def _same_items(answer: Answer, given: str) -> bool:
    numbered = any(part.isdigit() for part in answer.value)
    if _LIST_PUNCTUATION.search(given) or (numbered and _RANGE_OR_FRACTION.search(given)):
        return False
    words = [answer.aliases.get(word, word) for word in re.findall(r"\w+", given)]
    if not numbered:
        words = _without_numbering(words)
    words = [word for word in words if word != "и" and word not in answer.ignored]
    wanted = [plain(part) for part in answer.value]
    return words == wanted if answer.form == "sequence" else sorted(words) == sorted(wanted)


def _without_numbering(words: list[str]) -> list[str]:
    """Drop 1, 2, 3, … when they number all the items; other numbers stay and make the answer wrong."""
    numbers = words[::2]
    if words and len(words) % 2 == 0 and numbers == [str(place) for place in range(1, len(numbers) + 1)]:
        return words[1::2]
    return words


def _same_grid(answer: Answer, given: str) -> bool:
    rows = (line for line in given.splitlines() if any(character.isdigit() for character in line))
    return _GRID_FRAME.sub("", "".join(rows)) == "".join(answer.value)


_MATCHERS = {
    "integer": _same_integer,
    "choice": _same_choice,
    "sequence": _same_items,
    "set": _same_items,
    "grid": _same_grid,
}
