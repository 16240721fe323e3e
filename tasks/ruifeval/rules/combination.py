"""combination: the answer as a whole made of given pieces."""

from __future__ import annotations

from ...text.nouns import Noun
from ..fixes import Fixes
from ..result import RuleResult, quoted
from ..text import Text

_DIVIDER = "******"
_RESPONSE = Noun("ответ", "ответа", "ответов")


def repeat_prompt(text: Text, fixes: Fixes, *, prompt_to_repeat: str) -> RuleResult:
    """Demand that the answer begins with the given text, letter case aside."""
    if text.stripped.lower().startswith(prompt_to_repeat.strip().lower()):
        return RuleResult(True, "ответ начинается с повторённого запроса")
    return RuleResult(False, f"ответ начинается с {quoted(text.stripped)}, а не с запроса")


def two_responses(text: Text, fixes: Fixes) -> RuleResult:
    """Demand two different non-blank answers divided by six asterisks; a divider may also open or close."""
    chunks = [chunk.strip() for chunk in text.raw.split(_DIVIDER)]
    if not all(chunks[1:-1]):
        return RuleResult(False, "между разделителями ****** есть пустой ответ")
    responses = list(filter(None, chunks))
    if len(responses) != 2:
        return RuleResult(False, f"{_RESPONSE.count(len(responses))} через ******, требуется ровно 2")
    if responses[0] == responses[1]:
        return RuleResult(False, "оба ответа одинаковы")
    return RuleResult(True, "2 разных ответа через ******")
