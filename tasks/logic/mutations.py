"""Almost correct answers, for testing the checker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..random import Dice
from ..text.answers import plain
from .answers import Answer


def mutations(answer: Answer, options: Sequence[str], count: int = 20) -> list[str]:
    """Return ``count`` wrong answers (or as many as there are), the likeliest errors first, no duplicates.

    ``options`` are the words that a wrong answer is made of.
    """
    right = {plain(str(answer)), *(plain(alias) for alias in answer.aliases)}
    found: dict[str, None] = {}
    for wrong in _slips(answer, options):
        if plain(wrong) not in right and wrong not in found and not _same(answer, wrong):
            found[wrong] = None
            if len(found) == count:
                break
    return list(found)


def _same(answer: Answer, wrong: str) -> bool:
    """Say whether it is the answer after all: zeros before a number, another order of a set."""
    if answer.form == "integer":
        return wrong.lstrip("0") == answer.value[0].lstrip("0")
    return answer.form == "set" and sorted(wrong.split(", ")) == sorted(map(plain, answer.value))


def _slips(answer: Answer, options: Sequence[str]) -> Iterator[str]:
    text = plain(str(answer))
    match answer.form:
        case "integer":
            yield from _numbers(answer.value[0])
        case "choice":
            yield from options
            yield from (f"{text} или {option}" for option in options if plain(option) != text)
        case "sequence" | "set":
            yield from _lists(answer, options)
        case "grid":
            yield from _grids(answer.value)
    yield from (f"не {text}", f"{text} (или нет)", f"{text}{text}", f"x{text}", f"{text}x", text[:-1], text[1:])
    yield from (f"{text} или {option}" for option in options)
    yield from ("не знаю", "42 тысячи", "ответа нет", "см. выше", "всё перечисленное")
    yield from ("1/2", "?", "{}", "[]", "null")


def _numbers(number: str) -> Iterator[str]:
    value = int(number)
    yield from (str(value + step) for step in (1, -1, 10, -10, 2, -2))
    yield from (f"1{number}", f"{number}0", f"{number}7", str(-value) if value else "100")
    yield from (f"{number},5", f"{number}.5", f"{number}/2", f"{number}%", f"{number} и {value + 1}")
    yield from (f"{number} или {value + 1}", f"от {number} до {value + 1}", f"{number}–{value + 1}", f"> {number}")
    yield from (f"{number}^2", f"примерно {number}", f"{number}, {number}", f"{value - 1}, {number}")


def _lists(answer: Answer, options: Sequence[str]) -> Iterator[str]:
    value = [plain(part) for part in answer.value]
    for place in range(len(value)):
        yield ", ".join(value[:place] + value[place + 1 :])
    rest = [option for option in map(plain, options) if option not in value]
    for option in rest:
        yield ", ".join([*value, option])
        for place in range(len(value)):
            yield ", ".join([*value[:place], option, *value[place + 1 :]])
    if answer.form == "sequence":
        dice = Dice(str(answer))
        yield ", ".join(value[::-1])
        for _ in range(60):
            yield ", ".join(dice.shuffled(value))
    yield ", ".join([*value, value[0]])
    yield ", ".join(options)
    yield from (f"{', '.join(value)} или {option}" for option in options)
    yield from (option + "а" for option in options)


def _grids(rows: tuple[str, ...]) -> Iterator[str]:
    for place, row in enumerate(rows):
        swapped = row[1] + row[0] + row[2:]
        yield " ".join([*rows[:place], swapped, *rows[place + 1 :]])
        yield " ".join([*rows[:place], *rows[place + 1 :]])
        yield " ".join([*rows[:place], row[0] + row[:-1], *rows[place + 1 :]])
        yield " ".join([*rows[:place], *rows[place + 1 :], row]) if place + 1 < len(rows) else " ".join(rows[::-1])
    yield " ".join(row[::-1] for row in rows)
    yield " ".join("".join(column) for column in zip(*rows, strict=True))
