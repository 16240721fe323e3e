"""Every error evalkit raises on purpose.

::

    EvalkitError                 exit code 1: the run was tried and failed
    ├── UsageError               exit code 2: the command or the call is wrong
    ├── InputError               exit code 2: a file or a value in it is wrong (names file, line, field)
    ├── MissingExtraError        exit code 2: an optional dependency is not installed (names the command)
    ├── RunError                 exit code 1: the run cannot continue (disk, spec conflict, coverage floor)
    └── ModelError               exit code 1: a model cannot be opened or did not answer

A message says what is wrong, where, and what to do next, in one or two lines; the command line prints it
without a traceback (``--debug`` shows one).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvalkitError(Exception):
    """Base of all errors meant for the user."""

    exit_code = 1


class UsageError(EvalkitError):
    """The command line or the arguments of a call are invalid."""

    exit_code = 2


class InputError(EvalkitError):
    """A file, or a value in it, cannot be used; the message names file, line and field."""

    exit_code = 2


class MissingExtraError(UsageError):
    """An optional dependency is needed and not installed."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"this needs evalkit-ru[{extra}]: pip install 'evalkit-ru[{extra}]'")


class RunError(EvalkitError):
    """A run cannot start or continue."""


class ModelError(EvalkitError):
    """A model cannot be opened or did not answer.

    ``fatal`` is true when no other request can succeed either (bad key, no such model, server gone): the run
    stops and can be resumed. Otherwise the failure costs one sample.
    """

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for a mistyped name, or the known names when none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return " Did you mean " + " or ".join(repr(c) for c in close) + "?"
    return " Known: " + ", ".join(names) + "." if names else ""
