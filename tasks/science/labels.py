"""The letters that options are labelled by, typed in either alphabet."""

from __future__ import annotations

from typing import Final

LATIN: Final = "ABCDEFGHIJ"
CYRILLIC: Final = "АБВГДЕЖЗИК"

# Cyrillic capitals that look like Latin ones.
_TWINS: Final = dict(zip("АВСЕКН", "ABCEKH", strict=True))
_TWINS_OF_LATIN: Final = {latin: cyrillic for cyrillic, latin in _TWINS.items()}


def letter_places(letter: str, labels: str) -> tuple[int, ...]:
    """Return the places (from 0) among the labels that a typed letter may stand for, the likeliest first.

    A label is itself and nothing else. Under Latin labels a Cyrillic letter that looks like one of them is most
    likely that one: В is B, С is C. Any other letter goes by its place in its own alphabet, as Б and B, Г and D
    are the same; so under Cyrillic labels B is most likely the second option, though it looks like В, the third.
    On some keyboards С is typed for C under Cyrillic labels too.
    """
    capital = letter.upper()
    if capital in labels:
        return (labels.index(capital),)
    alike = labels.find(_TWINS.get(capital) or _TWINS_OF_LATIN.get(capital, "?"))
    own = max(LATIN.find(capital), CYRILLIC.find(capital))
    latin = LATIN.find(_TWINS.get(capital, "?"))
    likely = (alike, own) if labels[:1] == LATIN[0] else (own, alike, latin)
    return tuple(place for place in dict.fromkeys(likely) if 0 <= place < len(labels))


def letter_index(letter: str, labels: str) -> int | None:
    """Return the likeliest of `letter_places`; None where a letter stands for no label."""
    return next(iter(letter_places(letter, labels)), None)
