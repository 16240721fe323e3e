"""Which instructions one answer can follow together, and which a reader would find contradictory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..result import LESS_THAN

CAPITAL_WORDS: Final = "change_case:capital_word_frequency"
CAPITALS: Final = "change_case:english_capital"
LOWERCASE: Final = "change_case:english_lowercase"
REPEAT: Final = "combination:repeat_prompt"
TWO_RESPONSES: Final = "combination:two_responses"
PLACEHOLDERS: Final = "detectable_content:number_placeholders"
POSTSCRIPT: Final = "detectable_content:postscript"
CONSTRAINED: Final = "detectable_format:constrained_response"
JSON: Final = "detectable_format:json_format"
SECTIONS: Final = "detectable_format:multiple_sections"
BULLETS: Final = "detectable_format:number_bullet_lists"
HIGHLIGHTS: Final = "detectable_format:number_highlighted_sections"
TITLE: Final = "detectable_format:title"
EXISTENCE: Final = "keywords:existence"
FORBIDDEN: Final = "keywords:forbidden_words"
FREQUENCY: Final = "keywords:frequency"
LETTERS: Final = "keywords:letter_frequency"
LANGUAGE: Final = "language:response_language"
NTH_PARAGRAPH: Final = "length_constraints:nth_paragraph_first_word"
PARAGRAPHS: Final = "length_constraints:number_paragraphs"
SENTENCES: Final = "length_constraints:number_sentences"
WORDS: Final = "length_constraints:number_words"
NO_COMMA: Final = "punctuation:no_comma"
END: Final = "startend:end_checker"
QUOTATION: Final = "startend:quotation"

Kwargs = Mapping[str, Any]

# At most one of each group.
_EXCLUSIVE: Final = (
    # the layout of the whole answer, or dividers that read each other's asterisks
    {PARAGRAPHS, NTH_PARAGRAPH, TWO_RESPONSES, SECTIONS, BULLETS, JSON, CONSTRAINED},
    # letter case
    {CAPITALS, LOWERCASE, CAPITAL_WORDS},
    # what comes last
    {END, POSTSCRIPT, QUOTATION},
    # a fixed spelling against a letter case: allowed by the rules, contradictory to a reader
    {CAPITALS, POSTSCRIPT},
    {CAPITALS, END},
    {CAPITALS, SECTIONS},
    {LOWERCASE, POSTSCRIPT},
    {LOWERCASE, END},
    {LOWERCASE, SECTIONS},
    # section headings may be capital words themselves
    {CAPITAL_WORDS, SECTIONS},
    # the star of a bullet opens a highlight, and a quotation mark before the first bullet hides it
    {BULLETS, HIGHLIGHTS},
    {BULLETS, QUOTATION},
)

# Instructions that go with few others, and those others.
_ONLY_WITH: Final[Mapping[str, frozenset[str]]] = {
    # prose would not be JSON, and its marks would be strange inside strings
    JSON: frozenset({EXISTENCE, FORBIDDEN, FREQUENCY, LETTERS, LANGUAGE}),
    # the others speak of Russian words, letters or sentences
    LANGUAGE: frozenset(
        {TWO_RESPONSES, BULLETS, HIGHLIGHTS, TITLE, PARAGRAPHS, JSON, NO_COMMA, QUOTATION},
    ),
    # the phrase has its own letter case and is most of the answer
    CONSTRAINED: frozenset(
        {CAPITAL_WORDS, REPEAT, POSTSCRIPT, HIGHLIGHTS, TITLE, EXISTENCE, FORBIDDEN}
        | {SENTENCES, WORDS, NO_COMMA, END, QUOTATION},
    ),
    # whether each answer or both together are meant must not matter
    TWO_RESPONSES: frozenset(
        {CAPITAL_WORDS, CAPITALS, LOWERCASE, PLACEHOLDERS, HIGHLIGHTS, EXISTENCE, FORBIDDEN, FREQUENCY}
        | {LETTERS, LANGUAGE, NO_COMMA},
    ),
    # the repeated request counts too: its words, letters and sentences must not decide
    REPEAT: frozenset(
        {CAPITAL_WORDS, PLACEHOLDERS, POSTSCRIPT, CONSTRAINED, SECTIONS, BULLETS, HIGHLIGHTS, TITLE}
        | {FORBIDDEN, WORDS, NO_COMMA, END},
    ),
    # texts that the prompt dictates must not decide how often a letter occurs
    LETTERS: frozenset(
        {CAPITAL_WORDS, CAPITALS, LOWERCASE, TWO_RESPONSES, PLACEHOLDERS, JSON, BULLETS, HIGHLIGHTS, TITLE}
        | {EXISTENCE, FORBIDDEN, PARAGRAPHS, SENTENCES, WORDS, NO_COMMA, QUOTATION},
    ),
    # what a sentence is must be plain: no headings, lists or postscripts
    SENTENCES: frozenset(
        {CAPITAL_WORDS, CAPITALS, LOWERCASE, PLACEHOLDERS, CONSTRAINED, HIGHLIGHTS, EXISTENCE, FORBIDDEN}
        | {FREQUENCY, LETTERS, WORDS, NO_COMMA, END, QUOTATION},
    ),
    # every blank line counts: nothing may stand on its own
    NTH_PARAGRAPH: frozenset(
        {CAPITAL_WORDS, CAPITALS, LOWERCASE, PLACEHOLDERS, HIGHLIGHTS, EXISTENCE, FORBIDDEN, FREQUENCY}
        | {WORDS, NO_COMMA, END, QUOTATION},
    ),
}

_FEWEST_WORDS_BESIDES: Final = 8
_MOST_WORDS_IN_SENTENCE: Final = 12


def compatible(one: str, other: str) -> bool:
    """Whether two instructions can stand in one prompt, whatever their parameters."""
    return (
        one != other
        and one in _ONLY_WITH.get(other, (one,))
        and other in _ONLY_WITH.get(one, (other,))
        and not any(one in group and other in group for group in _EXCLUSIVE)
    )


def contradictory(instructions: Sequence[tuple[str, Kwargs]]) -> bool:
    """Whether the parameters of compatible instructions leave no room for a natural answer."""
    given = dict(instructions)
    return _letter_in_keywords(given) or _comma_to_repeat(given) or _too_few_words(given) or _long_sentences(given)


def _letter_in_keywords(given: Mapping[str, Kwargs]) -> bool:
    if LETTERS not in given or EXISTENCE not in given:
        return False
    return any(given[LETTERS]["letter"] in word for word in given[EXISTENCE]["keywords"])


def _comma_to_repeat(given: Mapping[str, Kwargs]) -> bool:
    return NO_COMMA in given and REPEAT in given and "," in given[REPEAT]["prompt_to_repeat"]


def _too_few_words(given: Mapping[str, Kwargs]) -> bool:
    # A lower bound that the other instructions exceed anyway would ask for nothing.
    words = given.get(WORDS)
    if words is None:
        return False
    needed = _FEWEST_WORDS_BESIDES + sum(map(_words_needed, given.items()))
    return bool(needed >= words["num_words"])


def _long_sentences(given: Mapping[str, Kwargs]) -> bool:
    words, sentences = given.get(WORDS), given.get(SENTENCES)
    if words is None or sentences is None or sentences["relation"] != LESS_THAN:
        return False
    return bool(words["num_words"] > _MOST_WORDS_IN_SENTENCE * (sentences["num_sentences"] - 1))


def _words_needed(instruction: tuple[str, Kwargs]) -> int:
    """Return how many words an instruction takes, in round figures, be it followed or just missed."""
    id, kwargs = instruction
    count = next((value for value in kwargs.values() if isinstance(value, int)), 0)
    if id in (CAPITAL_WORDS, FREQUENCY, LETTERS, PLACEHOLDERS, HIGHLIGHTS):
        return 2 * count
    if id in (PARAGRAPHS, NTH_PARAGRAPH, BULLETS, SECTIONS):
        return 7 * count
    if id == SENTENCES:
        return 6 * count
    if id == EXISTENCE:
        return 2 * len(kwargs["keywords"])
    if id == REPEAT:
        return len(re.findall(r"\w+", kwargs["prompt_to_repeat"]))
    return 6 if id in (END, POSTSCRIPT, TITLE, CONSTRAINED) else 0
