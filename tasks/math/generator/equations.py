"""Equations and systems of equations."""

from __future__ import annotations

from fractions import Fraction

from ...random import Dice
from .family import Exercise, between, family, nonzero
from .notation import NO_SOLUTIONS, fraction, point, polynomial, several

_ASK = ("Решите уравнение", "Найдите все корни уравнения", "Найдите все решения уравнения")


@family("equations", "train")
def linear_equation(dice: Dice, difficulty: int) -> Exercise:
    """Solve a(x + b) = cx + d."""
    size = 3 + 4 * difficulty
    a, b, c, d = nonzero(dice, size), nonzero(dice, size), nonzero(dice, size), nonzero(dice, size)
    if a == c:
        c = -a
    if difficulty == 1:
        # The root is made whole: d = (a - c) x + ab.
        d = (a - c) * between(dice, -size, size) + a * b
    left = f"{polynomial((a, '(x'))} {'+' if b > 0 else '-'} {abs(b)})" if a != 1 else polynomial((1, "x"), (b, ""))
    equation = f"{left} = {polynomial((c, 'x'), (d, ''))}"
    root = Fraction(d - a * b, a - c)
    return Exercise(f"Решите уравнение ${equation}$.", fraction(root))


@family("equations", "train")
def quadratic_equation(dice: Dice, difficulty: int) -> Exercise:
    """Solve ax² + bx + c = 0, whose roots are rational, or which has none."""
    size = 3 + 3 * difficulty
    if difficulty > 1 and dice.below(6) == 0:
        # m((x - p)² + q) with a positive q has no real roots.
        m, p, q = between(dice, 1, 3), nonzero(dice, size), between(dice, 1, size)
        factors, roots = (m, -2 * m * p, m * (p * p + q)), []
    else:
        leads = [1 if difficulty == 1 else between(dice, 1, difficulty + 1) for _ in range(2)]
        zeros = [nonzero(dice, size) for _ in range(2)]
        factors = (leads[0] * leads[1], -leads[0] * zeros[1] - leads[1] * zeros[0], zeros[0] * zeros[1])
        roots = [Fraction(zero, lead) for zero, lead in zip(zeros, leads, strict=True)]
    equation = polynomial(*zip(factors, ("x^2", "x", ""), strict=True)) + " = 0"
    text = f"{dice.pick(_ASK)} ${equation}$ в действительных числах. Если корней нет, так и напишите."
    return Exercise(text, several(roots))


@family("equations", "test")
def absolute_value_equation(dice: Dice, difficulty: int) -> Exercise:
    """Solve |ax + b| = c, or |ax + b| = |cx + d| when it is difficult."""
    size = 4 + 4 * difficulty
    a, b = between(dice, 1, difficulty + 1), nonzero(dice, size)
    left = f"|{polynomial((a, 'x'), (b, ''))}|"
    if difficulty < 3:
        c = between(dice, -2, 2 * size)
        equation = f"{left} = {c}"
        roots = [] if c < 0 else [Fraction(c - b, a), Fraction(-c - b, a)]
    else:
        c, d = a + between(dice, 1, 4), nonzero(dice, size)
        equation = f"{left} = |{polynomial((c, 'x'), (d, ''))}|"
        roots = [Fraction(d - b, a - c), Fraction(-d - b, a + c)]
    text = f"{dice.pick(_ASK)} ${equation}$. Если корней нет, так и напишите."
    return Exercise(text, several(roots))


@family("equations", "train")
def exponential_equation(dice: Dice, difficulty: int) -> Exercise:
    """Solve p^(ax + b) = q, where q is a power of p, or one of 1/p."""
    base = dice.pick((2, 3, 5))
    a, b = between(dice, 1, difficulty + 1), nonzero(dice, 3 + difficulty)
    power = between(dice, 2, 5 if base == 2 else 3) * (1 if difficulty == 1 else dice.pick((1, -1)))
    right = str(base**power) if power > 0 else f"\\frac{{1}}{{{base**-power}}}"
    equation = f"{base}^{{{polynomial((a, 'x'), (b, ''))}}} = {right}"
    return Exercise(f"Решите уравнение ${equation}$.", fraction(Fraction(power - b, a)))


@family("equations", "test")
def logarithmic_equation(dice: Dice, difficulty: int) -> Exercise:
    """Solve log_p(ax + b) = c."""
    base = between(dice, 2, 3 + 2 * difficulty)
    a, b = nonzero(dice, 1 + 2 * difficulty), nonzero(dice, 5 * difficulty)
    power = between(dice, 1, 2) if difficulty == 1 else between(dice, 2, 4)
    equation = f"\\log_{{{base}}}({polynomial((a, 'x'), (b, ''))}) = {power}"
    answer = fraction(Fraction(base**power - b, a))
    return Exercise(f"Решите уравнение ${equation}$.", answer)


@family("equations", "train")
def unknown_coefficient(dice: Dice, difficulty: int) -> Exercise:
    """Find the coefficient that makes a number a root of a quadratic equation."""
    size = 4 + 3 * difficulty
    root, free = nonzero(dice, 2 + difficulty), nonzero(dice, size)
    lead = 1 if difficulty == 1 else between(dice, 2, difficulty + 2)
    answer = Fraction(-(lead * root * root + free), root)
    equation = f"{polynomial((lead, 'x^2'))} + ax {'+' if free > 0 else '-'} {abs(free)} = 0"
    text = dice.pick(
        (
            f"Число ${root}$ является корнем уравнения ${equation}$ с переменной $x$. Найдите $a$.",
            f"При каком значении $a$ один из корней уравнения ${equation}$ с переменной $x$ равен ${root}$?",
        )
    )
    return Exercise(text, fraction(answer))


