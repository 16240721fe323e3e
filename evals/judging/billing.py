"""Billing of a run: the prices of its models, and the budget that they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from ..costs.budget import Budget
from ..costs.prices import Money, Price, Prices
from ..models.base import Model
from ..records.rows import read_rows
from .opening import ledger_of


@dataclass(slots=True)
class Billing:
    """The prices of the subject and of the judges (by the names of their models), and what they are paid from."""

    prices: Prices
    budget: Budget | None
    price: Price | None = None
    judge_prices: dict[str, Price | None] = field(default_factory=dict)

    @classmethod
    def open(cls, budget: str | None) -> Billing:
        """Read the price lists, and a budget such as ``5usd``.

        Raises:
            UsageError: the budget cannot be read.
            InputError: a price list cannot be.
        """
        return cls(Prices.load(), None if budget is None else Budget(Money.parse(budget)))

    def subject(self, model: Model, name: str) -> Model:
        """Return the model that is measured, its requests paid from the budget; ``name`` is its model string.

        Raises:
            UsageError: there is a budget, and the price is unknown or in another currency.
        """
        self.price = self._price_of(model, name)
        return self._paid(model, name, self.price)

    def judge(self, model: Model, name: str) -> Model:
        """Do the same for a model that judges."""
        self.judge_prices[model.name] = price = self._price_of(model, name)
        return self._paid(model, name, price)

    def count_spent(self, directory: Path, *, answers: bool = True) -> None:
        """Charge the budget with what the judges of a run, and its ``answers``, have cost so far."""
        if self.budget is None:
            return
        ledger = ledger_of(directory, self.judge_prices)
        for row in read_rows(directory) if answers else ():
            ledger.add(row.usage, self.price)
        self.budget.spent = ledger.amounts.get(self.budget.limit.currency, Decimal(0))

    def _price_of(self, model: Model, name: str) -> Price | None:
        address = model.identity.get("base_url")
        return self.prices.of_model(name, address.split(",") if address else [], on=date.today())

    def _paid(self, model: Model, name: str, price: Price | None) -> Model:
        return model if self.budget is None else self.budget.pay_for(model, self.budget.check(name, price))
