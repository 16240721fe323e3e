r"""Helpers for finding final answers: the words that announce them, ``\boxed{…}``, and markup.

Each task extracts answers by its own rules; this module holds what they share.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ANSWER: Final = "ответ|answer"
"""The words that announce an answer, as alternatives of a regular expression."""

_BRACE: Final = re.compile(r"\\[\\{}]|[{}]")
_LATEX: Final = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|f?boxed|mbox)[ \t]*(?=\{)|\\[()\[\]{},;! ]|\\quad|[{}$]"
)
_MARKUP: Final = re.compile(r"[*`_\"'«»„“”‘’\u200b\ufeff]")


def heading(adjectives: str) -> str:
    """Return the pattern of a line that holds `ANSWER` alone, as a heading or in bold, perhaps with an adjective.

    ``adjectives`` are alternatives. The pattern is for `re.MULTILINE` and means the same under `re.VERBOSE`.
    """
    return rf"^[#*_ \t]{{0,9}}(?:(?:{adjectives})[ ])?(?:{ANSWER})[*_ \t]{{0,9}}\r?$"


def closing_brace(text: str, start: int, end: int) -> int | None:
    r"""Return where the brace stands that closes the one before ``start``; None if none does before ``end``.

    ``\{`` and ``\}`` are signs and close nothing.
    """
    depth = 1
    for match in _BRACE.finditer(text, start, end):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return match.start()
    return None


def unwrapped(text: str) -> str:
    r"""Return the text without the LaTeX that words and numbers are wrapped in (``\text{…}``, ``$…$``, braces)."""
    return _LATEX.sub(lambda match: " " if match[0] in ("\\ ", "\\,", "\\;", "\\quad") else "", text)


def plain(text: str) -> str:
    """Return the text as answers are compared: composed, small letters, е for ё, no quotes, bold or final stop."""
    text = unicodedata.normalize("NFC", text).casefold().replace("ё", "е").replace("−", "-")
    lines = (" ".join(line.split()) for line in _MARKUP.sub("", text).splitlines())
    return "\n".join(line for line in lines if line).strip().rstrip(".!;, ")
