"""The user's cache folder, one lock per thing in it, and remembered sha256 sums.

Hashing 491 MB costs one to two seconds and a 40 GB file minutes, so a sum is kept beside the file's size and
modification time and taken as valid while both stand. Corruption that keeps size and time is not noticed:
remove ``sha256/`` in the cache folder to have everything hashed again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from .... import files
from ....errors import ModelError, RunError


def cache_folder() -> Path:
    """Return ``$EVALKIT_CACHE``, or ``evalkit`` in the platform's folder for caches (it may not exist yet)."""
    if chosen := os.environ.get("EVALKIT_CACHE"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("evalkit", appauthor=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file ``path`` as a lock; others wait. The system frees it when the process dies.

    Raises:
        ModelError: the folder cannot be written.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(files.locked(path))
        except OSError as error:
            raise ModelError(
                f"cannot write to the cache folder {path.parent}: {error.strerror}; "
                "set EVALKIT_CACHE to a folder that can be written",
                fatal=True,
            ) from error
        yield


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hex, from the memory of the cache folder when the file is unchanged.

    Raises:
        OSError: the file cannot be read.
    """
    known = _state(path)
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = orjson.loads(_stamp(path).read_bytes())
        if {key: found[key] for key in known} == known:
            return str(found["sha256"])
    digest = files.sha256_of(path)
    remember_sha256(path, digest)
    return digest


def remember_sha256(path: Path, digest: str) -> None:
    """Keep a sum for `file_sha256`; where the cache folder cannot be written, nothing is kept."""
    stamp = _stamp(path)
    with suppress(OSError, RunError):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(stamp, {**_state(path), "sha256": digest})


def _state(path: Path) -> dict[str, Any]:
    state = path.stat()
    return {"path": str(path.absolute()), "size": state.st_size, "mtime_ns": state.st_mtime_ns}


def _stamp(path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return cache_folder() / "sha256" / f"{name}.json"
