"""`parse_verdict`: from a judge's words to a verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ...errors import UsageError, nearest
from ...tasks.types import Status
from .criteria import CRITERIA, plain_cell, read_rubric, read_rubric_object, read_table, read_table_object
from .fastchat import parse_like_fastchat
from .json_reply import Found, Twice, find_object, find_objects, is_part_of_one, is_unfinished
from .masking import blank, hide, hide_echo, hide_quotations, hide_reasoning
from .normalise import normalise
from .numbers import Scale
from .pair_scores import read_pair_scores, read_pair_scores_object
from .pairs import read_pair, read_pair_object
from .points import read_points, read_points_object
from .ratings import read_rating, read_rating_object
from .statements import is_corrected
from .verdict import CODE, KINDS, Kind, Reading, Verdict
from .vocabulary import REFUSAL

_SCALES: dict[str, tuple[float, float]] = {
    "rating": (1, 10),
    "pair_scores": (1, 10),
    "points": (0, 7),
    "rubric": (0, 100),
}
_QUOTED_LINE = re.compile(r"(?m)^([ \t]{0,3})>")
_HEADS = re.compile(r"\s{0,3}(?:#{1,6}\s|\*\*)[^.!?;]{0,60}$")
_API_ERRORS = frozenset({"$ERROR$", "ERROR"})
_BLOCK_KINDS = frozenset({"rubric", "criteria_table"})
_LONGEST_REFUSAL = 4000
_ANNOUNCES = re.compile(r":[\s*_]{0,8}$")
_VERDICT_ALONE = re.compile(
    r"[\s*_#]{0,8}+(?:\[\[[^\[\]]{1,20}\]\]|<\w{1,12}>[^<>]{1,20}</\w{1,12}>|[ABCАВС]|\d[\d.,/]{0,8})[\s*_.]{0,8}"
)


@dataclass(frozen=True, slots=True)
class _Readers:
    """How one kind is read from a text and from a JSON object."""

    text: Callable[[str], Reading | None]
    json: Callable[[dict[str, Any]], Reading | None]
    plain: re.Pattern[str] | None = None
    """What is no quotation though it stands in quotation marks."""


def parse_verdict(
    text: str | None,
    *,
    kind: Kind,
    scale: Sequence[Any] | None = None,
    graded_answer: str | None = None,
    compat: str | None = None,
    nonce: str | None = None,
    finish_reason: str | None = None,
    criteria: Sequence[str] = CRITERIA,
) -> Verdict:
    """Read a verdict out of a judge's words. Takes any text, in time linear in its length.

    Thoughts (``<think>``) and quotations are passed over; the last labelled ``[[…]]`` counts. Values are never
    rescaled or clamped, and a verdict that can be read in two ways is ``ambiguous``.

    Args:
        text: what the judge answered; ``None`` where the call failed.
        kind: ``rating``, ``pair``, ``pair_scores``, ``points``, ``rubric`` or ``criteria_table``.
        scale: the lowest and the highest value; by default 1–10 for ratings, 0–7 for points (integers),
            0–100 for a rubric. For a ``pair``: the labels that the prompt offered, if not A and B.
        graded_answer: what was graded: repetitions of it are not the judge's own words.
        compat: ``fastchat`` returns what FastChat reads, mistakes included.
        nonce: the word that the verdict's line must hold; for a ``rubric`` or a ``criteria_table`` the table
            begins with it. Everything else is then passed over.
        finish_reason: the server's; after ``length`` a verdict counts only if its brackets are closed.
        criteria: the names of a rubric's or a table's criteria.

    Raises:
        UsageError: no such kind, scale or ``compat``.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown kind of verdict '{kind}'.{nearest(kind, KINDS)}")
    if compat is not None:
        if compat != "fastchat":
            raise UsageError(f"unknown compat '{compat}'.{nearest(compat, ['fastchat'])}")
        return parse_like_fastchat(text or "", kind)
    if text is None or text.strip() in _API_ERRORS:
        return Verdict(None, Status.API_ERROR)
    readers = _readers(kind, scale, tuple(criteria))
    if nonce and finish_reason != "content_filter" and (whole := _read_schema(text, nonce, readers)):
        return Verdict(whole.value, whole.status, whole.details, (whole.start, whole.end))
    normal = normalise(text)
    spoken, cut_off = hide_reasoning(normal.text)
    if cut_off:
        return Verdict(None, Status.TRUNCATED)
    if not spoken.strip():
        silent = Status.MISSING if text.strip() else Status.EMPTY
        return Verdict(None, Status.TRUNCATED if finish_reason == "length" else silent)
    if finish_reason == "content_filter":
        return Verdict(None, Status.REFUSED)
    if nonce:
        plain = normalise(nonce).text
        spoken = _in_one_case(spoken, plain)
        spoken = _with_nonce(spoken, plain, whole_block=kind in _BLOCK_KINDS)
    answer = normalise(graded_answer).text if graded_answer else ""
    # An answer cannot know the nonce: what its line says is the judge's own word.
    reading = _read(spoken, "" if nonce and nonce not in answer else answer, readers)
    reading = _judged(reading, spoken, kind, finish_reason)
    span = normal.span(reading.start, reading.end) if reading.end > reading.start else None
    return Verdict(reading.value, reading.status, reading.details, span)


