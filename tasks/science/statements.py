"""What a phrase says of lettered options: which it names, which it denies, and whether it settles on one.

A statement is read by its sentences, and a sentence by its parts: options that are spoken of together, the words
that lead to them, and what is said of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from typing import Final, Literal

from .tokens import FOLLOWERS, LEADS, NUMBERING, ORDINAL, OTHER, PUNCTUATION, Token, Tokenizer, cleaned, place_of

LONGEST: Final = 1000
"""How many characters of a phrase are read."""


_REFUSALS: Final = frozenset(("нет", "no"))
_BUTS: Final = frozenset(("но", "однако", "but", "however"))
_OBJECTION: Final = 5
"""How many words «но это не так» may have."""
_CONDITIONAL: Final = frozenset(("бы", "would"))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a phrase says of the options.

    ``sense``: ``one`` settles on ``index`` (from 0, else None); ``several`` names more and settles on none;
    ``denied`` says only what is not right; ``unread`` names options among words that are not understood; ``none``
    names none. ``said`` follows the option: ``nothing``, that it is ``right``, or ``prose``. ``worded`` and
    ``lettered``: it is named by its words, by its letter; ``closed``: a bracket, colon or full stop follows the
    letter; ``asked``: a question mark ends the sentence. ``before`` and ``after`` are the words about the option.
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
class _Sentence:
    """A sentence or line: its tokens, how many line breaks stand before it, whether a question mark ends it."""

    tokens: Sequence[Token]
    breaks: int
    asked: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """Options that are spoken of together, the words before them, and what is said of them."""

    lead: Sequence[Token]
    options: Sequence[Token]
    said: Sequence[Token]
    corrects: bool

    @property
    def kinds(self) -> set[str]:
        """The kinds of words and marks before the options."""
        return {token.kind for token in self.lead}

    @property
    def denied(self) -> bool:
        if "if" in self.kinds:
            return False
        if not _CONDITIONAL.isdisjoint(token.text.lower() for token in self.said):
            return True
        plainly = takewhile(lambda token: token.kind not in ("prose", "because"), self.said)
        commas = [place for place, token in enumerate(self.lead) if token.kind == "comma"]
        clause = self.lead[commas[-1] :] if commas else ()
        # «Не точно, возможно Б» denies what stands before the comma.
        lead = clause if any(token.kind == "doubt" for token in clause) else self.lead
        kinds = "-".join(token.kind for token in (*lead, *plainly) if token.kind not in PUNCTUATION)
        # «Не исключено, что Б» denies nothing.
        return re.search("not|wrong", kinds.replace("not-wrong", "doubt")) is not None

    @property
    def predicate(self) -> Literal["nothing", "right", "prose"]:
        kinds = {token.kind for token in takewhile(lambda token: token.kind != "because", self.said)}
        kinds -= PUNCTUATION | {"join"}
        if not kinds:
            return "nothing"
        affirms = kinds & {"right", "doubt"} or {"verb", "announcing"} <= kinds
        return "right" if affirms and "prose" not in kinds else "prose"

    @property
    def explained(self) -> bool:
        return any(token.kind == "because" for token in self.said)


def read(phrase: str, tokenizer: Tokenizer, *, numbers: bool = True) -> Statement:
    """Read the beginning of a phrase, and whatever after it takes it back or adds to it.

    ``numbers``: a number alone may be that of an option, unless the options have numbers in them.
    """
    text = cleaned(phrase[:LONGEST])
    numbering = NUMBERING.match(text)
    said = _read(text[numbering.end() :] if numbering else text, tokenizer, numbers=numbers)
    if numbering and said.worded and not said.lettered:
        number = int(numbering[1])
        # «1) азот» may be the answer to the first question or the first option.
        return said if number > len(tokenizer.labels) or number - 1 == said.index else Statement("several")
    return said


def understood(phrase: str, tokenizer: Tokenizer) -> bool:
    """Tell whether a phrase holds nothing but options, and words and marks about them."""
    kinds = LEADS | FOLLOWERS | {"number"}
    return all(token.places or token.kind in kinds for token in tokenizer.tokens(cleaned(phrase)))


def _read(text: str, tokenizer: Tokenizer, *, numbers: bool) -> Statement:
    sentences = list(_sentences(tokenizer.tokens(text)))
    begins = next((place for place, sentence in enumerate(sentences) if not _idle(sentence)), None)
    if begins is None:
        return Statement("none")
    parts = list(_parts(sentences[begins].tokens))
    if not parts:
        return _by_number(sentences[begins].tokens, tokenizer) if numbers else Statement("none")
    if not parts[0].kinds <= LEADS:
        return Statement("unread")
    counted = [*_counted(parts), *_added(sentences[begins + 1 :])]
    corrected = max((place for place, part in enumerate(counted) if part.corrects), default=0)
    said = _settled(counted[corrected:]) if counted else _about("denied", parts[0])
    again = [part for sentence in sentences[begins + 1 :] for part in _parts(sentence.tokens) if _answers(part)]
    denied = {token.places[0] for part in (*parts, *again) if part.denied for token in part.options}
    others = {token.places[0] for sentence in sentences[begins + 1 :] for token in sentence.tokens if token.places}
    doubted = sentences[begins].asked and bool(others - {said.index})
    undecided = doubted or said.index in denied or "join" in parts[0].kinds or _taken_back(sentences[begins:])
    if said.sense == "one" and undecided:
        said = replace(said, sense="several", index=None)
    return replace(said, asked=sentences[begins].asked)


def _by_number(tokens: Iterable[Token], tokenizer: Tokenizer) -> Statement:
    """Read «2» or «второй», unless options have numbers in them."""
    filled = [token for token in tokens if token.kind not in PUNCTUATION]
    if tokenizer.numbered or any(token.kind != "announcing" for token in filled[:-1]):
        return Statement("none")
    number = re.fullmatch(rf"[1-9][0-9]?|{ORDINAL}", filled[-1].text, re.IGNORECASE)
    place = place_of(number[0]) if number else None
    return Statement("none") if place is None or place >= len(tokenizer.labels) else Statement("one", place)


def _sentences(tokens: Iterable[Token]) -> Iterator[_Sentence]:
    breaks, sentence = 0, list[Token]()
    for token in chain(tokens, [Token("stop", "")]):
        if token.kind not in ("stop", "line"):
            sentence.append(token)
            continue
        if sentence:
            yield _Sentence(sentence, breaks, "?" in token.text)
            breaks, sentence = 0, []
        breaks += token.text.count("\n")


def _idle(sentence: _Sentence) -> bool:
    return all(token.kind in PUNCTUATION | {"announcing"} for token in sentence.tokens)


def _parts(sentence: Iterable[Token]) -> Iterator[_Part]:
    """Split a sentence: options joined by nothing but «и», «или», commas and dashes are spoken of together."""
    lead, options, between = list[Token](), list[Token](), list[Token]()
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


def _corrects(tokens: Sequence[Token]) -> bool:
    """Tell «точнее» and «нет, правильный ответ» from a mere «нет»."""
    words = [token.text.lower() for token in tokens]
    right = any(word.startswith(("верн", "правильн", "correct", "right")) for word in words)
    return any(token.kind == "correction" for token in tokens) or (right and not _REFUSALS.isdisjoint(words))


def _shared(between: list[Token]) -> tuple[list[Token], list[Token]]:
    """Share out the words between two options: what is said of the first, and what leads to the second."""
    end = len(between)
    while end and between[end - 1].kind in ("not", "mark", "open"):
        end -= 1
    text = "".join(token.text for token in between)
    if between[0].kind == "comma" or text.rfind("(") > text.rfind(")"):
        return [], between
    start = next((place for place, token in enumerate(between) if token.kind not in ("mark", "open")), end)
    cut = next((place for place in range(start, end) if between[place].kind in ("comma", "turn")), end)
    return between[start:cut], between[cut:]


def _predicate(tokens: list[Token], *, several: bool) -> list[Token]:
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
        kinds = parts[0].kinds - PUNCTUATION if parts else {"prose"}
        apart = apart or breaks > 1
        if not kinds <= LEADS | {"number", "if"}:
            apart = apart or breaks > 0
            continue
        first = parts[0]
        again = _answers(first)
        if kinds <= {"announcing", "right", "number"} and not again:
            listed = apart and any(token.kind == "words" for token in first.options)
            if listed or (breaks and first.predicate == "right"):
                continue
        if first.predicate != "prose" and not _texts(first.said) & _REFUSALS:
            yield from _counted(parts)


def _answers(part: _Part) -> bool:
    return any(token.text.lower().startswith(("ответ", "answer")) for token in part.lead)


def _taken_back(sentences: Sequence[_Sentence]) -> bool:
    """Tell whether a «нет», «это неверно» or «или …» follows the last option that a statement names."""
    head, *after = (
        [token for token in sentence.tokens if token.kind not in PUNCTUATION] for sentence in sentences[:2]
    )
    head = list(takewhile(lambda token: token.kind != "because", head))
    last = max((place for place, token in enumerate(head) if token.places), default=len(head))
    rest = [token.text.lower() for token in head[last + 1 :]]
    objected = [token.kind for token in head[last + 1 :]]
    but = next((place for place, word in enumerate(rest) if word in _BUTS), len(rest))
    if len(rest) - but <= _OBJECTION and not {"not", "wrong"}.isdisjoint(objected[but:]):
        return True
    if (len(rest) == 1 and rest[0] in _REFUSALS) or rest[:1] in (["или"], ["либо"], ["or"]):
        return True
    kinds = {"not" if token.text.lower() in _REFUSALS else token.kind for token in chain(*after)}
    return bool(kinds & {"not", "wrong"}) and kinds <= {"not", "wrong", "correction", "turn", "announcing", "verb"}


def _settled(parts: Sequence[_Part]) -> Statement:
    """Return the one option that the parts name; the words of an option decide between letters that look alike."""
    options = [token for part in parts for token in part.options]
    letters = [token.places for token in options if token.kind == "letter"]
    likeliest = {places[0] for places in letters}
    told = {token.places[0] for token in options if token.kind != "letter"} or likeliest
    index = min(told)
    one = len(told) == 1 and len(likeliest) <= 1 and index != OTHER and all(index in places for places in letters)
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


def _texts(tokens: Iterable[Token]) -> frozenset[str]:
    return frozenset(token.text.lower() for token in tokens if token.kind not in PUNCTUATION)
