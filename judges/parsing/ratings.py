"""Ratings: one number in ``[[ ]]``, in a JSON object, or behind a label on the last line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...tasks.types import Status
from .brackets import Form, breaks_off, choose, read_tags
from .json_reply import pick
from .labelled import contradicts, read_said, read_statement
from .numbers import NUMBER, OF, Scale, as_number, is_read
from .verdict import Reading
from .vocabulary import RATING_LABEL

_LABEL = re.compile(rf"\b(?:{RATING_LABEL})\b", re.IGNORECASE)
_AFTER = re.compile(
    rf"[\s*_`$»\"]{{0,6}}(?:(?P<percent>%)"
    rf"|(?:балл\w{{0,3}}\s{{1,3}})?(?P<of>{OF})[\s\[]{{0,5}}(?P<highest>{NUMBER})\b)",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?:(?:overall|final|your|total)_)?(?:rating|score|grade|points|mark)|overall|verdict"
    r"|(?:(?:итогов\w\w|общ\w\w|финальн\w\w)_)?(?:оценка|рейтинг|баллы?)|итог|вердикт"
)


def read_rating(text: str, scale: Scale) -> Reading | None:
    """Return the rating of a text without quotations; ``None`` if nothing in it looks like one."""
    form = Form(
        read=lambda inside: read_said(inside, scale),
        label=_LABEL,
        after=lambda reading, behind: _with_denominator(reading, behind, scale),
        disputed=lambda whole, end, reading: contradicts(whole, end, reading, scale),
    )
    chosen = choose(text, form)
    if chosen is not None and chosen.reading.status is not Status.MISSING:
        if chosen.firm:
            return chosen.reading
        # A number in a sentence gives way to a verdict that has a label.
        said = read_statement(text, scale)
        return said if said is not None and said.value != chosen.reading.value else chosen.reading
    if (tagged := read_tags(text, scale)) is not None:
        return replace(tagged, status=Status.OK_LENIENT) if is_read(tagged) else tagged
    if breaks_off(text):
        return Reading(None, Status.TRUNCATED)
    return read_statement(text, scale) or (chosen.reading if chosen else None)


def read_rating_object(found: Mapping[str, Any], scale: Scale) -> Reading | None:
    """Return the rating in a JSON object; ``None`` if no key of it names one."""
    values = pick(found, _KEY)
    if not values:
        return None
    readings = [read_json_number(value, scale) for value in values]
    if len({(reading.value, reading.status) for reading in readings}) > 1:
        return Reading(None, Status.AMBIGUOUS)
    reading = readings[0]
    return replace(reading, status=Status.OK_LENIENT) if is_read(reading) else reading


def read_json_number(value: Any, scale: Scale) -> Reading:
    """Read a number that JSON holds as a number or as a string."""
    if value is None:
        return Reading(None, Status.MISSING)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Reading(None, Status.MALFORMED)
    return read_said(value.strip("[] "), scale) if isinstance(value, str) else scale.place(value)


def _with_denominator(reading: Reading, behind: str, scale: Scale) -> Reading:
    found = _AFTER.match(behind)
    if not found or reading.value is None:
        return reading
    fits = scale.high == 100 if found["percent"] else as_number(found["highest"]) == scale.high
    return reading if fits else Reading(None, Status.WRONG_SCALE)
