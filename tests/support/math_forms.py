r"""Seeded pairs of a gold answer and a model's answer, with the verdict that each must get, by kind of form.

Nothing here is taken from a benchmark: phrases are crossed with numbers, so that a rule is tested and not a row.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SEED = 20261201


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold answer, an answer, and whether the one is right by the other; ``kind`` says what is tried."""

    kind: str
    gold: str
    answer: str
    right: bool


Dice = random.Random
Rows = Iterator[tuple[str, str, bool]]


# Products and polynomials

Monomial = tuple[int, tuple[tuple[str, int], ...]]
"""A coefficient, and letters with their exponents in the order in which they are written."""


def monomial(dice: Dice, letters: str = "abckpqxyz") -> Monomial:
    names = dice.sample(letters, dice.randint(2, 3))
    return dice.choice([1, 1, 2, 3, 5, 7]), tuple((name, dice.choice([1, 1, 2, 3])) for name in names)


def written(dice: Dice, term: Monomial) -> str:
    coefficient, powers = term
    shuffled = dice.sample(powers, len(powers))
    joint = dice.choice(["", "", " ", r" \cdot ", "*"])
    factors = []
    for name, exponent in shuffled:
        base = dice.choice([name, name, "{" + name + "}"]) if joint else name
        ways = [f"{base}^{exponent}", f"{base}^{{{exponent}}}"]
        factors.append(base if exponent == 1 else dice.choice(ways))
    shown = "" if coefficient == 1 else str(coefficient)
    return shown + (joint if shown and joint != "" else "") + joint.join(factors)


def value(term: Monomial, at: dict[str, int]) -> int:
    product = term[0]
    for name, exponent in term[1]:
        product *= at[name] ** exponent
    return product


def changed(dice: Dice, term: Monomial) -> Monomial:
    """Raise the first letter's exponent to the last one's, as a reader would who binds ``^`` to the whole run."""
    coefficient, powers = term
    index = dice.randrange(len(powers))
    return coefficient, tuple((name, exponent + (place == index)) for place, (name, exponent) in enumerate(powers))


def products(dice: Dice) -> Rows:
    for _ in range(60):
        term = monomial(dice)
        yield written(dice, term), f"\\boxed{{{written(dice, term)}}}", True
        yield written(dice, term), f"\\boxed{{{written(dice, changed(dice, term))}}}", False


def sums(dice: Dice) -> Rows:
    for _ in range(40):
        terms = [monomial(dice, "abxy") for _ in range(dice.randint(2, 3))]
        other = [*terms[1:], changed(dice, terms[0])]
        again = dice.sample(terms, len(terms))
        at = {"a": 3, "b": 5, "x": 7, "y": 11}
        same = sum(value(term, at) for term in terms) == sum(value(term, at) for term in other)
        yield " + ".join(written(dice, t) for t in terms), f"${'+'.join(written(dice, t) for t in again)}$", True
        yield " + ".join(written(dice, t) for t in terms), f"${'+'.join(written(dice, t) for t in other)}$", same


def runs(dice: Dice) -> Rows:
    for _ in range(40):
        a, b = dice.sample("abcdkpqrtxyz", 2)
        n = dice.randint(2, 4)
        yield f"{a}{b}^{n}", f"\\boxed{{({a}{b})^{n}}}", False
        yield f"({a}{b})^{n}", f"\\boxed{{{a}^{n}{b}^{n}}}", True
        yield f"{a}^{n}{b}^{n}", f"\\boxed{{{a}{b}^{n}}}", False
        yield f"({a}+{b})^2", f"\\boxed{{{a}^2+2{a}{b}+{b}^2}}", True
        yield f"({a}+{b})^3", f"\\boxed{{{a}^3+3{a}^2{b}+3{a}{b}^2+{b}^3}}", True
        yield f"{a}{b}_1", f"\\boxed{{{a} {b}_1}}", True
        yield f"{a}{b}!", f"\\boxed{{{a}\\cdot ({b}!)}}", True
        yield f"{a}{b}!", f"\\boxed{{({a}{b})!}}", False
        if "e" not in (a, b):
            yield f"{a}e^{a}", f"\\boxed{{{a} \\cdot e^{{{a}}}}}", True
            yield f"{n}{a}e^{{{n}{a}}}", f"\\boxed{{{n}e^{{{n}{a}}}{a}}}", True
            yield f"{a}e^{a}", f"\\boxed{{({a}e)^{a}}}", False


