"""Separates a model's reasoning from its answer."""

from __future__ import annotations

from dataclasses import replace

from ...tasks.types import Completion

OPEN, CLOSE = "<think>", "</think>"


def split_reasoning(completion: Completion) -> Completion:
    """Move ``<think>…</think>`` at the start of the text into ``reasoning``; linear in the text's length.

    Servers that put the opening tag into the prompt send a text that only closes the thought: everything up to the
    first closing tag is then reasoning too. A thought that never closes leaves no answer at all.
    """
    text = completion.text.lstrip()
    opened = text.startswith(OPEN)
    thought, closed, answer = text.removeprefix(OPEN).partition(CLOSE)
    if not opened and not closed:
        return completion
    if not closed:
        answer = ""
    elif not opened and OPEN in thought:
        return completion
    parts = [part for part in (completion.reasoning, thought.strip()) if part]
    return replace(completion, text=answer.lstrip(), reasoning="\n\n".join(parts) or None)
