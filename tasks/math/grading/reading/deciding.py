"""Words beside a value that decide what is said of it: up or down, even or odd, a profit or a loss."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .units import UNITS

_OPPOSITES: dict[str, tuple[str, str]] = {
    "change": (
        "увелич вырас вырос растет возрас возрос повыс подорож подня подним прибав прирос прирас",
        "уменьш упад упал паден сниз сниж пониз пониж подешев опуст убав сократ убыв потеря",
    ),
    "gain": ("прибыл выигр выгод доход заработ побежд побед переплат", "убыт проигр невыгод расход потрат пораж"),
    "more": ("больше", "меньше"),
    "price": ("дорож дорог", "дешев"),
    "size": ("выше длинне старше шире глубже тяжеле толще крупне", "ниже короче младше уже мельче легче тоньше"),
    "speed": ("быстре скоре", "медленн"),
    "time": ("раньше прежде опереж спеш", "позже позднее опозда отста"),
    "when": ("через спустя", "назад"),
    "parity": ("четн", "нечетн"),
    "prime": ("прост", "составн"),
    "sign": ("положит неотрицат", "отрицат неположит"),
    "whole": ("цел", "дробн нецел"),
    "rational": ("рацион", "иррац"),
    "angle": ("остр", "туп прямоуг"),
    "parallel": ("паралл", "перпенд скрещ пересек"),
    "convex": ("выпукл", "вогнут"),
    "order": ("перв", "втор"),
    "side": ("лев слева налев", "прав справа направ"),
    "pole": ("север", "юг юж"),
    "sun": ("восток восточ", "запад"),
    "extreme": ("максим наибол", "миним наимен"),
    "alike": ("одинак", "различ неравн"),
    "truth": ("верн правд истин", "неверн неправд ложн"),
    "can": ("можно", "нельзя невозм"),
    "slope": ("возрастающ", "убывающ"),
    "divided": ("дел кратн", "недел некратн"),
    "digits": ("двузнач двухзнач", "трехзнач"),
}
"""Stems of words with opposite meanings, or of which only one can hold."""
_STEMS = [
    (stem, f"{axis}{sign}")
    for axis, pair in _OPPOSITES.items()
    for sign, stems in zip("+-", pair, strict=True)
    for stem in stems.split()
]
_BY_LENGTH = sorted(_STEMS, key=lambda pair: -len(pair[0]))
_STARTS = re.compile("(?:" + "|".join(re.escape(stem) for stem, _ in _BY_LENGTH) + ")")
_MEANS = dict(_BY_LENGTH)
_COMPARED = ("больше", "меньше", "дороже", "дешевле", "выше", "ниже", "длиннее", "короче", "старше", "младше")
"""Words of comparison that `units` has, too."""
_WHOLE_WORDS = {"раз": "by+", "раза": "by+", "на": "by-"}
"""Words that tell a factor («в 4 раза») from a difference («на 4»)."""
_MAY_BE_LEFT_OUT = frozenset(["when", "by"])
_NOT = frozenset(["правильно", "правильный", "правило", "остров", "прибыло", "дела", "дело", "делим"])
"""Words that only begin like one that decides."""
_FILLERS = frozenset(
    [
        *("это", "на", "в", "за", "с", "к", "по", "у", "о", "об", "от", "из", "что", "при", "для", "и", "а", "же"),
        *("равно", "равна", "равен", "равны", "ответ", "значит", "итого", "всего", "ровно", "значение", "число"),
        *("составляет", "получаем", "искомое", "примерно", "около", "приблизительно", "только", "таких", "есть"),
    ]
)
_ENDING = re.compile(r"(?:[аеиоуыэюяьй]+|[аеиоуыэюя]?[хмвт]|ого|его|ому|ему|ыми|ими|ами|ями)\Z")


def stem(word: str) -> str:
    """Return a Russian word without its ending; short words as they are."""
    return _ENDING.sub("", word) if len(word) > 4 else word


def deciding(words: Iterable[str]) -> frozenset[str]:
    """Return what the words say, as ``change+`` or ``change-``; words that decide nothing are passed over."""
    return frozenset(mark for mark in map(_mark, words) if mark)


def _mark(word: str) -> str:
    if word in _NOT or word in _WHOLE_WORDS:
        return _WHOLE_WORDS.get(word, "")
    match = _STARTS.match(word)
    return _MEANS[match[0]] if match else ""


@dataclass(frozen=True, slots=True)
class Words:
    """What stands before a value and after it, without units and what only leads up to the value."""

    before: frozenset[str]
    after: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """The words on both sides."""
        return self.before | self.after


_NONE = Words(frozenset(), frozenset())


def remembered(before: Iterable[str], after: Iterable[str]) -> Words | None:
    """Return the words around a value that may say something; None if there are none."""
    leading = list(before)
    kept = _kept(leading)
    # Farther from the value «на» says where something is, and not by how much it changes.
    if kept and leading[-1].lower() == "на":
        kept |= {"на"}
    words = Words(kept, _kept(after))
    return words if words != _NONE else None


def _kept(words: Iterable[str]) -> frozenset[str]:
    lower = (word.lower().replace("ё", "е") for word in words)
    return frozenset(
        word
        for word in lower
        if len(word) > 1 and not word.isascii() and word.isalpha() and word not in _FILLERS and not _is_unit(word)
    )


def _is_unit(word: str) -> bool:
    return word in UNITS and not word.startswith(_COMPARED)


def agree(gold: Words | None, answer: Words | None, *, named: bool = False) -> bool | None:
    """Whether the words beside two values leave room for the values to mean the same; None: it cannot be told.

    ``named``: the values are letters, so that the words say everything (``n is odd``).
    """
    ours, theirs = gold or _NONE, answer or _NONE
    marks, others = deciding(ours.all), deciding(theirs.all)
    for mark in marks - others:
        if mark[:-1] + ("-" if mark[-1] == "+" else "+") in others:
            return False
    if gold and not {mark for mark in marks if mark[:-1] not in _MAY_BE_LEFT_OUT} <= others:
        return None
    if named and (gold or others) and _stems(ours.all) != _stems(theirs.all):
        return None
    # Heads that have nothing in common («долг», «остаток») may speak of different things.
    heads = [_stems(word for word in words.before if not _mark(word)) for words in (ours, theirs)]
    return None if all(heads) and not heads[0] & heads[1] else True


def told_apart(first: Words | None, second: Words | None) -> bool:
    """Whether the words say that two parts of one answer are different things: ``5 red`` and ``5 blue``."""
    return bool(first and second and _stems(first.all) != _stems(second.all))


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stem, words))
