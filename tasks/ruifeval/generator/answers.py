"""Answers made to order: one that follows every instruction of a prompt, or one that just fails a chosen one.

They are for prompts of `generator.prompts`: published prompts may contradict themselves or ask for a language
or a letter that these texts lack. The texts make no sense beyond the instructions; they show that a prompt can
be satisfied and where the checkers draw their lines, and serve a trainer as examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from typing import Any
from zlib import crc32

from ....errors import UsageError
from ...types import Sample
from ..fixes import NO_FIXES
from ..instructions import check
from ..text import Text
from .answer_plan import Plan, shape
from .wording import load

# A sentence more or less can join or part others; this many corrections are enough.
_CORRECTIONS = 4

# A shorter text could be of a related language. (Where a letter case is demanded, so is Russian.)
_WORDS_THAT_TELL_A_LANGUAGE = 25


def satisfying_answer(sample: Sample) -> str:
    """Return an answer that strictly follows all the instructions of a generated prompt.

    Counts lie at their bounds: a word fewer, or a comma more, would fail.

    Raises:
        UsageError: nothing to write the answer from (not a generated prompt).
    """
    return _write(_plan(sample, violated=None))


def violating_answer(sample: Sample, index: int) -> str:
    """Return an answer that fails instruction ``index`` of a generated prompt narrowly, and follows the others.

    Raises:
        IndexError: there is no such instruction.
        UsageError: nothing to write the answer from (not a generated prompt).
    """
    count = len(sample.metadata["instructions"])
    if not 0 <= index < count:
        raise IndexError(f"instruction {index} of a prompt that has {count}")
    return _write(_plan(sample, violated=index))


def _plan(sample: Sample, violated: int | None) -> Plan:
    plan = Plan(sample.prompt)
    for position, instruction in enumerate(sample.metadata["instructions"]):
        shape(plan, instruction["id"], instruction["kwargs"], follow=position != violated)
    return plan


@dataclass(frozen=True, slots=True)
class _Stock:
    """The texts of one language, those left out that a plan does not want."""

    here: str
    joint: str
    word: str
    clauses: Sequence[str]
    padding: Sequence[str]


def _write(plan: Plan) -> str:
    stock = _stock(plan)
    pieces = [*plan.pieces, *[f"*{stock.word}*"] * plan.words_of_own]
    draft = Text(_render(plan, stock, _sentences(plan, stock, pieces, len(plan.prefixes))))
    if plan.letter:
        letter, wanted = plan.letter
        pieces += [letter] * (wanted - draft.lower.count(letter))
    if plan.capital_words is not None:
        pieces += [stock.word.upper()] * (plan.capital_words - draft.capital_words)

    sentences = _right_number(plan, stock, pieces)
    words = plan.words
    if words is None and (plan.case != "any" or plan.language != "ru"):
        words = _WORDS_THAT_TELL_A_LANGUAGE + 2 * len(pieces)
    if words is not None:
        _lengthen(sentences, plan, stock, words - Text(_render(plan, stock, sentences)).word_count)
    return _render(plan, stock, sentences)


def _right_number(plan: Plan, stock: _Stock, pieces: Sequence[str]) -> list[str]:
    number = len(plan.prefixes) if plan.words is not None else max(len(plan.prefixes), 2)
    if plan.sentences is None:
        return _sentences(plan, stock, pieces, number)
    number = plan.sentences
    for _ in range(_CORRECTIONS):
        sentences = _sentences(plan, stock, pieces, number)
        excess = Text(_render(plan, stock, sentences)).sentence_count(NO_FIXES) - plan.sentences
        if not excess:
            break
        number -= excess
    return sentences


def _sentences(plan: Plan, stock: _Stock, pieces: Sequence[str], number: int) -> list[str]:
    """Return so many sentences; for less than one, a single sentence without its full stop, which runs on."""
    sentences = []
    if pieces:
        # The word at the end shows that a sentence ends there: a single letter or an abbreviation would not.
        demanded = f" {stock.joint} ".join([*pieces, stock.word])
        sentences = [f"{plan.lead} {stock.joint} {demanded}" if plan.lead else f"{stock.here} {demanded}"]
    elif plan.lead:
        sentences = [plan.lead]
    clauses = _endless(plan, stock.clauses)
    while len(sentences) < max(number, 1):
        sentences.append(next(clauses))
    return [f"{sentence}." for sentence in sentences] if number > 0 else sentences


def _lengthen(sentences: list[str], plan: Plan, stock: _Stock, missing: int) -> None:
    """Add so many words: clauses while they fit, then single words at the end if the number matters."""
    longest = 1 + max(len(clause.split()) for clause in stock.clauses)
    clauses = _endless(plan, stock.clauses[::-1])
    position = 0
    while missing >= longest:
        clause = next(clauses)
        missing -= len(clause.split())
        if plan.sentences is None:
            sentences.append(f"{clause}.")
        else:
            sentences[position] = _extended(sentences[position], f"{stock.joint} {clause}")
            missing -= 1
            position = (position + 1) % len(sentences)
    if plan.words is not None:
        for word in islice(cycle(stock.padding), missing):
            sentences[-1] = _extended(sentences[-1], word)


def _extended(sentence: str, words: str) -> str:
    stem = sentence.removesuffix(".")
    return f"{stem} {words}{sentence[len(stem) :]}"


def _endless(plan: Plan, clauses: Sequence[str]) -> Iterator[str]:
    """Return the clauses over and over, from a place that depends on the prompt."""
    start = crc32(plan.prompt.encode()) % len(clauses)
    return cycle([*clauses[start:], *clauses[:start]])


def _render(plan: Plan, stock: _Stock, sentences: Sequence[str]) -> str:
    if plan.comma:
        sentences = [*sentences[:-1], sentences[-1].replace(" ", ", ", 1)]
    count = len(plan.prefixes)
    blocks = []
    for position, prefix in enumerate(plan.prefixes):
        share = sentences[len(sentences) * position // count : len(sentences) * (position + 1) // count]
        joined = " ".join(sentence[0].upper() + sentence[1:] for sentence in share)
        if prefix.endswith(" ") and prefix[0].isalpha():
            joined = joined[0].lower() + joined[1:]
        blocks.append(prefix + joined)
    body = plan.divider.join(blocks)
    text = "\n".join(filter(None, [plan.opening, _title(plan, stock), body, _postscript(plan, stock), plan.ending]))
    if plan.case != "any":
        text = text.upper() if plan.case == "capital" else text.lower()
    if plan.stray_letter:
        last = max(place for place, character in enumerate(text) if character.isalpha())
        text = text[:last] + text[last].swapcase() + text[last + 1 :]
    if plan.json:
        text = json.dumps({stock.word: text}, ensure_ascii=False)
    return plan.wrap(text)


def _title(plan: Plan, stock: _Stock) -> str:
    return stock.word.capitalize().join(plan.title) if plan.title else ""


def _postscript(plan: Plan, stock: _Stock) -> str:
    return f"{plan.postscript} {stock.clauses[0]}." if plan.postscript else ""


def _stock(plan: Plan) -> _Stock:
    texts: Mapping[str, Any] | None = load("answers.yaml").get(plan.language)
    if texts is None:
        raise UsageError(f"no text in language {plan.language!r} to write an answer from")
    letter = plan.letter[0] if plan.letter else None

    def wanted(text: str) -> bool:
        if letter and letter in text:
            return False
        return not any(_contains(text, word) for word in plan.unwanted)

    clauses = [clause for clause in texts["clauses"] if wanted(clause)]
    padding = [word for word in texts.get("padding", ()) if wanted(word)]
    if not clauses:
        raise UsageError("no text to write an answer from: the prompt rules out every clause of answers.yaml")
    return _Stock(texts["here"], texts["and"], texts["word"], clauses, padding)


def _contains(text: str, word: str) -> bool:
    return check("keywords:existence", {"keywords": [word]}, _reading(text)).followed


@cache
def _reading(text: str) -> Text:
    """Return a clause as checks read it; clauses are few and come again, so their lemmas are kept."""
    return Text(text)
