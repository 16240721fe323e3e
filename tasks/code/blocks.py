"""The pieces of code in an answer: fenced and tagged blocks, indented code, lines of code between prose.

Answers are hostile text; everything here takes time linear in the answer.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MARGIN = "    "
_FENCES = ("```", "~~~")
_PYTHON = re.compile(r"(?:i?python|py|pycon)[\d.]*(?:[:=,{(].*)?")
_KEYWORDS = frozenset({*keyword.kwlist, *keyword.softkwlist, "print"})

# A line that can only be code, at the margin of an answer without fences.
_CODE = re.compile(
    r"(?:async def|def|class) +\w|import \w|from +[\w.]+ +import\b|@\w|#!"
    r"|(?:if|for|while|with|try|elif|else|except)\b[^\n]*:\s*(?:#.*|(?:return|raise|break|continue|pass)\b.*)?$"
    r"|return\b|raise\b|pass$|break$|continue$|yield\b"
    r"|[^\W\d]\w*(?:\[[^\]\n]*\]|\.\w+)*(?:, *[^\W\d]\w*)* *(?::[^=\n]*)?[-+*/%&|^@<>]{0,3}=[^=]"
    r"|[^\W\d]\w*(?:\.\w+)*\((?:.*[])}({\[,])?\s*(?:#.*)?$"
)
# Two words with nothing between them, or a sentence of one word.
_SENTENCE = re.compile(r"([^\W\d_]+)(?:[,:;]?[ \t]+[\w—–«]|[.!?…:]*$)")
_MARKUP = re.compile(r"[-*+] |\d+[.)] |#{2,} |\*\*|```|~~~|>")
_TAG = re.compile(
    r"</?(?:pre|code|answer|solution|python)\b[^<>\n]{0,200}>|\[/?(?:PYTHON|ANSWER|CODE)\]", re.IGNORECASE
)
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: |$)")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of code: its language in lower case (empty when none is given) and its text.

    ``closed`` is false for a fenced block that runs to the end of the answer, which may have been cut short.
    """

    language: str
    text: str
    closed: bool = field(default=True, compare=False)

    @property
    def is_python(self) -> bool:
        """Whether the language is Python, or not given."""
        return not self.language or _PYTHON.fullmatch(self.language) is not None


def code_blocks(answer: str) -> list[Block]:
    """Return the fenced blocks of a Markdown answer, in order.

    Fences are three or more backticks or tildes; one that stays open runs to the end of the answer, and one that
    stands four blanks deeper (in a docstring) closes nothing. Beyond CommonMark, as models write: a fence may be
    indented by any amount (its lines lose as much) or quoted, may follow text on its line when it names Python, may
    be followed by text where it closes, may close at the end of the last line of code, and a fence with a language
    inside a block ends that block and opens the next.
    """
    return [found for found in _split(answer) if isinstance(found, Block)]


def bare_blocks(answer: str) -> list[Block]:
    """Return the code of an answer outside fences: between tags, indented, or between lines of prose."""
    outside = (found for found in _split(answer) if isinstance(found, str) and found.strip())
    return [Block("", code) for found in outside for part in _TAG.split(found) for code in _runs(part.split("\n"))]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, without byte order marks."""
    return text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_code(line: str) -> bool:
    """Tell whether a line without its indentation can only be code."""
    return _CODE.match(line) is not None


def is_fence(line: str) -> bool:
    """Tell whether a line opens or closes a block."""
    return line.lstrip().startswith(_FENCES)


def is_prose(line: str) -> bool:
    """Tell whether a line at the margin is prose or Markdown rather than Python."""
    if line[:1] in ("", " ", "\t") or is_code(line):
        return False
    sentence = _SENTENCE.match(line)
    return bool(sentence and sentence[1] not in _KEYWORDS) or _MARKUP.match(line) is not None


def depth(line: str) -> int:
    """Return the number of blanks before a line."""
    return len(line) - len(line.lstrip(" \t"))


def dedented(text: str) -> str:
    """Remove the margin that all lines share."""
    lines = lines_of(text)
    margin = min((depth(line) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines) if margin else "\n".join(lines)


def typed(text: str) -> str:
    """Return what was typed in a session with the interpreter; a text that is no session is returned as it is."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if not first.lstrip().startswith(">>>"):
        return text
    return "\n".join(line[found.end() :] for line in lines if (found := _PROMPT.match(line)))


