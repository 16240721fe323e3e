"""Where tasks are found: entry points of the group ``evalkit.tasks``, or ``path/to/file.py:object``."""

from __future__ import annotations

from ..errors import UsageError
from ..plugins import installed, load_plugin
from .types import Task

GROUP = "evalkit.tasks"


def task_names() -> list[str]:
    """Return the names of the installed tasks, sorted."""
    return sorted(installed(GROUP))


def open_task(name: str) -> Task:
    """Return the task of that name.

    Raises:
        UsageError: no such task (nearest names are given), or the object is not a task (says what it lacks).
    """
    task = load_plugin(GROUP, name)
    if not isinstance(task, Task):
        needed = ("name", "version", "title", "metrics", "max_tokens", "samples", "read", "score")
        missing = ", ".join(word for word in needed if not hasattr(task, word))
        raise UsageError(f"'{name}' is not a task: it has no {missing} (docs/write-a-task.md shows a whole one)")
    return task
