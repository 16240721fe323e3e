"""Reading one number as judges write it: ``7,5``, ``8/10``, ``8 из 10``, ``восемь``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...tasks.types import Status
from .normalise import BIDI
from .verdict import READ, Reading
from .vocabulary import NUMBER_WORDS, PLACEHOLDER, RATING_LABEL, WHOLE_WORDS

NUMBER = r"[-+]?(?:\d{1,40}(?:,\d{1,40}|\.\d{0,40})?|[.,]\d{1,40})"
OF = r"(?:/|из(?: возможных| максимальных)?|out of(?: a possible)?|of)"
UNIT = r"(?:балл\w{0,3}|б\.|points?|очк\w{1,3}|stars?|зв[её]зд\w{0,2})"
BETWEEN = r"(?:-|–|—|\.{2,3}|до|to|или|либо|or)"

QUANTITY = (
    rf"{NUMBER}(?:\s{{0,3}}{UNIT})?(?:\s{{0,3}}\(?(?:{OF}|{BETWEEN})\s{{0,3}}{NUMBER}\b\)?)?"
    rf"(?:\s{{0,3}}(?:%|процент\w{{0,3}}|{UNIT}))?"
)
"""A regular expression of everything that `read_number` may be able to read, words left out."""

_DECORATION = " \t\n*_`$~\"'«»“”„"
_LABEL = re.compile(rf"(?:(?:{RATING_LABEL})\b[\s*_]{{0,4}})+[:=—–-]?\s{{0,4}}", re.IGNORECASE)
_QUANTITY = re.compile(
    rf"(?P<number>{NUMBER})(?:\s*{UNIT})?"
    rf"(?:\s*\(?(?:(?P<of>{OF})|(?P<between>{BETWEEN}))\s*(?P<second>{NUMBER})\)?)?"
    rf"\s*(?P<unit>%|процент\w{{0,3}}|{UNIT})?\.?",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\s*\([^()\d]{1,60}\)$")
_AND_A_HALF = re.compile(r"(\d{1,2}) (?:с половиной|and a half)")
_BIDI = re.compile(f"[{BIDI}]")
IN_WORDS = (
    rf"(?P<word>\w{{1,20}})(?P<half> с половиной| and a half)?(?: {UNIT})?(?: (?:из|out of) (?P<whole>\w{{1,20}}))?"
)
"""A regular expression of a number in words; the word may be any."""

_IN_WORDS = re.compile(IN_WORDS)


@dataclass(frozen=True, slots=True)
class Scale:
    """The values that a verdict may have; ``whole`` allows integers alone."""

    low: float
    high: float
    whole: bool = False

    def place(self, value: float, status: Status = Status.OK) -> Reading:
        """Return a reading of the value, or the status that refuses it."""
        if not self.low <= value <= self.high:
            return Reading(None, Status.OUT_OF_RANGE)
        if self.whole and value != int(value):
            return Reading(None, Status.MALFORMED)
        return Reading(value, status)


def as_number(text: str) -> float:
    """Return the number, an ``int`` where no decimal sign is written; a comma is a decimal sign."""
    plain = text.strip().replace(",", ".").removeprefix("+")
    return float(plain) if "." in plain else int(plain)


def undecorated(text: str) -> str:
    """Return a text without the marks that Markdown, LaTeX and quotations put around it."""
    return text.strip(_DECORATION)


def read_number(text: str, scale: Scale) -> Reading:
    """Read what stands where the number belongs, the whole of it.

    A denominator must be the scale's highest value, a percentage needs a scale up to 100: nothing is rescaled.
    """
    if _BIDI.search(text):
        return Reading(None, Status.MALFORMED)
    content = undecorated(text).lower()
    if PLACEHOLDER.fullmatch(content) or content == f"{scale.low:g}-{scale.high:g}":
        return Reading(None, Status.MISSING)
    content = undecorated(_LABEL.sub("", content, count=1)) if content[:1].isalpha() else content
    if half := _AND_A_HALF.fullmatch(content):
        return scale.place(int(half[1]) + 0.5, Status.OK_LENIENT)
    if match := _QUANTITY.fullmatch(content):
        return _read_quantity(match, scale)
    if match := _QUANTITY.fullmatch(_REMARK.sub("", content)):
        reading = _read_quantity(match, scale)
        return replace(reading, status=Status.OK_LENIENT) if is_read(reading) else reading
    return _read_words(content, scale)


def _read_quantity(match: re.Match[str], scale: Scale) -> Reading:
    value = as_number(match["number"])
    if match["between"]:
        # Only the ends of the scale itself are a reminder of it, a placeholder.
        ends = (value, as_number(match["second"]))
        return Reading(None, Status.MISSING if ends == (scale.low, scale.high) else Status.AMBIGUOUS)
    if match["of"] and as_number(match["second"]) != scale.high:
        return Reading(None, Status.WRONG_SCALE)
    if (match["unit"] or "").startswith(("%", "процент")) and scale.high != 100:
        return Reading(None, Status.WRONG_SCALE)
    return scale.place(value)


def _read_words(content: str, scale: Scale) -> Reading:
    match = _IN_WORDS.fullmatch(content)
    if not match or match["word"] not in NUMBER_WORDS:
        return Reading(None, Status.MALFORMED)
    if match["whole"] and WHOLE_WORDS.get(match["whole"]) != scale.high:
        return Reading(None, Status.WRONG_SCALE)
    value = NUMBER_WORDS[match["word"]]
    return scale.place(value + 0.5 if match["half"] else value, Status.OK_LENIENT)


def is_read(reading: Reading) -> bool:
    """Whether there is a value."""
    return reading.status in READ
