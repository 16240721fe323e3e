"""Pairs of scores: two ratings in the same brackets, the better of which wins."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...tasks.types import Status
from .brackets import Form, breaks_off, choose
from .json_reply import pick
from .labelled import last_line
from .normalise import BIDI
from .numbers import NUMBER, OF, Scale, as_number, is_read, undecorated
from .pairs import NOUN, winner_of
from .ratings import read_json_number
from .verdict import Reading
from .vocabulary import PLACEHOLDER, RATING_LABEL

TIE_DELTA = 0.1
"""Two ratings nearer than this are a tie (FastChat's constant)."""

_SCORES_LABEL = re.compile(rf"\b(?:{RATING_LABEL}|оценки|рейтинги)\b", re.IGNORECASE)
_TWO = re.compile(
    rf"(?P<first>{NUMBER})(?:\s*{OF}\s*(?P<of_first>{NUMBER}))?"
    rf"\s*(?P<sign>,\s+|;|:|/|\||\bи\b|\band\b|\bvs\b\.?|\bпротив\b"
    rf"|\s)\s*(?P<second>{NUMBER})(?:\s*{OF}\s*(?P<of_second>{NUMBER}))?",
    re.IGNORECASE,
)
_NAMED_TWO = re.compile(
    rf"(?:(?i:{NOUN})\s)?(?P<one>[ABАВ])\s?[:=—–-]\s?(?P<first>{NUMBER})(?:/"
    rf"(?P<of_first>\d{{1,3}}))?\s?[,;/]?\s{{0,3}}(?:(?i:{NOUN})\s)?(?P<other>[ABАВ])\s?[:=—–-]\s?"
    rf"(?P<second>{NUMBER})(?:/(?P<of_second>\d{{1,3}}))?"
)
_TABLE = re.compile(
    rf"(?:^|\n)\|[\s*]*(?:{NOUN}\s)?(?P<one>[ABАВ])[\s*]*\|[\s*]*(?:{NOUN}\s)?(?P<other>[ABАВ])[\s*]*\|[^\S\n]*\n"
    rf"(?:\|[\s:|-]{{1,40}}\|[^\S\n]*\n)?\|[\s*]*(?P<first>{NUMBER})[\s*]*\|[\s*]*(?P<second>{NUMBER})[\s*]*\|\s*$",
    re.IGNORECASE,
)
_COMMA = re.compile(r"(?P<first>\d{1,3}(?:\.\d{0,6})?),(?P<second>\d{1,3}(?:\.\d{0,6})?)")
_SINGULAR = re.compile(r"\b(?:оценка|балл|рейтинг|rating|score|grade)\b", re.IGNORECASE)
_PLURAL = re.compile(r"\b(?:оценки|оценок|баллы|рейтинги|ratings|scores|grades)\b", re.IGNORECASE)
_BRACKETS = re.compile(r"\[\[[^\[\]]{0,120}+\]\]")
_ONE_SCORE = re.compile(rf"\[\[\s*(?P<score>{NUMBER})\s*\]\]")
_FIRST_KEY = re.compile(
    r"(?:(?:assistant|model|score|rating|ассистент|модель|оценка)_)?(?:a|а|1)|(?:a|а)_(?:score|rating)"
)
_SECOND_KEY = re.compile(
    r"(?:(?:assistant|model|score|rating|ассистент|модель|оценка)_)?(?:b|в|2)|(?:b|в)_(?:score|rating)"
)
_NAMED_BEFORE = re.compile(rf"(?:{NOUN}\s*|\b)(?P<label>[ABАВ12])[\s:=—–*_-]{{1,8}}$")
_LOOK_BACK = 120


def read_pair_scores(text: str, scale: Scale) -> Reading | None:
    """Return the winner by two ratings, which ``details`` hold; ``None`` if nothing in the text looks like them."""
    before = ""
    for match in deque(_BRACKETS.finditer(text), maxlen=1):
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()].rpartition("\n")[2]
    plural = bool(_PLURAL.search(before))
    one_number = bool(_SINGULAR.search(before)) and not plural
    form = Form(
        read=lambda inside: _read_two(inside, scale, one_number=one_number, decimals=not plural),
        label=_SCORES_LABEL,
    )
    choice = choose(text, form)
    chosen = choice.reading if choice else None
    if chosen is not None and chosen.status in (Status.MALFORMED, Status.AMBIGUOUS):
        return _read_each(text, scale) or chosen
    if chosen is not None and chosen.status is not Status.MISSING:
        return chosen
    if breaks_off(text):
        return Reading(None, Status.TRUNCATED)
    return _read_scores_line(text, scale) or chosen


