"""The checker of the logic puzzles: where the answer is, and that only the whole answer counts."""

from datetime import date

import pytest
from evalkit.tasks.logic.answers import Answer, check_answer, choice, final_answer, integer, items
from evalkit.tasks.logic.families import calendar, knights, weighing
from evalkit.tasks.text.answers import plain
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ответ: 7", "7"),
        ("ОТВЕТ: 7", "7"),
        ("**Ответ:** 7", "7"),
        ("**Ответ**: 7", "7"),
        ("_Ответ: 7", "7"),
        ("Итак, окончательный ответ: 7", "7"),
        ("Правильный ответ — 7", "7"),
        ("Ответ: 5\nПроверка не сошлась.\nОтвет: 7", "7"),
        ("Ответ: $\\boxed{7}$", "7"),
        ("\\boxed{5}\nОтвет: 7", "7"),
        ("Ответ: 5\n\\boxed{7}", "7"),
        ("$\\boxed{\\text{Анна и }{Б}}$", "Анна и Б"),
        ("Ответ:\n7", "7"),
        ("Ответ:\n\n**7**\n\nПояснение.", "**7**"),
        ("Ответ: 7\r\nВот так.", "7"),
        ("Answer: 7", "7"),
        ("### Ответ\n\n7\n\nПроверка.", "7"),
        ("Считаем.\n\n**Итоговый ответ**\n7", "7"),
        ("Это не ответ\n7", ""),
        ("Ответ:", ""),
        ("Безответ: 7", ""),
        ("Ответа: 7", ""),
        ("\\boxed{7", ""),
        ("Семь.", ""),
        ("", ""),
    ],
)
def test_where_the_answer_is(text, found):
    assert final_answer(text) == found


@pytest.mark.parametrize(
    "answered", ["7", "7.", "**7**", "«7»", "+7", "007", " 7 ", "\u200b7\ufeff", "\xa07", "7 г", "7 граммов", "$7$"]
)
def test_right_numbers(answered):
    assert check_answer(integer(7, units=["г", "граммов"]), f"Ответ: {answered}").right


@pytest.mark.parametrize(
    "answered",
    ["17", "70", "7,0", "7.5", "-7", "7 или 8", "7 и 7", "7 кг", "x=7", "семьдесят", "7/1", "7 8", "VII", "٧٧"],
)
def test_wrong_numbers(answered):
    assert not check_answer(integer(7, units=["г", "граммов"]), f"Ответ: {answered}").right


def test_large_and_negative_numbers():
    assert check_answer(integer(-1065), "Ответ: −1065").right
    assert check_answer(integer(12345), "Ответ: 12 345").right
    assert check_answer(integer(12345), "Ответ: 12\xa0345").right
    assert not check_answer(integer(12345), "Ответ: 123 45").right
    assert check_answer(integer(0), "Ответ: -0").right


@pytest.mark.parametrize(
    "answered",
    [
        "Артём, Зоя, Юрий",
        "артем, зоя, юрий.",
        "Артём → Зоя → Юрий",
        "Артём — Зоя — Юрий",
        "1. Артём 2. Зоя 3. Юрий",
        "\n1) Артём\n2) Зоя\n3) Юрий",
        "«Артём», «Зоя» и «Юрий»",
        "**Артём**, **Зоя**, **Юрий**",
        "Артём Зоя Юрий",
    ],
)
def test_right_sequences(answered):
    assert check_answer(items("sequence", ["Артём", "Зоя", "Юрий"]), f"Ответ: {answered}").right


@pytest.mark.parametrize(
    "answered",
    [
        "Зоя, Артём, Юрий",
        "Артём, Зоя",
        "Артём, Зоя, Юрий, Кира",
        "Артём, Зоя, Юрий, Юрий",
        "Юрий ← Зоя ← Артём",
        "не Артём, Зоя, Юрий",
        "2. Артём 1. Зоя 3. Юрий",
        "Артём/Зоя/Юрий",
        "Артём, Зоя или Юрий",
        "АртёмЗояЮрий",
    ],
)
def test_wrong_sequences(answered):
    assert not check_answer(items("sequence", ["Артём", "Зоя", "Юрий"]), f"Ответ: {answered}").right