# Words

OPPOSITES = (
    *(("чётные", "нечётные"), ("простые", "составные"), ("положительные", "отрицательные"), ("целые", "дробные")),
    *(("рациональные", "иррациональные"), ("острые", "тупые"), ("двузначные", "трёхзначные")),
)
DIRECTIONS = (
    *(("увеличится", "уменьшится"), ("вырастет", "упадёт"), ("прибыль", "убыток"), ("выигрыш", "проигрыш")),
    *(("подорожает", "подешевеет"), ("возрастёт", "снизится"), ("поднимется", "опустится")),
)
HEADS = (("долг", "остаток"), ("ширина", "высота"), ("сумма", "разность"), ("периметр", "площадь"))
COMPARATIVES = (
    *(("больше", "меньше"), ("дороже", "дешевле"), ("выше", "ниже"), ("длиннее", "короче"), ("старше", "младше")),
    *(("быстрее", "медленнее"), ("тяжелее", "легче"), ("раньше", "позже"), ("шире", "уже"), ("глубже", "мельче")),
)
THINGS = (
    *(("красных", "синих"), ("мальчиков", "девочек"), ("яблок", "груш"), ("коров", "овец"), ("зайцев", "гусей")),
    *(("взрослых", "детских"), ("тетрадей", "ручек"), ("белых", "чёрных")),
)


def words(dice: Dice) -> Rows:
    for first, second in OPPOSITES:
        for left, right in ((first, second), (second, first)):
            yield f"все {left} n", f"Ответ: все {left} n", True
            yield f"все {left} n", f"Ответ: все {right} n", False
            yield f"все {left} числа", f"Ответ: все {right} числа", False
            yield f"все {left} n", "Ответ: все n", False
            yield f"только {left} $k$", f"Ответ: только {right} $k$", False
            yield f"при {left[:-1]}х n", f"Ответ: при {right[:-1]}х n", False
            yield f"Петя побеждает при {left[:-1]}х n", f"Ответ: Петя побеждает при {right[:-1]}х n", False
    for first, second in DIRECTIONS:
        n = dice.randint(3, 90)
        for left, right in ((first, second), (second, first)):
            yield f"{left} на {n}%", f"Ответ: {left} на {n}%", True
            yield f"{left} на {n}%", f"Ответ: {right} на {n}%", False
            yield f"{left} на {n}%", f"Ответ: на {n}%", False
            yield f"{left} на {n} рублей", f"\\boxed{{\\text{{{right} на }} {n} \\text{{ рублей}}}}", False
            yield f"{left} {n} рублей", f"Ответ: {left} {n} рублей", True
            yield f"{left} {n} рублей", f"Ответ: {right} {n} рублей", False
    for first, second in COMPARATIVES:
        n = dice.randint(2, 9)
        for left, right in ((first, second), (second, first)):
            yield f"{left} в {n} раза", f"Ответ: {left} в {n} раза", True
            yield f"{left} в {n} раза", f"Ответ: {right} в {n} раза", False
            yield f"в {n} раза {left}", f"Ответ: в {n} раза {right}", False
            yield f"на {n} {left}", f"Ответ: на {n} {right}", False
    for first, second in HEADS:
        n = dice.randint(3, 90)
        yield f"{first} равна {n}", f"Ответ: {first} равна {n}", True
        yield f"{first} {n} рублей", f"Ответ: {second} {n} рублей", False
        yield f"{second} {n}", f"Ответ: {first} {n}", False
    for first, second in THINGS:
        n, m = dice.sample(range(2, 40), 2)
        yield f"{n} {first} и {m} {second}", f"Ответ: {n} {first} и {m} {second}", True
        yield f"{n} {first} и {m} {second}", f"Ответ: {m} {second} и {n} {first}", True
        yield f"{n} {first} и {m} {second}", f"Ответ: {m} {first} и {n} {second}", False
        yield f"{n} {first}, {m} {second}", f"Ответ: {m} {first}, {n} {second}", False
        yield f"{n} {first}; {m} {second}", f"Ответ: {n} {second}; {m} {first}", False
    for gold, other in (("да", "нет"), ("нет", "да")):
        yield gold, f"Ответ: {gold}", True
        yield gold, f"Ответ: {gold}.", True
        yield gold, f"Ответ: {other}", False
        for hedge in ("{}, {}", "{} или {}", "{}; {}", "{} и {}", "{}/{}", "{}, хотя {}", "{}. А вообще {}"):
            yield gold, f"Ответ: {hedge.format(gold, other)}", False
        for condition in ("если n чётно", "но только при n > 2", "при условии, что n простое", "но не всегда"):
            yield gold, f"Ответ: {gold}, {condition}", False
    yield "да", "Ответ: да, можно", True
    yield "нет", "Ответ: нет, нельзя", True
    yield "да", "Ответ: да, существует", True
    for _ in range(6):
        n = dice.randint(2, 99)
        for wording in ("не {}", "не равно {}", "кроме {}", "все, кроме {}", "не {}, а больше", "вряд ли {}"):
            yield f"{n}", f"Ответ: {wording.format(n)}", False
        letter = dice.choice("nkm")
        yield f"${letter}$ чётно", f"Ответ: ${letter}$ нечётно", False
        yield f"{letter} делится на {n}", f"Ответ: {letter} не делится на {n}", False
        yield f"{letter} делится на {n}", f"Ответ: {letter} делится на {n}", True
        yield f"{letter} кратно {n}", f"Ответ: {letter} не кратно {n}", False
        yield f"{letter} нечётно", f"Ответ: {letter}", False


