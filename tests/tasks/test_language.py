"""Language fidelity: what counts as prose, what is decided, what is left undecided."""

from __future__ import annotations

import concurrent.futures
import random

import pytest
from evalkit.tasks.text.language import (
    DECIDABLE_LETTERS,
    LanguageFidelity,
    completion_fidelity,
    fidelity,
    observations,
    prose,
)
from evalkit.tasks.types import Completion
from evalkit.tests.support.language_forms import language_forms
from hypothesis import given
from hypothesis import strategies as st

RUSSIAN = "Сегодня утром шёл дождь, поэтому мы остались дома и пили чай с вареньем."
ENGLISH = "It was raining in the morning, so we stayed at home and drank tea with jam."
UKRAINIAN = "Сьогодні вранці йшов дощ, тому ми залишилися вдома і пили чай із варенням."


@pytest.mark.parametrize(
    ("text", "language", "russian"),
    [
        (RUSSIAN, "ru", True),
        (ENGLISH, "en", False),
        (UKRAINIAN, "uk", False),
        ("Сёння раніцай ішоў дождж, таму мы засталіся дома і пілі гарбату з варэннем.", "be", False),
        ("Тази сутрин валеше дъжд, затова останахме вкъщи и пихме чай със сладко.", "bg", False),
        ("Јутрос је падала киша, па смо остали код куће и пили чај са џемом.", "sr", False),
        ("Утринава врнеше дожд, па останавме дома и пиевме чај со џем.", "mk", False),
        ("Бүгін таңертең жаңбыр жауды, сондықтан біз үйде қалып, шай іштік.", "kk", False),
        (RUSSIAN.upper(), "ru", True),
        ("Он пришел домой, сел на стул, потом встал и пошел в сад за водой.", "ru", True),
        ("Слово «щастя» и слово «її» он взял из другого языка, а всё прочее из своего.", "ru", True),
        ("今天早上下雨了，所以我们待在家里喝茶吃果酱。" * 3, "zh", False),
        ("Да.", None, None),
        ("", None, None),
        ("12 + 30 = 42", None, None),
    ],
)
def test_the_language_is_told_where_it_can_be(text: str, language: str | None, russian: bool | None) -> None:
    measured = fidelity(text)
    assert measured.language == language
    assert measured.russian is russian


def test_too_few_letters_are_undecided_and_one_more_is_not() -> None:
    word = "ы" * DECIDABLE_LETTERS
    assert fidelity(word[1:]).language is None
    assert fidelity(word).language == "ru"


def test_shares_are_of_letters() -> None:
    assert fidelity("дом house 家 123 !?") == LanguageFidelity(9, 3 / 9, 1 / 9, None)
    assert fidelity("... 42 ...") == LanguageFidelity(0, None, None, None)


@pytest.mark.parametrize(
    "wrapped",
    [
        "```python\nprint('hello, world')\n```",
        "~~~\nselect name from users\n~~~",
        "- ```\n  echo hello\n  ```",
        "````\n```\ninner\n```\nstill code\n````",
        "```\nnever_closed = cut(at, the_limit)\nfor item in values:",
        "`numpy.linalg.norm`",
        "``array[index]``",
        "$\\frac{alpha}{beta} + gamma$",
        "$$\nsum(values)\n$$",
        "\\(\\sin velocity\\)",
        "\\[ \\int energy \\]",
        "\\begin{align*} speed &= distance \\end{align*}",
        "\\begin{equation}\\begin{aligned} speed \\end{aligned}\\end{equation}",
        "https://example.com/long/path?query=value",
        "www.example.com",
        "someone.else@mail.example.com",
        "x = 5, y = 3x - b, α = β",
        "\\boxed",
    ],
)
def test_code_formulas_and_addresses_are_no_prose(wrapped: str) -> None:
    assert fidelity(f"{RUSSIAN}\n\n{wrapped}\n") == fidelity(RUSSIAN)
    assert prose(wrapped).strip(" ,.=-+5\n3&{}") == ""


@pytest.mark.parametrize(
    "text",
    [
        "Книга стоит $5, а тетрадь $10, и всё",
        "Курс вырос до 95 $ за единицу, было 90 $ за неё",
        "Апостроф ` один, и кавычка ещё одна\nна другой строке ` тоже",
        "\\[ скобка без пары",
        "\\begin{align} не закрыто до конца",
        "Сказал: ```так``` и ушёл",
    ],
)
def test_what_only_looks_like_code_or_a_formula_stays(text: str) -> None:
    measured = fidelity(text)
    assert measured.letters >= 11
    assert measured.cyrillic_share == 1.0


