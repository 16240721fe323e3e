"""Which option an answer names: by its letter, in either alphabet, or by the option's own words."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..text.answers import ANSWER, heading
from ..types import Status
from .labels import CYRILLIC, LATIN, letter_index
from .statements import LONGEST, Statement, read, understood
from .tokens import Tokenizer, tokenizer

__all__ = ["CYRILLIC", "LATIN", "Choice", "extract", "letter_index"]

_REACH: Final = 100
_NEAR: Final = 250
_ADJECTIVE: Final = (
    r"(?:итогов|окончательн|правильн|верн|финальн|мой|final|correct|right|best|my|the|selected|chosen)\w{0,3}"
)
_KEY: Final = (
    r"верн\w{1,2}|верен|правил\w{2,5}|выбира(?:ю|ем)|выбрала?|выбрать|correct|right|best|choose|pick|select"
)
_MARKER: Final = re.compile(
    rf"""
    (?:
        (?P<field>["'])(?:{_ADJECTIVE}[ _-]?){{0,2}}(?:{ANSWER}|вариант|option|choice|letter|буква|result|selected)
        ["']\s{{0,9}}:
      | <(?:(?:final_)?(?:{ANSWER})|final|result)>
      | \\f?box(?:ed)?[ ]?\{{?
      | {heading("итоговый|окончательный|правильный|верный|final")}
      | \|[ \t*_]{{0,9}}(?:{_ADJECTIVE}[ ])?(?:{ANSWER})[ \t*_]{{0,9}}\|[\s|:-]{{0,99}}
      | ^[ \t]{{0,9}}\#{{4}}[ ](?=\W{{0,4}}\w(?!\w))
      | (?<![^\W_])
        (?: (?:ответ(?:ом|а|ы)?|answer)
            (?:[ ](?:на|к|to|for)(?:[ ]\w{{1,10}}){{0,2}}[ ](?:вопрос|зада|question)\w{{0,3}})?
            (?:[ ]?№?[ ]?\d{{1,3}}|[ ]\([^()\n]{{1,30}}\))?
          | {_ADJECTIVE}[ ](?:вариант(?:ом)?|option|choice|буква|letter) )
        [ \t\xa0*_]{{0,9}}
        (?: </(?:b|strong|em|i)> )?
        (?: [=-]> | [:：=→] | [—–-](?=[ \t\xa0]|(?-i:[A-ZА-Я])(?!\w)) )
      | (?P<soft>(?<![^\W_])(?<![</])(?:{ANSWER}|ответом|{_KEY})(?![^\W_]))
    )
    [ \t\xa0*_]{{0,9}}
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_VALUE: Final = re.compile(rf"\s{{0,9}}([\"'])([^\"'\n]{{0,{LONGEST}}})\1")
_NEGATED: Final = re.compile(
    r"(?:(?<![^\W_])(?:не|not|wrong|incorrect)|(?:неправильн|неверн|ошибочн)\w{2,3})[ *_]{1,3}$", re.IGNORECASE
)
_SURE: Final = re.compile(rf"{_KEY}|is|будет|является", re.IGNORECASE | re.VERBOSE)
_NOUN: Final = re.compile(rf"(?:{ANSWER}|вариант|option|choice)\w{{0,3}}", re.IGNORECASE)
_ANSWER: Final = re.compile(rf"(?:{ANSWER})\w{{0,3}}", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?;\n]")
_BROKEN: Final = re.compile(
    r"(?<=[ \t]или)[ \t]{0,9}\n\s{0,9}|(?<=[ \t]либо)[ \t]{0,9}\n\s{0,9}|(?<=[ \t]or)[ \t]{0,9}\n\s{0,9}",
    re.IGNORECASE,
)
_LAST_SENTENCE: Final = re.compile(r"(?<=[.!?])[ \t]+")
_CONCLUSION: Final = re.compile(
    r",[ ](?=(?:то есть|т\. ?е\.|значит|поэтому|следовательно|что соответствует|so|thus|hence|therefore)[ ,])"
)
_CLAUSE: Final = re.compile(r"[,:(—–]")
# Before a clause, these take back what it says, unless it turns against them itself.
_SUPPOSED: Final = re.compile(
    r"(?<![^\W_])(?:если|допустим|предполо\w+|пусть|каза\w+|кажется|почему|разве|не|нельзя|вряд|бы|неверно|неправильно"
    r"|неправда|ложь|ошиб\w+|заблужд\w+|сомнева\w+|якобы|утвержда\w+|говорят|считают"
    r"|if|suppose|assum\w+|seems?|why|not|unlikely|whether|wrong|false|myth|claim\w*|says?)(?![^\W_])",
    re.IGNORECASE,
)
_TURN: Final = re.compile(
    r"\s{0,9}(?:но|однако|поэтому|следовательно|but|however|so|therefore|thus|hence)(?![^\W_])", re.IGNORECASE
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
    tokens = tokenizer(tuple(options), labels)
    return _marked(text, tokens) or _from_lines(text, tokens)


def _marked(text: str, tokens: Tokenizer) -> Choice | None:
    """Read the last announcement that is not negated; None when there is none."""
    markers = list(deque(_MARKER.finditer(text), maxlen=_REACH))
    denied = False
    while markers:
        marker = markers.pop()
        if not marker["soft"]:
            if not _negated(text, marker):
                before = _before(text, marker.start(), marker.end(), markers, tokens)
                value = _VALUE.match(text, marker.end()) if marker["field"] and not before else None
                phrase = value[2] if value else before + _from(text, marker.end())
                return _choice(read(phrase, tokens), Status.OK)
            continue
        for start in _starts(text, marker.start()):
            said = read(_from(text, start), tokens, numbers=False)
            if not _announces(said):
                continue
            denied = denied or said.sense == "denied"
            if said.sense in ("one", "several") and not said.asked:
                before = _before(text, start, start, markers, tokens)
                said = read(before + _from(text, start), tokens, numbers=False)
                sure = any(map(_SURE.fullmatch, said.before | said.after))
                return _choice(said, Status.OK if sure else Status.OK_LENIENT)
    return Choice(None, Status.AMBIGUOUS) if denied else None


def _from(text: str, start: int) -> str:
    return text[start : start + LONGEST].lstrip()


def _negated(text: str, marker: re.Match[str]) -> bool:
    return _NEGATED.search(text[max(0, marker.start() - 20) : marker.start()]) is not None


def _before(text: str, begin: int, start: int, markers: list[re.Match[str]], tokens: Tokenizer) -> str:
    """Return the announcements right before another one, each on a line: «Ответ: А или ответ: Б».

    ``begin`` and ``start`` are where the other one's words and what it says begin.
    """
    before = ""
    while markers and len(before) < LONGEST:
        marker = markers[-1]
        earlier = next(_starts(text, marker.start())) if marker["soft"] else marker.end()
        if earlier < start and (earlier < begin or not marker["soft"]):
            between = f"{text[earlier:begin]}\n{text[begin:start]}"
            if len(between) > _NEAR or _negated(text, marker) or not understood(between, tokens):
                break
            said = read(between, tokens) if marker["soft"] else None
            if said and said.sense != "none" and ("?" in between or not _announces(said)):
                break
            if not said or said.sense != "none":
                before, start = between + before, earlier
                begin = earlier if marker["soft"] else marker.start()
        markers.pop()
    return before


def _starts(text: str, key: int) -> Iterator[int]:
    """Yield where the sentence starts that has a word which may announce an answer, and its clause."""
    first = max(0, key - _NEAR)
    sentence = max((match.end() for match in _SENTENCE.finditer(text, first, key)), default=first)
    yield sentence
    clause = max((match.end() for match in _CLAUSE.finditer(text, sentence, key)), default=sentence)
    if clause > sentence and (_TURN.match(text, clause) or not _SUPPOSED.search(text, sentence, clause)):
        yield clause


def _announces(said: Statement) -> bool:
    """Tell whether a sentence gives an answer: «верен вариант Б», «Б — правильный ответ», not «Б верно»."""
    keys = [word for word in said.before | said.after if _SURE.fullmatch(word)]
    nouns = [word for word in said.before | said.after if _NOUN.fullmatch(word)]
    return bool(keys and nouns) or any(_SURE.fullmatch(word) or _ANSWER.fullmatch(word) for word in said.before)


def _choice(said: Statement, status: Status) -> Choice:
    if said.sense == "one":
        return Choice(said.index, status)
    return Choice(None, Status.MISSING if said.sense == "none" else Status.AMBIGUOUS)


def _from_lines(text: str, tokens: Tokenizer) -> Choice:
    """Read an answer that marks nothing, by its last line or else its first.

    No other such line may disagree, of the first and the last hundred.
    """
    filled = [line for line in _BROKEN.sub(" ", text).splitlines() if line.strip(" \t\xa0`")]
    near = filled if len(filled) <= 2 * _REACH else filled[:_REACH] + filled[-_REACH:]
    lines = [_line(line, tokens) for line in near]
    if not lines:
        return Choice(None, Status.MISSING)
    stated = [line for line in lines if line.sense == "one" and line.said != "prose" and line.before]
    last = lines[-1] if lines[-1].sense == "several" or lines[-1].said != "prose" else lines[0]
    chosen = next((line for line in (last, *reversed(stated)) if line.sense in ("one", "several")), lines[0])
    if chosen.sense != "one" or (chosen.said == "prose" and not chosen.closed):
        return Choice(None, Status.AMBIGUOUS if chosen.sense == "several" else Status.MISSING)
    weight = _weight(chosen)
    rivals = {line.index for line in lines if line.sense == "one" and _weight(line) >= weight}
    return Choice(None, Status.AMBIGUOUS) if rivals - {chosen.index} else Choice(chosen.index, Status.OK_LENIENT)


def _weight(line: Statement) -> int:
    """Return how much like an answer a line is: 0 with prose about it, 1 with its words, 2 with nothing else."""
    if line.said == "prose":
        return 0
    return 1 if line.worded and not line.before else 2


def _line(line: str, tokens: Tokenizer) -> Statement:
    """Read a line, or else its last sentence, or the conclusion that it ends with."""
    if len(line) > LONGEST:
        return Statement("none")
    said = read(line, tokens, numbers=False)
    for end in (_LAST_SENTENCE, _CONCLUSION):
        rest = end.split(line.rstrip())[-1]
        if said.sense in ("none", "unread") and rest != line:
            said = read(rest, tokens, numbers=False)
    return Statement("none") if said.asked and said.before else said
