"""``evalkit judge pairwise`` as a Python call: plan, open the judge, compare, write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...judging.billing import Billing
from ...judging.forecast import forecast_of_gradings
from ...judging.opening import VERDICTS, Judging, open_judging
from ...models.base import ModelOptions
from .battles import judge_pairs, plan_pairs


def compare_answers(
    runs: Sequence[Path],
    output: Path,
    *,
    judge: Sequence[str],
    baseline: Path | None = None,
    table: bool = False,
    base_url: str | None = None,
    api_key: str | None = None,
    language: str = "ru",
    rule: str = "majority",
    judge_options: Mapping[str, Any] | None = None,
    budget: str | None = None,
    timeout: float = 600.0,
    notify: Callable[[str], None] = lambda line: None,
) -> str:
    """Have a judge compare the answers of runs, pair by pair in both orders; return the result to read.

    Battles, verdicts and ratings are kept in ``output``: the same call goes on where it stopped.

    Raises:
        UsageError, InputError: the runs cannot be compared.
        ModelError, RunError: the judge is gone, or the budget is spent; what was said is saved.
    """
    plan = plan_pairs(runs, baseline=baseline, table=table)
    for line in plan.unfair:
        notify(f"unfair: {line}")
    output.mkdir(parents=True, exist_ok=True)
    billing = Billing.open(budget)
    judging = Judging(tuple(judge), base_url, language, rule, options=judge_options or {})
    options = ModelOptions(api_key=api_key, timeout=timeout)

    async def run() -> None:
        async with open_judging(judging, (), output / VERDICTS, options, billing.judge) as opened:
            assert opened is not None
            notify(forecast_of_gradings(opened, plan.gradings, billing.judge_prices))
            billing.count_spent(output, answers=False)
            await judge_pairs(plan, opened, output)

    asyncio.run(run())
    return (output / "pairwise.md").read_text(encoding="utf-8")
