"""language: in which language the answer is written."""

from __future__ import annotations

from ...text.identification import describe
from ..fixes import Fixes
from ..result import RuleResult
from ..text import Text


def response_language(text: Text, fixes: Fixes, *, language: str) -> RuleResult:
    """Demand that the answer's language is the given one (an ISO 639-1 code)."""
    reason = describe(text.language)
    followed = text.language == language
    return RuleResult(followed, reason if followed else f"{reason}, требуется {language}")
