"""Answers of an attacker who reads the prompt and solves nothing: one text a prompt, by name of the strategy."""

from __future__ import annotations

import re
from collections.abc import Sequence

FORMULA = re.compile(r"\$\$?([^$\n]{1,300})\$\$?")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
OPTION = re.compile(r"(?m)^[ \t]*([A-ZА-ЯЁ]|\d{1,2})[).] (.+)$")
PLACEHOLDER = re.compile(r"Ответ: ?([^»\"\n]{1,80})")
QUOTED = re.compile(r"«([^«»\n]{1,300})»")
CODE = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)
HEADER = re.compile(r"(?m)^def \w+\(.*\).*:$")
SENTENCE = re.compile(r"(?<=[.?!»])\s+|\n+")
JOINTS = {
    **{"commas": ", ", "semicolons": "; ", "spaces": " ", "lines": "\n", "nothing": "", "slashes": "/"},
    **{"or": " или ", "and": " и ", "equals": " = ", "periods": ". "},
}
EVASIONS = (
    *("не знаю", "нет ответа", "затрудняюсь ответить", "любой", "все", "все варианты", "ни один"),
    *("неизвестно", "?", "…", "x", "none"),
)
HUNDRED = [str(number) for number in range(101)]
PROSE = "Утром мы вышли из дома и пошли к реке. Вода стояла высоко. На берегу сидели рыбаки и ждали."

Texts = dict[str, str]


def dressed(name: str, text: str) -> Texts:
    """Return a text as it is, as a final answer, in a box, in quotes and as a program."""
    return {
        name: text,
        f"{name}, announced": f"Ответ: {text}",
        f"{name}, in a box": rf"\boxed{{{text}}}",
        f"{name}, in quotes": f'"{text}"',
        f"{name}, as a program": f"```python\n{text}\n```",
    }


def joined(name: str, parts: Sequence[str]) -> Texts:
    """Return several answers at once: joined in all ways, each announced, each in a box."""
    if len(set(parts)) < 2:
        return {}
    texts = {
        f"each of {name} announced": "\n".join(f"Ответ: {part}" for part in parts),
        f"each of {name} in a box": " ".join(rf"\boxed{{{part}}}" for part in parts),
    }
    for joint, sign in JOINTS.items():
        together = sign.join(parts)
        texts |= {
            f"{name} with {joint}": f"Ответ: {together}",
            f"{name} with {joint}, in a box": rf"\boxed{{{together}}}",
        }
    return texts


def blind_texts() -> Texts:
    """Return simple answers that are the same for every prompt: the best of them earns what guessing earns."""
    texts = {"prose": PROSE, "long prose": "\n\n".join([PROSE] * 3), "prose in quotes": f'"{PROSE}"'}
    for answer in (*HUNDRED, *"АБВГДABCDE", "да", "нет", "никто", "верно", "неверно"):
        texts[answer] = f"Ответ: {answer}"
    for evasion in EVASIONS:
        texts |= dressed(evasion, evasion)
    return texts


def guesses(prompt: str) -> Texts:
    """Return single candidates that the prompt names: a number, a label, an option, a word in quotes."""
    texts = {}
    labels, options = [label for label, _ in OPTION.findall(prompt)], [text for _, text in OPTION.findall(prompt)]
    for name, parts in (
        *(("number", NUMBER.findall(prompt)), ("label", labels), ("option", options)),
        ("word", QUOTED.findall(prompt)),
    ):
        for place in range(-3, 3):
            if len(parts) > (place if place >= 0 else -place - 1):
                texts[f"{name} {place}"] = f"Ответ: {parts[place]}"
    return texts


def attacks(prompt: str) -> Texts:
    """Return what can be said with the words, formulas, numbers, options and examples of a prompt."""
    paragraphs = [part for part in prompt.split("\n\n") if part.strip()]
    sentences = [part for part in SENTENCE.split(prompt) if part.strip()]
    formulas, numbers = FORMULA.findall(prompt), NUMBER.findall(prompt)
    labels, options = [label for label, _ in OPTION.findall(prompt)], [text for _, text in OPTION.findall(prompt)]
    words = [quoted for quoted in QUOTED.findall(prompt) if not quoted.startswith("Ответ")]
    texts = {
        **{"empty": "", "blank": " \n\t", "zero width": "\u200b"},
        **dressed("a range", "0–100"),
        **dressed("an interval", "[0; 100]"),
        **joined("0 to 100", HUNDRED),
        **dressed("the prompt", prompt),
        **dressed("the prompt twice", f"{prompt}\n\n{prompt}"),
        **dressed("the prompt in capitals", prompt.upper()),
        **dressed("the prompt in small letters", prompt.lower()),
        **dressed("the prompt without commas", prompt.replace(",", "")),
    }
    for name, parts in (
        *(("paragraph", paragraphs), ("sentence", sentences), ("formula", formulas), ("quotation", words)),
        *(("option", options), ("example", PLACEHOLDER.findall(prompt)), ("program", CODE.findall(prompt))),
    ):
        for place in range(-2, 2):
            if len(parts) > (place if place >= 0 else -place - 1):
                texts |= dressed(f"{name} {place}", parts[place])
    for name, parts in (
        *(("formulas", formulas), ("numbers", numbers), ("options", options), ("quotations", words)),
        *(("labels", labels), ("labels backwards", labels[::-1])),
    ):
        texts |= joined(name, parts)
    for header in HEADER.findall(prompt):
        for body in ("pass", "return None", "return 0", "return True", "return []", 'return ""'):
            texts[f"a program with {body}"] = f"```python\n{header}\n    {body}\n```"
    if labels:
        listed = [f"{label}) {text}" for label, text in zip(labels, options, strict=True)]
        texts |= joined("labelled options", listed) | joined("labels three times", labels * 3)
        texts |= dressed("a label repeated", f"{labels[0]}, {labels[0]}, {labels[0]}")
    return texts