@family("systems", "train")
def linear_system(dice: Dice, difficulty: int) -> Exercise:
    """Solve two linear equations with one solution."""
    size = 2 + 3 * difficulty
    x, y = between(dice, -size, size), between(dice, -size, size)
    while True:
        a, b, c, d = (nonzero(dice, size) for _ in range(4))
        if a * d != b * c:
            break
    rows = [(a, b, a * x + b * y), (c, d, c * x + d * y)]
    system = " \\\\ ".join(
        f"{polynomial((p, 'x'), (q, 'y'))} = {right}{end}" for (p, q, right), end in zip(rows, ",.", strict=True)
    )
    text = f"Решите систему уравнений $\\begin{{cases}} {system} \\end{{cases}}$ Ответ запишите парой $(x; y)$."
    return Exercise(text, point(x, y))


@family("systems", "train")
def three_unknowns(dice: Dice, difficulty: int) -> Exercise:
    """Solve three linear equations with one solution."""
    size = 1 + difficulty
    solution = [between(dice, -3 * size, 3 * size) for _ in range(3)]
    while True:
        (a, b, c), (d, e, f), (g, h, i) = matrix = [[nonzero(dice, size) for _ in range(3)] for _ in range(3)]
        if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) != 0:
            break
    rows = [(*row, sum(p * q for p, q in zip(row, solution, strict=True))) for row in matrix]
    system = " \\\\ ".join(
        f"{polynomial((row[0], 'x'), (row[1], 'y'), (row[2], 'z'))} = {row[3]}{end}"
        for row, end in zip(rows, ",,.", strict=True)
    )
    text = (
        f"Решите систему уравнений $\\begin{{cases}} {system} \\end{{cases}}$ Ответ запишите тройкой $(x; y; z)$."
    )
    return Exercise(text, point(*solution))


@family("systems", "test")
def sum_and_product(dice: Dice, difficulty: int) -> Exercise:
    """Find two different numbers by their sum and their product."""
    size = 6 * difficulty
    one = between(dice, 1, size) if difficulty == 1 else nonzero(dice, size)
    other = one + between(dice, 1, size)
    total, product = one + other, one * other
    text = dice.pick(
        (
            f"Сумма двух чисел равна ${total}$, а их произведение равно ${product}$. Найдите эти числа.",
            f"Найдите два числа, если их произведение равно ${product}$, а сумма равна ${total}$.",
        )
    )
    return Exercise(text, f"{one} и {other}")


@family("inequalities", "train")
def quadratic_inequality(dice: Dice, difficulty: int) -> Exercise:
    """Solve ax² + bx + c ≤ 0 (or ≥, <, >), which has an interval, two rays or no solutions."""
    size = 2 + 3 * difficulty
    relation = dice.pick(("<", ">", r"\le", r"\ge"))
    lead = 1 if difficulty == 1 else nonzero(dice, difficulty)
    if difficulty > 1 and dice.below(6) == 0:
        middle, rise = nonzero(dice, size), between(dice, 1, size)
        lead = abs(lead)
        relation = dice.pick(("<", r"\le"))
        factors, answer = (lead, -2 * lead * middle, lead * (middle * middle + rise)), NO_SOLUTIONS
    else:
        low = between(dice, -size, size)
        high = low + between(dice, 1, size)
        factors = (lead, -lead * (low + high), lead * low * high)
        inside = (lead > 0) == (relation in ("<", r"\le"))
        answer = _between_or_outside(low, high, inside=inside, strict=relation in "<>")
    inequality = f"{polynomial(*zip(factors, ('x^2', 'x', ''), strict=True))} {relation} 0"
    text = (
        f"Решите неравенство ${inequality}$ в действительных числах. Ответ запишите промежутком или объединением "
        "промежутков, а если решений нет, так и напишите."
    )
    return Exercise(text, answer)


def _between_or_outside(low: int, high: int, *, inside: bool, strict: bool) -> str:
    opening, closing = ("(", ")") if strict else ("[", "]")
    if inside:
        return f"{opening}{low}; {high}{closing}"
    return rf"(-\infty; {low}{closing} \cup {opening}{high}; +\infty)"


@family("inequalities", "test")
def rational_inequality(dice: Dice, difficulty: int) -> Exercise:
    """Solve (x - p)/(x - q) ≤ 0 (or ≥, <, >), with factors other than 1 when it is difficult."""
    size = 3 + 3 * difficulty
    p = between(dice, -size, size)
    q = p + nonzero(dice, size)
    factor = 1 if difficulty == 1 else nonzero(dice, difficulty)
    relation = dice.pick(("<", ">", r"\le", r"\ge"))
    top, bottom = polynomial((factor, "x"), (-factor * p, "")), polynomial((1, "x"), (-q, ""))
    inside = (factor > 0) == (relation in ("<", r"\le"))
    at_p = relation in (r"\le", r"\ge")
    low, high = sorted((p, q))
    at_low, at_high = at_p and low == p, at_p and high == p
    if inside:
        answer = f"{'[' if at_low else '('}{low}; {high}{']' if at_high else ')'}"
    else:
        answer = rf"(-\infty; {low}{']' if at_low else ')'} \cup {'[' if at_high else '('}{high}; +\infty)"
    text = (
        f"Решите неравенство $\\frac{{{top}}}{{{bottom}}} {relation} 0$. "
        "Ответ запишите промежутком или объединением промежутков."
    )
    return Exercise(text, answer)
