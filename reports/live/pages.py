"""Pages built on demand: one at a time, anew only when the files that they show changed, and not too often."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...files import is_held
from ..pages.packing import shard_folder

Signature = frozenset[tuple[str, int, int]]
"""Path, time of the last change and size of every file that a page may show."""

RESTS = 10
"""A page that took a second to build is not built again for so many seconds, however its files grow."""


@dataclass(frozen=True, slots=True)
class _Built:
    page: Path
    signature: Signature
    seconds: float
    at: float

    def serves(self, signature: Signature) -> bool:
        return self.signature == signature or time.monotonic() - self.at < RESTS * self.seconds

    def remove(self) -> None:
        shutil.rmtree(shard_folder(self.page), ignore_errors=True)
        for path in (self.page, self.page.with_suffix(".json")):
            path.unlink(missing_ok=True)


class BuiltPages:
    """Keeps built pages as ``page-N.html`` in a folder of its own, with their shards in ``page-N.data``.

    A page that is built anew gets another number and the one before stays for one more time, so that a reader who
    still has it open finds its shards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._built: dict[str, list[_Built]] = {}
        self._number = 0

    def get(self, name: str, sources: Sequence[Path], build: Callable[[Path], object]) -> bytes:
        """Return a page, built by ``build(file)`` if what lies in ``sources`` asks for it."""
        with self._lock:
            versions = self._built.setdefault(name, [])
            signature = signature_of(sources)
            if not (versions and versions[-1].serves(signature)):
                started = time.monotonic()
                self._number += 1
                page = self.folder / f"page-{self._number}.html"
                build(page)
                versions.append(_Built(page, signature, time.monotonic() - started, time.monotonic()))
            for old in versions[:-2]:
                old.remove()
            del versions[:-2]
            return versions[-1].page.read_bytes()


def signature_of(directories: Sequence[Path]) -> Signature:
    """Describe the files in directories, at any depth, so that any change of them, or of who writes, changes it."""
    found = set()
    for directory in directories:
        for path in directory.rglob("*"):
            try:
                state = path.stat()
            except OSError:  # replaced or removed this very moment
                continue
            if path.name == ".lock":
                found.add((str(path), 0, int(is_held(path.parent))))
            elif path.suffix != ".part":
                found.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)
