"""Plans of answers that follow, or narrowly fail, each instruction of a prompt.

Every instruction sets fields of one `Plan`; for a required count, the count just on the passing or on the failing
side of the bound. `answers` then writes a text by the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..result import LESS_THAN
from ..rules.detectable_format import OPTIONS
from . import compatibility as types

_DASH_ASKED_FOR: Final = re.compile("«-»|дефис")


@dataclass(slots=True)
class Plan:
    """The shape of an answer. A count of ``None`` leaves it open."""

    prompt: str
    language: str = "ru"
    lead: str = ""
    """What the first sentence begins with."""
    pieces: list[str] = field(default_factory=list)
    """Words and marks that occur once each."""
    words_of_own: int = 0
    """How many more pieces are a word in the answer's language, highlighted."""
    unwanted: list[str] = field(default_factory=list)
    """Words that no other part of the text may contain, in any form."""
    prefixes: list[str] = field(default_factory=lambda: [""])
    """What each block begins with; there are as many blocks."""
    divider: str = "\n"
    sentences: int | None = None
    words: int | None = None
    capital_words: int | None = None
    letter: tuple[str, int] | None = None
    case: Literal["any", "capital", "small"] = "any"
    stray_letter: bool = False
    """Whether the last letter is in the wrong case."""
    comma: bool = False
    opening: str = ""
    title: tuple[str, str] | None = None
    """The brackets of the title."""
    postscript: str = ""
    ending: str = ""
    wrap: Callable[[str], str] = str
    """Makes the answer of its text, in quotes or in JSON."""
    json: bool = False


def shape(plan: Plan, instruction_id: str, kwargs: Mapping[str, Any], *, follow: bool) -> None:
    """Set the plan's fields so that the answer follows the instruction, or fails it as narrowly as possible."""
    off = 0 if follow else 1  # by how much a count misses
    match instruction_id:
        case types.CAPITAL_WORDS:
            plan.capital_words = _target(kwargs["capital_frequency"], kwargs["capital_relation"], follow)
        case types.CAPITALS | types.LOWERCASE:
            plan.case = "capital" if instruction_id == types.CAPITALS else "small"
            plan.stray_letter = not follow
        case types.PLACEHOLDERS:
            plan.pieces += ["[имя]"] * (kwargs["num_placeholders"] - off)
        case types.CONSTRAINED:
            option = OPTIONS[len(plan.prompt) % len(OPTIONS)]
            plan.lead = option if follow else option.replace("—", "-")
        case types.HIGHLIGHTS:
            plan.words_of_own = kwargs["num_highlights"] - off
        case types.EXISTENCE:
            plan.pieces += kwargs["keywords"] if follow else kwargs["keywords"][:-1]
            plan.unwanted += kwargs["keywords"]
        case types.FORBIDDEN:
            plan.pieces += kwargs["forbidden_words"][:off]
            plan.unwanted += kwargs["forbidden_words"]
        case types.FREQUENCY:
            plan.pieces += [kwargs["keyword"]] * _target(kwargs["frequency"], kwargs["relation"], follow)
            plan.unwanted.append(kwargs["keyword"])
        case types.LETTERS:
            wanted = _target(kwargs["let_frequency"], kwargs["let_relation"], follow)
            plan.letter = kwargs["letter"].lower(), wanted
        case types.LANGUAGE:
            other = "en" if kwargs["language"] == "ru" else "ru"
            plan.language = kwargs["language"] if follow else other
        case types.SENTENCES:
            plan.sentences = _target(kwargs["num_sentences"], kwargs["relation"], follow)
        case types.WORDS:
            plan.words = _target(kwargs["num_words"], kwargs["relation"], follow)
        case types.NO_COMMA:
            plan.comma = not follow
        case _:
            _shape_layout(plan, instruction_id, kwargs, follow)


def _shape_layout(plan: Plan, instruction_id: str, kwargs: Mapping[str, Any], follow: bool) -> None:
    """Do the same for instructions about the layout, the beginning and the end of the answer."""
    off = 0 if follow else 1
    match instruction_id:
        case types.REPEAT:
            plan.opening = _cut(kwargs["prompt_to_repeat"], off)
        case types.TWO_RESPONSES:
            plan.prefixes, plan.divider = [""] * (2 + off), "\n******\n"
        case types.POSTSCRIPT:
            marker = kwargs["postscript_marker"]
            plan.postscript = marker if follow else re.sub(r"\W", "", marker)
        case types.JSON:
            plan.json = True
            plan.wrap = str if follow else lambda text: text[:-1]
        case types.SECTIONS:
            numbers = range(1, kwargs["num_sections"] - off + 1)
            plan.prefixes = [f"{kwargs['section_spliter']} {number}\n" for number in numbers] or [""]
        case types.BULLETS:
            mark = "- " if _DASH_ASKED_FOR.search(plan.prompt) else "* "
            plan.prefixes = [mark] * (kwargs["num_bullets"] + off)
        case types.TITLE:
            plan.title = ("<<", ">>") if follow else ("<", ">")
        case types.NTH_PARAGRAPH:
            plan.prefixes, plan.divider = [""] * kwargs["num_paragraphs"], "\n\n"
            plan.unwanted.append(kwargs["first_word"])
            if follow:
                plan.prefixes[kwargs["nth_paragraph"] - 1] = kwargs["first_word"].capitalize() + " "
        case types.PARAGRAPHS:
            plan.prefixes, plan.divider = [""] * (kwargs["num_paragraphs"] + off), "\n***\n"
        case types.END:
            plan.ending = _cut(kwargs["end_phrase"], off)
        case types.QUOTATION:
            plan.wrap = (lambda text: f'"{text}"') if follow else (lambda text: f'"{text}')
        case _:
            raise KeyError(instruction_id)


def _target(bound: int, relation: str, follow: bool) -> int:
    """Return the count nearest to the bound on the wanted side."""
    return bound - 1 if follow == (relation == LESS_THAN) else bound


def _cut(text: str, characters: int) -> str:
    return text[: len(text) - characters]