@pytest.mark.parametrize(
    "answered", ["1, 3", "3, 1", "1,3", "1 и 3", "№1 и №3", "1; 3.", "1 3", "(1, 3)", "выводы 1, 3"]
)
def test_right_sets(answered):
    assert check_answer(items("set", ["1", "3"], ignored=["выводы"]), f"Ответ: {answered}").right


@pytest.mark.parametrize(
    "answered", ["1", "13", "1-3", "1–3", "1.3", "1, 2, 3", "1, 3, 3", "1/3", "1 или 3", "11, 3"]
)
def test_wrong_sets(answered):
    assert not check_answer(items("set", ["1", "3"], ignored=["выводы"]), f"Ответ: {answered}").right


def test_coins():
    answer = weighing.answer(weighing.Coins(12, (-1, 1), ()), (5, -1))
    for answered in ("5, легче", "Монета 5 легче", "легче, № 5", "5 (легче)", "5 — лёгкая", "№5 легче остальных"):
        assert check_answer(answer, f"Ответ: {answered}").right, answered
    for answered in ("5", "легче", "5, тяжелее", "15, легче", "5, легче или тяжелее", "5, не легче"):
        assert not check_answer(answer, f"Ответ: {answered}").right, answered


def test_nobody():
    facts = knights.Facts(("Артём", "Зоя"), (("count", 1), ("count", 2)))
    answer = knights.answer(facts, (False, False))
    for answered in ("никто", "Никто.", "нет", "рыцарей нет", "Эльфов здесь нет", "нет рыцарей"):
        assert check_answer(answer, f"Ответ: {answered}").right, answered
    for answered in ("никто, кроме Зои", "Зоя", "нет, Зоя", "рыцари"):
        assert not check_answer(answer, f"Ответ: {answered}").right, answered


def test_choices():
    answer = choice("двоюродный брат", aliases=["кузен"])
    assert check_answer(answer, "Ответ: Двоюродный  брат.").right
    assert check_answer(answer, "Ответ: кузен").right
    for answered in ("брат", "двоюродный", "двоюродный брат или дядя", "троюродный брат", "двоюродный брат отца"):
        assert not check_answer(answer, f"Ответ: {answered}").right


def test_grids():
    answer = Answer("grid", ("12", "21"))
    for answered in (
        "12 21",
        "1 2 2 1",
        "12\n21",
        "\n1 2\n2 1",
        "\n```\n12\n21\n```",
        "12, 21",
        "|1|2|\n|-|-|\n|2|1|",
    ):
        assert check_answer(answer, f"Ответ: {answered}").right, answered
    for answered in ("12 12", "12 2", "12 21 1", "x12 21", "21 12"):
        assert not check_answer(answer, f"Ответ: {answered}").right, answered


def test_dates_in_figures():
    answer = calendar.answer(calendar.Facts("date", date(2071, 6, 1), 4), date(2071, 6, 5))
    for answered in ("5 июня", "05.06", "5.6.2071", "5 Июня 2071 года", "2071-06-05"):
        assert check_answer(answer, f"Ответ: {answered}").right, answered
    for answered in ("15 июня", "5 июля", "6.5", "5 июня или 6 июня", "5"):
        assert not check_answer(answer, f"Ответ: {answered}").right, answered


@given(st.text(max_size=300), st.sampled_from(["", "Ответ: ", "\\boxed{"]))
def test_any_text_has_a_verdict(text, lead):
    for answer in (
        integer(7),
        choice("нет"),
        items("set", ["1"]),
        items("sequence", ["А"]),
        Answer("grid", ("12",)),
    ):
        assert isinstance(check_answer(answer, lead + text).right, bool)
    assert plain(plain(text)) == plain(text) or not text.isprintable()


@pytest.mark.parametrize(
    "piece", ["Ответ: ", "Ответ \t* ", "\\boxed{", "{", "\\text{", "1 ", "\n", "Ответ:\n", "«", "и, ", "\\"]
)
def test_a_megabyte_is_no_trouble(piece):
    text = "Ответ: " + piece * (1_000_000 // len(piece))
    for answer in (integer(7), items("set", ["1", "3"]), Answer("grid", ("12", "21"))):
        assert not check_answer(answer, text).right
