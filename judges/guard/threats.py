"""What in an answer can pass for more than an answer, and the harmless form of each.

A new threat is a new entry of `RULES`: signs that must occur for the pattern to be tried, the pattern, what becomes
of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum


class Threat(StrEnum):
    """What was found in an answer."""

    INVISIBLE = "invisible"
    VERDICT = "verdict"
    CHAT_TOKEN = "chat_token"
    DELIMITER = "delimiter"


Harmless = Callable[[re.Match[str], str], str]
"""Takes a match, which may stand for look-alike letters, and the text that it was found in."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of hostile text and its harmless form.

    Only texts with one of the ``signs`` (in lower case) are searched: most answers have none, and are done in no
    time. Fewer than ``at_least`` matches are no threat.
    """

    threat: Threat
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    harmless: Harmless
    at_least: int = 1

    def find(self, readings: Sequence[str], signs: Set[str]) -> list[re.Match[str]]:
        """Return the matches in any of the readings of one text; ``signs`` are those that occur (`signs_in`)."""
        if signs.isdisjoint(self.signs):
            return []
        found: dict[tuple[int, int], re.Match[str]] = {}
        for alike in readings:
            for match in self.pattern.finditer(alike):
                found.setdefault(match.span(), match)
        matches: list[re.Match[str]] = []
        for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
            if not matches or start >= matches[-1].end():
                matches.append(found[start, end])
        return matches if len(matches) >= self.at_least else []

    def defuse(self, text: str, matches: Sequence[re.Match[str]]) -> str:
        """Return the text with the matches in their harmless form."""
        parts = []
        done = 0
        for match in matches:
            parts += [text[done : match.start()], self.harmless(match, text)]
            done = match.end()
        return "".join([*parts, text[done:]])


def _piece(match: re.Match[str], text: str, group: str) -> str:
    return text[match.start(group) : match.end(group)]


def _spaced(match: re.Match[str], text: str) -> str:
    return f"[ [{_piece(match, text, 'inside')}] ]"


def _turned(match: re.Match[str], text: str) -> str:
    label = _piece(match, text, "label").strip(" \t*_`#|\"'>[]{}")
    value = _piece(match, text, "value").strip(" \t*_`|[]【】\\\"'«»")
    bullet = text[match.start() : match.start("label")].rstrip("*_`\"'«(")
    return f"{bullet}‹{value} ← {label}›"


def _angled(match: re.Match[str], text: str) -> str:
    return f"‹{text[match.start() : match.end()].strip(_ANGLES)}›"


def _bare_tag(match: re.Match[str], text: str) -> str:
    return _angled(match, text).replace("=", "꞉")


def _framed(match: re.Match[str], text: str) -> str:
    before, behind = text[match.start() : match.start("inside")], text[match.end("inside") : match.end()]
    return f"{before}‹{_piece(match, text, 'inside')}›{behind}"


def _said(match: re.Match[str], text: str) -> str:
    framed = _framed(match, text)
    place = match.start("colon") - match.start()
    return f"{framed[:place]}꞉{framed[place + 1 :]}"


def _look_alike_colon(match: re.Match[str], text: str) -> str:
    return text[match.start() : match.start("colon")] + "꞉" + text[match.end("colon") : match.end()]


_ANGLES = "<>◁▷[]＜＞［］#＃ \t"

_NUMBER = r"\d{1,4}(?:[.,]\d{1,4})?"
_AMOUNT = (
    rf"{_NUMBER}(?:\s{{0,3}}(?:/|из|out of)\s{{0,3}}{_NUMBER}|\s{{0,3}}%|\s{{0,3}}(?:балл|point)\w{{0,3}}){{0,2}}"
)
_WORD_NUMBER = (
    r"(?:ноль|один|два|три|четыре|пять|шесть|семь|восемь|девять|десять"
    r"|one|two|three|four|five|six|seven|eight|nine|ten)"
)
_LETTER = r"(?:(?:assistant |model |answer |ассистент |модель |ответ )?[A-FАВС]\b|tie\b|draw\b|ничья\b)"
_JUDGED = r"(?:(?:(?:in)?correct|yes|no|pass(?:ed)?|fail(?:ed)?|true|false|верно|неверно|best|excellent)\b)"
_PREFERENCE = r"[ABАВ]\s{0,2}(?:[><=]{1,3}|~)\s{0,2}[ABАВ]"
_SCORE = (
    r"(?:оценк[аиуе]|рейтинг|балл(?:ы|ов)?|вердикт|победитель"
    r"|ratings?|scores?|grades?|verdict|points|marks?|judge?ment|winner)"
)
_OVERALL = (
    r"(?:итогов\w{2,3}|финальн\w{2,3}|общ\w{2,3}|окончательн\w{2,3}|средн\w{2,3}"
    r"|final|overall|total|average|my|моя)"
)
_LABEL = rf"(?:{_OVERALL}\s{{1,3}}){{0,3}}\b{_SCORE}\b"
# What shell conditions, [[ -f "$1" ]], are made of is left out: spaces would break them.
_PLAIN = r"[^\[\]【】〚〛⟦⟧\n$\"'=()]"
_IN_BRACKETS = (
    rf"\s{{0,4}}[*_`]{{0,3}}(?:{_PLAIN}{{0,40}}\d{_PLAIN}{{0,40}}|{_WORD_NUMBER}|{_LETTER}|{_PREFERENCE}|rating"
    rf"|оценка"
    rf"|[ABАВ]\s?[:=]\s?\d[^\[\]\n$]{{0,20}})"
    r"[*_`]{0,3}\s{0,4}"
)
_CRITERION = (
    r"(?:(?:математическ\w{2} )?(?:корректность|правильность|полнота|строгость|структура|стиль)"
    r"|(?:раз|пере)бор случаев|(?:итоговый|финальный|окончательный) ответ|среднее"
    r"|correctness|completeness|rigou?r|structure|style|clarity|case[ _](?:coverage|analysis)|final[ _]answer"
    r"|average|accuracy|helpfulness|relevance|depth)"
)
_KEY = (
    rf"(?:(?:итогов\w\w_|final_|overall_)?"
    rf"(?:{_SCORE}(?:_[ab12])?|choice|preference|{_CRITERION}|criteria_met|is_correct|correct))"
)
_VERDICT_TAG = (
    r"(?:points?|scores?|grade|rating|verdict|result|assessment|errors|judge?ment|evaluation|балл|баллы|оценка"
    r"|вердикт"
    r"|think|thinking|thought|reasoning|reflection|analysis)"
)
_FRAME_TAG = (
    r"(?:answer|response|assistant|user|system|human|question|reference|instructions?|prompt|document|submission"
    r"|student_?answer|candidate|ответ|вопрос|эталон|инструкция|система|пользователь|ассистент)"
)
_ROLE = (
    r"(?:user|assistant|system|human|instructions?|reference answer|reference|model outputs?|model identifier"
    r"|response|evaluation|score rubrics?|feedback|пользователь|ассистент|система|эталонный ответ|эталон|вердикт)"
)
_SPECIAL_TAG = r"(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|start_header_id|end_header_id|eot|im_start|im_end)"
_SPECIAL_BRACKETS = r"(?:INST|THINK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)"

_BRACKETED = rf"(?:\[\s?\[|【|〚|⟦|\\\[\\\[){_IN_BRACKETS}(?:\]\s?\]|】|〛|⟧|\\\]\\\])"
_OF_THE_ANSWER = r"(?:за|этот|этого|этому|данн\w{2,3}|ответ\w{0,2}|решени\w|здесь|for|of|this|the|answer|response)"
_GOES_ON = (
    r"(?:вместо|но|а|и|или|был[оаи]?|по|из|на|за|так|потому|поскольку|минус|плюс|нет|but|not|and|or|would|is|of"
    r"|out|on|for"
    r"|because|since|as|rather|instead|minus|plus|no|so)"
)
_SIDE_NOUN = r"(?:ассистент\w{0,2}|модел\w{1,2}|ответ\w{0,2}|вариант\w{0,2}|assistant|model|response|answer)"
_WINS = (
    r"(?:лучше|хуже|сильнее|слабее|победил\w?|побеждает|победител\w{1,3}|выигрывает|превосходит|уступает"
    r"|проигрывает|вердикт"
    r"|better|worse|stronger|weaker|wins?|winner|outperforms|beats|loses|verdict)"
)
_ESCAPED_KEY = "|".join(
    "".join(rf"(?:{letter}|\\u{ord(letter):04x}|\\u{ord(letter.upper()):04x})" for letter in word)
    for word in ("rating", "score", "grade", "points", "verdict", "winner", "оценка", "рейтинг", "балл", "вердикт")
)
_JSON_VALUE = (
    rf"(?=[\s\[]{{0,8}}[\"']?(?:-?\d|{_WORD_NUMBER}\b|[ABCАВС]\b|tie|true|false)"
    r"|\s{0,4}\{\s{0,4}[\"']?(?:value|значение)[\"']?\s{0,4}:)"
)
_SCORE_SIGNS = "оценк рейтинг балл вердикт победитель rating score grade verdict points mark judg winner [result]"
_BRACKET_SIGNS = r"[[ \[\[ 【 〚 ⟦"
_CRITERIA_SIGNS = "корректность правильность полнота correctness completeness accuracy"


def _rule(threat: Threat, signs: str, pattern: str, harmless: Harmless, at_least: int = 1) -> Rule:
    return Rule(threat, tuple(signs.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE), harmless, at_least)


RULES = (
    _rule(Threat.CHAT_TOKEN, "<| ◁", r"<\|[\w▁ .'-]{1,60}\|>|◁/?\w{1,20}▷", _angled),
    _rule(
        Threat.CHAT_TOKEN,
        "[inst [/inst [think [/think [system [avail [tool sys>> <s> </s> os> <pad <unk <start_ <end_ <eot <im_",
        rf"\[/?{_SPECIAL_BRACKETS}\]|<</?SYS>>|</?{_SPECIAL_TAG}>",
        _angled,
    ),
    _rule(
        Threat.DELIMITER,
        "[start [end [begin [the [начало [конец",
        r"\[\s{0,3}(?:(?:the\s)?(?:start|end|begin|beginning)\s{1,3}of|начало|конец)\s[^\[\]\n]{1,60}\]",
        _angled,
    ),
    _rule(Threat.DELIMITER, "<", rf"</?{_FRAME_TAG}(?:_\w{{1,12}})?\s?/?>", _angled),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"^[ \t]{{0,3}}(?:#{{1,6}}[ \t]|\*\*)[\s\d.*_]{{0,6}}(?P<label>{_LABEL})[ \t*_:#]{{0,6}}\n[\s*_>-]{{0,8}}"
        rf"(?P<value>{_AMOUNT}|{_WORD_NUMBER}\b|{_LETTER})[\s*_.!]{{0,8}}$",
        _turned,
    ),
    _rule(Threat.DELIMITER, "#", rf"(?:^[ \t]{{0,3}}#|##)#{{0,5}}[ \t]{{0,3}}{_ROLE}\b[^\n]{{0,40}}$", _angled),
    _rule(Threat.VERDICT, "<", rf"</?(?:\w{{1,12}}:)?{_VERDICT_TAG}(?:\s[^<>\n]{{0,80}})?\s?/?>", _bare_tag),
    Rule(
        Threat.VERDICT,
        (*_BRACKET_SIGNS.split(), "[ ["),
        re.compile(
            rf"(?P<label>(?:{_LABEL}|\[?result\]?|\b(?:итого?|вывод|overall|final"
            rf"|total)\b)(?:[ \t(][^\n\[\]:=]{{0,40}})?)[ \t*_]{{0,4}}(?:[:=—–-]|is|равна"
            rf"|составляет)?[ \t*_`$\"'«(]{{0,6}}"
            rf"(?P<value>{_BRACKETED})",
            re.IGNORECASE | re.MULTILINE,
        ),
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"^[\s>*#_\"'«(-]{{0,8}}(?P<label>{_LABEL}|\[result\])[ \t*_]{{0,4}}"
        r"(?:[:=—–-]|(?<=\]))[\s*_`\"'«(\[$]{0,8}"
        rf"(?P<value>{_AMOUNT}|{_WORD_NUMBER}\b|{_LETTER}|{_JUDGED})[\])»*_`\"'.!$]{{0,8}}[ \t]{{0,8}}$",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"\|[ \t*_]{{0,6}}(?P<label>{_LABEL})[ \t*_]{{0,6}}\|[ \t*_]{{0,6}}(?P<value>{_AMOUNT}|{_WORD_NUMBER}\b"
        rf"|{_LETTER})"
        r"(?=[ \t*_]{0,6}\|)",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"(?:^|[:;.!?]\s)[ \t>*_#]{{0,6}}(?P<label>{_LABEL})\s{{1,3}}(?P<value>{_AMOUNT}|{_WORD_NUMBER}"
        rf"|[ABАВ])[ \t*_.!]{{0,6}}$",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"\b{_SCORE}\b(?:\s(?:не|здесь|никак|около|примерно|это|is|not|about)){{0,3}}\s{{1,3}}"
        rf"(?P<inside>{_AMOUNT}(?:,?\s(?:а|but|not)\s(?:не\s)?{_AMOUNT})?)(?=[ \t*_.!]{{0,6}}$)",
        _framed,
    ),
    _rule(
        Threat.VERDICT,
        "вердикт победитель verdict winner",
        r"(?P<label>\b(?:вердикт|победитель|verdict|winner))\s{1,3}(?:is\s)?(?P<value>[ABАВ])\b",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"\b{_SCORE}\b(?:[ \t]{_OF_THE_ANSWER}){{0,3}}[ \t*_]{{0,4}}(?:\([^()\n]{{0,20}}\)[ \t]?)?"
        rf"(?P<colon>[:—–])\s{{0,4}}(?P<inside>"
        rf"[*_`~\"'«(\[$≈ ]{{0,8}}(?:</?\w{{1,6}}>)?(?:[^\W\d][\w'’]{{0,13}}[ \t]){{0,3}}(?:\\\w{{1,10}}\{{)?"
        rf"(?:{_AMOUNT}(?!\d|[ \t]{{1,3}}(?!{_GOES_ON}\b)[^\W\d])|{_WORD_NUMBER}\b|{_LETTER}"
        rf"|{_JUDGED})[^\n‹›]{{0,120}})",
        _said,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"(?<=[\"'«>:;|{{\[])[ \t]{{0,2}}{_SCORE}[ \t]{{0,2}}(?P<colon>=)(?=[ \t]{{0,2}}[\"']?(?:\d"
        rf"|{_WORD_NUMBER}\b|[ABАВ]\b))",
        _look_alike_colon,
    ),
    _rule(
        Threat.VERDICT,
        "лучше хуже сильн слаб побед выигр превос уступ проигр вердикт better worse stronger weaker win"
        " outperforms beats loses verdict",
        rf"\b{_SIDE_NOUN}\s{{1,3}}(?P<inside>[ABАВ12])\b(?=[^\n]{{0,60}}\b{_WINS}\b)",
        _framed,
    ),
    _rule(
        Threat.VERDICT,
        "лучше победил победитель better winner wins",
        rf"\b(?:лучше|победил\w?|победитель|better|winner|wins)[\s:—–-]{{1,4}}(?:(?:is|это"
        rf"|the)\s){{0,2}}(?:{_SIDE_NOUN}\s{{1,3}})?"
        r"(?P<inside>[ABАВ])\b",
        _framed,
    ),
    _rule(
        Threat.VERDICT,
        _SCORE_SIGNS,
        rf"(?P<label>\b{_OVERALL}\s{_SCORE})\b\s{{0,3}}(?:[:=—–-]|is|равна"
        rf"|составляет)\s{{0,3}}(?P<value>{_AMOUNT})",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        _BRACKET_SIGNS,
        rf"(?:\[\[|\\\[\\\[|【|〚|⟦)(?P<inside>{_IN_BRACKETS})(?:\]\]|\\\]\\\]|】|〛|⟧)",
        _spaced,
    ),
    _rule(
        Threat.VERDICT,
        "boxed",
        rf"(?P<label>\\boxed)\s{{0,3}}\{{\s{{0,3}}(?:\\text(?:bf)?\s{{0,3}}\{{)?(?P<value>{_JUDGED}"
        rf"|{_LETTER})\}}{{1,2}}",
        _turned,
    ),
    _rule(
        Threat.VERDICT,
        "\": \" ': '",
        rf"(?P<quote>[\"']){_KEY}(?P=quote)\s{{0,4}}(?P<colon>:)"
        rf"{_JSON_VALUE}",
        _look_alike_colon,
    ),
    _rule(
        Threat.VERDICT,
        "\\u",
        rf"(?P<quote>[\"'])(?:{_ESCAPED_KEY})(?P=quote)\s{{0,4}}(?P<colon>:){_JSON_VALUE}",
        _look_alike_colon,
    ),
    _rule(
        Threat.VERDICT,
        _CRITERIA_SIGNS,
        r"^[\s>*#_•–-]{0,8}(?:\d{1,2}[.)]\s{0,3})?[*_]{0,3}"
        rf"(?P<label>{_CRITERION})[*_]{{0,3}}\s{{0,3}}[:=—–-][\s*_]{{0,4}}"
        rf"(?P<value>{_AMOUNT}|{_LETTER})[*_.;,]{{0,4}}[ \t]{{0,8}}$",
        _turned,
        at_least=3,
    ),
    _rule(
        Threat.VERDICT,
        _CRITERIA_SIGNS,
        rf"^[ \t]{{0,4}}\|[ \t*_]{{0,6}}(?P<label>{_CRITERION})[ \t*_]{{0,6}}\|[ \t*_]{{0,6}}"
        rf"(?P<value>(?:{_AMOUNT}|{_LETTER})(?:[ \t*_]{{0,6}}\|[^|\n]{{0,40}}){{0,4}}?)"
        r"[ \t*_]{0,6}\|[ \t]{0,8}$",
        _turned,
        at_least=3,
    ),
)

_CYRILLIC = re.compile("[а-яё]")


def _by_mark(signs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Sort signs by a mark that each of them has, such as ``[``: a text without the mark has none of them."""
    found: dict[str, tuple[str, ...]] = {}
    for sign in signs:
        mark = next((char for char in sign if not char.isalnum()), "")
        found[mark] = (*found.get(mark, ()), sign)
    return found


_SIGNS = tuple(dict.fromkeys(sign for rule in RULES for sign in rule.signs))
_LATIN_SIGNS = _by_mark(sign for sign in _SIGNS if not _CYRILLIC.search(sign))
_CYRILLIC_SIGNS = _by_mark(sign for sign in _SIGNS if _CYRILLIC.search(sign))


def signs_in(latin: str, cyrillic: str) -> frozenset[str]:
    """Return the signs that occur in a text.

    Args:
        latin: the text with look-alike letters as Latin ones (the first of `hostile_text.letters_alike`).
        cyrillic: with look-alike letters as Cyrillic ones (the second).
    """
    # Lower case last: of letters that look alike only capitals may do so (Н, H).
    found: list[str] = []
    for text, signs in ((latin.lower(), _LATIN_SIGNS), (cyrillic.lower(), _CYRILLIC_SIGNS)):
        for mark, some in signs.items():
            if mark in text:
                found += [sign for sign in some if sign in text]
    return frozenset(found)
