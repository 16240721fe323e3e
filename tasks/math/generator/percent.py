"""Per cent: prices, solutions, deposits, drying."""

from __future__ import annotations

from fractions import Fraction

from ...random import Dice
from .family import Exercise, between, family
from .notation import decimal, is_decimal
from .nouns import ROUBLES, YEARS

# A thing that is sold: the name and its pronoun in the genitive («её цену»), with the past tense that agrees.
_SOLD = (
    ("Куртка", "её", "стоила"),
    ("Велосипед", "его", "стоил"),
    ("Кресло", "его", "стоило"),
    ("Книга", "её", "стоила"),
    ("Рюкзак", "его", "стоил"),
    ("Лампа", "её", "стоила"),
)
_SUBSTANCES = ("соли", "сахара", "кислоты", "спирта", "щёлочи")
# What is dried and what comes of it, in the accusative and the genitive.
_DRIED = (
    ("Свежие яблоки содержат", "сушёные", "сушёных яблок", "свежих"),
    ("Свежие грибы содержат", "сушёные", "сушёных грибов", "свежих"),
    ("Свежие абрикосы содержат", "сушёные", "сушёных абрикосов", "свежих"),
    ("Свежие ягоды содержат", "сушёные", "сушёных ягод", "свежих"),
)


@family("percent", "train")
def price_changes(dice: Dice, difficulty: int) -> Exercise:
    """Find a price after one to three changes by some per cent."""
    while True:
        price = between(dice, 4, 60) * 50
        changes = [between(dice, 1, 8) * 5 * dice.pick((1, -1)) for _ in range(difficulty)]
        final = Fraction(price)
        for change in changes:
            final *= 1 + Fraction(change, 100)
        if final.denominator == 1:
            break
    name, whose, cost = dice.pick(_SOLD)
    first, *later = [f"{'повысили' if change > 0 else 'снизили'} на {abs(change)} %" for change in changes]
    steps = f"Сначала {whose} цену {first}" if later else f"Потом {whose} цену {first}"
    for position, step in enumerate(later):
        steps += f", {'затем' if position == 0 else 'а после этого'} новую цену {step}"
    text = f"{name} {cost} {ROUBLES.count(price)}. {steps}. Какой стала цена?"
    return Exercise(text, ROUBLES.count(final.numerator))


@family("percent", "train")
def price_before(dice: Dice, difficulty: int) -> Exercise:
    """Find the price before a rise or a discount."""
    price = between(dice, 2, 40 * difficulty) * 20
    change = between(dice, 1, 9) * 5 * dice.pick((1, -1))
    now = price * (100 + change) // 100
    name, _, cost = dice.pick(_SOLD)
    event = f"подорожания на {change} %" if change > 0 else f"скидки в {-change} %"
    present = {"стоила": "стоит", "стоил": "стоит", "стоило": "стоит"}[cost]
    text = f"{name} после {event} {present} {ROUBLES.count(now)}. Сколько рублей {cost} {name.lower()} до этого?"
    return Exercise(text, ROUBLES.count(price))


@family("percent", "train")
def mixture(dice: Dice, difficulty: int) -> Exercise:
    """Find the concentration of a mixture of two or three solutions."""
    parts = 2 if difficulty < 3 else 3
    while True:
        masses = [between(dice, 1, 10 * difficulty) * 50 for _ in range(parts)]
        rates = [between(dice, 1, 18) * (5 if difficulty == 1 else 2) for _ in range(parts)]
        result = Fraction(sum(mass * rate for mass, rate in zip(masses, rates, strict=True)), sum(masses))
        if is_decimal(result, difficulty - 1) and len(set(rates)) == parts:
            break
    substance = dice.pick(_SUBSTANCES)
    listed = [f"{mass} г {rate}-процентного раствора {substance}" for mass, rate in zip(masses, rates, strict=True)]
    text = (
        f"Смешали {', '.join(listed[:-1])} и {listed[-1]}. Какова концентрация полученного раствора? "
        "Ответ запишите в процентах."
    )
    return Exercise(text, f"{decimal(result)} %")


@family("percent", "test")
def compound_interest(dice: Dice, difficulty: int) -> Exercise:
    """Find what a deposit grows to when the interest stays in it."""
    years = 1 + difficulty
    while True:
        deposit, rate = between(dice, 1, 40) * 10_000, between(dice, 2, 12)
        final = deposit * Fraction(100 + rate, 100) ** years
        if is_decimal(final, 0 if difficulty == 1 else 2):
            break
    text = (
        f"На счёт положили {deposit} рублей под {rate} % годовых. В конце каждого года проценты прибавляют ко "
        f"вкладу. Сколько рублей будет на счёте через {YEARS.count(years)}?"
    )
    return Exercise(text, f"{decimal(final)} руб.")


@family("percent", "test")
def drying(dice: Dice, difficulty: int) -> Exercise:
    """Find the mass of what is left when water goes off."""
    while True:
        fresh, wet, dry = between(dice, 2, 60 * difficulty), between(dice, 70, 95), between(dice, 5, 25)
        left = Fraction(fresh * (100 - wet), 100 - dry)
        if is_decimal(left, difficulty - 1):
            break
    verb, other, product, raw = dice.pick(_DRIED)
    text = f"{verb} {wet} % воды, а {other} — {dry} %. Сколько килограммов {product} получится из {fresh} кг {raw}?"
    return Exercise(text, f"{decimal(left)} кг")
