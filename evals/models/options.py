"""Reading the ``key=value`` options of a model string."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import UsageError, nearest
from ...options import one_of, truth, whole_number
from .base import ModelOptions

__all__ = ["checked_key", "environment", "one_of", "read_options", "trust", "truth", "whole_number"]


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


def environment(name: str) -> str | None:
    """Return an environment variable without surrounding white space; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or None


def checked_key(key: str, name: str) -> str:
    """Return a key that can be sent in a header; ``name`` is where it was given.

    Raises:
        UsageError: a character of it can be in no key (it is not printed: the others are secret).
    """
    key = key.strip()
    for place, character in enumerate(key, 1):
        if not "!" <= character <= "~":
            raise UsageError(
                f"{name}: character {place} (U+{ord(character):04X}) cannot be part of a key: keys consist of Latin"
                " letters, digits and punctuation; copy it again"
            )
    return key


def trust(backend: str, ca_bundle: str | None) -> ssl.SSLContext | None:
    """Return the certificates trusted: the system's and those of a PEM file; None for the system's alone.

    Raises:
        UsageError: the file cannot be used.
    """
    if not ca_bundle:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"{backend}: ca_bundle={ca_bundle} cannot be used: {error.strerror or error}") from None
    return context
