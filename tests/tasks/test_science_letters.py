"""Which option an answer names: forms, alphabets, and answers that name several or none."""

import pytest
from evalkit.tasks.science.letters import CYRILLIC, LATIN, extract, letter_index
from evalkit.tasks.types import Status
from hypothesis import given
from hypothesis import strategies as st

OPTIONS = ["в ядре", "в рибосоме", "в митохондрии", "в лизосоме"]
RU, EN = CYRILLIC[:4], LATIN[:4]


def read(text, labels=RU, options=OPTIONS):
    found = extract(text, options, labels)
    return found.index, found.status.value


# Every form names the second option.
FORMS = [
    "Ответ: Б",
    "Ответ: Б.",
    "ответ: б",
    "ОТВЕТ:Б",
    "Ответ:\nБ",
    "Ответ:\n\n**Б**",
    "**Ответ:** Б",
    "**Ответ: Б**",
    "**Ответ**: Б",
    "*Ответ:* *Б*",
    "### Ответ: Б)",
    "Ответ: (Б)",
    "Ответ: [Б]",
    "Ответ: «Б»",
    "Ответ: <Б>",
    "### Ответ\n\nБ) в рибосоме\n\nПояснение: белок собирают рибосомы.",
    "**Ответ**\nБ",
    "Ответ: `Б`",
    "Ответ: Б) в рибосоме",
    "Ответ: Б — в рибосоме.",
    "Ответ: Б (в рибосоме)",
    "Ответ: **Б) в рибосоме**",
    "Ответ: в рибосоме",
    "Ответ: В рибосоме.",
    "Ответ: вариант Б",
    "Ответ: под буквой Б",
    "Ответ: буква «Б»",
    "Ответ — Б",
    "Ответ - Б",
    "Правильный ответ — Б.",
    "Правильный ответ: Б",
    "Правильный ответ Б.",
    "Верный вариант: Б",
    "Верный вариант – Б, так как белок синтезируют рибосомы.",
    "Верным вариантом является Б",
    "Ответом является вариант Б.",
    "Правильным ответом будет Б",
    "Итак, я выбираю Б.",
    "Выбираю вариант Б.",
    "Ответ: Б, а не В.",
    "Ответ: Б (В ядре рибосомы только собирают)",
    "Ответ: Б, и в этом нет сомнений",
    "Ответ: Б. В ядре белок не синтезируется.",
    "Ответ: Б, потому что в ядре и в лизосоме этого нет",
    "Ответ: думаю, Б",
    "Ответ: А\nПроверю ещё раз.\nОтвет: Б",
    "Неверный ответ: А\nОтвет: Б\nНеверный ответ: Г",
    "The answer is B",
    "The answer is (B).",
    "The correct answer is: B",
    "Answer: B",
    "Final answer: **B**",
    "Correct option: B",
    "I choose B.",
    "$\\boxed{B}$",
    "\\boxed{Б}",
    "\\boxed{\\text{Б}}",
    "Поэтому $\\boxed{\\text{Б) в рибосоме}}$.",
    "Ответ: $\\boxed{Б}$",
    "Ответ: \\(\\text{B}\\)",
    '{"answer": "Б"}',
    '{"ответ": "B", "пояснение": "белок"}',
    '```json\n{\n  "answer": "Б"\n}\n```',
    "<answer>Б</answer>\nОтвет: Б",
]

LENIENT = [
    "Б",
    "б",
    "Б.",
    "Б)",
    "**Б)**",
    "(B)",
    "B",
    "«Б»",
    "Вариант Б",
    "Ответ Б",
    "Б) в рибосоме",
    "Б. В рибосоме.",
    "в рибосоме",
    "В рибосоме.",
    "Белок собирают рибосомы.\n\nБ",
    "Белок собирают рибосомы.\n**Б) в рибосоме**",
    "А) в ядре\nБ) в рибосоме\nВ) в митохондрии\nГ) в лизосоме\n\nБ",
    "Б) Рибосомы собирают белок по матрице.",
    "B. Ribosomes do it.\nThey read the RNA.",
]


@pytest.mark.parametrize("text", FORMS)
def test_forms(text):
    assert read(text) == (1, "ok")


@pytest.mark.parametrize("text", LENIENT)
def test_forms_without_a_marker(text):
    assert read(text) == (1, "ok_lenient")


def test_there_are_forty_forms():
    assert len(set(FORMS)) >= 40


@pytest.mark.parametrize("text", FORMS)
def test_forms_after_reasoning_in_another_sense(text):
    before = "Рассмотрим А. Это не ответ. Вариант В неверен: А и Г тоже.\n\n"
    assert read(before + text) == (1, "ok")


