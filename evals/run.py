"""``evalkit run`` as a Python call: plan, open the model, execute, summarise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..tasks.types import Usage
from .budget import Budget
from .cost import Ledger, Money, Price, Prices
from .manifest import finish_manifest, make_manifest, open_manifest
from .models.base import Model, ModelOptions
from .models.open import open_model
from .parquet import write_parquet
from .plan import PlannedTask, plan_tasks
from .progress import Tally, View, open_view
from .results import summarize
from .runner import execute
from .spec import RunSpec
from .store import RunStore, read_rows, write_json


def run(
    model: str,
    tasks: Sequence[str],
    *,
    output: Path | None = None,
    concurrency: int | None = None,
    api_key: str | None = None,
    timeout: float = 600.0,
    budget: str | None = None,
    notify: Callable[[str], None] = lambda line: None,
    show_progress: bool = False,
    **settings: Any,
) -> Path:
    """Score a model on tasks and return the run directory.

    Call it again with the same arguments after any interruption: it does what is left. Must not be called from
    inside a running event loop.

    Args:
        model: a model string (``embedded``, ``gguf:PATH``, ``openai:NAME``, …).
        tasks: task names or ``path/to/file.py:object``.
        output: the run directory; by default ``runs/`` and a name made from the settings.
        concurrency: requests in flight; by default what the model serves best.
        api_key: for servers that want one; never written anywhere.
        timeout: seconds that one request may take.
        budget: what the run may cost in all, attempts before this one included (``5usd``, ``500rub``); a request
            is sent only if its highest possible cost still fits.
        notify: receives the lines that a person should read.
        show_progress: draw progress on stderr.
        settings: the remaining fields of `RunSpec`: ``data``, ``limit``, ``epochs``, ``seed``, ``temperature``,
            ``top_p``, ``max_tokens``, ``base_url``.

    Raises:
        UsageError, InputError: something given is wrong; nothing was asked of the model.
        ModelError, RunError: the run stopped before its end; what was answered is saved.
    """
    spec = RunSpec.of(model=model, tasks=tuple(tasks), **settings)
    planned = plan_tasks(spec)
    for item in planned:
        if item.notice:
            notify(item.notice)
    directory = output or Path("runs") / spec.default_name()
    limit = Money.parse(budget) if budget is not None else None
    options = ModelOptions(base_url=spec.base_url, api_key=api_key, concurrency=concurrency, timeout=timeout)
    show = (lambda tally: open_view(spec.model, tally)) if show_progress else None
    with RunStore(directory) as store:
        total = sum(item.shard_size for item in planned) * spec.epochs
        if store.done:
            notify(f"{directory}: {len(store.done)} of {total} done before, going on")
        asyncio.run(_run(spec, planned, options, limit, store, directory, show))
    results = summarize(directory)
    write_json(directory / "results.json", results)
    write_parquet(directory)
    return directory


async def _run(
    spec: RunSpec,
    planned: list[PlannedTask],
    options: ModelOptions,
    limit: Money | None,
    store: RunStore,
    directory: Path,
    show: Callable[[Tally], View] | None,
) -> None:
    model: Model = await asyncio.to_thread(open_model, spec.model, options)
    try:
        address = model.identity.get("base_url")
        price = Prices.load().of_model(spec.model, [address] if address else [], on=date.today())
        manifest = open_manifest(directory, make_manifest(spec, model, planned, directory.name, price))
        if limit is not None:
            model = _within_budget(model, spec.model, limit, price, directory)
        arguments = {} if show is None else {"make_view": show}
        tally = await execute(
            spec,
            planned,
            model,
            store,
            concurrency=options.concurrency or model.concurrency,
            **arguments,
        )
    finally:
        await model.close()
    finish_manifest(directory, manifest)
    if len(store.done) == tally.total:
        store.drop_answers()


def _within_budget(model: Model, name: str, limit: Money, price: Price | None, directory: Path) -> Model:
    """Return the model with a purse that holds ``limit`` less what the run has cost so far."""
    spent = Ledger()
    for row in read_rows(directory):
        spent.add(Usage(**row["usage"]) if row["usage"] else None, price)
    purse = Budget(limit, spent=spent.amounts.get(limit.currency, Decimal(0)))
    return purse.pay_for(model, purse.check(name, price))
