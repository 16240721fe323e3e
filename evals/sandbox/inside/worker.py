"""A slot: the trusted process that evalkit talks to. It holds the tests; a zygote of its own forks the programs."""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from . import namespace, system
from .child import Bonds
from .guest import Guest, SandboxError, Zygote
from .judge import MakeGuest, judge
from .landlock import make_ruleset
from .layout import MODULES, Layout, find_layout
from .relay import RelayGuest
from .seccomp import make_filter
from .wire import receive, send
from .zygote import serve

_MEMORY = 2 * 2**30
_THREADS_IN_NAMESPACE = 256
_THREADS_BESIDE_OTHERS = 1024


def main(descriptor: int) -> None:
    """Become a slot that serves the socket of that descriptor until the connection is closed."""
    parent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptor)
    settings = receive(parent)
    profiles: dict[str, Zygote] = {}
    if settings["tier"] != "checker":
        try:
            profiles[""] = _start(settings, descriptor)
        except OSError as error:
            send(parent, {"failed": str(error)})
            return
    _bind_self()
    send(parent, {"ready": True})

    def make_guest(program: dict[str, Any]) -> MakeGuest:
        limits = program["limits"]
        if not profiles:
            return lambda stdin, _: RelayGuest(parent, limits, stdin)
        modules = program["preload"]
        if modules not in profiles:
            profiles[modules] = profiles[""].preload(modules.split())
        return lambda stdin, split: Guest(profiles[modules], limits, stdin, split_output=split)

    while True:
        try:
            program = receive(parent)
        except EOFError:
            return
        send(parent, _serve(make_guest, program))


def _serve(make_guest: Callable[[dict[str, Any]], MakeGuest], program: dict[str, Any]) -> dict[str, Any]:
    try:
        judgement = judge(make_guest(program), program)
    except SandboxError as error:
        return {"failure": str(error)}
    except Exception as error:
        return {"failure": f"{type(error).__name__}: {error}"}
    output = judgement.output.decode(errors="replace")
    return {"verdicts": judgement.verdicts, "output": output, "cpu": judgement.cpu_seconds}


def _start(settings: dict[str, Any], parent: int) -> Zygote:
    """Import what programs will want, go where they will be, and fork the zygote."""
    layout = find_layout() if settings["layout"] is None else Layout(**settings["layout"])
    sys.path[:] = [*layout.path, *([layout.packages] if layout.packages else [])]
    for module in MODULES:
        import_module(module)
    processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    bonds = _bonds(settings, layout)
    # Closes /proc/PID/mem of the worker to a program under the same user.
    system.prctl(system.PR_SET_DUMPABLE, 0)
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        for unused in (parent, processes, ours.fileno()):
            os.close(unused)
        serve(theirs, bonds)
    theirs.close()
    return Zygote(ours, processes, None if bonds.fresh_scratch else bonds.scratch)


def _bind_self() -> None:
    """Drop privileges that running the tests does not need: they are trusted, but third-party code."""
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.drop_capabilities()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bonds(settings: dict[str, Any], layout: Layout) -> Bonds:
    """Isolate this process as far as the tier does, and return the restrictions of each child."""
    tier, folder = settings["tier"], settings["scratch"]
    if tier == "namespace":
        packages = {f"{namespace.PACKAGES}/{Path(place).name}": place for place in layout.package_folders}
        namespace.enter({place: place for place in layout.visible} | packages, layout.hidden, settings["user"])
        sys.path[:] = [*layout.path, namespace.PACKAGES]
        return Bonds(
            namespace.SCRATCH, make_filter(file_owner=True), None, _THREADS_IN_NAMESPACE, fresh_scratch=True
        )
    if tier == "unsafe":
        return Bonds(folder)
    if os.geteuid() == 0:
        namespace.become(settings["user"])
    threads = _threads_of(os.geteuid()) + _THREADS_BESIDE_OTHERS
    try:
        ruleset = make_ruleset(layout.readable(), [folder, "/dev/null"])
    except OSError:
        if tier == "landlock":
            raise
        ruleset = None  # the container isolates by itself
    return Bonds(folder, make_filter(file_owner=False), ruleset, threads)


def _threads_of(user: int) -> int:
    """Count the threads of a user's processes."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                count += len(list((process / "task").iterdir()))
        except OSError:
            continue  # it has ended
    return count
