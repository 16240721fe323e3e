"""A verdict on one instruction, and the Russian in which it is explained."""

from __future__ import annotations

from dataclasses import dataclass

AT_LEAST = "at least"
LESS_THAN = "less than"
RELATIONS = (LESS_THAN, AT_LEAST)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one instruction was followed, and a short Russian sentence that says why."""

    followed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Noun:
    """A Russian noun in the forms that follow numerals: 1 слово, 2 слова, 5 слов."""

    one: str
    few: str
    many: str

    def count(self, number: int) -> str:
        """Return the number with the noun agreeing in the nominative: ``21 слово``."""
        return f"{number} {self._after(number)}"

    def bound(self, number: int) -> str:
        """Return the number with the noun in the genitive, as after «не меньше»: ``не меньше 21 слова``."""
        return f"{number} {self.few if number % 10 == 1 and number % 100 != 11 else self.many}"

    def _after(self, number: int) -> str:
        if number % 10 == 1 and number % 100 != 11:
            return self.one
        if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
            return self.few
        return self.many


def compare(found: int, relation: str, wanted: int, noun: Noun) -> Verdict:
    """Judge a count by the published relations: ``at least`` (≥) and ``less than`` (<)."""
    if relation == LESS_THAN:
        return Verdict(found < wanted, f"{noun.count(found)}, требуется меньше {wanted}")
    return at_least(found, wanted, noun)


def at_least(found: int, wanted: int, noun: Noun) -> Verdict:
    """Judge a count that must not be smaller than ``wanted``."""
    return Verdict(found >= wanted, f"{noun.count(found)}, требуется не меньше {wanted}")


def exactly(found: int, wanted: int, noun: Noun) -> Verdict:
    """Judge a count that must equal ``wanted``."""
    return Verdict(found == wanted, f"{noun.count(found)}, требуется ровно {wanted}")


def quoted(text: str, limit: int = 60) -> str:
    """Return the text in guillemets on one line, cut to ``limit`` characters."""
    line = " ".join(text[: limit + 1].split())
    return f"«{line}»" if len(text) <= limit else f"«{line[:limit].rstrip()}…»"
