"""Costs: dated prices with their sources, and ledgers of token usage.

Amounts are decimals in the currency of the price, never converted. An unknown cost is None, not 0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import InputError, UsageError
from ...tasks.types import Usage

OVERRIDE_VARIABLE: Final = "EVALKIT_PRICES"
REQUIRED_FIELDS: Final = "backend, models, currency, input, output, valid_from, source"

_PACKAGED = Path(__file__).parent / "prices.yaml"
_PRICED_TOKENS = 1_000_000
_OWN_HOSTS = {"openai": "api.openai.com"}
_MONEY = re.compile(r"(\d{1,15}(?:[.,]\d{1,9})?)\s*([A-Za-z]{3}|₽|руб|\$|€)\.?")
_SIGNS = {"₽": "RUB", "руб": "RUB", "$": "USD", "€": "EUR"}
_YANDEX_NAME = re.compile(r"(?:gpt://[^/]*/)?([^/@]+)")

Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read ``5usd``, ``500 RUB``, ``0,5 eur``, ``500₽``.

        Raises:
            UsageError: this is not an amount above zero in a currency.
        """
        found = _MONEY.fullmatch(text.strip())
        if found is None or not (amount := Decimal(found[1].replace(",", "."))):
            raise UsageError(
                f"'{text}' is not an amount of money: give a number above zero and a currency, as 5usd"
            )
        return cls(amount, _SIGNS.get(found[2], found[2].upper()))

    def __str__(self) -> str:
        return f"{self.amount:.6f}".rstrip("0").rstrip(".") + f" {self.currency}"


class Price(BaseModel):
    """The price of one model's tokens while it holds: amounts are per 1,000,000 tokens.

    Without ``cached_input`` cached prompt tokens are billed as any others, without ``reasoning`` thoughts are
    billed as output, without ``batch_factor`` the price of batch requests is unknown. Without ``host`` the price
    holds at any server. ``valid_to`` is the first day on which it holds no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    host: str | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    input: Amount
    output: Amount
    cached_input: Amount | None = None
    reasoning: Amount | None = None
    batch_factor: Amount | None = None
    valid_from: date
    valid_to: date | None = None
    source: Annotated[str, Field(min_length=1)]

    def holds(self, backend: str, model: str, host: str | None, on: date) -> bool:
        """Tell whether this is the price of that model, at that server, on that day."""
        return (
            backend == self.backend
            and model in self.models
            and self.host in (None, host)
            and self.valid_from <= on
            and (self.valid_to is None or on < self.valid_to)
        )

    def of_tokens(self, prompt: int, completion: int, *, cached: int = 0, reasoning: int = 0) -> Decimal:
        """Return a request's cost; ``cached`` tokens are part of ``prompt``, ``reasoning`` of ``completion``."""
        cached_input = self.input if self.cached_input is None else self.cached_input
        thought = self.output if self.reasoning is None else self.reasoning
        total = (
            max(prompt - cached, 0) * self.input
            + cached * cached_input
            + max(completion - reasoning, 0) * self.output
            + reasoning * thought
        )
        return total / _PRICED_TOKENS

    def of_usage(self, usage: Usage, *, cached: int = 0, reasoning: int = 0, batch: bool = False) -> Decimal | None:
        """Return the cost of what a server says it used; None where it does not say or the factor is unknown."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        whole = self.of_tokens(usage.prompt_tokens, usage.completion_tokens, cached=cached, reasoning=reasoning)
        if not batch:
            return whole
        return None if self.batch_factor is None else whole * self.batch_factor

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values; decimals are strings."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Prices:
    """Price lists: the first that knows a model decides, and in it the price that holds since the latest day."""

    lists: tuple[tuple[Price, ...], ...]

    @classmethod
    def load(cls) -> Prices:
        """Read the packaged prices and, before them, the file that ``EVALKIT_PRICES`` names.

        Raises:
            InputError: a file cannot be used (names file, entry and field).
        """
        own = os.environ.get(OVERRIDE_VARIABLE)
        return cls((*([read_prices(Path(own))] if own else []), _packaged_prices()))

    def find(self, backend: str, model: str, *, host: str | None = None, on: date) -> Price | None:
        """Return the price of a backend's model on a day, or None: it is unknown."""
        for prices in self.lists:
            holding = [price for price in prices if price.holds(backend, model, host, on)]
            if holding:
                return max(holding, key=lambda price: price.valid_from)
        return None

    def of_model(self, model: str, base_urls: Sequence[str] = (), *, on: date) -> Price | None:
        """Return the price of a model string (``openai:gpt-4.1``), or None: it is unknown.

        A provider's prices do not hold for another server that speaks its language, so ``base_urls`` matter; with
        several of different hosts the price is unknown.
        """
        backend, _, rest = model.partition(":")
        name = rest.partition(",")[0]
        if backend == "yandex" and (found := _YANDEX_NAME.match(name)):
            name = found[1]
        hosts = {urlsplit(url).hostname for url in base_urls} or {_OWN_HOSTS.get(backend)}
        prices = {self.find(backend, name, host=host, on=on) for host in hosts}
        return prices.pop() if len(prices) == 1 else None


def read_prices(path: Path) -> tuple[Price, ...]:
    """Read a price list (YAML; the packaged ``prices.yaml`` shows the form).

    Raises:
        InputError: the file cannot be read, or an entry of it is wrong (names file, entry and field).
    """
    import yaml

    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the price list cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list):
        raise InputError(
            f"{path}: a list of prices is expected, each with backend, models, currency, input, output"
        )
    return tuple(_price(path, number, entry) for number, entry in enumerate(entries, start=1))


def _price(path: Path, number: int, entry: Any) -> Price:
    try:
        return Price.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the entry"
        raise InputError(f"{path}: price {number}, {where}: {first['msg']}, got {first['input']!r}") from None


@cache
def _packaged_prices() -> tuple[Price, ...]:
    return read_prices(_PACKAGED)


@dataclass(slots=True)
class Ledger:
    """Usage and cost of the requests of one role."""

    requests: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, usage: Usage | None, price: Price | None, *, cached: int = 0, reasoning: int = 0) -> None:
        """Enter one request; its cost is unknown without a price, or where the server does not say what it used."""
        self.requests += 1
        usage = usage or Usage()
        self.prompt_tokens += usage.prompt_tokens or 0
        self.completion_tokens += usage.completion_tokens or 0
        cost = price.of_usage(usage, cached=cached, reasoning=reasoning) if price else None
        if price is None or cost is None:
            self.unpriced += 1
        else:
            self.amounts[price.currency] = self.amounts.get(price.currency, Decimal(0)) + cost

    def as_json(self) -> dict[str, Any]:
        """Return counts and amounts by currency.

        ``cost`` is None when the cost of any request is unknown; ``known_cost`` is the sum of the others.
        """
        known = {currency: float(amount) for currency, amount in sorted(self.amounts.items())}
        return {
            "requests": self.requests,
            "unpriced_requests": self.unpriced,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": None if self.unpriced else known,
            "known_cost": known,
        }
