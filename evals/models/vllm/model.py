"""``vllm:`` models: one or more vLLM servers, started for the run and ended with it.

A server process, not an engine in this process: vLLM pins its own torch and transformers and may be installed
in another environment (``python=``); a crash does not end evalkit; and several servers can share the requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ....errors import MissingExtraError, ModelError, UsageError
from ....files import read_json
from ....tasks.types import Completion, Message
from ..base import ModelOptions, Sampling
from ..hf.chat_template import choose_template, template_identity, template_in
from ..http.client import HttpClient
from ..http.openai import ChatServer
from ..http.retry import RequestError, model_error
from ..likelihood import ScoredTokens, TokenCutter
from ..options import one_of, read_options, truth, whole_number
from ..weights.checkpoints import adapter_sha256, find_adapter, find_checkpoint, split_adapter
from .server import Installation, Server, adapter_room, find_vllm, start_servers

OPTIONS: dict[str, Callable[[str], Any]] = {
    "dtype": one_of("float32", "bfloat16", "float16"),
    "context": whole_number,
    "chat_template": str,
    "think": truth,
    "revision": str,
    "lora": str,
    "replicas": whole_number,
    "tensor_parallel": whole_number,
    "kv_cache_gib": whole_number,
    "eager": truth,
    "python": str,
    "trust_remote_code": truth,
}
Answer = TypeVar("Answer")

CONCURRENCY = 64
LOOK_SECONDS = 1.0
PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}{% for message in messages %}{{ message.content }}"
    "{% if not loop.last %}\n\n{% endif %}{% endfor %}"
)
MODEL, ADAPTER = "model", "adapter"


def open_vllm(name: str, options: ModelOptions) -> VllmModel:
    """Open ``vllm:FOLDER``, ``vllm:owner/model`` or ``vllm:FILE.gguf``, each with ``+lora:FOLDER`` if wanted.

    Model options:
        dtype: ``float32`` on the CPU; on GPUs the checkpoint's own, ``bfloat16`` for a float32 one.
        context: tokens of prompt and answer together, at most; the model's own limit unless given.
        chat_template: ``plain`` for the bare text, or a Jinja file, instead of the tokenizer's own.
        think: ``true`` or ``false``, for templates that know ``enable_thinking``.
        revision: of a hub model: a branch, tag or commit.
        replicas: servers that share the requests, each on its own GPUs or cores (1).
        tensor_parallel: GPUs that one replica is spread over (1).
        kv_cache_gib: memory of the CPU build for keys and values, in GiB (4).
        eager: ``true`` starts faster and answers slower (nothing is compiled); the default of the CPU build.
        python: the interpreter that has vLLM, when it is not the one that runs evalkit.
        trust_remote_code: ``true`` runs the code that comes with the model.

    Raises:
        UsageError, InputError: an option, a file or a folder is wrong.
        MissingExtraError: vLLM is not installed.
        ModelError: the weights cannot be fetched, or a server does not start.
    """
    name, options = split_adapter(name, options)
    chosen = read_options("vllm", options, OPTIONS)
    if not name:
        raise UsageError("--model vllm: names no model: give vllm:FOLDER, vllm:owner/model or vllm:FILE.gguf")
    installation = find_vllm(chosen.get("python"))
    checkpoint = find_checkpoint(name, revision=chosen.get("revision"))
    adapter = find_adapter(chosen["lora"]) if "lora" in chosen else None
    config = read_json(checkpoint.folder / "config.json")
    dtype = chosen.get("dtype") or _default_dtype(config, installation)
    template = choose_template(template_in(checkpoint.folder), chosen.get("chat_template"))
    context = chosen.get("context") or _own_context(config)
    replicas = chosen.get("replicas", 1)
    tensor_parallel = chosen.get("tensor_parallel", 1)
    identity = {
        "backend": "vllm",
        **checkpoint.identity(),
        **template_identity(template, chosen.get("think")),
        "dtype": dtype,
        "device": "cpu" if installation.on_cpu else "gpu",
        "context": context,
        "tensor_parallel": tensor_parallel,
        "vllm": installation.version,
        **({"adapter_sha256": adapter_sha256(adapter)} if adapter else {}),
        "batch_invariant": False,
        "batch_variance": "vLLM batches concurrent requests, and rounding depends on the other rows of a batch",
    }
    arguments = [
        str(checkpoint.folder),
        *("--served-model-name", MODEL, "--host", "127.0.0.1", "--dtype", dtype, "--max-model-len", str(context)),
        # Or the model's generation_config.json would quietly set what a request leaves out.
        *("--generation-config", "vllm", "--disable-uvicorn-access-log"),
        *("--tensor-parallel-size", str(tensor_parallel)),
        *(["--enforce-eager"] if chosen.get("eager", installation.on_cpu) else []),
        *(["--trust-remote-code"] if chosen.get("trust_remote_code") else []),
        *(_template_arguments(template, chosen)),
        *(_adapter_arguments(adapter) if adapter else []),
    ]
    servers = start_servers(
        installation,
        arguments,
        replicas=replicas,
        devices_each=tensor_parallel,
        kv_cache_gib=chosen.get("kv_cache_gib"),
    )
    own_name = f"vllm:{name}" + (f"+lora:{chosen['lora']}" if adapter else "")
    served_name = ADAPTER if adapter else MODEL
    concurrency = options.concurrency or CONCURRENCY * replicas
    clients = {
        server: ChatServer(
            served_name, HttpClient(server.address, concurrency=concurrency, timeout=options.timeout)
        )
        for server in servers
    }
    return VllmModel(own_name, identity, concurrency, context, checkpoint.folder, served_name, clients)


@dataclass(eq=False)
class VllmModel:
    """A model on vLLM servers that this process started; each request goes to the least busy one.

    ``folder`` has the tokenizer, ``served_name`` is the model's name there, ``clients`` ask the servers.
    """

    name: str
    identity: Mapping[str, Any]
    concurrency: int
    context: int
    folder: Path
    served_name: str
    clients: Mapping[Server, ChatServer]

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat. vLLM's stop strings also end thoughts.

        Raises:
            ModelError: the server refused (a prompt longer than the context, say), or all servers have ended.
        """
        while True:
            server = self._least_busy()
            try:
                return await self._by(server, self.clients[server].generate(messages, sampling))
            except ModelError:
                if server.alive:
                    raise

    async def loglikelihood(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
        """Return log P(continuation | context) of plain texts (no chat template), and whether it is the greedy one.

        Tokens are cut as lm-evaluation-harness does (see `likelihood`).

        Raises:
            ModelError: a continuation is empty, or longer than the context.
        """
        return list(await asyncio.gather(*(self._measure(self._cutter.pair(*pair)) for pair in pairs)))

    async def loglikelihood_rolling(self, texts: Sequence[str]) -> list[float]:
        """Return log P(text) of whole texts, in windows of the context's length.

        Raises:
            ModelError: the server refused.
        """
        measured = [await asyncio.gather(*map(self._measure, self._cutter.windows(text))) for text in texts]
        return [sum(value for value, _ in windows) for windows in measured]

    async def close(self) -> None:
        """Close the connections and end the servers."""
        for client in self.clients.values():
            await client.close()
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self.clients))

    def _least_busy(self) -> Server:
        alive = [server for server in self.clients if server.alive]
        if not alive:
            raise next(iter(self.clients)).ended()
        return min(alive, key=lambda server: server.busy)

    async def _by(self, server: Server, answering: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for an answer as long as the server lives, which may be shorter than the client's patience."""
        task = asyncio.create_task(answering)
        server.busy += 1
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                if not server.alive:
                    raise server.ended()
            return task.result()
        finally:
            task.cancel()
            server.busy -= 1

    async def _measure(self, item: ScoredTokens) -> tuple[float, bool]:
        server = self._least_busy()
        answer = await self._by(server, self._post(server, [*item.inputs, item.targets[-1]]))
        try:
            found = orjson.loads(answer)["choices"][0]["prompt_logprobs"][-len(item.targets) :]
            entries = [place[str(token)] for place, token in zip(found, item.targets, strict=True)]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            said = answer[:200].decode("utf-8", "replace")
            raise ModelError(f"{server.address} sent no log-probabilities but {said}") from None
        return sum(entry["logprob"] for entry in entries), all(entry["rank"] == 1 for entry in entries)

    async def _post(self, server: Server, tokens: Sequence[int]) -> bytes:
        # One token must be generated, and 0 further log-probabilities are wanted beside the prompt's own.
        settings = {"max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        body = {"model": self.served_name, **settings, "prompt": list(tokens)}
        chat = self.clients[server]
        try:
            return await chat.client.ask("/completions", body, lambda answer: answer.content, chat.patience)
        except RequestError as error:
            if not server.alive:
                raise server.ended() from None
            raise model_error(error, server.address) from None

    @cached_property
    def _cutter(self) -> TokenCutter:
        try:
            from transformers import AutoTokenizer
        except ImportError:
            raise MissingExtraError("hf") from None
        # The server also wants room for one token after the prompt.
        return TokenCutter(AutoTokenizer.from_pretrained(self.folder, local_files_only=True), self.context - 2)


def _default_dtype(config: Mapping[str, Any], installation: Installation) -> str:
    if installation.on_cpu:
        return "float32"
    own = _setting(config, "dtype") or _setting(config, "torch_dtype")
    return str(own) if own in ("float16", "bfloat16") else "bfloat16"


def _own_context(config: Mapping[str, Any]) -> int:
    for key in ("n_positions", "max_position_embeddings", "n_ctx"):
        if (length := _setting(config, key)) is not None:
            return int(length)
    raise UsageError("the model's config.json has no context length: add ',context=TOKENS'")


def _setting(config: Mapping[str, Any], key: str) -> Any:
    return config.get("text_config", {}).get(key, config.get(key))


def _template_arguments(template: str | None, chosen: Mapping[str, Any]) -> list[str]:
    arguments = []
    if template is None:
        arguments += ["--chat-template", PLAIN_TEMPLATE]
    elif "chat_template" in chosen:
        arguments += ["--chat-template", str(Path(chosen["chat_template"]).absolute())]
    if "think" in chosen:
        settings = orjson.dumps({"enable_thinking": chosen["think"]}).decode()
        arguments += ["--default-chat-template-kwargs", settings]
    return arguments


def _adapter_arguments(adapter: Path) -> list[str]:
    rank = int(read_json(adapter / "adapter_config.json").get("r", 8))
    room = str(adapter_room(rank))
    return ["--enable-lora", "--max-lora-rank", room, "--lora-modules", f"{ADAPTER}={adapter.absolute()}"]
