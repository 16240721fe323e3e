"""System call numbers by name: (x86-64, AArch64); ``None`` where the architecture has no such call."""

from __future__ import annotations

from pathlib import Path

_LINES = Path(__file__).with_suffix(".csv").read_text(encoding="ascii").split()[1:]

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    name: (int(x86_64) if x86_64 else None, int(aarch64) if aarch64 else None)
    for name, x86_64, aarch64 in (line.split(",") for line in _LINES)
}
