"""Prices, ledgers, and a budget that is never overrun."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import evalkit
import pytest
from evalkit.errors import InputError, ModelError, RunError, UsageError
from evalkit.evals.costs.budget import Budget
from evalkit.evals.costs.prices import Ledger, Money, Price, Prices, read_prices
from evalkit.evals.models.base import Model, Sampling, estimate_tokens
from evalkit.tasks.types import Completion, Message, Usage
from evalkit.tests.support.scripted import ScriptedModel
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 21)
OPENAI = ("https://api.openai.com/v1",)


def price(**changes: object) -> Price:
    fields = {
        "backend": "openai",
        "models": ["m"],
        "currency": "USD",
        "input": "2",
        "output": "8",
        "valid_from": "2026-01-01",
        "source": "here",
    }
    return Price.model_validate(fields | changes)


# Money


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("5usd", "5", "USD"),
        ("500rub", "500", "RUB"),
        ("0.5 eur", "0.5", "EUR"),
        ("0,5 EUR", "0.5", "EUR"),
        (" 12.345 USD ", "12.345", "USD"),
        ("500₽", "500", "RUB"),
        ("500 руб.", "500", "RUB"),
    ],
)
def test_money_is_read(text: str, amount: str, currency: str) -> None:
    assert Money.parse(text) == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    "text", ["", "5", "usd", "-5usd", "0usd", "0.00 eur", "nan usd", "infusd", "5usdt", "1e9usd", "5 5usd"]
)
def test_what_is_not_money_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an amount of money"):
        Money.parse(text)


@given(st.text())
def test_money_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert Money.parse(text).amount > 0


# Prices


def test_packaged_prices_are_sourced_and_never_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALKIT_PRICES", raising=False)
    (packaged,) = Prices.load().lists
    assert packaged
    for entry in packaged:
        assert entry.source.startswith("https://")
        assert entry.input > 0
        assert entry.output > 0
        assert entry.valid_from <= TODAY


def test_packaged_prices_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALKIT_PRICES", raising=False)
    (packaged,) = Prices.load().lists
    for entry in packaged:
        for model in entry.models:
            day = entry.valid_from
            assert [other for other in packaged if other.holds(entry.backend, model, entry.host, day)] == [entry]


def test_a_known_model_has_a_price_at_its_own_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALKIT_PRICES", raising=False)
    prices = Prices.load()
    known = prices.of_model("openai:gpt-4.1-mini", on=TODAY)
    assert known is not None
    assert (known.input, known.cached_input, known.output) == (Decimal("0.40"), Decimal("0.10"), Decimal("1.60"))
    assert prices.of_model("openai:gpt-4.1-mini,dtype=x", OPENAI, on=TODAY) == known
    assert prices.of_model("openai:gpt-4.1-mini", ["http://localhost:8000/v1"], on=TODAY) is None
    assert prices.of_model("openai:gpt-4.1-mini", [*OPENAI, "http://localhost:8000/v1"], on=TODAY) is None
    assert prices.of_model("openai:gpt-4.1-mini", on=date(2020, 1, 1)) is None
    assert prices.of_model("openai:no-such-model", on=TODAY) is None
    assert prices.of_model("embedded", on=TODAY) is None
    assert prices.of_model("gigachat:GigaChat-2-Max", on=TODAY) is None


@pytest.mark.parametrize(
    "name", ["aliceai-llm", "aliceai-llm/latest", "gpt://b1g0/aliceai-llm/latest", "gpt://b1g0/aliceai-llm"]
)
def test_a_yandex_model_is_priced_however_it_is_named(name: str) -> None:
    found = Prices.load().of_model(f"yandex:{name}", on=TODAY)
    assert found is not None
    assert (found.currency, found.input, found.output) == ("RUB", Decimal(500), Decimal(1200))


def test_a_price_holds_from_its_first_day_to_the_day_before_its_end() -> None:
    promotion = price(valid_from="2026-01-01", valid_to="2026-02-08", output="0.28")
    later = price(valid_from="2026-02-08", output="1.10")
    prices = Prices(((promotion, later),))
    assert prices.find("openai", "m", on=date(2025, 12, 31)) is None
    assert prices.find("openai", "m", on=date(2026, 1, 1)) == promotion
    assert prices.find("openai", "m", on=date(2026, 2, 7)) == promotion
    assert prices.find("openai", "m", on=date(2026, 2, 8)) == later


def test_a_newer_price_follows_one_whose_end_was_not_known() -> None:
    old, new = price(valid_from="2026-01-01"), price(valid_from="2026-06-01", output="4")
    assert Prices(((new, old),)).find("openai", "m", on=TODAY) == new
    assert Prices(((old, new),)).find("openai", "m", on=date(2026, 5, 31)) == old


def test_the_users_own_prices_go_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(
        "- {backend: openai, models: [gpt-4.1-mini], currency: EUR, input: 0.1, output: 0.7,"
        " valid_from: 2026-01-01, source: contract}\n"
        "- {backend: gigachat, models: [GigaChat-2], currency: RUB, input: 65, cached_input: 0, output: 65,"
        " valid_from: 2026-01-01, source: contract}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("EVALKIT_PRICES", str(own))
    prices = Prices.load()
    mine = prices.of_model("openai:gpt-4.1-mini", ["http://localhost:8000/v1"], on=TODAY)
    assert mine is not None
    assert (mine.currency, mine.input, mine.output) == ("EUR", Decimal("0.1"), Decimal("0.7"))
    giga = prices.of_model("gigachat:GigaChat-2", on=TODAY)
    assert giga is not None
    assert giga.of_tokens(2_000_000, 0, cached=1_000_000) == 65
    assert prices.of_model("openai:gpt-4.1", on=TODAY) is not None


def test_the_price_list_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (Path(evalkit.__file__).parent / "docs" / "gigachat-and-yandex.md").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    (shown,) = read_prices(tmp_path / "own.yaml")
    assert shown.holds("gigachat", "GigaChat-2-Max", None, TODAY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not YAML"),
        ("a: 1", "a list of prices is expected"),
        ("- 5", "price 1, the entry"),
        ("- {backend: x}", "price 1, models"),
        (
            "- {backend: x, models: [m], currency: usd, input: 1, output: 1, valid_from: 2026-01-01, source: s}",
            "price 1, currency",
        ),
        (
            "- {backend: x, models: [m], currency: USD, input: -1, output: 1, valid_from: 2026-01-01, source: s}",
            "price 1, input",
        ),
        (
            "- {backend: x, models: [m], currency: USD, input: .nan, output: 1, valid_from: 2026-01-01, source: s}",
            "price 1, input",
        ),
    ],
)
def test_a_wrong_price_list_names_file_entry_and_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        read_prices(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_price_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml"):
        read_prices(tmp_path / "none.yaml")


# The cost of a request


def test_the_cost_of_a_request_by_hand() -> None:
    plain = price()
    assert plain.of_tokens(1_000_000, 500_000) == 6
    assert plain.of_tokens(3, 1) == Decimal("0.000014")
    assert plain.of_tokens(1_000_000, 0, cached=400_000) == 2
    rich = price(cached_input="0.5", reasoning="20", batch_factor="0.5")
    assert rich.of_tokens(1_000_000, 500_000, cached=400_000, reasoning=100_000) == Decimal("6.6")
    assert rich.of_usage(Usage(1_000_000, 500_000), batch=True) == 3


def test_what_is_unknown_is_none_and_not_zero() -> None:
    assert price().of_usage(Usage(5, None)) is None
    assert price().of_usage(Usage(None, 5)) is None
    assert price().of_usage(Usage(5, 5), batch=True) is None


@given(
    prompt=st.integers(0, 10**9),
    completion=st.integers(0, 10**9),
    cached=st.integers(0, 10**9),
    thought=st.integers(0, 10**9),
)
def test_a_cost_is_exact_and_never_negative(prompt: int, completion: int, cached: int, thought: int) -> None:
    cached, thought = min(cached, prompt), min(thought, completion)
    rich = price(cached_input="0.5", reasoning="20")
    expected = Decimal(5 * cached + 20 * (prompt - cached) + 80 * (completion - thought) + 200 * thought) / 10**7
    assert rich.of_tokens(prompt, completion, cached=cached, reasoning=thought) == expected >= 0


def test_a_price_as_json_can_be_read_again() -> None:
    whole = price(cached_input="0.025", valid_to=str(TODAY + timedelta(days=1)), host="h")
    assert Price.model_validate(whole.as_json()) == whole
    assert whole.as_json()["cached_input"] == "0.025"


@given(st.text())
def test_the_estimate_of_a_prompt_is_no_less_than_a_token_for_three_letters(text: str) -> None:
    assert estimate_tokens([Message("user", text)]) >= len(text) / 3


def test_the_schema_of_the_answer_is_a_part_of_the_prompt() -> None:
    asked = [Message("user", "Оцените.")]
    schema = {"type": "object", "properties": {"rating": {"type": "number"}}}
    assert estimate_tokens(asked, schema) >= estimate_tokens(asked) + len(str(schema)) // 3


# Ledgers


def test_a_ledger_adds_up_and_keeps_currencies_apart() -> None:
    ledger = Ledger()
    ledger.add(Usage(1_000_000, 0), price())
    ledger.add(Usage(0, 1_000_000), price())
    ledger.add(Usage(1_000_000, 0), price(currency="RUB", input="200"))
    assert ledger.as_json() == {
        "requests": 3,
        "unpriced_requests": 0,
        "prompt_tokens": 2_000_000,
        "completion_tokens": 1_000_000,
        "cost": {"RUB": 200.0, "USD": 10.0},
        "known_cost": {"RUB": 200.0, "USD": 10.0},
    }


@pytest.mark.parametrize(("usage", "known"), [(None, True), (Usage(5, None), True), (Usage(5, 5), False)])
def test_one_unknown_cost_makes_the_sum_unknown(usage: Usage | None, known: bool) -> None:
    ledger = Ledger()
    ledger.add(Usage(1_000_000, 0), price())
    ledger.add(usage, price() if known else None)
    assert ledger.as_json()["cost"] is None
    assert ledger.as_json()["known_cost"] == {"USD": 2.0}
    assert ledger.unpriced == 1


# The budget


HELLO = [Message("user", "")]  # estimated at 8 tokens
LONG = Sampling(max_tokens=999_998)  # with them, a reservation of 8.000 USD at (2, 8)


async def ask_many(model: Model, times: int) -> tuple[int, int]:
    answers = await asyncio.gather(*(model.generate(HELLO, LONG) for _ in range(times)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RunError)]
    assert all(isinstance(answer, Completion | RunError | ModelError) for answer in answers)
    return len(answers) - len(refused), len(refused)


def test_a_budget_is_reserved_before_the_request_and_settled_after() -> None:
    async def scenario() -> None:
        budget = Budget(Money.parse("20usd"))
        talker = ScriptedModel("да", usage=Usage(0, 500_000))
        model = budget.pay_for(talker, price())
        assert (model.name, model.identity, model.concurrency) == (talker.name, talker.identity, talker.concurrency)
        asking = asyncio.create_task(model.generate(HELLO, LONG))
        await asyncio.sleep(0)
        assert (int(budget.spent), int(budget.reserved)) == (0, 8)
        await asking
        assert (int(budget.spent), int(budget.reserved)) == (4, 0)
        await model.close()
        assert talker.closed

    asyncio.run(scenario())


def test_the_budget_admits_what_fits_and_refuses_the_rest() -> None:
    budget = Budget(Money.parse("20usd"))
    talker = ScriptedModel("да", usage=Usage(0, 500_000))
    admitted, refused = asyncio.run(ask_many(budget.pay_for(talker, price()), 10))
    # 4 USD each, 8 reserved: the fourth fits into 20 - 12, a fifth does not fit into 20 - 16.
    assert (admitted, refused, talker.calls) == (4, 6, 4)
    assert (int(budget.spent), int(budget.reserved)) == (16, 0)


def test_the_refusal_says_what_is_spent_and_what_to_do() -> None:
    budget = Budget(Money.parse("5usd"), spent=Decimal("4.5"))
    model = budget.pay_for(ScriptedModel("да", usage=Usage(1, 1)), price())
    with pytest.raises(RunError, match=r"5 USD is reached: 4\.5 USD spent.*may cost 8 USD.*larger --budget"):
        asyncio.run(model.generate(HELLO, LONG))


@pytest.mark.parametrize("talker", [ScriptedModel("да", usage=Usage()), ScriptedModel(ModelError("no"))])
def test_a_request_of_unknown_cost_costs_its_reservation(talker: ScriptedModel) -> None:
    budget = Budget(Money.parse("20usd"))
    admitted, refused = asyncio.run(ask_many(budget.pay_for(talker, price()), 5))
    assert (admitted, refused) == (2, 3)
    assert (int(budget.spent), int(budget.reserved)) == (16, 0)


@given(
    limit=st.integers(1, 60),
    times=st.integers(1, 30),
    tokens=st.lists(st.integers(0, 999_998), min_size=1, max_size=5),
)
def test_a_budget_is_never_overrun(limit: int, times: int, tokens: list[int]) -> None:
    budget = Budget(Money(Decimal(limit), "USD"))
    usages = (Usage(0, number) for number in cycle(tokens))
    talker = ScriptedModel(lambda prompt: Completion("да", usage=next(usages)))
    admitted, _ = asyncio.run(ask_many(budget.pay_for(talker, price()), times))
    assert budget.spent <= limit
    assert budget.reserved == 0
    assert admitted == talker.calls


def test_two_models_share_a_budget() -> None:
    async def scenario() -> None:
        budget = Budget(Money.parse("20usd"))
        subject = budget.pay_for(ScriptedModel("да", usage=Usage(0, 999_998)), price())
        judge = budget.pay_for(ScriptedModel("да", usage=Usage(0, 999_998)), price(models=["j"]))
        await subject.generate(HELLO, LONG)
        await judge.generate(HELLO, LONG)
        with pytest.raises(RunError):
            await subject.generate(HELLO, LONG)

    asyncio.run(scenario())


def test_a_budget_needs_a_known_price() -> None:
    with pytest.raises(UsageError, match=r"price of gigachat:GigaChat-2.*EVALKIT_PRICES"):
        Budget(Money.parse("500rub")).check("gigachat:GigaChat-2", None)


def test_currencies_are_not_converted() -> None:
    with pytest.raises(UsageError, match="budget is in RUB and openai:m is priced in USD"):
        Budget(Money.parse("500rub")).check("openai:m", price())
    assert Budget(Money.parse("5usd")).check("openai:m", price()) == price()
