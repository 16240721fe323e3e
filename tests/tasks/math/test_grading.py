"""Finding, reading and comparing final answers."""

from __future__ import annotations

import re
from contextlib import suppress
from fractions import Fraction
from itertools import permutations

import pytest
from evalkit.tasks.math.grading import Verdict, extract, grade, same
from evalkit.tasks.math.grading.comparing.answers import same as same_meaning
from evalkit.tasks.math.grading.comparing.exact import close, exact
from evalkit.tasks.math.grading.comparing.oracle import ExactOracle
from evalkit.tasks.math.grading.extracting.formulas import find_formulas
from evalkit.tasks.math.grading.reading.answers import read
from evalkit.tasks.math.grading.reading.notation import plain
from evalkit.tasks.math.grading.reading.tokens import tokenise
from evalkit.tasks.math.grading.reading.words import meaning, read_number_words, same_letter
from evalkit.tasks.math.grading.verdict import TooLarge, Undecided, Unreadable
from hypothesis import assume, given
from hypothesis import strategies as st

TEXT = st.text(
    st.one_of(
        st.sampled_from(list("0123456789,.;:()[]{}|\\$^_+-*/=<>!%'\" \nabnxπ√∞∈∪±°²пмсийкчОтве")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
COMMANDS = (
    r"\frac",
    r"\boxed{",
    r"\sqrt",
    r"\text{",
    r"\begin{cases}",
    r"\end{cases}",
    r"\cup",
    r"\in",
    r"\pm",
    r"\pi",
)
SIGNS = ("{", "}", "(", ")", "^", "_", "1", "2,5", "x", ";", ",", "Ответ: ", "$", "%", r"\\", "&", "n∈Z")
WORDS = (" и ", " или ", "км/ч", "тыс. руб.", "пять", "нет решений")
FRAGMENT = st.sampled_from((*COMMANDS, *SIGNS, *WORDS))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (r"Итак, \boxed{\frac{1}{1+\frac{2}{3}}}.", r"\frac{1}{1+\frac{2}{3}}"),
        (r"\boxed{1}, потом исправил: \boxed{2}. Далее много слов о решении. \boxed{3}", "3"),
        (r"\boxed{2} и \boxed{3}", "2 ; 3"),
        (r"\boxed{2}. Проверим. Всё верно, \boxed{2}", "2"),
        (r"\boxed{7", "7"),
        ("Ответ: 8. Всего потрачено 15 минут.", "8"),
        ("**Ответ:** $x = 5$.", "$x = 5$"),
        ("### Ответ\n\n12 см", "12 см"),
        ("Ответ: 5 тыс. руб.", "5 тыс. руб"),
        ("Ответ: 12 (см. рисунок)", "12"),
        ("Ответ: 12, так как 3·4 = 12", "12"),
        ("Первый ответ: 3. Правильный ответ: 4", "4"),
        ("Ответ: площадь равна 40 см²", "40 см²"),
        (r"\boxed{200}. The final answer is $10,455$. I hope it is correct.", "$10,455$"),
        ("Считаем: 2 + 2.\n#### 4", "4"),
        ("<think>может, \\boxed{9}?</think>Ответ: 8", "8"),
        ("Корни: $x_1 = 1$ и $x_2 = 5$.", "x_1 = 1  и  x_2 = 5"),
        ("Скорость равна 15 км/ч.", "15 км/ч"),
        ("Therefore there are 12 sequences. I hope it is correct.", "12"),
        ("Не знаю, как решать.", "Не знаю, как решать"),
        ("", None),
        ("  \n ", None),
    ],
)
def test_extraction(answer: str, found: str | None) -> None:
    assert extract(answer) == found


@pytest.mark.parametrize(
    "gold", ["", "   ", "$$", r"\boxed{}", "?", "...", "—", "()", "None", "nan", "1, 2, 3, ...", "Ответ:"]
)
def test_unusable_gold(gold: str) -> None:
    for answer in ("", "5", r"\boxed{5}", gold, f"Ответ: {gold}"):
        assert grade(gold, answer).verdict is Verdict.MALFORMED


def test_a_gold_beyond_the_limits_is_malformed() -> None:
    assert grade("7" * 2000, "7" * 2000).verdict is Verdict.MALFORMED
    assert grade("(" * 200 + "1" + ")" * 200, "1").verdict is Verdict.MALFORMED


def test_the_grade_says_what_was_compared() -> None:
    found = grade("12", "Складываем.\n\nОтвет: 12 кг.")
    assert (found.verdict, found.extracted, found.gold) == (Verdict.CORRECT, "12 кг", "12")
    assert grade("12", "").verdict is Verdict.UNPARSED
    assert grade("12", r"\boxed{\foo\bar}").verdict is Verdict.UNPARSED
    assert grade("12", r"\boxed{10^{10^{10}}}").verdict is Verdict.LIMIT


@pytest.mark.parametrize(
    ("gold", "answer", "precision", "right"),
    [
        ("0,33", "1/3", 2, True),
        ("0,33", "1/3", None, False),
        ("1/3", "0,333333", None, True),
        ("3,14", r"\pi", 2, True),
        ("3,14", r"\pi", 3, False),
        (r"(\frac{3}{5};\frac{8}{3}]", "(0,6; 2,6667]", 2, True),
        ("4", r"4\sqrt{2}", 5, False),
        ("0", "0,0000001", None, False),
        ("1000000", "1000001", None, False),
    ],
)
def test_precision(gold: str, answer: str, precision: int | None, right: bool) -> None:
    assert (grade(gold, rf"\boxed{{{answer}}}", precision=precision).verdict is Verdict.CORRECT) == right


def test_english_commas() -> None:
    assert same("1234", "1,234", english=True)[0] is Verdict.CORRECT
    assert same("1234", "1,234")[0] is Verdict.WRONG
    assert same("1,234", "1234")[0] is Verdict.WRONG
    assert grade("1234", "The total is $1,234.").verdict is Verdict.CORRECT
    assert same("7425000", "7,425,000")[0] is Verdict.CORRECT


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("1,5", ["1.5"]),
        ("1, 5", ["1", ",", "5"]),
        ("(1,5)", ["(", "1", ",", "5", ")"]),
        ("(1,5; 2)", ["(", "1.5", ";", "2", ")"]),
        ("2(1,5)", ["2", "(", "1.5", ")"]),
        ("1,2,3", ["1", ",", "2", ",", "3"]),
        ("1,5, 2,5", ["1.5", ",", "2.5"]),
        ("-10,-8,4", ["-", "10", ",", "-", "8", ",", "4"]),
        ("12,345,678", ["12345678"]),
        ("1,000.99", ["1000.99"]),
        ("0,1(6)", ["0,1(6)"]),
    ],
)
def test_commas(text: str, tokens: list[str]) -> None:
    assert [token.text for token in tokenise(text)] == tokens


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^{10}", 1024),
        ("2^3^2", 512),
        ("-2^2", -4),
        ("(-8)^2", 64),
        ("3 1/4", Fraction(13, 4)),
        (r"-1\frac12", Fraction(-3, 2)),
        ("0,(142857)", Fraction(1, 7)),
        (r"\sqrt{\frac{9}{16}}", Fraction(3, 4)),
        (r"\sqrt[3]{27}", 3),
        (r"\log_2 8", 3),
        (r"\lg 0,001", -3),
        ("C_5^2", 10),
        ("A_5^2", 20),
        (r"\binom{6}{3}", 20),
        ("5!", 120),
        ("НОД(12; 18)", 6),
        (r"\frac{1}{2}+\frac13", Fraction(5, 6)),
        ("1/2/2", Fraction(1, 4)),
        (r"\sum_{k=1}^{10} k^2", 385),
        ("|-7|", 7),
        ("25% + 1", Fraction(5, 4)),
        (r"\lfloor 2,7 \rfloor", 2),
    ],
)
def test_values(text: str, value: Fraction | int) -> None:
    assert exact(read(text)) == value


