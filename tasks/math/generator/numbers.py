"""Number theory: divisors, remainders, digits, bases."""

from __future__ import annotations

from math import gcd, lcm

from ...random import Dice
from .family import Exercise, between, family

# Bases, with the names of the systems in the prepositional.
_SYSTEMS = (
    (2, "двоичной"),
    (3, "троичной"),
    (5, "пятеричной"),
    (6, "шестеричной"),
    (7, "семеричной"),
    (8, "восьмеричной"),
)


@family("number-theory", "train")
def divisor_or_multiple(dice: Dice, difficulty: int) -> Exercise:
    """Find the greatest common divisor or the least common multiple of two or three numbers."""
    common = between(dice, 2, 8 * difficulty)
    factors = dice.shuffled(range(2, 9 + 6 * difficulty))[: 2 if difficulty < 3 else 3]
    numbers = [common * factor for factor in factors]
    listed = ", ".join(map(str, numbers[:-1])) + f" и {numbers[-1]}"
    if dice.below(2):
        text, answer = f"Найдите наибольший общий делитель чисел {listed}.", gcd(*numbers)
    else:
        text, answer = f"Найдите наименьшее общее кратное чисел {listed}.", lcm(*numbers)
    return Exercise(text, str(answer))


@family("number-theory", "train")
def remainder_of_power(dice: Dice, difficulty: int) -> Exercise:
    """Find the remainder of a power by a small number."""
    exponent = between(dice, 20, 10 ** (1 + difficulty))
    while True:
        base = between(dice, 2, 4 + 6 * difficulty)
        modulus = 10 if difficulty == 1 else between(dice, 5, 5 + 6 * difficulty)
        if base % modulus > 1:
            break
    if modulus == 10:
        text = f"Какой цифрой оканчивается десятичная запись числа ${base}^{{{exponent}}}$?"
    else:
        text = f"Найдите остаток от деления числа ${base}^{{{exponent}}}$ на {modulus}."
    return Exercise(text, str(pow(base, exponent, modulus)))


@family("number-theory", "train")
def divisor_count(dice: Dice, difficulty: int) -> Exercise:
    """Count the natural divisors of a number."""
    primes = dice.shuffled((2, 3, 5, 7))[: 1 + difficulty]
    exponents = [between(dice, 1, 3) for _ in primes]
    number, count = 1, 1
    for prime, exponent in zip(primes, exponents, strict=True):
        number *= prime**exponent
        count *= exponent + 1
    text = dice.pick(
        (
            f"Сколько натуральных делителей у числа {number}, считая единицу и само число?",
            f"Найдите количество всех натуральных делителей числа {number} (включая 1 и само число).",
        )
    )
    return Exercise(text, str(count))


@family("number-theory", "train")
def base_conversion(dice: Dice, difficulty: int) -> Exercise:
    """Write a decimal number in another base, or the other way round."""
    base, name = dice.pick(_SYSTEMS)
    number = between(dice, 10, 10 ** (1 + difficulty))
    digits, rest = "", number
    while rest:
        digits, rest = f"{rest % base}{digits}", rest // base
    if dice.below(2):
        text = f"Запишите десятичное число {number} в {name} системе счисления. В ответе укажите только цифры."
        return Exercise(text, digits)
    text = f"Число записано в {name} системе счисления как {digits}. Запишите его в десятичной системе."
    return Exercise(text, str(number))


@family("number-theory", "test")
def remainders(dice: Dice, difficulty: int) -> Exercise:
    """Find the least natural number with given remainders by coprime numbers."""
    moduli = sorted(dice.shuffled((3, 4, 5, 7, 11, 13))[: 2 if difficulty < 3 else 3])
    found = [between(dice, 1, modulus - 1) for modulus in moduli]
    number, step = 0, 1
    for modulus, rest in zip(moduli, found, strict=True):
        # The number keeps the remainders that it has, in steps of the product of the moduli before.
        number += step * ((rest - number) * pow(step, -1, modulus) % modulus)
        step *= modulus
    rests = [f"на {modulus} — остаток {rest}" for modulus, rest in zip(moduli, found, strict=True)]
    rests[0] = rests[0].replace(" — ", " даёт ")
    text = f"Найдите наименьшее натуральное число, которое при делении {', при делении '.join(rests[:-1])}, "
    text += f"а при делении {rests[-1]}."
    return Exercise(text, str(number))


@family("number-theory", "test")
def trailing_zeros(dice: Dice, difficulty: int) -> Exercise:
    """Count the zeros at the end of a factorial."""
    number = between(dice, 10, 30 * 10 ** (difficulty - 1))
    zeros, power = 0, 5
    while power <= number:
        zeros, power = zeros + number // power, power * 5
    text = dice.pick(
        (
            f"Сколькими нулями оканчивается десятичная запись числа ${number}!$?",
            f"Сколько нулей стоит в конце произведения всех натуральных чисел от 1 до {number}?",
        )
    )
    return Exercise(text, str(zeros))


@family("number-theory", "test")
def digit_sum(dice: Dice, difficulty: int) -> Exercise:
    """Find the sum of the digits of 10ⁿ - m."""
    exponent, less = between(dice, 6, 20 * difficulty), between(dice, 2, 10 ** (1 + difficulty))
    # 10ⁿ - m = (10ⁿ - 1) - (m - 1), and n nines lend nothing to any digit of m - 1.
    answer = 9 * exponent - sum(int(digit) for digit in str(less - 1))
    text = f"Найдите сумму цифр десятичной записи числа $10^{{{exponent}}} - {less}$."
    return Exercise(text, str(answer))
