"""The result of checking one instruction, with its explanation in Russian."""

from __future__ import annotations

from dataclasses import dataclass

from ..text.nouns import Noun

AT_LEAST = "at least"
LESS_THAN = "less than"
RELATIONS = (LESS_THAN, AT_LEAST)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Whether one instruction was followed, and the reason as a short Russian sentence."""

    followed: bool
    reason: str


def compare_counts(found: int, relation: str, wanted: int, noun: Noun) -> RuleResult:
    """Check a count by the published relations: ``at least`` (≥) and ``less than`` (<)."""
    if relation == LESS_THAN:
        return RuleResult(found < wanted, f"{noun.count(found)}, требуется меньше {wanted}")
    return at_least(found, wanted, noun)


def at_least(found: int, wanted: int, noun: Noun) -> RuleResult:
    """Check a count that must not be smaller than ``wanted``."""
    return RuleResult(found >= wanted, f"{noun.count(found)}, требуется не меньше {wanted}")


def exactly(found: int, wanted: int, noun: Noun) -> RuleResult:
    """Check a count that must equal ``wanted``."""
    return RuleResult(found == wanted, f"{noun.count(found)}, требуется ровно {wanted}")


def quoted(text: str, limit: int = 60) -> str:
    """Return the text in guillemets on one line, cut to ``limit`` characters."""
    line = " ".join(text[: limit + 1].split())
    return f"«{line}»" if len(text) <= limit else f"«{line[:limit].rstrip()}…»"
