"""What code can say of an answer before a judge is asked: nothing in it, so the lowest score and no call."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from ...tasks.blank import BLANK_LETTERS, has_content
from ...tasks.types import Status
from .hostile_text import visible


class Reason(StrEnum):
    """Why no judge is needed."""

    EMPTY = "empty"
    NO_WORDS = "no_words"
    LEAD_IN = "lead_in"
    NO_FINAL_ANSWER = "no_final_answer"
    NOT_GENERATED = "not_generated"


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that needs no judge.

    ``status`` is ``api_error`` where no model answered at all: that is not the lowest score, but none. Any other
    finding is worth the lowest value of the scale.
    """

    reason: Reason
    status: Status


_STATUSES = {
    Reason.EMPTY: Status.EMPTY,
    Reason.NO_WORDS: Status.EMPTY,
    Reason.LEAD_IN: Status.MISSING,
    Reason.NO_FINAL_ANSWER: Status.MISSING,
    Reason.NOT_GENERATED: Status.API_ERROR,
}
_NOT_GENERATED = "$ERROR$"
_LONGEST_LEAD_IN = 300

_MARKUP = re.compile(
    r"^[ \t]{0,3}(?:`{3,}|~{3,})[^\n]{0,40}$|</?[a-z_]{1,20}\s?/?>|<\|[\w .'-]{1,60}\|>|\[/?[A-Z_]{1,20}\]"
    r"|\\(?:boxed|text|textbf|mathbf|displaystyle|qed|blacksquare|square|begin|end)\b(?:\{[a-z*]{0,12}\})?",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[^\W_]+")
_LETTER = re.compile("[a-zа-яё]")
_QED = re.compile(r"\bч\.?\s?т\.?\s?д\b", re.IGNORECASE)

_FINAL = re.compile(
    r"\\boxed\s{0,4}\{\s{0,4}[^\s{}]"
    r"|\b(?:ответ|answer|итог|итого|получаем|получили|следовательно|значит|таким образом|therefore|thus|hence)\b"
    r"[\s:*_=—–-]{0,12}[^\s:*_=—–.,!?-]",
    re.IGNORECASE,
)


def precheck(answer: str, *, final_answer_due: bool = False) -> Finding | None:
    r"""Return why the answer needs no judge; ``None`` when it should be read by one.

    Found are: nothing but white space or invisible characters; nothing but punctuation and markup (``</think>``,
    ``\boxed{}``, an empty code block); nothing but words that announce an answer («Решение:», "Thought process:");
    and, where a final answer is due, no number, formula or announced answer anywhere.
    """
    reason = _reason(visible(answer), final_answer_due)
    return None if reason is None else Finding(reason, _STATUSES[reason])


def _reason(text: str, final_answer_due: bool) -> Reason | None:
    stripped = text.strip()
    if not has_content(stripped):
        return Reason.EMPTY
    if stripped == _NOT_GENERATED:
        return Reason.NOT_GENERATED
    if len(stripped) <= _LONGEST_LEAD_IN:
        bare = _MARKUP.sub(" ", stripped)
        if not any(_says_something(char) for char in bare):
            return Reason.NO_WORDS
        if _only_announces(bare):
            return Reason.LEAD_IN
    elif not any(_says_something(char) for char in stripped):
        return Reason.NO_WORDS
    if final_answer_due and not _has_final_answer(stripped):
        return Reason.NO_FINAL_ANSWER
    return None


def _says_something(char: str) -> bool:
    if char in BLANK_LETTERS:
        return False
    if char.isalnum():
        return True
    # Formulas and emoji may be answers (∞, ∅); the black squares that end proofs are not.
    return not char.isascii() and unicodedata.category(char) in ("Sm", "So") and not "\u25a0" <= char <= "\u25ff"


def _only_announces(text: str) -> bool:
    words = [word.lower() for word in _WORD.findall(_QED.sub(" чтд ", text))]
    # A letter at the end may be the option that was chosen; elsewhere it is a preposition.
    words = [word for word in words[:-1] if not _LETTER.fullmatch(word)] + words[-1:]
    if any(not char.isascii() and unicodedata.category(char) == "Sm" for char in text):
        return False
    announcing, around = _lead_ins()
    return any(word in announcing for word in words) and all(word in announcing | around for word in words)


@cache
def _lead_ins() -> tuple[frozenset[str], frozenset[str]]:
    import yaml

    words = yaml.safe_load((Path(__file__).parent / "lead_ins.yaml").read_text(encoding="utf-8"))
    return frozenset(words["announcing"].split()), frozenset(words["around"].split())


def _has_final_answer(text: str) -> bool:
    if any(char.isdecimal() for char in text) or _FINAL.search(text):
        return True
    return any(not char.isascii() and unicodedata.category(char) == "Sm" for char in text)
