"""startend: how the answer begins and ends."""

from __future__ import annotations

from ..fixes import Fixes
from ..result import RuleResult, quoted
from ..text import Text


def end_checker(text: Text, fixes: Fixes, *, end_phrase: str, final_dot_optional: bool = False) -> RuleResult:
    """Demand that the answer ends with the phrase; letter case and straight quotes around do not matter.

    ``final_dot_optional`` is not in the published rules; repaired prompts use it (`Fix.PROMPT_DEFECTS`).
    """
    answer = text.stripped.strip('"')
    phrase = end_phrase.strip()
    if answer.removesuffix("." if final_dot_optional else "").lower().endswith(phrase.lower()):
        return RuleResult(True, f"ответ заканчивается фразой {quoted(phrase)}")
    return RuleResult(False, f"ответ заканчивается на {quoted(answer[-40:])}, требуется {quoted(phrase)}")


def quotation(text: Text, fixes: Fixes) -> RuleResult:
    """Demand a straight double quote at both ends."""
    answer = text.stripped
    if len(answer) > 1 and answer[0] == answer[-1] == '"':
        return RuleResult(True, "ответ заключён в двойные кавычки")
    where = "в начале" if answer[:1] != '"' else "в конце"
    return RuleResult(False, f'{where} ответа нет двойной кавычки (")')
