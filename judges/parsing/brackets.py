"""Chooses among the ``[[…]]`` or the tags of a text: the last verdict counts, if nothing disputes it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from ...tasks.types import Status
from .labelled import read_said
from .numbers import OF, Scale
from .statements import is_corrected, is_denied, is_linked, leads_on
from .verdict import Reading
from .vocabulary import HEDGE, MENTION, ORDINARY_LABEL, OVERALL, SAID_BY_OTHERS, SUBSCORE, is_of_others

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
_DENOMINATOR = re.compile(rf"\s*(?:{OF})\s*", re.IGNORECASE)
_SHOWN = re.compile(r"[:=]\s*[*_]*\s*$")
_POINTS_AT_IT = re.compile(
    r"(?:[:=—–-]|\b(?:это|этому|этот|данн\w{2,3}|this|даю|дам|выбираю|give it|is|итак|so)"
    r"(?:\s(?:ответ\w{0,2}|answer|one|response))?(?:\s(?:an?|the))?)\s*[*_`$«\"(]*\s*$",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"[\s*_`.!$]*+")
_EQUATION = re.compile(r"[\w)\]]\s*=\s*$")
_GOES_ON = re.compile(r"[\s*_`$»\")]*(?:[,;]\s*)?[^\W\d]")


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of verdict looks inside and before its brackets."""

    read: Callable[[str], Reading]
    label: re.Pattern[str]
    after: Callable[[Reading, str], Reading] = lambda reading, _: reading
    disputed: Callable[[str, int, Reading], bool] = lambda *_: False
    """Whether a text says something else than a reading behind the place where its brackets end."""


class _Standing(Enum):
    """By what right a value in brackets counts: as a verdict with its label, by itself, or not at all."""

    LABELLED = auto()
    OWN = auto()
    ASIDE = auto()
    TALK = auto()
    OTHERS = auto()
    SHOWN = auto()
    DENIED = auto()


_SPOKEN = (_Standing.LABELLED, _Standing.OWN, _Standing.ASIDE)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One ``[[…]]``: what it says, what stands before it on its line, and by what right it counts."""

    reading: Reading
    before: str
    standing: _Standing
    corrects: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A verdict in brackets; ``firm`` if a label announces it or nothing else is on its line."""

    reading: Reading
    firm: bool = True


def choose(text: str, form: Form) -> Choice | None:
    """Return the verdict among the ``[[…]]``, or the status that explains its absence; ``None`` without brackets.

    A pair counts as labelled when a word of the form's label stands before it in its sentence or line (or alone on
    the line above it), and no word there says that it is a condition, an example or one criterion of several. What
    is denied, or somebody else's, or only part of a sentence is no verdict. Of several verdicts that differ the
    last one counts only if it is called the overall one or a correction.
    """
    last: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
    different: set[str] = set()
    number = 0
    for match in _BRACKETS.finditer(text):
        last.append(match.span())
        number += 1
        if len(different) < _REMEMBERED:
            different.add(match[1])
    if not last:
        return None
    if number == 1 and (ordinary := _ordinary(text, *last[0], form)) is not None:
        return Choice(ordinary)
    pairs, lists = _pairs(text, last, form)
    if number > _REMEMBERED:
        # What stands further up is known by its words alone.
        everywhere = {reading.value for inside in different if (reading := form.read(inside)).value is not None}
    else:
        everywhere = set()
    return _chosen(text, pairs, lists, everywhere, form)


def breaks_off(text: str) -> bool:
    """Whether the text ends inside brackets."""
    return bool(_UNFINISHED.search(text, max(0, len(text) - 80)))


def is_hedged(before: str) -> bool:
    """Whether what stands before a verdict in its sentence says that it was not given."""
    return bool(HEDGE.search(_SENTENCE_END.split(before)[-1]))


def _ordinary(text: str, start: int, end: int, form: Form) -> Reading | None:
    """Return what the only pair says where nothing but its label is on its line, and nothing behind it."""
    before = text[max(0, start - _LOOK_BACK) : start].rpartition("\n")[2]
    if not ORDINARY_LABEL.fullmatch(before) or not form.label.search(before) or not _NOTHING.fullmatch(text, end):
        return None
    return form.read(text[start + 2 : end - 2]).at(start, end)


