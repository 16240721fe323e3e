"""The verdict of a judge that forgot its brackets: a value behind a label, on the last line or one of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from ...tasks.types import Status
from .json_reply import is_part_of_one
from .normalise import BIDI
from .numbers import NUMBER, OF, UNIT, Scale, is_read, read_number
from .statements import Mention, is_corrected, settle
from .verdict import Reading
from .vocabulary import HEDGE, MENTION, NUMBER_WORDS, ORDINARY_LABEL, OVERALL, SUBSCORE, is_of_others

_LONGEST_LINE = 2000
_MOST_LINES = 60
_LINES_BEHIND = 8
_LOOK_AROUND = 120
_MARKUP = str.maketrans("*_`$\t|⭐★☆🌟", "     :    ")
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_TEX = re.compile(
    r"\\(?:boxed|text(?:bf|rm|it)?|math(?:bf|rm|it)|bf|underline)\s{0,2}\{|</?(?:b|i|u|strong|em)>|[{}]"
)
_DIGIT = re.compile(r"\d")
_FRACTION = re.compile(r"\\[dt]?frac\{(\d{1,3})\}\{(\d{1,3})\}")
_SCALE_WORDS = {"пяти": 5, "five": 5, "десяти": 10, "ten": 10, "семи": 7, "seven": 7, "сто": 100, "hundred": 100}
_SCALE_NAMED = re.compile(
    r"(?P<high>\d{1,3}|пяти|десяти|семи|сто|five|ten|seven|hundred)(?:\s?-?\s?балль?н\w{1,3}|-points?\b"
    r"|\spoint(?=\s(?:scale|system)))"
    r"(?:\s{1,3}(?:шкал\w{1,2}|систем\w{1,2}|scale))?",
    re.IGNORECASE,
)
_SCALE_SPAN = re.compile(
    r"(?:от|from|с|between|of)\s{1,3}\d{1,3}\s{1,3}(?:до|to|по|and)\s{1,3}\d{1,3}", re.IGNORECASE
)
_ORDINAL = re.compile(
    r"\b\d{1,3}-?(?:го|й|му|ю|я|ом|ой|ая|st|nd|rd|th)\b"
    r"|\b(?:ход\w{0,2}|turn|шаг\w{0,2}|вопрос\w{0,2}|question|part|част\w{1,2}|пункт\w{0,2}|step|судья|judge)"
    r"\s(?:[№#]\s?)?(?:\d{1,3}|one|two|three|один|два|три)\b",
    re.IGNORECASE,
)
_OPENERS = (
    r"\s{0,60}+(?:(?:(?:никак |совсем |точно )?не|not|около|примерно|приблизительно|где-то|порядка|about|around"
    r"|roughly"
    r"|approximately|approx\.?|circa|an?|the|на|solid|твёрд\w{2}|моя|my)\s{1,3}|[~≈]\s{0,3}){0,3}"
    r"(?:[\[({<«\"'“„]\s{0,2}){0,3}\s{0,4}"
)
_FOLLOWS = (
    r"по|за|так|потому|поскольку|но|а|on|for|because|since|as|but|из|бы|был[оаи]?|would|is|минус|плюс|minus|plus"
    r"|или|либо"
    r"|or|вместо|rather|instead|точнее|вернее|нет|no|so|поэтому|и|and|not|не|я|too|слишком|with|при|up|with"
    r"|может|maybe|до|to|here"
)
_TOKEN = (
    rf"(?:[-+](?=\d))?(?:\d{{1,40}}(?:[.,]\d{{1,40}}|\.(?!\w))?|[.,]\d{{1,40}}|(?:{_WORDS})\b(?! (?:и|в|from"
    rf"|each)\b))"
    rf"(?: с половиной| and a half)?(?:\s{{0,3}}{UNIT})?"
    rf"(?:\s{{0,3}}\(?\s?{OF}\s{{0,3}}(?:{NUMBER}\b|десяти|семи|пяти|ста|ten|seven|five|hundred)\s?\)?)?"
    rf"(?:\s{{0,3}}(?:%|процент\w{{0,3}}|per ?cent\b|{UNIT}))?"
)
_SAID = (
    rf"(?P<said>{_TOKEN})(?![\w]|[.,:]\d| [.,]\d)"
    rf"(?=\s{{0,4}}(?:[^\w\s]|$|(?:{_FOLLOWS})\b|(?:[-+*/=×−±–—]|\d)))"
)
_OF = re.compile(rf"\d\s{{0,3}}\(?\s?{OF}", re.IGNORECASE)
_NUMBER_SAID = re.compile(rf"(?<![\w,])(?<!\w\.){_SAID}", re.IGNORECASE)
_NOUN = (
    r"оценк[аиуе]|оценочк[аиуе]|рейтинг|балл(?:ы|ов)?|вердикт|ratings?|scores?|grades?|marks?|verdict"
    r"|поправка|исправлен\w{0,2}|исправляю|передумал\w?|correction|corrected|revised|on reflection|upon review"
)
_VERB = (
    r"оценива\w{1,4}|оценил\w{0,2}|(?:по)?ставлю|поставил\w{0,2}|поставлен\w?|выставля\w{1,2}|выставлен\w?"
    r"|присваива\w{1,2}"
    r"|присужда\w{1,2}|заслуживает|начисл\w{1,4}|rated?|deserves?|merits?|awarded"
    r"|I(?: would|'d|’d| will|'ll)?(?: not| never)? (?:give|assign|award)|(?:can['’]t|cannot|don['’]t"
    r"|won['’]t) give"
)
# Words that announce much else too: they count when nothing stands between them and their sign.
_SUM = r"итого?|всего|overall|total|points|result"
_WORD_BEFORE = r"(?:[^\W\d]{1,20}\s)?\b"

_BEHIND_A_SIGN = re.compile(
    rf"(?P<label>{_WORD_BEFORE}(?:{_SUM})(?=\s{{0,4}}[:=—–\]])|{_WORD_BEFORE}(?:{_NOUN}|{_VERB})\b)"
    rf"(?:[\s\"'(]{{1,40}}[^\W\d]{{1,20}}){{0,6}}[\s\"')]{{0,40}}"
    rf"(?:[:=—–\]]|-(?=\s)|\b(?:is|of|равна|равен|составляет|составит)\b){_OPENERS}{_SAID}",
    re.IGNORECASE,
)
_BEHIND_A_WORD = re.compile(
    rf"(?P<label>{_WORD_BEFORE}(?:{_NOUN}|{_VERB})|\b(?:итого|всего|total)(?=\s{{1,4}}\d{{1,3}}\s?(?:/|из|out of"
    rf"|балл|point)))"
    rf"\b(?:\s{{1,4}}[^\W\d]{{1,20}}){{0,4}}{_OPENERS}{_SAID}",
    re.IGNORECASE,
)
_WITH_A_UNIT = re.compile(
    rf"(?P<label>)(?<![\w.,/-])(?P<said>(?:{NUMBER}|(?:{_WORDS})\b)\s{{0,3}}{UNIT}"
    r"(?:\s{1,3}(?:из|out of)\s{1,3}\d{1,3})?)\b",
    re.IGNORECASE,
)
_BEGINS_WITH_A_LABEL = re.compile(
    rf"[\W\d_]{{0,20}}(?:(?:хотя нет|нет|no|wait|actually|well)\b\W*)?(?:[^\W\d]{{1,20}}\s){{0,2}}(?:{_NOUN}"
    rf"|{_VERB}|{_SUM})\b",
    re.IGNORECASE,
)
_ORDINARY = re.compile(
    rf"{ORDINARY_LABEL.pattern}(?<=[:—–\s*_])(?P<said>\d{{1,2}}(?:[.,]\d)?(?:/\d{{1,2}})?)[\s*_.!]*+", re.IGNORECASE
)
_DEDUCTION = re.compile(
    r"(?:\b(?:на|минус|сня\w{1,3}|снима\w{1,3}|снижа\w{1,4}|вычита?\w{0,3}|штраф\w{0,3}|потеря\w{0,3}|до|от|за"
    r"|максимум|"
    r"ещё|еще|deduct\w{0,4}|lost|loses?|minus|by|up to|at most|out of|из|worth|maximum(?: is)?|of|стоит"
    r"|оценена в|possible|available)|[-–—+])\s{0,3}$",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"\b(?:снят\w|снима\w{1,3}|сниж\w{2,5}|вычт\w{1,4}|вычит\w{1,3}|штраф\w{0,3}|потерян\w|deduct\w{0,4}"
    r"|lost)\W{0,3}$",
    re.IGNORECASE,
)
_WOULD_BE = re.compile(r"\b(?:бы|would|could|might)\b", re.IGNORECASE)
_NOT_GIVEN = re.compile(r"\b(?:максим|минимал|эталонн|maximum|minimum|reference)", re.IGNORECASE)
_RATES = re.compile(r"оценива\w|оценил|\brate", re.IGNORECASE)
_NUMBER_ALONE = re.compile(rf"[\s*_:+•|-]{{0,8}}{NUMBER}(?:\s?/\s?\d{{1,3}})?[\s*_.:|]{{0,8}}")
_WHOLE_LINE = re.compile(
    rf"[\s.]*(?P<label>)(?P<said>{NUMBER}\s*(?:/|из|out of)\s*\d{{1,3}})(?:[^\w]*|\s*[—–:(,].*)", re.IGNORECASE
)
_HEADING = re.compile(
    rf"(?:\s{{0,3}}#{{1,6}}\s[\s\d.*_]{{0,8}}|\s{{0,3}}\*\*"
    rf"|\s{{0,3}}\|[\s*_]{{0,8}})(?:[^\W\d]{{1,20}}\s){{0,2}}(?:{_NOUN})"
    r"(?:\s[^\W\d]{1,20}){0,2}\s*(?:\([^()\n]{0,30}\))?[\s*_:|#]*",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"[\s*_#`\[(<«\"'.]*(?P<said>{_TOKEN})[\s*_`\])>»\"'.!]*", re.IGNORECASE)
_TAGS = re.compile(r"</?[a-z]{1,12}>")
_BARE_PREFIX = re.compile(r"[\W\d_]*(?:(?:хотя нет|нет|no|wait|actually|well)\b\W*)?(?:(?:я|i)\s)?", re.IGNORECASE)
_OF_THE_SCALE = re.compile(
    rf"(?<![\w.,/])(?P<said>{NUMBER}\s{{0,3}}(?:/|из|out of)\s{{0,3}}\d{{1,3}})\b(?!\s{{0,3}}\w)"
)
_PIECE = re.compile(r"[.;,(]\s")
_CALCULATES = re.compile(r"(?:[+−=*/×-]|\b(?:минус|плюс|minus|plus))[\s(]*$", re.IGNORECASE)
_OTHER_VALUE = re.compile(
    r"\b(?:уверенност\w*|confidence|уверен\w?|certain\w*|вероятност\w*|probability|диапазон\w*|range|сложност\w*"
    r"|difficulty"
    r"|эталон\w*|reference|предыдущ\w*|previous)\b[^.;\n]*$",
    re.IGNORECASE,
)
_WORDS_BEHIND = re.compile(r"\w")
_DENOMINATOR = re.compile(rf"^\s*{OF}[\s\[]*\d{{1,3}}[\]\s]*")
_SIGNS_OF_MORE = re.compile(r"было бы|была бы|would|завыш|слишком|too ", re.IGNORECASE)
_BIDI = re.compile(f"[{BIDI}]")
_SENTENCE = re.compile(r"[^\W\d_]|[→±~≈+=]|->|=>|[-–—:]\s")
_BARE_START = re.compile(
    r"[\W_]*(?:(?:никак|не|not|около|примерно|about|roughly|approximately|приблизительно)\b[\W_]*){0,2}",
    re.IGNORECASE,
)
_MARKUP_OF_CELLS = str.maketrans("*_`$", "    ")
_TITLE = re.compile(rf"(?:[^\W\d]{{1,20}}\s)?(?:{_NOUN}|{_SUM})", re.IGNORECASE)
_TALKS_OF_IT = re.compile(
    r"уловк|накрут|подделк|поддельн|приписал|не моя|не моё|проигнор|не учт|обман|manipulat|trick|forged|fake"
    r"|ignored|inject",
    re.IGNORECASE,
)


def last_line(text: str) -> tuple[int, str]:
    """Return the last line with a letter or a digit on it, and where it begins."""
    return next(lines_up(text), (0, ""))


def read_statement(text: str, scale: Scale) -> Reading | None:
    """Read ``Оценка: 8``, ``Rating: (8)``, ``7 баллов из 10`` or ``8/10``; ``None`` without.

    The last line may say it in many ways; further up a line of its own has to begin with the label, and other such
    lines may not disagree unless the last is a correction or the overall one.
    """
    last: tuple[Reading, str, int] | None = None
    for number, (begins, line) in enumerate(lines_up(text)):
        if number >= _MOST_LINES:
            break
        found = _read_line(text, begins, line, scale, strict=number > 0)
        if found is None:
            continue
        reading, label = found
        if last is None:
            if number and _is_shown(text, begins, begins + len(line)):
                return Reading(None, Status.AMBIGUOUS)
            last = reading, label, begins
            if OVERALL.search(label) or not is_read(reading):
                break
        elif reading.value != last[0].value and not _OTHER_VALUE.search(label):
            if is_corrected(text[begins + len(line) : last[2]] + "\n" + last[1]):
                break
            return Reading(None, Status.AMBIGUOUS)
    if last:
        return last[0]
    return (_read_table(text, scale) if "|" in text else None) or _read_alone(text, scale)


def contradicts(text: str, start: int, chosen: Reading, scale: Scale) -> bool:
    """Whether what stands behind a verdict in brackets corrects it, or names another one of the same scale."""
    line = text[start : start + _LONGEST_LINE].partition("\n")[0]
    if not any(char.isalnum() for char in line) and not _WORDS_BEHIND.search(text, start):
        return False
    before = text[max(0, start - 2 * _LOOK_AROUND) : start].rpartition("\n")[2]
    if any(_high(match) != scale.high for match in _SCALE_NAMED.finditer(before + line)):
        return True
    line = _plain(line, scale)
    line = _DENOMINATOR.sub(lambda match: " " * len(match[0]), line, count=1)
    if any(char.isdigit() for char in line) or _SIGNS_OF_MORE.search(line):
        mentions = [Mention(0, 0, chosen, announced=True), *_numbers(line, scale)]
        settled = settle(line, mentions)
        if settled is None or settled.value != chosen.value:
            return True
    for number, (_, said) in enumerate(lines_up(text[start:].partition("\n")[2])):
        if number >= _LINES_BEHIND:
            break
        found = _read_line(said, 0, said, scale, strict=True)
        alone = _ALONE.fullmatch(_plain(said, scale).strip()) if found is None else None
        reading = found[0] if found else read_number(alone["said"].rstrip("."), scale) if alone else None
        if reading is not None and is_read(reading) and reading.value != chosen.value:
            return True
    for match in _OF_THE_SCALE.finditer(text, start):
        before = text[max(start, match.start() - 60) : match.start()].rpartition("\n")[2]
        reading = read_number(match["said"], scale)
        if is_read(reading) and reading.value != chosen.value and _is_own(before):
            return True
    return False


def read_said(text: str, scale: Scale) -> Reading:
    """Read what stands between tags or brackets: a number, or a sentence about one (``не 7, а 3``)."""
    reading = read_number(text, scale)
    if reading.status is not Status.MALFORMED or _BIDI.search(text) or not _SENTENCE.search(text):
        return reading
    return _read_words(text, scale) or reading


def _read_words(text: str, scale: Scale) -> Reading | None:
    line = _plain(text, scale)
    numbers = list(_numbers(line, scale))
    if not numbers or (len(numbers) == 1 and _is_clean(line, numbers[0])):
        return None
    first = replace(numbers[0], announced=True) if _BARE_START.fullmatch(line[: numbers[0].start]) else numbers[0]
    if not first.announced:
        return None
    settled = settle(line, [first, *numbers[1:]])
    if settled is None:
        return Reading(None, Status.AMBIGUOUS)
    return replace(settled, status=Status.OK_LENIENT) if is_read(settled) else settled


def _is_clean(line: str, mention: Mention) -> bool:
    around = line[: mention.start] + line[mention.end :]
    return not any(char.isalnum() for char in around)


def lines_up(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with a letter or a digit, the last one first, each with where it begins."""
    end = len(text)
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        begins = max(start, end - _LONGEST_LINE)
        line = text[begins:end]
        if any(char.isalnum() for char in line):
            yield begins, line
        end = start - 1


