"""Pairs: which of two answers is better, as a label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...tasks.types import Status
from .brackets import Form, breaks_off, choose, is_hedged
from .json_reply import pick
from .labelled import lines_up
from .normalise import BIDI
from .numbers import is_read, undecorated
from .statements import Mention, is_corrected, is_denied, settle
from .verdict import Reading
from .vocabulary import OVERALL, PAIR_LABEL, PLACEHOLDER, SUBSCORE, TIE, is_of_others

_LATIN = str.maketrans("АВСавс", "ABCABC")
_MALFORMED = Reading(None, Status.MALFORMED)

NOUN = (
    r"(?:ассистент\w{0,2}|модел\w{1,2}|ответ\w{0,2}|решени\w|вариант\w{0,2}"
    r"|assistant|model|response|answer|solution|option)"
)
_LABEL = re.compile(rf"\b(?:{PAIR_LABEL})\b", re.IGNORECASE)
NAMED = re.compile(rf"(?:(?P<noun>{NOUN})[\s_]*[№#]?\s*)?(?P<label>[abcавс12])", re.IGNORECASE)
_PREFERENCE = re.compile(r"(?P<left>[ab])\s*(?P<sign>>{1,3}|<{1,3}|={1,2}|~|≈|≻)\s*(?P<right>[ab])", re.IGNORECASE)
_CHOICES = re.compile(r"[abc](?:\s*(?:/|\||,|;|или|либо|or)\s*[abc])+", re.IGNORECASE)
_ORDINAL = r"(?i:перв\w{2}|втор\w{2}|first|second)"
_SIDE = (
    rf"(?:(?:(?P<noun>(?i:{NOUN}))\s{{0,4}})?"
    rf"(?P<said>[ABCАВСБ]|{_ORDINAL}|(?i:ничь[яюи]|tie|draw|равны)|(?(noun)[12]|(?!)))(?:\s(?i:{NOUN}))?)"
)
_ENDS = (
    r"(?=[\s*_`)\]}\"'$.!]{0,6}(?:$|[.,;!?(—–→>|-]|(?i:а|но|или|or|but|not|нет|no|вместо|rather|instead|и|and|over|чем"
    r"|than|перед|by|с|со|with|за|так|потому|because|since|for|as)\b))"
)
_SIDE_SAID = re.compile(rf"(?<!\w){_SIDE}(?!\w){_ENDS}")
_FILLER = (
    r"(?:\s?(?i:это|за|is|в пользу|оказал\w{2}|у|the|for|it['’]?s|an?|скорее|точно|явно|определ[её]нно"
    r"|definitely|clearly|probably|(?:никак )?не|not)\b){0,4}"
)
# The case of the label itself tells В from the preposition в.
_SPOKEN_LABEL = re.compile(
    rf"\b(?P<label>(?i:{PAIR_LABEL}))\b[^\S\n]{{0,40}}{_FILLER}"
    rf"\s{{0,4}}[:=—–-]?\s{{0,60}}+{_FILLER}(?:[\s*_`(\[\"'$]|\\boxed\{{){{0,6}}"
    rf"(?P<side>(?P<preferred>[ABАВ]\s?(?:>{{1,3}}|<{{1,3}}|={{1,2}}|≈|≻)\s?[ABАВ])|(?P<digit>[12])"
    rf"|{_SIDE})(?!\w){_ENDS}"
)
_DIGIT_LABEL = re.compile(r"вердикт|победител\w{1,3}|verdict|winner", re.IGNORECASE)
_ADVERB = (
    r"(?:значительно|намного|немного|чуть|заметно|явно|гораздо|существенно|несколько|определ[её]нно|всё же|здесь"
    r"|оказал\w{2}|не|ничуть не|был\w?|бы|is|isn['’]t|was|wasn['’]t|not|no|never|clearly|slightly|much|far"
    r"|significantly|somewhat"
    r"|a bit|a little|definitely|would be)"
)
_BETTER = (
    r"лучше|побеждает|победил|выигрывает|предпочтительнее|сильнее|превосходит|better|wins|the winner|outperforms"
    r"|beats"
    r"|stronger|superior"
)
_WORSE = r"хуже|слабее|уступает|проигрывает|worse|weaker|loses|inferior"
_COMPARED = re.compile(
    rf"(?<!\w)(?:(?P<noun>(?i:{NOUN}))\s{{0,4}})?(?P<one>[ABАВБ]|{_ORDINAL}|(?(noun)[12]"
    rf"|(?!)))(?:\s(?i:{NOUN}))?[\s*_`]{{1,4}}"
    rf"(?P<adverbs>(?:(?i:{_ADVERB})\s){{0,3}})(?i:(?P<better>{_BETTER})|(?P<worse>{_WORSE}))\b"
    rf"(?:(?:,?\s(?i:чем|than|to))?\s(?:(?i:the)\s)?(?P<noun2>(?i:{NOUN})\s)?[*_`]{{0,2}}(?P<other>[ABАВБ]"
    rf"|{_ORDINAL}|(?(noun2)[12]|(?!)))(?!\w))?"
)
_IN_ONE_RESPECT = re.compile(
    r"\s(?:лишь\s|только\s|only\s|just\s)?(?:по|in|on)\s"
    r"(?!всем|совокупн|большинств|сумме|итог|all\b|general|most|every|the whole)",
    re.IGNORECASE,
)
_DENIED_ADVERB = re.compile(r"\b(?:не|not|no|never|бы|would)\b|n['’]t\b", re.IGNORECASE)
_DOUBTS = re.compile(
    r"\b(?:если|if|whether|ли|нельзя|вряд ли|hardly|не (?:сказал\w?|дума\w{2,4}|счита\w{1,3}|уверен\w?)"
    r"|(?:not|n['’]t|never) (?:say|think|believe|sure|claim))\b",
    re.IGNORECASE,
)
_TIE_SENTENCE = re.compile(
    r"\W*(?:(?:it['’]?s|it is|это|здесь|итог|а|an?|the|значит|so)[\s:]{1,3}){0,3}(?:tied?|draw|ничья|равенство)\W*"
    r"|\W*(?:(?:ответ|решени)\w{1,2}\s)?[AА]\s(?:и|and)\s[BВБ]\s(?:are\s)?(?:примерно\s|equally\s)?(?:равны"
    r"|равноценны|одинаковы|equal|good)\W*"
    r"|\W*(?:оба |both )?(?:ответ\w{1,2}|решени\w|answers?|responses?)\s(?:are\s)?(?:примерно\s|equally\s)?"
    r"(?:равны|равноценны|одинаковы|equal|equally good)\W*",
    re.IGNORECASE,
)
_COMPARATIVE = re.compile(r"лучше|better", re.IGNORECASE)
_GENITIVE = re.compile(r"ответа|модели|ассистента|решения|варианта", re.IGNORECASE)
_SIDE_ANYWHERE = re.compile(
    rf"(?<!\w)(?:[ABАВБ](?!\w)|(?i:{NOUN})\s[ABАВБ12](?!\w))|(?<!\w){_ORDINAL}\s(?i:{NOUN})"
)
_MARKUP = str.maketrans("*_`$\t|", "     :")
_TEX = re.compile(r"\\(?:boxed|text(?:bf|rm|it)?|math(?:bf|rm|it))\s{0,2}\{|[{}]")
_BARE_PREFIX = re.compile(r"[\W\d_]*")
_HEADING = re.compile(rf"[\s#*_|]{{0,8}}(?:[^\W\d]{{1,20}}\s)?(?:{PAIR_LABEL})[\s*_:|#]*", re.IGNORECASE)
_ALONE = re.compile(rf"[\s*_#`\[(«\"'.]*(?P<side>{_SIDE})[\s*_`\])»\"'.!]*")
_LINES = 20
_MOVES = re.compile(rf"\b(?:не|not|нет|no|точнее|вернее|{_BETTER}|{_WORSE})\b|→|->", re.IGNORECASE)
_WINNER_KEY = re.compile(
    r"(?:final_|overall_)?(?:winner|verdict|choice|better|preferred|preference|label|decision|answer)"
    r"|(?:итоговый_)?(?:победитель|вердикт|выбор|лучший|лучше|итог)"
)
_VERDICT_LABEL = re.compile(r"вердикт|verdict", re.IGNORECASE)


def read_pair(text: str, labels: tuple[str, ...]) -> Reading | None:
    """Return ``A``, ``B`` or ``tie`` from a text without quotations; ``None`` if nothing in it looks like one.

    ``labels`` are those that the prompt offered where they are not A and B (``("А", "Б")``).
    """
    form = Form(
        read=lambda inside: read_label(inside, labels),
        label=_LABEL,
        disputed=lambda whole, end, reading: _is_disputed(whole, end, reading, labels),
    )
    choice = choose(text, form)
    chosen = choice.reading if choice else None
    if chosen is not None and chosen.status is not Status.MISSING:
        return chosen
    if breaks_off(text):
        return Reading(None, Status.TRUNCATED)
    return _read_spoken(text, labels) or chosen


def read_pair_object(found: Mapping[str, Any], labels: tuple[str, ...]) -> Reading | None:
    """Return the winner in a JSON object; ``None`` if no key of it names one."""
    values = pick(found, _WINNER_KEY)
    readings = [
        read_label(str(value).strip("[] "), labels) if isinstance(value, str | int) else _MALFORMED
        for value in values
        if value is not None
    ]
    if not readings:
        return Reading(None, Status.MISSING) if values else None
    if len({(reading.value, is_read(reading)) for reading in readings}) > 1:
        return Reading(None, Status.AMBIGUOUS)
    return replace(readings[0], status=Status.OK_LENIENT) if is_read(readings[0]) else readings[0]


def read_label(text: str, labels: tuple[str, ...] = ()) -> Reading:
    """Read what stands where the label belongs, the whole of it; ``A>>B`` and words are lenient readings."""
    if any(mark in text for mark in BIDI):
        return _MALFORMED
    content = undecorated(text)
    content = undecorated(_LABEL.sub("", content, count=1).lstrip(":=—– -")) or content
    if PLACEHOLDER.fullmatch(content):
        return Reading(None, Status.MISSING)
    offered = [label.casefold() for label in labels]
    if len(content) == 1 and offered and not set("".join(offered).translate(_LATIN)) <= set("abcABC"):
        said = content.casefold()
        return Reading(("A", "B", "tie")[offered.index(said)], Status.OK) if said in offered else _MALFORMED
    if TIE.fullmatch(content):
        return Reading("tie", Status.OK_LENIENT)
    if (named := NAMED.fullmatch(content)) and (named["noun"] or not named["label"].isdigit()):
        return Reading(winner_of(named["label"]), Status.OK)
    latin = content.translate(_LATIN)
    if preference := _PREFERENCE.fullmatch(latin):
        return _read_preference(preference)
    if _CHOICES.fullmatch(latin):
        # All that can be chosen is a reminder of the form, some of it is a judge that did not choose.
        letters = set(latin.upper())
        whole = {"A", "B"} <= letters and not letters.isdisjoint("C/|")
        return Reading(None, Status.MISSING if whole else Status.AMBIGUOUS)
    if len(content) > 4 and moves(content):
        return read_side(content, labels) or _MALFORMED
    return _MALFORMED


def moves(content: str) -> bool:
    """Whether what should be a label is a sentence that denies, corrects or compares labels."""
    return bool(_MOVES.search(content))


def winner_of(label: str) -> str:
    """Return ``A``, ``B`` or ``tie`` for a label in any spelling: A, а, 1; B, В, 2; C, с."""
    return {"A": "A", "1": "A", "B": "B", "2": "B", "C": "tie"}[label.translate(_LATIN).upper()]


def _read_preference(match: re.Match[str]) -> Reading:
    left, right, sign = match["left"].upper(), match["right"].upper(), match["sign"]
    if left == right:
        return _MALFORMED
    if sign[0] in "=~≈":
        return Reading("tie", Status.OK_LENIENT, details={"strength": 0})
    winner = right if sign[0] == "<" else left
    return Reading(winner, Status.OK_LENIENT, details={"strength": 3 if len(sign) > 1 else 1})


def read_side(line: str, labels: tuple[str, ...] = ()) -> Reading | None:
    """Read a sentence that names the better one (``A лучше B``, ``не A, а B``); ``None`` if it names none."""
    compared, rest = _comparisons(line)
    if compared:
        return compared[-1] if len({one.value for one in compared}) == 1 else Reading(None, Status.AMBIGUOUS)
    sides = _sides(rest, labels)
    if not sides:
        return None
    return settle(rest, [replace(sides[0], announced=True), *sides[1:]], bounds=False) or Reading(
        None, Status.AMBIGUOUS
    )


def _sides(line: str, labels: tuple[str, ...], start: int = 0) -> list[Mention]:
    return [
        Mention(match.start(), match.end(), reading)
        for match in _SIDE_SAID.finditer(line, start)
        if is_read(reading := _side(match["noun"], match["said"], labels))
    ]


def _side(noun: str | None, said: str, labels: tuple[str, ...]) -> Reading:
    ordinal = said.casefold()
    if len(said) > 2 and ordinal.startswith(("перв", "first")):
        return Reading("A", Status.OK_LENIENT)
    if len(said) > 2 and ordinal.startswith(("втор", "second")):
        return Reading("B", Status.OK_LENIENT)
    reading = read_label(f"{noun or ''} {said}".strip(), labels)
    return replace(reading, status=Status.OK_LENIENT) if is_read(reading) else reading


def _comparisons(line: str) -> tuple[list[Reading], str]:
    """Return the winners of comparisons, those of the whole answer if any, and the line without comparisons."""
    whole: list[Reading] = []
    overall: list[Reading] = []
    for match in _COMPARED.finditer(line):
        before = re.split(r"[.!?;,]\s|\b(?:но|but)\b", line[: match.start()])[-1]
        cyrillic = match["one"] in "АВ" and not match["noun"] and not match["other"]
        reading = _compared(match)
        if (
            reading is None
            or cyrillic
            or _DOUBTS.search(line[: match.start()])
            or is_denied(before)
            or is_hedged(before)
        ):
            continue
        if re.match(r"[^.!;]*\?", line[match.end() :]):
            continue
        if OVERALL.search(before):
            overall.append(reading)
        elif not (_IN_ONE_RESPECT.match(line, match.end()) or SUBSCORE.search(before)):
            whole.append(reading)
    rest = _COMPARED.sub(lambda match: " " * len(match[0]), line)
    return overall or whole, rest


def _compared(match: re.Match[str]) -> Reading | None:
    one = _side(match["noun"], match["one"], ())
    if not is_read(one) and match["one"] == "Б":
        one = Reading("B", Status.OK_LENIENT)
    if _DENIED_ADVERB.search(match["adverbs"]) or not is_read(one):
        return None
    other = match["other"] and ("B" if one.value == "A" else "A")
    if match["other"] and _side(match["noun2"], match["other"], ()).value == one.value:
        return None
    value = one.value if match["better"] else other
    return Reading(value, Status.OK_LENIENT) if value else None


def _read_spoken(text: str, labels: tuple[str, ...]) -> Reading | None:
    """Read the last line in any wording, failing that a line further up that begins with its label."""
    last: Reading | None = None
    for number, (begins, line) in enumerate(lines_up(text)):
        if number >= _LINES:
            break
        reading = _read_line(text, begins, line, labels, strict=number > 0)
        if reading is None:
            continue
        if last is None:
            last = reading
            if OVERALL.search(_named_by(line)) and not _VERDICT_LABEL.search(_named_by(line)):
                break
        elif reading.value != last.value:
            corrected = is_corrected(text[begins + len(line) : last.end])
            return last if corrected else Reading(None, Status.AMBIGUOUS)
    if last is not None:
        return last
    stripped = text.strip()
    if len(stripped) > _LINES or not stripped:
        return None
    if alone := _ALONE.fullmatch(stripped):
        reading = _side(alone["noun"], alone["said"], labels)
    elif _PREFERENCE.fullmatch(stripped.translate(_LATIN)):
        reading = read_label(stripped, labels)
    else:
        return None
    return reading.at(text.index(stripped), text.index(stripped) + len(stripped)) if is_read(reading) else None


def _read_line(text: str, begins: int, line: str, labels: tuple[str, ...], *, strict: bool) -> Reading | None:
    plain = _TEX.sub(lambda match: " " * len(match[0]), line.translate(_MARKUP))
    if line.lstrip().startswith("|"):
        plain = re.sub(r"^\s*:", lambda match: " " * len(match[0]), plain.rstrip(" :"))
    if not strict and _ALONE.fullmatch(plain):
        above_begins, above = next(lines_up(text[:begins]), (0, ""))
        if above and _HEADING.fullmatch(above):
            plain = above.rstrip(" *_:|#").translate(_MARKUP).ljust(begins - above_begins - 1) + ":" + plain
            begins = above_begins
    compared, rest = ([], plain) if strict else _comparisons(plain)
    found = [
        match
        for match in _SPOKEN_LABEL.finditer(rest)
        if (not is_hedged(rest[: match.start()]) and not is_of_others(_clause(rest, match)))
        and (not strict or _BARE_PREFIX.fullmatch(rest[: match.start()]))
        and not _is_object(rest, match)
        and (not match["digit"] or _DIGIT_LABEL.fullmatch(match["label"]))
    ]
    overall = [match for match in found if OVERALL.search(_clause(rest, match) + match["label"])]
    if found and (overall or not compared):
        return _announced(rest, overall or found, begins, labels)
    if compared:
        settled = compared[-1] if len({one.value for one in compared}) == 1 else Reading(None, Status.AMBIGUOUS)
        return replace(settled, start=begins, end=begins + len(line))
    last_sentence = re.split(r"[.!?;](?=\s)", plain.strip().rstrip("."))[-1]
    if not strict and (TIE.fullmatch(last_sentence.strip(" .!*_#")) or _TIE_SENTENCE.fullmatch(last_sentence)):
        return Reading("tie", Status.OK_LENIENT, begins, begins + len(line))
    return None


def _is_object(line: str, match: re.Match[str]) -> bool:
    """Whether ``лучше B`` says what something else is better than."""
    if not _COMPARATIVE.match(match["label"]) or ":" in match[0]:
        return False
    before = re.split(
        r"[.!?;]\s|\b(?:но|однако|хотя|поэтому|значит|but|however|though|so|therefore)\b", line[: match.start()]
    )[-1]
    return bool(_GENITIVE.fullmatch(match["noun"] or "")) or bool(_SIDE_ANYWHERE.search(before))


def _clause(line: str, match: re.Match[str]) -> str:
    return re.split(r"[.!?;,](?:\s|$)", line[: match.start()])[-1]


def _announced(line: str, found: list[re.Match[str]], begins: int, labels: tuple[str, ...]) -> Reading | None:
    announced = {match.start("side"): match for match in found}
    mentions = [mention for mention in _sides(line, labels, min(announced)) if mention.start not in announced]
    for start, match in announced.items():
        if match["preferred"]:
            reading = read_label(match["preferred"], labels)
        elif match["digit"]:
            reading = Reading("A" if match["digit"] == "1" else "B", Status.OK_LENIENT)
        else:
            reading = _side(match["noun"], match["said"], labels)
        if is_read(reading):
            mentions = [one for one in mentions if one.end <= start or one.start >= match.end("side")]
            mentions.append(Mention(start, match.end("side"), reading, announced=True))
    if not any(mention.announced for mention in mentions):
        return None
    mentions.sort(key=lambda mention: mention.start)
    settled = settle(line, mentions, bounds=False) or Reading(None, Status.AMBIGUOUS)
    if is_read(settled):
        settled = replace(settled, status=Status.OK_LENIENT)
    return replace(settled, start=begins + found[0].start(), end=begins + mentions[-1].end)


def _named_by(line: str) -> str:
    return re.split(r"[:—–]", line)[0]


def _is_disputed(text: str, end: int, chosen: Reading, labels: tuple[str, ...]) -> bool:
    line, _, below = text[end:].partition("\n")
    line = line[:300]
    for number, (begins, said) in enumerate(lines_up(below)):
        if number >= _LINES:
            break
        reading = _read_line(below, begins, said, labels, strict=True)
        alone = _ALONE.fullmatch(said.strip()) if reading is None and len(said) < _LINES else None
        reading = _side(alone["noun"], alone["said"], labels) if alone else reading
        if reading is not None and is_read(reading) and reading.value != chosen.value:
            return True
    sides = _sides(line, labels)
    settled = settle(line, [Mention(0, 0, chosen, announced=True), *sides], bounds=False) if sides else chosen
    return settled is None or settled.value != chosen.value
