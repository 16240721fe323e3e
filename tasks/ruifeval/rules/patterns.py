"""Keywords that the published rules insert into a regular expression as they stand."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def published_pattern(keyword: str, flags: int = 0, before: str = "", after: str = "") -> re.Pattern[str]:
    """Compile ``before + keyword + after``, the keyword read as a pattern, or literally if it is not one."""
    try:
        return re.compile(before + keyword + after, flags)
    except re.error:
        return re.compile(before + re.escape(keyword) + after, flags)
