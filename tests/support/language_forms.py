"""Answers whose language is known, with formulas, code, addresses and symbols among or around their words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_TEXTS = {
    "ru": (
        "Сначала найдём скорость поезда, а затем вычислим время в пути до станции.",
        "Сумма углов треугольника равна ста восьмидесяти градусам, поэтому третий угол прямой.",
        "Мы вышли из дома рано утром и к обеду уже были у моря.",
    ),
    "en": (
        "First we find the speed of the train and then compute the time to the station.",
        "The sum of the angles in a triangle is known, so the third angle must be right.",
        "We left the house early in the morning and reached the sea before lunch.",
    ),
    "zh": (
        "我们首先求出火车的速度，然后计算到达车站所需要的时间，最后检查所得的结果是否正确，并且写出完整的答案。",
        "三角形的内角和等于一百八十度，所以第三个角一定是直角，这样就可以继续计算三角形的面积和周长了。",
    ),
}
_FORMULAS = (
    "$\\frac{velocity}{time}+\\sqrt{alpha}$", "$$\\sum_{i=1}^{n} value_i = total$$", "\\(\\sin velocity\\)",
    "\\[\\int_0^1 f(x)\\,dx = F(1)-F(0)\\]", "\\begin{align*} speed &= distance/time \\end{align*}",
    "x = 5, y = 3x - b",
    "𝑣 = 𝑠/𝑡", "$v_{\\text{max}} = 3$", "∑ₙ aₙ ≥ ∞", "$ab + bc + ca$",
)  # fmt: skip
_CODE = (
    "```python\nfor item in values:\n    total += item  # add it\nprint(total)\n```", "`numpy.linalg.norm(values)`",
    "```\nselect name from users;\n```", "~~~sh\ngit commit -m message\n~~~",
)  # fmt: skip
_OTHER = (
    "https://example.com/long/path/to/some/page?query=value", "someone.else@mail.example.com", "🙂🚀🎉", "→ ★ ✓ ∎",
    "www.example.com/docs", "42 %", "®™",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LanguageForm:
    """A text, and the language of its words (None where it has none)."""

    kind: str
    text: str
    language: str | None


def language_forms(seed: int, count: int) -> Iterator[LanguageForm]:
    """Yield ``count`` forms; the same ones for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        yield _form(dice)


def _form(dice: random.Random) -> LanguageForm:
    kind = dice.choice(("among", "alone", "in-formula", "in-code", "dressed", "spelled"))
    language = dice.choice(list(_TEXTS)) if kind == "among" else dice.choice(("en", "zh"))
    words = dice.choice(_TEXTS[language])
    extra = [dice.choice(dice.choice((_FORMULAS, _CODE, _OTHER))) for _ in range(dice.randint(1, 12))]
    match kind:
        case "among":
            parts = [*extra, words]
            dice.shuffle(parts)
            return LanguageForm(kind, "\n".join(parts), language)
        case "alone":
            return LanguageForm(kind, "\n".join(extra), None)
        case "in-formula":
            opens, closes = dice.choice(
                (("$", "$"), ("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]"), ("$\\text{", "}$"),
                 ("\\[\\mathrm{", "}\\]"),
                 ("\\begin{align}", "\\end{align}"), ("\\begin{gather}\\text{", "}\\end{gather}"))
            )  # fmt: skip
            said = dice.choice((words, words.replace(" ", "\\ "), words.replace(" ", "~")))
            return LanguageForm(kind, f"{opens}{said}{closes}\n" + "\n".join(extra), language)
        case "in-code":
            opens, closes = dice.choice(
                (("```\n", "\n```"), ("```text\n", "\n```"), ("`", "`"), ("```python\n", "\n```"))
            )
            return LanguageForm(kind, f"{opens}{words}{closes}", language)
        case "dressed":
            return LanguageForm(kind, _dressed(dice, _TEXTS["en"][dice.randrange(3)]), "en")
        case _:
            between = dice.choice((" ", "🙂", " 🙂 ", "·", "★", "\u200b", "\u2009", "\u0336"))
            text = _TEXTS["en"][dice.randrange(3)]
            return LanguageForm(kind, "  ".join(between.join(word) for word in text.split()), "en")


def _dressed(dice: random.Random, text: str) -> str:
    """Return a text in letters that look like Latin ones and lie elsewhere in Unicode."""
    capital, small = dice.choice(((0x1D400, 0x1D41A), (0xFF21, 0xFF41), (0x24B6, 0x24D0), (0x1D5D4, 0x1D5EE)))
    return "".join(
        chr(ord(char) - 65 + capital) if "A" <= char <= "Z" else
        chr(ord(char) - 97 + small) if "a" <= char <= "z" else char
        for char in text
    )  # fmt: skip
