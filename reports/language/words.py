"""The words of a page: one file a subject in this folder, each with all languages, which have the same keys."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from ...errors import UsageError

Language = Literal["en", "ru"]

FILES: Final = tuple(sorted(Path(__file__).parent.glob("*.yaml")))


@cache
def words_in(language: str) -> dict[str, Any]:
    """Return all words in a language by their keys; ``{braces}`` in them are filled in where they are used.

    Raises:
        UsageError: there are none in this language.
    """
    words: dict[str, Any] = {}
    for file in FILES:
        languages: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        if language not in languages:
            raise UsageError(f"no report in the language {language!r}; there is {', '.join(sorted(languages))}")
        words |= languages[language]
    return words
