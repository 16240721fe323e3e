"""Russian nouns after numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A Russian noun in the forms that follow numerals: 1 слово, 2 слова, 5 слов."""

    one: str
    few: str
    many: str

    def count(self, number: int) -> str:
        """Return the number with the noun agreeing in the nominative: ``21 слово``."""
        return f"{number} {self.after(number)}"

    def bound(self, number: int) -> str:
        """Return the number with the noun in the genitive, as after «не меньше»: ``не меньше 21 слова``."""
        return f"{number} {self.few if _ends_in_one(number) else self.many}"

    def after(self, number: int) -> str:
        """Return the form that follows a number in the nominative, without the number."""
        if _ends_in_one(number):
            return self.one
        if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
            return self.few
        return self.many


def _ends_in_one(number: int) -> bool:
    return number % 10 == 1 and number % 100 != 11
