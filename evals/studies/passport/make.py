"""``evalkit judge passport`` as a Python call: open the models, say what it will take, measure, write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ....files import write_text
from ....judges.forms import LANGUAGES
from ....judges.spec import JudgeSpec
from ...judging.billing import Billing
from ...judging.opening import open_judge_models
from ...models.base import ModelOptions
from .labelled import CORRECT_FROM, read_labelled
from .measure import make_passport
from .page import as_markdown


def passport_of(
    judge: JudgeSpec | Sequence[str],
    output: Path,
    *,
    api_key: str | None = None,
    labelled: Path | None = None,
    form: str = "rating",
    correct_from: float = CORRECT_FROM,
    family: str | None = None,
    budget: str | None = None,
    timeout: float = 600.0,
    notify: Callable[[str], None] = lambda line: None,
    **judging: Any,
) -> str:
    """Measure the judge of one model string, or the jury of several; write its passport, and return it to read.

    ``judge`` and ``judging`` are read by `JudgeSpec.of`; the other arguments are those of `make_passport`, and the
    server's. Run it again after an interruption: nothing that was said is asked for again.

    Raises:
        UsageError, InputError: something given is wrong.
        ModelError, RunError: a model is unavailable, or the budget is spent; answers so far are saved.
    """
    spec = JudgeSpec.of(judge, **judging)
    known = read_labelled(labelled) if labelled is not None else None
    billing = Billing.open(budget)
    options = ModelOptions(api_key=api_key, timeout=timeout)

    async def run() -> str:
        async with open_judge_models(spec, options, billing.judge) as models:
            passport = await make_passport(
                models,
                output,
                judge=spec,
                languages=sorted(LANGUAGES, key=lambda language: language != spec.language),
                family=family,
                labelled=known,
                form=form,
                correct_from=correct_from,
                concurrency=min(64, max(model.concurrency for model in models)),
                prices=billing.judge_prices,
                notify=notify,
            )
        return as_markdown(passport)

    text = asyncio.run(run())
    write_text(output.with_suffix(".md"), text)
    notify(f"passport: {output}")
    return text
