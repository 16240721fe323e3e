"""Pages built on demand: one at a time, again only after their files changed, with a limited frequency."""

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
"""Path, modification time and size of every file that a page depends on."""

RESTS = 10
"""A page that took one second to build is rebuilt after this many seconds at the earliest."""


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

    A rebuilt page gets a new number; the previous version is kept, so that a browser that shows it can load its
    shards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._built: dict[str, list[_Built]] = {}
        self._number = 0

    def get(self, name: str, sources: Sequence[Path], build: Callable[[Path], object]) -> bytes:
        """Return a page, built by ``build(file)`` if the files in ``sources`` changed."""
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
    """Return a fingerprint of the files in directories, at any depth, and of the locks held there."""
    files = set()
    for directory in directories:
        for path in directory.rglob("*"):
            try:
                state = path.stat()
            except OSError:  # replaced or removed in the meantime
                continue
            if path.name == ".lock":
                files.add((str(path), 0, int(is_held(path.parent))))
            elif path.suffix != ".part":
                files.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(files)
