"""Which option an answer names: by its letter, in either alphabet, or by the option's own words."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..text.answers import ANSWER, heading
from ..types import Status
from .labels import CYRILLIC, LATIN, letter_index
from .statements import LONGEST, Reader, Statement, reader

__all__ = ["CYRILLIC", "LATIN", "Choice", "extract", "letter_index"]

_REACH: Final = 100
_ADJECTIVE: Final = (
    r"(?:итогов|окончательн|правильн|верн|финальн|мой|final|correct|right|best|my|the|selected|chosen)\w{0,3}"
)
_KEY: Final = r"верн\w{1,2}|верен|правил\w{2,5}|выбира(?:ю|ем)|выбрала?|выбрать|correct|right|best|choose|pick|select|go\ with"
_MARKER: Final = re.compile(
    rf"""
    (?:
        ["'](?:{_ADJECTIVE}[ _-]?){{0,2}}(?:{ANSWER}|вариант|option|choice|letter|буква)["']\s{{0,9}}:
      | <(?:final_)?(?:{ANSWER})>
      | \\f?box(?:ed)?[ ]?\{{
      | {heading("итоговый|окончательный|правильный|верный|final")}
      | \|[ \t*_]{{0,9}}(?:{_ADJECTIVE}[ ])?(?:{ANSWER})[ \t*_]{{0,9}}\|[\s|:-]{{0,99}}
      | ^[ \t]{{0,9}}\#{{4}}[ ](?=\W{{0,4}}\w(?!\w))
      | (?<![^\W_])
        (?: (?:ответ(?:ом|а|ы)?|answer)(?:[ ](?:на|to)(?:[ ]\w{{1,10}}){{0,2}}[ ](?:вопрос|задани|question)\w{{0,3}})?
          | {_ADJECTIVE}[ ](?:вариант(?:ом)?|option|choice|буква|letter) )
        [ \t\xa0*_]{{0,9}}
        (?: </(?:b|strong|em|i)> )?
        (?: [:：=] | [—–-](?=[ \t\xa0]) | (?:is|будет|является)\b:? )
      | (?P<soft>(?<![^\W_])(?:{ANSWER}|{_KEY})(?![^\W_]))
    )
    [ \t\xa0*_]{{0,9}}
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_NEGATED: Final = re.compile(
    r"(?:(?<![^\W_])(?:не|not|wrong|incorrect)|(?:неправильн|неверн|ошибочн)\w{2,3})[ *_]{1,3}$", re.IGNORECASE
)
_SURE: Final = re.compile(_KEY, re.IGNORECASE | re.VERBOSE)
_NOUN: Final = re.compile(rf"(?:{ANSWER}|вариант|option|choice)\w{{0,3}}", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?;\n]")
_CLAUSE: Final = re.compile(r"[,:(—–]")
# Before a clause, these take what it says back.
_SUPPOSED: Final = re.compile(
    r"(?<![^\W_])(?:если|допустим|предполо\w+|пусть|каза\w+|кажется|почему|не|нельзя|вряд|неверно|сомнева\w+|бы"
    r"|if|suppose|assum\w+|seems?|why|not|unlikely|whether)(?![^\W_])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The option named by an answer (from 0; None for none or several), and the status of its extraction.

    ``ok``: after «Ответ:» or in a box; ``ok_lenient``: elsewhere; ``ambiguous``: several; ``missing``: none.
    """

    index: int | None
    status: Status


def extract(text: str, options: Sequence[str], labels: str) -> Choice:
    r"""Find the option that an answer names; linear in the length of the text.

    The last «Ответ: …», «верный вариант — …», «answer is …», ``\boxed{…}`` or JSON field counts, with whatever
    follows it and takes it back or adds to it. Without any, the last line has to say nothing but an option, or else
    the first line has to begin with a letter.
    """
    read = reader(tuple(options), labels)
    return _marked(text, read) or _from_lines(text, read)


def _marked(text: str, read: Reader) -> Choice | None:
    """Read the last announcement that is not negated; None when there is none."""
    markers = list(deque(_MARKER.finditer(text), maxlen=_REACH))
    while markers:
        marker = markers.pop()
        if marker["soft"]:
            if choice := _softly(text, marker.start(), read):
                return choice
        elif not _negated(text, marker):
            start = marker.end()
            while markers and _leads_on(text, markers[-1], start, read):
                start = markers.pop().end()
            return _choice(read.read(text[start : start + LONGEST].lstrip()), Status.OK)
    return None


def _negated(text: str, marker: re.Match[str]) -> bool:
    return _NEGATED.search(text[max(0, marker.start() - 20) : marker.start()]) is not None


def _leads_on(text: str, marker: re.Match[str], start: int, read: Reader) -> bool:
    """Tell whether an announcement goes on in the next one: «Ответ: А или ответ: Б»."""
    between = text[marker.end() : start]
    return len(between) < LONGEST // 4 and not _negated(text, marker) and read.understands(between)


def _softly(text: str, key: int, read: Reader) -> Choice | None:
    """Read the sentence or clause around a word that may announce an answer, as in «Итак, верен вариант Б»."""
    before = text[max(0, key - LONGEST // 4) : key]
    sentence = max((match.end() for match in _SENTENCE.finditer(before)), default=0)
    clause = max((match.end() for match in _CLAUSE.finditer(before, sentence)), default=sentence)
    for start in dict.fromkeys((sentence, clause)):
        if start > sentence and _SUPPOSED.search(before, sentence, start):
            break
        said = read.read(text[key - len(before) + start : key + LONGEST], numbers=False)
        sure = any(map(_SURE.fullmatch, said.before | said.after))
        noun = any(map(_NOUN.fullmatch, said.before | said.after))
        announced = any(_SURE.fullmatch(word) or _NOUN.fullmatch(word) for word in said.before)
        if said.sense == "several":
            return Choice(None, Status.AMBIGUOUS)
        if said.sense == "one" and (announced or (sure and noun)):
            return Choice(said.index, Status.OK if sure else Status.OK_LENIENT)
    return None


def _choice(said: Statement, status: Status) -> Choice:
    if said.sense == "one":
        return Choice(said.index, status)
    return Choice(None, Status.MISSING if said.sense == "none" else Status.AMBIGUOUS)


def _from_lines(text: str, read: Reader) -> Choice:
    """Read an answer that marks nothing, by its last line or else its first.

    No other such line may disagree, of the first and the last hundred.
    """
    filled = [line for line in text.splitlines() if line.strip(" \t\xa0`")]
    near = filled if len(filled) <= 2 * _REACH else filled[:_REACH] + filled[-_REACH:]
    lines = [_line(line, read) for line in near]
    if not lines:
        return Choice(None, Status.MISSING)
    stated = [line for line in lines if line.sense == "one" and line.said != "prose" and line.before]
    last = lines[-1] if lines[-1].sense == "several" or lines[-1].said != "prose" else lines[0]
    chosen = next(
        line for line in (last, *reversed(stated), lines[0]) if line.sense in ("one", "several") or line is lines[0]
    )
    if chosen.sense != "one" or (chosen.said == "prose" and not chosen.closed):
        return Choice(None, Status.AMBIGUOUS if chosen.sense == "several" else Status.MISSING)
    rivals = {line.index for line in lines if line.sense == "one" and (_alone(line) or not _alone(chosen))}
    return Choice(None, Status.AMBIGUOUS) if rivals - {chosen.index} else Choice(chosen.index, Status.OK_LENIENT)


def _alone(line: Statement) -> bool:
    return line.said != "prose" and (not line.worded or bool(line.before))


def _line(line: str, read: Reader) -> Statement:
    """Read a line, or else its last sentence."""
    if len(line) > LONGEST:
        return Statement("none")
    said = read.read(line, numbers=False)
    last = re.split(r"(?<=[.!?])[ \t]+", line.rstrip())[-1]
    return said if said.sense not in ("none", "unread") or last == line else read.read(last, numbers=False)
