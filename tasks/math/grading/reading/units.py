"""Units of measurement: what they measure and how large they are, in Russian and in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .words import SCALES


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``factor`` of the base unit of its ``dimension`` (sorted pairs of base quantity and exponent).

    The dimension is None for a noun that we do not know (``яблок``): it stands beside a number and means nothing.
    ``scale`` multiplies the number itself (``тыс.``), whether or not a unit follows.
    """

    factor: Fraction = Fraction(1)
    dimension: tuple[tuple[str, int], ...] | None = ()
    scale: Fraction = Fraction(1)

    def power(self, exponent: int) -> Unit:
        """Return the unit to an integer power."""
        if self.dimension is None:
            return self
        return Unit(self.factor**exponent, tuple((base, exponent * power) for base, power in self.dimension))

    def times(self, other: Unit) -> Unit:
        """Return the product of two units; an unknown noun leaves the other as it is."""
        scale = self.scale * other.scale
        if self.dimension is None or other.dimension is None:
            known = self if other.dimension is None else other
            return Unit(known.factor, known.dimension, scale)
        powers = dict(self.dimension)
        for base, power in other.dimension:
            powers[base] = powers.get(base, 0) + power
        dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
        return Unit(self.factor * other.factor, dimension, scale)


NOUN = Unit(dimension=None)

_LENGTH: dict[str, Fraction | int] = {
    "км": 1000,
    "м": 1,
    "дм": Fraction(1, 10),
    "см": Fraction(1, 100),
    "мм": Fraction(1, 1000),
}
_LENGTH_LATIN = {"km": "км", "m": "м", "dm": "дм", "cm": "см", "mm": "мм"}
_LENGTH_WORDS = {"км": "километр", "м": "метр", "дм": "дециметр", "см": "сантиметр", "мм": "миллиметр"}
_LENGTH_ENGLISH = {
    "км": ("kilometer", "kilometre"),
    "м": ("meter", "metre"),
    "см": ("centimeter", "centimetre"),
    "мм": ("millimeter", "millimetre"),
}
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_ENDINGS = ("", "а", "у", "е", "ы", "ов", "ам", "ах", "ом", "ами", "и")


def _table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}

    def add(dimension: str, factor: Fraction | int, *words: str, stems: Sequence[str] = (), power: int = 1) -> None:
        unit = Unit(Fraction(factor), ((dimension, power),))
        for word in (*words, *(stem + ending for stem in stems for ending in _ENDINGS)):
            table[word] = unit

    for short, factor in _LENGTH.items():
        add("length", factor, short, stems=[_LENGTH_WORDS[short]])
        for english in _LENGTH_ENGLISH.get(short, ()):
            add("length", factor, english, english + "s")
    for latin, short in _LENGTH_LATIN.items():
        add("length", _LENGTH[short], latin)
    add("length", Fraction(254, 10000), "дюйм", "inch", "inches", stems=["дюйм"])
    add("length", Fraction(3048, 10000), "ft", "foot", "feet", stems=["фут"])
    add("length", Fraction(1609344, 1000), "mile", "miles", "миля", "мили", "миль")
    add("length", 10_000, "га", stems=["гектар"], power=2)
    add("length", 100, "сотка", "сотки", "соток", power=2)
    add("length", Fraction(1, 1000), "л", "liter", "liters", "litre", "litres", stems=["литр"], power=3)
    add("length", Fraction(1, 1_000_000), "мл", "ml", stems=["миллилитр"], power=3)
    add("mass", 1, "г", "гр", "gram", "grams", "грамм", stems=["грамм"])
    add("mass", 1000, "кг", "kg", "килограмм", "kilogram", "kilograms", stems=["килограмм"])
    add("mass", Fraction(1, 1000), "мг", "mg", stems=["миллиграмм"])
    add("mass", 1_000_000, "т", "тонна", "тонны", "тонн", "тонну", "ton", "tons")
    add("mass", 100_000, "ц", stems=["центнер"])
    add("time", 1, "с", "сек", "s", "sec", "секунда", "секунды", "секунд", "секунду", "second", "seconds")
    add("time", 60, "мин", "min", "минута", "минуты", "минут", "минуту", "minute", "minutes")
    add("time", 3600, "ч", "час", "hour", "hours", "hr", "hrs", "h", stems=["час"])
    add("time", 86400, "сут", "сутки", "суток", "день", "дня", "дней", "day", "days")
    add("time", 604800, "неделя", "недели", "недель", "неделю", "week", "weeks")
    add("month", 1, "мес", "месяц", "месяца", "месяцев", "month", "months")
    add("month", 12, "год", "года", "лет", "году", "year", "years")
    add("money:₽", 1, "руб", "р", "рубль", "рубля", "рублей", "рублям", "рублями", "rub", "rubles", "roubles")
    add("money:₽", Fraction(1, 100), "коп", "копейка", "копейки", "копеек", "копейку")
    add("money:$", 1, "доллар", "dollar", "dollars", "usd", stems=["доллар"])
    add("money:$", Fraction(1, 100), "cent", "cents", "цент", stems=["цент"])
    add("money:€", 1, "евро", "euro", "euros")
    add("money:yuan", 1, "юань", "юаня", "юаней", "yuan")
    add("angle", 1, "градус", "degree", "degrees", stems=["градус"])
    add("temperature", 1, "цельсий")
    for month in _MONTHS:
        add(f"date:{month}", 1, month)
    add("more", 1, "больше", "дороже", "выше", "длиннее", "старше", "more", "greater")
    add("less", 1, "меньше", "дешевле", "ниже", "короче", "младше", "less", "fewer")
    joule = (("length", 2), ("mass", 1), ("time", -2))
    for words, factor, dimension in (
        (("дж", "джоуль", "джоуля", "джоулей", "j"), 1000, joule),
        (("кдж",), 1_000_000, joule),
        (("мдж",), 10**9, joule),
        (("н", "n", "ньютон", "ньютона", "ньютонов"), 1000, (("length", 1), ("mass", 1), ("time", -2))),
        (("кн",), 10**6, (("length", 1), ("mass", 1), ("time", -2))),
        (("вт", "ватт", "w"), 1000, (("length", 2), ("mass", 1), ("time", -3))),
        (("квт", "киловатт"), 10**6, (("length", 2), ("mass", 1), ("time", -3))),
        (("па", "паскаль", "паскалей"), 1000, (("length", -1), ("mass", 1), ("time", -2))),
        (("кпа",), 10**6, (("length", -1), ("mass", 1), ("time", -2))),
        (("гц",), 1, (("time", -1),)),
    ):
        for word in words:
            table[word] = Unit(Fraction(factor), dimension)
    for word, scale in SCALES.items():
        table[word] = Unit(scale=scale)
    percent = Unit(Fraction(1, 100), (("percent", 1),))
    for word in (
        "%",
        "процент",
        "проц",
        "percent",
        "percentage",
        "pct",
        *("процент" + ending for ending in _ENDINGS),
    ):
        table[word] = percent
    return table


UNITS = _table()
_SQUARED = re.compile(r"(?:кв|квадратн\w*|square|sq)\Z")
_CUBED = re.compile(r"(?:куб|кубическ\w*|cubic)\Z")


def adjective_power(word: str) -> int:
    """Return 2 for ``кв.`` and its forms, 3 for ``куб.``, 1 for any other word."""
    return 2 if _SQUARED.match(word) else 3 if _CUBED.match(word) else 1
