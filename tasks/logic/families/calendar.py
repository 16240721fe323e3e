"""The calendar: days of the week, dates and regular visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from ...random import Dice
from ..answers import Answer, choice, integer
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import listed, people, plural

Kind = Literal["weekday", "date", "month", "meeting"]
Clue = tuple[Literal["length", "times", "starts"], int, int]
"""How many days the month has; how many times it has a day of the week; on which day of the week its 1st falls."""

# Nominative, accusative with «в», after 4, after 5.
_WEEKDAYS: Final = (
    ("понедельник", "в понедельник", "понедельника", "понедельников"),
    ("вторник", "во вторник", "вторника", "вторников"),
    ("среда", "в среду", "среды", "сред"),
    ("четверг", "в четверг", "четверга", "четвергов"),
    ("пятница", "в пятницу", "пятницы", "пятниц"),
    ("суббота", "в субботу", "субботы", "суббот"),
    ("воскресенье", "в воскресенье", "воскресенья", "воскресений"),
)
# Nominative, genitive.
_MONTHS: Final = (
    ("январь", "января"),
    ("февраль", "февраля"),
    ("март", "марта"),
    ("апрель", "апреля"),
    ("май", "мая"),
    ("июнь", "июня"),
    ("июль", "июля"),
    ("август", "августа"),
    ("сентябрь", "сентября"),
    ("октябрь", "октября"),
    ("ноябрь", "ноября"),
    ("декабрь", "декабря"),
)
_DAYS: Final = ("день", "дня", "дней")
_YEARS: Final[dict[Split, range]] = {"train": range(2021, 2060), "test": range(2060, 2099)}
_KINDS: Final[dict[int, tuple[Kind, ...]]] = {
    1: ("weekday", "date"),
    2: ("weekday", "date", "month"),
    3: ("date", "month", "meeting"),
    4: ("month", "meeting"),
    5: ("meeting",),
}
_LONGEST_WAIT: Final = 5000


@dataclass(frozen=True, slots=True)
class Facts:
    """A known day and what is asked.

    «weekday» and «date» ask for the day ``shift`` days away, «month» for the month of that year which fits the
    ``clues``, «meeting» for the number of days until visits every ``periods[i]`` days fall on one day again (which
    has to be the day of the week ``wanted`` where that is given, 0 for Monday).
    """

    kind: Kind
    start: date
    shift: int = 0
    clues: tuple[Clue, ...] = ()
    periods: tuple[int, ...] = ()
    wanted: int | None = None


def solve(facts: Facts) -> list[date | int]:
    """Return all the days, months (as their 1st) or waiting times that fit, having gone through them one by one."""
    match facts.kind:
        case "weekday" | "date":
            return [facts.start + timedelta(days=facts.shift)]
        case "month":
            firsts = [date(facts.start.year, month, 1) for month in range(1, 13)]
            return [first for first in firsts if all(_fits(clue, first) for clue in facts.clues)]
    for wait in range(1, _LONGEST_WAIT):
        day = facts.start + timedelta(days=wait)
        if all(wait % period == 0 for period in facts.periods) and facts.wanted in (None, day.weekday()):
            return [wait]
    return []


def answer(facts: Facts, solution: date | int) -> Answer:
    """Return the day of the week, the day and month, the month, or the number of days."""
    if isinstance(solution, int):
        return integer(solution, units=_DAYS)
    nominative, genitive = _MONTHS[solution.month - 1]
    match facts.kind:
        case "weekday":
            word, when, *_ = _WEEKDAYS[solution.weekday()]
            return choice(word, aliases=[when, when.partition(" ")[2]])
        case "month":
            return choice(nominative, aliases=[f"в {nominative[:-1]}е", genitive])
    day, month, year = solution.day, solution.month, solution.year
    numeric = [f"{day}.{month}", f"{day}.{month:02}", f"{day:02}.{month:02}"]
    with_year = [f"{day} {genitive} {year}{word}" for word in ("", " г", " года")]
    return choice(
        f"{day} {genitive}", aliases=[*numeric, *(f"{n}.{year}" for n in numeric), *with_year, solution.isoformat()]
    )


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw one of four kinds of questions."""
    kind = dice.pick(_KINDS[difficulty])
    year = dice.pick(_YEARS[split])
    while True:
        start = date(year, 1, 1) + timedelta(days=dice.below(365))
        facts = _draw(dice, kind, start, difficulty)
        if len(solutions := solve(facts)) == 1:
            break
    crowd = people(dice, split, len(facts.periods))
    options = tuple(word[0] for word in (_WEEKDAYS if kind == "weekday" else _MONTHS))
    used = frozenset((f"{year} год", *(person.name for person in crowd)))
    return Puzzle(
        _text(facts, [person.name for person in crowd]), answer(facts, solutions[0]), facts, options, used
    )