def _pairs(text: str, spans: deque[tuple[int, int]], form: Form) -> tuple[list[_Pair], list[Reading]]:
    pairs: list[_Pair] = []
    lists: list[Reading] = []
    previous_end = 0
    previous: _Pair | None = None
    for start, end in spans:
        between = text[max(previous_end, start - _LOOK_BACK) : start]
        before = between.rpartition("\n")[2]
        follows = previous_end > 0 and start - previous_end <= _LOOK_BACK
        if follows and previous is not None and _DENOMINATOR.fullmatch(between):
            previous_end = end
            continue
        reading = form.after(form.read(text[start + 2 : end - 2]), text[end : end + _LOOK_AHEAD]).at(start, end)
        previous_end, passed = end, previous
        if reading.status is Status.MISSING or MENTION.search(before):
            continue
        if reading.status is Status.MALFORMED and "," in text[start:end]:
            # A list, [[1, 2, 3]], is what the answer is about and no verdict, unless there is nothing else.
            lists.append(reading)
            continue
        corrects = (
            follows
            and passed is not None
            and (
                (
                    is_corrected(between)
                    and (is_linked(_behind_correction(between)) or bool(form.label.search(before)))
                )
                or (passed.standing is _Standing.DENIED and leads_on(between))
            )
        )
        standing = _Standing.OWN if corrects else _standing(text, before, start, end, form.label)
        if is_denied(before, text[end : end + _LOOK_AHEAD]):
            standing, corrects = _Standing.DENIED, False
        previous = _Pair(reading, before, standing, corrects)
        pairs.append(previous)
    return pairs, lists


def _behind_correction(between: str) -> str:
    return re.split(r"[.:,;—–→>]", between)[-1]


def _standing(text: str, before: str, start: int, end: int, label: re.Pattern[str]) -> _Standing:
    sentence = _SENTENCE_END.split(before)[-1]
    goes_on = bool(_GOES_ON.match(text, end, end + _LOOK_AHEAD)) and text[end : end + 1] != "\n"
    if is_of_others(sentence):
        shown = SAID_BY_OTHERS.search(sentence)
        return (
            _Standing.SHOWN
            if shown and _SHOWN.search(before) and label.search(sentence[shown.end() :])
            else _Standing.OTHERS
        )
    if label.search(sentence):
        one_of_several = SUBSCORE.search(sentence) and not OVERALL.search(sentence)
        if one_of_several:
            return _Standing.OWN
        return _Standing.TALK if HEDGE.search(sentence) else _Standing.LABELLED
    if _LABEL_AFTER.match(text, end, end + _LOOK_AHEAD):
        return _Standing.LABELLED
    if _EQUATION.search(before):
        return _Standing.TALK
    if not before.strip(" *_#>-–—:|$"):
        above = text[max(0, start - _LOOK_BACK) : start - len(before)].rstrip().rpartition("\n")[2]
        return _Standing.LABELLED if _HEADING.fullmatch(above) and label.search(above) else _Standing.OWN
    if not sentence.strip(" *_#>-–—:|$"):
        return _Standing.OWN
    if not _POINTS_AT_IT.search(before) or HEDGE.search(sentence):
        return _Standing.TALK
    return _Standing.ASIDE if goes_on else _Standing.OWN


def _chosen(
    text: str, pairs: list[_Pair], lists: list[Reading], everywhere: set[object], form: Form
) -> Choice | None:
    counting = [pair for pair in pairs if pair.standing in (_Standing.LABELLED, _Standing.OWN)]
    clear = [pair for pair in counting if pair.reading.status is not Status.MALFORMED] or counting
    if not clear:
        if any(pair.standing in (_Standing.DENIED, _Standing.SHOWN) for pair in pairs):
            return Choice(Reading(None, Status.AMBIGUOUS))
        return Choice(Reading(None, Status.MISSING) if pairs or not lists else lists[-1])
    top = counting[-1] if counting[-1].standing is _Standing.LABELLED else clear[-1]
    ambiguous = Choice(replace(top.reading, value=None, status=Status.AMBIGUOUS))
    place = pairs.index(top)
    for pair in pairs[place + 1 :]:
        if pair.standing in (_Standing.ASIDE, _Standing.TALK, _Standing.SHOWN) and not _same(pair, top):
            return ambiguous
    if top.reading.value is not None and form.disputed(text, top.reading.end, top.reading):
        return ambiguous
    alone = not top.before.strip(" *_#>-–—:|$") or top.before.strip(" *_")[-1:] == ":"
    if top.corrects:
        return Choice(top.reading)
    if top.standing is _Standing.LABELLED:
        rivals = [pair for pair in pairs[:place] if pair.standing is _Standing.LABELLED and not _same(pair, top)]
        if rivals and not _replaces(text, rivals[-1], top):
            return ambiguous
        return Choice(top.reading)
    others = [pair for pair in pairs[:place] if pair.standing in _SPOKEN]
    others = [pair for pair in others if pair.reading.status is not Status.MALFORMED]
    if any(not _same(pair, top) for pair in others) or (everywhere and everywhere != {top.reading.value}):
        return ambiguous
    return Choice(top.reading, firm=alone)


