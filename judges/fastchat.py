"""FastChat's averages, reproduced exactly from its judgement files or from the same judge replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tasks.records import Record, read_records
from .parsing import parse_verdict

NO_RATING = -1
"""FastChat's score for an unreadable verdict; such rows are left out of its averages."""


@dataclass(frozen=True, slots=True)
class Averages:
    """The averages that FastChat's ``show_result`` prints for a model, and the number of judgements used.

    ``average`` is the mean over all rated turns, so it differs from the mean of the two turns' means when unequal
    numbers of verdicts were readable.
    """

    turn_1: float | None
    turn_2: float | None
    average: float | None
    rated: int
    judgements: int


def read_judgements(path: Path) -> Iterator[Record]:
    """Yield the rows of a FastChat judgement file (``model_judgment/*_single.jsonl``).

    Raises:
        InputError: the file cannot be read, or a line is not a judgement (names file, line and field).
    """
    for row in read_records(path):
        for name in ("model", "turn"):
            if name not in row:
                raise row.error(f"field '{name}' is missing; expected a FastChat judgement file")
        if "score" not in row and "judgment" not in row:
            raise row.error("both 'score' and 'judgment' (the judge's reply) are missing")
        yield row


def fastchat_averages(rows: Iterable[Mapping[str, Any]]) -> dict[str, Averages]:
    """Return FastChat's averages by model.

    A row is ``{"model", "turn", "score"}``, or has the judge's reply as ``judgment`` instead of the score, which
    is then parsed by FastChat's rules. As in FastChat, a duplicate row counts twice.
    """
    import pandas as pd

    table = pd.DataFrame(map(_judgement, rows), columns=["model", "turn", "score"])
    rated = table[table["score"] != NO_RATING]
    # Computed by pandas, as in FastChat: other summation orders differ in the last digit.
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


def _judgement(row: Mapping[str, Any]) -> tuple[str, int, float]:
    match row:
        case {"model": model, "turn": turn, "score": score}:
            return model, int(turn), float(score)
        case {"model": model, "turn": turn, "judgment": reply}:
            value = parse_verdict(reply, kind="rating", compat="fastchat").value
            return model, int(turn), NO_RATING if value is None else float(value)
    raise ValueError("a judgement has 'model', 'turn', and 'score' or 'judgment'")
