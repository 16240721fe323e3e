"""Model families, recognised by model names: judges tend to prefer their own family."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def families() -> dict[str, re.Pattern[str]]:
    """Return the known families, each with what the names of its models look like."""
    import yaml

    known = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in known.items()}


def family_of(model: str) -> str | None:
    """Return the family that a model belongs to by its name; None if the name does not tell.

    The part before the last colon names the server, which may serve models of other families.
    """
    own = model if "//" in model else model.rpartition(":")[2]
    return next((name for name, pattern in families().items() if pattern.search(own)), None)