def _plain(line: str, scale: Scale) -> str:
    """Return a line of the same length without markup, reminders of the scale, and numbers that count turns."""
    if "\\" in line or "<" in line or "{" in line:
        line = _FRACTION.sub(lambda match: f"{match[1]}/{match[2]}".ljust(len(match[0])), line)
        line = _TEX.sub(lambda match: " " * len(match[0]), line)
    line = line.translate(_MARKUP)
    if not _DIGIT.search(line):
        return line
    line = _reminder(scale).sub(lambda match: " " * len(match[0]), line)
    line = _SCALE_SPAN.sub(lambda match: " " * len(match[0]), line)
    return _ORDINAL.sub(lambda match: " " * len(match[0]), line)


@cache
def _reminder(scale: Scale) -> re.Pattern[str]:
    """Return a pattern of what repeats the ends of the scale beside a label: ``(1–10)``, ``(из 10)``."""
    low, high = f"{scale.low:g}", f"{scale.high:g}"
    return re.compile(
        rf"[(\[]\s?{low}\s?[-–—]\s?{high}\s?[)\]]|\b{low}\s?[-–—]\s?{high}(?=\s*[:=])"
        rf"|\(?(?<!\d\s)\b(?:из|out of|макс\w{{0,6}}\.?|max\w{{0,4}}\.?)\s{{0,2}}{high}\s?\)?(?=\s*[:=])",
        re.IGNORECASE,
    )


