"""The base class of tasks: every attribute and hook that the harness uses, with its default.

A plugin need not derive from `BaseTask`: `registry.open_task` adds the missing defaults (see `adapter`).
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
"""Why a verdict needs human review: the judges disagree too much, or a check by code contradicts them."""


@dataclass(frozen=True, slots=True)
class Grading:
    """One item that a judge grades in an answer, in the form shown to a human reviewer.

    Attributes:
        text: the graded text: the answer, or one of its turns.
        scale: the lowest and the highest verdict, whole numbers.
        verdict: the verdict on that scale, of the judges or, once reviewed, of the reviewer; None if unusable.
        status: the status of the verdict.
        turn: number of the turn, from 1; None if the answer is graded as a whole.
        doubt: why an existing verdict needs review; None if it does not.
        judged: the details of the judgement: ``words``, or the ``members`` of a jury; empty if no judge was called.
        human: whether a reviewer has already given a verdict.
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
    """A reviewer's verdict on a `Grading`: ``value`` on its scale, the reviewer's name (``by``), and a comment."""

    value: int
    turn: int | None = None
    by: str = ""
    comment: str = ""

    def as_json(self, machine: float | None) -> dict[str, Any]:
        """Return ``{"verdict", "by", "comment", "machine"}``, the entry that marks a part as reviewed.

        ``machine`` is the judges' original verdict.
        """
        return {"verdict": self.value, "by": self.by, "comment": self.comment, "machine": machine}


def check_split(task: str, split: str, known: Sequence[str] = ("test",)) -> None:
    """Check that a task has a split.

    Raises:
        UsageError: the split is not one of the ``known`` ones.
    """
    if split not in known:
        names = " and ".join(f"'{name}'" for name in known)
        has = f"only the split {names}" if len(known) == 1 else f"the splits {names}"
        raise UsageError(f"{task} has {has}, not '{split}'")


class BaseTask(ABC):
    """A task: data plus behaviour. Attributes without a default and abstract methods are required.

    ``gold``, ``wrong`` and ``final_answer`` are optional methods; None where a task does not define them.
    """

    __slots__ = ()

    name: str
    """The task's name in files and on the command line."""

    version: str
    """Changes whenever scoring changes; scores of different versions are never mixed."""

    title: str
    """The task's name in reports."""

    metrics: tuple[Metric, ...]
    """The metrics computed from the scores; the first is the headline metric."""

    max_tokens: int
    """The answer length that the task's rules assume."""

    needs: tuple[str, ...] = ()
    """The resources that the scorer requires: ``"judge"``, ``"sandbox"``, both or none."""

    forms: tuple[str, ...] = ()
    """The judge forms that the scorer uses; empty if it may use any."""

    stand_in: str | None = None
    """The task whose own samples are used when no data file is given."""

    rubric: tuple[Criterion, ...] = ()
    """The criteria that the value is computed from, if any; rubric dropout leaves some of them out."""

    final_answer: Callable[[Completion], str | None] | None = None
    """Returns the normalised final answer, None if there is none; majority votes and maj@k compare by it."""

    gold: Callable[[Sample], Completion | None] | None = None
    """Returns a correct answer, None if the sample has none; ``evalkit validate`` expects it to get full score."""

    wrong: Callable[[Sample], Iterable[Completion]] | None = None
    """Yields almost correct answers; ``evalkit validate`` expects none of them to get full score."""

    @abstractmethod
    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the task's own samples, the same ones in the same order for the same arguments."""

    @abstractmethod
    def read(self, path: Path) -> Iterable[Sample]:
        """Yield samples from a file in the task's published form; an `InputError` names file, line and field."""

    @abstractmethod
    def score(self, sample: Sample, completion: Completion, context: Context) -> Score | Awaitable[Score]:
        """Score one completion; must not raise for any text that a model can produce."""

    def sources(self, path: Path) -> Sequence[Path]:
        """Return all files that ``read(path)`` reads."""
        return (path,)

    def gradings(self, sample: Sample) -> int:
        """Return how many judge gradings one answer to the sample takes."""
        return 1

    def by_rubric(self, score: Score, kept: Sequence[Criterion]) -> Score:
        """Return the score recomputed from a subset of the ``rubric``."""
        return score

    def review(self, completion: Completion, score: Score) -> Iterable[Grading]:
        """Yield the judge gradings of a scored answer that a human may review."""
        return ()

    def settle(self, score: Score, verdict: HumanVerdict) -> Score:
        """Return the score with a reviewer's verdict applied, marked ``human``, keeping the judges' verdict."""
        return score
