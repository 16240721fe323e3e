"""Probability of simple events."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb
from operator import eq, ge, le

from ...random import Dice
from ...text.nouns import Noun
from .family import Exercise, between, family
from .notation import decimal, fraction
from .nouns import TIMES

# Two sorts of things in a box, each in the forms after a number; then what is drawn: the noun after 1 and after 2,
# the first sort in the instrumental of both numbers, and what things of one sort have in common.
_BOXES = (
    (
        Noun("белый шар", "белых шара", "белых шаров"),
        Noun("чёрный шар", "чёрных шара", "чёрных шаров"),
        ("шар", "шара", "белым", "белыми", "одного цвета"),
    ),
    (
        Noun("красный карандаш", "красных карандаша", "красных карандашей"),
        Noun("синий карандаш", "синих карандаша", "синих карандашей"),
        ("карандаш", "карандаша", "красным", "красными", "одного цвета"),
    ),
    (
        Noun("медный жетон", "медных жетона", "медных жетонов"),
        Noun("стальной жетон", "стальных жетона", "стальных жетонов"),
        ("жетон", "жетона", "медным", "медными", "из одного металла"),
    ),
)
# Who hits what with every attempt, and the attempts in the prepositional plural.
_MARKSMEN = (
    ("Стрелок попадает в мишень", "выстреле", "выстрелах", "он попадёт"),
    ("Баскетболист попадает в кольцо", "броске", "бросках", "он попадёт"),
    ("Лучница попадает в цель", "выстреле", "выстрелах", "она попадёт"),
)
_IN_WORDS = {2: "двух", 3: "трёх", 4: "четырёх"}
_RELATIONS = {"equal": ("равна", eq), "at least": ("не меньше", ge), "at most": ("не больше", le)}
_PRODUCTS = (("ламп", "лампа"), ("батареек", "батарейка"), ("чашек", "чашка"))


@family("probability", "train")
def urn(dice: Dice, difficulty: int) -> Exercise:
    """Find the chance that what is drawn without putting back is of a given sort, or all of one sort."""
    first, second, (thing, things, singular, plural, alike) = dice.pick(_BOXES)
    one, other = (
        between(dice, 2 + difficulty, 5 + 4 * difficulty),
        between(dice, 2 + difficulty, 5 + 4 * difficulty),
    )
    given = f"В коробке лежат {first.count(one)} и {second.count(other)}."
    note = "Ответ запишите обыкновенной дробью."
    if difficulty == 1:
        text = f"{given} Наугад вынимают один {thing}. Найдите вероятность того, что он окажется {singular}. {note}"
        return Exercise(text, fraction(Fraction(one, one + other)))
    total = comb(one + other, difficulty)
    count, both = ("два", "оба") if difficulty == 2 else ("три", "все три")
    taken = f"{given} Наугад без возвращения вынимают {count} {things}."
    if dice.below(2):
        text = f"{taken} Найдите вероятность того, что {both} окажутся {plural}. {note}"
        return Exercise(text, fraction(Fraction(comb(one, difficulty), total)))
    text = f"{taken} Найдите вероятность того, что {both} окажутся {alike}. {note}"
    chance = Fraction(comb(one, difficulty) + comb(other, difficulty), total)
    return Exercise(text, fraction(chance))


@family("probability", "train")
def dice_sum(dice: Dice, difficulty: int) -> Exercise:
    """Find the chance of a sum of dots on two or three dice."""
    count = 2 if difficulty < 3 else 3
    wanted = between(dice, count + 1, 6 * count - 1)
    relation = dice.pick(("equal",) if difficulty == 1 else ("equal", "at least", "at most"))
    sums = [sum(roll) for roll in product(range(1, 7), repeat=count)]
    said, holds = _RELATIONS[relation]
    good = [total for total in sums if holds(total, wanted)]
    text = (
        f"Бросают {'два' if count == 2 else 'три'} игральных кубика. Найдите вероятность того, что сумма выпавших "
        f"очков {said} {wanted}. Ответ запишите обыкновенной дробью."
    )
    return Exercise(text, fraction(Fraction(len(good), len(sums))))


@family("probability", "train")
def coins(dice: Dice, difficulty: int) -> Exercise:
    """Find the chance of so many heads, or of so many at least, in throws of a coin."""
    throws = between(dice, 3, 3 + 2 * difficulty)
    heads = between(dice, 1, throws - 1)
    at_least = difficulty > 1 and dice.below(2) == 1
    good = sum(comb(throws, count) for count in (range(heads, throws + 1) if at_least else [heads]))
    said = f"не меньше {TIMES.bound(heads)}" if at_least else f"ровно {TIMES.count(heads)}"
    text = (
        f"Симметричную монету бросают {TIMES.count(throws)}. Найдите вероятность того, что орёл выпадет {said}. "
        "Ответ запишите обыкновенной дробью."
    )
    return Exercise(text, fraction(Fraction(good, 2**throws)))


@family("probability", "test")
def at_least_one_hit(dice: Dice, difficulty: int) -> Exercise:
    """Find the chance of at least one hit in independent attempts."""
    chance = Fraction(between(dice, 1, 9), 10) if difficulty < 3 else Fraction(between(dice, 1, 19), 20)
    attempts = between(dice, 2, 4 if difficulty == 2 else 3)
    hits, attempt, many, she_hits = dice.pick(_MARKSMEN)
    text = (
        f"{hits} с вероятностью {decimal(chance)} при каждом {attempt} независимо от остальных. Найдите "
        f"вероятность того, что при {_IN_WORDS[attempts]} {many} {she_hits} хотя бы один раз. Ответ запишите "
        "десятичной дробью."
    )
    return Exercise(text, decimal(1 - (1 - chance) ** attempts))


@family("probability", "test")
def which_line(dice: Dice, difficulty: int) -> Exercise:
    """Find the chance that something defective comes from the second of two lines (Bayes' rule)."""
    share = between(dice, 2, 8) * 10 if difficulty == 1 else between(dice, 3, 17) * 5
    one, other = between(dice, 1, 4 + 2 * difficulty), between(dice, 1, 4 + 2 * difficulty)
    chance = Fraction((100 - share) * other, share * one + (100 - share) * other)
    things, thing = dice.pick(_PRODUCTS)
    text = (
        f"Первая линия завода выпускает {share} % всех {things}, вторая — остальные {100 - share} %. Брак "
        f"составляет {one} % продукции первой линии и {other} % продукции второй. Наугад взятая {thing} оказалась "
        "бракованной. Найдите вероятность того, что её выпустила вторая линия. Ответ запишите обыкновенной дробью."
    )
    return Exercise(text, fraction(chance))