def _read_line(text: str, begins: int, line: str, scale: Scale, *, strict: bool) -> tuple[Reading, str] | None:
    """Return what a line says, and its label; ``strict`` wants it to begin with the label."""
    if strict and not _BEGINS_WITH_A_LABEL.match(line) and not _NUMBER_ALONE.fullmatch(line):
        return None
    if ordinary := _ORDINARY.fullmatch(line):
        reading = read_number(ordinary["said"].rstrip("."), scale)
        status = Status.OK_LENIENT if is_read(reading) else reading.status
        return reading.at(begins + len(line) - len(line.lstrip()), begins + ordinary.end("said"), status), line
    if is_part_of_one(line) or line.lstrip().startswith("{"):
        return None
    if _NUMBER_ALONE.fullmatch(line):
        above, joined = _with_its_heading(text, begins, line)
        if above == begins and strict:
            return None
        begins, line = above, joined
    line = _plain(line, scale)
    named = list(_SCALE_NAMED.finditer(line))
    foreign = any(_high(match) != scale.high for match in named)
    line = _SCALE_NAMED.sub(lambda match: " " * len(match[0]), line)
    patterns = (_BEHIND_A_SIGN,) if strict else (_BEHIND_A_SIGN, _BEHIND_A_WORD, _WITH_A_UNIT)
    for pattern in patterns:
        found = [match for match in pattern.finditer(line) if not _is_talk(line, match, pattern)]
        if strict:
            found = [match for match in found[:1] if _BARE_PREFIX.fullmatch(line[: match.start()])]
        if found:
            label = line[found[0].start() : found[0].start("said")]
            reading = _one_of(line, found, begins, scale)
            if foreign and is_read(reading):
                reading = Reading(None, Status.WRONG_SCALE)
            return reading, label
    whole = None if strict else _WHOLE_LINE.fullmatch(line)
    if whole is None and named and not strict:
        whole = re.fullmatch(rf"[^\d:]*:\s*(?P<label>)(?P<said>{_TOKEN})[^\w]*", line)
    if whole is None:
        return None
    reading = _one_of(line, [whole], begins, scale)
    return (Reading(None, Status.WRONG_SCALE) if foreign and is_read(reading) else reading), ""


