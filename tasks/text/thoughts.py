"""Tells what a model thought from what it answered: the one list of the marks that thoughts stand between.

Marks are those of published chat templates: ``<think>``, ``<thinking>``, ``<reasoning>``, ``<seed:think>``,
``[THINK]``, ``◁think▷``, ``<|begin_of_thought|>``, ``<|START_THINKING|>``, Gemma's and harmony's channels, in any
case. A mark in code or quotation marks, or in a sentence about marks, is a word of the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OPENING: Final = "<think>"
CLOSING: Final = "</think>"

_HEADER = r"[^<>\n]{0,100}(?:<\|constrain\|>[^<>\n]{0,40})?<\|message\|>"
_START = r"(?:<\|start\|>[^<>\n]{0,60})?"
_MARK = re.compile(
    rf"""
    (?P<bracket><[|｜]?|\[|◁)\s{{0,4}}(?P<close>/|end_(?:of_)?)?\s{{0,4}}(?:(?:begin|start)_(?:of_)?)?
    (?:[a-z][a-z0-9_.-]{{0,19}}:)?(?P<name>think|thinking|thoughts?|reasoning|reflection|scratchpad)
    (?:(?P<ends>_end)|_start|_begin)?
    (?:\s{{1,4}}[\w-]{{1,30}}=(?:"[^"<>\n]{{0,100}}"|'[^'<>\n]{{0,100}}')){{0,5}}
    \s{{0,8}}(?:[|｜]?>|\](?!\()|▷)
    |(?P<channel>{_START}<\|channel\|>\s{{0,4}}(?!final)\w{{1,20}}{_HEADER}|<\|channel>\s{{0,4}}thought\b)
    |(?P<final>{_START}<\|channel\|>\s{{0,4}}final{_HEADER}|<channel\|>)
    |(?P<end><\|(?:end|call)\|>)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MARK_AT_END = re.compile(rf"(?:{_MARK.pattern})\s{{0,8}}\Z", re.IGNORECASE | re.VERBOSE)
_ATTRIBUTES = re.compile(r"\s[^|｜>\]▷]*")
_BEGIN_WORD = re.compile(r"begin|start", re.IGNORECASE)
_LONGEST_MARK = 300

# What a template writes before an answer: tokens of roles, and the role's name on a line of its own.
_TOKEN = r"<[|｜][\w .▁-]{1,40}[|｜]>|<(?:start|end)_of_turn>|<s>|</s>|\[/INST\]"
_LEAD = re.compile(rf"(?:\s++|{_TOKEN}|(?:assistant|model)(?=\s{{0,4}}\n|\s{{0,4}}<))*+", re.IGNORECASE)
_LAST_TOKEN = re.compile(rf"(?:{_TOKEN})\s*+\Z", re.IGNORECASE)
_BARE_CHANNEL, _BARE_FINAL = "analysis", "assistantfinal"

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}+|~{3,}+)([^\n]*+)")
_FENCE_LINE = re.compile(f"^{_FENCE.pattern}", re.MULTILINE)
_NOUN = (
    r"(?:т[еэ]г(?!е)\w{0,4}|tags?|токен\w{0,4}|tokens?|метк\w{1,3}|маркер\w{0,4}|markers?|разметк\w{1,3}|markup)"
)
_ABOUT_MARKS = re.compile(rf"\b{_NOUN}\b", re.IGNORECASE)
_INTRODUCES = re.compile(
    rf"\b(?:{_NOUN}|пример\w{{0,4}}|(?:на|за)?пи(?:ш|са)\w{{1,6}}|формат\w{{0,4}}|шаблон\w{{0,4}}|вид\w{{0,3}}|так"
    r"|(?:вы)?глядит|использу\w{1,6}|examples?|formats?|templates?|write|written|use|used|using|like|follows|this)\b",
    re.IGNORECASE,
)
_SAID_BEFORE = re.compile(rf"\b{_NOUN}[ \t]{{1,3}}\Z", re.IGNORECASE)
_SAID_AFTER = re.compile(rf"[ \t]{{1,3}}(?:{_NOUN}\b|[—–])", re.IGNORECASE)
_JOINED_AFTER = re.compile(r"[ \t]{1,3}(?:и|или|and|or)\b", re.IGNORECASE)
_LIST_ITEM = re.compile(r"[ \t]*+(?:[-*•+>#]{1,3}|\d{1,3}[.)])[ \t]*+")
_PAIRS = {'"': '"', "'": "'", "`": "`", "«": "»", "“": "”", "„": "“", "‘": "’", "*": "*", "_": "_", "(": ")"}
_NEAR = 200


@dataclass(frozen=True, slots=True)
class Thoughts:
    """Where a text thinks.

    ``spans`` are [start, end) of the thoughts with their marks, sorted and apart from each other. ``unclosed`` says
    that the last thought never closes; it has no span, and begins at ``begins``, its mark included.
    """

    spans: tuple[tuple[int, int], ...] = ()
    begins: int | None = None

    @property
    def unclosed(self) -> bool:
        """Whether the last thought never closes, so that there is no answer."""
        return self.begins is not None


