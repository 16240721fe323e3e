"""Rate limits that are given, told or met, and several servers that share the requests."""

from __future__ import annotations

import asyncio
import time

import pytest
from evalkit.errors import ModelError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.http.openai import open_openai
from evalkit.evals.models.http.rate_limit import RateLimit, TokenBucket
from evalkit.evals.models.http.retry import seconds_until
from evalkit.tasks.types import Message
from evalkit.tests.support.chat_server import LoopbackServer
from hypothesis import given
from hypothesis import strategies as st


def ask(model, count: int) -> list:
    async def run() -> list:
        asked = (model.generate((Message("user", str(number)),), Sampling()) for number in range(count))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await model.close()
        return answers

    return asyncio.run(run())


def test_the_window_is_halved_by_429_and_grows_back_by_one_a_window() -> None:
    async def run() -> None:
        rate_limit = RateLimit(16)
        await rate_limit.acquire()
        rate_limit.release(rate_limited=True)
        assert rate_limit.window == 8
        await rate_limit.acquire()
        rate_limit.release(rate_limited=True)  # of the same burst
        assert rate_limit.window == 8
        for _ in range(9):
            await rate_limit.acquire()
            rate_limit.release(answered=True)
        assert rate_limit.window == 9

    asyncio.run(run())


def test_no_more_than_the_window_are_in_flight_and_nobody_is_forgotten() -> None:
    async def run() -> None:
        rate_limit, now, most, done = RateLimit(4), 0, 0, 0

        async def one(number: int) -> None:
            nonlocal now, most, done
            await rate_limit.acquire()
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            rate_limit.release(answered=number % 3 > 0, rate_limited=number % 7 == 0)
            done += 1

        await asyncio.gather(*(one(number) for number in range(200)))
        assert (most, done, now) == (4, 200, 0)

    asyncio.run(run())


def test_a_cancelled_request_gives_its_place_to_the_next() -> None:
    async def run() -> None:
        rate_limit = RateLimit(1)
        await rate_limit.acquire()
        waiting = [asyncio.create_task(rate_limit.acquire()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        rate_limit.release()
        await waiting[1]  # one that is forgotten would hang the test

    asyncio.run(run())


@given(st.floats(6, 6000), st.lists(st.floats(0.1, 50), min_size=1, max_size=20))
def test_an_allowance_is_never_exceeded_by_more_than_its_bucket(a_minute: float, wanted: list[float]) -> None:
    bucket = TokenBucket(a_minute)
    taken = 0.0
    for units in wanted:
        if bucket.take(units) == 0:
            taken += units
    room = max(1.0, a_minute / 60 * TokenBucket.BURST)
    assert taken <= room + max(wanted) + a_minute / 60


def test_requests_a_minute_are_kept() -> None:
    with LoopbackServer() as server:
        begun = time.monotonic()
        model = open_openai("m", ModelOptions(base_url=server.url, extra={"rpm": "600"}))
        ask(model, 60)
    assert len(server.times) == 60
    # 50 may go at once, the other ten at ten a second. Nothing on a slow machine makes a request earlier; without
    # the limit the last one comes after milliseconds.
    late = [moment - begun - (number - 49) / 10 for number, moment in enumerate(server.times)]
    assert min(late) > -1e-6


def test_a_server_that_says_that_nothing_is_left_is_left_alone_until_it_is_renewed() -> None:
    rate_limit = RateLimit(1)
    rate_limit.read_headers({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"})
    assert rate_limit._opens == 0
    before = time.monotonic()
    rate_limit.read_headers({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m2.5s"})
    assert before + 62.5 <= rate_limit._opens <= time.monotonic() + 62.5


@pytest.mark.parametrize(
    ("text", "seconds"), [("6m0s", 360), ("1.5s", 1.5), ("20ms", 0.02), ("2", 2), ("", 0), ("soon", 0), ("-3", 0)]
)
def test_durations_as_servers_write_them(text: str, seconds: float) -> None:
    assert (seconds_until(text) or 0.0) == pytest.approx(seconds)


def test_servers_share_the_requests_and_the_slow_one_gets_fewer() -> None:
    with LoopbackServer(latency=0.01) as fast, LoopbackServer(latency=0.1) as slow:
        model = open_openai("m", ModelOptions(base_url=f"{fast.url},{slow.url}", concurrency=4))
        assert model.concurrency == 8
        answers = ask(model, 100)
        assert [answer.text for answer in answers] == [f"ответ: {number}" for number in range(100)]
        assert len(slow.requests) > 0
        assert len(fast.requests) + len(slow.requests) == 100


def test_a_lost_server_s_requests_go_to_the_others_and_the_last_one_is_fatal() -> None:
    with LoopbackServer() as server, LoopbackServer() as gone:
        lost = gone.url
    with LoopbackServer() as server:
        model = open_openai("m", ModelOptions(base_url=f"{server.url},{lost}", timeout=5))
        assert all(not isinstance(answer, Exception) for answer in ask(model, 20))
        assert len(server.requests) == 20
    model = open_openai("m", ModelOptions(base_url=f"{lost},{server.url}", timeout=5))
    (failure,) = ask(model, 1)
    assert isinstance(failure, ModelError)
    assert failure.fatal
    assert "no server is left" in str(failure)


def test_the_order_of_the_addresses_does_not_make_another_run() -> None:
    both = "http://a/v1,http://b/v1"
    one, other = (open_openai("m", ModelOptions(base_url=text)) for text in (both, "http://b/v1,http://a/v1"))
    assert one.identity == other.identity
