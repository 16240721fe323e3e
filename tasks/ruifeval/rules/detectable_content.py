"""detectable_content: pieces that the answer must contain."""

from __future__ import annotations

import re

from ...text.nouns import Noun
from ..fixes import Fix, Fixes
from ..result import RuleResult, at_least, quoted
from ..text import Text
from .patterns import published_pattern

_PLACEHOLDER = Noun("местозаполнитель в [скобках]", "местозаполнителя в [скобках]", "местозаполнителей в [скобках]")

# Reads to the closing bracket, or else to the end of the line: there is nothing more to find on it then. So each
# character is read once, where looking for the closing bracket from each opening one anew would be quadratic.
_BRACKETS = re.compile(r"\[[^\]\n]*(\]?)")

_POSTSCRIPTS = {
    "P.P.S": re.compile(r"p\.\s?p\.\s?s"),
    "P.S.": re.compile(r"p\.\s?s\."),
}


def number_placeholders(text: Text, fixes: Fixes, *, num_placeholders: int) -> RuleResult:
    """Count bracketed pieces, empty ones too; a piece ends at the first closing bracket on its line."""
    found = _BRACKETS.findall(text.raw).count("]") if "]" in text.raw else 0
    return at_least(found, num_placeholders, _PLACEHOLDER)


def postscript(text: Text, fixes: Fixes, *, postscript_marker: str) -> RuleResult:
    """Demand a postscript marker anywhere, letter case aside.

    ``P.P.S`` and ``P.S.`` may have a space between their parts; any other marker is read as a pattern by the
    published rules, and its own spaces must be there (`Fix.POSTSCRIPT_SPACES`: ``P. S.`` is the same as ``P.S.``).
    """
    marker = postscript_marker.strip()
    if Fix.POSTSCRIPT_SPACES in fixes:
        marker = _without_spaces(marker)
    pattern = _POSTSCRIPTS.get(marker) or published_pattern(marker.lower(), re.MULTILINE)
    if pattern.search(text.lower):
        return RuleResult(True, f"есть постскриптум {quoted(postscript_marker)}")
    return RuleResult(False, f"нет постскриптума {quoted(postscript_marker)}")


def _without_spaces(marker: str) -> str:
    compact = "".join(marker.split()).upper().rstrip(".")
    return {"P.S": "P.S.", "P.P.S": "P.P.S"}.get(compact, marker)
