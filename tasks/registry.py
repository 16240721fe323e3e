"""The task registry: entry points, files, and task families of other packages."""

from __future__ import annotations

from ..plugins import installed, load_plugin
from .adapter import adapt
from .base import BaseTask

GROUP = "evalkit.tasks"
FAMILIES = "evalkit.task_families"


def task_names() -> list[str]:
    """Return the names of the installed tasks, sorted."""
    return sorted(installed(GROUP))


def open_task(name: str) -> BaseTask:
    """Return the task of that name, of ``path/to/file.py:object``, or of ``family:rest``.

    A family is an entry point of the group ``evalkit.task_families``: a function that takes the rest of the name.

    Raises:
        UsageError: no such task (the message suggests close names), or the object is not a task: an attribute is
            missing, misspelt or of the wrong type (see `adapter`).
    """
    family, _, rest = name.partition(":")
    if family in installed(FAMILIES):
        return adapt(load_plugin(FAMILIES, family)(rest), name)
    return adapt(load_plugin(GROUP, name), name)
