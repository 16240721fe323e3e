"""Arithmetic expressions, and a purchase."""

from __future__ import annotations

from fractions import Fraction

from ...random import Dice
from ...text.nouns import Noun
from .family import Exercise, between, family
from .notation import decimal, fraction, is_decimal, latex, latex_decimal
from .nouns import ROUBLES

# What is bought: its name, the forms after a number in the accusative.
_GOODS = (
    ("тетрадь", Noun("тетрадь", "тетради", "тетрадей")),
    ("ручка", Noun("ручку", "ручки", "ручек")),
    ("открытка", Noun("открытку", "открытки", "открыток")),
    ("булочка", Noun("булочку", "булочки", "булочек")),
    ("конверт", Noun("конверт", "конверта", "конвертов")),
    ("карандаш", Noun("карандаш", "карандаша", "карандашей")),
    ("яблоко", Noun("яблоко", "яблока", "яблок")),
)
_BUYERS = ("Оля купила", "Игорь купил", "Тимур купил", "Вера купила", "Бабушка купила", "Сосед купил")


@family("arithmetic", "train")
def integer_expression(dice: Dice, difficulty: int) -> Exercise:
    """Evaluate nested brackets of whole numbers."""
    size = 10 * difficulty
    value = between(dice, 2, size)
    text, is_sum = str(value), False
    for _ in range(1 + difficulty):
        number = between(dice, 2, size)
        sign = dice.pick(("+", "-", "*"))
        if sign == "*":
            text = f"({text}) \\cdot {number}" if is_sum else f"{text} \\cdot {number}"
            value *= number
        else:
            text = f"{text} {sign} {number}"
            value += number if sign == "+" else -number
        is_sum = sign != "*"
    ask = dice.pick(("Вычислите", "Найдите значение выражения"))
    return Exercise(f"{ask}: ${text}$.", str(value))


@family("arithmetic", "train")
def fraction_expression(dice: Dice, difficulty: int) -> Exercise:
    """Evaluate a sum or difference of common fractions, the last of which may be a product or a quotient."""
    size = 4 + 4 * difficulty
    first, second, third = (Fraction(between(dice, 1, size), between(dice, 2, size)) for _ in range(3))
    sign = dice.pick((1, -1))
    shown, term = latex(second), second
    if difficulty > 1:
        divides = dice.below(2) == 1
        shown += (" : " if divides else r" \cdot ") + latex(third)
        term = second / third if divides else second * third
    text = f"{latex(first)} {'+' if sign > 0 else '-'} {shown}"
    ask = dice.pick(("Вычислите", "Найдите значение выражения"))
    answer = fraction(first + sign * term)
    return Exercise(f"{ask}: ${text}$. Ответ запишите несократимой дробью или целым числом.", answer)


@family("arithmetic", "test")
def decimal_expression(dice: Dice, difficulty: int) -> Exercise:
    """Evaluate products and quotients of decimal fractions."""
    digits = 1 if difficulty == 1 else 2
    one, two, quotient, divisor = (Fraction(between(dice, 2, 99 * difficulty), 10) for _ in range(4))
    if difficulty > 1:
        one /= 10
    dividend = quotient * divisor
    sign = dice.pick((1, -1))
    text = (
        f"{latex_decimal(one)} \\cdot {latex_decimal(two)} {'+' if sign > 0 else '-'} "
        f"{latex_decimal(dividend)} : {latex_decimal(divisor)}"
    )
    value = one * two + sign * quotient
    assert is_decimal(value, digits + 1)
    return Exercise(f"Вычислите: ${text}$. Ответ запишите десятичной дробью.", decimal(value))


@family("arithmetic", "train")
def purchase(dice: Dice, difficulty: int) -> Exercise:
    """Find the change after buying several goods."""
    goods = dice.shuffled(_GOODS)[: 1 + difficulty]
    prices = [between(dice, 6, 40 * difficulty) for _ in goods]
    counts = [between(dice, 2, 6 * difficulty) for _ in goods]
    total = sum(price * count for price, count in zip(prices, counts, strict=True))
    paid = (total // 500 + 1) * 500
    costs = [f"{name} — {ROUBLES.count(price)}" for (name, _), price in zip(goods, prices, strict=True)]
    costs[0] = costs[0].replace(" — ", " стоит ").capitalize()
    bought = [noun.count(count) for (_, noun), count in zip(goods, counts, strict=True)]
    text = (
        f"{', '.join(costs)}. {dice.pick(_BUYERS)} {', '.join(bought[:-1])} и {bought[-1]}. "
        f"Сколько рублей сдачи нужно получить с {paid} рублей?"
    )
    return Exercise(text, ROUBLES.count(paid - total))