@pytest.mark.parametrize(
    "text",
    [
        "Ответ: А или Б",
        "Ответ: А, Б",
        "Ответ: А и Б",
        "Ответ: А/Б",
        "Ответ: Б или В",
        "Ответ: б, в",
        "Ответ: Б) или В)",
        "Ответ: (Б) и (В)",
        "Ответ: Б В",
        "Ответ: либо Б, либо В",
        "Ответ: Б (или В)",
        "Ответ: Б, а возможно, В",
        "Ответ: Б, но может быть и Г",
        "Ответ: Б, А или В",
        "Answer: B, or maybe D",
        "Ответ: не А",
        "Ответ: Б) в ядре",
        "Ответ: все, кроме Г",
        "The answer is A or B",
        "The answer is not B.",
        "\\boxed{A, B}",
        '{"answer": "A or B"}',
        "А) в ядре\nБ) в рибосоме\nВ) в митохондрии\nГ) в лизосоме",
        "А\nБ\nВ\nГ",
        "А) Здесь ДНК.\nБ) Здесь белок.",
    ],
)
def test_several_options_are_ambiguous(text):
    assert read(text) == (None, "ambiguous")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "Не знаю.",
        "Ответ:",
        "Ответ: не знаю",
        "Ответ: в клетке",
        "Ответ: В клетках печени",
        "Ответ: А именно так",
        "Ответ: 42",
        "Ответ: Ж",
        "Ответ: БВ",
        "Ответ: рибосома",
        "А я думаю иначе",
        "В ядре этого нет, и в лизосоме тоже.",
        "А. С. Пушкин об этом не писал.",
        "Безответ: Б",
        "Неправильный ответ: Б",
    ],
)
def test_no_option_is_missing(text):
    assert read(text) == (None, "missing")


@pytest.mark.parametrize(
    ("typed", "cyrillic", "latin"),
    [
        # Cyrillic
        ("А", 0, 0),
        ("Б", 1, 1),
        ("В", 2, 1),
        ("Г", 3, 3),
        ("С", 2, 2),
        ("в", 2, 1),
        ("Д", None, None),
        # Latin
        ("A", 0, 0),
        ("B", 1, 1),
        ("C", 2, 2),
        ("D", 3, 3),
        ("c", 2, 2),
        ("E", None, None),
        ("Z", None, None),
        ("Ω", None, None),
    ],
)
def test_the_labels_of_the_question_decide(typed, cyrillic, latin):
    assert letter_index(typed, RU) == cyrillic
    assert letter_index(typed, EN) == latin


@pytest.mark.parametrize("labels", [RU, EN])
def test_every_label_names_its_own_option(labels):
    for place, label in enumerate(labels):
        for text in (
            f"Ответ: {label}",
            f"Ответ: {label.lower()}",
            f"{label}) {OPTIONS[place]}",
            f"\\boxed{{{label}}}",
        ):
            assert read(text, labels)[0] == place, text


def test_ten_options():
    options = [f"вариант номер {n}" for n in range(10)]
    for place, label in enumerate(LATIN):
        assert read(f"Ответ: {label}", LATIN, options) == (place, "ok")
    for place, label in enumerate(CYRILLIC):
        assert read(f"Ответ: {label}", CYRILLIC, options) == (place, "ok")


def test_options_that_are_numbers_formulas_or_letters():
    assert read("Ответ: 2", EN, ["1", "2", "3", "4"]) == (1, "ok")
    assert read("Ответ: B", EN, ["B", "A", "D", "C"]) == (1, "ok")
    assert read("Ответ: O(n)", EN, ["O(1)", "O(n)", "O(n²)", "O(log n)"]) == (1, "ok")
    assert read("\\boxed{x + 1}", EN, ["$x$", "$x + 1$", "$2x$", "$x^2$"]) == (1, "ok")
    assert read("Ответ: −6 °C", EN, ["6 °C", "-6 °C", "7 °C", "13 °C"]) == (1, "ok")
    assert read("Ответ: 12", EN, ["1", "2", "3", "4"]) == (None, "missing")
    assert read("Ответ: то же", EN, ["то же", "то же", "иное", "нет"]) == (None, "missing")


@given(st.text(max_size=200), st.sampled_from(["", "Ответ: ", "\\boxed{", '{"answer": ', "А) "]))
def test_any_text_has_a_verdict(text, lead):
    found = extract(lead + text, OPTIONS, RU)
    assert (found.index is None) == (found.status in (Status.AMBIGUOUS, Status.MISSING))


@pytest.mark.parametrize(
    "piece",
    [
        "Ответ: ",
        "Ответ *",
        "\\boxed{",
        "{",
        '"answer": ',
        "Б ",
        "Б\n",
        "\n",
        "верный вариант ",
        "вариант ",
        "(",
        "*",
        "А",
    ],
)
def test_a_megabyte_is_no_trouble(piece):
    text = piece * (1_000_000 // len(piece))
    assert extract(text, OPTIONS, RU).status in Status
