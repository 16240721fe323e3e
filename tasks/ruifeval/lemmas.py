"""Dictionary forms of words, as the keyword rules compare them.

A text is read as the published rules read it: runs of ASCII punctuation, digits and Latin letters (and the em
dash) separate, and every other token is put into its first dictionary form. Switches of `Fix` widen or narrow
what separates. Analysing a word costs about 0.1 ms, so each distinct word is analysed once in a process.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from .fixes import Fix, Fixes

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

# A dictionary form depends on the last letters and on the first few: a longer token is no Russian word, and
# analysing a megabyte of letters as one word would take seconds.
LONGEST_WORD: Final = 100

_PUNCTUATION: Final = r"!#$%&'()*+,./:;<=>?@\[\]^_`{|}~—\"\-"
_TYPOGRAPHY: Final = r"«»„“”‘’‹›…–•·№"


def lemmatise(text: str, fixes: Fixes) -> str:
    """Return the dictionary forms of the words of ``text``, joined by single spaces."""
    return " ".join(map(lemma, _tokens(Fix.LATIN_KEYWORDS in fixes, Fix.GUILLEMETS in fixes).findall(text)))


@cache
def _tokens(with_latin: bool, without_typography: bool) -> re.Pattern[str]:
    """Return the runs of characters that make a word."""
    separators = _PUNCTUATION
    if not with_latin:
        separators += "A-Za-z0-9"
    if without_typography:
        separators += _TYPOGRAPHY
    return re.compile(rf"[^\s{separators}]+")


@lru_cache(maxsize=100_000)
def lemma(token: str) -> str:
    """Return the first dictionary form of one token, in lower case."""
    if len(token) > LONGEST_WORD:
        return token.lower()
    try:
        # Of a single letter the case matters: «А» may be an initial.
        return _analyse(token) if len(token) == 1 else _analyse_known(token.lower())
    except ValueError:  # pymorphy3 fails on unpaired surrogates and letters without a Unicode name
        return token.lower()


def _analyse(token: str) -> str:
    form: str = morphology().normal_forms(token)[0]
    return form


@lru_cache(maxsize=100_000)
def _analyse_known(token: str) -> str:
    """Analyse a token; a word of the dictionary all of whose readings have one form needs no ranking of them."""
    dictionary = morphology().dictionary
    forms = {
        dictionary.build_normal_form(paradigm, index, word)
        for word, readings in dictionary.words.similar_items(token, morphology().char_substitutes)
        for paradigm, index in readings
    }
    return forms.pop() if len(forms) == 1 else _analyse(token)


@cache
def morphology() -> MorphAnalyzer:
    """Return the process's morphological analyser (0.2 s to open the first time)."""
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru", result_type=None)