# What is no answer


def hedges(dice: Dice) -> Rows:
    for _ in range(12):
        n = dice.randint(5, 99)
        m = n + dice.randint(2, 30)
        for wording in (
            *("{n} (или {m})", "{n} (либо {m})", "{m} = {n}", "{n} = {m}", "{n} ≈ {m}", "> {n}", "≥ {n}", "< {n}"),
            *("{n} или {m}", "{n}–{m}", "от {n} до {m}", "{n}?? или {m}", "не {n}", "{n}, {m}", "{n} … {m}"),
            *("{n}\\phantom{{{m}}}", "{n} (возможно, {m})", "{n}, а может быть {m}", "либо {n}, либо {m}"),
            *("{n} < {m}", "{n} \\ne {m}", "{n}, но возможно {m}", "{n} (если ошибся, то {m})"),
        ):
            yield f"{n}", f"Ответ: {wording.format(n=n, m=m)}", False
        yield f"{n}", f"\\boxed{{{m}={n}}}", False
        yield f"{n}", f"Ответ: {n} = {n}", True
        yield f"{n}", f"Ответ: {n - 2} + 2 = {n}", True
        yield f"{n},25", f"Ответ: {n} \\frac14 = {n},25", True
        yield f"{n}/{m}", f"Ответ: $\\frac{{{n}}}{{{m}}} \\approx {n / m:.2f}$".replace(".", ","), True


DOUBTS = (
    *("{n}?", "{n} ?", "~{n}?", "{n}??", "{n}, вроде бы", "думаю, что {n}, но не уверен", "{n}, и не более того"),
    *("как минимум {n}", "как максимум {n}", "почти {n}", "чуть больше {n}", "{n} с небольшим", "от силы {n}"),
    *("по крайней мере {n}", "хотя бы {n}", "свыше {n}", "{n}, не меньше", "{n} и более", "{n} или больше"),
    *("{n}, нет, {m}", "{n}; нет, {m}", "{n}, а нет, {m}", "{n} (опечатка: {m})", "{n}, исправление: {m}"),
    *(
        "то ли {n}, то ли {m}",
        "{n} неверно",
        "{n} — неверный ответ",
        "ответ {n} неверен",
        "невозможно получить {n}",
    ),
    *("не более {n}", "не менее {n}", "{n}\n{m}", "\n{n}\n{m}", "{n} vs {m}", "{n} → {m}", "{n}|{m}"),
)


def doubts(dice: Dice) -> Rows:
    for _ in range(4):
        n = dice.randint(5, 99)
        m = n + dice.randint(2, 30)
        for wording in DOUBTS:
            yield f"{n}", f"Ответ: {wording.format(n=n, m=m)}", False
            yield f"{m}", f"Ответ: {wording.format(n=n, m=m)}", False
        for wording in (
            *("если x = {m}, то {n}", "ибо {m} простое, то {n}", "{n}, больше нет", "{n}, других решений нет"),
            *("{n}, см. рис. {m}", "{n} согласно условию {m}", "{n}, и это наименьшее число", "{n}\n{n}"),
            *("{n}\nПроверка: {m}", "из {m} человек {n} пришли"),
        ):
            yield f"{n}", f"Ответ: {wording.format(n=n, m=m)}", True
            yield f"{m}", f"Ответ: {wording.format(n=n, m=m)}", False
        yield f"{n}; {m}", f"Ответ: {n}\n{m}", True
        yield f"({n}; {m})", f"Ответ: x = {n}\ny = {m}", True
        yield f"{n}", f"Ответ: {n} = {n - 3} + 3", True
        yield f"{n}", f"Ответ: {n} = {n - 3} + 4", False


