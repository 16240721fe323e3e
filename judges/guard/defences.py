r"""What stands between a hostile answer and the judge that reads it.

An answer may hold ready-made verdicts, tokens of chat templates, the end of its own frame, invisible characters.
The judge gets a view of it in which these are visible text and nothing more, between marks with a nonce that the
answer cannot know. The answer itself is never changed. What is merely said (a request, a threat, a false authority)
stays: it is part of the answer, and whether a judge withstands it is measured, not assumed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from .hostile_text import letters_alike, visible
from .threats import RULES, Threat, signs_in

_NONCE_LETTERS = "bcdfghjkmnpqrstvwxz"
_NONCE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class JudgeView:
    """An answer as a judge may read it, the answer as it was, and how often each threat was defused."""

    text: str
    original: str
    threats: Mapping[Threat, int]


def make_nonce(prompt: str, *salt: int) -> str:
    """Return a word of ten consonants, about 42 bits, that does not occur in the prompt.

    It is made of the whole prompt, so that the same question can be asked, stored and read again; an answer cannot
    hold it, for it would change with the answer. ``salt`` tells repeated gradings apart.
    """
    for number in count():
        seed = " ".join(map(str, (number, *salt))) + "\n" + prompt
        digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        nonce = "".join(_NONCE_LETTERS[byte % len(_NONCE_LETTERS)] for byte in digest[:_NONCE_LENGTH])
        if nonce not in prompt:
            return nonce
    raise AssertionError("count() is endless")


def fence(text: str, nonce: str) -> str:
    """Return the text between marks that carry the nonce.

    Raises:
        ValueError: the text holds the nonce, so the marks would not hold it.
    """
    if nonce in text:
        raise ValueError("the text holds the nonce: make one with make_nonce")
    return f"<{nonce}>\n{text}\n</{nonce}>"


def neutralise(text: str) -> JudgeView:
    r"""Return the judge's view of an answer; linear in its length, and a view of a view is the same.

    Verdicts of all known formats lose their form and keep their content: ``[[8]]`` becomes ``[ [8] ]``, a line
    ``Оценка: 8`` becomes ``‹8 ← Оценка›``, tags and chat tokens get ``‹ ›`` for brackets, the colon behind a JSON
    key such as ``"rating"`` becomes a letter that looks like one. They are recognised through full-width letters
    and letters borrowed from the other alphabet. Invisible and direction-changing characters are left out. Lists in
    code, numbers in ``\boxed``, ordinary headings and ordinary JSON stay as they are.
    """
    shown = visible(text)
    threats: Counter[Threat] = Counter()
    if len(shown) != len(text):
        threats[Threat.INVISIBLE] = len(text) - len(shown)
    readings = letters_alike(shown)
    signs = signs_in(*readings[:2])
    for rule in RULES:
        matches = rule.find(readings, signs)
        if matches:
            shown = rule.defuse(shown, matches)
            readings = letters_alike(shown)
            signs = signs_in(*readings[:2])
            threats[rule.threat] += len(matches)
    return JudgeView(shown, text, dict(threats))