def test_a_slip_into_another_script_shows_in_the_foreign_share() -> None:
    slipped = fidelity(RUSSIAN + " Это очень 重要 и нужно.")
    assert slipped.language == "ru"
    assert slipped.foreign_share is not None
    assert 0 < slipped.foreign_share < 0.05
    assert fidelity(RUSSIAN + " Запустили Python и Linux.").foreign_share == 0.0


@given(st.text())
def test_any_text_is_measured(text: str) -> None:
    measured = fidelity(text)
    assert measured == fidelity(text)
    for share in (measured.cyrillic_share, measured.foreign_share):
        assert (share is None) == (measured.letters == 0)
        assert share is None or 0 <= share <= 1
    if measured.letters < DECIDABLE_LETTERS:
        assert measured.language is None


@given(
    st.lists(
        st.sampled_from(["`", "``", "```", "\n", "$", "$$", "\\[", "\\]", "\\(", "\\)", "ы", "a", " ", "{", "}"])
    )
)
def test_stripping_invents_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert prose(text).count("ы") <= text.count("ы")


HOSTILE = {
    "backticks": "`" * 500_000,
    "backtick runs": "".join("`" * (number % 50 + 1) + "a" for number in range(20_000)),
    "backtick letter": "`a" * 250_000,
    "fences": "```\n" * 125_000,
    "fence marks": "~" * 500_000,
    "dollars": "$" * 500_000,
    "dollar letter": "$a " * 175_000,
    "brackets": "[" * 500_000,
    "unclosed formulas": "\\[ " * 175_000,
    "unclosed parentheses": "\\(" * 250_000,
    "unclosed environments": "\\begin{align}" * 40_000,
    "many environments": "\\begin{align}\\begin{cases}\\begin{matrix}" * 12_500,
    "commands": "\\" * 500_000,
    "at signs": "a@" * 250_000,
    "address": "a." * 250_000,
    "dots before at": "." * 500_000,
    "http": "http://" * 75_000,
    "w": "w" * 500_000,
    "combining": "и\u0306" * 250_000,
    "combining alone": "\u0306\u0323" * 250_000,
    "spaces": " " * 500_000,
    "Russian": "слово " * 90_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_half_a_megabyte_of_anything_is_measured_in_linear_time(name: str) -> None:
    # A quadratic pattern would outlast the suite's time limit of five minutes; nothing else is timed.
    fidelity(HOSTILE[name])


def test_the_same_verdicts_in_any_order_and_in_threads() -> None:
    texts = [
        RUSSIAN,
        ENGLISH,
        UKRAINIAN,
        RUSSIAN[:50],
        ENGLISH + RUSSIAN,
        "Тоа е добро утро за сите луѓе во градот денес.",
    ] * 5
    alone = {text: fidelity(text) for text in texts}
    random.Random(0).shuffle(texts)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fidelity, texts)) == [alone[text] for text in texts]


def test_answer_and_reasoning_are_measured_apart() -> None:
    record = completion_fidelity(Completion(RUSSIAN, reasoning=ENGLISH))
    assert record["answer"]["language"] == "ru"
    assert record["reasoning"]["language"] == "en"
    assert observations(record) == {
        "answer_russian": 1.0,
        "answer_cyrillic_share": 1.0,
        "answer_foreign_share": 0.0,
        "reasoning_russian": 0.0,
        "reasoning_cyrillic_share": 0.0,
        "reasoning_foreign_share": 0.0,
    }


def test_the_undecided_is_left_out_and_not_counted_as_wrong() -> None:
    assert observations(completion_fidelity(Completion("Да."))) == {
        "answer_cyrillic_share": 1.0,
        "answer_foreign_share": 0.0,
    }
    assert observations(completion_fidelity(Completion("42", reasoning=""))) == {}


def test_all_turns_are_measured() -> None:
    record = completion_fidelity(Completion("two", turns=("один", "two")))
    assert record["answer"]["letters"] == 7


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_no_notation_hides_a_language_and_none_is_one(seed: int) -> None:
    forms = language_forms(seed, 200 if seed == 1 else 5_000)
    assert not [form for form in forms if fidelity(form.text).language != form.language]