def rejections(dice: Dice) -> Rows:
    """A value that the words beside it reject, or that another one joins; a factor is no difference."""
    n, m = dice.sample(range(2, 40), 2)
    for rejects in (
        *("не подходит", "посторонний корень", "лишний", "отбрасываем", "не является решением", "не входит в ОДЗ"),
        *("противоречие", "не удовлетворяет условию", "это не решение", "неверно", "отбросим этот корень"),
        *("extraneous", "rejected", "does not satisfy", "is not valid", "wrong"),
    ):
        for form in (
            "\\boxed{{{n} \\text{{ ({words})}}}}",
            "\\boxed{{{n}}} ({words})",
            "$\\boxed{{{n}}}$ ({words})",
        ):
            yield str(n), form.format(n=n, words=rejects), False
        for form in ("Ответ: {n} ({words})", "Ответ: {n} — {words}", "Ответ: {n}, {words}"):
            yield str(n), form.format(n=n, words=rejects), False
    for says in ("единственное решение", "яблок", "по условию", "включая его самого", "целое число", "checked"):
        for form in ("\\boxed{{{n} \\text{{ ({words})}}}}", "\\boxed{{{n}}} ({words})", "Ответ: {n} ({words})"):
            yield str(n), form.format(n=n, words=says), True
    yield str(n), f"Ответ: {n}; корень {-m} не подходит", True
    yield str(n), f"Ответ: {n}, а число {-m} — посторонний корень", True
    yield str(n), f"\\boxed{{{n}}} (или {m})", False
    yield "0,5", "\\boxed{\\frac12} (или 0,5)", True
    for adds in (
        *("и ещё", "а ещё", "и вдобавок", "да ещё и", "вместе с", "не считая", "помимо", "и дополнительно"),
        *("а затем", "потом", "если не", "плюс ещё", "а также"),
    ):
        yield str(n), f"Ответ: {n}, {adds} {m}", False
        yield str(n), f"Ответ: {n}, {adds} ${m}$", False
    for verb in ("увеличится", "уменьшится", "вырастет", "больше", "меньше"):
        yield f"{verb} в {n} раз", f"Ответ: {verb} в {n} раз", True
        yield f"{verb} в {n} раз", f"Ответ: {verb} на {n}", False
        yield f"{verb} на {n}", f"Ответ: {verb} на {n}", True
        yield f"{verb} на {n}", f"Ответ: {verb} в {n} раз", False
    yield f"в {n} раз", f"Ответ: {n}", True
    yield f"на {n}", f"Ответ: {n}", True
    for day, with_preposition in (("среда", "в среду"), ("понедельник", "в понедельник"), ("суббота", "в субботу")):
        yield day, f"Ответ: {with_preposition}", True
        yield with_preposition, f"Ответ: {day}", True
    for bounds in ("{n} с лишним", "{n} без малого", "без малого {n}", "близко к {n}"):
        yield str(n), "Ответ: " + bounds.format(n=n), False


def echoes(dice: Dice) -> Rows:
    for _ in range(12):
        a, b = sorted(dice.sample(range(-9, 10), 2))
        k = dice.randint(2, 5)
        yield f"({a}; {b})", f"Ответ: $(x - {b})(x + {-a}) < 0$".replace("+ -", "- ").replace("- -", "+ "), False
        outside = f"(-\\infty; {a}) \\cup ({b}; +\\infty)"
        yield (
            outside,
            f"Ответ: $\\frac{{x - {b}}}{{x + {-a}}} > 0$".replace("+ -", "- ").replace("- -", "+ "),
            False,
        )
        yield f"({b}; +\\infty)", f"Ответ: ${k + 1}x - {b * k} > x$", False
        yield f"x > {b}", f"Ответ: ${k}x > {k * b}$", False
        yield f"(-\\infty; {b}]", f"Ответ: $2^{{x}} \\le 2^{{{b}}}$", False
        yield f"{b}", f"Ответ: ${k}x = {k * b}$", False
        yield f"{a}; {b}", f"Ответ: $x^2 - {a + b}x + {a * b} = 0$".replace("- -", "+ ").replace("+ -", "- "), False
        yield f"{a + b * k},5", f"Ответ: ${a} + {k} \\cdot {b} + 0{{,}}5$", False
        yield f"x = {b}", f"Ответ: ${k}x - {k * b} = 0$", False
        yield f"({a}; {b})", f"Ответ: $x \\in ({a}; {b})$", True
        yield f"({a}; {b})", f"Ответ: ${a} < x < {b}$", True