@dataclass(slots=True)
class _Open:
    """A thought that is being read."""

    start: int
    name: str
    inner: Counter[str]
    nested: int = 0
    fallback: int | None = None

    def ends_at(self, text: str, mark: _Mark, last_closing: Mapping[str, int]) -> bool:
        """Tell whether a mark inside the thought closes it; keep count of those that do not."""
        if _is_wrapped(text, mark.start, mark.end) or (mark.ends_message and self.name != "channel"):
            return False
        if mark.opens:
            self.nested += mark.name == self.name
            self.inner[mark.name] += mark.name != self.name
            return False
        if self.inner[mark.name]:
            self.inner[mark.name] -= 1
            return False
        if mark.name != self.name and last_closing.get(self.name, 0) > mark.start:
            return False
        if _is_quoted(text, mark.start, mark.end):
            self.fallback = mark.end
            return False
        return True


def find_thoughts(text: str) -> Thoughts:
    """Find the thoughts in a text, in time linear in its length.

    A thought opens at the start of the text (after a template's tokens), of a line or of a sentence. A closing mark
    without an opening one ends a thought that the prompt opened. Marks inside a thought that are nested or written
    twice belong to it.
    """
    if text.lstrip().startswith(_BARE_CHANNEL) and _BARE_FINAL in text:
        # Harmony decoded without its special tokens.
        return Thoughts(((0, text.rindex(_BARE_FINAL) + len(_BARE_FINAL)),))
    marks = [_Mark(found) for found in _MARK.finditer(text)]
    if not marks:
        return Thoughts()
    last_closing = {mark.name: mark.start for mark in marks if mark.closes}
    spans: list[tuple[int, int]] = []
    fences = _Fences(text)
    floor = talked = nested = 0
    opened: _Open | None = None
    for mark in marks:
        if opened is None:
            if fences.hold(mark.start) or _is_quoted(text, mark.start, mark.end, floor):
                continue
            if mark.opens:
                closed_later = last_closing.get(mark.name, 0) > mark.start
                if _begins_thought(text, mark, floor, closed_later=closed_later):
                    opened = _Open(mark.start, mark.name, Counter())
                else:
                    talked += 1
            elif mark.ends_message:
                continue
            elif talked:
                talked -= 1
            elif not _is_talk(text, mark, floor) and (nested or not spans or not _stands_alone(text, mark)):
                nested = max(0, nested - 1)
                spans[-1:] = [(spans[-1][0] if spans else 0, mark.end)]
                floor = mark.end
                fences.restart(floor)
        elif opened.ends_at(text, mark, last_closing):
            spans.append((opened.start, mark.end))
            floor = mark.end
            fences.restart(floor)
            nested, talked = opened.nested, 0
            opened = None
    if opened is None:
        return Thoughts(tuple(spans))
    if opened.fallback is not None:
        return Thoughts((*spans, (opened.start, opened.fallback)))
    return Thoughts(tuple(spans), opened.start)


def split_thoughts(text: str) -> tuple[str, str | None]:
    """Part a text into its answer and its thoughts (None where it has none: the answer is then the text as it is).

    A thought that never closes leaves no answer: the words before it are then taken for thoughts too. Otherwise
    words before and between thoughts stay in the answer; tokens of a chat template around it do not.
    """
    found = find_thoughts(text)
    if not found.spans and found.begins is None:
        return text, None
    answer, done = "", 0
    thoughts = []
    for start, end in found.spans:
        answer = _joined(answer, text[done:start])
        thoughts.append(_without_marks(text[start:end]))
        done = end
    if found.begins is not None:
        before = _joined(answer, text[done : found.begins]).strip()
        thoughts = [before, *thoughts, _without_marks(text[found.begins :])]
        return "", "\n\n".join(filter(None, thoughts))
    answer = _joined(answer, text[done:])
    while ended := _LAST_TOKEN.search(answer, max(0, len(answer) - _LONGEST_MARK)):
        answer = answer[: ended.start()]
    return answer, "\n\n".join(filter(None, thoughts))


def opening_of(prompt: str) -> str:
    """Return the mark with which a rendered prompt opens the thought of the answer; empty if it opens none."""
    found = _MARK_AT_END.search(prompt, max(0, len(prompt) - _LONGEST_MARK))
    return found[0].rstrip() if found and _Mark(found).opens else ""


def closing_of(opening: str) -> str:
    """Return the mark that closes a thought which this mark opens, as in ``[/THINK]`` for ``[THINK]``."""
    found = _MARK.match(opening)
    if found is None or found["channel"]:
        return "<channel|>" if "<|channel>" in opening else "<|end|><|start|>assistant<|channel|>final<|message|>"
    bare = _ATTRIBUTES.sub("", opening)
    ended = _BEGIN_WORD.sub(lambda word: "END" if word[0].isupper() else "end", bare)
    place = found.end("bracket")
    return ended if ended != bare else f"{bare[:place]}/{bare[place:]}"