def test_what_is_not_rational_is_left_to_the_worker() -> None:
    for text in (r"\sqrt2", r"\pi", "x", r"\sin 1", "2^{x}", "1/0", "0^0", r"\log_2 3", "(-8)^{1/3}"):
        assert exact(read(text)) is None
    with pytest.raises(Undecided):
        same_meaning(read(r"\sqrt2"), read("x"), ExactOracle())


def test_numerals() -> None:
    assert read_number_words("сто двадцать пять") == "125"
    assert read_number_words("двадцать один или сорок") == "21 или 40"
    assert read_number_words("пять тысяч двести") == "5200"
    assert read_number_words("минус три") == "- 3"
    assert read_number_words("пять, шесть") == "5, 6"


def test_meanings() -> None:
    assert meaning("Действительных корней нет.") == "empty"
    assert meaning("x — любое число") == "R"
    assert meaning("решений бесконечно много") == "infinite"
    assert meaning("нет") == "нет"
    assert meaning("5") is None


def test_option_letters() -> None:
    assert same_letter("В", "B")
    assert same_letter("б", "Б")
    assert not same_letter("Б", "В")
    assert not same_letter("x", "X")


def test_formulas_of_a_text() -> None:
    found = find_formulas(r"a $b$ \(c\) $$d$$ \[e\] \$5 $f" + "\n$")
    assert [formula.content for formula in found] == ["b", "c", "d", "e"]


WAYS = (
    str,
    lambda value: rf"\frac{{{value.numerator}}}{{{value.denominator}}}",
    lambda value: f"{value.numerator} / {value.denominator}",
    lambda value: f"{2 * value.numerator}/{2 * value.denominator}",
    lambda value: str(value).replace("-", "−"),
    lambda value: f"({value})",
    lambda value: f"{value.numerator}:{value.denominator}" if value.denominator > 99 else str(value),
)
DECIMAL_WAYS = (
    lambda digits: digits,
    lambda digits: digits.replace(",", "{,}"),
    lambda digits: digits.replace(",", "."),
    lambda digits: digits + ("0" if "," in digits else ""),
)


