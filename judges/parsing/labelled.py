"""The verdict of a judge that forgot its brackets: a number behind a label, on the last line alone."""

from __future__ import annotations

import re
from dataclasses import replace

from ...tasks.types import Status
from .numbers import IN_WORDS, NUMBER, QUANTITY, UNIT, Scale, is_read, read_number
from .verdict import Reading
from .vocabulary import MENTION, NUMBER_WORDS, OVERALL, SUBSCORE

_LONGEST_LINE = 2000
_MARKUP = str.maketrans("*_`$\t", "     ")
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_SCALE_REMINDER = (
    r"(?:от|from|с|between)\s{1,3}\d{1,3}\s{1,3}(?:до|to|по|and)\s{1,3}\d{1,3}|\d{1,3}\s?-?\s?балльн\w{1,3}"
)
_OPENERS = r"\s{0,4}(?:\\boxed\{|[\[({<«\"'“„]){0,3}\s{0,4}"
_SAID = (
    rf"(?P<said>{QUANTITY}|(?=(?:{_WORDS})\b){IN_WORDS})(?![\w]|[.,:]\d| [.,]\d)"
    r"(?=\s{0,4}(?:[^\w\s]|$|(?:по|за|так|потому|поскольку|но|on|for|because|since|as|but|из)\b))"
)
_NOUN = r"оценк[аиуе]|рейтинг|балл(?:ы|ов)?|вердикт|ratings?|scores?|grades?|marks?|verdict"
_VERB = (
    r"оценива\w{1,4}|оценил\w{0,2}|(?:по)?ставлю|поставил\w{0,2}|выставля\w{1,2}|присваива\w{1,2}|заслуживает"
    r"|rated?|deserves?|I(?: would|'d|’d| will|'ll)? (?:give|assign|award)"
)
# Words that announce much else too: they count when nothing stands between them and their sign.
_SUM = r"итого?|overall|points|result"
_WORD_BEFORE = r"(?:[^\W\d]{1,20}\s)?\b"

_BEHIND_A_SIGN = re.compile(
    rf"(?P<label>{_WORD_BEFORE}(?:{_SUM})(?=\s{{0,4}}[:=—–\]])|{_WORD_BEFORE}(?:{_NOUN}|{_VERB})\b)"
    rf"(?:[\s\"'(]{{1,40}}[^\W\d]{{1,20}}){{0,6}}[\s\"')]{{0,40}}"
    rf"(?:[:=—–\]]|-(?=\s)|\b(?:is|of|равна|равен|составляет|составит)\b){_OPENERS}{_SAID}",
    re.IGNORECASE,
)
_BEHIND_A_WORD = re.compile(
    rf"(?P<label>{_WORD_BEFORE}(?:{_NOUN}|{_VERB}))\b(?:\s{{1,4}}[^\W\d]{{1,20}}){{0,4}}{_OPENERS}{_SAID}",
    re.IGNORECASE,
)
_WITH_A_UNIT = re.compile(
    rf"(?P<label>)(?<![\w.,/-])(?P<said>{NUMBER}\s{{0,3}}{UNIT}(?:\s{{1,3}}(?:из|out of)\s{{1,3}}\d{{1,3}})?)\b",
    re.IGNORECASE,
)
_DEDUCTION = re.compile(
    r"(?:\b(?:на|минус|сня\w{1,3}|снима\w{1,3}|снижа\w{1,4}|вычита?\w{0,3}|штраф\w{0,3}|потеря\w{0,3}|до|от|за|максимум|"
    r"ещё|еще|deduct\w{0,4}|lost|loses?|minus|by|up to|at most|out of|из|worth)|[-–—+])\s{0,3}$",
    re.IGNORECASE,
)
_NOT_GIVEN = re.compile(r"\b(?:максим|минимал|эталонн|maximum|minimum|reference)", re.IGNORECASE)
_RATES = re.compile(r"оценива\w|оценил|\brate", re.IGNORECASE)
_NUMBER_ALONE = re.compile(rf"[\s*_]{{0,8}}{NUMBER}[\s*_.]{{0,8}}")
_WHOLE_LINE = re.compile(rf"[\s.]*(?P<label>)(?P<said>{NUMBER}\s*(?:/|из|out of)\s*\d{{1,3}})[^\w]*", re.IGNORECASE)


def last_line(text: str) -> tuple[int, str]:
    """Return the last line with a letter or a digit on it, and where it begins."""
    end = len(text)
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        begins = max(start, end - _LONGEST_LINE)
        line = text[begins:end]
        if any(char.isalnum() for char in line):
            return begins, line
        end = start - 1
    return 0, ""


def read_last_line(text: str, scale: Scale) -> Reading | None:
    """Read ``Оценка: 8``, ``Rating: (8)``, ``7 баллов из 10`` or ``8/10`` on the last line; ``None`` without.

    What a label announces comes before what only has a unit. Several values are ambiguous, unless one alone is
    called the overall one.
    """
    begins, line = last_line(text)
    if _NUMBER_ALONE.fullmatch(line):
        begins, line = _with_its_heading(text, begins, line)
    line = re.sub(_SCALE_REMINDER, lambda match: " " * len(match[0]), line.translate(_MARKUP), flags=re.IGNORECASE)
    ends_of_scale = re.compile(rf"\(\s?{scale.low:g}\s?[-–—]\s?{scale.high:g}\s?\)")
    line = ends_of_scale.sub(lambda match: " " * len(match[0]), line)
    for pattern in (_BEHIND_A_SIGN, _BEHIND_A_WORD, _WITH_A_UNIT):
        found = [match for match in pattern.finditer(line) if not _is_talk(line, match, pattern)]
        if found:
            return _one_of(found, begins, scale)
    whole = _WHOLE_LINE.fullmatch(line)
    return _one_of([whole], begins, scale) if whole else None


def _with_its_heading(text: str, begins: int, line: str) -> tuple[int, str]:
    """Return the line together with the one above it, if that ends with a colon."""
    above_begins, above = last_line(text[:begins])
    if above.rstrip(" *_").endswith(":"):
        return above_begins, text[above_begins : begins + len(line)].replace("\n", " ")
    return begins, line


def _is_talk(line: str, match: re.Match[str], pattern: re.Pattern[str]) -> bool:
    before = line[max(0, match.start("said") - 60) : match.start("said")]
    if pattern is _WITH_A_UNIT and _DEDUCTION.search(before):
        return True
    if pattern is _BEHIND_A_WORD and _DEDUCTION.search(before) and not _RATES.search(match["label"]):
        return True
    labelled = line[match.start() : match.start("said")]
    if _NOT_GIVEN.search(match["label"]) or (SUBSCORE.search(labelled) and not OVERALL.search(labelled)):
        return True
    return bool(MENTION.search(line[max(0, match.start() - 30) : match.start()]))


def _one_of(found: list[re.Match[str]], begins: int, scale: Scale) -> Reading:
    overall = [match for match in found if OVERALL.search(match["label"])]
    chosen = overall or found
    # A full stop behind the number ends the sentence.
    readings = [(match, read_number(match["said"].rstrip("."), scale)) for match in chosen]
    match, reading = readings[-1]
    if len({(other.value, other.status) for _, other in readings}) > 1:
        reading = Reading(None, Status.AMBIGUOUS)
    if is_read(reading):
        reading = replace(reading, status=Status.OK_LENIENT)
    return replace(reading, start=begins + match.start(), end=begins + match.end("said"))