def _replaces(text: str, rival: _Pair, top: _Pair) -> bool:
    sentence = _SENTENCE_END.split(top.before)[-1]
    if OVERALL.search(sentence) and not OVERALL.search(_SENTENCE_END.split(rival.before)[-1]):
        return True
    return is_corrected(text[rival.reading.end : top.reading.start][-2 * _LOOK_BACK :])


def _same(one: _Pair, other: _Pair) -> bool:
    return not _differ(one.reading, other.reading)


# Tags: ``<points>6</points>``, ``<score>6</score>``

_TAG = r"(?:points?|score|grade|rating|баллы?|оценка)"
_BLOCK = re.compile(rf"<(?P<tag>{_TAG})\s{{0,4}}>(?P<inside>[^<>]{{0,120}}+)</(?P=tag)\s{{0,4}}>", re.IGNORECASE)
_OPEN = re.compile(rf"<{_TAG}\s{{0,4}}>[^<>]{{0,120}}+\Z|<{_TAG}\Z", re.IGNORECASE)
_INTRODUCED = re.compile(r"(?:^|\n)[^\w\n]*$|[:=—–]\s*$")
_SAID_LOOK_BACK = 80


def read_tags(text: str, scale: Scale) -> Reading | None:
    """Return the number in the last block of tags; ``None`` without one, ``truncated`` if one is open at the end.

    If the last block stands in the middle of a sentence and another one differs, neither counts; nor if two differ
    that both stand for themselves, unless the last is a correction.
    """
    blocks = deque(_BLOCK.finditer(text), maxlen=_REMEMBERED)
    if not blocks:
        unfinished = _OPEN.search(text, max(0, len(text) - 2 * _SAID_LOOK_BACK))
        return Reading(None, Status.TRUNCATED) if unfinished else None
    readings = [read_said(block["inside"], scale).at(block.start(), block.end()) for block in blocks]
    spoken = [reading for reading in readings if reading.status is not Status.MISSING]
    if not spoken:
        return readings[-1]
    last = spoken[-1]
    if len(spoken) == 1 and ORDINARY_LABEL.fullmatch(text, text.rfind("\n", 0, last.start) + 1, last.start):
        return last
    given = [reading for reading in spoken if not _is_denied(text, reading)]
    if not given:
        return replace(last, value=None, status=Status.AMBIGUOUS)
    last = given[-1]
    if not _is_of_others(text, last):
        given = [reading for reading in given if not _is_of_others(text, reading)]
    rival = next((reading for reading in reversed(given) if _differ(reading, last)), None)
    if rival is None:
        return last
    introduced = _INTRODUCED.search(text[max(0, last.start - _SAID_LOOK_BACK) : last.start])
    if is_corrected(text[rival.end : last.start][-_LOOK_BACK:]):
        return last
    shown = not _INTRODUCED.search(text[max(0, rival.start - _SAID_LOOK_BACK) : rival.start])
    return last if introduced and shown else replace(last, value=None, status=Status.AMBIGUOUS)


def _is_denied(text: str, reading: Reading) -> bool:
    before = text[max(0, reading.start - _SAID_LOOK_BACK) : reading.start].rpartition("\n")[2]
    return is_denied(before, text[reading.end : reading.end + _LOOK_AHEAD])


def _is_of_others(text: str, reading: Reading) -> bool:
    before = text[max(0, reading.start - _SAID_LOOK_BACK) : reading.start].rpartition("\n")[2]
    return is_of_others(_SENTENCE_END.split(before)[-1])


def _differ(one: Reading, other: Reading) -> bool:
    return (one.value, one.value is None and one.status) != (other.value, other.value is None and other.status)
