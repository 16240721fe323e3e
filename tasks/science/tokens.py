"""The tokens of phrases about lettered options.

Tokens are options (named by letters, numbers or words), punctuation, words of a few kinds that decide what is said
of an option, and prose, which decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..text.answers import plain, unwrapped
from .labels import letter_places

OTHER: Final = -1
"""The place of «и все остальные»."""

# What the words about an option do; each value is a pattern, and the first that matches a word is its kind.
_KINDS: Final = {
    "not": r"не|ни|кроме|чем|нежели|вместо|в отличие от|нельзя|невозможно|вряд ли|едва ли|никак не|сомнева\w+"
    r"|неправда|not|nor|neither|except|than|unlike|instead of|\w+n['’]t|cannot|doubt|anything but|everything but",
    "wrong": r"(?:неверн|неправильн|ошибочн|ложн|исключ|отпада|отверга|отброс|отсеива|противореч|невозможн)\w*"
    r"|неверен|wrong|incorrect|false|impossible|excluded?|eliminated?|rejected|ruled? out",
    "because": r"потому|потому что|так как|т\. ?к|поскольку|ведь|ибо|котор\w+|где"
    r"|because|since|as|due to|which|where",
    "correction": r"точнее|вернее|исправ\w+|поправка|поправлюсь|ошибся|ошиблась"
    r"|correction|corrected|i mean|actually|rather",
    "join": r"не только|not only|и|или|либо|же|а также|плюс|and|or|either|both|plus",
    "turn": r"а|но|однако|поэтому|значит|следовательно|тогда|остается|это|так что"
    r"|but|however|so|therefore|thus|hence|it|this",
    "if": r"если|if",
    "doubt": r"возмож\w+|мо[гж]\w+|может быть|на всякий случай|в запасе|p\. ?s|друг(?:ой|ие)|перв(?:ый|ая)"
    r"|втор(?:ой|ая)|хотя|впрочем|нет|тоже|также|затем|потом|даже|иначе|(?:альтернатив|запасн|резервн)\w+"
    r"|maybe|perhaps|possibl[ey]|could be|might be|no|wait|also|too|then|even|otherwise|alternative(?:ly)?|backup"
    r"|another|first|second",
    "right": r"верн(?:о|а|ы|ый|ая|ое|ые)|верен|правильн(?:о|а|ы|ый|ая|ое|ые)|правилен|истин(?:но|ен|на|ны)"
    r"|подход(?:ит|ят|ящий)|подойдет|да|yes|correct|right|best",
    "verb": r"является|являются|будет|is|are|will be|would be",
    "announcing": r"(?:ответ|отвеч|вариант|букв|пункт|номер|вопрос|опци|задан|задач|утвержден|суждени|услови|случа"
    r"|вывод|итог|решени|результат|заключени|выбор|выбр|выбир|выбер|метод|получ|соответств|удовлетвор|склоня|останов"
    r"|указан|обознач|находит|перечисленн|мнени|взгляд|верн|правильн|окончательн|финальн|подходящ|лучш|уверен|счита"
    r"|полага|единственн|нужн|иском|запи[сш]|отме[тч]|обвед|служит)\w*"
    r"|в|в общем|короче|ну|ок|хорошо|еще раз|бесспорно|осталось|остался|осталась|таков|следующий|лишь|нам"
    r"|под|на|к|из|всех|этот|эта|этому|данный|данном|здесь|тут|мой|моя|моему|наш|я|мы|бы|что|мне|кажется|думаю"
    r"|думается|по-моему|падает|итак|таким образом|отсюда|следует|стало быть|скорее|всего|вероятно|вероятный"
    r"|вероятнее|наверное|наверняка|видимо|очевидно|явно|конечно|конечно же|точно|однозначно|безусловно|разумеется"
    r"|пожалуй|несомненно|вовсе|то|методом исключения|в итоге|все-таки|то есть|т\. ?е|именно|только|наиболее|нужно"
    r"|надо|будем|на самом деле"
    r"|answers?|options?|choices?|letter|question|response|solution|conclusion|result|the|to|that|these|those|of|in|on"
    r"|among|my|i|we|i['’](?:d|ll|m)|let['’]s|it['’]s|that['’]s|final|go|going|with|say|choose|pick|select|think"
    r"|believe|must|should|would|could|be|probably|likely|most|definitely|clearly|only",
}
_KIND: Final = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items()))
# «В чём» is no comparison.
_PHRASE: Final = r"(?:в|о|на)\ чем|" + "|".join(
    words.replace(" ", r"\ ")
    for kind in _KINDS.values()
    for words in re.split(r"\|(?![^()]*\))", kind)
    if " " in words
)
_NOUN: Final = r"(?:вариант|ответ|пункт|option|choice|answer|one)\w{0,3}"
_OPTION: Final = r"(?:вариант|пункт|option|choice|one)\w{0,3}"
_ORDINALS: Final = (
    "перв(?:ый|ая|ом)|first",
    "втор(?:ой|ая|ом)|second",
    "трет(?:ий|ья|ьем)|third",
    "четверт(?:ый|ая|ом)|fourth",
    "пят(?:ый|ая|ом)|fifth",
)
ORDINAL: Final = "|".join(_ORDINALS)
"""«первый» and its like, as alternatives of a regular expression."""
_PLACE: Final = (
    r"(?:(?:вариант|пункт|option|choice)\w{0,3}\ (?:под\ )?(?:номером|номер|number|№|\#)?"
    r"|(?:(?:ответ|answer)\w{0,3}\ )?(?:под\ номером|номер|number|№|\#))\ ?\d\d?(?!\w|\ ?%|[.,]\d)"
)
_OTHERS: Final = (
    r"(?:все|всех|любо[йе]|прочие|остальные|другие|all|any|the)(?:\ (?:остальные|прочие|друг\w+|rest|others?))?"
)
_NUMBERED: Final = re.compile(rf"\b{_NOUN} (?:под )?(?:номер(?:ом)?|number|№)? ?\Z", re.IGNORECASE)
PUNCTUATION: Final = frozenset(("mark", "comma", "open"))
"""Kinds of punctuation: a comma, an opening bracket, any other mark within a sentence."""

LEADS: Final = frozenset(_KINDS) - {"because", "if"} | PUNCTUATION
"""Kinds that may stand before the first option of a statement."""

FOLLOWERS: Final = frozenset(_KINDS) - {"announcing"} | PUNCTUATION | {"stop", "line"}
"""Kinds that may follow an option's words, or a letter that is a word as well."""

