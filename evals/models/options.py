"""Reading the ``key=value`` options of a model string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import UsageError, nearest
from .base import ModelOptions


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


def whole_number(text: str) -> int:
    """Convert a positive whole number.

    Raises:
        ValueError: the text is not one.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("a whole number above 0 is needed")
    return int(text)


def truth(text: str) -> bool:
    """Convert ``true`` or ``false`` (also ``1``/``0``, ``yes``/``no``, ``on``/``off``).

    Raises:
        ValueError: the text is none of these.
    """
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("true or false is needed")
