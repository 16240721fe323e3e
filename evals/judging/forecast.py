"""Forecast of grading: number of judge calls, and cost where prices are known, before the first call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_UP, Decimal
from itertools import islice

from ...tasks.base import BaseTask
from ...tasks.types import Judge, Message, Sample
from ..costs.prices import Money, Price
from ..models.base import estimate_tokens
from ..records.plan import PlannedTask
from .canaries import canaries_of, canaries_wanted, is_judged

PlannedGrading = tuple[str, Mapping[str, str]]
"""The name of a form, and the values of its fields."""


def forecast_of(
    judge: Judge, planned: Sequence[PlannedTask], epochs: int, canaries: float, prices: Mapping[str, Price | None]
) -> str:
    """Return a line with the number of judge calls and their highest cost.

    Args:
        judge: one judge or a jury.
        planned: the tasks of the run.
        epochs: how often each sample is asked.
        canaries: their number, as a share of the answers.
        prices: by the names of the judge's models; if one is unknown, no cost is given.
    """
    gradings, tokens = [], 0
    for item in filter(is_judged, planned):
        wanted = canaries_wanted(item, share=canaries, epochs=epochs)
        graded = [(sample, epochs) for sample in item.samples()]
        graded += [(one.sample, 1) for one in islice(canaries_of(item, item.spec.seed), wanted)]
        form = _form_tokens(item.task)
        for sample, times in graded:
            gradings.append(item.task.gradings(sample) * times)
            tokens += gradings[-1] * (form + _shown_tokens(item.task, sample))
    return _said(judge, sum(gradings), tokens, prices)


def forecast_of_gradings(judge: Judge, asked: Iterable[PlannedGrading], prices: Mapping[str, Price | None]) -> str:
    """Return the same for gradings that are already planned; ``prices`` are by the names of the judge's models."""
    from ...judges.forms import LANGUAGES, load_form
    from ...judges.schemas import verdict_schema

    tokens = []
    for name, fields in asked:
        form = load_form(name, LANGUAGES[0])
        tokens.append(estimate_tokens(form.fill(fields, ""), verdict_schema(form, "")))
    return _said(judge, len(tokens), sum(tokens), prices)


def _said(judge: Judge, gradings: int, tokens: int, prices: Mapping[str, Price | None]) -> str:
    from ...judges.forecast import forecast

    calls = forecast(judge, [gradings])
    once = _cost(judge, gradings, tokens, prices, attempts=False)
    if not once:
        return str(calls)
    most = _cost(judge, gradings, tokens, prices, attempts=True)
    return f"{calls}; at most {_worded(once)}, {_worded(most)} with retries (answers of maximum length)"


def _form_tokens(task: BaseTask) -> int:
    from ...judges.forms import LANGUAGES, form_names, load_form
    from ...judges.schemas import verdict_schema

    # A Russian letter has two bytes: the estimate for Russian forms is the higher one.
    forms = (load_form(name, LANGUAGES[0]) for name in task.forms or form_names())
    return max(
        estimate_tokens((Message("system", form.system), Message("user", form.user)), verdict_schema(form, ""))
        for form in forms
    )


def _shown_tokens(task: BaseTask, sample: Sample) -> int:
    """Return the tokens of questions, references and the longest answers, all turns in one prompt."""
    asked = [Message("user", turn) for turn in sample.turns] or sample.messages
    answers = task.max_tokens * max(1, len(sample.turns))
    return estimate_tokens((*asked, Message("user", str(sample.target)))) + answers


def _cost(
    judge: Judge, gradings: int, tokens: int, prices: Mapping[str, Price | None], *, attempts: bool
) -> dict[str, Decimal]:
    """Return what it costs by currency; nothing where a price is unknown."""
    amounts: dict[str, Decimal] = {}
    for member in _members(judge):
        price, settings = prices.get(member.name), member.settings
        if price is None or settings is None:
            return {}
        cost = price.of_tokens(tokens, gradings * settings.max_tokens) * (settings.attempts if attempts else 1)
        amounts[price.currency] = amounts.get(price.currency, Decimal(0)) + cost
    return amounts


def _members(judge: Judge) -> Iterator[Judge]:
    if not judge.members:
        yield judge
    for member in judge.members:
        yield from _members(member)


def _worded(amounts: Mapping[str, Decimal]) -> str:
    rounded = {currency: amount.quantize(Decimal("0.01"), ROUND_UP) for currency, amount in amounts.items()}
    return " + ".join(str(Money(amount, currency)) for currency, amount in rounded.items())
