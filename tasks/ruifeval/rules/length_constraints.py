"""length_constraints: how long the answer is, and how it is cut into paragraphs."""

from __future__ import annotations

import re

from ...text.nouns import Noun
from ..fixes import Fix, Fixes
from ..result import RuleResult, compare_counts, exactly, quoted
from ..text import Text

_WORD = Noun("слово", "слова", "слов")
_SENTENCE = Noun("предложение", "предложения", "предложений")
_PARAGRAPH = Noun("абзац", "абзаца", "абзацев")

_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_FIRST_WORD = re.compile(r"""'*"*([^.,?!'"]*)""")


def number_words(text: Text, fixes: Fixes, *, num_words: int, relation: str) -> RuleResult:
    """Count words: maximal runs of letters, digits and underscores."""
    return compare_counts(text.word_count, relation, num_words, _WORD)


def number_sentences(text: Text, fixes: Fixes, *, num_sentences: int, relation: str) -> RuleResult:
    """Count sentences as the Punkt algorithm with its Russian word list divides them."""
    return compare_counts(text.sentence_count(fixes), relation, num_sentences, _SENTENCE)


def number_paragraphs(text: Text, fixes: Fixes, *, num_paragraphs: int) -> RuleResult:
    """Count the paragraphs between dividers of three asterisks; only the outer two may be blank."""
    chunks = _DIVIDER.split(text.raw)
    if any(not chunk or chunk.isspace() for chunk in chunks[1:-1]):
        return RuleResult(False, "между разделителями *** есть пустой абзац")
    outer = chunks if len(chunks) == 1 else (chunks[0], chunks[-1])
    blank = sum(not chunk or chunk.isspace() for chunk in outer)
    return exactly(len(chunks) - blank, num_paragraphs, _PARAGRAPH)


def nth_paragraph_first_word(
    text: Text, fixes: Fixes, *, num_paragraphs: int, nth_paragraph: int, first_word: str
) -> RuleResult:
    """Demand an exact number of paragraphs divided by blank lines, and the first word of the n-th (from 1).

    By the published rules blank chunks do not count as paragraphs, and yet n counts them
    (`Fix.PARAGRAPH_INDEX`: it does not).
    """
    chunks = text.raw.split("\n\n")
    filled = [chunk for chunk in chunks if chunk and not chunk.isspace()]
    if len(filled) != num_paragraphs:
        return exactly(len(filled), num_paragraphs, _PARAGRAPH)
    chunk = (filled if Fix.PARAGRAPH_INDEX in fixes else chunks)[nth_paragraph - 1]
    if not chunk or chunk.isspace():
        return RuleResult(False, f"абзац {nth_paragraph} пуст (лишняя пустая строка)")
    word = _first_word(chunk)
    found = f"{_PARAGRAPH.count(len(filled))}, абзац {nth_paragraph} начинается со слова {quoted(word)}"
    if len(word) <= len(first_word) and "".join(map(str.lower, word)) == first_word.lower():
        return RuleResult(True, found)
    return RuleResult(False, f"{found}, требуется {quoted(first_word.lower())}")


def _first_word(chunk: str) -> str:
    """Return the first token without its opening straight quotes, up to the first punctuation mark in it."""
    opening = _FIRST_WORD.match(chunk.split(maxsplit=1)[0])
    return opening.group(1) if opening else ""
