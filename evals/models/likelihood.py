"""Tokenises texts for log-likelihoods as lm-evaluation-harness does.

Pure functions over token ids, shared by every backend that can score a given text; the same pairs give the same
tokens as lm-eval 0.4.13, so that its metrics carry over exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError

Encode = Callable[[str, bool], list[int]]
"""Turns a text into token ids; the flag says whether the tokenizer may add its special tokens (BOS)."""


@dataclass(frozen=True, slots=True)
class ScoredTokens:
    """Tokens to read and, at their end, tokens to score.

    ``inputs`` are fed to the model; the logits of its last ``len(targets)`` positions predict ``targets``.
    """

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


def cut_pair(
    context: str, continuation: str, *, encode: Encode, prefix_token: int, max_length: int
) -> ScoredTokens:
    """Cut a (context, continuation) pair.

    Spaces at the end of the context belong to the continuation, whose tokens are those of the joined text after
    the context's own; an empty context is the prefix token (BOS, or EOS where there is none). What does not fit
    into ``max_length`` tokens is cut from the left of the context.

    Raises:
        ModelError: the continuation is empty or longer than ``max_length`` tokens.
    """
    if context:
        bare = context.rstrip()
        whole = encode(context + continuation, True)
        # A context of spaces alone leaves nothing before the continuation but what the tokenizer adds itself.
        before = encode(bare, True)
        context_tokens, targets = before, whole[len(before) :]
    else:
        targets = encode(continuation, False)
        context_tokens = [prefix_token]
        if targets and targets[0] == prefix_token:
            context_tokens, targets = targets[:1], targets[1:]
    return _fit(context_tokens or [prefix_token], targets, max_length)


def cut_text(tokens: Sequence[int], *, prefix_token: int, max_length: int) -> Iterator[ScoredTokens]:
    """Cut a long text into windows in which every token is scored once.

    The first window starts from the prefix token; each later one sees as many tokens before its own as still fit
    into ``max_length``, at least one. Windows that are full score all their tokens from one token of context.
    """
    for start in range(0, len(tokens), max_length):
        targets = tokens[start : start + max_length]
        if start == 0:
            before: Sequence[int] = [prefix_token]
        else:
            before = tokens[max(0, start - 1 - max_length + len(targets)) : start]
        yield ScoredTokens((*before, *targets[:-1]), tuple(targets))


@dataclass(frozen=True, slots=True)
class TokenCutter:
    """Cuts texts with a tokenizer of transformers, for a model that reads ``max_length`` tokens."""

    tokenizer: Any
    max_length: int

    def pair(self, context: str, continuation: str) -> ScoredTokens:
        """Cut a (context, continuation) pair, see `cut_pair`."""
        return cut_pair(
            context, continuation, encode=self._encode, prefix_token=self._prefix_token, max_length=self.max_length
        )

    def windows(self, text: str) -> list[ScoredTokens]:
        """Cut a long text into windows, see `cut_text`."""
        tokens = self._encode(text, True)
        return list(cut_text(tokens, prefix_token=self._prefix_token, max_length=self.max_length))

    @property
    def _prefix_token(self) -> int:
        bos = self.tokenizer.bos_token_id
        return int(self.tokenizer.eos_token_id if bos is None else bos)

    def _encode(self, text: str, special: bool) -> list[int]:
        # A text that begins with its BOS in letters must not get a second one.
        doubled = text.startswith(self.tokenizer.decode([self._prefix_token]))
        return list(self.tokenizer.encode(text, add_special_tokens=special and not doubled))


def _fit(context: Sequence[int], targets: Sequence[int], max_length: int) -> ScoredTokens:
    if not targets:
        raise ModelError("the continuation is empty: it has no likelihood")
    if len(targets) > max_length:
        raise ModelError(f"a continuation of {len(targets)} tokens is longer than the context of {max_length}")
    return ScoredTokens(tuple([*context, *targets][-(max_length + 1) : -1]), tuple(targets))
