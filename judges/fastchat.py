"""FastChat's averages from FastChat's judgement files, or from the same verdict texts, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tasks.records import Record, read_records
from .parsing import parse_verdict

NO_RATING = -1
"""What FastChat writes for a verdict that it could not read; such rows are left out of its averages."""


@dataclass(frozen=True, slots=True)
class Averages:
    """What FastChat's ``show_result`` prints for a model, and on how many of the judgements.

    ``average`` is the plain mean over all turns that were rated, so it is not the mean of the two turns' means when
    more verdicts of one turn were lost.
    """

    turn_1: float | None
    turn_2: float | None
    average: float | None
    rated: int
    judgements: int


def read_judgements(path: Path) -> Iterator[Record]:
    """Yield the rows of a judgement file of FastChat (``model_judgment/*_single.jsonl``).

    Raises:
        InputError: the file cannot be read, or a line is not such a row (names file, line and field).
    """
    for row in read_records(path):
        for name in ("model", "turn"):
            if name not in row:
                raise row.error(f"field '{name}' is missing; a judgement file of FastChat is expected")
        if "score" not in row and "judgment" not in row:
            raise row.error("neither 'score' nor 'judgment' (the judge's words) is there")
        yield row


def fastchat_averages(rows: Iterable[Mapping[str, Any]]) -> dict[str, Averages]:
    """Return FastChat's averages by model.

    A row is ``{"model", "turn", "score"}``, or has the judge's words as ``judgment`` instead of the score, which
    are then read by FastChat's rules. As in FastChat, a row that is there twice counts twice.
    """
    import pandas as pd

    table = pd.DataFrame(
        [(row["model"], int(row["turn"]), _score(row)) for row in rows], columns=["model", "turn", "score"]
    )
    rated = table[table["score"] != NO_RATING]
    # The sums are pandas' own: other ways to add differ in the last digit.
    by_turn = rated.groupby(["model", "turn"])["score"].mean().to_dict()
    average = rated.groupby("model")["score"].mean().to_dict()
    return {
        model: Averages(
            turn_1=by_turn.get((model, 1)),
            turn_2=by_turn.get((model, 2)),
            average=average.get(model),
            rated=int((rated["model"] == model).sum()),
            judgements=int((table["model"] == model).sum()),
        )
        for model in sorted(table["model"].unique())
    }


def _score(row: Mapping[str, Any]) -> float:
    if "score" in row:
        return float(row["score"])
    value = parse_verdict(row["judgment"], kind="rating", compat="fastchat").value
    return NO_RATING if value is None else float(value)
