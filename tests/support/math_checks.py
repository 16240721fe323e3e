"""The answers to the 120 own problems, found anew: by sympy, by exact fractions or by trying everything.

`CHECKS` maps a problem's id to a function that works its answer out from the statement and writes it down in the
form of the data file, so that a wrong answer, or one in another form, is an inequality of strings.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product
from math import comb, prod

import sympy
from sympy import Eq, Interval, Rational, S, Symbol, cos, diff, integrate, log, oo, pi, sin, solve, sqrt, symbols

x, y, z, a, b, k, n, t = symbols("x y z a b k n t", real=True)
positive = Symbol("positive", positive=True)

CHECKS: dict[str, Callable[[], str]] = {}


def check(id: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    def register(function: Callable[[], str]) -> Callable[[], str]:
        assert id not in CHECKS
        CHECKS[id] = function
        return function

    return register


# --- how answers are written -------------------------------------------------------------------------------


def decimal(value) -> str:
    """A finite decimal fraction with a comma."""
    value = Fraction(str(value))
    digits = next(count for count in range(30) if (value * 10**count).denominator == 1)
    whole, rest = divmod(abs(value.numerator) * 10**digits // value.denominator, 10**digits)
    return ("-" if value < 0 else "") + (f"{whole},{rest:0{digits}}" if digits else str(whole))


def latex(value) -> str:
    return sympy.latex(value).replace(" ", "")


def expression(value) -> str:
    return str(value).replace("**", "^").replace("*", "").replace(" ", "")


def listed(values, shown=decimal) -> str:
    ordered = sorted(values, key=lambda value: tuple(value) if isinstance(value, tuple | list) else (value,))
    return "; ".join(map(shown, ordered)) or "нет решений"


def tuple_of(values) -> str:
    return "(" + "; ".join(map(decimal, values)) + ")"


def interval(found) -> str:
    """A union of intervals from left to right."""
    if found is S.EmptySet:
        return "нет решений"
    parts = found.args if isinstance(found, sympy.Union) else [found]
    texts = []
    for part in sorted(parts, key=lambda part: part.start):
        left = "(" if part.left_open else "["
        right = ")" if part.right_open else "]"
        start = r"-\infty" if part.start == -oo else str(part.start)
        end = r"+\infty" if part.end == oo else str(part.end)
        texts.append(f"{left}{start}; {end}{right}")
    return r" \cup ".join(texts)


def real_roots(equation, unknown=x):
    return list(sympy.solveset(equation, unknown, S.Reals))


def holding(relation):
    return sympy.solve_univariate_inequality(relation, x, relational=False)


def clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


# --- arithmetic --------------------------------------------------------------------------------------------


@check("arithmetic-01")
def _():
    return decimal(Fraction("3.6") * Fraction("2.5") - Fraction("4.2") / Fraction("0.7"))


@check("arithmetic-02")
def _():
    return str((2 + Fraction(1, 4)) - (1 + Fraction(2, 3)) * Fraction(9, 10))


@check("arithmetic-03")
def _():
    whole, part = divmod(Fraction(15, 2) - 5 * Fraction(7, 6), 1)
    return f"{whole} {part} м"


@check("arithmetic-04")
def _():
    return clock(21 * 60 + 47 + 9 * 60 + 38)


@check("arithmetic-05")
def _():
    return decimal(sum(Fraction(1, first * (first + 3)) for first in range(2, 48, 3)))


@check("arithmetic-06")
def _():
    value = sqrt(11 + 6 * sqrt(2)) - sqrt(11 - 6 * sqrt(2))
    return latex(max(real_roots(sympy.minimal_polynomial(value, x))))


@check("arithmetic-07")
def _():
    return str(Fraction(4, 10) + Fraction(36, 99) / 10)


@check("arithmetic-08")
def _():
    return str(sum(map(int, str(10**60 - 2026))))


# --- equations ---------------------------------------------------------------------------------------------


@check("equations-01")
def _():
    return listed(real_roots(2 * x**2 - 7 * x - 15))


@check("equations-02")
def _():
    return listed(root for root in real_roots(x**2 - 9 + 6 * (x + 3)) if root + 3 != 0)


@check("equations-03")
def _():
    return listed(real_roots((2 * x - 5) ** 2 - (x + 4) ** 2), str)


@check("equations-04")
def _():
    candidates = [Rational(whole, 3) for whole in range(-7, 300)]
    found = [value for value in candidates if value >= -1 and sqrt(3 * value + 7) - sqrt(value + 1) == 2]
    # Twice squared, the equation is a quadratic one: it has no other roots than these.
    squared = real_roots((2 * x + 2) ** 2 - 16 * (x + 1))
    assert set(found) == set(squared)
    return listed(found)


@check("equations-05")
def _():
    return listed(root for root in real_roots((x - 2) * (x + 4) - 27) if root > 2)


@check("equations-06")
def _():
    return listed(real_roots(sympy.discriminant(x**2 - 2 * (a + 1) * x + 4 * a + 9, x), a))


@check("equations-07")
def _():
    return listed(sympy.Poly((x**2 + x + 1) * (x**2 + x + 2) - 12, x).real_roots())


@check("equations-08")
def _():
    # Between two neighbouring integers the equation is a quadratic one; beyond [0, 5] it has no roots, because
    # x² + 4 > 5x there and x ≥ ⌊x⌋.
    roots = [root for floor in range(6) for root in real_roots(x**2 - 5 * floor + 4) if sympy.floor(root) == floor]
    return listed(roots, latex)


# --- systems -----------------------------------------------------------------------------------------------


def pairs(equations, *unknowns):
    return [tuple(found) for found in solve(equations, unknowns, dict=False)]


@check("systems-01")
def _():
    return tuple_of(next(iter(sympy.linsolve([3 * x - 2 * y - 16, 5 * x + 4 * y - 12], x, y))))


@check("systems-02")
def _():
    return " и ".join(map(decimal, sorted(real_roots(x**2 - 7 * x + 12))))


@check("systems-03")
def _():
    return listed(pairs([x**2 + y**2 - 25, x - y - 1], x, y), tuple_of)


@check("systems-04")
def _():
    return tuple_of([10**power for power in next(iter(sympy.linsolve([x + y - 3, x - y - 1], x, y)))])


@check("systems-05")
def _():
    matrix = sympy.Matrix([[1, 1, 1], [1, -1, 2], [2, 1, -1]])
    return tuple_of(matrix.LUsolve(sympy.Matrix([5, 11, -1])))


@check("systems-06")
def _():
    (value,) = solve(sympy.Matrix([[k, 3], [4, -6]]).det(), k)
    assert sympy.linsolve([value * x + 3 * y - 5, 4 * x - 6 * y - 1], x, y) is S.EmptySet
    return decimal(value)


@check("systems-07")
def _():
    rest = 3 - x - y
    third = sympy.discriminant(x**2 + y**2 + rest**2 - 3, x)  # a quadratic in x: real only where this is ≥ 0
    (second,) = sympy.solveset(third >= 0, y, S.Reals)
    (first,) = real_roots((x**2 + y**2 + rest**2 - 3).subs(y, second))
    return tuple_of((first, second, 3 - first - second))


@check("systems-08")
def _():
    found = [
        pair for pair in pairs([x**2 + x * y + y**2 - 19, x + x * y + y - 11], x, y) if all(v.is_real for v in pair)
    ]
    return listed(found, tuple_of)


# --- inequalities ------------------------------------------------------------------------------------------


@check("inequalities-01")
def _():
    return interval(holding(x**2 - x - 12 <= 0))


@check("inequalities-02")
def _():
    return interval(holding((x - 5) / (x + 2) >= 0))


@check("inequalities-03")
def _():
    return interval(holding(3 * x - 1 < 8).intersect(holding(3 * x - 1 > -8)))


@check("inequalities-04")
def _():
    powers = holding(x**2 - 10 * x + 9 <= 0)  # of 3
    return interval(Interval(sympy.log(powers.start, 3), sympy.log(powers.end, 3)))


@check("inequalities-05")
def _():
    negative = Interval.Ropen(-6, 0)
    return interval(negative.union(holding(x + 6 > x**2).intersect(Interval(0, oo))))


@check("inequalities-06")
def _():
    return str(max(value for value in range(-100, 100) if Fraction(2 * value - 1, 3) - Fraction(value + 5, 4) < 1))


@check("inequalities-07")
def _():
    return interval(holding(x**2 + 4 * x + 5 < 0))


@check("inequalities-08")
def _():
    negative_everywhere = sympy.solveset(16 - 4 * a * (a - 3) < 0, a, S.Reals).intersect(Interval.open(-oo, 0))
    assert not (-4 * x - 3 < 0).subs(x, -1)  # a = 0 is no answer
    return interval(negative_everywhere)


# --- functions ---------------------------------------------------------------------------------------------


@check("functions-01")
def _():
    return expression(sympy.expand((x**2 + 3 * x).subs(x, x - 1)))


@check("functions-02")
def _():
    (inverse,) = solve(Eq(x, (2 * y + 1) / (y - 3)), y)
    return latex(sympy.simplify(inverse))


@check("functions-03")
def _():
    (found,) = solve(Eq(1 / t, 1 / a + 1 / b), t)
    return latex(found)


@check("functions-04")
def _():
    line = sympy.interpolate([(-1, 5), (3, -3)], x)
    slope, shift = sympy.Poly(line, x).all_coeffs()
    return f"y = {slope}x {'+' if shift > 0 else '-'} {abs(shift)}"


@check("functions-05")
def _():
    parabola = -(x**2) + 8 * x - 10
    (top,) = solve(diff(parabola, x), x)
    return tuple_of((top, parabola.subs(x, top)))


@check("functions-06")
def _():
    return interval(sympy.calculus.util.function_range(x**2 - 6 * x + 11, x, Interval(1, 4)))


@check("functions-07")
def _():
    value = Fraction(2)
    for _ in range(2026):
        value = 1 / (1 - value)
    return str(value)


@check("functions-08")
def _():
    at_x, at_inverse = symbols("at_x at_inverse")
    found = solve([2 * at_x + at_inverse - 3 * x, 2 * at_inverse + at_x - 3 / x], [at_x, at_inverse])[at_x]
    return latex(sympy.expand(found))


# --- progressions ------------------------------------------------------------------------------------------


@check("progressions-01")
def _():
    return str(sum(number for number in range(10, 100) if number % 7 == 0))


@check("progressions-02")
def _():
    (ratio,) = solve(4 / (1 - t) - 12, t)
    assert abs(ratio) < 1
    return str(ratio)


@check("progressions-03")
def _():
    (ratio,) = solve(3 * positive**4 - 48, positive)
    return listed(3 * ratio**power for power in (1, 2, 3))


@check("progressions-04")
def _():
    total = 2 * n**2 + 3 * n
    return expression(sympy.expand(total - total.subs(n, n - 1)))


@check("progressions-05")
def _():
    return str(sum(18 + 2 * row for row in range(25)))


@check("progressions-06")
def _():
    roots = real_roots((x + 1) ** 2 - (x - 1) * (2 * x + 5))
    return listed(root for root in roots if (root - 1) * (root + 1) != 0)


@check("progressions-07")
def _():
    term = 1
    for _ in range(9):
        term = 2 * term + 3
    return str(term)


@check("progressions-08")
def _():
    return str(sum(number * (number + 1) for number in range(1, 51)))


# --- percent -----------------------------------------------------------------------------------------------


@check("percent-01")
def _():
    return f"{6400 - 6400 * 15 // 100} рублей"


@check("percent-02")
def _():
    return f"{100 * (1 - Fraction(6, 5) * Fraction(4, 5))} %"


@check("percent-03")
def _():
    return f"{Fraction(300 * 10 + 200 * 25, 300 + 200)} %"


@check("percent-04")
def _():
    return f"{80_000 * Fraction(11, 10) ** 3} рублей"


@check("percent-05")
def _():
    (dried,) = solve(Eq(t * Rational(80, 100), 35 * Rational(16, 100)), t)
    return f"{dried} кг"


@check("percent-06")
def _():
    ratio = Fraction(100 - 60, 60)
    return f"{ratio.numerator}:{ratio.denominator}"


@check("percent-07")
def _():
    (rate,) = solve(Eq(50_000 * (1 + positive / 100) ** 2, 60_500), positive)
    return f"{rate} %"


@check("percent-08")
def _():
    (poured,) = [root for root in real_roots(20 * (1 - x / 20) ** 2 - Rational("12.8")) if 0 < root < 20]
    return f"{poured} л"


# --- motion and work ---------------------------------------------------------------------------------------


@check("motion-01")
def _():
    return f"{next(hours for hours in range(1, 100) if 14 * hours + 12 * hours == 78)} ч"


@check("motion-02")
def _():
    (speed,) = [root for root in solve(36 / (x + 2) + 36 / (x - 2) - Rational("7.5"), x) if root > 2]
    return f"{speed} км/ч"


@check("motion-03")
def _():
    speed, length = symbols("speed length")
    return f"{solve([length - 12 * speed, length + 450 - 30 * speed], [speed, length])[length]} м"


@check("motion-04")
def _():
    return f"{1 / (Fraction(1, 10) + Fraction(1, 15))} ч"


@check("motion-05")
def _():
    start = 8 * 60
    return clock(next(m for m in range(start + 91, start + 1440) if 60 * (m - start) == 80 * (m - start - 90)))


@check("motion-06")
def _():
    return f"{next(seconds for seconds in range(1, 1000) if 5 * seconds - 3 * seconds == 400)} с"


@check("motion-07")
def _():
    minute_hand, hour_hand = Fraction(360, 60), Fraction(360, 12 * 60)
    return str(Fraction(90) / (minute_hand - hour_hand))


@check("motion-08")
def _():
    # In the time of one own step at the slow pace the stairs carry `a` steps; at the double pace, half of that.
    steps = Symbol("steps")
    return str(solve([steps - 60 - 60 * a, steps - 75 - 75 * a / 2], [steps, a])[steps])


# --- number theory -----------------------------------------------------------------------------------------


@check("number-theory-01")
def _():
    return str(next(number for number in range(252, 252 * 198 + 1, 252) if number % 198 == 0))


@check("number-theory-02")
def _():
    return str(7**2026 % 10)


@check("number-theory-03")
def _():
    return str(sum(3600 % divisor == 0 for divisor in range(1, 3601)))


@check("number-theory-04")
def _():
    numbers = [47_020 + 100 * one + other for one, other in product(range(10), repeat=2)]
    return listed(number for number in numbers if number % 36 == 0)


@check("number-theory-05")
def _():
    digits = next(
        digits for digits in product("0123456", repeat=4) if digits[0] != "0" and int("".join(digits), 7) == 2026
    )
    return "".join(digits)


@check("number-theory-06")
def _():
    # For x > 2 the other number is 3 + 13 / (x - 2), at most 16; for x ≤ 2 the equation gives no natural y.
    found = [(one, two) for one, two in product(range(1, 200), repeat=2) if one * two == 3 * one + 2 * two + 7]
    return listed(found, tuple_of)


@check("number-theory-07")
def _():
    # One of p, 2p + 1, 4p + 1 is divisible by 3, so that p greater than 3 is impossible; a search agrees.
    assert all(prod((rest, 2 * rest + 1, 4 * rest + 1)) % 3 == 0 for rest in range(3))
    primes = sympy.primerange(2, 2000)
    return listed(p for p in primes if sympy.isprime(2 * p + 1) and sympy.isprime(4 * p + 1))


@check("number-theory-08")
def _():
    return str(next(number for number in range(1, 316) if (number % 5, number % 7, number % 9) == (3, 4, 5)))


# --- combinatorics -----------------------------------------------------------------------------------------


@check("combinatorics-01")
def _():
    return str(sum(digits[0] != "0" for digits in permutations("02467", 3)))


@check("combinatorics-02")
def _():
    return str(sum(sum(child >= 7 for child in team) == 2 for team in combinations(range(12), 4)))


@check("combinatorics-03")
def _():
    word = "КАРАКАТИЦА"
    ways, free = 1, len(word)
    for letter in sorted(set(word)):
        ways *= comb(free, word.count(letter))
        free -= word.count(letter)
    return str(ways)


@check("combinatorics-04")
def _():
    return str(sympy.expand((2 * x - 1) ** 7).coeff(x, 4))


@check("combinatorics-05")
def _():
    def paths(right, up):
        if (right, up) == (2, 2) or right < 0 or up < 0:
            return 0
        return 1 if (right, up) == (0, 0) else paths(right - 1, up) + paths(right, up - 1)

    return str(paths(5, 4))


@check("combinatorics-06")
def _():
    return str(sum(12 - sum(three) >= 1 for three in product(range(1, 10), repeat=3)))


@check("combinatorics-07")
def _():
    return str(sum("11" not in f"{mask:010b}" for mask in range(2**10)))


@check("combinatorics-08")
def _():
    return str(sum(all(place != book for place, book in enumerate(order)) for order in permutations(range(6))))


# --- probability -------------------------------------------------------------------------------------------


@check("probability-01")
def _():
    rolls = list(product(range(1, 7), repeat=2))
    return str(Fraction(sum(sum(roll) == 9 for roll in rolls), len(rolls)))


@check("probability-02")
def _():
    return decimal(Fraction(40 - 5, 40))


@check("probability-03")
def _():
    chances = {True: Fraction(7, 10), False: Fraction(3, 10)}
    return decimal(sum(prod(chances[hit] for hit in hits) for hits in product(chances, repeat=3) if any(hits)))


@check("probability-04")
def _():
    defective = {1: 60 * 2, 2: 40 * 5}  # of ten thousand lamps
    return decimal(Fraction(defective[2], sum(defective.values())))


@check("probability-05")
def _():
    prizes = [5000] + [1000] * 5 + [200] * 10 + [0] * 84
    return f"{Fraction(sum(prizes), len(prizes))} рублей"


@check("probability-06")
def _():
    ordered = sorted([3, 7, 8, 12, 5, 13])
    return decimal(Fraction(ordered[2] + ordered[3], 2))


@check("probability-07")
def _():
    third = Rational(1, 3)
    width = sympy.Min(1, x + third) - sympy.Max(0, x - third)
    return str(integrate(width.rewrite(sympy.Piecewise), (x, 0, 1)))


@check("probability-08")
def _():
    throws = Symbol("throws", integer=True, nonnegative=True)
    return str(sympy.summation(Rational(1, 6) * Rational(5, 6) ** (2 * throws), (throws, 0, oo)))


# --- geometry ----------------------------------------------------------------------------------------------


@check("geometry-01")
def _():
    sides = next((3 * part, 5 * part) for part in range(1, 50) if 2 * (3 * part + 5 * part) == 48)
    return f"{prod(sides)} см²"


@check("geometry-02")
def _():
    return f"{180 * 7 // (2 + 3 + 7)}°"


@check("geometry-03")
def _():
    corners = [sympy.Point(5, 0), sympy.Point(0, 12), sympy.Point(-5, 0), sympy.Point(0, -12)]
    return str(sympy.Line(corners[0], corners[1]).distance(corners[2]))


def triangle(one, two, three):
    """The triangle with the sides BC = one, AC = two, AB = three, as its corners A, B, C."""
    foot = Rational(two**2 + three**2 - one**2, 2 * three)
    return sympy.Triangle((0, 0), (three, 0), (foot, sqrt(two**2 - foot**2)))


@check("geometry-04")
def _():
    return decimal(triangle(7, 15, 20).circumradius)


@check("geometry-05")
def _():
    return latex(abs(sympy.RegularPolygon((0, 0), 4, 6).area))  # the circumradius is the side


@check("geometry-06")
def _():
    return str(solve(8 * (8 + positive) - 12**2, positive)[0])


@check("geometry-07")
def _():
    return str(abs(sympy.Polygon((0, 0), (6, 1), (8, 5), (2, 7)).area))


@check("geometry-08")
def _():
    corner_c = sympy.Matrix([x, y])
    corner_b = sympy.Matrix([positive, 0])
    from_a = (corner_b + corner_c) / 2
    from_b = corner_c / 2 - corner_b
    conditions = [corner_c.dot(corner_c) - 19**2, (corner_c - corner_b).dot(corner_c - corner_b) - 22**2]
    found = solve([*conditions, from_a.dot(from_b)], [x, y, positive], dict=True)
    (side,) = {solution[positive] for solution in found}
    return str(side)


# --- solids ------------------------------------------------------------------------------------------------


@check("solids-01")
def _():
    return f"{40 * 50 * 60 // 1000} л"


@check("solids-02")
def _():
    (edge,) = solve(positive**2 * 3 - (6 * sqrt(3)) ** 2, positive)
    return f"{6 * edge**2} см²"


@check("solids-03")
def _():
    (height,) = solve(positive**2 + 3**2 + 3**2 - 34, positive)
    return str(Rational(1, 3) * 6**2 * height)


@check("solids-04")
def _():
    radius = 6 * x / 8  # at the distance x from the top of a cone of the height 8 = √(10² − 6²)
    return latex(integrate(pi * radius**2, (x, 0, 8)))


@check("solids-05")
def _():
    (radius,) = solve(Rational(4, 3) * pi * positive**3 - 36 * pi, positive)
    return latex(2 * pi * radius * 2 * radius + 2 * pi * radius**2)


@check("solids-06")
def _():
    return str(sympy.Plane(sympy.Point3D(0, 3, 0), normal_vector=(2, -1, 2)).distance(sympy.Point3D(1, 2, 3)))


@check("solids-07")
def _():
    one, other = sympy.Matrix([1, 1, 0]), sympy.Matrix([1, 0, 1])
    return f"{sympy.deg(sympy.acos(one.dot(other) / (one.norm() * other.norm())))}°"


@check("solids-08")
def _():
    half = 3 * sqrt(2)  # every other corner of this cube makes a tetrahedron of the edge 6
    top = sympy.Line3D((0, 0, half), (half, half, half))
    bottom = sympy.Line3D((half, 0, 0), (0, half, 0))
    assert top.p1.distance(top.p2) == bottom.p1.distance(bottom.p2) == top.p1.distance(bottom.p1) == 6
    # The distance of skew lines: the edge between them, projected on their common perpendicular.
    normal = sympy.Matrix(top.direction).cross(sympy.Matrix(bottom.direction))
    return latex(sympy.simplify(abs(normal.dot(sympy.Matrix(top.p1 - bottom.p1))) / normal.norm()))


# --- trigonometry and logarithms ---------------------------------------------------------------------------


@check("trigonometry-01")
def _():
    return decimal(sympy.tan(sympy.acos(Rational(-5, 13))))


@check("trigonometry-02")
def _():
    found = sorted(solve(2 * cos(x) + 1, x))
    assert found[0] + found[1] == 2 * pi
    return rf"\pm{latex(found[0])}+2\pi n, n\in\mathbb{{Z}}"


@check("trigonometry-03")
def _():
    found = sympy.solveset(2 * sin(x) ** 2 - 3 * sin(x) + 1, x, Interval(0, pi))
    return listed(found, latex)


@check("trigonometry-04")
def _():
    return str(sympy.simplify(sympy.expand_trig(sympy.tan(a + b)).subs({sympy.tan(a): 2, sympy.tan(b): 3})))


@check("trigonometry-05")
def _():
    found = sympy.expand_log(log(2) + 3 * log(3)) / (3 * log(2) + log(3))
    return latex(sympy.simplify(found.subs(log(3), a * log(2))))


@check("trigonometry-06")
def _():
    return listed(sympy.Integer(10) ** power for power in real_roots(t**2 - t - 2, t))


@check("trigonometry-07")
def _():
    half = 5 * 2 * t / (1 + t**2) - 12 * (1 - t**2) / (1 + t**2) + 1  # t is the tangent of half of x
    return str(sympy.calculus.util.maximum(half, t, S.Reals))


@check("trigonometry-08")
def _():
    # Beyond [-10, 10] there are no roots; the derivative vanishes only where cos x = 1/10, so that between two such
    # points the difference is monotonous and a change of sign is exactly one root.
    turning = float(sympy.acos(Rational(1, 10)))
    turns = sorted(sign * turning + 2 * float(pi) * turn for sign in (1, -1) for turn in range(-2, 3))
    points = [-10.5, *(point for point in turns if abs(point) < 10.5), 10.5]
    values = [float(sin(point)) - point / 10 for point in points]
    return str(sum(one * other < 0 for one, other in pairwise(values)))


# --- calculus ----------------------------------------------------------------------------------------------


@check("calculus-01")
def _():
    return str(diff(x**3 - 4 * x**2 + 5, x).subs(x, 2))


@check("calculus-02")
def _():
    curve = x**2 - 3 * x
    line = sympy.expand(curve.subs(x, 3) + diff(curve, x).subs(x, 3) * (x - 3))
    return "y = " + str(line).replace("*", "")


@check("calculus-03")
def _():
    return str(sympy.calculus.util.maximum(x**3 - 12 * x + 5, x, Interval(-3, 3)))


@check("calculus-04")
def _():
    return interval(holding(sympy.simplify(diff(x / (x**2 + 4), x)) > 0))


@check("calculus-05")
def _():
    primitive = integrate(6 * x**2 - 4 * x + 1, x)
    return expression(primitive + 5 - primitive.subs(x, 1))


@check("calculus-06")
def _():
    left, right = sorted(real_roots(x**2 - 2 * x - 3))
    return str(integrate(2 * x + 3 - x**2, (x, left, right)))


@check("calculus-07")
def _():
    return str(sympy.limit(sqrt(n**2 + 6 * n) - n, n, oo))


@check("calculus-08")
def _():
    return f"{sympy.calculus.util.maximum(x * (30 - 2 * x) ** 2, x, Interval(0, 15))} см³"
