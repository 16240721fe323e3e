"""Reading the ``key=value`` options of a model string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import UsageError, nearest
from ...options import one_of, truth, whole_number
from .base import ModelOptions

__all__ = ["one_of", "read_options", "truth", "whole_number"]


def read_options(backend: str, options: ModelOptions, known: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Convert ``options.extra`` with the converters in ``known``; options that are not given are left out.

    Raises:
        UsageError: an option is unknown to the backend, or its value cannot be converted.
    """
    values: dict[str, Any] = {}
    for key, text in (options.extra or {}).items():
        if key not in known:
            raise UsageError(f"{backend}: has no option {key!r}.{nearest(key, known) or ' It takes no options.'}")
        try:
            values[key] = known[key](text)
        except ValueError as error:
            raise UsageError(f"{backend}: option {key}={text}: {error}") from error
    return values
