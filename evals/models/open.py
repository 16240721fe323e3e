"""From a model string to a model: ``backend[:argument][,key=value]…``.

A backend is a function ``opener(argument, options) -> Model``: an entry point of the group ``evalkit.models``, or
``path/to/file.py:function``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ...errors import UsageError
from ...plugins import load_plugin
from .base import Model, ModelOptions

GROUP = "evalkit.models"

Opener = Callable[[str, ModelOptions], Model]

_OPTION = re.compile(r"[a-z_][a-z0-9_]*=", re.ASCII)


def parse_spec(spec: str) -> tuple[str, str, dict[str, str]]:
    """Split a model string into ``(backend, argument, options)``.

    Options start at the first comma that is followed by ``key=``, so a path may hold commas. A plugin in a file is
    a backend without an argument.

    Raises:
        UsageError: the string is empty, or an option is not ``key=value``, or is given twice.
    """
    head, *rest = spec.strip().split(",")
    while rest and not _OPTION.match(rest[0]):
        head += "," + rest.pop(0)
    options: dict[str, str] = {}
    for text in rest:
        key, equals, value = text.partition("=")
        if not (equals and _OPTION.match(text)):
            raise UsageError(f"model {spec!r}: option {text!r} is not of the form key=value")
        if key in options:
            raise UsageError(f"model {spec!r}: option {key!r} is given twice")
        options[key] = value
    if ".py:" in head:
        return head, "", options
    backend, _, argument = head.partition(":")
    if not backend:
        raise UsageError(f"model {spec!r}: a backend is needed, as in embedded or openai:NAME")
    return backend, argument, options


def open_model(spec: str, options: ModelOptions | None = None) -> Model:
    """Open the model that a model string names; options in the string are added to ``options.extra``.

    Raises:
        UsageError: the string is malformed, or names an unknown backend or option (nearest names are given).
        MissingExtraError: the backend's optional dependency is not installed.
        ModelError: the model cannot be opened.
    """
    backend, argument, extra = parse_spec(spec)
    options = options or ModelOptions()
    opener: Opener = load_plugin(GROUP, backend)
    return opener(argument, replace(options, extra={**(options.extra or {}), **extra}))