def _readers(kind: Kind, scale: Sequence[Any] | None, criteria: tuple[str, ...]) -> _Readers:
    if kind == "pair":
        labels = tuple(str(label) for label in scale or ())
        if labels and not 2 <= len(labels) <= 3:
            raise UsageError(f"the scale of a pair is its two labels (and a third for a tie), got {scale!r}")
        return _Readers(lambda text: read_pair(text, labels), lambda found: read_pair_object(found, labels))
    if kind == "criteria_table":
        return _Readers(
            lambda text: read_table(text, criteria),
            lambda found: read_table_object(found, criteria),
            plain_cell(criteria),
        )
    bounds = _bounds(_SCALES[kind] if scale is None else scale)
    if kind == "rubric":
        return _Readers(
            lambda text: read_rubric(text, bounds, criteria),
            lambda found: read_rubric_object(found, bounds, criteria),
            plain_cell(criteria),
        )
    if kind == "points":
        # From 0 to 1 there are only shares.
        whole = all(end == int(end) for end in (bounds.low, bounds.high)) and bounds.high - bounds.low > 1
        bounds = replace(bounds, whole=whole)
        return _Readers(lambda text: read_points(text, bounds), lambda found: read_points_object(found, bounds))
    if kind == "pair_scores":
        return _Readers(
            lambda text: read_pair_scores(text, bounds), lambda found: read_pair_scores_object(found, bounds)
        )
    return _Readers(lambda text: read_rating(text, bounds), lambda found: read_rating_object(found, bounds))


def _bounds(scale: Sequence[Any]) -> Scale:
    if len(scale) != 2 or not all(isinstance(end, int | float) for end in scale) or not scale[0] < scale[1]:
        raise UsageError(f"a scale is its lowest and its highest value, got {scale!r}")
    return Scale(scale[0], scale[1])


def _read_schema(text: str, nonce: str, readers: _Readers) -> Reading | None:
    """Read the JSON object of the form's schema, wherever it stands but in thoughts; another code is never read.

    As it came: what a judge quotes inside its explanation is not to be unfolded into quotation marks and brackets.
    """
    if "{" not in text or nonce not in text:
        return None
    try:
        found = _with_code(text, nonce)
    except Twice as twice:
        return Reading(None, Status.AMBIGUOUS, details={"twice": str(twice)})
    readings = [
        # An object is a lenient answer only to who asked for words.
        reading.at(one.start, one.end, Status.OK if reading.status is Status.OK_LENIENT else None)
        for one in found
        if (reading := readers.json(one.object)) is not None
    ]
    if len(readings) > 1:
        before, last = readings[-2:]
        differ = (before.value, before.status) != (last.value, last.status)
        if differ and not is_corrected(text[before.end : last.start]):
            return replace(last, value=None, status=Status.AMBIGUOUS)
    return readings[-1] if readings else None


def _with_code(text: str, nonce: str) -> list[Found]:
    stripped = text.lstrip()
    if stripped[:1] == "{" and (whole := find_object(text)) and whole.start == len(text) - len(stripped):
        return [whole] if whole.object.get(CODE) == nonce else []
    found = [one for one in find_objects(text) if one.object.get(CODE) == nonce]
    if not found:
        return []
    marked = hide(text, [(one.start, one.end) for one in found])
    for one in found:
        marked = f"{marked[: one.start]}{{{marked[one.start + 1 :]}"
    spoken, cut_off = hide_reasoning(marked)
    return [] if cut_off else [one for one in found if spoken[one.start] == "{"]