def _high(match: re.Match[str]) -> float:
    high = match["high"].lower()
    return float(high) if high.isdecimal() else _SCALE_WORDS[high]


def _with_its_heading(text: str, begins: int, line: str) -> tuple[int, str]:
    """Return the line together with the one above it, if that ends with a colon or is a heading with a label."""
    rows = lines_up(text[:begins])
    above_begins, above = next(rows, (0, ""))
    if above.rstrip(" *_").endswith(":") or _HEADING.fullmatch(above):
        between = text[above_begins : begins + len(line)]
        if not _HEADING.fullmatch(above):
            return above_begins, between.replace("\n", " ").replace(" - ", "   ")
        joined = (
            above.rstrip(" *_:|#").ljust(begins - above_begins - 1) + ":" + re.sub(r"^(\s*)[-•+|]\s", r"\1  ", line)
        )
        return above_begins, joined
    return begins, line


def _is_talk(line: str, match: re.Match[str], pattern: re.Pattern[str]) -> bool:
    if is_of_others(_sentence(line, match)):
        return True
    before = line[max(0, match.start("said") - 60) : match.start("said")]
    if _TAKEN.search(line[max(0, match.start() - 30) : match.start()]) or _TAKEN.search(
        match["label"].rpartition(" ")[0]
    ):
        return True
    if pattern is _WITH_A_UNIT and _DEDUCTION.search(before):
        return True
    if pattern is _BEHIND_A_WORD and _DEDUCTION.search(before) and not _RATES.search(match["label"]):
        return True
    labelled = line[match.start() : match.start("said")]
    if _WOULD_BE.search(line, match.end("label"), match.start("said")):
        return True
    if _NOT_GIVEN.search(match["label"]) or (SUBSCORE.search(labelled) and not OVERALL.search(labelled)):
        return True
    return bool(MENTION.search(line[max(0, match.start() - 30) : match.start()]))


