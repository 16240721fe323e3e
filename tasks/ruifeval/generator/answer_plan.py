"""What an answer must be like so that it follows, or just fails, each instruction of a prompt.

Every instruction leaves its mark on one `Plan`; where it asks for a count, the mark is the count on the near or
the far side of its bound. `answers` then writes a text by the plan.
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
    """Mark the plan so that the answer follows the instruction, or else misses it as narrowly as possible."""
    _SHAPES[instruction_id](plan, follow, **kwargs)


def _target(bound: int, relation: str, follow: bool) -> int:
    """Return the count nearest to the bound on the wanted side."""
    return bound - 1 if follow == (relation == LESS_THAN) else bound


def _capital_words(plan: Plan, follow: bool, *, capital_frequency: int, capital_relation: str) -> None:
    plan.capital_words = _target(capital_frequency, capital_relation, follow)


def _capitals(plan: Plan, follow: bool) -> None:
    plan.case, plan.stray_letter = "capital", not follow


def _lowercase(plan: Plan, follow: bool) -> None:
    plan.case, plan.stray_letter = "small", not follow


def _repeat(plan: Plan, follow: bool, *, prompt_to_repeat: str) -> None:
    plan.opening = prompt_to_repeat if follow else prompt_to_repeat[:-1]


def _two_responses(plan: Plan, follow: bool) -> None:
    plan.prefixes, plan.divider = [""] * (2 if follow else 3), "\n******\n"


def _placeholders(plan: Plan, follow: bool, *, num_placeholders: int) -> None:
    plan.pieces += ["[имя]"] * (num_placeholders if follow else num_placeholders - 1)


def _postscript(plan: Plan, follow: bool, *, postscript_marker: str) -> None:
    plan.postscript = postscript_marker if follow else re.sub(r"\W", "", postscript_marker)


def _constrained(plan: Plan, follow: bool) -> None:
    option = OPTIONS[len(plan.prompt) % len(OPTIONS)]
    plan.lead = option if follow else option.replace("—", "-")


def _json(plan: Plan, follow: bool) -> None:
    plan.json = True
    plan.wrap = str if follow else lambda text: text[:-1]


def _sections(plan: Plan, follow: bool, *, section_spliter: str, num_sections: int) -> None:
    count = num_sections if follow else num_sections - 1
    plan.prefixes = [f"{section_spliter} {number}\n" for number in range(1, count + 1)] or [""]


def _bullets(plan: Plan, follow: bool, *, num_bullets: int) -> None:
    mark = "- " if _DASH_ASKED_FOR.search(plan.prompt) else "* "
    plan.prefixes = [mark] * (num_bullets if follow else num_bullets + 1)


def _highlights(plan: Plan, follow: bool, *, num_highlights: int) -> None:
    plan.words_of_own = num_highlights if follow else num_highlights - 1


def _title(plan: Plan, follow: bool) -> None:
    plan.title = ("<<", ">>") if follow else ("<", ">")


def _existence(plan: Plan, follow: bool, *, keywords: list[str]) -> None:
    plan.pieces += keywords if follow else keywords[:-1]
    plan.unwanted += keywords


def _forbidden(plan: Plan, follow: bool, *, forbidden_words: list[str]) -> None:
    plan.pieces += [] if follow else forbidden_words[:1]
    plan.unwanted += forbidden_words


def _frequency(plan: Plan, follow: bool, *, keyword: str, frequency: int, relation: str) -> None:
    plan.pieces += [keyword] * _target(frequency, relation, follow)
    plan.unwanted.append(keyword)


def _letters(plan: Plan, follow: bool, *, letter: str, let_frequency: int, let_relation: str) -> None:
    plan.letter = letter.lower(), _target(let_frequency, let_relation, follow)


def _language(plan: Plan, follow: bool, *, language: str) -> None:
    other = "en" if language == "ru" else "ru"
    plan.language = language if follow else other


def _nth_paragraph(plan: Plan, follow: bool, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> None:
    plan.prefixes, plan.divider = [""] * num_paragraphs, "\n\n"
    plan.unwanted.append(first_word)
    if follow:
        plan.prefixes[nth_paragraph - 1] = first_word.capitalize() + " "


def _paragraphs(plan: Plan, follow: bool, *, num_paragraphs: int) -> None:
    plan.prefixes, plan.divider = [""] * (num_paragraphs if follow else num_paragraphs + 1), "\n***\n"


def _sentences(plan: Plan, follow: bool, *, num_sentences: int, relation: str) -> None:
    plan.sentences = _target(num_sentences, relation, follow)


def _words(plan: Plan, follow: bool, *, num_words: int, relation: str) -> None:
    plan.words = _target(num_words, relation, follow)


def _no_comma(plan: Plan, follow: bool) -> None:
    plan.comma = not follow


def _end(plan: Plan, follow: bool, *, end_phrase: str) -> None:
    plan.ending = end_phrase if follow else end_phrase[:-1]


def _quotation(plan: Plan, follow: bool) -> None:
    plan.wrap = (lambda text: f'"{text}"') if follow else (lambda text: f'"{text}')


_SHAPES: Final[Mapping[str, Callable[..., None]]] = {
    types.CAPITAL_WORDS: _capital_words,
    types.CAPITALS: _capitals,
    types.LOWERCASE: _lowercase,
    types.REPEAT: _repeat,
    types.TWO_RESPONSES: _two_responses,
    types.PLACEHOLDERS: _placeholders,
    types.POSTSCRIPT: _postscript,
    types.CONSTRAINED: _constrained,
    types.JSON: _json,
    types.SECTIONS: _sections,
    types.BULLETS: _bullets,
    types.HIGHLIGHTS: _highlights,
    types.TITLE: _title,
    types.EXISTENCE: _existence,
    types.FORBIDDEN: _forbidden,
    types.FREQUENCY: _frequency,
    types.LETTERS: _letters,
    types.LANGUAGE: _language,
    types.NTH_PARAGRAPH: _nth_paragraph,
    types.PARAGRAPHS: _paragraphs,
    types.SENTENCES: _sentences,
    types.WORDS: _words,
    types.NO_COMMA: _no_comma,
    types.END: _end,
    types.QUOTATION: _quotation,
}
