"""Chooses among the ``[[…]]`` of a text: the last one counts, if it is a verdict or if all of them agree."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...tasks.types import Status
from .verdict import Reading
from .vocabulary import HEDGE, MENTION, OVERALL, SUBSCORE

_BRACKETS = re.compile(r"\[\[([^\[\]]{0,120}+)\]\]")
_UNFINISHED = re.compile(r"\[\[[^\[\]\n]{0,40}\s*\Z")
_LOOK_BACK = 240
_LOOK_AHEAD = 48
_REMEMBERED = 64
_HEADING = re.compile(
    r"\s*[#*_]{1,6}[^\[\]\d]{1,60}|[^\[\]\d]{1,60}:[\s*_]*|\s*[^\W\d]{1,20}(?: [^\W\d]{1,20})?\s*"
)
_SENTENCE_END = re.compile(r"[.!?;](?:\s|$)")
_LABEL_AFTER = re.compile(
    r"[\s*_()–—-]{0,6}(?:балл|итогов|финальн|общая оценка|оценка|points?\b|overall|final)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of verdict looks inside and before its brackets."""

    read: Callable[[str], Reading]
    label: re.Pattern[str]
    after: Callable[[Reading, str], Reading] = lambda reading, _: reading


def choose(text: str, form: Form) -> Reading | None:
    """Return the verdict among the ``[[…]]``, or the status that explains its absence; ``None`` without brackets.

    A pair counts as labelled when a word of the form's label stands before it in its sentence or line (or alone on
    the line above it), and no word there says that it is a condition, an example or one criterion of several.
    Unlabelled pairs are believed only if all pairs agree.
    """
    last: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
    different: dict[str, None] = {}
    for match in _BRACKETS.finditer(text):
        last.append(match.span())
        if len(different) < _REMEMBERED:
            different[match[1]] = None
    if not last:
        return None
    spoken: list[Reading] = []
    lists: list[Reading] = []
    for index in range(len(last) - 1, -1, -1):
        start, end = last[index]
        reading = _reading(text, start, end, form)
        before = _before(text, start, last[index - 1][1] if index else 0)
        if reading.status is Status.MISSING or MENTION.search(before):
            continue
        if reading.status is Status.MALFORMED and "," in text[start:end]:
            # A list, [[1, 2, 3]], is what the answer is about and no verdict, unless there is nothing else.
            lists.append(reading)
            continue
        if not spoken and _is_labelled(text, before, start, end, form.label):
            return reading
        spoken.append(reading)
    if not spoken:
        return lists[0] if lists else Reading(None, Status.MISSING)
    return _agreed(spoken, different, form)


def breaks_off(text: str) -> bool:
    """Whether the text ends inside brackets."""
    return bool(_UNFINISHED.search(text, max(0, len(text) - 80)))


def is_hedged(before: str) -> bool:
    """Whether what stands before a verdict in its sentence says that it was not given."""
    return bool(HEDGE.search(_SENTENCE_END.split(before)[-1]))


def _reading(text: str, start: int, end: int, form: Form) -> Reading:
    inside = text[start + 2 : end - 2]
    reading = form.after(form.read(inside), text[end : end + _LOOK_AHEAD])
    return replace(reading, start=start, end=end)


def _before(text: str, start: int, previous_end: int) -> str:
    """Return what stands before a pair on its line, up to the pair before it."""
    return text[max(previous_end, start - _LOOK_BACK) : start].rpartition("\n")[2]


def _is_labelled(text: str, before: str, start: int, end: int, label: re.Pattern[str]) -> bool:
    sentence = _SENTENCE_END.split(before)[-1]
    if label.search(sentence):
        one_of_several = SUBSCORE.search(sentence) and not OVERALL.search(sentence)
        return not one_of_several and not HEDGE.search(sentence)
    if _LABEL_AFTER.match(text, end, end + _LOOK_AHEAD):
        return True
    if before.strip(" *_#>-–—:|$"):
        return False
    above = text[max(0, start - _LOOK_BACK) : start - len(before)].rstrip().rpartition("\n")[2]
    return bool(_HEADING.fullmatch(above) and label.search(above))


def _agreed(spoken: list[Reading], different: dict[str, None], form: Form) -> Reading:
    """Return the last reading if no other pair in the text says anything else."""
    clear = [reading for reading in spoken if reading.status is not Status.MALFORMED] or spoken
    everywhere = [form.read(inside) for inside in different]
    said: set[tuple[Any, Status]] = {
        (reading.value, Status.OK if reading.value is not None else Status(reading.status))
        for reading in (*clear, *everywhere)
        if reading.status not in (Status.MISSING, Status.MALFORMED)
    }
    if len(said) > 1:
        return replace(clear[0], value=None, status=Status.AMBIGUOUS)
    return clear[0]