# The clause after the answer

CLAUSES = (
    *(
        "достигается при $x = {m}$",
        "достигается при x = {m}",
        "при $x = {m}$",
        "если $a = {m}$",
        "ведь {n} + 1 = {m}",
    ),
    *("поскольку {n}+{k}={m}", "так как {m} - {k} = {n}", "потому что {m} > {n}", "при этом сумма равна {m}"),
    *(
        "а сумма равна {m}",
        "тогда площадь равна {m}",
        "где {m} — число сторон",
        "что меньше {m}",
        "оно делится на {m}",
    ),
    *("что соответствует варианту {m}", "причём второе число равно {m}", "значит, y = {m}", "а остальных {m}"),
    *("то есть меньше, чем {m}", "которое делится на {m}", "следовательно, осталось {m}", "поэтому y = {m}"),
    *(
        "т. к. {m} = {n} + {k}",
        "т.к. {m} — простое",
        "ибо {m} больше {n}",
        "это {m}-я часть всего",
        "когда x = {m}",
    ),
    *("откуда y = {m}", "проверка: {n} + {k} = {m}", "и достигается при x = {m}", "в случае a = {m}"),
)


def clauses(dice: Dice) -> Rows:
    for clause in CLAUSES:
        k = dice.randint(3, 20)
        n = dice.randint(2, 60)
        m = n + k
        tail = clause.format(n=n, m=m, k=k)
        joint = " " if tail.startswith(("и ", "при $", "при x")) else ", "
        for head in ("{n}", "${n}$", "минимум равен {n}", "искомое число — {n}"):
            text = f"Ответ: {head.format(n=n)}{joint}{tail}"
            yield f"{n}", text, True
            yield f"{m}", text, False
        yield f"{n}", f"Ответ: {n} ({tail})", True
        yield f"{m}", f"Ответ: {n} ({tail})", False
    family = r"\frac{\pi}{K}+\pi n, n\in\mathbb{Z}"
    for form in (
        *(r"$x = \frac{\pi}{K} + \pi n$, где $n$ — целое число", "x = π/K + πn, n — любое целое число"),
        *(r"$\frac{\pi}{K} + \pi k$ для любого целого $k$", "x = π/K + πn, n = 0, ±1, ±2, ..."),
        *(r"$\frac{\pi}{K} + \pi n$, $n \in \mathbb{Z}$", r"$x=\frac{\pi}{K}+\pi k, \; k \in \mathbb Z$"),
        *(
            r"$\frac{\pi}{K} + \pi n$, где n - целое",
            r"$\frac{\pi}{K}+\pi m$ при всех целых $m$",
            "π/K + πk, где k ∈ Z",
        ),
        *(r"$\frac{\pi}{K} + \pi n$ ($n$ — целое)", r"$\frac{\pi}{K} + \pi n$, $n$ — произвольное целое число"),
    ):
        shift = dice.choice([3, 4, 5, 6, 8])
        gold = family.replace("K", str(shift))
        yield gold, f"Ответ: {form.replace('K', str(shift))}", True
        yield gold, f"Ответ: {form.replace('K', str(shift + 1))}", False
    for _ in range(4):
        a, b, c = dice.sample(range(2, 60), 3)
        yield f"{a}; {b}", f"Ответ: {a} и {b}; корень {c} — посторонний.", True
        yield f"{a}; {b}; {c}", f"Ответ: {a} и {b}; корень {c} — посторонний.", False
        yield f"{a}; {b}", f"Ответ: $x_1 = {a}$, $x_2 = {b}$", True
        yield f"{a}; {b}", f"Ответ: {a}, {b}, так как {a} + {b} = {a + b}", True
        yield f"{a}", f"Ответ: {a}. Действительно, {b} + {c} = {b + c}", True


