"""Answers sampled by vLLM while the trainer learns: servers that load each version of the adapter by its path.

After a step's learning the adapter is saved under a name of its own, ``adapter-000017-1f3a9c0b`` (steps learned,
mark of this run), and loaded by every server; the version before is unloaded and removed. Prompts and answers
travel as token ids, so nothing is cut into tokens twice, and each answer has a seed of its own.

The log-probabilities are those of the tempered distribution (``--logprobs-mode processed_logprobs``). They are the
sampler's in the correction of `losses.ratios`, which is on. An answer is sampled by the newest version; groups
that wait as surplus keep theirs, and are given up after ``rollouts.max_age`` steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from ...errors import ModelError, UsageError
from ...evals.models.hf.causal_lm import Tokens
from ...evals.models.hf.draws import seed_number
from ...evals.models.http.client import HttpClient
from ...evals.models.http.retry import Patience, RequestError, ask_again
from ...evals.models.vllm.server import Server, adapter_room, find_vllm, start_servers
from ..recipe.fields import Vllm
from .base_model import BaseModel
from .local_sampler import Sampled
from .model import POLICY, Policy
from .parallel import broadcast, world

# What a request leaves out, a server may take from the model's generation_config.json.
_PLAIN = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
_PATIENCE = Patience()
_NEEDED = "--enable-lora --logprobs-mode processed_logprobs, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"


class VllmSampler:
    """Servers with the policy's adapter; every process samples its own share from all of them.

    Args:
        settings: where they run, or how one is started.
        base: the weights that it serves.
        policy: whose adapter is published.
        folder: where versions are saved: servers have to find it under the same path.

    Raises:
        UsageError: a server reports log-probabilities that training cannot use.
        MissingExtraError, ModelError: no server could be started or reached.
    """

    def __init__(self, settings: Vllm, base: BaseModel, policy: Policy, folder: Path) -> None:
        self._settings = settings
        self._policy = policy
        self._folder = folder.resolve()
        self._leads = world()[0] == 0
        self._server: Server | None = None
        self._version: int | None = None
        self._name = ""
        self._mark = secrets.token_hex(4)
        addresses = [address.rstrip("/") for address in settings.addresses]
        if self._leads:
            shutil.rmtree(self._folder, ignore_errors=True)
            if not addresses:
                self._server = _start(settings, base, policy)
                addresses = [self._server.address]
        self._addresses: list[str] = broadcast(addresses)

    def publish(self, version: int) -> None:
        """Let the servers sample with the policy as it is, after ``version`` steps; all processes come here.

        Raises:
            UsageError: a server cannot be used for training.
            ModelError: a server refuses.
        """
        if version == self._version:
            return
        name = self._load(version) if self._leads else ""
        self._name = broadcast(name)
        self._version = version

    def generate(
        self, prompts: Sequence[Tokens], seeds: Sequence[Sequence[str]], *, max_tokens: int, temperature: float
    ) -> list[list[Sampled]]:
        """Continue each prompt as often as it has seeds (as `generate` does) with the published version.

        Raises:
            ModelError: a server refused, ended, or answered with something else than tokens.
        """
        bodies = [
            {
                "model": self._name,
                "prompt": list(prompt),
                "max_tokens": min(max_tokens, self._policy.context - len(prompt)),
                "temperature": temperature,
                "seed": seed_number(seed),
                "stop_token_ids": sorted(self._policy.stop_tokens),
                "logprobs": 0,
                "return_token_ids": True,
                **_PLAIN,
            }
            for prompt, some in zip(prompts, seeds, strict=True)
            for seed in some
        ]
        contents = iter(asyncio.run(self._ask_all(bodies)))
        return [[self._read(next(contents)) for _ in some] for some in seeds]

    def close(self) -> None:
        """End the server that was started here; from others, unload what was loaded."""
        if self._leads and self._name:
            if self._server is None:
                self._unload()
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._server is not None:
            self._server.stop()

    def _load(self, version: int) -> str:
        # Servers keep what they computed from a prompt under the adapter's name: every run has names of its own.
        name = f"adapter-{version:06d}-{self._mark}"
        self._policy.save(self._folder / name)
        body = {"lora_name": name, "lora_path": str(self._folder / name)}
        asyncio.run(self._each("load_lora_adapter", body, attempts=3))
        if self._name:
            self._unload()
            shutil.rmtree(self._folder / self._name)
        else:
            asyncio.run(self._check(name))
        return name

    def _unload(self) -> None:
        with contextlib.suppress(ModelError):
            asyncio.run(self._each("unload_lora_adapter", {"lora_name": self._name}, attempts=1))

    async def _each(self, action: str, body: dict[str, Any], *, attempts: int) -> None:
        async with self._servers() as servers:
            for server in servers:
                await self._post(server, action, body, Patience(attempts))

    async def _check(self, name: str) -> None:
        """Refuse servers whose log-probabilities are of another distribution than the one that is sampled.

        Of a distribution cut down to its first token, that token's log-probability is 0; of the model's own it is
        less.
        """
        body = {
            "model": name, "prompt": [self._policy.pad_token], "max_tokens": 1, "temperature": 1.0, "seed": 0,
            "logprobs": 0, "return_token_ids": True, **_PLAIN, "top_k": 1,
        }  # fmt: skip
        async with self._servers() as servers:
            for server in servers:
                answer = self._read(await self._post(server, "completions", body))
                if answer.log_probabilities[0] < -1e-3:
                    raise UsageError(f"{server.address} reports raw log-probabilities: start it with {_NEEDED}")

    async def _ask_all(self, bodies: Sequence[dict[str, Any]]) -> list[bytes]:
        limit = asyncio.Semaphore(self._settings.concurrency)

        async def ask(server: HttpClient, body: dict[str, Any]) -> bytes:
            async with limit:
                return await self._post(server, "completions", body)

        async with self._servers() as servers:
            return await asyncio.gather(*map(ask, itertools.cycle(servers), bodies))

    @contextlib.asynccontextmanager
    async def _servers(self) -> AsyncIterator[list[HttpClient]]:
        at_once, seconds = self._settings.concurrency, self._settings.timeout
        servers = [
            HttpClient(address, concurrency=at_once, timeout=seconds, proxies=False) for address in self._addresses
        ]
        try:
            yield servers
        finally:
            for server in servers:
                await server.close()

    async def _post(
        self, server: HttpClient, action: str, body: dict[str, Any], patience: Patience = _PATIENCE
    ) -> bytes:
        async def once() -> bytes:
            if self._server is not None and not self._server.alive:
                raise self._server.ended()
            return (await server.post(f"/{action}", body)).content

        try:
            return await ask_again(once, patience)
        except RequestError as error:
            text = error.content[:300].decode("utf-8", "replace")
            problem = f"{error.status} {' '.join(text.split())}" if error.status else str(error)
        hint = f"; for training a vLLM server needs {_NEEDED}" if "lora" in action else ""
        raise ModelError(f"{server.address}/{action}: {problem}{hint}", fatal=True)

    def _read(self, content: bytes) -> Sampled:
        try:
            choice = orjson.loads(content)["choices"][0]
            tokens = tuple(map(int, choice["token_ids"]))
            values = tuple(map(float, choice["logprobs"]["token_logprobs"]))
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            text = content[:200].decode("utf-8", "replace")
            raise ModelError(f"vLLM's response has no token ids: {text}", fatal=True) from None
        reason = choice.get("finish_reason")
        if not tokens or len(tokens) != len(values) or reason not in ("stop", "length"):
            sent = f"{len(tokens)} tokens with {len(values)} log-probabilities, ended by {reason!r}"
            raise ModelError(f"unexpected response of vLLM: {sent}; check its version", fatal=True)
        return Sampled(tokens, values, reason)


def _start(settings: Vllm, base: BaseModel, policy: Policy) -> Server:
    installation = find_vllm(settings.python)
    rank = policy.model.peft_config[POLICY].r
    own = str(policy.model.dtype).removeprefix("torch.")
    dtype = settings.dtype or ("float32" if own == "float64" else own)
    devices = len(settings.devices) or 1
    arguments = [
        str(base.checkpoint.folder),
        *("--served-model-name", "model", "--host", "127.0.0.1", "--dtype", dtype),
        *("--max-model-len", str(policy.context), "--generation-config", "vllm", "--disable-uvicorn-access-log"),
        *("--logprobs-mode", "processed_logprobs", "--tensor-parallel-size", str(devices)),
        # Room for the version at hand and for the next one.
        *("--enable-lora", "--max-loras", "2", "--max-lora-rank", str(adapter_room(rank))),
        *(["--gpu-memory-utilization", str(settings.memory)] if settings.memory is not None else []),
        *(["--enforce-eager"] if installation.on_cpu else []),
    ]
    environment = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"}
    if settings.devices:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, settings.devices))
    (server,) = start_servers(
        installation, arguments, replicas=1, devices_each=devices, kv_cache_gib=None, environment=environment
    )
    return server
