"""Which option an answer names: by its letter, in either alphabet, or by the option's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..text.answers import ANSWER, heading, plain, unwrapped
from ..types import Status

LATIN: Final = "ABCDEFGHIJ"
CYRILLIC: Final = "АБВГДЕЖЗИК"

# Cyrillic capitals that look like Latin ones.
_TWINS: Final = dict(zip("АВСЕКН", "ABCEKH", strict=True))

# Letters that are words as well: «В клетке», «А именно», «A cell».
_WORDS: Final = frozenset("АВИКСAI")
_SMALL_WORDS: Final = frozenset("авикоусa")

_LONGEST: Final = 1000
_REACH: Final = 100
_MARKER: Final = re.compile(
    rf"""
    (?:
        "(?:{ANSWER}|вариант|option|choice|letter|буква)"\s{{0,9}}:
      | \\f?boxed[ ]?\{{
      | {heading("итоговый|окончательный|правильный|верный|final")}
      | (?<![^\W_])
        (?: ответ(?:ом)? | answer
          | (?:(?:правильн|верн)\w{{2,3}}|correct|right)[ ](?:вариант(?:ом)?|option|choice) )
        [ \t\xa0*_]{{0,9}}
        (?: [:：] | [—–-](?=[ \t\xa0]) | (?:is|будет|является)\b:? )
      | (?<![^\W_])
        (?: выбираю | choose | pick | (?:(?:правильн|верн)\w{{2,3}}|correct|right)[ ](?:{ANSWER}|вариант|option) )
        [ ](?=(?:вариант[ ]|option[ ])?[(*_«"]{{0,4}}(?-i:[A-ZА-Я])(?![^\W_]))
    )
    [ \t\xa0*_]{{0,9}}
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_NEGATED: Final = re.compile(
    r"(?:(?<![^\W_])(?:не|not|wrong|incorrect)|(?:неправильн|неверн|ошибочн)\w{2,3})[ *_]{1,3}$", re.IGNORECASE
)
_LEAD: Final = re.compile(
    r"(?:(?:вариант(?:ом)?|ответ|буква|под буквой|пункт|option|choice|letter|answer|is|the|это|скорее всего|я|"
    r"думаю|конечно|вероятно)(?![^\W_])[ ,:—–-]{1,4}){1,4}",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"[(\[{<]?([^\W\d_])(?![^\W_])([)\]}>]?[).:,;!\]}—–-]?)")
_ANOTHER: Final = re.compile(
    r"[\s,;/&+(\[]*((?:(?:а|но|хотя)\s)?(?:(?:и|или|либо|возможно|может|быть|maybe|perhaps|and|or)(?![^\W_])[\s,(\[]*){1,3}"
    r"(?:вариант\s|option\s)?)?([^\W\d_])(?![^\W_])"
)
_PROSE: Final = re.compile(r"\s(?!(?:или|либо|or|and)(?![^\W_]))\w\w")
_STANDING_ALONE: Final = re.compile(r"(?<![^\W_])[^\W\d_](?![^\W_])")


@dataclass(frozen=True, slots=True)
class Choice:
    """The option named by an answer (from 0; None for none or several), and the status of its extraction.

    ``ok``: after «Ответ:» or in a box; ``ok_lenient``: elsewhere; ``ambiguous``: several; ``missing``: none.
    """

    index: int | None
    status: Status


def letter_index(letter: str, labels: str) -> int | None:
    """Return the place of a typed letter among the labels that the question shows.

    A label is itself. Under Latin labels a Cyrillic letter that looks like one of them is that one: В is B, С is C.
    Any other letter goes by its place in its own alphabet, as Б and B, Г and D are the same; so under Cyrillic
    labels В is the third option and B the second.
    """
    capital = letter.upper()
    for candidate in (capital, _TWINS.get(capital, "") if labels[0] == "A" else ""):
        if candidate and candidate in labels:
            return labels.index(candidate)
    for alphabet in (LATIN, CYRILLIC):
        place = alphabet.find(capital)
        if 0 <= place < len(labels):
            return place
    # On some keyboards С is typed for C under Cyrillic labels too.
    twin = LATIN.find(_TWINS.get(capital, "?"))
    return twin if 0 <= twin < len(labels) else None


def extract(text: str, options: Sequence[str], labels: str) -> Choice:
    r"""Find the option that an answer names; linear in the length of the text.

    The last «Ответ: …», «верный вариант — …», «answer is …», ``\boxed{…}`` or JSON field counts. Without any, the
    last line has to be nothing but a letter, an option, or both; or else the first line has to begin with a letter.
    """
    marked = _marked(text)
    words = [plain(_clean(option)) for option in options]
    return _read(marked, words, labels) if marked else _from_lines(text, words, labels)


def _marked(text: str) -> str:
    """Return the line after the last marker that nothing negates; '' when there is none."""
    for start, end in reversed([match.span() for match in _MARKER.finditer(text)]):
        if not _NEGATED.search(text[max(0, start - 20) : start]):
            return text[end : end + _LONGEST].lstrip(" \t\r\n\xa0*_`").partition("\n")[0]
    return ""


def _read(phrase: str, words: Sequence[str], labels: str) -> Choice:
    """Read what stands after a marker: an option's words, or a letter and whatever explains it."""
    phrase = _clean(phrase)
    by_words = _option(phrase, words)
    if by_words is not None:
        return Choice(by_words, Status.OK)
    phrase = _without_lead(phrase)
    letter = _LETTER.match(phrase)
    index = letter_index(letter[1], labels) if letter else None
    if letter is None or index is None:
        return _unread(phrase, labels)
    rest = phrase[letter.end() :].strip(" .*")
    named = _option(rest, words)
    if named is not None:
        return Choice(index, Status.OK) if named == index else Choice(None, Status.AMBIGUOUS)
    wordlike = letter[1].islower() or letter[1] in _WORDS
    if wordlike and letter[0] == letter[1] and rest[:1].isalnum():
        return _unread(phrase[letter.end() :], labels)
    if _names_another(phrase, letter, rest, index, labels):
        return Choice(None, Status.AMBIGUOUS)
    return Choice(index, Status.OK)


def _names_another(phrase: str, letter: re.Match[str], rest: str, index: int, labels: str) -> bool:
    """Say whether one more option follows a letter: «Б или В», «Б, В», not «Б, а не В» or «Б. В клетке …»."""
    other = _ANOTHER.match(phrase, letter.end())
    if other is None or letter_index(other[2], labels) in (None, index):
        return False
    if other[2] in _WORDS | _SMALL_WORDS and _PROSE.match(phrase, other.end()):
        return False
    alone = len(rest.strip(" ,;/&+()[]")) == 1
    closed = letter[2].endswith((".", ":", "!", ")", "]", "}", ">"))
    return alone or other[1] is not None or not (closed or other[2] in _SMALL_WORDS)


def _unread(phrase: str, labels: str) -> Choice:
    """Judge a phrase that does not begin with a letter: ambiguous when it names options all the same."""
    capitals = (match[0] for match in _STANDING_ALONE.finditer(phrase) if match[0].isupper())
    named = any(letter_index(letter, labels) is not None for letter in capitals)
    return Choice(None, Status.AMBIGUOUS if named else Status.MISSING)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line says of the options: just a letter, an option's words too, or a letter that opens more text."""

    index: int
    kind: Literal["bare", "worded", "opening"]


def _from_lines(text: str, words: Sequence[str], labels: str) -> Choice:
    """Read an answer that marks nothing, by its last line or else its first.

    No other such line may disagree, of the first and the last hundred.
    """
    filled = [line for line in text.splitlines() if line.strip(" \t\xa0`")]
    near = filled if len(filled) <= 2 * _REACH else filled[:_REACH] + filled[-_REACH:]
    lines = [_line(line, words, labels) if len(line) <= _LONGEST else None for line in near]
    if not lines:
        return Choice(None, Status.MISSING)
    chosen = lines[-1]
    if chosen is None or chosen.kind == "opening":
        chosen = lines[0]
    if chosen is None:
        return Choice(None, Status.MISSING)
    rivals = {line.index for line in lines if line and (line.kind == "bare" or chosen.kind != "bare")}
    return Choice(None, Status.AMBIGUOUS) if rivals - {chosen.index} else Choice(chosen.index, Status.OK_LENIENT)


def _line(line: str, words: Sequence[str], labels: str) -> _Line | None:
    phrase = _clean(line)
    by_words = _option(phrase, words)
    if by_words is not None:
        return _Line(by_words, "worded")
    phrase = _without_lead(phrase)
    letter = _LETTER.match(phrase)
    index = letter_index(letter[1], labels) if letter else None
    if letter is None or index is None:
        return None
    rest = phrase[letter.end() :].strip(" .*")
    if not rest:
        return _Line(index, "bare")
    if _option(rest, words) == index:
        return _Line(index, "worded")
    initials = _LETTER.match(rest)
    if letter[2][-1:] not in (".", ":", ")", "]") or (initials and initials[2]):
        return None
    return _Line(index, "opening") if _read(phrase, words, labels).index == index else None


def _without_lead(phrase: str) -> str:
    lead = _LEAD.match(phrase)
    return phrase[lead.end() :] if lead else phrase


def _option(phrase: str, words: Sequence[str]) -> int | None:
    """Return the only option whose words these are; a single letter is no words."""
    given = plain(phrase)
    if len(given) == 1 and given.isalpha():
        return None
    bracketed = given[1:-1] if given[:1] + given[-1:] == "()" else given
    same = [index for index, option in enumerate(words) if given and option in (given, bracketed)]
    return same[0] if len(same) == 1 else None


def _clean(phrase: str) -> str:
    """Return a phrase without LaTeX, quotes and bold."""
    without = re.sub(r"[*`_\"«»„“”]", "", unwrapped(phrase))
    return " ".join(without.split())
