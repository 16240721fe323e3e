"""Which sandboxes work on this machine, and opening the strongest."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...errors import RunError, UsageError, nearest
from ...tasks.execution import Sandbox
from .canary import find_flaw
from .docker import find_daemon_flaw
from .inside.layout import find_layout
from .pool import SlotPool

LOCAL_TIERS = ("namespace", "landlock")
"""Tiers that need nothing but the kernel, the strongest first."""

_ON_LINUX = sys.platform.startswith("linux")
_CHOICES = ("auto", *LOCAL_TIERS, "docker", "remote:URL", "unsafe")
_REMEDIES = {
    "namespace": (
        "needs Linux 5.12 with user namespaces: on Ubuntu 'sysctl kernel.apparmor_restrict_unprivileged_userns=0',"
        " in Docker '--security-opt seccomp=unconfined'"
    ),
    "landlock": (
        "needs Linux 5.13 with Landlock ('landlock' in /sys/kernel/security/lsm) and an interpreter that"
        " an unprivileged user may read"
    ),
    "docker": "needs the docker command and a running daemon",
}


async def probe(tier: str) -> str:
    """Try a tier: return why it does not work here (with the remedy), or an empty text when it does."""
    if tier == "docker":
        flaw = await find_daemon_flaw() or await find_flaw(tier, find_layout())
    elif not _ON_LINUX:
        flaw = f"this is {sys.platform}"
    else:
        flaw = await find_flaw(tier, find_layout())
    return f"{flaw} ({_REMEDIES[tier]})" if flaw else ""


def describe_sandbox() -> list[tuple[str, bool, str]]:
    """Return ``(tier, whether it works here, why not)`` for every tier, the strongest first."""

    async def try_all() -> list[tuple[str, bool, str]]:
        tried = [(tier, await probe(tier)) for tier in (*LOCAL_TIERS, "docker")]
        return [(tier, not flaw, flaw) for tier, flaw in tried]

    return asyncio.run(try_all())


@asynccontextmanager
async def open_sandbox(
    choice: str = "auto", *, slots: int | None = None, unsafe: bool = False
) -> AsyncIterator[Sandbox]:
    """Open a sandbox: the strongest that works here, or the one that is named.

    Args:
        choice: ``auto``, ``namespace``, ``landlock``, ``docker``, ``remote:URL`` (a server that speaks
            SandboxFusion's protocol) or ``unsafe``.
        slots: how many programs run at once; by default one for each processor.
        unsafe: allow ``unsafe``, which isolates nothing: programs run as the user, with the user's files and
            network. ``auto`` takes it only where nothing else works.

    Raises:
        UsageError: there is no such sandbox, or ``unsafe`` is not allowed.
        RunError: it does not work here (says what is missing, and the remedy). Nothing weaker is taken instead.
    """
    slots = slots or os.cpu_count() or 1
    if choice.startswith("remote:"):
        from .remote import RemoteSandbox

        pool: SlotPool = RemoteSandbox(choice.removeprefix("remote:"), slots=slots)
    else:
        pool = SlotPool(await _choose(choice, unsafe), slots=slots, layout=find_layout())
    try:
        yield pool
    finally:
        await pool.close()


async def _choose(choice: str, unsafe: bool) -> str:
    if choice == "unsafe":
        if not unsafe:
            raise UsageError("the sandbox 'unsafe' does not isolate programs: allow it with --unsafe-code")
        if not _ON_LINUX:
            raise RunError(
                f"running programs without a sandbox needs Linux, this is {sys.platform}: use docker or remote:URL"
            )
        return choice
    if choice != "auto":
        if choice not in _CHOICES:
            raise UsageError(f"unknown sandbox '{choice}'.{nearest(choice, _CHOICES)}")
        if flaw := await probe(choice):
            raise RunError(f"the sandbox '{choice}' does not work here: {flaw}")
        return choice
    flaws = []
    for tier in (*LOCAL_TIERS, "docker"):
        flaw = await probe(tier)
        if not flaw:
            return tier
        flaws.append(f"{tier}: {flaw}")
    if unsafe and _ON_LINUX:
        return "unsafe"
    raise RunError(
        "no sandbox works here, so model-written programs are not run. "
        + "; ".join(flaws)
        + ". A remote sandbox can be used instead (--sandbox remote:URL);"
        " --unsafe-code runs programs with your user's permissions"
    )
