"""Six criteria: a percentage for each (``rubric``), or the better of two answers by each (``criteria_table``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from ...tasks.types import Status
from .numbers import BETWEEN, NUMBER, OF, Scale, as_number, is_read, undecorated
from .pairs import NAMED, moves, read_label, read_side
from .statements import Mention, is_linked, settle
from .verdict import Reading, VerdictStatus
from .vocabulary import TIE

CRITERIA: Final = ("корректность", "полнота", "строгость", "структура", "разбор_случаев", "итоговый_ответ")
"""The criteria that are asked for unless others are."""

OPTIONAL: Final = "разбор_случаев"
"""The one criterion that may not apply: not every proof has cases."""

AVERAGE_TOLERANCE: Final = 1.0
"""How many percentage points the judge's own mean may be off before it is called wrong."""

_NAMES: dict[str, str] = {
    "корректность": r"(?:математическ\w{2} )?(?:корректность|правильность|верность)|correctness|accuracy",
    "полнота": r"полнота|завершённость|завершенность|completeness",
    "строгость": r"(?:математическ\w{2} |логическ\w{2} |геометрическ\w{2} |геом\. ?)?строгость|rigou?r",
    "структура": r"структур\w{1,14}|ясность изложения|structure|organi[sz]ation|clarity",
    "разбор_случаев": (
        r"(?:полнота )?(?:разбора?|перебора?) (?:всех )?случаев|разбор_случаев|перебор|случаи"
        r"|case[ _]?(?:coverage|analysis)|cases"
    ),
    "итоговый_ответ": (r"(?:итоговый|финальный|конечный|окончательный)[ _]ответ|финал|final[ _]?answer"),
    "стиль": r"стиль(?: изложения)?|style",
}
_MEAN = r"(?:(?:итогов|общ)\w{2} )?средн(?:ее|яя|ий)(?: арифметическое| значение| балл| оценка)?|average|mean"
_OVERALL = r"итого|в целом|общий вердикт|общий итог|overall|победитель|winner|вердикт"

_BEGINS = re.compile(
    r"(?:^|[,;|.:%—–-]|критери\w{1,3})[\s>*#_•·|\"'«`—–-]{0,12}(?:\d{1,2}[.)]\s{0,3})?[\s*_\"'«|]{0,8}$"
)
_REMARK = r"(?:[ _]{1,3}[^\W\d]{1,20}){0,3}(?:\s{0,3}\([^()\n]{0,80}\))?"
_SEPARATOR = r"[\s*_\"'»`]{0,8}[:=|—–-]?[\s*_\"'«`|]{0,8}"
_PERCENT = re.compile(
    rf"(?P<number>{NUMBER})(?P<mark>\s{{0,3}}\\?%)?"
    rf"(?:\s{{0,3}}(?:(?P<of>{OF})|(?P<between>{BETWEEN}))\s{{0,3}}(?P<second>{NUMBER}))?"
    rf"(?P<late>\s{{0,3}}(?:\\?%|процент))?",
    re.IGNORECASE,
)
_ONE_PERCENT = re.compile(
    rf"(?<![\w.,])(?P<number>\d{{1,40}}(?:[.,]\d{{1,40}})?)(?:\s{{0,3}}{OF}\s{{0,3}}(?P<of>\d{{1,3}})\b)?"
    rf"(?P<mark>\s{{0,3}}\\?%)?",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^(?:около|примерно|приблизительно|где-то|about|roughly|around|approximately)\s", re.IGNORECASE
)
_MOVES = re.compile(
    r"\b(?:не|нет|точнее|вернее|или|либо|исправля\w*|поправка|вместо|not|no|or|rather|actually|correction"
    r"|instead|minus|минус)\b"
    r"|[→±=+]|->|%\s*[-–—]\s*\d",
    re.IGNORECASE,
)
_LONGEST_MOVE = 160
_ABSENT = re.compile(
    r"(?:н/?п\b|не применим\w{1,2}|неприменим\w{1,2}|не требуется|n/?a\b|not applicable|—|–|-)", re.IGNORECASE
)
_DEPENDS = re.compile(r"(?:зависит|depends|паритет|примерно (?:равн|одинаков)|≈|=|-|—|–)", re.IGNORECASE)
_UNDER_A_HEADING = re.compile(
    r"^[\s*_>#-]{0,8}+(?:оценка|балл|процент|score|rating|grade)"
    r"[\s*_]{0,4}[:=—–-][\s*_]{0,4}(?P<value>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_CELL_MARKS = " |*_\t0123456789.)№"
