"""Progressions and sequences."""

from __future__ import annotations

from ...random import Dice
from .family import Exercise, between, family, nonzero
from .nouns import DAYS, PAGES


@family("progressions", "train")
def arithmetic_progression(dice: Dice, difficulty: int) -> Exercise:
    """Find a member or the sum of the first members of an arithmetic progression."""
    first, step = between(dice, -5 * difficulty, 12 * difficulty), nonzero(dice, 2 + 3 * difficulty)
    count = between(dice, 8, 12 + 15 * difficulty)
    last = first + step * (count - 1)
    if difficulty == 1 or dice.below(2):
        given = f"Первый член арифметической прогрессии равен ${first}$, а её разность равна ${step}$."
    else:
        given = f"В арифметической прогрессии $a_1 = {first}$ и $a_2 = {first + step}$."
    if dice.below(2):
        text = f"{given} Найдите сумму её членов с первого по {count}-й включительно."
        return Exercise(text, str((first + last) * count // 2))
    return Exercise(f"{given} Найдите её {count}-й член.", str(last))


@family("progressions", "train")
def geometric_progression(dice: Dice, difficulty: int) -> Exercise:
    """Find a member or the sum of the first members of a geometric progression."""
    first = nonzero(dice, 2 + difficulty)
    ratio = between(dice, 2, 2 + difficulty) * (1 if difficulty == 1 else dice.pick((1, -1)))
    count = between(dice, 4, 5 + difficulty)
    given = dice.pick(
        (
            f"Первый член геометрической прогрессии равен ${first}$, а её знаменатель равен ${ratio}$.",
            f"В геометрической прогрессии первый член равен ${first}$, а второй равен ${first * ratio}$.",
        )
    )
    if dice.below(2):
        answer = first * (ratio**count - 1) // (ratio - 1)
        return Exercise(f"{given} Найдите сумму первых {count} её членов.", str(answer))
    return Exercise(f"{given} Найдите её {count}-й член.", str(first * ratio ** (count - 1)))


@family("progressions", "test")
def recurrence(dice: Dice, difficulty: int) -> Exercise:
    """Find a member of the sequence a₁ = s, aₙ₊₁ = paₙ + q."""
    start, factor = between(dice, 1, 4 * difficulty), between(dice, 2, 1 + difficulty)
    shift, index = nonzero(dice, 3 + 2 * difficulty), between(dice, 4, 4 + 2 * difficulty)
    rule = f"{factor}a_n {'+' if shift > 0 else '-'} {abs(shift)}"
    member = start
    for _ in range(index - 1):
        member = factor * member + shift
    text = dice.pick(
        (
            f"Последовательность задана условиями $a_1 = {start}$ и $a_{{n+1}} = {rule}$. Найдите $a_{{{index}}}$.",
            f"Известно, что $a_1 = {start}$, а при каждом натуральном $n$ верно равенство $a_{{n+1}} = {rule}$. "
            f"Чему равен член $a_{{{index}}}$?",
        )
    )
    return Exercise(text, str(member))


@family("progressions", "train")
def reading_more_each_day(dice: Dice, difficulty: int) -> Exercise:
    """Find how much is read in all, when every day brings a few pages more than the day before."""
    first, more = between(dice, 5, 15 * difficulty), between(dice, 1, 4 * difficulty)
    days = between(dice, 5, 7 * difficulty)
    who = dice.pick(("Лена прочитала", "Марат прочитал", "Ученица прочитала", "Дедушка прочитал"))
    text = (
        f"В первый день {who} {PAGES.count(first)}, а в каждый следующий день — на {PAGES.count(more)} больше, чем "
        f"в предыдущий. Сколько всего страниц прочитано за {DAYS.count(days)}?"
    )
    total = sum(first + more * day for day in range(days))
    return Exercise(text, str(total))