# Letters that are words as well: «В клетке», «А именно», «A cell».
_WORDS: Final = frozenset("АВИКСОУЯAI")

_STRUCK: Final = re.compile(r"~~[^~\n]{1,200}~~|<(s|del|strike)>[^<\n]{1,200}</\1>")
_ARROW: Final = re.compile(r"[=-]>")
_QUOTED: Final = re.compile(r"^[ \t]*(?:>[ \t]?)+(?=[^\s\d])", re.MULTILINE)
_STYLE: Final = re.compile(r"\\(?:bf|rm|it|sf|tt|large|Large|huge|Huge|boldsymbol|mathsf|mathit|underline)\b")
_COMMAND: Final = re.compile(r"\\(?=(?:log|lg|ln|sin|cos|tan|tg|exp|max|min)(?![a-z]))")
_TAG: Final = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<(?:/s|[be]os)>"
    r"|</?(?:[biup]|br|em|strong|code|span|mark|div|li|t[drh]|(?:final_)?answer|final|result|ответ) ?/?>"
)
_ANGLES: Final = re.compile(r"<([^<>\n]{1,80})>")
_INVISIBLE: Final = re.compile(r"[*`_\"«»„“”\u00ad\u200b-\u200f\u2060\ufe0f\ufeff]")
NUMBERING: Final = re.compile(
    r"\A[ |>•*-]{0,9}(?:(?:вопрос|задание|question|q) ?)?(?:№ ?)?(\d{1,3})"
    r"(?: ?[.):|] ?(?=[^\s\d])| ?[—–-] (?=[^\s\d])| ?(?=\()|[—–-](?=[^\W\d_](?!\w)))",
    re.IGNORECASE,
)
"""The number of a question at the beginning of an answer to it: «1. Б», «Вопрос 1: Б»; its group is the number."""