# Notation

STYLES = (
    *(r"\boldsymbol{@}", r"\bf @", r"\rm @", r"\Large @", r"\large @", r"\Huge\textbf{@}", r"{\color{blue} @}"),
    *(r"\textcolor{red}{@}", r"\color{green}{@}", r"\mathbf{@}", r"\bm{@}", r"\textnormal{@}", r"{\bf @}", r"@\ "),
    *(
        r"\displaystyle @",
        r"\mathit{@}",
        r"\underline{@}",
        r"\text{Ответ — } @",
        r"@ \quad \text{(ответ)}",
        r"\small{@}",
    ),
    *(r"\text{Ответ: } @", r"@ \text{ (проверено)}", r"@ \qquad \text{(шт.)}", r"\bigl( @ \bigr)", r"\mathrm{@}"),
    *(r"\left\{ @ \right.", r"\fbox{@}", r"\mathsf{@}", r"\textit{@}", r"\scriptstyle @", r"\tiny @", r"\mathbf @"),
)
LABELS = (
    *(r"m_{\max}", r"f_{\min}", r"S_{\text{бок}}", r"S_{бок}", r"y_{\text{наиб}}", r"y_{наим}", r"v_{\text{ср}}"),
    *(r"P(A|B)", r"P(A \mid B)", r"P(A\cap B)", r"|AB|", r"S_{\triangle ABC}", r"\angle ABC", r"x^*", r"f'(2)"),
    *(
        r"R_{\mathrm{общ}}",
        r"V_{\text{пирамиды}}",
        r"\overline{AB}",
        r"\vec{a}\cdot\vec{b}",
        r"d_{\max}",
        r"a_{n+1}",
    ),
    *(
        r"x_{max}",
        r"S_{ABCD}",
        r"E(X)",
        r"\max f",
        r"M_{\text{х}}",
        r"\sin\alpha",
        r"f(3)",
        r"S_{\Delta ABC}",
        r"T_0",
    ),
    *(r"P_{\text{ABC}}", r"\min_{x} f(x)", r"N_{\text{всего}}", r"x'", r"y''(0)", r"\Delta t", r"C_{n}", r"AB^2"),
)


def dress(dice: Dice) -> Rows:
    for style in STYLES:
        n = dice.randint(2, 99)
        yield f"{n}", f"\\boxed{{{style.replace('@', str(n))}}}", True
        yield f"{n}", f"\\boxed{{{style.replace('@', str(n + 1))}}}", False
    for label in LABELS:
        n = dice.randint(2, 99)
        yield f"{n}", f"\\boxed{{{label} = {n}}}", True
        yield f"{n}", f"Ответ: ${label} = {n}$", True
        yield f"{n}", f"\\boxed{{{label} = {n + 1}}}", False
        yield f"{n}", f"Ответ: ${label} = {n}\\text{{ см}}$", True
    for _ in range(3):
        n, d = dice.randint(1, 8), dice.choice([9, 11, 13])
        for command in ("nicefrac", "sfrac", "dfrac", "tfrac", "cfrac"):
            yield f"{n}/{d}", f"\\boxed{{\\{command}{{{n}}}{{{d}}}}}", True
            yield f"{n}/{d}", f"\\boxed{{\\{command}{{{d}}}{{{n}}}}}", False
        yield f"{10 * d} км/ч", f"Ответ: ${10 * d}\\ \\frac{{\\text{{км}}}}{{\\text{{ч}}}}$", True
        yield f"{10 * d}", f"\\boxed{{N = {10 * d} \\text{{ (жителя)}}}}", True
        yield f"{10 * d}", f"$\\framebox{{{10 * d}}}$", True


# Numbers, lists, units


def factorials(dice: Dice) -> Rows:
    product = 1
    for n in range(2, 13):
        product *= n
        for wording in (
            "Ответ: {}!",
            "Таким образом, число способов равно {}!",
            "Ответ: ${}!$",
            "Ответ: {}! способов",
        ):
            yield f"{product}", wording.format(n), True
            yield f"{n}", wording.format(n), n == product
        yield f"{n}", f"Ответ: {n}! Удачи!", True
        odd_or_even = math.prod(range(n, 0, -2))
        yield f"{odd_or_even}", f"\\boxed{{{n}!!}}", True
        yield f"{n + 1}", f"Ответ: {n}!!", odd_or_even == n + 1
        yield f"{n}", f"Ответ: {n}. Отлично!", True


