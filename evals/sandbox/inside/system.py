"""System calls that the standard library does not offer."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_CAPABILITY_VERSION_3 = 0x20080522


def check(result: int, what: str) -> int:
    """Return ``result``, or raise the ``OSError`` that ``errno`` names when it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """Make a system call by number; -1 and ``errno`` when it fails."""
    return int(_libc.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, argument: int = 0, pointer: object = 0) -> None:
    """Set an attribute of this process with the system call prctl.

    Raises:
        OSError: the kernel refuses.
    """
    address = ctypes.c_ulong(pointer) if isinstance(pointer, int) else pointer
    check(_libc.prctl(option, ctypes.c_ulong(argument), address, ctypes.c_ulong(0), ctypes.c_ulong(0)), "prctl")


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name for new ones with the system call unshare.

    Raises:
        OSError: the kernel or a policy of this machine refuses new namespaces.
    """
    check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system, or change how it is mounted with the system call mount.

    Raises:
        OSError: the kernel refuses (the message names the target).
    """
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    check(_libc.mount(*arguments), f"mount {target}")


def unmount(target: str) -> None:
    """Detach what is mounted at ``target``.

    Raises:
        OSError: nothing is mounted there.
    """
    check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def drop_capabilities() -> None:
    """Give up every capability of this process, for good when it also has ``no_new_privs``."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent dies. Call it after the last change of user."""
    prctl(PR_SET_PDEATHSIG, 9)
