"""The English families of reasoning-gym as tasks ``reasoning_gym:<name>``, checked exactly.

Its own scorers are not called. The one most families share pays for an answer that merely contains the right one,
and several parse the model's text with sympy, which evaluates it. So only families with a single right answer
are opened, and an answer is that one or wrong.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from ...errors import MissingExtraError, UsageError, nearest
from ..base import BaseTask, check_split
from ..text.answers import plain, unwrapped
from ..types import Completion, Context, Metric, Sample, Score, Status, answer_status, mean_value
from .answers import final_answer
from .puzzle import SPLITS

DEFAULT_COUNT = 200
"""How many problems a run has when no limit is given."""

# Its generators add a problem's number to the seed: seeds this far apart have no problem in common.
_SEED_STEP: Final = 1_000_000

_LAST_LINE: Final = "End with a separate line “Answer: …” that has nothing but the answer."

# These score by rules of their own, but have a single right answer too.
_SINGLE_ANSWER: Final = frozenset(
    (
        *("calendar_arithmetic", "chain_sum", "circuit_logic", "color_cube_rotation", "family_relationships"),
        *("mini_sudoku", "needle_haystack", "products", "rectangle_count", "self_reference", "spell_backward"),
        *("sudoku", "word_sorting", "zebra_puzzles"),
    )
)

# Their problems depend on the order of Python's sets, which is another one in each process.
_UNSTABLE: Final = frozenset({"isomorphic_strings", "ransom_note"})


@dataclass(frozen=True, slots=True)
class ReasoningGym(BaseTask):
    """One family of reasoning-gym; the splits differ only by seed, as the package has no splits."""

    family: str
    version: str = "1"
    max_tokens: int = 4096
    metrics: tuple[Metric, ...] = (mean_value("accuracy", "Right answers"),)
    name: str = field(init=False)
    title: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"reasoning_gym:{self.family}")
        object.__setattr__(self, "title", f"reasoning-gym, {self.family.replace('_', ' ')}")

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the first ``limit`` problems (200 without a limit) of the seed.

        Raises:
            UsageError: there is no such split.
        """
        check_split(self.name, split, SPLITS)
        limit = DEFAULT_COUNT if limit is None else limit
        return islice(self._problems(split, limit, seed), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Refuse: its problems are generated and have no file form.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.name} generates its problems; it reads no file ({path})")

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Judge one answer: 1 when the last «Answer: …» is the right one up to white space and letter case.

        ``parts`` are ``{"correct", "extracted", "gold"}``.
        """
        gold = str(sample.target)
        given = final_answer(completion.text, paragraph="\n" in gold)
        right = bool(given) and plain(given) == plain(unwrapped(gold))
        status = answer_status(completion, Status.OK if given else Status.MISSING, decided=right)
        parts = {"correct": right, "extracted": given or None, "gold": gold}
        return Score(float(right), status, parts)

    def final_answer(self, completion: Completion) -> str | None:
        """Return the answer as it is compared, its first line where it has several; None when there is none."""
        return plain(final_answer(completion.text)) or None

    def gold(self, sample: Sample) -> Completion:
        """Return the right answer in the form asked for."""
        return Completion(f"Answer: {sample.target}")

    def _problems(self, split: str, limit: int, seed: int) -> Iterator[Sample]:
        gym = _gym()
        first = (2 * seed + (split == "test")) * _SEED_STEP
        # Some answers are empty or consist of quotes only; such problems are skipped.
        problems = gym.create_dataset(self.family, seed=first, size=2 * limit + 20)
        for index in count():
            # One of its generators prints while it works.
            with redirect_stdout(StringIO()):
                problem = problems[index]
            gold = str(problem["answer"]).strip()
            if plain(unwrapped(gold)):
                prompt = f"{problem['question'].strip()}\n\n{_LAST_LINE}"
                yield Sample.ask(f"{split}-{seed}-{index}", prompt, target=gold)


def open_reasoning_gym(family: str) -> ReasoningGym:
    """Return the task of a reasoning-gym family (the part of the task's name after ``reasoning_gym:``).

    Raises:
        UsageError: there is no such family, or its answers cannot be checked exactly.
        MissingExtraError: reasoning-gym is not installed.
    """
    _gym()
    known = importlib.import_module("reasoning_gym.factory").DATASETS
    if family not in known:
        raise UsageError(f"reasoning-gym has no family '{family}'.{nearest(family, known)}")
    if family not in checkable():
        raise UsageError(
            f"reasoning_gym:{family} cannot be checked exactly: it has several right answers, or its problems "
            f"change from run to run. Known: {', '.join(checkable())}."
        )
    return ReasoningGym(family)


def checkable() -> list[str]:
    """Return the families whose problems have a single right answer, sorted.

    Raises:
        MissingExtraError: reasoning-gym is not installed.
    """
    _gym()
    known = importlib.import_module("reasoning_gym.factory").DATASETS
    shared = importlib.import_module("reasoning_gym.dataset").ProceduralDataset.score_answer
    single = {name for name, (dataset, _) in known.items() if dataset.score_answer is shared}
    return sorted((single | _SINGLE_ANSWER & known.keys()) - _UNSTABLE)


def _gym() -> Any:
    try:
        return importlib.import_module("reasoning_gym")
    except ImportError:
        raise MissingExtraError("reasoning-gym") from None
