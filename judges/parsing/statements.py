"""What a sentence does with the values that it names: denies them, corrects them, adds them up, leaves them open.

Works on values of any kind (`Mention`), numbers and labels alike, by the words that stand between them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...tasks.types import Status
from .verdict import Reading

_LONGEST_LINK = 120
_LOOK_AROUND = 120

_STRONG = (
    r"(?:→|⟶|➔|⇒|->|=>"
    r"|(?:(?:^|[,.;:!?()…—–-])\s*(?:хотя|а|но|ой|впрочем|well|oh|wait|or)?,?\s*\b(?:нет|no)\b(?!\s+(?:more|less"
    r"|better|worse)\b))"
    r"|\b(?:точнее|вернее|исправл\w*|поправк\w*|поправля\w*|корректир\w*|скорректир\w*|пересм[ао]\w*|передум\w*"
    r"|(?:сниж|пониж|повыш|подним|опуск)а?\w*\s(?:\w+\s){0,2}до|or rather|actually|correct(?:ion|ed|ing)"
    r"|on (?:second thought\w?|reflection)|wait|I made a mistake|я ошиб\w{2,5}|scratch that|revis\w+|make (?:it"
    r"|that)"
    r"|(?:но|хотя|и)\s+вс[её][- ]таки|на самом деле"
    r"|(?:lower|rais|reduc)\w*\s(?:\w+\s){0,2}to)\b)"
)
"""What comes before a value takes the place of the ones before it."""

_CONTRAST = (
    r"(?:а|но|только|лишь|only|just|поэтому|значит|следовательно|ставлю|поставлю|but|so|therefore|hence|thus)"
)
"""What leads from a value that was denied to the one that is meant."""

_ALTERNATIVE = (
    r"(?:±|\+/-|(?:-|–|—|\.{2,}|…)\s*$|\b(?:или|либо|а то и|может|возможно|скорее|пожалуй|or|maybe|perhaps"
    r"|possibly|probably"
    r"|даже|even|to|до)\b)"
)
_FILLER = (
    r"а|но|и|за|же|ж|всё|все|таки|это|этому|этот|я|мы|бы|быть|на|для|наверное|тут|здесь|лучше|оценк\w{1,2}"
    r"|балл\w{0,3}"
    r"|моя|мой|итог\w{0,2}|итого|всего|ответ\w{0,2}|ассистент\w{0,2}|перв\w{1,3}|втор\w{1,3}|ход\w{0,2}"
    r"|вопрос\w{0,2}"
    r"|потому|говоря|надо|нужно|ставлю|поставлю|уже|and|for|the|a|an|it|its|it's|is|that|this|i|i'd|i'll|say|give|my|turn|question"
    r"|first|second"
    r"|one|two|points?|rating|score|assistant|answer|response|model"
)
_WORD = (
    rf"(?:{_FILLER}|{_CONTRAST}|или|либо|а то и|может|возможно|можно|скорее|пожалуй|точнее|вернее|даже|почти"
    rf"|almost|nearly|округл\w+|rounded|to|could|might|or|maybe|perhaps"
    r"|possibly|probably|rather|actually|even|not|но|нет|no|хотя|не|никак|вместо|instead of|than)"
)
_ONLY_LINKS = re.compile(rf"[\W_]*(?:{_WORD}\b[\W_]*)*", re.IGNORECASE)
_CORRECTS = re.compile(_STRONG, re.IGNORECASE)
_OPEN = re.compile(_ALTERNATIVE, re.IGNORECASE)
_LEADS_ON = re.compile(rf"\b{_CONTRAST}\b|[;—–]", re.IGNORECASE)
_OPERATOR = re.compile(
    r"[\s*_),]*(?:балл\w*|points?)?(?:\s?\([^()\d]{0,40}\)|\s(?:за|for)\s[^\d+=−–—,;.]{1,40}?)?"
    r"[\s*_),]*(?P<sign>[+−*/×-]|минус|плюс|minus|plus)[\s*_(]*",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"(?:=|\b(?:итого|всего|равно|получа\w+|выход\w+|в сумме|so|equals|makes|totals?|in total|gives?)\b)"
    r"(?P<behind>[^=]*)$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.!?;,:\n]|\s[—–-]\s|→")
_DENIES = re.compile(
    r"\b(?:не|нельзя|вряд ли|never|not|cannot|nor|without|вместо|rather than|instead of)\b|n[’']t\b", re.IGNORECASE
)
_NO_VERDICT = re.compile(
    r"\b(?:не|not)\s(?:\w{1,20}\s){0,2}(?:оценк\w|балл\w{0,2}|вердикт|rating|score|verdict)\W*$", re.IGNORECASE
)
_DISBELIEVES = re.compile(
    r"(?:\b(?:не|not|never)|n['’]t)\s(?:бы\s)?(?:счита\w{1,3}|дума\w{1,3}|вер[юи]\w?|уверен\w?|соглас\w{1,3}"
    r"|сказал\w?|скажу"
    r"|think|believe|say|agree|feel|sure)\b[^.!?;:]*$",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"(?:\b(?:больше|меньше|выше|ниже|лучше|хуже|более|менее|свыше|минимум|максимум|до|at least|at most|below"
    r"|above|over"
    r"|under|more than|less than|better than|worse than|up to|минимально|максимально)(?:,? чем)?(?: на)?"
    r"|(?<![=<>-])[<>≤≥]=?)"
    r"[\s*_(]*$",
    re.IGNORECASE,
)
_MOVED_TO = re.compile(r"(?:сниж|пониж|повыш|подним|опуск)\w*\s(?:\w+\s){0,2}до[\s*_(]*$", re.IGNORECASE)
_REJECTED = re.compile(
    r"[\s*_)\]]*(?:балл\w*|points?)?[\s,*_—–-]*(?:(?:это|уже|is|was|seems|it|here|здесь)\s){0,2}"
    r"(?:был[оаи]? бы|бы\b|would\b|слишком|завыш\w*|заниж\w*|чересчур|многовато|too\b|невозможн\w*|не (?:заслуж"
    r"|постав|дам|став|лучше|побед|выигр)"
    r"|(?:я |мы )(?:бы )?(?:не|никак)\b|isn['’]t|is not|not mine)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[\s*_)»\"'\]]*\?")
_TURNS = re.compile(
    r"(?:^|[.,;:!?(…—–])\W*(?:хотя|но|впрочем|однако|нет|иначе|подумав|but|no|well|hmm|though|although|however"
    r"|otherwise|actually)(?!\w)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[\s*_)»\"'\]]*(?:[.!;](?!\d)|\Z)")
_VALUE = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Mention:
    """A value in a sentence.

    ``announced`` tells whether a label says that it is the verdict, ``of_the_scale`` whether it names the scale
    (``8 из 10``): then it is a rating, whoever's.
    """

    start: int
    end: int
    reading: Reading
    announced: bool = False
    of_the_scale: bool = False


def settle(text: str, mentions: Iterable[Mention], *, bounds: bool = True) -> Reading | None:
    """Return what is left of the values of a stretch, None where all were denied.

    A value that is corrected, denied or turned down gives way to the one that replaces it; of a calculation the
    result counts, if there is one and the sum is right. Where more than one is left it is ``ambiguous``, and so is
    a value that is only a bound (``не ниже 6``) where values have ``bounds``.
    """
    live: list[Mention] = []
    terms: list[str] = []
    denied = open_ended = False
    done = 0
    found = list(mentions)
    for index, mention in enumerate(found):
        between = text[max(done, mention.start - _LONGEST_LINK) : mention.start]
        follows = index > 0 and mention.start - done <= _LONGEST_LINK
        linked = follows and bool(_ONLY_LINKS.fullmatch(between))
        since, done = done, mention.end
        said = _VALUE.search(text, mention.start, mention.end)
        number = said[0].replace(",", ".") if said else ""
        if follows and (live or terms) and (operator := _OPERATOR.fullmatch(between)):
            if not terms and _VALUE.search(text, live[-1].start, live[-1].end):
                first = _VALUE.search(text, live[-1].start, live[-1].end)
                terms = [first[0].replace(",", ".") if first else ""]
            terms += [operator["sign"].lower(), number]
            if not live:
                live = [mention]
            continue
        if terms and follows and (result := _RESULT.search(between)) and _ONLY_LINKS.fullmatch(result["behind"]):
            open_ended = not _adds_up(terms, number, text, mention)
            live, terms = [mention], []
            continue
        behind = text[mention.end : mention.end + _LOOK_AROUND]
        behind = behind[: max(0, found[index + 1].start - mention.end)] if index + 1 < len(found) else behind
        if _is_denied(text, since, mention) or _REJECTED.match(behind):
            # A value that is denied and that nobody gave: what was said before stands.
            denied = True
            continue
        if bounds and _is_bound(text, since, mention):
            if mention.announced or linked:
                open_ended = True
            continue
        if _corrected(between, follows=follows, announced=mention.announced):
            live, terms, open_ended = [mention], [], False
        elif denied and not live and follows and leads_on(between):
            live, denied = [mention], False
        elif linked and _OPEN.search(between):
            live.append(mention)
            open_ended = True
        elif mention.announced or (mention.of_the_scale and live):
            live.append(mention)
        elif denied and follows and leads_on(between):
            live, denied = [mention], False
        elif live and follows and (linked or (_TURNS.search(between) and _ENDS.match(text, mention.end))):
            # A bare number that ends a sentence behind «хотя …» or «нет, …» may be the new value.
            live.append(mention)
        if _ASKED.match(text, mention.end) and live and live[-1] is mention:
            open_ended = True
    if terms or open_ended:
        return Reading(None, Status.AMBIGUOUS)
    if not live:
        return None
    return one_of(live)


def one_of(mentions: list[Mention]) -> Reading:
    """Return the last reading if all agree, else ``ambiguous``."""
    said: set[tuple[Any, Status | Any]] = {
        (mention.reading.value, mention.reading.value is None and mention.reading.status) for mention in mentions
    }
    return Reading(None, Status.AMBIGUOUS) if len(said) > 1 else mentions[-1].reading


def is_corrected(between: str) -> bool:
    """Whether what stands between two values says that the second one replaces the first."""
    return bool(_CORRECTS.search(between))


def is_denied(before: str, behind: str = "") -> bool:
    """Whether what stands before and behind a value in its sentence says that it is not given."""
    clause = _last_clause(before)
    return bool(
        _DENIES.search(clause)
        or _NO_VERDICT.search(before)
        or _DISBELIEVES.search(before)
        or _REJECTED.match(behind)
    )


def leads_on(between: str) -> bool:
    """Whether what stands between a denied value and the next one says that the next is meant."""
    last = _last(_LEADS_ON, between)
    return last is not None and bool(_ONLY_LINKS.fullmatch(between[last.end() :]))


def is_linked(between: str) -> bool:
    """Whether nothing but words that link values stands between two of them."""
    return bool(_ONLY_LINKS.fullmatch(between))


def _corrected(between: str, *, follows: bool, announced: bool) -> bool:
    if not follows:
        return False
    last = _last(_CORRECTS, between)
    return last is not None and (announced or bool(_ONLY_LINKS.fullmatch(between[last.end() :])))


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def _last_clause(before: str) -> str:
    return _CLAUSE.split(before[-_LOOK_AROUND:].rstrip(" *_([«\"'"))[-1]


def _is_denied(text: str, start: int, mention: Mention) -> bool:
    before = text[max(start, mention.start - _LOOK_AROUND) : mention.start]
    return is_denied(before)


def _is_bound(text: str, start: int, mention: Mention) -> bool:
    before = text[max(start, mention.start - _LOOK_AROUND) : mention.start]
    in_angles = before.rstrip().endswith("<") and text[mention.end : mention.end + 2].lstrip().startswith(">")
    return bool(_BOUND.search(before)) and not in_angles and not _MOVED_TO.search(before)


def _adds_up(terms: list[str], result: str, text: str, mention: Mention) -> bool:
    """Whether a calculation gives its result; a mean is the sum divided by its last term."""
    try:
        values = [float(term) for term in terms[::2]]
        wanted = float(result) if result else float(mention.reading.value)
    except (TypeError, ValueError):
        return True
    signs = terms[1::2]
    total = values[0]
    for sign, value in zip(signs, values[1:], strict=False):
        if sign in ("+", "плюс", "plus"):
            total += value
        elif sign in ("-", "−", "минус", "minus"):
            total -= value
        elif sign in ("*", "×"):
            total *= value
        elif value:
            total /= value
    return abs(total - wanted) < 0.051 or (
        mention.reading.value is not None and abs(total - mention.reading.value) < 0.051
    )
