"""The registry of the 25 instructions of ruIFEval, and how to check an answer against one.

The rule of ``group:name`` is the function ``name`` in the module ``group.py`` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from .fixes import NO_FIXES, Fix, Fixes
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

__all__ = ["INSTRUCTIONS", "Instruction", "Kind", "RuleResult", "check"]


class Kind(StrEnum):
    """The type of an instruction's parameter."""

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
class Instruction:
    """One type of instruction: ``rule(text, fixes, **kwargs)`` checks an answer. Parameters are all required."""

    id: str
    parameters: Mapping[str, Kind]
    rule: Callable[..., RuleResult]


def check(
    instruction_id: str, kwargs: Mapping[str, Any], response: str | Text, fixes: Fixes = NO_FIXES
) -> RuleResult:
    """Check one answer against one instruction, strictly (the answer unchanged).

    Args:
        instruction_id: one of `INSTRUCTIONS`.
        kwargs: exactly the instruction's parameters.
        response: the answer; pass the same `Text` to several checks to share the analysis.
        fixes: the repairs to apply; none for the published rules.

    Returns:
        The result with its reason in Russian. A blank answer follows no instruction.

    Raises:
        KeyError: no such instruction.
    """
    text = response if isinstance(response, Text) else Text(response)
    if text.blank or (Fix.INVISIBLE_ANSWER in fixes and text.invisible):
        return RuleResult(False, "пустой ответ")
    return INSTRUCTIONS[instruction_id].rule(text, fixes, **kwargs)


_PARAMETERS: Final[Mapping[Callable[..., RuleResult], dict[str, Kind]]] = {
    change_case.capital_word_frequency: {"capital_frequency": Kind.COUNT, "capital_relation": Kind.RELATION},
    change_case.english_capital: {},
    change_case.english_lowercase: {},
    combination.repeat_prompt: {"prompt_to_repeat": Kind.WORD},
    combination.two_responses: {},
    detectable_content.number_placeholders: {"num_placeholders": Kind.COUNT},
    detectable_content.postscript: {"postscript_marker": Kind.WORD},
    detectable_format.constrained_response: {},
    detectable_format.json_format: {},
    detectable_format.multiple_sections: {"section_spliter": Kind.WORD, "num_sections": Kind.COUNT},
    detectable_format.number_bullet_lists: {"num_bullets": Kind.COUNT},
    detectable_format.number_highlighted_sections: {"num_highlights": Kind.COUNT},
    detectable_format.title: {},
    keywords.existence: {"keywords": Kind.WORDS},
    keywords.forbidden_words: {"forbidden_words": Kind.WORDS},
    keywords.frequency: {"keyword": Kind.WORD, "frequency": Kind.COUNT, "relation": Kind.RELATION},
    keywords.letter_frequency: {"letter": Kind.LETTER, "let_frequency": Kind.COUNT, "let_relation": Kind.RELATION},
    language.response_language: {"language": Kind.WORD},
    length_constraints.nth_paragraph_first_word: {
        "num_paragraphs": Kind.POSITION,
        "nth_paragraph": Kind.POSITION,
        "first_word": Kind.WORD,
    },
    length_constraints.number_paragraphs: {"num_paragraphs": Kind.COUNT},
    length_constraints.number_sentences: {"num_sentences": Kind.COUNT, "relation": Kind.RELATION},
    length_constraints.number_words: {"num_words": Kind.COUNT, "relation": Kind.RELATION},
    punctuation.no_comma: {},
    startend.end_checker: {"end_phrase": Kind.WORD},
    startend.quotation: {},
}


def _instructions() -> Iterator[Instruction]:
    for rule, parameters in _PARAMETERS.items():
        group = rule.__module__.rpartition(".")[2]
        yield Instruction(f"{group}:{rule.__name__}", parameters, rule)


INSTRUCTIONS: Final[Mapping[str, Instruction]] = MappingProxyType({one.id: one for one in _instructions()})
"""All instructions by id."""
