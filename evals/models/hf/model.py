"""``hf:`` models: transformers in this process, in batches, on the CPU or a CUDA device."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....errors import ModelError, UsageError
from ....tasks.text.thoughts import opening_of
from ....tasks.types import Completion, Message, Usage
from ..base import ModelOptions, Sampling
from ..likelihood import ScoredTokens, TokenCutter
from ..options import one_of, read_options, truth, whole_number
from ..reasoning import split_reasoning
from ..weights.checkpoints import find_checkpoint, split_adapter
from .batching import Batcher
from .chat_template import ChatTemplate, chat_template
from .decoding import Generated, Likelihoods, Request, generate, measure_likelihoods, rows_at_once
from .loading import DTYPES, Settings, load, release_memory

if TYPE_CHECKING:
    from .causal_lm import CausalLM

OPTIONS: dict[str, Callable[[str], Any]] = {
    "dtype": one_of(*DTYPES),
    "device": str,
    "threads": whole_number,
    "batch_size": whole_number,
    "batch_tokens": whole_number,
    "context": whole_number,
    "truncate_prompt": truth,
    "chat_template": str,
    "think": truth,
    "revision": str,
    "lora": str,
    "attention": one_of("sdpa", "eager", "flash_attention_2"),
    "trust_remote_code": truth,
}
BATCH_SIZE = {"cpu": 8, "cuda": 32}
BATCH_TOKENS = {"cpu": 1 << 15, "cuda": 1 << 17}
STOP_LOOKBACK = 8
"""Tokens, beyond one for every byte of the longest stop string, that are looked at after each new token: characters
of several tokens, and special tokens that decode to nothing."""


def open_hf(name: str, options: ModelOptions) -> HfModel:
    """Open ``hf:FOLDER``, ``hf:owner/model`` or ``hf:FILE.gguf``, each with ``+lora:FOLDER`` if wanted.

    Model options:
        dtype: ``float32`` on the CPU and the checkpoint's own on CUDA, unless given.
        device: ``cuda`` where there is one, else ``cpu``.
        threads: of the CPU (``$EVALKIT_THREADS``, else what torch takes).
        batch_size: prompts in a batch, at most (8 on the CPU, 32 on CUDA).
        batch_tokens: tokens in a batch after padding, answers included, at most (2^15, 2^17).
        context: tokens of prompt and answer together, at most; the model's own limit unless given.
        truncate_prompt: ``true`` cuts a prompt that is too long at its beginning (and marks the answer) instead of
            failing.
        chat_template: ``plain`` for the bare text, or a Jinja file, instead of the tokenizer's own.
        think: ``true`` or ``false``, for templates that know ``enable_thinking``.
        revision: of a hub model: a branch, tag or commit.
        attention: ``sdpa`` (what most models take by themselves), ``eager`` or ``flash_attention_2``.
        trust_remote_code: ``true`` runs the code that comes with the model.

    Raises:
        UsageError, InputError: an option, a file or a folder is wrong.
        MissingExtraError: torch or transformers is not installed.
        ModelError: the weights cannot be fetched or loaded.
    """
    name, options = split_adapter(name, options)
    chosen = read_options("hf", options, OPTIONS)
    if not name:
        raise UsageError("which model? hf:FOLDER, hf:owner/model or hf:FILE.gguf")
    settings = Settings.of(chosen)
    checkpoint = find_checkpoint(name, revision=chosen.get("revision"))
    loaded = load(checkpoint, settings)
    template = chat_template(loaded.tokenizer, chosen.get("chat_template"), think=chosen.get("think"))
    context = min(chosen.get("context", loaded.context), loaded.context)
    truncate = chosen.get("truncate_prompt", False)
    batch_size = chosen.get("batch_size", BATCH_SIZE[settings.device_type])
    identity = checkpoint.identity() | loaded.identity | template.identity | {"context": context}
    return HfModel(
        f"hf:{name}" + (f"+lora:{settings.adapter}" if settings.adapter else ""),
        lm=loaded.lm,
        template=template,
        context=context,
        truncate_prompt=truncate,
        batch_size=batch_size,
        batch_tokens=chosen.get("batch_tokens", BATCH_TOKENS[settings.device_type]),
        concurrency=options.concurrency or 2 * batch_size,
        identity=identity | ({"truncate_prompt": True} if truncate else {}),
    )


class HfModel:
    """A causal language model of transformers that answers chats and scores texts."""

    def __init__(
        self,
        name: str,
        *,
        lm: CausalLM,
        template: ChatTemplate,
        context: int,
        identity: Mapping[str, Any],
        truncate_prompt: bool = False,
        batch_size: int = 8,
        batch_tokens: int = 1 << 15,
        concurrency: int = 16,
    ) -> None:
        self.name = name
        self.identity: Mapping[str, Any] = {"backend": "hf", **identity, **_invariance(lm)}
        self.concurrency = concurrency
        self.context = context
        self._lm = lm
        self._template = template
        self._tokenizer = template.tokenizer
        self._cutter = TokenCutter(template.tokenizer, context)
        self._truncate_prompt = truncate_prompt
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evalkit-hf")
        self._answers = Batcher[Request, Generated](
            self._generate_batch, thread=self._thread, rows=batch_size, tokens=batch_tokens
        )
        # Batches of one row: rounding cannot depend on other rows.
        self._scores = Batcher[Likelihoods, list[tuple[float, bool]]](
            self._score_batch,
            thread=self._thread,
            rows=1 if lm.batch_invariant else batch_size,
            tokens=batch_tokens,
        )

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        ``finish_reason`` is ``length`` when the answer was cut (at ``max_tokens`` or where the context ends),
        ``prompt_truncated`` when the prompt was, else ``stop``. Stop strings end the answer, not the thought before
        it, and are not part of the text.

        Raises:
            ModelError: the prompt does not fit into the context, or the template refuses the chat.
        """
        started = time.perf_counter()
        rendered = self._template.render(messages)
        tokens = self._template.tokens(rendered)
        fitting = self._fit(tokens, sampling.max_tokens)
        room = min(sampling.max_tokens, self.context - len(fitting))
        text = _AnswerText(self._tokenizer, sampling.stop, opening_of(rendered))
        request = Request(tuple(fitting), room, sampling, text.stopped if sampling.stop else None)
        generated = await self._answers.submit(request, length=len(fitting), room=room)
        cut = len(fitting) < len(tokens)
        return replace(
            text.completion(generated.tokens),
            finish_reason="prompt_truncated" if cut else generated.finish_reason,
            usage=Usage(len(fitting), len(generated.tokens)),
            latency=round(time.perf_counter() - started, 6),
        )

    async def loglikelihood(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
        """Return log P(continuation | context) of plain texts (no chat template), and whether it is the greedy one.

        Tokens are cut as lm-evaluation-harness does (see `likelihood`).

        Raises:
            ModelError: a continuation is empty, or longer than the context.
        """
        return await self._scored([self._cutter.pair(*pair) for pair in pairs])

    async def loglikelihood_rolling(self, texts: Sequence[str]) -> list[float]:
        """Return log P(text) of whole texts, in windows of the context's length.

        Raises:
            ModelError: the model computes no numbers.
        """
        return [sum(value for value, _ in await self._scored(list(self._cutter.windows(text)))) for text in texts]

    def render(self, messages: Sequence[Message]) -> str:
        """Return the rendered prompt, up to the start of the assistant's answer.

        Raises:
            ModelError: the chat template refuses these messages.
        """
        return self._template.render(messages)

    async def close(self) -> None:
        """Cancel running requests and free the weights."""
        await self._answers.close()
        await self._scores.close()
        self._thread.shutdown()
        del self._lm
        release_memory()

    def _fit(self, tokens: Sequence[int], max_tokens: int) -> Sequence[int]:
        if len(tokens) < self.context:
            return tokens
        if not self._truncate_prompt:
            raise ModelError(
                f"the prompt has {len(tokens)} tokens and the context {self.context}"
                " (',truncate_prompt=true' cuts its beginning)"
            )
        kept = max(1, self.context - min(max_tokens, self.context // 2))
        bos = self._tokenizer.bos_token_id
        return [bos, *tokens[-kept + 1 :]] if kept > 1 and tokens[0] == bos else tokens[-kept:]

    async def _scored(self, items: Sequence[ScoredTokens]) -> list[tuple[float, bool]]:
        # The one-token choices of a question share their inputs, which are then read once.
        wanted: dict[tuple[int, ...], dict[tuple[int, ...], tuple[float, bool]]] = {}
        for item in items:
            wanted.setdefault(item.inputs, {})[item.targets] = (0.0, False)

        async def fill(inputs: tuple[int, ...]) -> None:
            found = await self._scores.submit(Likelihoods(inputs, tuple(wanted[inputs])), length=len(inputs))
            wanted[inputs] = dict(zip(wanted[inputs], found, strict=True))

        await asyncio.gather(*map(fill, wanted))
        return [wanted[item.inputs][item.targets] for item in items]

    def _generate_batch(
        self,
        requests: Sequence[Request],
        finish: Callable[[int, Generated | ModelError], None],
        abandoned: Callable[[int], bool],
    ) -> None:
        """Generate; when memory runs out, do what is left in halves."""
        import torch

        left = set(range(len(requests)))

        def finished(index: int, generated: Generated) -> None:
            left.discard(index)
            finish(index, generated)

        try:
            generate(self._lm, requests, finished, abandoned)
            return
        except torch.OutOfMemoryError as error:
            if len(left) == 1:
                finish(left.pop(), ModelError(f"out of memory for one prompt: {str(error).partition('.')[0]}"))
                return
        torch.cuda.empty_cache()
        ordered = sorted(left)
        for part in (ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]):
            self._generate_batch(
                [requests[index] for index in part],
                lambda index, answer, part=part: finish(part[index], answer),  # type: ignore[misc]
                lambda index, part=part: abandoned(part[index]),  # type: ignore[misc]
            )

    def _score_batch(
        self,
        items: Sequence[Likelihoods],
        finish: Callable[[int, list[tuple[float, bool]] | ModelError], None],
        abandoned: Callable[[int], bool],
    ) -> None:
        rows = rows_at_once(self._lm, items)
        for start in range(0, len(items), rows):
            for index, result in enumerate(measure_likelihoods(self._lm, items[start : start + rows]), start):
                finish(index, result)


class _AnswerText:
    """Turns the tokens of one answer into text, and notices stop strings in it."""

    def __init__(self, tokenizer: Any, stop: Sequence[str], opening: str) -> None:
        self._tokenizer = tokenizer
        self._stop = [text for text in stop if text]
        self._opening = opening
        self._window = STOP_LOOKBACK + max((len(text.encode()) for text in self._stop), default=0)

    def stopped(self, tokens: Sequence[int]) -> bool:
        """Whether a stop string stands in the answer (one in the thought before it does not count)."""
        tail = self._decode(tokens[-self._window :])
        if not any(text in tail for text in self._stop):
            return False
        return self._cut(self._split(tokens).text) is not None

    def completion(self, tokens: Sequence[int]) -> Completion:
        """Return the answer, up to the first stop string, and the thought before it."""
        completion = self._split(tokens)
        end = self._cut(completion.text)
        return completion if end is None else replace(completion, text=completion.text[:end])

    def _cut(self, text: str) -> int | None:
        return min((place for stop in self._stop if (place := text.find(stop)) >= 0), default=None)

    def _split(self, tokens: Sequence[int]) -> Completion:
        return split_reasoning(Completion(text=self._opening + self._decode(tokens)))

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def _invariance(lm: CausalLM) -> dict[str, Any]:
    if lm.batch_invariant:
        return {"batch_invariant": True}
    kind = str(lm.model.dtype).removeprefix("torch.")
    return {
        "batch_invariant": False,
        "batch_variance": f"{kind} rounding depends on the other rows of a batch; dtype=float32 is batch-invariant",
    }
