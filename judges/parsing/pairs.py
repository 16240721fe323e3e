"""Pairs: which of two answers is better, as a label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...tasks.types import Status
from .brackets import Form, breaks_off, choose, is_hedged
from .json_reply import pick
from .labelled import last_line
from .normalise import BIDI
from .numbers import is_read, undecorated
from .verdict import Reading
from .vocabulary import PAIR_LABEL, PLACEHOLDER, TIE

_LATIN = str.maketrans("АВСавс", "ABCABC")
_MALFORMED = Reading(None, Status.MALFORMED)

NOUN = (
    r"(?:ассистент\w{0,2}|модел\w{1,2}|ответ\w{0,2}|решени\w|вариант\w{0,2}"
    r"|assistant|model|response|answer|solution|option)"
)
_LABEL = re.compile(rf"\b(?:{PAIR_LABEL})\b", re.IGNORECASE)
NAMED = re.compile(rf"(?:(?P<noun>{NOUN})[\s_]*[№#]?\s*)?(?P<label>[abcавс12])", re.IGNORECASE)
_PREFERENCE = re.compile(r"(?P<left>[ab])\s*(?P<sign>>{1,3}|<{1,3}|={1,2}|~|≈|≻)\s*(?P<right>[ab])", re.IGNORECASE)
_CHOICES = re.compile(r"[abc](?:\s*(?:/|\||,|;|или|либо|or)\s*[abc])+", re.IGNORECASE)
# The case of the label itself tells В from the preposition в.
_SPOKEN_LABEL = re.compile(
    rf"\b(?i:{PAIR_LABEL})\b[^\S\n]{{0,40}}(?:\s?(?i:это|за|is|в пользу|оказался|у|the|for)\b){{0,4}}"
    rf"\s{{0,4}}[:=—–-]?(?:[\s*_`(\[\"'$]|\\boxed\{{){{0,6}}(?:(?P<noun>(?i:{NOUN}))\s{{0,4}})?"
    r"(?P<said>[ABCАВСБ]|(?i:ничья|tie|draw|равны)|[12](?=\b))(?=[\s*_`)\]}\"'$.!]{0,6}(?:$|[.,;!—–(-]))"
)
_SPOKEN_WINNER = re.compile(
    rf"\b(?P<noun>(?i:{NOUN}))\s{{0,4}}(?P<said>[ABАВБ12])[\s*_]{{1,4}}"
    r"(?:(?:значительно|намного|немного|чуть|заметно|явно|is|clearly|slightly|much)\s){0,2}"
    r"(?:лучше|побеждает|победил|выигрывает|предпочтительнее|сильнее|better|wins|the winner)",
)
_WINNER_KEY = re.compile(
    r"(?:final_|overall_)?(?:winner|verdict|choice|better|preferred|preference|label|decision|answer)"
    r"|(?:итоговый_)?(?:победитель|вердикт|выбор|лучший|лучше|итог)"
)


def read_pair(text: str, labels: tuple[str, ...]) -> Reading | None:
    """Return ``A``, ``B`` or ``tie`` from a text without quotations; ``None`` if nothing in it looks like one.

    ``labels`` are those that the prompt offered where they are not A and B (``("А", "Б")``).
    """
    form = Form(read=lambda inside: read_label(inside, labels), label=_LABEL)
    chosen = choose(text, form)
    if chosen is not None and chosen.status is not Status.MISSING:
        return chosen
    if breaks_off(text):
        return Reading(None, Status.TRUNCATED)
    return _read_last_line(text, labels) or chosen


def read_pair_object(found: Mapping[str, Any], labels: tuple[str, ...]) -> Reading | None:
    """Return the winner in a JSON object; ``None`` if no key of it names one."""
    values = pick(found, _WINNER_KEY)
    readings = [
        read_label(str(value).strip("[] "), labels) if isinstance(value, str | int) else _MALFORMED
        for value in values
        if value is not None
    ]
    if not readings:
        return Reading(None, Status.MISSING) if values else None
    if len({(reading.value, is_read(reading)) for reading in readings}) > 1:
        return Reading(None, Status.AMBIGUOUS)
    return replace(readings[0], status=Status.OK_LENIENT) if is_read(readings[0]) else readings[0]


def read_label(text: str, labels: tuple[str, ...] = ()) -> Reading:
    """Read what stands where the label belongs, the whole of it; ``A>>B`` and words are lenient readings."""
    if any(mark in text for mark in BIDI):
        return _MALFORMED
    content = undecorated(text)
    content = undecorated(_LABEL.sub("", content, count=1).lstrip(":=—– -")) or content
    if PLACEHOLDER.fullmatch(content):
        return Reading(None, Status.MISSING)
    offered = [label.casefold() for label in labels]
    if len(content) == 1 and offered and not set("".join(offered).translate(_LATIN)) <= set("abcABC"):
        said = content.casefold()
        return Reading(("A", "B", "tie")[offered.index(said)], Status.OK) if said in offered else _MALFORMED
    if TIE.fullmatch(content):
        return Reading("tie", Status.OK_LENIENT)
    if (named := NAMED.fullmatch(content)) and (named["noun"] or not named["label"].isdigit()):
        return Reading(winner_of(named["label"]), Status.OK)
    latin = content.translate(_LATIN)
    if preference := _PREFERENCE.fullmatch(latin):
        return _read_preference(preference)
    if _CHOICES.fullmatch(latin):
        # All that can be chosen is a reminder of the form, some of it is a judge that did not choose.
        letters = set(latin.upper())
        whole = {"A", "B"} <= letters and not letters.isdisjoint("C/|")
        return Reading(None, Status.MISSING if whole else Status.AMBIGUOUS)
    return _MALFORMED


def winner_of(label: str) -> str:
    """Return ``A``, ``B`` or ``tie`` for a label in any spelling: A, а, 1; B, В, 2; C, с."""
    return {"A": "A", "1": "A", "B": "B", "2": "B", "C": "tie"}[label.translate(_LATIN).upper()]


def _read_preference(match: re.Match[str]) -> Reading:
    left, right, sign = match["left"].upper(), match["right"].upper(), match["sign"]
    if left == right:
        return _MALFORMED
    if sign[0] in "=~≈":
        return Reading("tie", Status.OK_LENIENT, details={"strength": 0})
    winner = right if sign[0] == "<" else left
    return Reading(winner, Status.OK_LENIENT, details={"strength": 3 if len(sign) > 1 else 1})


def _read_last_line(text: str, labels: tuple[str, ...]) -> Reading | None:
    begins, line = last_line(text)
    found = [
        match
        for pattern in (_SPOKEN_LABEL, _SPOKEN_WINNER)
        for match in pattern.finditer(line)
        if not is_hedged(line[: match.start()])
    ]
    named = [(match, read_label(f"{match['noun'] or ''}{match['said']}", labels)) for match in found]
    readings = [(match, reading) for match, reading in named if is_read(reading)]
    if not readings:
        if TIE.fullmatch(line.strip(" .!*_#")):
            return Reading("tie", Status.OK_LENIENT, begins, begins + len(line))
        return None
    match, reading = readings[-1]
    if len({other.value for _, other in readings}) > 1:
        reading = Reading(None, Status.AMBIGUOUS)
    else:
        reading = replace(reading, status=Status.OK_LENIENT)
    return replace(reading, start=begins + match.start(), end=begins + match.end("said"))
