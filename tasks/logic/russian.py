"""Names and numbers in the cases that puzzles need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..random import Dice
from ..text.nouns import Noun
from .puzzle import Split

_MEN: Final[dict[Split, str]] = {
    "train": "Иван Пётр Олег Максим Антон Борис Глеб Виктор Роман Степан Тимур Фёдор",
    "test": "Артём Денис Егор Захар Кирилл Леонид Михаил Никита Павел Руслан Семён Юрий",
}
_WOMEN: Final[dict[Split, str]] = {
    "train": "Анна Ольга Вера Нина Ирина Елена Марина Дарья Софья Тамара Жанна Лариса",
    "test": "Алиса Галина Диана Зоя Инна Кира Людмила Надежда Полина Раиса Светлана Юлия",
}
_STEMS: Final = {"Пётр": "Петр", "Павел": "Павл"}


@dataclass(frozen=True, slots=True)
class Person:
    """A name in four cases."""

    name: str
    genitive: str
    dative: str
    instrumental: str
    female: bool

    @property
    def alongside(self) -> str:
        """The name after «с» or «со»: «с Анной», «со Светланой»."""
        clash = self.name[0] in "СЗШЖ" and self.name[1].lower() not in "аеёиоуыэюя"
        return f"{'со' if clash else 'с'} {self.instrumental}"


def men(split: Split) -> list[Person]:
    """Return the men of a split."""
    return [_decline(name, female=False) for name in _MEN[split].split()]


def women(split: Split) -> list[Person]:
    """Return the women of a split."""
    return [_decline(name, female=True) for name in _WOMEN[split].split()]


def people(dice: Dice, split: Split, count: int) -> list[Person]:
    """Draw so many different people."""
    return dice.shuffled(men(split) + women(split))[:count]


def _decline(name: str, *, female: bool) -> Person:
    stem, last = name[:-1], name[-1]
    if last == "а":
        cases = (stem + ("и" if stem[-1] in "гкхжшщч" else "ы"), stem + "е", stem + "ой")
    elif last == "я":
        cases = (stem + "и", stem + ("и" if stem[-1] == "и" else "е"), stem + "ей")
    elif last == "й":
        cases = (stem + "я", stem + "ю", stem + "ем")
    else:
        stem = _STEMS.get(name, name)
        cases = (stem + "а", stem + "у", stem + "ом")
    return Person(name, *cases, female=female)


def plural(number: int, forms: tuple[str, str, str]) -> str:
    """Return the form that follows a number: 1 яблоко, 2 яблока, 5 яблок."""
    return Noun(*forms).after(number)


def listed(words: Sequence[str]) -> str:
    """Return the words joined by commas and a last «и»."""
    return " и ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def sentence(text: str) -> str:
    """Return the text as a sentence: a capital first, a full stop last."""
    return text[0].upper() + text[1:] + "."
