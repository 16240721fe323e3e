"""A folder that hostile programs write to, where no file system of its own bounds and clears it."""

from __future__ import annotations

import os
import secrets
import stat

BYTES = 16 * 2**20
ENTRIES = 2048


def overfull(folder: str) -> bool:
    """Return whether a folder holds more than 16 MiB or 2048 files and folders."""
    used = entries = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if entries > ENTRIES or used > BYTES:
                        return True
        except FileNotFoundError:
            continue  # deleted under our eyes
        except OSError:
            return True  # made unreadable, or deeper than a path can say: to hide what is in it
    return False


def empty(folder: str) -> None:
    """Delete everything in a folder, following no link and however deep it is, once nothing writes to it."""
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        while names := os.listdir(top):  # noqa: PTH208  (a descriptor has no Path)
            for name in names:
                if not _is_folder(name, top):
                    os.unlink(name, dir_fd=top)
                    continue
                os.chmod(name, 0o700, dir_fd=top)
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
                try:
                    for child in os.listdir(inner):  # noqa: PTH208
                        if _is_folder(child, inner):
                            # Moved up instead of descended into: no path grows, no recursion.
                            os.chmod(child, 0o700, dir_fd=inner)
                            # Its new name is none that the program could have taken.
                            os.rename(child, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
                        else:
                            os.unlink(child, dir_fd=inner)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
