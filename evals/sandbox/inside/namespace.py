"""Namespaces around a slot: no network, no other processes, a root that holds the interpreter and nothing else."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from . import system
from .system import mount, unmount

SCRATCH = "/box"
PACKAGES = "/packages"

_SCRATCH_OPTIONS = "size=16m,nr_inodes=2048,mode=700"
_NAMESPACES = (
    system.CLONE_NEWUSER
    | system.CLONE_NEWNS
    | system.CLONE_NEWPID
    | system.CLONE_NEWNET
    | system.CLONE_NEWIPC
    | system.CLONE_NEWUTS
    | system.CLONE_NEWCGROUP
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MOUNT_SETATTR = 442  # the same on every architecture
_AT_RECURSIVE = 0x8000
_READ_ONLY, _NO_SUID, _NO_DEVICES = 1, 2, 4
_BUILDING_SITE = "/tmp"


def enter(visible: Mapping[str, str], hidden: Iterable[str], user: int) -> None:
    """Move this process into namespaces of its own; the next child it forks is the first of its process namespace.

    Args:
        visible: what exists inside, read-only: where it appears, and where it lies now.
        hidden: folders that are empty inside.
        user: who to become when started as root, before the user namespace is made: nothing inside is root outside.

    Raises:
        OSError: this machine refuses (the message says at which step).
    """
    process = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    privileged = os.geteuid() == 0
    if privileged:
        # Root lays the tree out, for the interpreter may lie where nobody else may look.
        system.unshare(system.CLONE_NEWNS)
        _make_root(visible, hidden)
        become(user)
    user, group = os.geteuid(), os.getegid()
    system.unshare(_NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        file = os.open(name, os.O_WRONLY, dir_fd=process)
        os.write(file, text.encode())
        os.close(file)
    os.close(process)
    if not privileged:
        _make_root(visible, hidden)


def become(user: int) -> None:
    """Change from root to an unprivileged user and group of that number, with no other groups.

    Raises:
        OSError: this process may not.
    """
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # The kernel gives /proc/self to root at such a change; the maps of a user namespace are written there.
    system.prctl(system.PR_SET_DUMPABLE, 1)


def renew_scratch() -> None:
    """Put an empty file system of 16 MiB and 2048 inodes in the place of the last program's."""
    with suppress(OSError):  # the first program finds nothing mounted
        unmount(SCRATCH)
    mount("scratch", SCRATCH, "tmpfs", system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC, _SCRATCH_OPTIONS)


def _make_root(visible: Mapping[str, str], hidden: Iterable[str]) -> None:
    mount("none", "/", flags=system.MS_REC | system.MS_PRIVATE)
    mount("site", _BUILDING_SITE, "tmpfs", system.MS_NOSUID, "mode=755")
    Path(_BUILDING_SITE, "old").mkdir()
    Path(_BUILDING_SITE, "new").mkdir()
    os.chdir(_BUILDING_SITE)
    _pivot_root(".", "old")
    mount("root", "/new", "tmpfs", system.MS_NOSUID, "mode=755")
    for place, source in visible.items():
        _show(Path("/old" + source), Path("/new" + place))
    for folder in hidden:
        if Path("/new" + folder).is_dir():
            mount("hidden", "/new" + folder, "tmpfs", system.MS_RDONLY, "size=4k,mode=755")
    Path("/new/dev").mkdir()
    for device in _DEVICES:
        Path("/new/dev", device).touch()
        mount(f"/old/dev/{device}", f"/new/dev/{device}", flags=system.MS_BIND)
    Path("/new" + SCRATCH).mkdir()
    if not Path("/new/tmp").exists():
        Path("/new/tmp").symlink_to(SCRATCH)
    unmount("/old")
    os.chdir("/new")
    _pivot_root(".", ".")
    unmount(".")
    os.chdir("/")
    _set_attributes("/", _READ_ONLY | _NO_SUID, recursive=False)


def _show(source: Path, place: Path) -> None:
    if not source.exists() and not source.is_symlink():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        place.symlink_to(source.readlink())
        return
    if source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.touch()
    mount(str(source), str(place), flags=system.MS_BIND | system.MS_REC)
    _set_attributes(str(place), _READ_ONLY | _NO_SUID | _NO_DEVICES, recursive=True)


def _pivot_root(new_root: str, put_old: str) -> None:
    number = {"x86_64": 155}.get(os.uname().machine, 41)
    system.check(system.syscall(number, new_root.encode(), put_old.encode()), "pivot_root")


def _set_attributes(path: str, attributes: int, *, recursive: bool) -> None:
    request = struct.pack("<QQQQ", attributes, 0, 0, 0)
    arguments = (ctypes.c_int(-1), path.encode(), ctypes.c_uint(_AT_RECURSIVE if recursive else 0), request)
    system.check(system.syscall(_MOUNT_SETATTR, *arguments, ctypes.c_size_t(len(request))), f"mount_setattr {path}")
