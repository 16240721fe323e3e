"""Text that looks like other text: invisible characters, letters of one alphabet that pass for those of another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_CYRILLIC = "АВСЕНКМОРТХУасеорхуктміѕјԁ"
_LATIN = "ABCEHKMOPTXYaceopxyktmisjd"
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_TO_CYRILLIC = str.maketrans(_LATIN[:-4], _CYRILLIC[:-4])

_BYTES = "cp1251"
"""Russian and English text fits into it, and bytes are translated ten times as fast as strings."""

_KEPT_CONTROLS = "\n\r\t"
_ORDINARY = re.compile("[\n\r\t -~А-яЁё«»—–„“”…№]*+")
"""What most texts are all made of: nothing hidden, and nothing that is another letter in disguise."""

_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_EMOJI_JOINERS = re.compile("(?<=[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\u20e3])[\u200d\ufe0f]")


def visible(text: str) -> str:
    """Return the text without characters that do not show or turn the direction of others; emoji stay whole."""
    if _ORDINARY.fullmatch(text):
        return text
    hidden = {ord(char): None for char in set(text) if _is_hidden(char)}
    if not hidden:
        return text
    joiners = {match.start() for match in _EMOJI_JOINERS.finditer(text)}
    if not joiners:
        return text.translate(hidden)
    return "".join(char for place, char in enumerate(text) if ord(char) not in hidden or place in joiners)


def letters_alike(text: str) -> tuple[str, ...]:
    """Return readings of a text in which look-alikes are one letter, character for character.

    In the first, Cyrillic letters are the Latin ones that they look like, in the second the other way round, the
    third is the text, if it is neither; full-width and mathematical letters are plain in all of them.
    """
    plain = text
    if not _ORDINARY.fullmatch(text):
        folded = {ord(char): one for char in set(text) if len(one := _plain(char)) == 1 and one != char}
        plain = text.translate(folded) if folded else text
    latin, cyrillic = _translated(plain, _TO_LATIN), _translated(plain, _TO_CYRILLIC)
    return (latin, cyrillic) if plain in (latin, cyrillic) else (latin, cyrillic, plain)


def _translated(text: str, table: Mapping[int, int]) -> str:
    try:
        return text.encode(_BYTES).translate(_NARROW[id(table)]).decode(_BYTES)
    except UnicodeEncodeError:
        return text.translate(table)


def _narrow(table: Mapping[int, int]) -> bytes:
    characters = bytes(range(256)).decode(_BYTES, "replace")
    return characters.translate(table).encode(_BYTES, "replace")


_NARROW = {id(table): _narrow(table) for table in (_TO_LATIN, _TO_CYRILLIC)}


@lru_cache(maxsize=4096)
def _is_hidden(char: str) -> bool:
    category = unicodedata.category(char)
    return (category in ("Cf", "Cc") and char not in _KEPT_CONTROLS) or bool(_VARIATION_SELECTORS.match(char))


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if unicodedata.category(char) == "Zs":
        return " "
    folded = unicodedata.normalize("NFKC", char)
    # One digit stands for a number in one sign (⑩), so that places stay places.
    return folded if len(folded) == 1 else next(filter(str.isdecimal, folded), folded)
