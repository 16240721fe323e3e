"""Kills a command in the middle of its requests."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence

from evalkit.tests.support.chat_server import LoopbackServer


def kill_in_the_middle(command: Sequence[str], server: LoopbackServer, requests: int) -> None:
    """Start a command and end it with SIGKILL as soon as it has sent ``requests`` requests to the server.

    The server answers no more than these, so a command that needs more cannot end first, however late the signal.
    """
    server.answers = len(server.requests) + requests
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.requests) < server.answers:
        assert process.poll() is None, "the command ended by itself"
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    server.answers = None