_CLAUSE_END = re.compile(r"\s{0,4}(?:[^\w\s]|$)")
_LONGEST_SAID = 1000
_LOOK_BACK = 200
_WORST_FIRST: tuple[Status | VerdictStatus, ...] = (
    VerdictStatus.MISSING_CRITERION,
    Status.AMBIGUOUS,
    Status.OUT_OF_RANGE,
    Status.WRONG_SCALE,
    Status.MALFORMED,
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is said of one criterion: the text behind its name, up to the next name."""

    criterion: str
    said: str
    start: int
    end: int


def read_rubric(text: str, scale: Scale, criteria: Sequence[str]) -> Reading | None:
    """Return percentages by criterion; ``None`` if no criterion has one.

    ``details`` holds ``mean_recomputed`` (two decimals) and the judge's own ``mean_said``: when they differ by more
    than `AVERAGE_TOLERANCE` the status is ``average_mismatch``, and the percentages stand.
    """
    found: dict[str, list[Reading]] = {}
    said_means = []
    entries = list(_entries(text, criteria, _MEAN))
    for entry in entries:
        reading = _read_percent(entry.said, scale)
        if reading is None:
            continue
        if entry.criterion == "":
            said_means.append(reading)
        else:
            found.setdefault(entry.criterion, []).append(reading)
    return _rubric(found, said_means, criteria, _extent(entries))


def read_rubric_object(found: Mapping[str, Any], scale: Scale, criteria: Sequence[str]) -> Reading | None:
    """Return percentages by criterion from a JSON object; ``None`` if no key of it names one."""
    by_criterion, means = _named_values(found, criteria, _MEAN)
    readings = {
        name: [_read_json_percent(value, scale) for value in values] for name, values in by_criterion.items()
    }
    return _rubric(readings, [_read_json_percent(value, scale) for value in means], criteria, (0, 0))


def read_table(text: str, criteria: Sequence[str]) -> Reading | None:
    """Return the winner by criterion; ``None`` if no criterion has one.

    ``details`` holds the ``tally`` of A, B and tie. Where a row shows numbers too, a winner who has the smaller one
    makes the table ambiguous.
    """
    found: dict[str, list[Reading]] = {}
    entries = list(_entries(text, criteria, _OVERALL))
    for entry in entries:
        if entry.criterion and (reading := _read_winner(entry.said)) is not None:
            found.setdefault(entry.criterion, []).append(reading)
    return _table(found, criteria, _extent(entries))


def read_table_object(found: Mapping[str, Any], criteria: Sequence[str]) -> Reading | None:
    """Return the winner by criterion from a JSON object; ``None`` if no key of it names one."""
    by_criterion, _ = _named_values(found, criteria, _OVERALL)
    readings = {
        name: [reading for value in values if (reading := _read_winner(str(value))) is not None]
        for name, values in by_criterion.items()
    }
    return _table(readings, criteria, (0, 0))


@cache
def plain_cell(criteria: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of what may stand in a cell for itself alone: a criterion's name, a percentage, a winner."""
    names = "|".join(names for _, names in _names(criteria))
    return re.compile(
        rf"{names}|\[{{0,2}}(?:{_PERCENT.pattern}|{NAMED.pattern}|{TIE.pattern})\]{{0,2}}", re.IGNORECASE
    )


def _names(criteria: Sequence[str]) -> list[tuple[str, str]]:
    """Return criterion and regular expression, longer names first so that «полнота перебора» is not «полнота»."""
    pairs = [(name, _NAMES.get(name) or re.escape(name).replace("_", "[ _]")) for name in criteria]
    return sorted(pairs, key=lambda pair: pair[0] not in ("разбор_случаев", "итоговый_ответ"))


def _pattern(criteria: Sequence[str], closing: str) -> re.Pattern[str]:
    groups = "|".join(f"(?P<c{index}>{names})" for index, (_, names) in enumerate(_names(criteria)))
    return re.compile(rf"(?<!\w)(?=[^\W\d])(?:{groups}|(?P<closing>{closing}))(?!\w)", re.IGNORECASE)


def _entries(text: str, criteria: Sequence[str], closing: str) -> Iterator[_Entry]:
    """Yield the criteria that begin a line, a cell or a clause, each with what is said up to the next one."""
    names = [name for name, _ in _names(criteria)]
    before: tuple[str, int, int] | None = None
    for match in _pattern(criteria, closing).finditer(text):
        start = match.start()
        line = text[max(0, start - _LOOK_BACK) : start].rpartition("\n")[2]
        # In a table the first cell names the criterion; what the other cells talk about is a remark.
        if not _BEGINS.search(line.lstrip()) or (line.lstrip().startswith("|") and line.strip(_CELL_MARKS)):
            continue
        if before is not None:
            yield _entry(text, *before, start)
        criterion = "" if match["closing"] else names[int(match.lastgroup[1:])] if match.lastgroup else ""
        before = (criterion, start, match.end())
    if before is not None:
        yield _entry(text, *before, len(text))


def _entry(text: str, criterion: str, start: int, end: int, next_start: int) -> _Entry:
    said, _, below = text[end : min(next_start, end + _LONGEST_SAID)].partition("\n")
    if not said.strip(" \t*_:—–-"):
        labelled = _UNDER_A_HEADING.search(below)
        said += labelled["value"] if labelled else below.partition("\n")[0]
    return _Entry(criterion, said, start, end + len(said))


_SAID = re.compile(rf"(?P<remark>{_REMARK})(?P<sign>{_SEPARATOR})(?P<value>[^\n]*)")


def _value_of(said: str) -> str | None:
    """Return what is said behind the separator; ``None`` where the name is a word of a sentence."""
    match = _SAID.match(said)
    if not match:
        return None
    remark = match["remark"]
    separated = any(sign in match["sign"] for sign in ":=|—–-")
    return match["value"] if separated or not remark.strip() else None


def _read_percent(said: str, scale: Scale) -> Reading | None:
    value = _value_of(said)
    if value is None:
        return None
    value = _ABOUT.sub("", value.lstrip("[(~≈$ "))
    if _MOVES.search(value[:_LONGEST_MOVE]) and (moved := _settled_percent(value[:_LONGEST_MOVE], scale)):
        return moved
    if not (match := _PERCENT.match(value)):
        return Reading(None, Status.EMPTY) if _ABSENT.match(value) or _ABSENT.match(said.strip(" :|*_")) else None
    marked = bool(match["mark"] or match["late"])
    if match["between"]:
        return Reading(None, Status.AMBIGUOUS)
    if match["of"]:
        if as_number(match["second"]) != scale.high:
            return Reading(None, Status.WRONG_SCALE)
        marked = True
    if not marked and not _CLAUSE_END.match(value, match.end()):
        return None
    return _percentage(as_number(match["number"]), scale, marked=marked)


def _settled_percent(value: str, scale: Scale) -> Reading | None:
    """Read a row that corrects or denies a percentage, ``не 80%, а 60%``; ``None`` if it begins with none."""
    mentions = []
    for match in _ONE_PERCENT.finditer(value):
        marked = bool(match["mark"] or match["of"])
        if marked or _CLAUSE_END.match(value, match.end()):
            wrong = match["of"] and as_number(match["of"]) != scale.high
            reading = (
                Reading(None, Status.WRONG_SCALE)
                if wrong
                else _percentage(as_number(match["number"]), scale, marked=marked)
            )
            mentions.append(Mention(match.start(), match.end(), reading))
    if not mentions or not is_linked(value[: mentions[0].start]):
        return None
    return settle(value, [replace(mentions[0], announced=True), *mentions[1:]]) or Reading(None, Status.AMBIGUOUS)


def _percentage(value: float, scale: Scale, *, marked: bool) -> Reading:
    reading = scale.place(value)
    fraction = not marked and scale.high == 100 and 0 < value <= 1
    return Reading(None, Status.WRONG_SCALE) if fraction and is_read(reading) else reading


def _read_json_percent(value: Any, scale: Scale) -> Reading:
    if isinstance(value, dict):
        inner = [
            one
            for key, one in value.items()
            if key.lower() in ("score", "value", "percent", "оценка", "процент", "балл")
        ]
        value = inner[0] if len(inner) == 1 else None
    if value is None:
        return Reading(None, Status.EMPTY)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Reading(None, Status.MALFORMED)
    if isinstance(value, str):
        return _read_percent(f": {value}", scale) or Reading(None, Status.MALFORMED)
    return _percentage(value, scale, marked=False)


def _named_values(
    found: Mapping[str, Any], criteria: Sequence[str], closing: str
) -> tuple[dict[str, list[Any]], list[Any]]:
    inner = [value for value in found.values() if isinstance(value, dict)]
    objects = [found, *inner] if len(inner) == 1 else [found]
    by_criterion: dict[str, list[Any]] = {}
    closings = []
    for one in objects:
        for key, value in one.items():
            spelt = key.strip().lower().replace("_", " ")
            for name, names in _names(criteria):
                if re.fullmatch(names, spelt, re.IGNORECASE) or spelt == name.replace("_", " "):
                    by_criterion.setdefault(name, []).append(value)
                    break
            else:
                if re.fullmatch(closing, spelt, re.IGNORECASE):
                    closings.append(value)
    return by_criterion, closings


def _settle(
    found: Mapping[str, list[Reading]], criteria: Sequence[str]
) -> tuple[dict[str, Any], Status | VerdictStatus]:
    """Return the value of each criterion, or the worst status of any."""
    values: dict[str, Any] = {}
    statuses: set[Status | VerdictStatus] = set()
    for name in criteria:
        readings = found.get(name, [])
        different = {(reading.value, reading.status if reading.value is None else None) for reading in readings}
        if not readings:
            statuses.add(VerdictStatus.MISSING_CRITERION)
        elif len(different) > 1:
            statuses.add(Status.AMBIGUOUS)
        elif is_read(readings[0]):
            values[name] = readings[0].value
        elif readings[0].status is Status.EMPTY:
            values[name] = None
            if name != OPTIONAL:
                statuses.add(VerdictStatus.MISSING_CRITERION)
        else:
            statuses.add(readings[0].status)
    for status in _WORST_FIRST:
        if status in statuses:
            return {}, status
    return values, Status.OK


def _rubric(
    found: Mapping[str, list[Reading]], means: list[Reading], criteria: Sequence[str], extent: tuple[int, int]
) -> Reading | None:
    if not found:
        return None
    values, status = _settle(found, criteria)
    if status is not Status.OK:
        return Reading(None, status, *extent)
    numbers = [value for value in values.values() if value is not None]
    mean = round(sum(numbers) / len(numbers), 2)
    details: dict[str, Any] = {"mean_recomputed": mean}
    said = [reading.value for reading in means if reading.value is not None]
    if said:
        details["mean_said"] = said[-1]
        if abs(said[-1] - mean) > AVERAGE_TOLERANCE:
            return Reading(values, VerdictStatus.AVERAGE_MISMATCH, *extent, details)
    return Reading(values, Status.OK, *extent, details)


def _table(found: Mapping[str, list[Reading]], criteria: Sequence[str], extent: tuple[int, int]) -> Reading | None:
    if not found:
        return None
    values, status = _settle(found, criteria)
    if status is not Status.OK:
        return Reading(None, status, *extent)
    winners = list(values.values())
    tally = {label: winners.count(label) for label in ("A", "B", "tie")}
    return Reading(values, Status.OK, *extent, {"tally": tally})


def _read_winner(said: str) -> Reading | None:
    cells = (
        [undecorated(cell.partition("(")[0]) for cell in said.strip().strip("|").split("|")] if "|" in said else []
    )
    if not cells:
        value = _value_of(said)
        if value is None:
            return None
        if moves(value[:_LONGEST_MOVE]) and (moved := read_side(value[:_LONGEST_MOVE])):
            return moved
        # A reason may follow the winner.
        cells = [undecorated(re.split(r"[.;(]|\s[—–-]\s|,\s", value, maxsplit=1)[0])]
    readings = [_label(cell) for cell in cells if cell]
    labelled = [reading for reading in readings if reading is not None and is_read(reading)]
    if not labelled:
        absent = len(cells) == 1 and not cells[0]
        undecided = any(reading is not None and reading.status is Status.AMBIGUOUS for reading in readings)
        return None if absent else Reading(None, Status.AMBIGUOUS if undecided else Status.MALFORMED)
    if len({reading.value for reading in labelled}) > 1:
        return Reading(None, Status.AMBIGUOUS)
    numbers = [as_number(match[0]) for cell in cells if (match := re.match(NUMBER, cell)) and _label(cell) is None]
    if len(numbers) == 2 and not _agrees(labelled[-1].value, *numbers):
        return Reading(None, Status.AMBIGUOUS)
    return Reading(labelled[-1].value, Status.OK)


def _label(cell: str) -> Reading | None:
    if re.match(r"[-+]?\d", cell):
        return None
    if _DEPENDS.match(cell):
        return Reading("tie", Status.OK)
    return read_label(cell.strip("[] "))


def _agrees(winner: str, first: float, second: float) -> bool:
    return winner in ("A" if first > second else "B" if second > first else "tie", "tie")


def _extent(entries: Sequence[_Entry]) -> tuple[int, int]:
    return (entries[0].start, entries[-1].end) if entries else (0, 0)
