"""Interfaces of solvers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from ...tasks.types import Completion, Message


class Ask(Protocol):
    """Sends one chat to the model, and saves the answer before returning it."""

    async def __call__(self, messages: Sequence[Message], *, draw: int = 0, greedy: bool = False) -> Completion:
        """Answer; equal chats with different ``draw`` are different answers.

        Raises:
            ModelError: no answer was obtained.
        """
        ...


@dataclass(frozen=True, slots=True)
class Solution:
    """The result of a solver.

    ``completion`` is the answer, with the tokens of everything that it took. ``candidates`` are the drafts, in the
    order in which they were drawn, and ``chosen`` is the place of the one that became the answer word for word.
    """

    completion: Completion
    candidates: tuple[Completion, ...] = ()
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One chat to be answered: ``final_answer`` names what two equal answers have in common, None if nothing."""

    messages: Sequence[Message]
    ask: Ask
    final_answer: Callable[[Completion], str | None]
    random: Random


class Solver(Protocol):
    """A way to answer. ``drafts`` is the number of candidates that it draws; 1 draws at the run's temperature."""

    name: str
    drafts: int

    async def answer(self, question: Question) -> Solution:
        """Answer one chat.

        Raises:
            ModelError: no answer was obtained.
        """
        ...
