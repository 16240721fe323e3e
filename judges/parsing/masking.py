"""Hides what a judge thought or quoted, so that only its own verdict is read. Hidden text becomes spaces."""

from __future__ import annotations

import re

from ...tasks.text.thoughts import find_thoughts
from .vocabulary import PAIR_LABEL, RATING_LABEL, SAID_BY_OTHERS

_QUOTE_MARKS = "\"'`«»“”„‘’"

_FENCE = re.compile(r"[ \t]{0,3}(?P<marks>`{3,}|~{3,})(?P<rest>[^\n]*)")
_WHOLE_FENCE = re.compile(r"\s*```[^\S\n]*\w{0,20}[^\S\n]*\n")
_DIRECTIONAL = re.compile("[«»„“”]")
_CLOSES = {"»": "«", "”": "“„", "“": "„"}
_STRAIGHT = re.compile(
    r'(?<![\w"])"(?=\S)[^"\n]*+(?:\n(?![ \t]*+\n)[^"\n]*+)*+"(?!\w)'
    r"|(?<![\w'])'(?=\S)[^'\n]*+'(?!\w)"
    r"|‘[^‘’\n]*+’(?!\w)"
    r"|(?<!`)(?P<ticks>`{1,3})(?!`)[^`\n]++(?P=ticks)(?!`)"
    r"|(?m:^[ \t]{0,3}>[^\n]*+)"
)
_BLOCK_LINE = re.compile(r"[ \t]{0,3}>")
_OWN_HEADING = re.compile(
    r"\W*(?:разбор|анализ|обоснование|вывод|пояснение|комментарий|analysis|reasoning|feedback|conclusion|summary"
    r"|review"
    rf"|{RATING_LABEL}|{PAIR_LABEL})\W*",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"(?<!~)~~(?=[^\s~])[^~\n]{1,120}~~(?!~)")
_DEFUSED = re.compile(r"‹[^‹›\n]{1,200}›")
_STRAIGHT_MARKS = "\"'‘`>"
_ANNOUNCED = re.compile(
    rf"(?:^\W{{0,12}}(?:[^\W\d]{{1,20}}[ \t]{{1,3}}){{0,3}}(?:{RATING_LABEL}|{PAIR_LABEL})"
    r"(?:[ \t]{1,3}[^\W\d]{1,20}){0,3}[\s*_]{0,4}[:=—–-][\s*_]{0,4})$",
    re.IGNORECASE,
)
_LABELLED_INSIDE = re.compile(rf"\b(?:{RATING_LABEL})\b", re.IGNORECASE)
_LONGEST_ANNOUNCED = 40
_LINE_START = 80
_LEAD = 8
_SHORTEST_ECHO = 12


def blank(text: str) -> str:
    """Return as many spaces, line feeds kept."""
    return "\n".join(" " * len(line) for line in text.split("\n"))


