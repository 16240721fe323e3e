"""Plane figures and solids."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt

from ...random import Dice
from .family import Exercise, between, family
from .notation import decimal, fraction

_TRIPLES = ((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (9, 40, 41), (12, 35, 37))


@family("geometry", "train")
def right_triangle(dice: Dice, difficulty: int) -> Exercise:
    """Find a side of a right triangle, or its height on the hypotenuse, from two other sides."""
    scale = between(dice, 1, 3 * difficulty)
    one, other, longest = (scale * side for side in dice.pick(_TRIPLES[: 1 + 2 * difficulty]))
    asked = dice.pick(("hypotenuse", "leg") if difficulty < 3 else ("hypotenuse", "leg", "height"))
    legs = f"Катеты прямоугольного треугольника равны {one} см и {other} см."
    if asked == "hypotenuse":
        return Exercise(f"{legs} Найдите его гипотенузу.", f"{longest} см")
    if asked == "leg":
        text = (
            f"Гипотенуза прямоугольного треугольника равна {longest} см, а один из катетов — {one} см. "
            "Найдите другой катет."
        )
        return Exercise(text, f"{other} см")
    text = f"{legs} Найдите в сантиметрах высоту, проведённую к гипотенузе. Ответ запишите обыкновенной дробью."
    return Exercise(text, fraction(Fraction(one * other, longest)))


@family("geometry", "train")
def rectangle_by_ratio(dice: Dice, difficulty: int) -> Exercise:
    """Find the area or the diagonal of a rectangle from its perimeter and the ratio of its sides."""
    one, other, diagonal = dice.pick(_TRIPLES)
    if difficulty < 3:
        ratio = Fraction(between(dice, 2, 5), between(dice, 6, 9))
        one, other = ratio.numerator, ratio.denominator
    scale = between(dice, 1, 4 * difficulty)
    perimeter = 2 * scale * (one + other)
    given = f"Периметр прямоугольника равен {perimeter} см, а его стороны относятся как {one} : {other}."
    if difficulty < 3:
        answer = f"{scale * scale * one * other} см²"
        return Exercise(f"{given} Найдите площадь прямоугольника.", answer)
    text = f"{given} Найдите диагональ прямоугольника."
    return Exercise(text, f"{scale * diagonal} см")


@family("geometry", "train")
def polygon_area(dice: Dice, difficulty: int) -> Exercise:
    """Find the area of a triangle or a quadrilateral by the coordinates of its vertices."""
    size = 3 + 3 * difficulty
    # One vertex in each quarter of the plane, in order: such a quadrilateral never crosses itself.
    quarters = ((1, 1), (-1, 1), (-1, -1), (1, -1))[: 3 if difficulty == 1 else 4]
    double = 0
    while double == 0:
        corners = [
            (sign_x * between(dice, 1, size), sign_y * between(dice, 1, size)) for sign_x, sign_y in quarters
        ]
        edges = zip(corners, corners[1:] + corners[:1], strict=True)
        double = sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in edges)
    names = "ABCD"[: len(corners)]
    listed = [f"${name}({x}; {y})$" for name, (x, y) in zip(names, corners, strict=True)]
    figure = "треугольника" if len(corners) == 3 else "четырёхугольника"
    text = f"Найдите площадь {figure} ${names}$, если {', '.join(listed[:-1])} и {listed[-1]}."
    return Exercise(text, decimal(Fraction(abs(double), 2)))


@family("solids", "train")
def cuboid(dice: Dice, difficulty: int) -> Exercise:
    """Find the volume, the surface or the whole diagonal of a box."""
    edges = [between(dice, 2, 6 + 6 * difficulty) for _ in range(3)]
    a, b, c = edges
    square = a * a + b * b + c * c
    kinds = ["volume", "surface"] if difficulty > 1 else ["volume"]
    if isqrt(square) ** 2 == square:
        kinds = ["diagonal"]
    asked = dice.pick(kinds)
    given = f"Рёбра прямоугольного параллелепипеда равны {a} см, {b} см и {c} см."
    question, answer = {
        "volume": ("Найдите его объём.", f"{a * b * c} см³"),
        "surface": ("Найдите площадь его поверхности.", f"{2 * (a * b + b * c + a * c)} см²"),
        "diagonal": ("Найдите его диагональ.", f"{isqrt(square)} см"),
    }[asked]
    return Exercise(f"{given} {question}", answer)


@family("geometry", "test")
def triangle_with_whole_area(dice: Dice, difficulty: int) -> Exercise:
    """Find the area of a triangle, or the radius of a circle of it, from three sides."""
    # Two right triangles side by side, on a common leg, make a triangle whose sides and area are whole.
    one, other = (dice.pick(_TRIPLES[: 1 + 2 * difficulty]) for _ in range(2))
    base = one[1] * other[0] + other[1] * one[0]
    unit = Fraction(between(dice, 1, 3), gcd(one[2] * other[0], other[2] * one[0], base))
    sides = sorted(int(side * unit) for side in (one[2] * other[0], other[2] * one[0], base))
    area = one[0] * other[0] * base * unit * unit / 2
    listed = f"{sides[0]}, {sides[1]} и {sides[2]}"
    asked = dice.pick(("area",) if difficulty == 1 else ("area", "inradius", "circumradius"))
    question, value = {
        "area": ("Найдите его площадь.", area),
        "inradius": ("Найдите радиус вписанной в него окружности.", 2 * area / sum(sides)),
        "circumradius": (
            "Найдите радиус описанной около него окружности.",
            Fraction(sides[0] * sides[1] * sides[2]) / (4 * area),
        ),
    }[asked]
    return Exercise(f"Стороны треугольника равны {listed}. {question}", fraction(value))


@family("geometry", "test")
def angles_by_ratio(dice: Dice, difficulty: int) -> Exercise:
    """Find the greatest or the least angle of a polygon from the ratio of its angles."""
    corners = 3 if difficulty < 3 else 4
    total = 180 * (corners - 2)
    while True:
        parts = sorted(between(dice, 1, 5 + 3 * difficulty) for _ in range(corners))
        least, greatest = Fraction(total * parts[0], sum(parts)), Fraction(total * parts[-1], sum(parts))
        if least.denominator == greatest.denominator == 1 and parts[0] != parts[-1] and greatest < 180:
            break
    parts = [part // gcd(*parts) for part in parts]
    figure = "треугольника" if corners == 3 else "выпуклого четырёхугольника"
    largest = dice.below(2) == 1
    ratio, which = " : ".join(map(str, parts)), "наибольший" if largest else "наименьший"
    text = f"Углы {figure} относятся как {ratio}. Найдите {which} из них. Ответ запишите в градусах."
    return Exercise(text, f"{greatest if largest else least}°")


@family("geometry", "test")
def chord(dice: Dice, difficulty: int) -> Exercise:
    """Find a chord, its distance from the centre, or the radius, from the two others."""
    scale = between(dice, 1, 2 * difficulty)
    half, distance, radius = (scale * side for side in dice.pick(_TRIPLES[: 1 + 2 * difficulty]))
    asked = dice.pick(("chord", "distance", "radius"))
    if asked == "radius":
        text = f"Хорда длины {2 * half} удалена от центра окружности на {distance}. Найдите радиус окружности."
        return Exercise(text, str(radius))
    drawn = f"В окружности радиуса {radius} проведена хорда"
    if asked == "chord":
        return Exercise(f"{drawn} на расстоянии {distance} от центра. Найдите длину хорды.", str(2 * half))
    return Exercise(f"{drawn} длины {2 * half}. На каком расстоянии от центра она находится?", str(distance))
