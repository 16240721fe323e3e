"""``evalkit judge pairwise`` as a Python call: plan, open the judge, compare, write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ....judges.spec import JudgeSpec
from ...judging.billing import Billing
from ...judging.forecast import forecast_of_gradings
from ...judging.opening import VERDICTS, open_judging
from ...models.base import ModelOptions
from .battles import judge_pairs, plan_pairs


def compare_answers(
    runs: Sequence[Path],
    output: Path,
    *,
    judge: JudgeSpec | Sequence[str],
    baseline: Path | None = None,
    table: bool = False,
    api_key: str | None = None,
    budget: str | None = None,
    timeout: float = 600.0,
    notify: Callable[[str], None] = lambda line: None,
    **judging: Any,
) -> str:
    """Have a judge compare the answers of runs, pair by pair in both orders; return the result to read.

    Battles, verdicts and ratings are kept in ``output``: the same call resumes where it stopped. ``judge`` and
    ``judging`` are read by `JudgeSpec.of`; the rule of a jury is the majority, unless they say another.

    Raises:
        UsageError, InputError: the runs cannot be compared.
        ModelError, RunError: the judge is unavailable, or the budget is spent; verdicts so far are saved.
    """
    usual = {} if isinstance(judge, JudgeSpec) else {"rule": "majority"}
    spec = JudgeSpec.of(judge, **{**usual, **judging})
    plan = plan_pairs(runs, baseline=baseline, table=table)
    for line in plan.unfair:
        notify(f"unfair: {line}")
    output.mkdir(parents=True, exist_ok=True)
    billing = Billing.open(budget)
    options = ModelOptions(api_key=api_key, timeout=timeout)

    async def run() -> None:
        async with open_judging(spec, (), output / VERDICTS, options, billing.judge) as opened:
            assert opened is not None
            notify(forecast_of_gradings(opened, plan.gradings, billing.judge_prices))
            billing.count_spent(output, answers=False)
            await judge_pairs(plan, opened, output)

    asyncio.run(run())
    return (output / "pairwise.md").read_text(encoding="utf-8")
