"""The task: generated puzzles of all families, the same ones for the same arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

from ...errors import UsageError, nearest
from ..base import BaseTask, check_split
from ..random import Dice
from ..records import Record, read_records
from ..text.answers import plain
from ..types import Completion, Context, Metric, Sample, Score, answer_status, mean_value
from .answers import Answer, Form, check_answer, final_answer
from .families import FAMILIES
from .mutations import mutations
from .puzzle import DIFFICULTIES, SPLITS, Puzzle, Split

DEFAULT_COUNT = 200
"""How many puzzles a run has when no limit is given."""


def draw(
    split: Split,
    seed: int,
    index: int,
    families: Sequence[str] = tuple(FAMILIES),
    difficulties: Sequence[int] = DIFFICULTIES,
) -> tuple[str, int, Puzzle]:
    """Return puzzle number ``index`` (from 0) of a seed, with its family and difficulty.

    Families take turns; each goes through the difficulties.
    """
    family = families[index % len(families)]
    difficulty = difficulties[index // len(families) % len(difficulties)]
    dice = Dice(f"logic:{split}:{seed}:{index}")
    return family, difficulty, FAMILIES[family].generate(dice, difficulty, split)


# A run reads its samples several times: to plan, to ask, to score.
@lru_cache(maxsize=4096)
def _sample(
    split: Split, seed: int, index: int, families: tuple[str, ...], difficulties: tuple[int, ...]
) -> Sample:
    family, difficulty, puzzle = draw(split, seed, index, families, difficulties)
    return Sample.ask(
        f"{split}-{seed}-{index}",
        puzzle.text,
        target=puzzle.answer.as_json(),
        family=family,
        difficulty=difficulty,
        options=list(puzzle.options),
    )


def score_answer(sample: Sample, completion: Completion) -> Score:
    """Judge an answer: 1 when the last «Ответ: …» is exactly the solution, 0 otherwise.

    ``parts`` are ``{"correct", "extracted", "gold", "family", "difficulty"}``.
    """
    answer = Answer.from_json(sample.target)
    verdict = check_answer(answer, completion.text)
    status = answer_status(completion, verdict.status, decided=verdict.right)
    parts = {
        "correct": verdict.right,
        "extracted": verdict.extracted,
        "gold": str(answer),
        "family": str(sample.metadata.get("family", "")),
        "difficulty": sample.metadata.get("difficulty"),
    }
    given = "ответа нет" if verdict.extracted is None else f"ответ «{verdict.extracted}»"
    return Score(float(verdict.right), status, parts, f"{given}, верно: «{answer}»")


def _labels(score: Score) -> dict[str, str]:
    return {name: str(score.parts[name]) for name in ("family", "difficulty")}


@dataclass(frozen=True, slots=True)
class Logic(BaseTask):
    """Puzzles in Russian, each with exactly one solution, of the families and difficulties (1 to 5) named."""

    name: str = "logic"
    families: tuple[str, ...] = tuple(FAMILIES)
    difficulties: tuple[int, ...] = tuple(DIFFICULTIES)
    version: str = "1"
    title: str = "Logic puzzles"
    # A 9×9 sudoku is reasoned through cell by cell.
    max_tokens: int = 4096
    metrics: tuple[Metric, ...] = (mean_value("accuracy", "Puzzles solved", _labels),)

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the first ``limit`` puzzles (200 without a limit) of the seed, each made when it is reached.

        The splits share no names, themes, numbers or grids. A longer run begins with a shorter one.

        Raises:
            UsageError: there is no such split.
        """
        check_split(self.name, split, SPLITS)
        count = DEFAULT_COUNT if limit is None else limit
        return (_sample(split, seed, index, self.families, self.difficulties) for index in range(count))

    def read(self, path: Path) -> Iterable[Sample]:
        """Return a file's puzzles: ``{"id", "prompt", "answer", "family"?, "difficulty"?, "options"?}`` a line.

        ``answer`` is ``{"form", "value", "aliases"?, "ignored"?}``, as a sample's ``target``; see `answers.Answer`.

        Raises:
            InputError: a line cannot be used (names file, line and field).
        """
        return map(_read, read_records(path))

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Judge one answer; see `score_answer` for the parts."""
        return score_answer(sample, completion)

    def final_answer(self, completion: Completion) -> str | None:
        """Return the answer as it is compared, but with a list in the order given; None when there is none."""
        return plain(final_answer(completion.text)) or None

    def gold(self, sample: Sample) -> Completion:
        """Return the solution in the form asked for."""
        return Completion(f"Ответ: {Answer.from_json(sample.target)}")

    def wrong(self, sample: Sample) -> Iterable[Completion]:
        """Yield twenty answers that are nearly right."""
        answer = Answer.from_json(sample.target)
        for text in mutations(answer, sample.metadata.get("options", ())):
            yield Completion(f"Ответ: {text}")


def _read(record: Record) -> Sample:
    id, prompt = str(record.key("id")), str(record.key("prompt"))
    answer = replace(record, data=record.field("answer", dict, "an object with 'form' and 'value'"))
    answer.choice("form", get_args(Form))
    answer.texts("value")
    labels = {name: record[name] for name in ("family", "difficulty", "options") if name in record}
    return Sample.ask(id, prompt, target=Answer.from_json(answer).as_json(), **labels)


logic = Logic()


def open_logic(rest: str) -> Logic:
    """Return the task ``logic:FAMILY`` or ``logic:FAMILY:DIFFICULTY``; all of them for an empty ``rest``.

    Raises:
        UsageError: there is no such family or difficulty.
    """
    if not rest:
        return logic
    family, _, difficulty = rest.partition(":")
    if family not in FAMILIES:
        raise UsageError(f"logic has no family '{family}'.{nearest(family, FAMILIES)}")
    known = [str(level) for level in DIFFICULTIES]
    if difficulty and difficulty not in known:
        raise UsageError(f"logic:{rest}: difficulties go from {known[0]} to {known[-1]}, not '{difficulty}'")
    levels = (int(difficulty),) if difficulty else tuple(DIFFICULTIES)
    return Logic(f"logic:{rest}", (family,), levels, title=f"Logic puzzles, {rest.replace(':', ' ')}")
