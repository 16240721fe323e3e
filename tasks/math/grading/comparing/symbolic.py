"""The last rung, for what our grammar does not have (integrals, limits, …): Math-Verify, in the worker process.

Its LaTeX grammar alone is used; its way of reading plain text goes through sympy's evaluating parser.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

_LENGTH = 1000
_COMMA_BETWEEN_DIGITS = re.compile(r"\d\s*(?:,|\{,\})\s*\d")
_BEYOND_OUR_GRAMMAR = re.compile(
    r"\\(?:i{1,3}nt|oint|lim|sum|prod|partial|nabla|[pb]?mod|det|over|Re|Im|arg|deg|dim|operatorname)(?![A-Za-z])"
    r"|\\frac\s*\{\s*d"
)
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def worth_asking(gold: str, answer: str) -> bool:
    """Whether Math-Verify might know more than our own grammar and numbers do.

    It is asked about commands that we do not have, and never about Russian or about a comma between digits, which
    it takes for whatever makes the answers equal.
    """
    texts = (gold, answer)
    if any(len(text) > _LENGTH or _CYRILLIC.search(text) or _COMMA_BETWEEN_DIGITS.search(text) for text in texts):
        return False
    return any(map(_BEYOND_OUR_GRAMMAR.search, texts))


def verify(gold: str, answer: str, precision: int | None) -> bool | None:
    """Return Math-Verify's opinion, or None when it cannot read one of the two."""
    from math_verify import verify as math_verify

    left, right = _parse(gold), _parse(answer)
    if not left or not right:
        return None
    places = {} if precision is None else {"float_rounding": precision}
    return bool(math_verify(left, right, timeout_seconds=None, **places))


@cache
def _configuration() -> Any:
    from math_verify import LatexExtractionConfig

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    return [LatexExtractionConfig()]


def _parse(text: str) -> list[Any]:
    from math_verify import parse

    bare = " ".join(text.replace("$", " ").split())
    parsed = parse(f"${bare}$", _configuration(), fallback_mode="no_fallback", parsing_timeout=None)
    return [value for value in parsed if not isinstance(value, str)]