class _Mark:
    """A mark of a thought's start or end."""

    __slots__ = ("bare", "closes", "end", "ends_message", "name", "opens", "start")

    def __init__(self, found: re.Match[str]) -> None:
        self.start, self.end = found.span()
        self.ends_message = found["end"] is not None
        self.closes = any(found[name] is not None for name in ("close", "ends", "final", "end"))
        self.opens = not self.closes
        self.name = (found["name"] or "channel").lower()
        # «[Reasoning]» may head a section; Mistral's [THINK] does not.
        self.bare = found["bracket"] == "[" and not self.name.startswith("think")


class _Fences:
    """Whether places of a text, asked for in order, are inside of code fences."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks = ""
        self._position = 0

    def restart(self, place: int) -> None:
        """Go on behind a thought, where a line begins even if there is no line feed."""
        glued = _FENCE.match(self._text, place)
        self._marks, self._position = (glued[1], glued.end()) if glued else ("", place)

    def hold(self, place: int) -> bool:
        """Tell whether a place is inside of a fence."""
        for line in _FENCE_LINE.finditer(self._text, self._position, place):
            if not self._marks:
                self._marks = line[1]
            elif line[1].startswith(self._marks) and not line[2].strip():
                self._marks = ""
        self._position = max(self._position, place)
        return bool(self._marks)


def _begins_thought(text: str, mark: _Mark, floor: int, *, closed_later: bool) -> bool:
    """Tell whether an opening mark opens a thought; else the answer talks about it."""
    if mark.bare and not closed_later:
        return False
    if mark.name == "channel":
        return True
    if _SAID_AFTER.match(text, mark.end) or (_JOINED_AFTER.match(text, mark.end)):
        return False
    begin = max(floor, mark.start - _NEAR)
    before = text[begin : mark.start]
    if not before or _LEAD.fullmatch(before):
        return True
    line = before.rpartition("\n")[2]
    if not line.strip():
        said = before.rstrip().rpartition("\n")[2]
        return not (_INTRODUCES if said.rstrip(" *_").endswith(":") else _ABOUT_MARKS).search(said)
    if _LIST_ITEM.fullmatch(line):
        return False
    last = line.rstrip()[-1]
    if last == ":":
        return not _INTRODUCES.search(line)
    if line[-1].isspace():
        return last in ".!?…;>" and not _ABOUT_MARKS.search(line)
    return last not in _PAIRS and not _ABOUT_MARKS.search(line)


def _is_talk(text: str, mark: _Mark, floor: int) -> bool:
    before = text[max(floor, mark.start - _NEAR) : mark.start]
    return bool(_SAID_BEFORE.search(before)) or bool(_SAID_AFTER.match(text, mark.end) and before[-1:].isspace())


def _stands_alone(text: str, mark: _Mark) -> bool:
    """Tell whether a mark is a word inside a line: thoughts that end so are rare, sentences about marks are not."""
    return text[mark.start - 1 : mark.start] in (" ", "\t") and text[mark.end : mark.end + 1] in (" ", "\t")


def _is_wrapped(text: str, start: int, end: int) -> bool:
    """Tell whether exactly this stands in quotation marks, brackets or back-ticks."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if not before or not after or _PAIRS.get(before) != after:
        return False
    return before in "«“„‘(" or not text[max(0, start - 2) : start - 1].isalnum()


def _is_quoted(text: str, start: int, end: int, floor: int = 0) -> bool:
    """Tell whether a place of a line is in quotation marks or inline code, as far as the line shows."""
    if _is_wrapped(text, start, end):
        return True
    before = text[max(floor, start - _NEAR) : start].rpartition("\n")[2]
    after = text[end : end + _NEAR].partition("\n")[0]
    if after.lstrip().startswith("```"):
        after = ""
    for opening, closing in (("`", "`"), ('"', '"'), ("«", "»"), ("“", "”"), ("„", "“")):
        if opening == closing:
            if before.count(opening) % 2 and closing in after:
                return True
        elif before.rfind(opening) > before.rfind(closing) and closing in after:
            return True
    return False


def _without_marks(thought: str) -> str:
    thought = _without_lead(thought)
    opened = _MARK.match(thought)
    thought = thought[opened.end() :] if opened and _Mark(opened).opens else thought
    closed = _MARK_AT_END.search(thought, max(0, len(thought) - _LONGEST_MARK))
    return (thought[: closed.start()] if closed and _Mark(closed).closes else thought).strip()


def _without_lead(text: str) -> str:
    lead = _LEAD.match(text)
    return text[lead.end() :] if lead else text


def _joined(answer: str, piece: str) -> str:
    """Return an answer with its next piece: what a thought parted stays apart, by a line feed if there was one."""
    kept = _without_lead(piece)
    if not answer.strip() or not kept:
        return kept if not answer.strip() else answer
    lines = "\n" in answer[len(answer.rstrip()) :] + piece[: len(piece) - len(kept)]
    return answer.rstrip() + ("\n" if lines else " ") + kept