NUMERALS = (
    *(("2/3", "две трети"), ("1/3", "одна треть"), ("3/4", "три четверти"), ("2.5", "два с половиной")),
    *(("1000", "тысяча"), ("1000000", "миллион"), ("2/5", "две пятых"), ("3/10", "три десятых")),
    *(("3.5", "три с половиной"), ("1/8", "одна восьмая"), ("1/4", "четверть"), ("2000", "две тысячи")),
    *(("5.5", "пять с половиной"), ("1/5", "одна пятая"), ("7/8", "семь восьмых")),
)


def lists(dice: Dice) -> Rows:
    for _ in range(6):
        a, b = dice.sample(range(2, 50), 2)
        for wording in (
            *("{} либо {}", "{}, а также {}", "а) {}, б) {}", "\n- {}\n- {}", "\n1. {}\n2. {}", "{} или же {}"),
            *(
                "\n* {}\n* {}",
                "\n1) {}\n2) {}",
                "числа {} и {}",
                "x₁ = {}, x₂ = {}",
                "{} и {}.",
                "либо {}, либо {}",
            ),
        ):
            yield f"{a}; {b}", f"Ответ: {wording.format(a, b)}", True
            yield f"{a}; {b}", f"Ответ: {wording.format(a, b + 1)}", False
            yield f"{a}", f"Ответ: {wording.format(a, b)}", False
        yield f"{a} л", f"Ответ: {a} либо {b}", False
        yield f"[{min(a, b)}; {max(a, b)}]", f"Ответ: от {min(a, b)} до {max(a, b)} включительно", True
        yield f"({min(a, b)}; {max(a, b)})", f"Ответ: от {min(a, b)} до {max(a, b)} включительно", False
        yield f"{a}", f"Ответ: №{a}", True
        yield f"{a}", f"Ответ: № {a}", True
        yield f"{a}", f"Ответ: {a} 🎉", True
        yield f"{a}", f"Ответ: ✅ {a}", True
        yield f"{a}", f"Решение…\n<answer>{a}</answer>\nпроверено {b} способами", True
        yield f"{b}", f"Решение…\n<answer>{a}</answer>\nпроверено {b} способами", False
        yield f"{a + 25}:{b}", f"\\boxed{{{2 * a + 50}:{2 * b}}}", True
        yield f"{a}:{b}:{a + b}", f"\\boxed{{{3 * a}:{3 * b}:{3 * (a + b)}}}", True
        yield f"{a}:{b}:{a + b}", f"\\boxed{{{3 * a}:{3 * b}:{a + b}}}", False
    for n, words_ in NUMERALS:
        yield n, f"Ответ: {words_}", True
        yield f"{n}1", f"Ответ: {words_}", False


