"""Tasks are found by name or by file; what is wrong with them is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalkit.errors import UsageError
from evalkit.plugins import load_plugin
from evalkit.tasks.registry import open_task, task_names


def test_installed_tasks_open_under_their_own_names() -> None:
    names = task_names()
    assert {"ruifeval", "ruifeval-fixed", "ruifeval-mini"} <= set(names)
    for name in names:
        assert open_task(name).name == name


def test_an_unknown_task_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown task 'ruifval'\. Did you mean 'ruifeval'"):
        open_task("ruifval")


def test_a_file_plugin(tmp_path: Path) -> None:
    file = tmp_path / "plug.py"
    file.write_text("thing = 42\n")
    assert load_plugin("evalkit.tasks", f"{file}:thing") == 42
    with pytest.raises(UsageError, match=r"has no 'thin'\. Did you mean 'thing'"):
        load_plugin("evalkit.tasks", f"{file}:thin")
    with pytest.raises(UsageError, match="there is no file"):
        load_plugin("evalkit.tasks", f"{tmp_path}/none.py:thing")


def test_a_file_plugin_that_raises(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    with pytest.raises(UsageError, match=r"broken\.py raised ZeroDivisionError: division by zero"):
        load_plugin("evalkit.tasks", f"{file}:thing")


def test_an_object_that_is_no_task_says_what_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text("class Half:\n    name = 'half'\n    version = '1'\nhalf = Half()\n")
    with pytest.raises(UsageError, match="is not a task: it lacks title, metrics, max_tokens, samples, read"):
        open_task(f"{file}:half")