def _one_of(line: str, found: list[re.Match[str]], begins: int, scale: Scale) -> Reading:
    overall = [match for match in found if OVERALL.search(match["label"])]
    chosen = overall or found
    if len(chosen) > 1:
        given = [match for match in chosen if not HEDGE.search(_sentence(line, match).rpartition(",")[2])]
        chosen = given or chosen
    announced = {match.start("said"): match for match in chosen}
    first = min(announced)
    numbers = _numbers(line, scale, first)
    mentions = [replace(mention, announced=mention.start in announced) for mention in numbers]
    known = {mention.start for mention in mentions}
    mentions += [
        Mention(
            match.start("said"), match.end("said"), read_number(match["said"].rstrip("."), scale), announced=True
        )
        for start, match in announced.items()
        if start not in known
    ]
    mentions.sort(key=lambda mention: mention.start)
    mentions = _tidied(line, mentions)
    reading = settle(line, mentions)
    if reading is None:
        reading = Reading(None, Status.AMBIGUOUS)
    if is_read(reading):
        reading = replace(reading, status=Status.OK_LENIENT)
    match = chosen[-1]
    return replace(reading, start=begins + match.start(), end=begins + max(match.end("said"), mentions[-1].end))


def _tidied(line: str, mentions: list[Mention]) -> list[Mention]:
    """Leave out the numbers of other things, behind another label; terms of a calculation stay."""
    return [
        mention
        for mention in mentions
        if mention.announced or _belongs(line[max(0, mention.start - _LOOK_AROUND) : mention.start])
    ]


