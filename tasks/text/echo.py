"""Whether an answer says nothing but what its prompt says."""

from __future__ import annotations

import re

from .answers import ANSWER

_WORDS = 3
_SENTENCE_END = re.compile(r"(?:(?<=[.?!…])|(?<=[.?!…]»))\s+|\n")
_WORD = re.compile(r"[^\W_](?:\S*[^\W_])?")
_FRAME = re.compile(rf"```\w*|\\boxed\{{|\b(?:{ANSWER}):", re.IGNORECASE)


def repeats(prompt: str, answer: str, *, whole: bool = False) -> bool:
    """Say whether an answer consists of whole sentences or lines of its prompt, of three words or more in all.

    Letter case, signs, fences and «Ответ» make no difference. With ``whole`` all of the prompt must be there.
    What is less than a sentence may be an answer: an option, a phrase to choose, a number.
    """
    said = _words(answer)
    sentences = {words for part in _SENTENCE_END.split(prompt) if (words := _words(part))}
    longest = sorted(sentences, key=len, reverse=True)
    repeated, position = set[tuple[str, ...]](), 0
    while position < len(said):
        sentence = next((s for s in longest if said[position : position + len(s)] == s), None)
        if sentence is None:
            return False
        repeated.add(sentence)
        position += len(sentence)
    return len(said) >= _WORDS and (not whole or repeated == sentences)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_FRAME.sub(" ", text).casefold()))