def read_pair_scores_object(found: Mapping[str, Any], scale: Scale) -> Reading | None:
    """Return the winner by the ratings in a JSON object; ``None`` unless it names both."""
    first, second = pick(found, _FIRST_KEY), pick(found, _SECOND_KEY)
    if len(first) != 1 or len(second) != 1:
        return None
    return _compared(read_json_number(first[0], scale), read_json_number(second[0], scale), Status.OK_LENIENT)


def _read_two(text: str, scale: Scale, *, one_number: bool, decimals: bool) -> Reading:
    content = undecorated(text)
    if any(mark in content for mark in BIDI):
        return Reading(None, Status.MALFORMED)
    if PLACEHOLDER.fullmatch(content):
        return Reading(None, Status.MISSING)
    if match := _COMMA.fullmatch(content):
        # 7,5 may be seven and a half; only a form with two numbers in sight makes it a seven and a five.
        if one_number or (decimals and match["second"] == "5"):
            return Reading(None, Status.AMBIGUOUS)
        status = Status.OK
    elif named := _NAMED_TWO.fullmatch(content):
        return _by_name(named, scale)
    elif match := _TWO.fullmatch(content):
        if any(whole and as_number(whole) != scale.high for whole in match.group("of_first", "of_second")):
            return Reading(None, Status.WRONG_SCALE)
        status = Status.OK if match["sign"].strip() == "," else Status.OK_LENIENT
    else:
        return Reading(None, Status.AMBIGUOUS if re.fullmatch(NUMBER, content) else Status.MALFORMED)
    return _compared(scale.place(as_number(match["first"])), scale.place(as_number(match["second"])), status)


def _by_name(match: re.Match[str], scale: Scale) -> Reading:
    names = winner_of(match["one"]), winner_of(match["other"])
    ends = {whole for name, whole in match.groupdict().items() if name.startswith("of_") and whole}
    if any(as_number(whole) != scale.high for whole in ends):
        return Reading(None, Status.WRONG_SCALE)
    if set(names) != {"A", "B"}:
        return Reading(None, Status.MALFORMED)
    first, second = (scale.place(as_number(match[group])) for group in ("first", "second"))
    return _compared(*((first, second) if names[0] == "A" else (second, first)), Status.OK_LENIENT)


def _compared(first: Reading, second: Reading, status: Status) -> Reading:
    for one in (first, second):
        if not is_read(one):
            return Reading(None, one.status)
    difference = first.value - second.value
    # Decimals such as 8.1 and 8.0 differ by a little less than 0.1 in binary.
    winner = "tie" if abs(difference) < TIE_DELTA - 1e-9 else "A" if difference > 0 else "B"
    return Reading(winner, status, details={"scores": [first.value, second.value]})


def _read_each(text: str, scale: Scale) -> Reading | None:
    """Read ``Ассистент A: [[8]]`` and ``Ассистент B: [[7]]``: exactly two pairs of brackets, one number in each."""
    brackets = []
    for match in _ONE_SCORE.finditer(text):
        brackets.append(match)
        if len(brackets) > 2:
            return None
    if len(brackets) != 2:
        return None
    named = [_NAMED_BEFORE.search(text, max(0, match.start() - _LOOK_BACK), match.start()) for match in brackets]
    if not named[0] or not named[1]:
        return None
    names = winner_of(named[0]["label"]), winner_of(named[1]["label"])
    if set(names) != {"A", "B"}:
        return None
    readings = [scale.place(as_number(match["score"])) for match in brackets]
    first, second = readings if names[0] == "A" else reversed(readings)
    compared = _compared(first, second, Status.OK_LENIENT)
    return replace(compared, start=brackets[0].start(), end=brackets[1].end())


def _read_scores_line(text: str, scale: Scale) -> Reading | None:
    if table := _TABLE.search(text):
        return replace(_by_name(table, scale), start=table.start(), end=table.end())
    begins, line = last_line(text)
    if line.strip(" *.") == text.strip(" *.\n"):
        alone = _read_two(line.strip(" *."), scale, one_number=False, decimals=True)
        if is_read(alone) and "/" not in line:
            return replace(alone, status=Status.OK_LENIENT, start=begins, end=begins + len(line))
    if named := _NAMED_TWO.fullmatch(line.strip(" *_.")):
        reading = _by_name(named, scale)
        status = Status.OK_LENIENT if is_read(reading) else reading.status
        return replace(reading, status=status, start=begins, end=begins + len(line))
    match = re.search(
        rf"(?:{_PLURAL.pattern})[^\d\n]{{0,40}}?(?P<two>{NUMBER}\s*(?:,\s|;|/|\bи\b"
        rf"|\band\b)\s*{NUMBER})[\s.!\])]*$",
        line,
        re.IGNORECASE,
    )
    if not match:
        return None
    reading = _read_two(match["two"], scale, one_number=False, decimals=False)
    status = Status.OK_LENIENT if is_read(reading) else reading.status
    return replace(reading, status=status, start=begins + match.start(), end=begins + match.end("two"))
