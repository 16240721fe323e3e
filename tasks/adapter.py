"""Turning plugins into tasks: any object with the required attributes becomes a `BaseTask`.

A misspelt hook would silently never be called, so a public name that is close to a hook's is an error:

* it has the letters of a hook in another order, or differs in underscores or capitals;
* the plugin lacks the hook, and a name with the same first letter is at least `NEAR` similar.

A task with ``samples`` may therefore have a method ``sample`` of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from ..errors import UsageError, nearest
from .base import BaseTask
from .rubrics import Criterion
from .types import Metric

NEAR: Final = 0.8
"""The ratio of `difflib.SequenceMatcher` from which a name counts as a misspelt hook."""

NEEDS: Final = ("judge", "sandbox")
"""The resources that a scorer can request."""

REQUIRED: Final = ("name", "version", "title", "metrics", "max_tokens", "samples", "read", "score")

HOOKS: Final = tuple(
    dict.fromkeys(name for name in (*REQUIRED, *BaseTask.__annotations__, *vars(BaseTask)) if name[0] != "_")
)
"""The names of all attributes and methods of a task that the harness uses."""

Kind = tuple[Callable[[Any], bool], str]


def _each(kind: type) -> Callable[[Any], bool]:
    """Return a check for collections of values of one type; a string is not a collection of strings."""
    return lambda found: (
        isinstance(found, Collection)
        and not isinstance(found, str | bytes | Mapping)
        and all(isinstance(one, kind) for one in found)
    )


_TEXT: Final[Kind] = (lambda found: isinstance(found, str) and bool(found), "a string")
_METHOD: Final[Kind] = (
    lambda found: callable(found) and not inspect.iscoroutinefunction(found),
    "a method that is not async",
)
_KINDS: Final[Mapping[str, Kind]] = {
    "name": _TEXT,
    "version": _TEXT,
    "title": (lambda found: isinstance(found, str), "a string"),
    "metrics": (_each(Metric), "a tuple of metrics"),
    "max_tokens": (
        lambda found: isinstance(found, int) and not isinstance(found, bool) and found > 0,
        "a positive integer",
    ),
    "needs": (_each(str), f"a tuple of strings, of {' and '.join(map(repr, NEEDS))}"),
    "forms": (_each(str), "a tuple of strings"),
    "stand_in": _TEXT,
    "rubric": (_each(Criterion), "a tuple of criteria"),
    "score": (callable, "a method"),
}


class AdaptedTask(BaseTask):
    """A plugin that does not derive from `BaseTask`, completed with the default hooks."""

    def __init__(self, hooks: Mapping[str, Any]) -> None:
        for name, hook in hooks.items():
            setattr(self, name, hook)

    def samples(self, *arguments: Any, **named: Any) -> Any:
        """Placeholder for an abstract method; the instance attribute set from the plugin replaces it."""
        raise NotImplementedError

    read = score = samples


def adapt(plugin: Any, name: str) -> BaseTask:
    """Return a plugin as a task: itself if it derives from `BaseTask`, else completed with the default hooks.

    Args:
        plugin: any object.
        name: the task name given by the user, for error messages.

    Raises:
        UsageError: an attribute is missing, misspelt or of the wrong type (the message names it and the closest
            known name).
    """
    own = _own_hooks(plugin)
    _check_spelling(plugin, own, name)
    missing = [hook for hook in REQUIRED if hook not in own]
    if missing:
        raise UsageError(
            f"'{name}' is not a task: it lacks {', '.join(missing)} (see the example in docs/write-a-task.md)"
        )
    _check_kinds(own, name)
    if isinstance(plugin, BaseTask):
        return plugin
    for hook in own.keys() & {"metrics", "needs", "forms", "rubric"}:
        own[hook] = tuple(own[hook])
    return AdaptedTask(own)


def _own_hooks(plugin: Any) -> dict[str, Any]:
    """Return the hooks that an object overrides; a hook that is None counts as not overridden."""
    own = {}
    for hook in HOOKS:
        found = getattr(plugin, hook, None)
        default = vars(BaseTask).get(hook)
        if found is not None and found is not default and getattr(found, "__func__", found) is not default:
            own[hook] = found
    return own


def _check_spelling(plugin: Any, own: Collection[str], name: str) -> None:
    for found in sorted(_public_names(plugin) - set(HOOKS)):
        for hook in HOOKS:
            if _misspells(found, hook, missed=hook not in own):
                raise UsageError(
                    f"'{name}': '{found}' is not an attribute of a task. Did you mean '{hook}'?"
                    " (if it is a helper of your own, rename it)"
                )


def _public_names(plugin: Any) -> set[str]:
    try:
        names = dir(plugin)
    except Exception:  # a class may have a __dir__ or a __dict__ that does not work
        names = dir(type(plugin))
    return {name for name in names if not name.startswith("_")}


def _misspells(found: str, hook: str, *, missed: bool) -> bool:
    word, wanted = found.replace("_", "").casefold(), hook.replace("_", "").casefold()
    if word[:1] != wanted[:1]:
        return False
    alike = SequenceMatcher(None, word, wanted).ratio() >= NEAR
    return sorted(word) == sorted(wanted) or (missed and alike)


def _check_kinds(own: Mapping[str, Any], name: str) -> None:
    for hook, found in own.items():
        is_right, words = _KINDS.get(hook, _METHOD)
        if not is_right(found):
            raise UsageError(f"'{name}': '{hook}' must be {words}, got {_shown(found)}")
    for need in own.get("needs", ()):
        if need not in NEEDS:
            raise UsageError(f"'{name}': unknown {need!r} in 'needs'.{nearest(need, NEEDS)}")
    for one, other in (("review", "settle"), ("settle", "review"), ("rubric", "by_rubric")):
        if one in own and other not in own:
            raise UsageError(f"'{name}': '{one}' also requires '{other}', which is missing")


def _shown(found: Any) -> str:
    shown = repr(found)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
