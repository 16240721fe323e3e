"""What the answers of a leaderboard took, and what a score costs; what nobody knows is None, and never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def effort(of_run: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what one run of a task took: tokens, money by currency, seconds."""
    of_run = of_run or {}
    usage, cost = of_run.get("usage") or {}, of_run.get("cost") or {}
    answered, seconds = of_run.get("answered") or 0, of_run.get("seconds") or 0.0
    written = usage.get("completion_tokens") or None
    return {
        "samples": of_run.get("samples"),
        "scored": of_run.get("scored"),
        "coverage": of_run.get("coverage"),
        "prompt_tokens": usage.get("prompt_tokens") or None,
        "completion_tokens": written,
        "tokens_an_answer": written / answered if written and answered else None,
        "cost": cost.get("cost"),
        "known_cost": cost.get("known_cost") or {},
        "seconds_an_answer": seconds / answered if seconds and answered else None,
        "tokens_a_second": written / seconds if written and seconds else None,
    }


def cost_plot(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return points of (cost, score): money where two models have a known cost in one currency, else answer tokens.

    A point is ``best`` when no other costs as little and is as good.
    """
    currencies = Counter(currency for row in rows if row["cost"] for currency in row["cost"])
    currency, times = max(currencies.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    currency = currency if times > 1 else ""
    found = [
        (
            row,
            row["cost"].get(currency)
            if currency and row["cost"]
            else None
            if currency
            else row["tokens_an_answer"],
        )
        for row in rows
        if row["value"] is not None
    ]
    known = [(row, float(x)) for row, x in found if x is not None]
    points = [
        {
            "entry": row["entry"],
            "run": row["run"],
            "x": x,
            "y": row["value"],
            "best": not any(
                (other < x and one["value"] >= row["value"]) or (other <= x and one["value"] > row["value"])
                for one, other in known
            ),
        }
        for row, x in known
    ]
    unknown = [row["entry"] for row, x in found if x is None]
    return {"x": "cost" if currency else "tokens", "currency": currency, "points": points, "unknown": unknown}
