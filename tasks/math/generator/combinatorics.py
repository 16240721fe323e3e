"""Counting."""

from __future__ import annotations

from math import comb, factorial, perm

from ...random import Dice
from ...text.nouns import Noun
from .family import Exercise, between, family
from .nouns import BOYS, GAMES, GIRLS

_WORDS = (
    ("КНИГА", "МОРОЗ", "АТЛАС", "ПАРУС", "КОМЕТА", "ТОПОЛЬ"),
    ("БАНАН", "МОЛОКО", "ТАЙГА", "БАЛАЛАЙКА", "КАРТОТЕКА", "ОБОРОНА"),
    ("КОЛОКОЛ", "МАТЕМАТИКА", "ПЕРЕПЕЛ", "КОМБИНАТОРИКА", "АБРАКАДАБРА", "ВОДОПРОВОД"),
)
_CHOSEN = Noun("человека", "человека", "человек")
_PLAYERS = ("Шахматисты", "Шашисты", "Игроки в нарды")


@family("combinatorics", "train")
def committee(dice: Dice, difficulty: int) -> Exercise:
    """Count the ways to choose some children with a given number of girls among them."""
    boys, girls = between(dice, 4, 5 + 2 * difficulty), between(dice, 4, 5 + 2 * difficulty)
    wanted, others = between(dice, 1, 1 + difficulty), between(dice, 1, 1 + difficulty)
    size = wanted + others
    at_least = difficulty == 3 and dice.below(2) == 1
    counts = range(wanted, min(size, girls) + 1) if at_least else [wanted]
    answer = sum(comb(girls, count) * comb(boys, size - count) for count in counts)
    condition = "не меньше" if at_least else "ровно"
    text = (
        f"В классе {BOYS.count(boys)} и {GIRLS.count(girls)}. Сколькими способами можно выбрать из них команду, в "
        f"которой {_CHOSEN.count(size)}, так, чтобы девочек среди них было {condition} {wanted}?"
    )
    return Exercise(text, str(answer))


@family("combinatorics", "train")
def anagrams(dice: Dice, difficulty: int) -> Exercise:
    """Count the different arrangements of the letters of a word."""
    word = dice.pick(_WORDS[difficulty - 1])
    answer = factorial(len(word))
    for letter in sorted(set(word)):
        answer //= factorial(word.count(letter))
    text = dice.pick(
        (
            f"Сколькими способами можно переставить буквы слова «{word}» (исходный порядок тоже считается; "
            "одинаковые буквы неразличимы)?",
            f"Сколько различных последовательностей букв можно составить из всех букв слова «{word}»?",
        )
    )
    return Exercise(text, str(answer))


@family("combinatorics", "train")
def digit_numbers(dice: Dice, difficulty: int) -> Exercise:
    """Count the numbers that can be written with some digits, zero among them or not."""
    length = 2 + difficulty
    digits = sorted(dice.shuffled(range(10))[: between(dice, length, min(9, length + 1 + difficulty))])
    repeated = dice.below(2) == 1
    free = len(digits) - (digits[0] == 0)
    answer = free * (len(digits) ** (length - 1) if repeated else perm(len(digits) - 1, length - 1))
    name = {3: "трёхзначных", 4: "четырёхзначных", 5: "пятизначных"}[length]
    listed = ", ".join(map(str, digits[:-1])) + f" и {digits[-1]}"
    rule = "могут повторяться" if repeated else "не должны повторяться"
    text = f"Сколько {name} чисел можно записать цифрами {listed}? Цифры в записи числа {rule}."
    return Exercise(text, str(answer))


@family("combinatorics", "train")
def tournament(dice: Dice, difficulty: int) -> Exercise:
    """Find the number of games in a tournament, or of players by the number of games."""
    players, rounds = between(dice, 5, 10 + 10 * difficulty), 1 if difficulty == 1 else between(dice, 1, 2)
    games = rounds * players * (players - 1) // 2
    who = dice.pick(_PLAYERS)
    how = "по одному разу" if rounds == 1 else "по два раза"
    if difficulty == 1 or dice.below(2):
        text = (
            f"{who} сыграли турнир, в котором каждый встретился с каждым {how}. Всего участников было {players}. "
        )
        return Exercise(f"{text}Сколько партий сыграно?", str(games))
    text = (
        f"{who} сыграли турнир, в котором каждый встретился с каждым {how}. Сколько было участников, если всего "
        f"в турнире {_played(games)}?"
    )
    return Exercise(text, str(players))


def _played(games: int) -> str:
    counted = GAMES.count(games)
    return f"сыграна {counted}" if counted.endswith(GAMES.one) else f"сыграно {counted}"


@family("combinatorics", "test")
def lattice_paths(dice: Dice, difficulty: int) -> Exercise:
    """Count the shortest ways through a town of square blocks, past a closed crossing when it is difficult."""
    right, up = between(dice, 2, 3 + difficulty), between(dice, 2, 3 + difficulty)
    answer = comb(right + up, up)
    text = (
        "Фишка стоит в точке $(0; 0)$ и за ход сдвигается на 1 вправо или на 1 вверх. Сколькими путями она может "
        f"попасть в точку $({right}; {up})$"
    )
    if difficulty == 1:
        return Exercise(f"{text}?", str(answer))
    closed = (between(dice, 1, right - 1), between(dice, 1, up - 1))
    before, after = comb(sum(closed), closed[0]), comb(right + up - sum(closed), right - closed[0])
    text += f", не побывав в точке $({closed[0]}; {closed[1]})$?"
    return Exercise(text, str(answer - before * after))


@family("combinatorics", "test")
def no_neighbours(dice: Dice, difficulty: int) -> Exercise:
    """Count the ways to choose so many things of a row that no two stand side by side."""
    chosen = between(dice, 2, 1 + difficulty)
    chairs = between(dice, 2 * chosen + 1, 2 * chosen + 3 + 2 * difficulty)
    # Between the chosen chairs stands one that is free at least; the rest is free to lie anywhere.
    answer = comb(chairs - chosen + 1, chosen)
    text = (
        f"В ряд стоят {chairs} стульев. Сколькими способами можно выбрать из них {chosen} так, чтобы никакие два "
        "выбранных стула не стояли рядом?"
    )
    return Exercise(text, str(answer))
