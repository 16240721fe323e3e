"""keywords: words and letters that must, or must not, occur.

Words are compared by their dictionary forms (`lemmas`). The published rules look for a keyword anywhere, even
inside another word, and read it as a pattern; the switches of `Fix` repair that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...text.nouns import Noun
from ..fixes import Fix, Fixes
from ..lemmas import lemmatise
from ..result import RuleResult, compare_counts, quoted
from ..text import Text
from .patterns import published_pattern

_TIME = Noun("раз", "раза", "раз")


def existence(text: Text, fixes: Fixes, *, keywords: Sequence[str]) -> RuleResult:
    """Demand that every keyword occurs."""
    missing = [word for word in keywords if not _found(word, text, fixes)]
    if missing:
        return RuleResult(
            False, f"нет слов: {_listed(missing)}" if missing[1:] else f"нет слова {quoted(missing[0])}"
        )
    return RuleResult(
        True, f"есть все слова: {_listed(keywords)}" if keywords[1:] else f"есть слово {quoted(keywords[0])}"
    )


def frequency(text: Text, fixes: Fixes, *, keyword: str, frequency: int, relation: str) -> RuleResult:
    """Count the occurrences of a keyword."""
    lemmas = text.lemmas(fixes)
    pattern = _pattern(keyword.strip(), fixes)
    # An empty keyword (Latin letters separate words by the published rules) stands between any two characters.
    count = len(pattern.findall(lemmas)) if pattern.pattern else len(lemmas) + 1
    counted = compare_counts(count, relation, frequency, _TIME)
    return RuleResult(counted.followed, f"слово {quoted(keyword)} встречается {counted.reason}")


def forbidden_words(text: Text, fixes: Fixes, *, forbidden_words: Sequence[str]) -> RuleResult:
    """Demand that none of the words occurs, each as a whole word."""
    lemmas = text.lemmas(fixes)
    used = [word for word in forbidden_words if _whole(word, fixes).search(lemmas)]
    if used:
        return RuleResult(
            False,
            f"есть запрещённые слова: {_listed(used)}" if used[1:] else f"есть запрещённое слово {quoted(used[0])}",
        )
    return RuleResult(True, "запрещённых слов нет")


def letter_frequency(text: Text, fixes: Fixes, *, letter: str, let_frequency: int, let_relation: str) -> RuleResult:
    """Count a character, letter case aside; any character serves as the letter."""
    wanted = letter.strip().lower()
    count = text.lower.count(wanted) if len(wanted) == 1 else 0
    counted = compare_counts(count, let_relation, let_frequency, _TIME)
    return RuleResult(counted.followed, f"буква {quoted(letter)} встречается {counted.reason}")


def _found(keyword: str, text: Text, fixes: Fixes) -> bool:
    return _pattern(keyword, fixes).search(text.lemmas(fixes)) is not None


def _pattern(keyword: str, fixes: Fixes) -> re.Pattern[str]:
    if Fix.WHOLE_WORDS in fixes:
        return _whole(keyword, fixes)
    return published_pattern(lemmatise(keyword, fixes), re.IGNORECASE)


def _whole(keyword: str, fixes: Fixes) -> re.Pattern[str]:
    return published_pattern(lemmatise(keyword, fixes), re.IGNORECASE, r"\b", r"\b")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(quoted, words))