_TOKEN: Final = re.compile(
    rf"""
    (?P<others>\b(?:и|или|либо|а\ также|and|or)\ {_OTHERS}\b(?=\W*\Z|\ ?[.,;!)]|\ {_NOUN})
        |\b{_NOUN}\ \d\d?(?:(?:,|\ и|\ или|\ and|\ or)\ ?\d\d?)+\b)
  | (?P<place>\b(?:{_PLACE}|(?:{ORDINAL})\ {_OPTION}|{_OPTION}\ (?:{ORDINAL})\b))
  | (?P<phrase>\b(?:{_PHRASE})\b)
  | (?P<initials>\b(?-i:[A-ZА-Я]\.\ ?){{2}}(?=(?-i:[A-ZА-Я][a-zа-я])))
  | (?P<variable>(?<!\w)[^\W\d_](?=\ ?[=^°%<>≈]))
  | (?P<letter>(?<![\w°])(?<!\d\ )[^\W\d_](?!\w|['’]\w|-\w\w|\.\ ?[ек]\.))
  | (?P<word>[^\W\d_]\w*(?:['’-]\w+)*)
  | (?P<number>(?:(?<!\w)[-+])?\d+(?:[.,]\d+)*(?:\w|-(?:й|я|е|ый|st|nd|rd|th)\b)*)
  | (?P<line>\n+)
  | (?P<stop>[.!?…;]+)
  | (?P<comma>,)
  | (?P<open>[(\[])
  | (?P<mark>[^\w\s%‰°∀-⋿¬±×<>+√\\^~])
  | (?P<symbol>\S)
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a mark, or an option.

    ``kind`` is a key of the vocabulary, ``prose``, ``number``, ``stop`` (ends a sentence), ``line``, one of
    `PUNCTUATION`, or what names an option: ``letter``, ``words``, ``place`` or ``others``. ``places`` (from 0) are
    those that the option may have, the likeliest first. ``closed``: a bracket, colon or full stop follows a letter.
    """

    kind: str
    text: str
    places: tuple[int, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Splits phrases about the options of one question into tokens; `tokenizer` makes one.

    ``places`` leads from the words of an option to its place; ``numbered``: options have numbers in them.
    """

    labels: str
    places: dict[str, int]
    words: re.Pattern[str]
    numbered: bool

    def tokens(self, text: str) -> Iterator[Token]:
        """Yield the tokens of a `cleaned` text; what only looks like an option is a word."""
        tokens = list(self._tokens(text))
        before = "line"
        for given, after in zip(tokens, [*tokens[1:], Token("line", "")], strict=False):
            token = given
            if given.kind == "letter" and not _names_an_option(given.text, before, after):
                token = Token(_kind(given.text), given.text)
            elif given.kind == "words" and (before == "prose" or not _may_follow(after)):
                token = Token("prose", given.text)
            before = token.kind
            yield token

    def _tokens(self, text: str) -> Iterator[Token]:
        start = 0
        for words in self.words.finditer(text):
            place = self.places.get(_key(words[0]))
            if place is not None:
                yield from map(self._token, _TOKEN.finditer(text, start, words.start()))
                # «Вариант 2» may be the second option or the one that says 2.
                number = int(words[0]) - 1 if re.fullmatch("[1-9][0-9]?", words[0]) else place
                unclear = number != place and number < len(self.labels) and _NUMBERED.search(text, 0, words.start())
                yield Token("words", words[0], (OTHER if unclear else place,))
                start = words.end()
        yield from map(self._token, _TOKEN.finditer(text, start))

    def _token(self, match: re.Match[str]) -> Token:
        kind, text = str(match.lastgroup), match[0]
        if kind == "others":
            return Token(kind, text, (OTHER,))
        if kind == "place":
            place = place_of(text)
            return Token(kind, text, (place,)) if place < len(self.labels) else Token("prose", text)
        if kind == "letter" and (places := letter_places(text, self.labels)):
            return Token(kind, text, places, match.string[match.end() : match.end() + 1] in (".", ":", ")", "]"))
        if kind in ("phrase", "word", "letter"):
            return Token(_kind(text), text)
        return Token("prose" if kind in ("initials", "variable", "symbol") else kind, text)


@lru_cache(maxsize=64)
def tokenizer(options: tuple[str, ...], labels: str) -> Tokenizer:
    """Return the tokenizer for these options; without options it knows letters only.

    Words that several options share are no words of an option, and neither is a letter that may be a label.
    """
    words = [cleaned(option).strip().rstrip(".!;, ") for option in options]
    keys = [_key(word) for word in words]
    told = [
        key for key in keys if key and keys.count(key) == 1 and not (len(key) == 1 and letter_places(key, labels))
    ]
    known = [word for word, key in zip(words, keys, strict=True) if key in told]
    longest_first = sorted(known, key=len, reverse=True)
    pattern = re.compile(
        r"(?<![\w/^+√±¬-])(?<!\d[.,])(?<![<>≤≥=])(?<![<>≤≥=] )"
        rf"(?:{'|'.join(map(_loosely, longest_first)) or '(?!)'})"
        r"(?![\w/^²³°(])(?![.,]\d)(?! ?[%‰°·=])",
        re.IGNORECASE,
    )
    numbered = not options or any(char.isdigit() for option in options for char in option)
    return Tokenizer(labels, {key: keys.index(key) for key in told}, pattern, numbered)


def cleaned(text: str) -> str:
    """Return a text in plain letters, without markup, LaTeX, quotes, invisible signs and what is struck out."""
    text = _ARROW.sub("→", _QUOTED.sub("", _STRUCK.sub(" ", unicodedata.normalize("NFC", text))))
    text = _ANGLES.sub(r"(\1)", _COMMAND.sub("", _STYLE.sub(" ", _TAG.sub(" ", text))))
    text = "".join(map(_plain_letter, _INVISIBLE.sub("", unwrapped(text))))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(lines).replace("ё", "е").replace("Ё", "Е").replace("−", "-")


def _plain_letter(char: str) -> str:
    """Return the letter that a full-width, mathematical or circled one is."""
    if char < "\u2100":
        return char
    same = unicodedata.normalize("NFKC", char)
    return same if len(same) == 1 and same.isalpha() else char


def _key(words: str) -> str:
    return plain(words).replace(" ", "").replace(",", ".")


def _loosely(words: str) -> str:
    """Return the pattern of an option's words, with spaces about signs and before units left out or not."""
    escaped = re.escape(words)
    escaped = re.sub(r"\\ (\\?[-+=*/·])\\ ", r"\\ ?\1\\ ?", re.sub(r"(?<=\d)\\ (?=[^\W\d_])", r"\\ ?", escaped))
    return re.sub(r"(?<=\d)(?:,|\\\.)(?=\d)", "[.,]", escaped)


def place_of(text: str) -> int:
    """Return the place (from 0) in «вариант № 2» or «второй вариант»."""
    if digits := re.search(r"\d+", text):
        return int(digits[0]) - 1 if int(digits[0]) else len(text)
    return next(
        place for place, words in enumerate(_ORDINALS) if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
    )


def _kind(word: str) -> str:
    match = _KIND.fullmatch(word.lower())
    return str(match.lastgroup) if match else "prose"


def _may_follow(token: Token) -> bool:
    """Tell whether a token may stand right after the words of an option that end there."""
    return token.kind in FOLLOWERS or (bool(token.places) and not (token.kind == "letter" and token.text.islower()))


def _names_an_option(letter: str, before: str, after: Token) -> bool:
    """Tell whether a letter that stands alone names an option, and is no word or variable."""
    apart = after.kind in PUNCTUATION | {"stop", "line"}
    if letter.islower() and letter.upper() in _WORDS:
        return apart
    # A capital within a sentence begins no word.
    if letter.islower() or (letter in _WORDS and before in ("line", "stop", "open", "mark")):
        follows = after.kind in FOLLOWERS and after.text.lower() not in ("это", "it")
        return apart or bool(after.places) or follows
    return True
