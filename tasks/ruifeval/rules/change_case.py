"""change_case: capitals and small letters.

The two ids that say "english" kept the name of the English original; they demand Russian.
"""

from __future__ import annotations

import re

from ...text.identification import describe
from ...text.nouns import Noun
from ..fixes import Fixes
from ..result import RuleResult, compare_counts
from ..text import Text

_CAPITAL_WORD = Noun("слово заглавными буквами", "слова заглавными буквами", "слов заглавными буквами")
_SMALL = re.compile("[a-zа-яё]")
_CAPITAL = re.compile("[A-ZА-ЯЁ]")


def english_capital(text: Text, fixes: Fixes) -> RuleResult:
    """Demand Russian in capitals only."""
    if text.raw.isupper():
        return _russian(text, "все буквы заглавные")
    return RuleResult(False, _offender(text, _SMALL, "строчная буква", "нет заглавных букв"))


def english_lowercase(text: Text, fixes: Fixes) -> RuleResult:
    """Demand Russian in small letters only."""
    if text.raw.islower():
        return _russian(text, "все буквы строчные")
    return RuleResult(False, _offender(text, _CAPITAL, "заглавная буква", "нет строчных букв"))


def capital_word_frequency(
    text: Text, fixes: Fixes, *, capital_frequency: int, capital_relation: str
) -> RuleResult:
    """Count the tokens written wholly in capitals."""
    return compare_counts(text.capital_words, capital_relation, capital_frequency, _CAPITAL_WORD)


def _russian(text: Text, case: str) -> RuleResult:
    return RuleResult(text.language == "ru", f"{case}, {describe(text.language)}")


def _offender(text: Text, letters: re.Pattern[str], name: str, otherwise: str) -> str:
    found = letters.search(text.raw)
    return f"{name} «{found.group()}» на позиции {found.start() + 1}" if found else otherwise
