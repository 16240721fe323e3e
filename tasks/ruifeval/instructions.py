"""The 25 instructions of ruIFEval, and the one way to check them.

The rule of ``group:name`` is the function ``name`` in the module ``group.py`` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from .fixes import NO_FIXES, Fixes
from .result import RELATIONS, RuleResult
from .rules import (
    change_case,
    combination,
    detectable_content,
    detectable_format,
    keywords,
    language,
    length_constraints,
    punctuation,
    startend,
)
from .text import Text

__all__ = ["INSTRUCTIONS", "Instruction", "Kind", "Parameter", "RuleResult", "check"]


class Kind(StrEnum):
    """What a parameter of an instruction must be."""

    COUNT = "a whole number, 0 or more"
    POSITION = "a whole number, 1 or more"
    RELATION = "'less than' or 'at least'"
    WORDS = "a list of non-empty strings"
    WORD = "a non-empty string"
    LETTER = "a single character"

    def accepts(self, value: object) -> bool:
        """Whether the value is of this kind."""
        match self:
            case Kind.COUNT | Kind.POSITION:
                return type(value) is int and value >= (self is Kind.POSITION)
            case Kind.RELATION:
                return value in RELATIONS
            case Kind.WORDS:
                return isinstance(value, list | tuple) and bool(value) and all(map(Kind.WORD.accepts, value))
            case Kind.WORD:
                return isinstance(value, str) and bool(value.strip())
            case Kind.LETTER:
                return isinstance(value, str) and len(value) == 1 and not value.isspace()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A keyword argument of an instruction; all are required."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Instruction:
    """One type of instruction: ``rule(text, fixes, **kwargs)`` judges an answer."""

    id: str
    parameters: tuple[Parameter, ...]
    rule: Callable[..., RuleResult]

    @property
    def group(self) -> str:
        """The part of the id before the colon."""
        return self.id.partition(":")[0]


def check(
    instruction_id: str, kwargs: Mapping[str, Any], response: str | Text, fixes: Fixes = NO_FIXES
) -> RuleResult:
    """Judge one answer by one instruction, strictly (the answer as it stands).

    Args:
        instruction_id: one of `INSTRUCTIONS`.
        kwargs: exactly the instruction's parameters.
        response: the answer; pass one `Text` to several checks and they share their work on it.
        fixes: the repairs to apply; none for the published rules.

    Returns:
        The verdict with its reason in Russian. A blank answer follows nothing.

    Raises:
        KeyError: no such instruction.
    """
    text = response if isinstance(response, Text) else Text(response)
    if text.blank:
        return RuleResult(False, "пустой ответ")
    return INSTRUCTIONS[instruction_id].rule(text, fixes, **kwargs)


def _registry(*instructions: tuple[str, Callable[..., RuleResult], dict[str, Kind]]) -> Mapping[str, Instruction]:
    return MappingProxyType(
        {
            id: Instruction(id, tuple(Parameter(name, kind) for name, kind in parameters.items()), rule)
            for id, rule, parameters in instructions
        }
    )


INSTRUCTIONS: Final[Mapping[str, Instruction]] = _registry(
    (
        "change_case:capital_word_frequency",
        change_case.capital_word_frequency,
        {"capital_frequency": Kind.COUNT, "capital_relation": Kind.RELATION},
    ),
    ("change_case:english_capital", change_case.english_capital, {}),
    ("change_case:english_lowercase", change_case.english_lowercase, {}),
    ("combination:repeat_prompt", combination.repeat_prompt, {"prompt_to_repeat": Kind.WORD}),
    ("combination:two_responses", combination.two_responses, {}),
    (
        "detectable_content:number_placeholders",
        detectable_content.number_placeholders,
        {"num_placeholders": Kind.COUNT},
    ),
    ("detectable_content:postscript", detectable_content.postscript, {"postscript_marker": Kind.WORD}),
    ("detectable_format:constrained_response", detectable_format.constrained_response, {}),
    ("detectable_format:json_format", detectable_format.json_format, {}),
    (
        "detectable_format:multiple_sections",
        detectable_format.multiple_sections,
        {"section_spliter": Kind.WORD, "num_sections": Kind.COUNT},
    ),
    ("detectable_format:number_bullet_lists", detectable_format.number_bullet_lists, {"num_bullets": Kind.COUNT}),
    (
        "detectable_format:number_highlighted_sections",
        detectable_format.number_highlighted_sections,
        {"num_highlights": Kind.COUNT},
    ),
    ("detectable_format:title", detectable_format.title, {}),
    ("keywords:existence", keywords.existence, {"keywords": Kind.WORDS}),
    ("keywords:forbidden_words", keywords.forbidden_words, {"forbidden_words": Kind.WORDS}),
    (
        "keywords:frequency",
        keywords.frequency,
        {"keyword": Kind.WORD, "frequency": Kind.COUNT, "relation": Kind.RELATION},
    ),
    (
        "keywords:letter_frequency",
        keywords.letter_frequency,
        {"letter": Kind.LETTER, "let_frequency": Kind.COUNT, "let_relation": Kind.RELATION},
    ),
    ("language:response_language", language.response_language, {"language": Kind.WORD}),
    (
        "length_constraints:nth_paragraph_first_word",
        length_constraints.nth_paragraph_first_word,
        {"num_paragraphs": Kind.POSITION, "nth_paragraph": Kind.POSITION, "first_word": Kind.WORD},
    ),
    ("length_constraints:number_paragraphs", length_constraints.number_paragraphs, {"num_paragraphs": Kind.COUNT}),
    (
        "length_constraints:number_sentences",
        length_constraints.number_sentences,
        {"num_sentences": Kind.COUNT, "relation": Kind.RELATION},
    ),
    (
        "length_constraints:number_words",
        length_constraints.number_words,
        {"num_words": Kind.COUNT, "relation": Kind.RELATION},
    ),
    ("punctuation:no_comma", punctuation.no_comma, {}),
    ("startend:end_checker", startend.end_checker, {"end_phrase": Kind.WORD}),
    ("startend:quotation", startend.quotation, {}),
)