def _split(answer: str, *, nested: bool = True) -> Iterator[Block | str]:
    """Yield the blocks of an answer and the text between them, in order; with ``nested``, those inside Markdown."""
    body: list[str] = []
    fence, language, margin, quotes = "", "", 0, 0
    for written in lines_of(answer):
        line = _unquoted(written, quotes) if fence else written
        if "```" not in line and "~~~" not in line:
            body.append(_without_margin(line, margin) if fence else line)
            continue
        stripped = line.strip()
        if not fence:
            quote = _QUOTE.match(line)
            unquoted = line[quote.end() :] if quote and is_fence(line[quote.end() :]) else line
            fence, language = _opening(unquoted.strip())
            if not fence:
                body.append(line)
                continue
            yield "\n".join(body)
            quotes = line[: len(line) - len(unquoted)].count(">")
            margin = depth(unquoted) if is_fence(unquoted) else 0
            body = []
        elif stripped.startswith(fence) and depth(line) < margin + len(MARGIN):
            yield from _opened(Block(language, "\n".join(body)), nested)
            body = []
            fence, language = _reopening(stripped, fence)
        elif fence[0] == "`" and stripped.endswith(fence) and not stripped.startswith(fence):
            body.append(_without_margin(line.rstrip().rstrip("`"), margin))
            yield from _opened(Block(language, "\n".join(body)), nested)
            body, fence = [], ""
        else:
            body.append(_without_margin(line, margin))
    if fence:
        yield from _opened(Block(language, "\n".join(body), closed=False), nested)
    else:
        yield "\n".join(body)


def _opened(block: Block, nested: bool) -> Iterator[Block]:
    """Yield the blocks inside a block of Markdown, or the block itself."""
    inner: list[Block] = []
    if nested and block.language in ("markdown", "md"):
        inner = [found for found in _split(block.text, nested=False) if isinstance(found, Block)]
    yield from inner or [block]


def _opening(stripped: str) -> tuple[str, str]:
    """Return the fence that a line opens and its language, or two empty strings."""
    if "```" not in stripped and "~~~" not in stripped:
        return "", ""
    for mark in _FENCES:
        if stripped.startswith(mark):
            length = len(stripped) - len(stripped.lstrip(mark[0]))
            info = stripped[length:].strip().lower()
            if mark[0] in info and mark == "```":
                return "", ""
            return mark[0] * length, (info.split() or [""])[0].strip("{}.")
        for language in ("python", "python3", "py"):
            if stripped.lower().endswith(mark + language):
                return mark, language
    return "", ""


def _reopening(stripped: str, fence: str) -> tuple[str, str]:
    """Return the fence and language of a line that closes a block if it opens another, or two empty strings."""
    info = stripped.lstrip(fence[0])
    return _opening(stripped) if info[:1].isalpha() and _PYTHON.fullmatch(info.split()[0].lower()) else ("", "")


def _unquoted(line: str, quotes: int) -> str:
    for _ in range(min(quotes, line.count(">"))):
        stripped = line.lstrip(" \t")
        if not stripped.startswith(">"):
            break
        line = stripped[1:].removeprefix(" ")
    return line


def _without_margin(line: str, margin: int) -> str:
    return line[min(margin, len(line) - len(line.lstrip())) :] if margin else line


def _runs(lines: Sequence[str]) -> Iterator[str]:
    """Yield the runs of lines that begin with code and end before prose or a line that is less indented."""
    place = 0
    while place < len(lines):
        margin = depth(lines[place])
        start = place
        place += 1
        if margin == len(lines[start]) or not is_code(lines[start][margin:]):
            continue
        while place < len(lines) and _continues(lines[place], margin):
            place += 1
        yield "\n".join(lines[start:place])


def _continues(line: str, margin: int) -> bool:
    if not line.strip():
        return True
    return depth(line) > margin or (depth(line) == margin and not is_prose(line[margin:]))
