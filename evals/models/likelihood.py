"""Tokenises texts for log-likelihoods as lm-evaluation-harness does.

Pure functions over token ids, shared by every backend that can score a given text; the same pairs give the same
tokens as lm-eval 0.4.13, so that its metrics carry over exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError


@dataclass(frozen=True, slots=True)
class ScoredTokens:
    """Tokens to read and, at their end, tokens to score.

    ``inputs`` are fed to the model; the logits of its last ``len(targets)`` positions predict ``targets``.
    """

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokenCutter:
    """Cuts texts with a tokenizer of transformers, for a model that reads ``max_length`` tokens."""

    tokenizer: Any
    max_length: int

    def pair(self, context: str, continuation: str) -> ScoredTokens:
        """Cut a (context, continuation) pair.

        Spaces at the end of the context belong to the continuation, whose tokens are those of the joined text after
        the context's own; an empty context is the prefix token (BOS, or EOS where there is none). What does not fit
        into ``max_length`` tokens is cut from the left of the context.

        Raises:
            ModelError: the continuation is empty or longer than ``max_length`` tokens.
        """
        prefix = [self._prefix_token]
        if context:
            # A context of spaces alone leaves nothing before the continuation but what the tokenizer adds itself.
            before = self._encode(context.rstrip(), True)
            targets = self._encode(context + continuation, True)[len(before) :]
        else:
            before, targets = prefix, self._encode(continuation, False)
            if targets[:1] == prefix:
                targets = targets[1:]
        return _fit(before or prefix, targets, self.max_length)

    def windows(self, text: str) -> Iterator[ScoredTokens]:
        """Cut a long text into windows in which every token is scored once.

        The first window starts from the prefix token; each later one sees as many tokens before its own as still
        fit into ``max_length``, at least one. Windows that are full score all their tokens from one token of
        context.
        """
        tokens = self._encode(text, True)
        for start in range(0, len(tokens), self.max_length):
            targets = tokens[start : start + self.max_length]
            before = tokens[max(0, start - 1 - self.max_length + len(targets)) : start] or [self._prefix_token]
            yield ScoredTokens((*before, *targets[:-1]), tuple(targets))

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
