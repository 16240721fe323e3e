"""Finds a task of lm-eval by name without parsing its 14,000 YAML files, and loads it as lm-eval would.

lm-eval's own index parses every file at start (14 CPU seconds). Here the files are only searched for the lines
``task:``, ``group:``, ``tag:`` and ``include:`` (half a second), and what the name stands for is then all
that is parsed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ...errors import InputError, MissingExtraError, UsageError, nearest
from .options import Options

_KEY = re.compile(r"^[\"']?(task|group|class|tag|include)[\"']?:([^\n#]*(?:\n[ \t]*-[^\n#]*)*)", re.MULTILINE)
_WORD = re.compile(r"[^\s,\[\]\"'-][^\s,\[\]\"']*")

Index = dict[str, tuple[Path, ...]]
"""The files in which a task, group or tag is named."""


@dataclass(frozen=True, slots=True)
class LoadedTasks:
    """Tasks of lm-eval by name, in lm-eval's order; ``group`` is theirs when a group was asked for.

    ``documents`` holds what each task evaluates on: lm-eval runs a task's ``process_docs`` anew on every access,
    and one that shuffles would then change its documents.
    """

    tasks: dict[str, Any]
    documents: dict[str, Any]
    group: Any | None


def load(options: Options) -> LoadedTasks:
    """Load the task, group or tag.

    Random numbers that a task's own code draws while it loads come from lm-eval's default seeds, so that they are
    the same in every process; the caller's generators are left as they were.

    Raises:
        MissingExtraError: lm-eval is not installed.
        UsageError: there is no such task.
        InputError: it is there, and lm-eval cannot load it (its data cannot be downloaded, for example).
    """
    stock = _stock_folder()
    import datasets

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        with _lm_eval_seeds():
            names, manager = _specification(options, stock)
            found = manager.load(names)
            documents = {task_name: task.eval_docs for task_name, task in found["tasks"].items()}
    except UsageError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if isinstance(error, ConnectionError):
            reason += " (docs/from-lm-eval.md shows how to run a task on a local file)"
        raise InputError(f"lm_eval:{options.name}: lm-eval cannot load it: {reason}") from error
    groups = found.get("groups") or {}
    return LoadedTasks(found["tasks"], documents, next(iter(groups.values()), None))


def _stock_folder() -> Path:
    found = importlib.util.find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("lm-eval")
    return Path(found.submodule_search_locations[0]) / "tasks"


def _specification(options: Options, stock: Path) -> tuple[list[str], Any]:
    """Return what to ask lm-eval's task manager for, and a manager that knows just enough to answer."""
    from lm_eval.tasks import TaskManager

    name = options.name
    own: Index = {}
    extra: list[Path] = []
    if name.endswith((".yaml", ".yml")):
        file = Path(name).expanduser().resolve()
        if not file.is_file():
            raise UsageError(f"lm_eval:{name}: there is no file {file}")
        if not _is_group(file):
            return [str(file)], TaskManager(include_defaults=False)
        name, extra = _plain(file)["group"], [file.parent]
    elif options.include_path:
        extra = [Path(options.include_path).expanduser().resolve()]
    for folder in extra:
        own |= _names(folder)
    index = {**_names(stock), **own}
    files = index.get(name, ())
    if len(files) == 1 and _plain(files[0]).get("task") == name:
        return [str(files[0])], TaskManager(include_defaults=False)
    if not files:
        raise UsageError(f"unknown lm-eval task '{name}'.{nearest(name, index)}")
    if not any(map(_is_group, files)):  # a tag
        return [str(file) for file in files], TaskManager(include_defaults=False)
    members, folders = _members(name, index)
    in_stock = [folder for folder in folders if folder.is_relative_to(stock)]
    shared = [Path(os.path.commonpath(in_stock))] if in_stock else []
    if stock not in shared:
        manager = TaskManager(include_defaults=False, include_path=[*shared, *extra])
        if members <= manager.task_index.keys():
            return [name], manager
    return [name], TaskManager(include_path=extra)


@cache
def _names(folder: Path) -> Index:
    index: dict[str, list[Path]] = {}
    seen: dict[Path, dict[str, str]] = {}
    for file in sorted(folder.rglob("*.yaml")):
        keys = _keys(file, seen)
        group = keys["group"] if "group" in keys and "class" not in keys else None
        own_name, tags = (keys.get("task", ""), keys.get("tag", "")) if group is None else (group, "")
        for name in {*_WORD.findall(own_name)[:1], *_WORD.findall(tags)}:
            index.setdefault(name, []).append(file)
    return {name: tuple(files) for name, files in index.items()}


def _keys(file: Path, seen: dict[Path, dict[str, str]]) -> dict[str, str]:
    """Return the raw values of the keys that matter, those of included files below the file's own."""
    if file not in seen:
        seen[file] = {}
        own = dict(_KEY.findall(file.read_text(encoding="utf-8", errors="replace"))) if file.is_file() else {}
        paths = [os.path.normpath(file.parent / name) for name in _WORD.findall(own.get("include", ""))]
        included = [_keys(Path(path), seen) for path in paths]
        seen[file] = {key: value for keys in (*included, own) for key, value in keys.items()}
    return seen[file]


def _members(name: str, index: Index) -> tuple[set[str], list[Path]]:
    """Return ``name`` with the names of all its members, and the folders that hold them."""
    names: set[str] = set()
    folders: set[Path] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in names:
            continue
        names.add(current)
        for file in index.get(current, ()):
            folders.add(file.parent)
            waiting += _listed(_plain(file))
    return names, sorted(folders)


def _is_group(file: Path) -> bool:
    return "group" in (config := _plain(file)) and "class" not in config


def _listed(config: dict[str, Any]) -> list[str]:
    """Return the names of a group's members; a member is a name, or a mapping with overrides."""
    members = config.get("task")
    if not isinstance(members, list):
        return []
    names: list[str] = []
    for member in members:
        if isinstance(member, dict):
            names += _listed(member) or [str(member.get("group") or member.get("task"))]
        else:
            names.append(str(member))
    return names


class _PlainLoader(yaml.SafeLoader):
    """Reads a task's YAML as data; the functions that it names are left alone."""


_PlainLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


def _plain(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        config = yaml.load(stream, _PlainLoader)
    return config if isinstance(config, dict) else {}


@contextlib.contextmanager
def _lm_eval_seeds() -> Iterator[None]:
    import numpy as np

    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(1234)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