def notation(dice: Dice) -> Rows:
    for _ in range(5):
        n, d, k = dice.randint(2, 9), dice.randint(1, 9), dice.randint(2, 7)
        yield f"{n}.{d}e{k}", f"\\boxed{{{n}{{,}}{d}\\cdot 10^{k}}}", True
        yield f"{n}.{d}e{k}", f"\\boxed{{{n}{{,}}{d}\\cdot 10^{k + 1}}}", False
        yield f"{n}{'0' * k}", f"Ответ: {n}e{k}", True
        yield f"{n}x^{k}+C", f"\\boxed{{{n}x^{k} + c}}", True
        yield f"{n}x^{k}+C", f"\\boxed{{C + {n}x^{k}}}", True
        yield f"{n}x^{k}+C", f"\\boxed{{{n}x^{k}}}", False
        yield f"f'(x)={n}x", f"\\boxed{{{n}x}}", True
        yield f"y'={n}x^{k}", f"\\boxed{{{n}x^{{{k}}}}}", True
        yield f"f'(x)={n}x", f"\\boxed{{f(x)={n}x}}", False
        yield f"a_n = {n}n+{d}", f"\\boxed{{{n}n + {d}}}", True
        yield f"S_{{10}} = {n * 10}", f"\\boxed{{{n * 10}}}", True
        yield f"{n * 11}", f"\\boxed{{{n * 11}\\,\\text{{h}}}}", True
        for unit in ("s", "m", "N", "J", "V", "W", "A", "kg", "min", "Hz"):
            yield f"{n * 7}", f"\\boxed{{{n * 7}\\ \\mathrm{{{unit}}}}}", True
            yield f"{n * 7}", f"\\boxed{{{n * 7 + 1}\\ \\text{{ {unit}}}}}", False
        for letter in "mNsx":
            yield f"{n * 7}", f"\\boxed{{{n * 7}{letter}}}", False
        yield f"{n * 60} минут", f"Ответ: {n} ч", True
        yield f"{n * 60} минут", f"Ответ: {n * 60} мин.", True
        yield f"{n * 15} мин", f"Ответ: {n * 15} минут(ы)", True
        yield f"\\vec{{a}}({n};{d})", f"\\boxed{{({n};{d})}}", True
        yield f"\\vec{{AB}} = ({n};{d})", f"\\boxed{{({n};{d + 1})}}", False
        yield f"\\lfloor n/{n}\\rfloor", f"\\boxed{{[n/{n}]}}", True
        number = 4 * n + d
        yield f"{number}", f"\\boxed{{{number:b}_2}}", True
        yield f"{number + 1}", f"\\boxed{{{number:b}_2}}", False
    for number, roman in ((4, "IV"), (9, "IX"), (14, "XIV"), (19, "XIX"), (21, "XXI"), (40, "XL")):
        yield f"{number}", f"\\boxed{{\\text{{{roman}}}}}", True
        yield f"{number + 1}", f"\\boxed{{\\text{{{roman}}}}}", False
    for day in ("понедельник", "вторник", "четверг"):
        yield day, f"Ответ: в {day}", True
        yield day, "Ответ: в воскресенье", False


IDENTICAL = (
    *(
        "Лодка причалит через {n} мин. (если не помешает ветер!)",
        "Треугольник {n}; {m}; {k} — прямоугольный, а значит ок",
    ),
    r"$f(x)=\left\{{\begin{{array}}{{ll}} {n}x, & \text{{ если }} x>{k} \\ {m}x, & x < {k} \end{{array}}\right.$",
    r"$\sin t=-\frac{{{n}}}{{{m}}}$ при $t=\frac{{{k}\pi}}{{4}}+2\pi k$ для всех целых $k$.",
    r"$D(x)={n}x^2+{m}$, $D$ наименьшее при $x={k}$, поэтому ближайшая точка $({n},{m})$",
    r"Гипотенуза равна $c=\frac{{{n}}}{{\sin {m}^\circ}} \approx {k}$, так что катет равен $\sqrt{{c^2-{n}^2}}$.",
    *(
        "Сначала {n} раз налево, потом {m} раз направо",
        "{n} — верно; {m} — неверно; {k} — верно",
        "Аня: {n}, Боря: {m}",
    ),
    r"The lamp hangs {n} meters above the table, {m} feet from the wall (approximately).",
    *(
        r"$\int_0^{n} x^{m} e^{{-x}} dx + \oint_C f$",
        "a) {n} or {m} b) none of the above",
        "between {n} and {m} days",
    ),
    *(
        "не более {n} и не менее {m}",
        "всегда, кроме n = {n}",
        "{n} < {m}",
        "{m} = {n}",
        "x^2 = {n}",
        "да, если n > {n}",
    ),
)


def identical(dice: Dice) -> Rows:
    for form in IDENTICAL:
        for _ in range(2):
            n, m, k = dice.sample(range(2, 60), 3)
            text = form.format(n=n, m=m, k=k)
            yield text, f"\\boxed{{{text}}}", True
            yield text, f"Ответ: {text}", True
            yield text, f"\\boxed{{{' '.join(text.split(' '))} }}", True


KINDS: dict[str, Callable[[Dice], Rows]] = {
    rows.__name__: rows
    for rows in (
        *(
            products,
            sums,
            runs,
            words,
            hedges,
            rejections,
            doubts,
            echoes,
            clauses,
            dress,
            factorials,
            lists,
            notation,
            identical,
        ),
    )
}


def pairs(seed: int = SEED) -> list[Pair]:
    """Return all pairs of a seed, each once."""
    found = [Pair(kind, *row) for kind, rows in KINDS.items() for row in rows(random.Random(f"{kind}{seed}"))]
    return list(dict.fromkeys(found))