def _with_nonce(text: str, nonce: str, *, whole_block: bool) -> str:
    """Hide all lines but those with the nonce; of a block, all that stands before its last nonce.

    A JSON object at the end that holds the nonce is kept whole, unless it names another one as its code. What the
    lines of a block quote say with the nonce is the judge's own.
    """
    with suppress(Twice):
        found = find_object(text)
        if found and found.object.get(CODE, nonce) != nonce:
            text = hide(text, [(found.start, found.end)])
        elif found and nonce in text[found.start : found.end]:
            return hide(text, [(0, found.start)])
    if ">" in text and (not whole_block or _is_quoted(text.rpartition(nonce)[2])):
        text = _QUOTED_LINE.sub(r"\1 ", text)
    if whole_block:
        parts = text.split(nonce)
        kept = len(parts) - 1 if parts[-1].strip() else len(parts) - 2
        return blank(nonce).join(part if index == kept > 0 else blank(part) for index, part in enumerate(parts))
    return "\n".join(_own_lines(text, nonce))


def _is_quoted(text: str) -> bool:
    return all(line.lstrip(" ").startswith(">") for line in text.split("\n")[1:] if line.strip())


def _in_one_case(text: str, nonce: str) -> str:
    """Return the text with the nonce in its own case: headings turn into capitals."""
    if nonce not in text and nonce.isascii() and nonce.casefold() in text.casefold():
        return re.sub(re.escape(nonce), nonce, text, flags=re.IGNORECASE | re.ASCII)
    return text


def _own_lines(text: str, nonce: str) -> Iterator[str]:
    """Yield the lines with the nonce, and the verdict below one that ends with a colon; blanks for the others."""
    waiting = False
    for line in text.split("\n"):
        if nonce in line and not is_part_of_one(line):
            waiting = bool(_ANNOUNCES.search(line) or _HEADS.match(line))
            yield line.replace(nonce, blank(nonce))
        elif waiting and _VERDICT_ALONE.fullmatch(line):
            waiting = False
            yield line
        else:
            waiting = waiting and not line.strip()
            yield blank(line)


def _read(text: str, answer: str, readers: _Readers) -> Reading | None:
    """Read a text without what it repeats of the answer; failing that, with it.

    A verdict whose very words stand in the answer is under suspicion.
    """
    own = hide_echo(text, answer) if answer else text
    reading = _read_once(own, readers)
    if (reading is None or reading.status is Status.MISSING) and own != text:
        reading = _read_once(text, readers) or reading
    if reading is None or reading.value is None or reading.end <= reading.start:
        return reading
    repeated = text[reading.start : reading.end] in answer
    return replace(reading, status=Status.INJECTION_SUSPECTED) if repeated else reading


def _read_once(text: str, readers: _Readers) -> Reading | None:
    try:
        found = find_object(text)
        if found:
            reading = readers.json(found.object)
            if reading is not None:
                reading = replace(reading, start=found.start, end=found.end)
                return _without_rivals(text, reading, readers)
    except Twice as twice:
        return Reading(None, Status.AMBIGUOUS, details={"twice": str(twice)})
    return readers.text(hide_quotations(text, readers.plain))


def _without_rivals(text: str, reading: Reading, readers: _Readers) -> Reading:
    """Return the reading of an object unless another one stands before it that says something else."""
    before = text[: reading.start]
    if "{" not in before:
        return reading
    for other in reversed(find_objects(before)):
        rival = readers.json(other.object)
        if rival is not None and (rival.value, rival.status) != (reading.value, reading.status):
            corrected = is_corrected(text[other.end : reading.start])
            return reading if corrected else replace(reading, value=None, status=Status.AMBIGUOUS)
    return reading


def _judged(reading: Reading | None, text: str, kind: Kind, finish_reason: str | None) -> Reading:
    """Say why there is no verdict; doubt one that was read from the end of a text that was cut off there."""
    cut = finish_reason == "length"
    if reading is None or reading.status is Status.MISSING:
        if cut or (reading is None and is_unfinished(text)):
            return Reading(None, Status.TRUNCATED)
        if reading is None and REFUSAL.search(hide_quotations(text[:_LONGEST_REFUSAL])):
            return Reading(None, Status.REFUSED)
        return reading or Reading(None, Status.MISSING)
    if not cut:
        return reading
    open_ended = kind in _BLOCK_KINDS or reading.status is Status.OK_LENIENT
    unfinished = reading.value is None if kind in _BLOCK_KINDS else reading.status is Status.AMBIGUOUS
    if unfinished or (open_ended and reading.end >= len(text.rstrip())):
        return replace(reading, value=None, status=Status.TRUNCATED)
    return reading
