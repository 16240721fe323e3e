"""Tokens, cost and time behind the scores of a leaderboard; unknown values are None, never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Effort:
    """Tokens, cost by currency and seconds of one task in a run."""

    samples: int | None = None
    scored: int | None = None
    coverage: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    tokens_an_answer: float | None = None
    cost: Mapping[str, float] | None = None
    known_cost: Mapping[str, float] = field(default_factory=dict)
    seconds_an_answer: float | None = None
    tokens_a_second: float | None = None

    @classmethod
    def of(cls, of_run: Mapping[str, Any]) -> Effort:
        """Read the effort from a task's entry in the report's table; what is missing there is unknown."""
        usage, cost = of_run.get("usage") or {}, of_run.get("cost") or {}
        answered, seconds = of_run.get("answered") or 0, of_run.get("seconds") or 0.0
        written = usage.get("completion_tokens") or None
        return cls(
            samples=of_run.get("samples"),
            scored=of_run.get("scored"),
            coverage=of_run.get("coverage"),
            prompt_tokens=usage.get("prompt_tokens") or None,
            completion_tokens=written,
            tokens_an_answer=written / answered if written and answered else None,
            cost=cost.get("cost"),
            known_cost=cost.get("known_cost") or {},
            seconds_an_answer=seconds / answered if seconds and answered else None,
            tokens_a_second=written / seconds if written and seconds else None,
        )


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A row of a board: run, score with interval, rank, effort, judge."""

    entry: int
    run: int
    value: float | None
    low: float | None
    high: float | None
    rank: Mapping[str, Any]
    effort: Effort
    judge: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, those of the rank and of the effort among them."""
        own = {name: getattr(self, name) for name in ("entry", "run", "value", "low", "high")}
        return {**own, **self.rank, **asdict(self.effort), "judge": self.judge}


def cost_plot(rows: Sequence[BoardRow]) -> dict[str, Any]:
    """Return points of (cost, score): cost if two models have one in the same currency, else answer tokens.

    ``best`` marks the points of the Pareto front.
    """
    currencies = Counter(currency for row in rows for currency in row.effort.cost or ())
    currency, times = max(currencies.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    currency = currency if times > 1 else ""

    def cost(row: BoardRow) -> float | None:
        return (row.effort.cost or {}).get(currency) if currency else row.effort.tokens_an_answer

    scored = [(row, row.value, cost(row)) for row in rows if row.value is not None]
    known = [(row, value, float(x)) for row, value, x in scored if x is not None]
    points = [
        {
            "entry": row.entry,
            "run": row.run,
            "x": x,
            "y": value,
            "best": not any(
                (other < x and theirs >= value) or (other <= x and theirs > value) for _, theirs, other in known
            ),
        }
        for row, value, x in known
    ]
    unknown = [row.entry for row, _, x in scored if x is None]
    return {"x": "cost" if currency else "tokens", "currency": currency, "points": points, "unknown": unknown}
