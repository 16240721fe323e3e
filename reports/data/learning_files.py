"""Which directory is a training or a loop, and what lies in it; read while it is still being written, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...errors import InputError
from ...evals.records.training import MetricsRow, read_training


@dataclass(frozen=True, slots=True)
class Round:
    """One training with what came before and after it.

    Attributes:
        number: from 1; 1 for a training outside a loop.
        training: its directory, which may not exist yet.
        evaluation: the run of what came of it, None before there is one.
        verdict: ``verdict.json``, None before there is one.
        rows: of ``metrics.jsonl``.
        recipe: ``recipe.json``, empty before there is one.
        result: ``result.json``, None while the training goes on.
    """

    number: int
    training: Path
    evaluation: Path | None
    verdict: dict[str, Any] | None
    rows: Sequence[MetricsRow]
    recipe: dict[str, Any]
    result: dict[str, Any] | None


def is_learning(directory: Path) -> bool:
    """Tell whether a directory holds a training or a loop."""
    return is_loop(directory) or (directory / "recipe.json").is_file() or (directory / "metrics.jsonl").is_file()


def is_loop(directory: Path) -> bool:
    """Tell whether a directory holds a loop, which begins with a run in ``baseline``."""
    return (directory / "loop.json").is_file() or (directory / "baseline" / "manifest.json").is_file()


def read_rounds(directory: Path) -> list[Round]:
    """Read a loop's rounds in order, or a training as its only one.

    Raises:
        InputError: a file is damaged (names it).
    """
    if not is_loop(directory):
        return [_round(1, directory, None, None)]
    folders = sorted(folder for folder in directory.glob("round-*") if folder.name[6:].isdigit())
    return [
        _round(
            int(folder.name[6:]), folder / "training", run_in(folder / "evaluation"), _json(folder / "verdict.json")
        )
        for folder in folders
    ]


def run_in(directory: Path) -> Path | None:
    """Return the directory if a run has begun in it."""
    return directory if (directory / "manifest.json").is_file() else None


def _round(number: int, training: Path, evaluation: Path | None, verdict: dict[str, Any] | None) -> Round:
    return Round(
        number=number,
        training=training,
        evaluation=evaluation,
        verdict=verdict,
        rows=tuple(read_training(training, MetricsRow)),
        recipe=_json(training / "recipe.json") or {},
        result=_json(training / "result.json"),
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: not valid JSON ({error}); it is needed for the curves") from None
    return data
