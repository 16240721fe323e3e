"""The texts of pages: one YAML file per subject, with the same keys in every language."""

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
    """Return all texts in a language by key; ``{placeholders}`` are filled in by templates and scripts.

    Raises:
        UsageError: an unknown language.
    """
    words: dict[str, Any] = {}
    for file in FILES:
        languages: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        if language not in languages:
            raise UsageError(f"unknown language {language!r}; available: {', '.join(sorted(languages))}")
        words |= languages[language]
    return words
