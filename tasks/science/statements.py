"""What a phrase says of lettered options: which it names, which it denies, and whether it settles on one.

A phrase is read as options (their letters, numbers or words), punctuation, words of a few kinds that decide what is
said of an option, and prose, which decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, takewhile
from typing import Final, Literal

from ..text.answers import plain, unwrapped
from .labels import letter_places

# The place of «и все остальные».
_OTHER: Final = -1

LONGEST: Final = 1000
"""How many characters of a phrase are read."""

_KINDS: Final = {
    "not": r"не|ни|кроме|чем|нежели|вместо|в отличие от|нельзя|невозможно|вряд ли|едва ли|никак не|сомнева\w+|неправда"
    r"|not|nor|neither|except|than|unlike|instead of|\w+n['’]t|cannot|doubt|anything but|everything but",
    "wrong": r"(?:неверн|неправильн|ошибочн|ложн|исключ|отпада|отверга|отброс|отсеива|противореч)\w*|неверен"
    r"|wrong|incorrect|false|impossible|excluded?|eliminated?|rejected|ruled? out",
    "because": r"потому|потому что|так как|т\. ?к|поскольку|ведь|ибо|котор\w+|где|because|since|as|due to|which|where",
    "correction": r"точнее|вернее|исправ\w+|поправка|поправлюсь|ошибся|ошиблась|correction|corrected|i mean|actually|rather",
    "join": r"и|или|либо|же|а также|плюс|and|or|either|both|plus",
    "turn": r"а|но|однако|поэтому|значит|следовательно|тогда|остается|это|так что"
    r"|but|however|so|therefore|thus|hence|it|this",
    "if": r"если|if",
    "doubt": r"возмож\w+|p\. ?s|может|мо[гж]\w+|может быть|на всякий случай|в запасе|друг(?:ой|ие)|хотя|впрочем|нет|тоже|также|затем|потом|даже|иначе"
    r"|(?:альтернатив|запасн|резервн)\w+|maybe|perhaps|possibly|no|wait|also|too|then|even|otherwise|alternative(?:ly)?|backup"
    r"|another|possible|could be|might be",
    "right": r"верн(?:о|а|ы|ый|ая|ое|ые)|верен|правильн(?:о|а|ы|ый|ая|ое|ые)|правилен|истин(?:но|ен|на|ны)"
    r"|подход(?:ит|ят|ящий)|подойд[её]т|correct|right|best",
    "verb": r"является|являются|будет|is|are|will be|would be",
    "announcing": r"(?:ответ|отвеч|вариант|букв|пункт|номер|вопрос|опци|задан|задач|утвержден|суждени|услови|случа|вывод|итог"
    r"|решени|результат|заключени|выбор|выбр|выбир|выбер|метод|получ|соответств|удовлетвор|склоня|останов|указан|обознач"
    r"|находит|перечисленн|мнени|взгляд|верн|правильн|окончательн|финальн|подходящ|лучш|уверен|счита|полага)\w*"
    r"|под|на|к|из|всех|этот|эта|этому|данный|данном|здесь|тут|мой|моя|моему|наш|я|мы|бы|что|мне|кажется|думаю|думается"
    r"|по-моему|падает|итак|таким образом|отсюда|следует|стало быть|скорее|всего|вероятно|вероятный|вероятнее|наверное"
    r"|наверняка|видимо|очевидно|явно|конечно|конечно же|точно|однозначно|безусловно|разумеется|пожалуй|несомненно|вовсе|то"
    r"|методом исключения|в итоге|все-таки|то есть|т\. ?е|именно|только|единственн\w+|наиболее|нужно|надо|будем|на самом деле"
    r"|answers?|options?|choices?|letter|question|response|solution|conclusion|result|the|to|this|that|these|those|of|in|on"
    r"|among|my|i|we|i['’](?:d|ll|m)|let['’]s|it['’]s|that['’]s|final|go|going|with|say|choose|pick|select|think|believe"
    r"|must|should|would|could|be|probably|likely|most|definitely|clearly|only",
}
_KIND: Final = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items()))
_PHRASE: Final = (
    re.escape(
        "на всякий случай|в запасе|could be|might be|методом исключения|потому что|так как|так что|в отличие от|в итоге|таким образом|стало быть|может быть|то есть|а также|вряд ли|едва ли"
        "|никак не|на самом деле|конечно же|instead of|due to|ruled out|rule out|i mean|will be|would be|anything but"
        "|everything but"
    ).replace(r"\|", "|")
    + r"|p\.\ ?s"
)
_NOUN: Final = r"(?:вариант|ответ|пункт|option|choice|answer|one)\w{0,3}"
_ORDINALS: Final = (
    "перв(?:ый|ая|ом)|first",
    "втор(?:ой|ая|ом)|second",
    "трет(?:ий|ья|ьем)|third",
    "четверт(?:ый|ая|ом)|fourth",
    "пят(?:ый|ая|ом)|fifth",
)
_ORDINAL: Final = "|".join(_ORDINALS)
_PLACE: Final = (
    r"(?:(?:вариант|пункт|option|choice)\w{0,3}\ (?:под\ )?(?:номером|номер|number|№|\#)?"
    r"|(?:(?:ответ|answer)\w{0,3}\ )?(?:под\ номером|номер|number|№|\#))\ ?\d\d?(?!\w|\ ?%|[.,]\d)"
)
_OTHERS: Final = (
    r"(?:все|всех|любо[йе]|прочие|остальные|другие|all|any|the)(?:\ (?:остальные|прочие|друг\w+|rest|others?))?"
)
_PUNCTUATION: Final = frozenset(("mark", "comma", "open"))

# What may stand before the first option, and right after one that is not set off by punctuation.
_LEADS: Final = frozenset(_KINDS) - {"because", "if"} | _PUNCTUATION
_FOLLOWERS: Final = frozenset(_KINDS) - {"announcing"} | _PUNCTUATION | {"stop", "line"}

# Letters that are words as well: «В клетке», «А именно», «A cell».
_WORDS: Final = frozenset("АВИКСОУЯAI")

_STRUCK: Final = re.compile(r"~~[^~\n]{1,200}~~|<(s|del|strike)>[^<\n]{1,200}</\1>")
_ARROW: Final = re.compile(r"[=-]>")
_QUOTED: Final = re.compile(r"^[ \t]*(?:>[ \t]?)+(?=[^\s\d])", re.MULTILINE)
_STYLE: Final = re.compile(r"\\(?:bf|rm|it|sf|tt|large|Large|huge|Huge|boldsymbol|mathsf|mathit|underline)\b")
_COMMAND: Final = re.compile(r"\\(?=(?:log|lg|ln|sin|cos|tan|tg|exp|max|min)(?![a-z]))")
_TAG: Final = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<(?:/s|[be]os)>|</?(?:[biup]|br|em|strong|code|span|mark|div|li|t[drh]|(?:final_)?answer|final|result|ответ) ?/?>"
)
_ANGLES: Final = re.compile(r"<([^<>\n]{1,80})>")
_INVISIBLE: Final = re.compile(r"[*`_\"«»„“”\u00ad\u200b-\u200f\u2060\ufe0f\ufeff]")
_NUMBERING: Final = re.compile(
    r"\A[ |>•*-]{0,9}(?:(?:вопрос|задание|question|q) ?)?(?:№ ?)?(\d{1,3})"
    r"(?: ?[.):|] ?(?=[^\s\d])| ?[—–-] (?=[^\s\d])| ?(?=\()|[—–-](?=[^\W\d_](?!\w)))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a phrase says of the options.

    ``sense``: ``one`` settles on ``index`` (from 0, else None); ``several`` names more and settles on none; ``denied``
    says only what is not right; ``unread`` names options among words that are not understood; ``none`` names none.
    ``said`` follows the option: ``nothing``, that it is ``right``, or ``prose``. ``worded`` and ``lettered``: named by its words, by
    its letter; ``closed``: the letter is followed by a bracket, colon or full stop; ``asked``: by a question mark. ``before`` and ``after``: the words about it.
    """

    sense: Literal["one", "several", "denied", "unread", "none"]
    index: int | None = None
    said: Literal["nothing", "right", "prose"] = "nothing"
    worded: bool = False
    lettered: bool = False
    closed: bool = False
    asked: bool = False
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, a mark, or an option with the places (from 0) that it may have, the likeliest first."""

    kind: str
    text: str
    places: tuple[int, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence or line: its tokens, how many line breaks stand before it, whether a question mark ends it."""

    tokens: Sequence[_Token]
    breaks: int
    asked: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """Options that are spoken of together, the words before them, and what is said of them."""

    lead: Sequence[_Token]
    options: Sequence[_Token]
    said: Sequence[_Token]
    corrects: bool

    @property
    def kinds(self) -> set[str]:
        """The kinds of words and marks before the options."""
        return {token.kind for token in self.lead}

    @property
    def denied(self) -> bool:
        plainly = takewhile(lambda token: token.kind not in ("prose", "because"), self.said)
        kinds = "-".join(token.kind for token in (*self.lead, *plainly) if token.kind not in _PUNCTUATION)
        # «Не исключено, что Б» denies nothing.
        return re.search("not|wrong", kinds.replace("not-wrong", "doubt")) is not None

    @property
    def predicate(self) -> Literal["nothing", "right", "prose"]:
        kinds = {token.kind for token in takewhile(lambda token: token.kind != "because", self.said)}
        kinds -= _PUNCTUATION | {"join"}
        if not kinds:
            return "nothing"
        affirms = kinds & {"right", "doubt"} or {"verb", "announcing"} <= kinds
        return "right" if affirms and "prose" not in kinds else "prose"

    @property
    def explained(self) -> bool:
        return any(token.kind == "because" for token in self.said)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads phrases about the options of one question; `reader` makes one."""

    options: dict[str, int]
    labels: str
    numbered: bool
    pattern: re.Pattern[str]

    def read(self, phrase: str, *, numbers: bool = True) -> Statement:
        """Read the beginning of a phrase, and whatever after it takes it back or adds to it.

        ``numbers``: a number alone may be that of an option, unless the options have numbers in them.
        """
        text = cleaned(phrase[:LONGEST])
        numbering = _NUMBERING.match(text)
        said = self._read(text[numbering.end() :] if numbering else text, numbers=numbers)
        if (
            numbering
            and said.worded
            and not said.lettered
            and said.index != int(numbering[1]) - 1 < len(self.labels)
        ):
            # «1) азот» may be the answer to the first question or the first option.
            return Statement("several")
        return said

    def _read(self, text: str, *, numbers: bool) -> Statement:
        sentences = list(_sentences(self._tokens(text)))
        begins = next((place for place, sentence in enumerate(sentences) if not _idle(sentence)), None)
        if begins is None:
            return Statement("none")
        parts = list(_parts(sentences[begins].tokens))
        if not parts:
            return self._by_number(sentences[begins].tokens) if numbers else Statement("none")
        if not parts[0].kinds <= _LEADS:
            return Statement("unread")
        counted = [*_counted(parts), *_added(sentences[begins + 1 :])]
        corrected = max((place for place, part in enumerate(counted) if part.corrects), default=0)
        said = _settled(counted[corrected:]) if counted else _about("denied", parts[0])
        denied = {token.places[0] for part in parts if part.denied for token in part.options}
        undecided = said.index in denied or "join" in parts[0].kinds or _taken_back(sentences[begins:])
        if said.sense == "one" and undecided:
            said = replace(said, sense="several", index=None)
        return replace(said, asked=sentences[begins].asked)

    def understands(self, phrase: str) -> bool:
        """Tell whether a phrase holds nothing but options, and words and marks about them."""
        return all(
            token.places or token.kind in _LEADS | _FOLLOWERS | {"number"}
            for token in self._tokens(cleaned(phrase))
        )

    def _by_number(self, tokens: Sequence[_Token]) -> Statement:
        """Read «2» or «второй», unless options have numbers in them."""
        filled = [token for token in tokens if token.kind not in _PUNCTUATION | {"announcing"}]
        alone = not self.numbered and len(filled) == 1
        place = len(self.labels)
        if alone and re.fullmatch(rf"[1-9][0-9]?|{_ORDINAL}", filled[0].text, re.IGNORECASE):
            place = _place(filled[0].text)
        return Statement("one", place) if place < len(self.labels) else Statement("none")

    def _tokens(self, text: str) -> Iterator[_Token]:
        tokens = [self._token(match) for match in self.pattern.finditer(text)]
        before = "line"
        for token, after in zip(tokens, [*tokens[1:], _Token("line", "")], strict=False):
            if token.kind == "letter" and not _names_an_option(token.text, after):
                token = _Token(_kind(token.text), token.text)
            elif token.kind == "words" and (before == "prose" or not (after.places or after.kind in _FOLLOWERS)):
                token = _Token("prose", token.text)
            before = token.kind
            yield token

    def _token(self, match: re.Match[str]) -> _Token:
        kind, text = str(match.lastgroup), match[0]
        if kind == "words":
            return _Token(kind, text, (self.options[_key(text)],))
        if kind == "others":
            return _Token(kind, text, (_OTHER,))
        if kind == "place":
            place = _place(text)
            return _Token(kind, text, (place,)) if place < len(self.labels) else _Token("prose", text)
        if kind == "letter" and (places := letter_places(text, self.labels)):
            return _Token(kind, text, places, match.string[match.end() : match.end() + 1] in (".", ":", ")", "]"))
        kind = "prose" if kind == "variable" else kind
        return _Token(_kind(text) if kind in ("phrase", "word", "letter") else kind, text)


@lru_cache(maxsize=64)
def reader(options: tuple[str, ...], labels: str) -> Reader:
    """Return the reader of phrases about these options; without options it knows letters only."""
    words = [cleaned(option).strip().rstrip(".!;, ") for option in options]
    keys = [_key(word) for word in words]
    told = [
        (word, key)
        for word, key in zip(words, keys, strict=True)
        if keys.count(key) == 1 and key and not (len(key) == 1 and key.isalpha())
    ]
    by_words = "|".join(_loosely(word) for word, _ in sorted(told, key=lambda pair: -len(pair[0]))) or "(?!)"
    pattern = re.compile(
        rf"""
        (?P<words>(?<![\w/^+√±¬-])(?<!\d[.,])(?<![<>≤≥=])(?<![<>≤≥=]\ )(?:{by_words})(?![\w/^²³°(])(?![.,]\d)(?!\ ?[%‰°·=]))
      | (?P<others>\b(?:и|или|либо|а\ также|and|or)\ {_OTHERS}\b(?=\W*\Z|\ ?[.,;!)]|\ {_NOUN})
          |\b{_NOUN}\ \d\d?(?:(?:,|\ и|\ или|\ and|\ or)\ ?\d\d?)+\b)
      | (?P<place>\b(?:{_PLACE}|(?:{_ORDINAL})\ {_NOUN}|{_NOUN}\ (?:{_ORDINAL})\b))
      | (?P<phrase>\b(?:{_PHRASE})\b)
      | (?P<prose>\b(?-i:[A-ZА-Я]\.\ ?){{2}}(?=(?-i:[A-ZА-Я][a-zа-я])))
      | (?P<variable>(?<!\w)[^\W\d_](?=\ ?[=^°%<>≈]))
      | (?P<letter>(?<![\w°])(?<!\d\ )[^\W\d_](?!\w|['’]\w|-\w\w|\.\ ?[ек]\.))
      | (?P<word>[^\W\d_]\w*(?:['’-]\w+)*)
      | (?P<number>(?:(?<!\w)[-+])?\d+(?:[.,]\d+)*(?:\w|-(?:й|я|е|ый|st|nd|rd|th)\b)*)
      | (?P<line>\n+)
      | (?P<stop>[.!?…;]+)
      | (?P<comma>,)
      | (?P<open>[(\[])
      | (?P<mark>[^\w\s%‰°∀-⋿¬±×<>+√\\^~])
      | (?P<other>\S)
        """,
        re.IGNORECASE | re.VERBOSE,
    )
    numbered = any(char.isdigit() for option in options for char in option) or not options
    return Reader({key: keys.index(key) for _, key in told}, labels, numbered, pattern)


def cleaned(text: str) -> str:
    """Return a text without markup, LaTeX, quotes, invisible characters and what is struck out, in plain letters."""
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
    """Return the pattern of an option's words: a decimal point for a comma, no space before a unit or about a sign."""
    escaped = re.escape(words)
    escaped = re.sub(r"\\ (\\?[-+=*/·])\\ ", r"\\ ?\1\\ ?", re.sub(r"(?<=\d)\\ (?=[^\W\d_])", r"\\ ?", escaped))
    return re.sub(r"(?<=\d)(?:,|\\\.)(?=\d)", "[.,]", escaped)


def _place(text: str) -> int:
    """Return the place (from 0) in «вариант № 2» or «второй вариант»."""
    if digits := re.search(r"\d+", text):
        return int(digits[0]) - 1 if int(digits[0]) else len(text)
    return next(
        place for place, words in enumerate(_ORDINALS) if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
    )


def _kind(word: str) -> str:
    match = _KIND.fullmatch(word.lower())
    return str(match.lastgroup) if match else "prose"


def _names_an_option(letter: str, after: _Token) -> bool:
    """Tell whether a letter that stands alone names an option, and is no word or variable."""
    apart = after.kind in _PUNCTUATION | {"stop", "line"}
    if letter.islower() and letter.upper() in _WORDS:
        return apart
    if letter.islower() or letter in _WORDS:
        return apart or bool(after.places) or (after.kind in _FOLLOWERS and after.text.lower() not in ("это", "it"))
    return True


def _sentences(tokens: Iterable[_Token]) -> Iterator[_Sentence]:
    breaks, sentence = 0, list[_Token]()
    for token in chain(tokens, [_Token("stop", "")]):
        if token.kind not in ("stop", "line"):
            sentence.append(token)
            continue
        if sentence:
            yield _Sentence(sentence, breaks, "?" in token.text)
            breaks, sentence = 0, []
        breaks += token.text.count("\n")


def _idle(sentence: _Sentence) -> bool:
    return all(token.kind in _PUNCTUATION | {"announcing"} for token in sentence.tokens)


def _parts(sentence: Iterable[_Token]) -> Iterator[_Part]:
    """Split a sentence: options joined by nothing but «и», «или», commas and dashes are spoken of together."""
    lead, options, between = list[_Token](), list[_Token](), list[_Token]()
    corrects = False
    for token in sentence:
        if not token.places:
            between.append(token)
            continue
        if options and {token.kind for token in between} <= {"mark", "comma", "join"}:
            options.append(token)
        else:
            said, before = _shared(between) if options else ([], between)
            if options:
                yield _Part(lead, options, said, corrects)
            lead, options = before, [token]
            corrects = _corrects(between)
        between = []
    if options:
        yield _Part(lead, options, _predicate(between, several=len(options) > 1), corrects)


def _corrects(tokens: Sequence[_Token]) -> bool:
    """Tell «точнее» and «нет, правильный ответ» from a mere «нет»."""
    words = [token.text.lower() for token in tokens]
    right = any(word.startswith(("верн", "правильн", "correct", "right")) for word in words)
    return any(token.kind == "correction" for token in tokens) or (right and not {"нет", "no"}.isdisjoint(words))


def _shared(between: list[_Token]) -> tuple[list[_Token], list[_Token]]:
    """Share out the words between two options: what is said of the first, and what leads to the second."""
    end = len(between)
    while end and between[end - 1].kind in ("not", "mark", "open"):
        end -= 1
    texts = [token.text for token in between]
    if between[0].kind == "comma" or ("(" in texts and ")" not in texts):
        return [], between
    start = next((place for place, token in enumerate(between) if token.kind not in ("mark", "open")), end)
    cut = next((place for place in range(start, end) if between[place].kind in ("comma", "turn")), end)
    return between[start:cut], between[cut:]


def _predicate(tokens: list[_Token], *, several: bool) -> list[_Token]:
    """Return what is said of the last options of a sentence, up to a comma."""
    skipped = ("mark", "open", "comma") if several else ("mark", "open")
    start = next((place for place, token in enumerate(tokens) if token.kind not in skipped), len(tokens))
    return list(takewhile(lambda token: token.kind != "comma", tokens[start:]))


def _counted(parts: Sequence[_Part]) -> Iterator[_Part]:
    """Yield the parts of a sentence that say what is right, up to an explanation."""
    aside = False
    for place, part in enumerate(parts):
        if place and "because" in part.kinds:
            return
        described = "prose" in part.kinds or part.predicate == "prose"
        aside = described if "open" in part.kinds else aside and not any(token.text == ")" for token in part.lead)
        by_words = part.predicate == "prose" and all(token.kind == "words" for token in part.options)
        if not (place and (aside or by_words)) and not part.denied:
            yield part
        if part.explained:
            return


def _added(sentences: Iterable[_Sentence]) -> Iterator[_Part]:
    """Yield what later sentences name as right, too: «Или Б», «Б тоже верно», or an option alone.

    Explanations of options are passed over, and so are lists of them below a blank line or other text.
    """
    apart = False
    for sentence in sentences:
        breaks, parts = sentence.breaks, list(_parts(sentence.tokens))
        kinds = parts[0].kinds - _PUNCTUATION if parts else {"prose"}
        apart = apart or breaks > 1
        if not kinds <= _LEADS | {"number", "if"}:
            apart = apart or breaks > 0
            continue
        first = parts[0]
        again = any(token.text.lower().startswith(("ответ", "answer")) for token in first.lead)
        if kinds <= {"announcing", "right", "number"} and not again:
            listed = apart and any(token.kind == "words" for token in first.options)
            if listed or (breaks and first.predicate == "right"):
                continue
        if first.predicate != "prose":
            yield from _counted(parts)


def _taken_back(sentences: Sequence[_Sentence]) -> bool:
    """Tell whether a «нет», «это неверно» or «или …» follows the last option that a statement names."""
    head, *after = (
        [token for token in sentence.tokens if token.kind not in _PUNCTUATION] for sentence in sentences[:2]
    )
    last = max(place for place, token in enumerate(head) if token.places)
    rest = [token.text.lower() for token in head[last + 1 :]]
    if rest in (["нет"], ["no"]) or rest[:1] in (["или"], ["либо"], ["or"]):
        return True
    kinds = {"not" if token.text.lower() in ("нет", "no") else token.kind for token in chain(*after)}
    return bool(kinds & {"not", "wrong"}) and kinds <= {"not", "wrong", "correction", "turn", "announcing", "verb"}


def _settled(parts: Sequence[_Part]) -> Statement:
    """Return the one option that the parts name; the words of an option decide between letters that look alike."""
    options = [token for part in parts for token in part.options]
    letters = [token.places for token in options if token.kind == "letter"]
    likeliest = {places[0] for places in letters}
    told = {token.places[0] for token in options if token.kind != "letter"} or likeliest
    index = min(told)
    one = len(told) == 1 and len(likeliest) <= 1 and index != _OTHER and all(index in places for places in letters)
    return _about("one", parts[0], index) if one else _about("several", parts[0])


def _about(sense: Literal["one", "several", "denied"], part: _Part, index: int | None = None) -> Statement:
    return Statement(
        sense,
        index,
        part.predicate,
        worded=any(token.kind == "words" for token in part.options),
        lettered=any(token.kind == "letter" for token in part.options),
        closed=part.options[0].closed,
        before=_texts(part.lead),
        after=_texts(part.said),
    )


def _texts(tokens: Iterable[_Token]) -> frozenset[str]:
    return frozenset(token.text.lower() for token in tokens if token.kind not in _PUNCTUATION)
