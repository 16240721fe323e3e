"""punctuation: how the answer is punctuated."""

from __future__ import annotations

from ...text.nouns import Noun
from ..fixes import Fixes
from ..result import RuleResult
from ..text import Text

_COMMA = Noun("запятая", "запятые", "запятых")


def no_comma(text: Text, fixes: Fixes) -> RuleResult:
    """Demand that no ASCII comma stands anywhere, not even in a number."""
    place = text.raw.find(",")
    if place < 0:
        return RuleResult(True, "нет запятых")
    return RuleResult(False, f"{_COMMA.count(text.raw.count(','))}, первая на позиции {place + 1}")
