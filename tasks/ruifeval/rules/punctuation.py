"""punctuation: how the answer is punctuated."""

from __future__ import annotations

from ...text.nouns import Noun
from ..fixes import Fixes
from ..text import Text
from ..verdict import Verdict

_COMMA = Noun("запятая", "запятые", "запятых")


def no_comma(text: Text, fixes: Fixes) -> Verdict:
    """Demand that no ASCII comma stands anywhere, not even in a number."""
    place = text.raw.find(",")
    if place < 0:
        return Verdict(True, "нет запятых")
    return Verdict(False, f"{_COMMA.count(text.raw.count(','))}, первая на позиции {place + 1}")
