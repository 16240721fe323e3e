"""What a model is asked: the wordings of ``prompts.yaml``, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path


def build_prompt(wording: str, **texts: str) -> str:
    """Return the wording of that name with its braces filled in, without a line break at its end."""
    return _wordings()[wording].format_map(texts).rstrip("\n")


@cache
def _wordings() -> Mapping[str, str]:
    import yaml

    wordings: dict[str, str] = yaml.safe_load(Path(__file__).with_name("prompts.yaml").read_text(encoding="utf-8"))
    return wordings