def hide(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text with the spans, which do not overlap and are sorted, made blank."""
    parts = []
    done = 0
    for start, end in spans:
        parts += [text[done:start], blank(text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


def hide_reasoning(text: str) -> tuple[str, bool]:
    """Hide what the text thinks (see `find_thoughts`); say whether a thought was opened and never closed."""
    found = find_thoughts(text)
    return hide(text, list(found.spans)), found.unclosed


def hide_quotations(text: str, plain: re.Pattern[str] | None = None) -> str:
    """Hide code fences, block quotes and what stands in quotation marks or back-ticks, line by line and across.

    A short quotation right behind a label that begins its line (``Оценка: "8"``) is the verdict and stays, and so
    does what is inside ``[[ ]]``, or is nothing but ``plain``. A text that is one whole fence or quotation is not
    quoted.
    """
    text = _unwrapped(text)
    if "~~" in text:
        text = _STRUCK.sub(lambda found: blank(found[0]), text)
    text = _with_own_block(text)
    if "‹" in text:
        # A verdict of the answer as its view shows it.
        text = _DEFUSED.sub(lambda found: blank(found[0]), text)
    text = hide(text, _fences(text))
    text = hide(text, _directional(text, plain))
    if not any(mark in text for mark in _STRAIGHT_MARKS):
        return text
    return _STRAIGHT.sub(
        lambda found: found[0] if _stays(text, *found.span(), plain=plain) else blank(found[0]), text
    )


def hide_echo(text: str, answer: str) -> str:
    """Hide what a judge repeats of the answer that it grades: the whole of it anywhere, and whole lines of it."""
    answer = answer.strip()
    # A short one may be a word or a number that the judge needs for its verdict.
    if len(answer) >= _SHORTEST_ECHO or "[[" in answer:
        text = text.replace(answer, blank(answer))
    lines = {line.strip() for line in answer.split("\n")} - {""}
    return "\n".join(blank(line) if line.strip() in lines else line for line in text.split("\n"))


def _unwrapped(text: str) -> str:
    stripped = text.strip()
    opening = _WHOLE_FENCE.match(text)
    if opening and stripped.endswith("```") and stripped.count("```") == 2:
        end = text.rindex("```")
        return hide(text, [opening.span(), (end, end + 3)])
    if len(stripped) > 2 and stripped[0] + stripped[-1] in ('""', "«»", "“”", "„“", "''", "``"):
        inside = stripped[1:-1]
        if stripped[0] not in inside and stripped[-1] not in inside:
            start = text.index(stripped)
            return hide(text, [(start, start + 1), (start + len(stripped) - 1, start + len(stripped))])
    return text


def _with_own_block(text: str) -> str:
    """Return the text without the marks of a block quote at its end that nothing says to be somebody else's."""
    if ">" not in text or not text.rstrip().rpartition("\n")[2].lstrip(" \t").startswith(">"):
        return text
    end = len(text)
    block: list[int] = []
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        if (quoted := _BLOCK_LINE.match(line)) is not None:
            block.append(start + quoted.end() - 1)
        elif line.strip():
            introduced = line.rstrip(" *_").endswith(":") and not _OWN_HEADING.fullmatch(line)
            if not block or introduced or SAID_BY_OTHERS.search(line):
                return text
            break
        end = start - 1
    return hide(text, [(place, place + 1) for place in reversed(block)])


def _fences(text: str) -> list[tuple[int, int]]:
    spans = []
    marks = ""
    begun = position = 0
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence and not marks and "`" not in fence["rest"]:
            marks, begun = fence["marks"], position
        elif fence and marks and fence["marks"].startswith(marks) and not fence["rest"].strip():
            spans.append((begun, position + len(line)))
            marks = ""
        position += len(line) + 1
    return spans


def _directional(text: str, plain: re.Pattern[str] | None) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for mark in _DIRECTIONAL.finditer(text):
        sign = mark[0]
        if stack and stack[-1][0] in _CLOSES.get(sign, ""):
            start = stack.pop()[1]
            while spans and spans[-1][0] > start:
                spans.pop()
            if not _stays(text, start, mark.end(), plain=plain):
                spans.append((start, mark.end()))
        elif sign in "«„“":
            stack.append((sign, mark.start()))
    return spans


def _stays(text: str, start: int, end: int, *, plain: re.Pattern[str] | None) -> bool:
    if plain and end - start <= _LONGEST_ANNOUNCED and plain.fullmatch(text[start:end].strip(_QUOTE_MARKS)):
        return True
    return _is_announced(text, start, end)


def _is_announced(text: str, start: int, end: int) -> bool:
    """Whether a quotation is a verdict: short, without a label of its own, behind one that begins the line."""
    lead = text[max(0, start - _LEAD) : start].rstrip(" *_")
    if end - start > _LONGEST_ANNOUNCED or not lead or lead[-1] not in "[:=—–-":
        return False
    quoted = text[start:end]
    if "\n" in quoted or (_LABELLED_INSIDE.search(quoted) and quoted[1] != "<"):
        return False
    before = text[max(0, start - _LINE_START) : start].rpartition("\n")
    if before[2].rstrip(" *_").endswith("[["):
        return True
    begins_the_line = bool(before[1]) or start <= _LINE_START
    return begins_the_line and bool(_ANNOUNCED.search(before[2]))
