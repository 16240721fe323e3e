"""The HTTP client and its policy: what a status means, how often a request is sent, proxies, certificates."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import ModelError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.http import retry
from evalkit.evals.models.http.client import Answer, HttpClient, environment_proxy, get_blocking
from evalkit.evals.models.http.openai import open_openai
from evalkit.evals.models.http.retry import Failure, Patience, RequestError, ask_again, failure_of_status
from evalkit.tasks.types import Message
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.provider_servers import GigaChatServer, YandexServer, make_certificates

CHAT = {"model": "m", "messages": [{"role": "user", "content": "привет"}]}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.01)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


def with_client(address: str, use: Callable[[HttpClient], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        async with HttpClient(address, timeout=10.0, **options) as client:
            return await use(client)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("statuses", "failure"),
    [
        ((408, 409, 425, 500, 502, 503, 504), Failure.TEMPORARY),
        ((429,), Failure.RATE_LIMITED),
        ((401, 402, 403, 404, 405), Failure.FATAL),
        ((400, 413, 418, 422, 501), Failure.REFUSED),
    ],
)
def test_what_a_status_means(statuses: tuple[int, ...], failure: Failure) -> None:
    assert {failure_of_status(status) for status in statuses} == {failure}


def sent(outcomes: list[RequestError | str], patience: Patience) -> tuple[str, list[float]]:
    """Ask until there is an answer or the patience ends; return that, and the pauses that were held for."""
    held: list[float] = []

    async def once() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, RequestError):
            raise outcome
        return outcome

    try:
        return asyncio.run(ask_again(once, patience, hold=held.append)), held
    except RequestError as error:
        return f"{error} after {error.attempts}", held


def test_failures_are_counted_and_rate_limits_only_without_a_time_to_wait_them_out() -> None:
    def limits() -> list[RequestError | str]:
        return [RequestError("busy", Failure.RATE_LIMITED, retry_after=0.5) for _ in range(5)]

    assert sent([*limits(), "да"], Patience(attempts=3)) == ("busy after 3", [0.5, 0.5])
    assert sent([*limits(), "да"], Patience(attempts=3, seconds=60.0)) == ("да", [0.5] * 5)
    assert sent([*limits(), "да"], Patience(attempts=3, seconds=0.1)) == ("busy after 1", [])


def test_a_server_never_reached_is_given_up_sooner() -> None:
    def gone(reached: bool) -> list[RequestError | str]:
        return [RequestError("gone", Failure.UNREACHABLE, reached=reached) for _ in range(9)]

    patience = Patience(attempts=5, attempts_to_connect=2)
    assert sent(gone(reached=False), patience) == ("gone after 2", [])
    assert sent(gone(reached=True), patience) == ("gone after 5", [])
    assert sent(gone(reached=False), Patience(attempts=5)) == ("gone after 5", [])


def test_what_the_reader_finds_to_be_no_answer_is_asked_for_again() -> None:
    def read(answer: Answer) -> str:
        try:
            return str(json.loads(answer.content)["choices"][0]["message"]["content"])
        except ValueError:
            raise RequestError("sent no answer") from None

    async def ask(client: HttpClient) -> str:
        return await client.ask("/chat/completions", CHAT, read, Patience(attempts=3))

    with LoopbackServer(faults=["503", "html"]) as server:
        assert with_client(server.url, ask) == "ответ: привет"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("address", "no_proxy", "expected"),
    [
        ("https://api.example.com/v1", "", "http://proxy:3128"),
        ("http://10.1.2.3:8000/v1", "", "http://plain:3128"),
        ("https://api.example.com/v1", "example.com", None),
        ("http://10.1.2.3:8000/v1", "localhost, 10.0.0.0/8", None),
        ("http://10.1.2.3:8000/v1", "192.168.0.0/16", "http://plain:3128"),
        ("http://10.1.2.3:8000/v1", "*", None),
        ("http://localhost:8000/v1", "", None),
        ("http://[::1]:8000/v1", "", None),
    ],
)
def test_proxies_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, address: str, no_proxy: str, expected: str | None
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://plain:3128")
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert environment_proxy(address) == expected


def test_a_request_goes_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        answer = with_client("http://models.invalid/v1", lambda client: client.post("/chat/completions", CHAT))
        assert json.loads(answer.content)["choices"]
        with pytest.raises(RequestError) as caught:
            with_client("http://models.invalid/v1", lambda client: client.post("/", CHAT), proxies=False)
    assert caught.value.failure is Failure.UNREACHABLE


def test_a_user_in_the_address_signs_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YC_API_KEY", YandexServer.KEY)
    with YandexServer() as server:
        address = server.base_url.replace("://", "://us%C3%A9r:pass@")
        with pytest.raises(RequestError):
            with_client(address, lambda client: client.post("/chat/completions", CHAT))
        assert server.requests[0].headers["authorization"] == "Basic dXPDqXI6cGFzcw=="


def test_an_untrusted_certificate_ends_the_run_at_once(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make a test certificate with")
    _, certificate, key = make_certificates(tmp_path)

    async def ask(url: str) -> None:
        model = open_openai("m", ModelOptions(base_url=url))
        try:
            await model.generate((Message("user", "привет"),), Sampling())
        finally:
            await model.close()

    with GigaChatServer((certificate, key)) as server:
        with pytest.raises(ModelError, match=r"certificate that is not trusted: .*SSL_CERT_FILE=FILE") as caught:
            asyncio.run(ask(server.base_url))
        assert caught.value.fatal
        assert "attempts" not in str(caught.value)
        assert server.requests == []


def test_code_that_is_not_asynchronous_asks_within_a_running_loop() -> None:
    async def inside(server: LoopbackServer) -> bytes:
        return get_blocking(server.url, "/models", timeout=5.0)

    with LoopbackServer() as server, pytest.raises(RequestError) as caught:
        asyncio.run(inside(server))
    assert (caught.value.status, caught.value.failure) == (404, Failure.FATAL)
