"""Answers with thoughts in every dress that models and chat templates give them, composed from parts by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think")
PAIRS = (
    *((f"<{name}>", f"</{name}>") for name in NAMES),
    ("[THINK]", "[/THINK]"),
    ("[thinking]", "[/thinking]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|start_of_thinking|>", "<|end_of_thinking|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|think|>", "<|/think|>"),
    ("<｜think｜>", "<｜/think｜>"),
    ("<think_begin>", "<think_end>"),
    ('<think duration="3">', "</think>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
"""Opening and closing marks as published templates write them."""

_ANSWERS = ("Готово без запятых.", "Ответ: 5", "да", "```python\nprint(1)\n```", "1. раз\n2. два", '"Ответ"', "{}")
_THOUGHTS = (
    "надо коротко, хм", "\nПользователь просит 5.\nОтвет: 7\n", "", "«да» или «нет»", "попробую ```python\nx = 1",
    "x < 3 и y > 4", "он сказал: \"да\"", "a `b c", "$x$ — 3", "- раз\n- два",
)  # fmt: skip
_LEADS = (
    "", "\n", "  ", "<|im_start|>assistant\n", "assistant\n", "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<start_of_turn>model\n",
)  # fmt: skip
_WORDS_BEFORE = ("Хорошо, подумаю.\n", "Сейчас решу!\n\n", "Рассуждение:\n", "Конечно. ", "Sure, let me think.\n")
_TALK = (
    "Тег {open} пишут так: {open}…{close}.",
    "Модель кладёт мысль между `{open}` и `{close}`.",
    "Мысль начинается с «{open}» и кончается «{close}».",
    'Напишите "{open}", затем "{close}", затем ответ.',
    "Вот пример:\n\n```\n{open}хм{close}\nОтвет: 5\n```\n\nТак и пишите.",
    "Пишите {open}мысль{close} перед ответом.",
    "Шаблон: «{open}мысль{close}ответ».",
    "Вывод `{open}хм{close}да` верен.",
    "~~~xml\n{open}\nхм\n{close}\n~~~",
    "Put your reasoning between {open} and {close} tags.",
    "Закрывает мысль тег {close} в конце.",
)


@dataclass(frozen=True, slots=True)
class ThoughtForm:
    """A text as a model wrote it, and the answer in it."""

    kind: str
    text: str
    answer: str


def thought_forms(seed: int, count: int) -> Iterator[ThoughtForm]:
    """Yield ``count`` forms; the same ones for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        yield _form(dice)


def _form(dice: random.Random) -> ThoughtForm:
    opens, closes = _cased(dice, *dice.choice(PAIRS))
    thought, answer, lead = dice.choice(_THOUGHTS), dice.choice(_ANSWERS), dice.choice(_LEADS)
    gap = dice.choice(("", "\n", "\n\n", " "))
    kind = dice.choice(
        ("plain", "plain", "words-before", "unclosed", "closing-only", "twice", "nested", "talk", "talk-after")
    )
    if kind in ("closing-only", "twice", "nested", "talk", "talk-after") and "channel" in opens.lower():
        kind = "plain"
    match kind:
        case "plain":
            return ThoughtForm(kind, f"{lead}{opens}{thought}{closes}{gap}{answer}", answer)
        case "words-before":
            words = dice.choice(_WORDS_BEFORE)
            return ThoughtForm(kind, f"{words}{opens}{thought}{closes}\n{answer}", f"{words}\n{answer}")
        case "unclosed":
            return ThoughtForm(kind, f"{lead}{opens}{thought}", "")
        case "closing-only":
            return ThoughtForm(kind, f"{thought}{closes}{gap}{answer}", answer)
        case "twice":
            first = "Сначала раз."
            text = f"{lead}{opens}{thought}{closes}{gap}{first}\n{opens}{thought}{closes}\n{answer}"
            return ThoughtForm(kind, text, f"{first}\n{answer}")
        case "nested":
            return ThoughtForm(kind, f"{lead}{opens}а {opens}{thought}{closes} б{closes}{gap}{answer}", answer)
        case "talk":
            said = dice.choice(_TALK).format(open=opens, close=closes)
            return ThoughtForm(kind, said, said)
        case _:
            # With one back-tick in the thought, nobody can tell which of two pairs encloses what.
            thought = thought.replace("a `b c", "a b c")
            said = dice.choice(_TALK).format(open=opens, close=closes)
            return ThoughtForm(kind, f"{lead}{opens}{thought}{closes}{gap}{said}", said)


def _cased(dice: random.Random, opens: str, closes: str) -> tuple[str, str]:
    how = dice.choice((str, str, str.upper, str.lower, str.title))
    return how(opens), how(closes)