def _belongs(before: str) -> bool:
    if _CALCULATES.search(before):
        return True
    if _OTHER_VALUE.search(before):
        return False
    clause = _PIECE.split(before)[-1]
    return not SUBSCORE.search(clause) or bool(OVERALL.search(clause))


def _sentence(line: str, match: re.Match[str]) -> str:
    return re.split(r"[.!?;](?:\s|$)", line[: match.start("said")])[-1]


def _numbers(line: str, scale: Scale, start: int = 0) -> Iterator[Mention]:
    for match in _NUMBER_SAID.finditer(line, start):
        reading = read_number(match["said"].rstrip("."), scale)
        of_the_scale = is_read(reading) and bool(_OF.search(match["said"]))
        yield Mention(match.start("said"), match.end("said"), reading, of_the_scale=of_the_scale)


def _read_alone(text: str, scale: Scale) -> Reading | None:
    """Read a text that is nothing but a number."""
    stripped = text.strip()
    if (
        len(stripped) > 40
        or "[ [" in stripped
        or not (match := _ALONE.fullmatch(_TAGS.sub(" ", _plain(stripped, scale))))
    ):
        return None
    reading = read_number(match["said"].rstrip("."), scale)
    if not is_read(reading):
        return reading
    start = text.index(stripped)
    return replace(reading, status=Status.OK_LENIENT, start=start, end=start + len(stripped))


