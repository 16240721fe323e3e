"""A budget that cannot be exceeded: the highest cost of a request is reserved before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...errors import RunError, UsageError
from ...tasks.types import Completion, Message
from ..models.base import Model, Sampling, estimate_tokens
from .prices import OVERRIDE_VARIABLE, REQUIRED_FIELDS, Money, Price


class Budget:
    """A limit on spending that several models may share; all prices must be in its currency.

    ``spent`` starts at what earlier parts of the same run cost. The limit is kept to within the error of the prompt
    estimates of the requests in flight.
    """

    def __init__(self, limit: Money, *, spent: Decimal = Decimal(0)) -> None:
        self.limit = limit
        self.spent = spent
        self.reserved = Decimal(0)
        self._settled = asyncio.Event()

    def check(self, model: str, price: Price | None) -> Price:
        """Return the price of a model (named by its model string) if this budget can pay it.

        Raises:
            UsageError: the price is unknown or in another currency.
        """
        if price is None:
            raise UsageError(
                f"--budget needs the price of {model}, which is unknown: write it to a YAML list"
                f" ({REQUIRED_FIELDS}) and name the file in {OVERRIDE_VARIABLE}"
            )
        if price.currency != self.limit.currency:
            raise UsageError(
                f"--budget is in {self.limit.currency} and {model} is priced in {price.currency}:"
                f" give the budget in {price.currency} (currencies are not converted)"
            )
        return price

    def pay_for(self, model: Model, price: Price) -> Model:
        """Return a model whose requests are paid from this budget; the price is one that `check` accepted."""
        return _PaidModel(model, price, self)

    async def reserve(self, amount: Decimal) -> None:
        """Reserve an amount, waiting while requests in flight may still cost less than reserved.

        Raises:
            RunError: it exceeds what is left of the budget.
        """
        while self.spent + self.reserved + amount > self.limit.amount:
            if not self.reserved:
                currency = self.limit.currency
                raise RunError(
                    f"the budget of {self.limit} is reached: {Money(self.spent, currency)} spent, and the next"
                    f" request may cost {Money(amount, currency)}; all answers are saved: run the same command"
                    f" with a larger --budget to continue"
                )
            await self._settled.wait()
        self.reserved += amount

    def settle(self, reserved: Decimal, cost: Decimal | None) -> None:
        """Replace a reservation by what the request cost; None (unknown) costs what was reserved."""
        self.reserved -= reserved
        self.spent += reserved if cost is None else cost
        # Wake all waiters; later ones wait for the next settlement.
        self._settled.set()
        self._settled = asyncio.Event()


class _PaidModel:
    """A model that reserves before it asks. A request that fails may have been billed: it costs its reservation."""

    def __init__(self, model: Model, price: Price, budget: Budget) -> None:
        self.name: str = model.name
        self.identity: Mapping[str, Any] = model.identity
        self.concurrency: int = model.concurrency
        self._model = model
        self._price = price
        self._budget = budget

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        reserved = self._price.of_tokens(estimate_tokens(messages, sampling.schema), sampling.max_tokens)
        await self._budget.reserve(reserved)
        cost = None
        try:
            completion = await self._model.generate(messages, sampling)
            cost = self._price.of_usage(completion.usage)
        finally:
            self._budget.settle(reserved, cost)
        return completion

    async def close(self) -> None:
        await self._model.close()
