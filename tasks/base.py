"""What a task may have beside what it must: every hook that the harness calls, with its default.

A plugin need not derive from `BaseTask`: `registry.open_task` gives one that does not the defaults (see `adapter`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import UsageError
from .rubrics import Criterion
from .types import Completion, Context, Metric, Sample, Score

Doubt = Literal["escalated", "gated"]
"""Why a person should look at a verdict: judges differ too much, or a check by code contradicts them."""


@dataclass(frozen=True, slots=True)
class Grading:
    """One thing that a judge was to grade in an answer, as a person is shown it who grades it instead.

    Attributes:
        text: what is graded: the answer, or one of its turns.
        scale: the lowest and the highest verdict, whole numbers.
        verdict: what judges gave, or a person since, on that scale; None if there is nothing that could be used.
        status: how the verdict came about.
        turn: counted from 1; None where the answer is graded as a whole.
        doubt: why a person should look though there is a verdict; None for no reason.
        judged: the details of the judgement: ``words``, or the ``members`` of a jury; empty if nobody was asked.
        human: a person has spoken already.
    """

    text: str
    scale: tuple[int, int]
    verdict: float | None
    status: str
    turn: int | None = None
    doubt: Doubt | None = None
    judged: Mapping[str, Any] = field(default_factory=dict)
    human: bool = False


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """What a person gave for a `Grading`: ``value`` on its scale, who it was (``by``), and a comment."""

    value: int
    turn: int | None = None
    by: str = ""
    comment: str = ""

    def as_json(self, machine: float | None) -> dict[str, Any]:
        """Return ``{"verdict", "by", "comment", "machine"}``, which marks a part as a person's.

        ``machine`` is what the judges had given before anybody spoke.
        """
        return {"verdict": self.value, "by": self.by, "comment": self.comment, "machine": machine}


def check_split(task: str, split: str, known: Sequence[str] = ("test",)) -> None:
    """Make sure that a task has a split.

    Raises:
        UsageError: it has only the ``known`` ones.
    """
    if split not in known:
        names = " and ".join(f"'{name}'" for name in known)
        has = f"the split {names} alone" if len(known) == 1 else f"the splits {names}"
        raise UsageError(f"{task} has {has}, not '{split}'")


class BaseTask(ABC):
    """A task: data plus behaviour. What has no default is needed; each hook is described in one sentence.

    ``gold``, ``wrong`` and ``final_answer`` are methods of the tasks that have them, and None for all others.
    """

    __slots__ = ()

    name: str
    """What the task is called, in files and on the command line."""

    version: str
    """Changes whenever a verdict's meaning changes; scores of different versions are never mixed."""

    title: str
    """What the task is called in reports."""

    metrics: tuple[Metric, ...]
    """What is computed from the scores; the first is the headline."""

    max_tokens: int
    """The answer length that the task's rules assume."""

    needs: tuple[str, ...] = ()
    """What the scorer is lent: ``"judge"``, ``"sandbox"``, both or nothing."""

    forms: tuple[str, ...] = ()
    """The judge's forms that the scorer fills in; empty for any of them."""

    stand_in: str | None = None
    """The task whose own samples are used when no data file is given."""

    rubric: tuple[Criterion, ...] = ()
    """The criteria that the value is made of, if it is; rubric dropout leaves some of them out."""

    final_answer: Callable[[Completion], str | None] | None = None
    """Returns what two answers that mean the same have in common, None for none; votes and maj@k count by it."""

    gold: Callable[[Sample], Completion | None] | None = None
    """Returns a right answer, None if the sample has none; ``evalkit validate`` expects it to earn everything."""

    wrong: Callable[[Sample], Iterable[Completion]] | None = None
    """Yields answers that are nearly right; ``evalkit validate`` expects none of them to earn everything."""

    @abstractmethod
    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the task's own samples, the same ones in the same order for the same arguments."""

    @abstractmethod
    def read(self, path: Path) -> Iterable[Sample]:
        """Yield samples from a file in the task's published form; an `InputError` names file, line and field."""

    @abstractmethod
    def score(self, sample: Sample, completion: Completion, context: Context) -> Score | Awaitable[Score]:
        """Judge one completion, and never raise for anything a model can write."""

    def sources(self, path: Path) -> Sequence[Path]:
        """Return all files that ``read(path)`` reads."""
        return (path,)

    def gradings(self, sample: Sample) -> int:
        """Return how many gradings of a judge one answer to the sample takes."""
        return 1

    def by_rubric(self, score: Score, kept: Sequence[Criterion]) -> Score:
        """Return the score by some criteria of the ``rubric``."""
        return score

    def review(self, completion: Completion, score: Score) -> Iterable[Grading]:
        """Yield what judges graded of a scored answer, each thing that a person may grade instead."""
        return ()

    def settle(self, score: Score, verdict: HumanVerdict) -> Score:
        """Return the score in which a person's verdict stands, marked ``human``, with what the judges had said."""
        return score