def _read_table(text: str, scale: Scale) -> Reading | None:
    """Read the cell under a label in the last table of a text: of its only row, or of the one called the total."""
    rows: list[tuple[int, list[str]]] = []
    for begins, line in lines_up(text):
        if not line.lstrip().startswith("|") or len(rows) > _MOST_LINES:
            break
        rows.append((begins, line.strip().strip("|").translate(_MARKUP_OF_CELLS).split("|")))
    if len(rows) < 2:
        return None
    _, header = rows.pop()
    named = [place for place, cell in enumerate(header) if _TITLE.fullmatch(cell.strip())]
    totals = [row for row in rows if OVERALL.search(row[1][0])] if len(rows) > 1 else rows
    if len(named) != 1 or len(totals) != 1 or len(totals[0][1]) <= named[0]:
        return None
    begins, cells = totals[0]
    reading = read_said(cells[named[0]].strip(), scale)
    status = Status.OK_LENIENT if is_read(reading) else reading.status
    return reading.at(begins, begins + len("|".join(cells)), status)


def _is_own(before: str) -> bool:
    """Whether what stands before a rating on its line leaves it to be the judge's own."""
    return not (_OTHER_VALUE.search(before) or SUBSCORE.search(before) or is_of_others(before))


def _is_shown(text: str, begins: int, ends: int) -> bool:
    """Whether a line in the middle of a text is what somebody else wrote: announced above or talked about below."""
    above = next(lines_up(text[max(0, begins - 2 * _LOOK_AROUND) : begins]), (0, ""))[1]
    below = text[ends : ends + 2 * _LOOK_AROUND].strip().partition("\n")[0]
    return (above.rstrip().endswith(":") and bool(is_of_others(above))) or bool(_TALKS_OF_IT.search(below))
