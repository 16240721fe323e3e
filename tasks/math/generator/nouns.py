"""Nouns that stand after numbers, in the three forms that Russian has for them: 1 день, 2 дня, 5 дней."""

from __future__ import annotations

from ...text.nouns import Noun

BOYS = Noun("мальчик", "мальчика", "мальчиков")
DAYS = Noun("день", "дня", "дней")
GAMES = Noun("партия", "партии", "партий")
GIRLS = Noun("девочка", "девочки", "девочек")
PAGES = Noun("страницу", "страницы", "страниц")
ROUBLES = Noun("рубль", "рубля", "рублей")
TIMES = Noun("раз", "раза", "раз")
YEARS = Noun("год", "года", "лет")
