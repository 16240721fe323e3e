"""The OpenAI backend against a real server on loopback, and every way in which a server can fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from evalkit.errors import ModelError, UsageError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.openai import open_openai
from evalkit.evals.models.retry import Gate, pause_seconds, retry_after_seconds
from evalkit.tasks.types import Completion, Message
from evalkit.tests.chat_server import LoopbackServer, Reply
from hypothesis import given
from hypothesis import strategies as st


def ask(server: LoopbackServer, sampling: Sampling | None = None, **options: object) -> Completion:
    return ask_all(server, ["привет"], sampling, **options)[0]


def ask_all(
    server: LoopbackServer, prompts: Sequence[str], sampling: Sampling | None = None, **options: object
) -> list[Completion]:
    async def play() -> list[Completion]:
        model = open_openai("loopback", ModelOptions(base_url=server.url, **options))  # type: ignore[arg-type]
        try:
            chats = ([Message("user", prompt)] for prompt in prompts)
            return await asyncio.gather(*(model.generate(chat, sampling or Sampling()) for chat in chats))
        finally:
            await model.close()

    return asyncio.run(play())


def test_what_is_sent_and_what_comes_back() -> None:
    with LoopbackServer() as server:
        sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=17, stop=("\n",), seed=3)
        answer = ask(server, sampling, api_key="key")
        (request,) = server.requests
        assert server.headers[0]["authorization"] == "Bearer key"
    assert request == {
        "model": "loopback",
        "messages": [{"role": "user", "content": "привет"}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 17,
        "stop": ["\n"],
        "seed": 3,
    }
    assert answer.text == "ответ: привет"
    assert answer.finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)


def test_servers_that_want_another_name_for_max_tokens() -> None:
    with LoopbackServer() as server:
        ask(server, extra={"max_tokens_field": "max_completion_tokens"})
        assert "max_completion_tokens" in server.requests[0]
        assert "max_tokens" not in server.requests[0]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_split_off(field: str) -> None:
    with LoopbackServer(answer=lambda _: Reply("да", message={field: "думаю"})) as server:
        assert (ask(server).text, ask(server).reasoning) == ("да", "думаю")
    with LoopbackServer(answer=lambda _: "<think>думаю</think>да") as server:
        assert (ask(server).text, ask(server).reasoning) == ("да", "думаю")


@pytest.mark.parametrize(
    "fault",
    [
        "429",
        "429:0.05",
        "429ms:50",
        "429date:1",
        "500",
        "503",
        "408",
        "reset",
        "truncated",
        "broken",
        "empty",
        "html",
    ],
)
def test_a_failure_that_passes_is_waited_out(fault: str) -> None:
    with LoopbackServer(faults=[fault, fault]) as server:
        assert ask(server).text == "ответ: привет"
        assert len(server.requests) >= 3


def test_a_request_that_hangs_is_given_up_and_made_again() -> None:
    with LoopbackServer(faults=["hang"]) as server:
        assert ask(server, timeout=1.0).text == "ответ: привет"
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "fatal"),
    [
        ("400:unsupported parameter: seed", False),
        ("422:too long", False),
        ("401", True),
        ("403", True),
        ("404", True),
    ],
)
def test_a_refusal_is_not_tried_again_and_names_itself(fault: str, fatal: bool) -> None:
    with LoopbackServer(faults=[fault] * 9) as server:
        with pytest.raises(ModelError, match=fault.partition(":")[2] or fault) as caught:
            ask(server)
        assert len(server.requests) == 1
    assert caught.value.fatal is fatal


def test_a_server_that_is_not_there_is_fatal() -> None:
    with LoopbackServer() as server:
        pass
    with pytest.raises(ModelError, match=r"cannot reach .*is the server running") as caught:
        ask(server)
    assert caught.value.fatal


def test_all_requests_wait_when_the_server_asks_one_to() -> None:
    """The first answer is a 429 that asks for a second; nobody else comes before that second is over."""
    with LoopbackServer(faults=["429:1"], latency=0.01) as server:

        async def play() -> None:
            model = open_openai("loopback", ModelOptions(base_url=server.url))
            first = asyncio.create_task(model.generate([Message("user", "0")], Sampling()))
            while not server.requests:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.3)
            rest = (model.generate([Message("user", str(number))], Sampling()) for number in range(1, 8))
            await asyncio.gather(first, *rest)
            await model.close()

        asyncio.run(play())
        assert min(server.times[1:]) - server.times[0] >= 0.9
        assert len(server.requests) == 9


def test_as_many_requests_at_once_as_asked_for() -> None:
    with LoopbackServer(latency=0.2) as server:
        ask_all(server, list(map(str, range(64))), concurrency=64)
        assert server.most_at_once > 32


def test_lone_surrogates_and_empty_answers_do_no_harm() -> None:
    with LoopbackServer(answer=lambda _: Reply("a\ud800b")) as server:
        assert ask(server).text.startswith("a")
    with LoopbackServer(answer=lambda _: Reply(None)) as server:
        assert ask(server).text == ""


def test_no_server_and_no_name_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="no server to ask"):
        open_openai("x", ModelOptions())
    with pytest.raises(UsageError, match="which model"):
        open_openai("", ModelOptions(base_url="http://127.0.0.1:1"))


@given(st.integers(min_value=0, max_value=100))
def test_pauses_grow_and_end(attempt: int) -> None:
    assert 0.0 <= pause_seconds(attempt) <= 30.0


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_any_retry_after_header_is_none_or_bounded(value: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        wanted = retry_after_seconds({name: value})
        assert wanted is None or 0.0 <= wanted <= 300.0


def test_a_gate_opens_by_itself() -> None:
    async def play() -> float:
        gate = Gate()
        gate.close_for(0.2)
        started = time.monotonic()
        await gate.passed()
        return time.monotonic() - started

    assert asyncio.run(play()) >= 0.2
