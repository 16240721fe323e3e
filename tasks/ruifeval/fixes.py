"""The documented repairs of ruIFEval, each a switch of its own.

`ruifeval` runs with none of them: exactly the published rules, defects included. `ruifeval-fixed` runs with all.
"""

from __future__ import annotations

from enum import StrEnum


class Fix(StrEnum):
    """One repair; the value is its public name."""

    LATIN_KEYWORDS = "latin-keywords"
    GUILLEMETS = "guillemets"
    WHOLE_WORDS = "whole-words"
    SECTION_LETTERS = "section-letters"
    POSTSCRIPT_SPACES = "postscript-spaces"
    SENTENCE_WORDS = "sentence-words"
    PARAGRAPH_INDEX = "paragraph-index"
    PROMPT_DEFECTS = "prompt-defects"
    REPEATED_PROMPT = "repeated-prompt"
    INVISIBLE_ANSWER = "invisible-answer"


Fixes = frozenset[Fix]

NO_FIXES: Fixes = frozenset()
ALL_FIXES: Fixes = frozenset(Fix)
