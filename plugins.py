"""Plugins: a Python object named by an entry point or as ``path/to/file.py:object``."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from .errors import UsageError, nearest


@cache
def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group (``evalkit.tasks``, ``evalkit.models``, …) by name."""
    return {entry.name: entry for entry in entry_points(group=group)}


def load_plugin(group: str, name: str) -> Any:
    """Load the plugin of that name, or the object that ``path/to/file.py:object`` names.

    Raises:
        UsageError: nothing of that name is installed (nearest names are given), or it cannot be imported.
    """
    if ".py:" in name:
        return _from_file(name)
    kind = group.rpartition(".")[2].removesuffix("s")
    entry = installed(group).get(name)
    if entry is None:
        raise UsageError(f"unknown {kind} '{name}'.{nearest(name, installed(group))}")
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the {kind} '{name}' ({entry.value}) cannot be loaded: {error}") from error


def _from_file(name: str) -> Any:
    file, _, attribute = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"plugin '{name}': there is no file {path}")
    module_name = f"evalkit_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"plugin '{name}': {path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise UsageError(f"plugin '{name}': {path} raised {type(error).__name__}: {error}") from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        public = [key for key in vars(module) if not key.startswith("_")]
        raise UsageError(f"plugin '{name}': {path} has no '{attribute}'.{nearest(attribute, public)}") from None
