"""detectable_format: marks in the text: bullets, sections, titles, JSON."""

from __future__ import annotations

import json
import re

from ...text.nouns import Noun
from ..fixes import Fix, Fixes
from ..result import RuleResult, at_least, exactly, quoted
from ..text import Text
from .patterns import published_pattern

_BULLET = Noun("пункт списка", "пункта списка", "пунктов списка")
_HIGHLIGHT = Noun("выделенный фрагмент", "выделенных фрагмента", "выделенных фрагментов")
_SECTION = Noun("раздел", "раздела", "разделов")

OPTIONS = ("Мой ответ — да", "Мой ответ — нет", "Мой ответ — возможно")

# A Cyrillic capital numbers a section only before punctuation or at the end of the line: «О» may be a preposition.
_NUMBERING = r"(?: ?(?:№ ?)?[0-9]| ?[a-z]| (?-i:[А-ЯЁ])(?=[^\w\s]|[^\S\n]*$))"

# White space before the mark is looked for on its own line only: across blank lines the same marks are found,
# but every blank line would be read anew from each one before it.
_STAR_BULLET = re.compile(r"^[^\S\n]*\*[^*].*", re.MULTILINE)
_DASH_BULLET = re.compile(r"^[^\S\n]*-", re.MULTILINE)

_HIGHLIGHTED = re.compile(r"\*([^\n*]*)\*")
_DOUBLY_HIGHLIGHTED = re.compile(r"\*\*([^\n*]*)\*\*")

# From the first opening mark to the end of its line: the last closing mark there decides.
_TITLE_LINE = re.compile(r"<<[^\n]*")

_FENCES = ("```json", "```Json", "```JSON", "```")
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]')
DEEPEST_JSON = 500
_TOO_DEEP = f"JSON вложен глубже {DEEPEST_JSON} уровней"


def number_bullet_lists(text: Text, fixes: Fixes, *, num_bullets: int) -> RuleResult:
    """Count lines that open with ``-``, or with ``*`` and then anything but another ``*``."""
    stars = len(_STAR_BULLET.findall(text.raw)) if "*" in text.raw else 0
    dashes = len(_DASH_BULLET.findall(text.raw)) if "-" in text.raw else 0
    return exactly(stars + dashes, num_bullets, _BULLET)


def constrained_response(text: Text, fixes: Fixes) -> RuleResult:
    """Demand one of the three fixed answers, with an em dash, anywhere in the text."""
    for option in OPTIONS:
        if option in text.raw:
            return RuleResult(True, f"есть {quoted(option)}")
    return RuleResult(False, f"нет ни одного из вариантов: {', '.join(map(quoted, OPTIONS))}")


def number_highlighted_sections(text: Text, fixes: Fixes, *, num_highlights: int) -> RuleResult:
    """Count non-blank ``*pieces*`` and non-blank ``**pieces**``; one in three asterisks counts twice."""
    pieces = _HIGHLIGHTED.findall(text.raw) + _DOUBLY_HIGHLIGHTED.findall(text.raw)
    count = sum(not piece.isspace() for piece in filter(None, pieces))
    return at_least(count, num_highlights, _HIGHLIGHT)


def multiple_sections(text: Text, fixes: Fixes, *, section_spliter: str, num_sections: int) -> RuleResult:
    """Count section headings: the word, then a digit or a Latin letter, with at most one space between.

    By the published rules the word is read as a pattern, and may end a longer word. `Fix.SECTION_LETTERS` takes
    it literally, letter case aside, as a whole word, and lets «№ 1» and Cyrillic capitals number sections.
    """
    word = section_spliter.strip()
    if Fix.SECTION_LETTERS in fixes:
        headings = published_pattern(re.escape(word), re.IGNORECASE | re.MULTILINE, r"(?<!\w)", _NUMBERING)
    else:
        headings = published_pattern(word, 0, " ?", " ?(?:[0-9]|[a-zA-Z])")
    count = sum(1 + headings.groups for _ in headings.finditer(text.raw))
    return at_least(count, num_sections, _SECTION)


def json_format(text: Text, fixes: Fixes) -> RuleResult:
    """Demand one JSON value and nothing else, within code fences if one likes.

    Nesting deeper than `DEEPEST_JSON` does not count as JSON: the published scorer crashes on it, at a depth that
    depends on the interpreter.
    """
    value = text.stripped
    for fence in _FENCES:
        value = value.removeprefix(fence)
    value = value.removesuffix("```").strip()
    try:
        json.loads(value)
    except json.JSONDecodeError as error:
        return RuleResult(False, f"не разбирается как JSON: строка {error.lineno}, позиция {error.colno}")
    except ValueError:
        return RuleResult(False, "не разбирается как JSON: слишком длинное число")
    except RecursionError:
        return RuleResult(False, _TOO_DEEP)
    return RuleResult(False, _TOO_DEEP) if _nested_too_deep(value) else RuleResult(True, "разбирается как JSON")


def title(text: Text, fixes: Fixes) -> RuleResult:
    """Demand a non-blank title in doubled angle brackets, on one line."""
    for line in _TITLE_LINE.findall(text.raw) if ">>" in text.raw else ():
        end = line.rfind(">>")
        name = line[: end + 2].lstrip("<").rstrip(">").strip() if end >= 3 else ""
        if name:
            return RuleResult(True, f"есть заголовок {quoted(name)}")
    return RuleResult(False, "нет заголовка в <<двойных угловых скобках>>")


def _nested_too_deep(value: str) -> bool:
    if value.count("[") + value.count("{") <= DEEPEST_JSON:
        return False
    depth = 0
    for bracket in _BRACKETS.finditer(value):
        mark = value[bracket.start()]
        if mark in "[{":
            depth += 1
            if depth > DEEPEST_JSON:
                return True
        elif mark in "]}":
            depth -= 1
    return False
