"""A slot in a container: for machines whose kernel offers neither namespaces nor Landlock, and for other systems.

The container has no network, no capabilities, a read-only root and an unprivileged user; inside it the same worker
and zygote run as elsewhere, and every program is restricted by seccomp, and by Landlock where the kernel has it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

SCRATCH = "/box"

_IMAGE = os.environ.get("EVALKIT_DOCKER_IMAGE", "python:3.12-slim")
_ANSWER_SECONDS = 20.0
_MOUNTED = "/evalkit/inside"
_LAUNCH = "import sys; sys.path.insert(0, '/evalkit'); from inside.bridge import main_over_pipes; main_over_pipes()"


def docker_command(environment: dict[str, str]) -> list[str]:
    """Return the command that starts a slot in a container, with standard input and output as its stream."""
    return [
        *("docker", "run", "--rm", "--interactive", "--network=none", "--read-only", "--cap-drop=ALL"),
        *(
            "--security-opt=no-new-privileges",
            "--pids-limit=512",
            "--memory=3g",
            "--ipc=none",
            "--user=65534:65534",
        ),
        f"--tmpfs={SCRATCH}:rw,nosuid,nodev,noexec,size=16m,nr_inodes=2048,mode=700,uid=65534,gid=65534",
        f"--volume={Path(__file__).parent / 'inside'}:{_MOUNTED}:ro",
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(_IMAGE, "python", "-P", "-s", "-B", "-X", "utf8", "-c", _LAUNCH),
    ]


async def find_daemon_flaw() -> str:
    """Return why no container can be started here, or an empty text when a daemon answers."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    asking = await asyncio.create_subprocess_exec(
        *("docker", "version", "--format", "{{.Server.Version}}"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, complaint = await asyncio.wait_for(asking.communicate(), _ANSWER_SECONDS)
    except TimeoutError:
        asking.kill()
        await asking.wait()
        return f"the docker daemon did not answer within {_ANSWER_SECONDS:g} s"
    return "" if asking.returncode == 0 else complaint.decode(errors="replace").strip()[:300] or "docker failed"