@given(
    st.fractions(min_value=-500, max_value=500, max_denominator=97),
    st.fractions(min_value=-500, max_value=500, max_denominator=97),
    st.sampled_from(WAYS),
    st.sampled_from(WAYS),
)
def test_rational_numbers_in_all_spellings(first: Fraction, second: Fraction, write, rewrite) -> None:
    assert grade(write(first), f"Ответ: {rewrite(first)}").verdict is Verdict.CORRECT
    assert (grade(write(first), rf"\boxed{{{rewrite(second)}}}").verdict is Verdict.CORRECT) == (first == second)


@given(
    st.integers(-(10**7), 10**7),
    st.integers(-(10**7), 10**7),
    st.integers(0, 4),
    st.sampled_from(DECIMAL_WAYS),
    st.sampled_from(DECIMAL_WAYS),
)
def test_decimals_in_all_spellings(first: int, second: int, places: int, write, rewrite) -> None:
    def digits(number: int) -> str:
        sign, text = "-" if number < 0 else "", str(abs(number)).zfill(places + 1)
        return sign + (f"{text[:-places]},{text[-places:]}" if places else text)

    assert grade(write(digits(first)), rf"\boxed{{{rewrite(digits(first))}}}").verdict is Verdict.CORRECT
    right = grade(write(digits(first)), f"Ответ: {rewrite(digits(second))}").verdict is Verdict.CORRECT
    assert right == (first == second)


@given(st.integers(0, 10**12), st.sampled_from([" ", "\u00a0", "\u202f", r"\,", "~", r"\ "]))
def test_grouped_thousands(number: int, space: str) -> None:
    grouped = f"{number:,}".replace(",", space)
    assert (
        grade(str(number), f"Ответ: {grouped}" if "\\" not in space else f"Ответ: ${grouped}$").verdict
        is Verdict.CORRECT
    )


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=4, unique=True), st.integers(-50, 50))
def test_lists_are_sets(values: list[int], extra: int) -> None:
    gold = "; ".join(map(str, values))
    for order in permutations(values):
        for joined in (
            "; ".join(map(str, order)),
            " и ".join(map(str, order)),
            rf"\{{{';'.join(map(str, order))}\}}",
        ):
            assert grade(gold, rf"\boxed{{{joined}}}").verdict is Verdict.CORRECT
    assume(extra not in values)
    assert grade(gold, rf"\boxed{{{gold}; {extra}}}").verdict is Verdict.WRONG
    assert grade(gold, rf"\boxed{{{'; '.join(map(str, [*values[1:], extra]))}}}").verdict is Verdict.WRONG


@given(
    st.integers(-20, 20), st.integers(1, 20), st.sampled_from("(["), st.sampled_from(")]"), st.sampled_from("([")
)
def test_intervals_and_inequalities(low: int, width: int, left: str, right: str, other: str) -> None:
    signs = {"(": "<", "[": r"\le", ")": "<", "]": r"\le"}
    gold = f"{left}{low}; {low + width}{right}"
    assert grade(gold, rf"$x \in {left}{low};{low + width}{right}$").verdict is Verdict.CORRECT
    inequality = rf"\boxed{{{low} {signs[left]} x {signs[right]} {low + width}}}"
    assert grade(gold, inequality).verdict is Verdict.CORRECT
    changed = grade(gold, rf"\boxed{{{other}{low}; {low + width}{right}}}").verdict is Verdict.CORRECT
    assert changed == (other == left)


@given(TEXT)
def test_reading_raises_nothing_else(text: str) -> None:
    extract(text)
    with suppress(Unreadable, TooLarge):
        read(text)


@given(st.lists(st.one_of(FRAGMENT, TEXT), max_size=12).map("".join))
def test_grading_raises_nothing(text: str) -> None:
    with suppress(Unreadable, TooLarge):
        node = read(text)
        for other in ("5", r"\{1; 2\}", "(1; 2]", "x=1, y=2", "5 м"):
            with suppress(Undecided):
                same_meaning(read(other), node, ExactOracle())
            with suppress(Undecided):
                same_meaning(node, read(other), ExactOracle())


@given(TEXT)
def test_plain_text_stays_plain(text: str) -> None:
    once = plain(text)
    assert not re.search(r"[−×π√∞≤≥∈∪\u00a0\u202f]", once)


@given(st.fractions(), st.fractions(), st.booleans(), st.none() | st.integers(0, 6))
def test_closeness_is_symmetric(first: Fraction, second: Fraction, decimal: bool, precision: int | None) -> None:
    assert close(first, first, decimal, precision)
    assert close(first, second, decimal, precision) == close(second, first, decimal, precision)


@pytest.mark.parametrize(
    "text",
    ["ln()/2", "log2()!:", r"\begin", r"\frac", "max()", r"\sin()", "{", "∞ и 2", "()", "[]", "(1;2;3), (4;5;6)"],
)
def test_broken_answers_are_unparsed_or_wrong(text: str) -> None:
    for gold in ("2", r"[\sqrt{2}; 3)", r"\sqrt{2}", "n(n-1)!"):
        assert grade(gold, rf"\boxed{{{text}}}").verdict in (Verdict.UNPARSED, Verdict.WRONG)