def _draw(dice: Dice, kind: Kind, start: date, difficulty: int) -> Facts:
    match kind:
        case "weekday" | "date":
            shift = 10 + dice.below((40, 200, 900)[difficulty - 1])
            return Facts(kind, start, -shift if difficulty > 1 and dice.below(2) else shift)
        case "month":
            return _month(dice, start)
    count = 2 + difficulty // 4
    periods = tuple(sorted(dice.shuffled(range(3, 9 + difficulty))[:count]))
    wanted = dice.below(7) if difficulty > 3 else None
    return Facts(kind, start, periods=periods, wanted=wanted)


def _month(dice: Dice, start: date) -> Facts:
    """Draw a month and true clues until no other month of the year fits."""
    first = start.replace(day=1)
    length = _length(first)
    candidates: list[Clue] = [("length", length, 0), ("starts", first.weekday(), 0)]
    candidates += [("times", weekday, _times(first, weekday)) for weekday in range(7)]
    clues: list[Clue] = []
    for clue in dice.shuffled(candidates):
        clues.append(clue)
        facts = Facts("month", first.replace(month=1), clues=tuple(clues))
        if len(solve(facts)) == 1:
            break
    return facts


def _length(first: date) -> int:
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def _times(first: date, weekday: int) -> int:
    return sum((first + timedelta(days=day)).weekday() == weekday for day in range(_length(first)))


def _fits(clue: Clue, first: date) -> bool:
    kind, value, times = clue
    match kind:
        case "length":
            return _length(first) == value
        case "starts":
            return first.weekday() == value
    return _times(first, value) == times


def _text(facts: Facts, names: list[str]) -> str:
    start = facts.start
    day = f"{start.day} {_MONTHS[start.month - 1][1]} {start.year} года"
    known = f"{day} — {_WEEKDAYS[start.weekday()][0]}."
    distance = f"{abs(facts.shift)} {plural(abs(facts.shift), _DAYS)}"
    match facts.kind:
        case "weekday":
            when = (
                f"будет через {distance} после этого дня" if facts.shift > 0 else f"был за {distance} до этого дня"
            )
            return "\n".join([known, f"Какой день недели {when}?", last_line("день недели")])
        case "date":
            when = f"наступит через {distance} после" if facts.shift > 0 else f"было за {distance} до"
            return "\n".join(
                [
                    f"Какое число {when} {day}? Високосные годы считайте по обычному календарю. "
                    "Напишите число и месяц, например «1 мая».",
                    last_line("число и месяц"),
                ]
            )
        case "month":
            clues = "; ".join(_words(clue) for clue in facts.clues)
            return "\n".join(
                [
                    known,
                    f"Про один из месяцев {start.year} года известно: {clues}. Какой это месяц?",
                    last_line("название месяца"),
                ]
            )
    visits = [
        f"{name} приходит в бассейн раз в {period} {plural(period, _DAYS)}"
        for name, period in zip(names, facts.periods, strict=True)
    ]
    condition = "" if facts.wanted is None else f", причём {_WEEKDAYS[facts.wanted][1]}"
    return "\n".join(
        [
            known,
            f"{', '.join(visits)}. В этот день там были {listed(names)}. "
            "Через сколько дней (считая от этого дня) все они впервые снова придут в бассейн в один "
            f"день{condition}?",
            last_line("количество дней"),
        ]
    )


def _words(clue: Clue) -> str:
    kind, value, times = clue
    match kind:
        case "length":
            return f"в нём {value} {plural(value, _DAYS)}"
        case "starts":
            return f"его первое число — {_WEEKDAYS[value][0]}"
    return f"в нём ровно {'пять' if times == 5 else 'четыре'} {_WEEKDAYS[value][times - 2]}"


FAMILY = Family("calendar", "Календарь", generate, solve, answer)
