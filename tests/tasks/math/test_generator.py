"""Generated problems: answers found anew from the text alone, the same everywhere, split cleanly, well worded."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations, islice, pairwise, permutations, product
from math import comb, factorial, gcd, isqrt, lcm

import pytest
import sympy
from evalkit.errors import UsageError
from evalkit.tasks.math import math_generated
from evalkit.tasks.math.generator import FAMILIES, generate
from evalkit.tasks.math.generator.family import DIFFICULTIES, SPLITS
from evalkit.tasks.math.generator.notation import (
    decimal,
    fraction,
    latex,
    latex_decimal,
    point,
    polynomial,
    several,
)
from evalkit.tasks.math.grading import Verdict, grade
from evalkit.tasks.math.loaders import own_shape, read_problems
from evalkit.tasks.random import Dice
from evalkit.tests.support.math_checks import interval, listed
from sympy.abc import x, y, z
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, standard_transformations

DRAWS = 6
COMMAND = [sys.executable, "-m", "evalkit.tasks.math.generator"]


@cache
def drawn(name):
    family = FAMILIES[name]
    return [
        family.make(Dice(f"test:{name}:{difficulty}:{draw}"), difficulty)
        for difficulty in DIFFICULTIES
        for draw in range(DRAWS)
    ]


# --- reading a problem -------------------------------------------------------------------------------------


def numbers(text):
    """All numbers of a text in order, but for indices (a_1)."""
    found = re.findall(r"(?<!\w)-?\d+(?:,\d+)?", text.replace("{,}", ","))
    return [Fraction(number.replace(",", ".")) for number in found]


def formula(latex_text):
    text = re.sub(r"\\frac\{([^{}]+)\}\{([^{}]+)\}", r"((\1)/(\2))", latex_text.replace("{,}", "."))
    text = text.replace(r"\cdot", "*").replace(":", "/").replace("^", "**")
    text = re.sub(r"\|([^|]+)\|", r"Abs(\1)", text)
    text = re.sub(r"\d+\.\d+", lambda number: f"Rational('{number[0]}')", text)
    names = {"x": x, "y": y, "z": z, "a": sympy.Symbol("a")}
    return parse_expr(text, names, (*standard_transformations, implicit_multiplication))


def dollars(text):
    return re.findall(r"\$(.+?)\$", text)


def sides(equation):
    left, right = equation.split("=")
    return formula(left) - formula(right)


def value(text):
    """The number that an answer begins with."""
    return Fraction(re.match(r"-?\d+(?:[/,]\d+)?", text)[0].replace(",", "."))


# --- what the answers must be ------------------------------------------------------------------------------

CHECKS = {}


def check(*names):
    def register(function):
        CHECKS.update(dict.fromkeys(names, function))
        return function

    return register


@check("integer-expression", "fraction-expression", "decimal-expression")
def _(text):
    return formula(dollars(text)[0])


@check("purchase")
def _(text):
    *goods, paid = numbers(text)
    half = len(goods) // 2
    return paid - sum(price * count for price, count in zip(goods[:half], goods[half:], strict=True))


@check("linear-equation")
def _(text):
    (root,) = sympy.solve(sides(dollars(text)[0]), x)
    return root


@check("quadratic-equation")
def _(text):
    return listed(sympy.solveset(sides(dollars(text)[0]), x, sympy.S.Reals), str)


@check("absolute-value-equation")
def _(text):
    left, right = map(formula, dollars(text)[0].split("="))
    candidates = sympy.solveset(sympy.expand((left**2 - right**2).replace(sympy.Abs, lambda inner: inner)), x)
    return listed((root for root in candidates if left.subs(x, root) == right.subs(x, root)), str)


@check("exponential-equation")
def _(text):
    base, exponent, right = re.search(r"\$(\d+)\^\{(.+?)\} = (.+)\$", text).groups()
    power = next(power for power in range(-9, 10) if sympy.Integer(base) ** power == formula(right))
    return sympy.solve(formula(exponent) - power, x)[0]


@check("logarithmic-equation")
def _(text):
    base, argument, power = re.search(r"\\log_\{(\d+)\}\((.+)\) = (\d+)", text).groups()
    return sympy.solve(formula(argument) - int(base) ** int(power), x)[0]


@check("unknown-coefficient")
def _(text):
    root = next(int(part) for part in dollars(text) if re.fullmatch(r"-?\d+", part))
    equation = next(part for part in dollars(text) if "=" in part)
    return sympy.solve(sides(equation.replace("ax", "a*x")).subs(x, root), sympy.Symbol("a"))[0]


@check("linear-system", "three-unknowns")
def _(text):
    rows = re.search(r"\\begin\{cases\} (.+)\. \\end\{cases\}", text)[1].split(r", \\ ")
    unknowns = (x, y, z)[: len(rows)]
    (solution,) = sympy.linsolve([sides(row) for row in rows], *unknowns)
    return "(" + "; ".join(map(str, solution)) + ")"


@check("sum-and-product")
def _(text):
    total = int(re.search(r"умма(?: двух чисел)? равна \$(-?\d+)\$", text)[1])
    wanted = int(re.search(r"произведение равно \$(-?\d+)\$", text)[1])
    one = next(one for one in range(-200, 200) if one * (total - one) == wanted)
    return f"{one} и {total - one}"


@check("quadratic-inequality", "rational-inequality")
def _(text):
    left, relation, _ = re.match(r"(.+) (<|>|\\le|\\ge) (0)$", dollars(text)[0]).groups()
    signs = {"<": sympy.Lt, ">": sympy.Gt, r"\le": sympy.Le, r"\ge": sympy.Ge}
    return interval(sympy.solve_univariate_inequality(signs[relation](formula(left), 0), x, relational=False))


def progression(text, following):
    first, second, count = numbers(text)
    members = [first]
    while len(members) < count:
        members.append(following(members[-1], first, second))
    return sum(members) if "сумму" in text else members[-1]


@check("arithmetic-progression")
def _(text):
    by_step = "разность" in text
    return progression(text, lambda last, first, second: last + (second if by_step else second - first))


@check("geometric-progression")
def _(text):
    by_ratio = "знаменатель" in text
    return progression(text, lambda last, first, second: last * (second if by_ratio else second / first))


@check("recurrence")
def _(text):
    member = int(re.search(r"a_1 = (\d+)", text)[1])
    factor, sign, shift = re.search(r"a_\{n\+1\} = (\d+)a_n ([+-]) (\d+)", text).groups()
    for _ in range(int(re.search(r"a_\{(\d+)\}", text)[1]) - 1):
        member = int(factor) * member + int(sign + shift)
    return member


@check("reading-more-each-day")
def _(text):
    pages, more, days = numbers(text)
    total = 0
    for _ in range(int(days)):
        total, pages = total + pages, pages + more
    return total


@check("price-changes")
def _(text):
    price = numbers(text)[0]
    for verb, rate in re.findall(r"(повысили|снизили) на (\d+) %", text):
        price += price * int(rate) / 100 * (1 if verb == "повысили" else -1)
    return price


@check("price-before")
def _(text):
    rate, now = numbers(text)
    rate = rate if "подорожания" in text else -rate
    return next(price for price in range(1, 10_000) if price * (100 + rate) == now * 100)


@check("mixture")
def _(text):
    found = numbers(text)
    masses, rates = found[::2], found[1::2]
    dissolved = sum(mass * rate / 100 for mass, rate in zip(masses, rates, strict=True))
    return 100 * dissolved / sum(masses)


@check("compound-interest")
def _(text):
    deposit, rate, years = numbers(text)
    for _ in range(int(years)):
        deposit += deposit * rate / 100
    return deposit


@check("drying")
def _(text):
    wet, dry, fresh = numbers(text)
    solid = fresh - fresh * wet / 100
    return solid / (1 - dry / 100)


@check("meeting")
def _(text):
    first, one, other = numbers(text)
    return first * one + first * other if "Сколько километров" in text else first / (one + other)


@check("river")
def _(text):
    if "Сколько часов" in text:
        distance, own, current = numbers(text)
        return distance / (own + current) + distance / (own - current)
    distance, hours, current = numbers(text)
    speeds = [Fraction(half, 2) for half in range(1, 200) if Fraction(half, 2) > current]
    return next(own for own in speeds if distance / (own + current) + distance / (own - current) == hours)


@check("joint-work")
def _(text):
    one, second = numbers(text)
    return 1 / (1 / second - 1 / one) if "отдельно" in text else 1 / (1 / one + 1 / second)


@check("overtaking")
def _(text):
    hour, minute, slow, later_hour, later_minute, fast = numbers(text)
    start, later = hour * 60 + minute, later_hour * 60 + later_minute
    end = next(now for now in range(int(later), 1440) if slow * (now - start) == fast * (now - later))
    return f"{end // 60:02}:{end % 60:02}"


@check("average-speed")
def _(text):
    speeds = [int(speed) for speed in numbers(text)]
    part = lcm(*speeds)
    return Fraction(part * len(speeds), sum(part // speed for speed in speeds))


@check("train-and-bridge")
def _(text):
    at_pole, bridge, on_bridge = numbers(text)
    length, speed = sympy.symbols("length speed")
    found = sympy.solve([length - speed * at_pole, length + bridge - speed * on_bridge], [length, speed])
    return found[length] if "Найдите длину" in text else found[speed] * 3600 / 1000


@check("divisor-or-multiple")
def _(text):
    found = [int(number) for number in numbers(text)]
    if "делитель" in text:
        return max(number for number in range(1, min(found) + 1) if all(one % number == 0 for one in found))
    step = max(found)
    return next(number for number in range(step, 10**9, step) if all(number % one == 0 for one in found))


@check("remainder-of-power")
def _(text):
    base, exponent = map(int, re.search(r"\$(\d+)\^\{(\d+)\}\$", text).groups())
    modulus = 10 if "цифрой" in text else int(numbers(text)[-1])
    rest = 1
    for _ in range(exponent):
        rest = rest * base % modulus
    return rest


@check("divisor-count")
def _(text):
    number = int(numbers(text)[0])
    return sum(number % divisor == 0 for divisor in range(1, number + 1))


@check("base-conversion")
def _(text):
    names = {"двоичной": 2, "троичной": 3, "пятеричной": 5, "шестеричной": 6, "семеричной": 7, "восьмеричной": 8}
    base = next(base for name, base in names.items() if f" {name} " in text)
    number = int(numbers(text)[0])
    if "Запишите десятичное" not in text:
        return int(str(number), base)
    powers = [base**power for power in range(20) if base**power <= number]
    return int("".join(str(number // power % base) for power in reversed(powers)))


@check("remainders")
def _(text):
    found = [int(number) for number in numbers(text)]
    moduli, rests = found[::2], found[1::2]
    conditions = list(zip(moduli, rests, strict=True))
    return next(
        number for number in range(1, 10**5) if all(number % modulus == rest for modulus, rest in conditions)
    )


@check("trailing-zeros")
def _(text):
    rest, zeros = factorial(int(numbers(text)[-1])), 0
    while rest % 10 == 0:
        rest, zeros = rest // 10, zeros + 1
    return zeros


@check("digit-sum")
def _(text):
    exponent, less = re.search(r"\$10\^\{(\d+)\} - (\d+)\$", text).groups()
    return sum(map(int, str(10 ** int(exponent) - int(less))))


@check("committee")
def _(text):
    boys, girls, size, wanted = map(int, numbers(text))
    ways = Counter({(0, 0): 1})  # (chosen, girls among them)
    for is_girl in [0] * boys + [1] * girls:
        ways += Counter({(chosen + 1, among + is_girl): count for (chosen, among), count in ways.items()})
    return sum(
        count
        for (chosen, among), count in ways.items()
        if chosen == size and (among >= wanted if "не меньше" in text else among == wanted)
    )


@check("anagrams")
def _(text):
    word = re.search("«(.+)»", text)[1]
    ways, free = 1, len(word)
    for count in Counter(word).values():
        ways, free = ways * comb(free, count), free - count
    assert len(word) > 7 or ways == len(set(permutations(word)))
    return ways


@check("digit-numbers")
def _(text):
    digits = {str(digit) for digit in numbers(text)}
    length = next(length for name, length in (("трёх", 3), ("четырёх", 4), ("пяти", 5)) if name in text)
    repeated = "могут повторяться" in text
    return sum(
        digits.issuperset(written) and (repeated or len(set(written)) == length)
        for written in map(str, range(10 ** (length - 1), 10**length))
    )


@check("tournament")
def _(text):
    (number,) = numbers(text)
    rounds = 2 if "по два раза" in text else 1
    games = {players: rounds * len(list(combinations(range(players), 2))) for players in range(2, 60)}
    if "Сколько партий" in text:
        return games[int(number)]
    return next(players for players, count in games.items() if count == number)


@check("lattice-paths")
def _(text):
    points = [(int(right), int(up)) for right, up in re.findall(r"\((\d+); (\d+)\)", text)]
    closed = points[2] if len(points) == 3 else None

    def paths(right, up):
        if right < 0 or up < 0 or (right, up) == closed:
            return 0
        return 1 if (right, up) == (0, 0) else paths(right - 1, up) + paths(right, up - 1)

    return paths(*points[1])


@check("no-neighbours")
def _(text):
    chairs, chosen = map(int, numbers(text))
    rows = combinations(range(chairs), chosen)
    return sum(all(right - left > 1 for left, right in pairwise(row)) for row in rows)


@check("urn")
def _(text):
    one, other = map(int, numbers(text))
    count = next(count for word, count in (("один ", 1), ("два ", 2), ("три ", 3)) if f"вынимают {word}" in text)
    draws = list(combinations([1] * one + [2] * other, count))
    alike = "одного" in text
    return Fraction(sum(set(draw) == {1} or (alike and len(set(draw)) == 1) for draw in draws), len(draws))


@check("dice-sum")
def _(text):
    wanted = int(numbers(text)[0])
    count = 3 if "три " in text else 2
    generating = sympy.Poly(sum(x**dots for dots in range(1, 7)) ** count, x)
    ways = {power: int(factor) for (power,), factor in generating.terms()}
    good = sum(
        number
        for total, number in ways.items()
        if total == wanted or ("не меньше" in text and total > wanted) or ("не больше" in text and total < wanted)
    )
    return Fraction(good, 6**count)


@check("coins")
def _(text):
    throws, heads = map(int, numbers(text))
    rows = list(product((0, 1), repeat=throws))
    good = sum(sum(row) >= heads if "не меньше" in text else sum(row) == heads for row in rows)
    return Fraction(good, len(rows))


@check("at-least-one-hit")
def _(text):
    (chance,) = numbers(text)
    attempts = next(count for word, count in (("двух", 2), ("трёх", 3), ("четырёх", 4)) if word in text)
    return sum(chance * (1 - chance) ** before for before in range(attempts))  # the first hit comes after misses


@check("which-line")
def _(text):
    share, rest, one, other = numbers(text)
    assert share + rest == 100
    return rest * other / (share * one + rest * other)


@check("right-triangle")
def _(text):
    one, other = map(int, numbers(text))
    if "Гипотенуза" in text:
        return next(leg for leg in range(1, one) if leg * leg + other * other == one * one)
    longest = next(side for side in range(1, one + other) if side * side == one * one + other * other)
    return longest if "гипотенузу" in text else 2 * Fraction(one * other, 2) / longest


@check("rectangle-by-ratio")
def _(text):
    perimeter, one, other = numbers(text)
    assert gcd(int(one), int(other)) == 1
    part = perimeter / 2 / (one + other)
    width, height = one * part, other * part
    return width * height if "площадь" in text else Fraction(sympy.sqrt(width**2 + height**2))


@check("polygon-area")
def _(text):
    corners = [(int(one), int(other)) for one, other in re.findall(r"[A-D]\((-?\d+); (-?\d+)\)", text)]
    figure = sympy.Polygon(*corners)
    assert len(figure.sides) == len(corners)
    edges = [(edge, other) for edge, other in combinations(figure.sides, 2) if not {*edge.points} & {*other.points}]
    assert not any(edge.intersection(other) for edge, other in edges)
    return abs(figure.area)


@check("cuboid")
def _(text):
    a, b, c = numbers(text)
    if "объём" in text:
        return a * b * c
    return 2 * (a * b + a * c + b * c) if "поверхности" in text else isqrt(int(a**2 + b**2 + c**2))


@check("triangle-with-whole-area")
def _(text):
    a, b, c = numbers(text)
    half = (a + b + c) / 2
    area = sympy.sqrt(half * (half - a) * (half - b) * (half - c))
    if "вписанной" in text:
        return area / half
    return a * b * c / (4 * area) if "описанной" in text else area


@check("angles-by-ratio")
def _(text):
    parts = numbers(text)
    angles = [(180 if len(parts) == 3 else 360) * part / sum(parts) for part in parts]
    assert max(angles) < 180
    return max(angles) if "наибольший" in text else min(angles)


@check("chord")
def _(text):
    one, other = numbers(text)
    if "Найдите радиус" in text:
        return isqrt(int((one / 2) ** 2 + other**2))
    return 2 * isqrt(int(one**2 - other**2)) if "Найдите длину" in text else isqrt(int(one**2 - (other / 2) ** 2))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_answer_follows_from_the_text(name):
    for problem in drawn(name):
        expected = CHECKS[name](problem.text)
        if isinstance(expected, str):
            assert problem.answer == expected, problem.text
        else:
            assert value(problem.answer) == Fraction(str(expected)), problem.text


@pytest.mark.parametrize("name", FAMILIES)
def test_the_grader_reads_the_answers(name):
    problems = drawn(name)
    for problem, other in zip(problems, problems[1:] + problems[:1], strict=True):
        assert grade(problem.answer, f"Ответ: {problem.answer}").verdict is Verdict.CORRECT, problem
        if other.answer != problem.answer:
            assert grade(problem.answer, f"Ответ: {other.answer}").verdict is Verdict.WRONG, (problem, other)


# --- the families ------------------------------------------------------------------------------------------


def test_families():
    assert set(CHECKS) == set(FAMILIES)
    assert len(FAMILIES) >= 50
    for split in SPLITS:
        topics = {family.topic for family in FAMILIES.values() if family.split == split}
        assert topics >= {
            "arithmetic",
            "equations",
            "systems",
            "combinatorics",
            "geometry",
            "number-theory",
            "motion",
        }


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_makes_many_problems(name):
    family, dice = FAMILIES[name], Dice(name)
    for difficulty in DIFFICULTIES:
        texts = {family.make(dice, difficulty).text for _ in range(30)}
        assert len(texts) >= 5, (name, difficulty)  # the letters of a word can be drawn from few words only


@pytest.mark.parametrize("name", FAMILIES)
def test_the_answer_is_not_in_the_text_as_it_stands(name):
    given = [problem.answer in problem.text for problem in drawn(name)]
    assert sum(given) <= len(given) * 0.6


@pytest.mark.parametrize("name", FAMILIES)
def test_problems_are_clean_russian(name):
    for problem in drawn(name):
        text = problem.text
        assert text == text.strip() and re.search(r"[.?]$", text) and text[0].isupper(), text
        assert not re.search(r"  |\{\}|\s[,.;?]|[.,;]{2}|\.[А-ЯЁ]|None|Fraction", text), text
        assert text.count("$") % 2 == 0 and text.count("(") == text.count(")"), text
        assert text.count("{") == text.count("}"), text
        prose = re.sub(r"\$.+?\$|[A-D]\(.+?\)", "", text)
        assert not re.search(r"[A-Za-z]", prose), prose
        assert not re.search(r"(?<!\d)[+-] ?-|\b1x|\b0x|\+ 0\b", text), text


FORMS = {
    "рубль": ("рубль", "рубля", "рублей"),
    "страница": ("страницу", "страницы", "страниц"),
    "день": ("день", "дня", "дней"),
    "год": ("год", "года", "лет"),
    "мальчик": ("мальчик", "мальчика", "мальчиков"),
    "девочка": ("девочка", "девочки", "девочек"),
    "партия": ("партия", "партии", "партий"),
    "ручка": ("ручку", "ручки", "ручек"),
    "карандаш": ("карандаш", "карандаша", "карандашей"),
}


def test_nouns_agree_with_their_numbers():
    seen = Counter()
    for name in FAMILIES:
        for problem in drawn(name):
            for text in (problem.text, problem.answer):
                for number, word in re.findall(r"(\d+) ([а-яё]+)", text):
                    last, last_two = int(number) % 10, int(number) % 100
                    form = (
                        0 if last == 1 and last_two != 11 else 1 if 1 < last < 5 and not 10 < last_two < 20 else 2
                    )
                    for noun, forms in FORMS.items():
                        if word in forms and f"с {number} рублей" not in text:
                            assert word == forms[form], (number, word, text)
                            seen[noun] += 1
    assert set(seen) == set(FORMS)


# --- the same everywhere, split cleanly --------------------------------------------------------------------


def printed(*arguments, hash_seed="0"):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, check=True).stdout


def test_the_command_prints_what_the_task_reads_the_same_everywhere(tmp_path):
    one, other = (
        printed("--split", "train", "--count", "120", "--seed", "7", hash_seed=seed) for seed in ("1", "2")
    )
    assert one == other
    path = tmp_path / "problems.jsonl"
    path.write_bytes(one)
    read = list(math_generated.read(path))
    made = list(math_generated.samples(split="train", limit=120, seed=7))
    assert read == made


def test_the_problems_of_a_seed_stay_what_they_are():
    # Another digest means other samples in every run: then raise the version of the task.
    problems = [
        (problem.id, problem.text, problem.answer) for split in SPLITS for problem in generate(200, split=split)
    ]
    assert hashlib.sha256(json.dumps(problems).encode()).hexdigest()[:16] == "fffc3d432b56df5e"


def test_a_longer_run_begins_with_a_shorter_one():
    assert list(generate(30, split="test", seed=3)) == list(islice(generate(200, split="test", seed=3), 30))


def test_other_seeds_give_other_problems():
    one, other = ({problem.text for problem in generate(200, split="train", seed=seed)} for seed in (1, 2))
    assert len(one) == len(other) == 200
    assert len(one & other) < 10


def test_splits_share_no_family_and_families_take_turns():
    found = {split: Counter(p.labels["family"] for p in generate(400, split=split)) for split in SPLITS}
    assert not set(found["train"]) & set(found["test"])
    assert set(found["train"]) | set(found["test"]) == set(FAMILIES)
    for counts in found.values():
        assert max(counts.values()) - min(counts.values()) <= 1


def test_difficulty():
    for difficulty in DIFFICULTIES:
        made = list(generate(40, split="train", seed=1, difficulty=difficulty))
        assert {problem.labels["level"] for problem in made} == {str(difficulty)}
    ids = [
        problem.id for level in (None, *DIFFICULTIES) for problem in generate(5, split="train", difficulty=level)
    ]
    assert len(set(ids)) == len(ids)
    mixed = Counter(problem.labels["level"] for problem in generate(300, split="test"))
    assert set(mixed) == {"1", "2", "3"} and min(mixed.values()) > 60


def test_families_can_be_chosen():
    made = list(generate(6, split="train", families=["river", "urn"]))
    assert Counter(problem.labels["family"] for problem in made) == {"river": 3, "urn": 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "unknown split 'dev'"),
        ({"split": "test", "difficulty": 4}, "unknown difficulty 4"),
        ({"split": "train", "families": ["rivr"]}, "Did you mean 'river'"),
        ({"split": "test", "families": ["river"]}, "of the split 'test'"),
        ({"split": "test", "families": []}, "families is empty"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(UsageError, match=message):
        generate(1, **arguments)
    with pytest.raises(UsageError, match="negative"):
        generate(-1, split="test")


# --- how numbers are written -------------------------------------------------------------------------------


def test_notation():
    assert [decimal(Fraction(number)) for number in ("5/2", "-1/8", "7", "-12", "1/100")] == [
        "2,5",
        "-0,125",
        "7",
        "-12",
        "0,01",
    ]
    with pytest.raises(ValueError, match="no finite decimal"):
        decimal(Fraction(1, 3))
    assert (latex(Fraction(-3, 4)), latex(2), latex_decimal(Fraction(5, 2))) == (r"-\frac{3}{4}", "2", "2{,}5")
    assert (fraction(Fraction(6, 4)), point(3, Fraction(-1, 2))) == ("3/2", "(3; -1/2)")
    assert several([5, Fraction(1, 3), -2, 5]) == "-2; 1/3; 5"
    assert several([]) == "нет решений"
    assert polynomial((-1, "x^2"), (0, "x"), (5, "")) == "-x^2 + 5"
    assert polynomial((2, "x"), (-1, "y")) == "2x - y"
    assert polynomial((0, "x")) == "0"


def test_own_shape_reads_generated_records(tmp_path):
    problem = next(generate(1, split="train"))
    record = {"id": problem.id, "problem": problem.text, "answer": problem.answer, **problem.labels}
    path = tmp_path / "one.json"
    path.write_text(json.dumps([record], ensure_ascii=False), encoding="utf-8")
    (sample,) = read_problems(path, own_shape)
    assert sample.target == problem.answer
    assert sample.metadata["labels"]["topic"] == problem.labels["topic"]
