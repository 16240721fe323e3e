"""Separates a model's reasoning from its answer."""

from __future__ import annotations

from dataclasses import replace

from ...tasks.text.thoughts import split_thoughts
from ...tasks.types import Completion


def split_reasoning(completion: Completion) -> Completion:
    """Move the thoughts in the text into ``reasoning`` (see `split_thoughts`)."""
    answer, thought = split_thoughts(completion.text)
    if thought is None:
        return completion
    parts = [part for part in (completion.reasoning, thought) if part]
    return replace(completion, text=answer, reasoning="\n\n".join(parts) or None)
