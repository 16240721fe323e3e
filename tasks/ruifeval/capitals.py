"""Counting words in capitals among the tokens of NLTK's English word tokenizer (Treebank conventions).

Only what tears letters apart matters for the count, so only those conventions are applied, and only to pieces
between white space that have a capital letter.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# In the tokenizer's own order, for each step sees the spaces that the steps before it put.
_STEPS: Final = (
    (re.compile(r"[«“‘„]|`+"), r" \g<0> "),
    (re.compile(r"([ (\[{<])(?:\"|'')"), r"\1 '' "),
    (re.compile(r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", re.IGNORECASE), "' "),
    (re.compile(r"([:,])(\D|$)"), r" \1 \2"),
    (re.compile(r"\.{2,}|[;@#$%&\u2012-\u2015?!]"), r" \g<0> "),
    (re.compile(r"([^'])' "), r"\1 ' "),
    (re.compile(r"[*\]\[(){}<>]"), r" \g<0> "),
    (re.compile(r"--"), " -- "),
    (re.compile(r"[»”’]"), r" \g<0> "),
    (re.compile(r"''|\""), " '' "),
    (re.compile(r"\s+"), " "),
    (re.compile(r"([^' ])('[sS]|'[mM]|'[dD]|') "), r"\1 \2 "),
    (re.compile(r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) "), r"\1 \2 "),
    *(
        (re.compile(pattern, re.IGNORECASE), r" \1 \2 ")
        for pattern in (
            r"\b(can)(not)\b",
            r"\b(d)('ye)\b",
            r"\b(gim)(me)\b",
            r"\b(gon)(na)\b",
            r"\b(got)(ta)\b",
            r"\b(lem)(me)\b",
            r"\b(more)('n)\b",
            r"\b(wan)(na)(?=\s)",
            r" ('t)(is)\b",
            r" ('t)(was)\b",
        )
    ),
)

# A piece with none of these stays whole.
_TEARING: Final = re.compile(
    r"[«“‘„`\"'(\[{<:,;@#$%&\u2012-\u2015?!*\])}>»”’]|\.\.|--|cannot|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE
)

# The tokenizer first divides the text into sentences, and minds what white space follows. That matters only here:
# where a dot is followed by a mark that is not always a token of its own, and where an English contraction is
# followed by a quote or a dot.
_CONTEXT_MATTERS: Final = re.compile(r"\.(?:'|:\d)|(?:wanna|'(?:[smd]|ll|re|ve)|n't)['.]", re.IGNORECASE)
_LAST_DOT: Final = re.compile(r"([^.])\.([\])}>\"'»”’ ]*+)\s*$")
_OPENING: Final = 3
_PADDED: Final = 8
_LONGEST_CACHED: Final = 100


def count_capital_words(text: str) -> int:
    """Return the number of tokens with letters, all of them capital."""
    if text == text.lower():
        return 0
    if _CONTEXT_MATTERS.search(text):
        return _count_by_sentence(text)
    return sum(
        _capital_tokens(piece) if len(piece) <= _LONGEST_CACHED else _capital_tokens.__wrapped__(piece)
        for piece in text.split()
        if not piece.islower() and piece != piece.lower()
    )


def _count_by_sentence(text: str) -> int:
    from .sentences import punkt_model, sentence_spans

    count = 0
    for start, end in sentence_spans(text, punkt_model("english")):
        tokens = _apply(_STEPS[:_OPENING], text[start:end])
        tokens = _LAST_DOT.sub(r"\1 . \2 ", tokens)
        tokens = _apply(_STEPS[_OPENING:_PADDED], tokens)
        count += _capitals(_apply(_STEPS[_PADDED:], f" {tokens} "))
    return count


@lru_cache(maxsize=50_000)
def _capital_tokens(piece: str) -> int:
    if not _TEARING.search(piece):
        return piece.isupper()
    return _capitals(_apply(_STEPS, f" {piece} "))


def _apply(steps: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str:
    for pattern, replacement in steps:
        text = pattern.sub(replacement, text)
    return text


def _capitals(tokens: str) -> int:
    return sum(token.isupper() for token in tokens.split())
