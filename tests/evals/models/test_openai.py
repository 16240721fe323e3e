"""The OpenAI-compatible backend against a real server on loopback, with everything that goes wrong there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from evalkit.errors import ModelError, UsageError
from evalkit.evals.models.base import Model, ModelOptions, Sampling
from evalkit.evals.models.http import retry
from evalkit.evals.models.http.answer import read_answer
from evalkit.evals.models.http.openai import api_address, open_openai
from evalkit.tasks.types import Completion, Message, Usage
from evalkit.tests.support.chat_server import LoopbackServer, Reply, error_body

GREEDY = Sampling(max_tokens=64)


@pytest.fixture(autouse=True)
def _quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.01)
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(variable, raising=False)


def ask(
    server: LoopbackServer | str,
    *prompts: str,
    sampling: Sampling = GREEDY,
    at_once: int = 64,
    timeout: float = 20.0,
    api_key: str | None = None,
    **extra: str,
) -> list[Completion | ModelError]:
    """Ask all prompts at once; failures take the place of answers."""
    url = server if isinstance(server, str) else server.url
    options = ModelOptions(base_url=url, concurrency=at_once, timeout=timeout, api_key=api_key, extra=extra)

    async def run() -> list[Any]:
        model = open_openai("some-model", options)
        try:
            return await asyncio.gather(
                *(model.generate((Message("user", prompt),), sampling) for prompt in prompts or ("привет",)),
                return_exceptions=True,
            )
        finally:
            await model.close()

    answers = asyncio.run(run())
    assert all(isinstance(answer, Completion | ModelError) for answer in answers), answers
    return answers


def ask_one(server: LoopbackServer | str, **arguments: Any) -> Completion:
    [answer] = ask(server, **arguments)
    assert isinstance(answer, Completion), answer
    return answer


def fail_one(server: LoopbackServer | str, **arguments: Any) -> ModelError:
    [answer] = ask(server, **arguments)
    assert isinstance(answer, ModelError), answer
    return answer


def test_an_answer_with_all_that_comes_with_it() -> None:
    with LoopbackServer() as server:
        answer = ask_one(server)
    assert answer.text == "ответ: привет"
    assert (answer.finish_reason, answer.usage, answer.reasoning) == ("stop", Usage(7, 3), None)
    assert answer.latency is not None and answer.latency > 0


def test_what_is_sent() -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=5, stop=("END",), seed=3)
    with LoopbackServer() as server:
        ask_one(server, sampling=sampling)
        ask_one(server, sampling=Sampling(seed=None), max_tokens_field="max_completion_tokens")
    full, bare = server.requests
    assert full == {
        "model": "some-model", "messages": [{"role": "user", "content": "привет"}],
        "temperature": 0.7, "top_p": 0.9, "max_tokens": 5, "stop": ["END"], "seed": 3,
    }  # fmt: skip
    assert set(bare) == {"model", "messages", "temperature", "max_completion_tokens"}


def test_refused_parameters_can_be_left_out() -> None:
    with LoopbackServer() as server:
        ask_one(server, omit="seed+temperature")
    assert set(server.requests[0]) == {"model", "messages", "max_tokens"}


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        ({"reasoning_content": "думаю"}, "думаю"),
        ({"reasoning": "думаю"}, "думаю"),
        ({"content": "<think>думаю</think>\n\nда"}, "думаю"),
        ({"content": "думаю</think>да"}, "думаю"),
        ({"reasoning_content": ""}, None),
    ],
)
def test_reasoning_is_no_part_of_the_answer(message: dict[str, str], reasoning: str | None) -> None:
    with LoopbackServer(answer=lambda _: Reply("да", message=message)) as server:
        answer = ask_one(server)
    assert (answer.text, answer.reasoning) == ("да", reasoning)


def test_a_thought_cut_off_by_the_limit_leaves_no_answer() -> None:
    with LoopbackServer(answer=lambda _: Reply("<think>долго думаю", finish_reason="length")) as server:
        answer = ask_one(server)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("", "долго думаю", "length")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(None), ""),
        (Reply(None, message={"refusal": "Не могу."}), "Не могу."),
        (Reply(message={"content": [{"type": "text", "text": "а"}, {"type": "text", "text": "б"}]}), "аб"),
        (Reply("без счёта", usage=None), "без счёта"),
    ],
)
def test_unusual_but_good_answers(reply: Reply, text: str) -> None:
    with LoopbackServer(answer=lambda _: reply) as server:
        assert ask_one(server).text == text


def test_an_answer_cut_inside_an_emoji() -> None:
    body = b'{"choices": [{"message": {"content": "\xd0\xb4\xd0\xb0 \\ud83d"}, "finish_reason": "length"}]}'
    assert read_answer(body, latency=0.0).text == "да \ufffd"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_temporary_failures_are_tried_again(status: int) -> None:
    with LoopbackServer(faults=[str(status)] * 3) as server:
        assert ask_one(server).text == "ответ: привет"
    assert len(server.requests) == 4


@pytest.mark.parametrize("fault", ["reset", "truncated", "broken", "empty", "html"])
def test_broken_answers_are_tried_again(fault: str) -> None:
    with LoopbackServer(faults=[fault, None, fault, fault]) as server:
        assert ask_one(server).text == "ответ: привет"
        assert ask_one(server).text == "ответ: привет"
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("500:out of memory", r"answered 500: out of memory \(8 attempts\)"),
        ("reset", r"closed the connection: .*\(8 attempts\)"),
        ("truncated", r"closed the connection: .*\(8 attempts\)"),
        ("broken", r"sent no chat completion .*\(8 attempts\)"),
        ("empty", r"sent no chat completion .*\{\"choices\": \[\]\}.*\(8 attempts\)"),
        ("html", r"sent no chat completion .*<html>.*\(8 attempts\)"),
    ],
)
def test_what_never_heals_costs_one_sample(fault: str, message: str) -> None:
    with LoopbackServer(faults=lambda *_: fault) as server:
        error = fail_one(server)
    assert len(server.requests) == 8
    assert not error.fatal
    with pytest.raises(ModelError, match=message):
        raise error


@pytest.mark.parametrize(("fault", "seconds"), [("429:0.3", 0.3), ("429ms:300", 0.3), ("429date:2", 0.9)])
def test_the_wait_that_a_server_asks_for(fault: str, seconds: float) -> None:
    with LoopbackServer(faults=[fault]) as server:
        ask_one(server)
    first, second = server.times
    assert second - first >= seconds


@pytest.mark.parametrize("fault", ["429:soon", "429:nan", "429:-5", "429ms:", "429date:-100", "429:1e-9"])
def test_odd_waits_are_no_obstacle(fault: str) -> None:
    with LoopbackServer(faults=[fault]) as server:
        assert ask_one(server).text == "ответ: привет"


def test_all_wait_when_one_is_told_to() -> None:
    with LoopbackServer(faults=["429:0.5"]) as server:

        async def run() -> None:
            model = open_openai("m", ModelOptions(base_url=server.url))
            first = asyncio.create_task(model.generate((Message("user", "0"),), GREEDY))
            while not model.client._rate_limit._opens:
                await asyncio.sleep(0.01)
            await asyncio.gather(first, *(model.generate((Message("user", str(n)),), GREEDY) for n in range(20)))
            await model.close()

        asyncio.run(run())
    told, *others = server.times
    assert min(others) - told >= 0.5


def test_rate_limits_are_waited_out_however_often() -> None:
    with LoopbackServer(faults=["429:0.01"] * 20) as server:
        assert ask_one(server).text == "ответ: привет"


def test_a_wait_beyond_all_patience_is_not_begun() -> None:
    with LoopbackServer(faults=lambda *_: "429:250") as server:
        error = fail_one(server, timeout=5.0)
    assert "429" in str(error) and not error.fatal
    assert len(server.requests) == 1


def test_an_empty_account_stops_the_run() -> None:
    class PoorServer(LoopbackServer):
        async def _fail(self, *_: Any) -> web.StreamResponse:
            return web.json_response(error_body("You exceeded your quota", "insufficient_quota"), status=429)

    with PoorServer(faults=lambda *_: "429") as server:
        error = fail_one(server)
    assert error.fatal and "exceeded your quota" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "fatal"), [(400, False), (413, False), (422, False), (401, True), (403, True), (404, True)]
)
def test_refusals_are_not_tried_again_and_say_why(status: int, fatal: bool) -> None:
    with LoopbackServer(faults=lambda *_: f"{status}:not this one") as server:
        error = fail_one(server)
    assert len(server.requests) == 1
    assert error.fatal is fatal
    assert f"refused with {status}: not this one" in str(error)


def test_a_key_is_sent_and_never_shown() -> None:
    with LoopbackServer(api_key="sk-right") as server:
        assert ask_one(server, api_key="sk-right").text
        error = fail_one(server, api_key="sk-wrong")
    assert error.fatal and "Incorrect API key" in str(error)
    assert "sk-" not in str(error)


def test_a_server_that_hangs_is_given_up_after_the_time_limit() -> None:
    with LoopbackServer(faults=lambda *_: "hang") as server:
        error = fail_one(server, timeout=0.2)
    assert "did not answer within 0.2 s" in str(error) and not error.fatal


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_no_server_is_one_clear_line() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    errors = ask(url, "а", "б", "в")
    for error in errors:
        assert isinstance(error, ModelError) and error.fatal
        assert f"cannot reach {url}: " in str(error) and "refused" in str(error)
        assert "is the server running" in str(error) and "\n" not in str(error)


def test_a_server_that_goes_away_stops_the_run() -> None:
    with LoopbackServer() as server:
        model = open_openai("m", ModelOptions(base_url=server.url))

        async def run() -> None:
            await model.generate((Message("user", "а"),), GREEDY)
            server.close()
            try:
                with pytest.raises(ModelError, match="cannot reach") as caught:
                    await model.generate((Message("user", "б"),), GREEDY)
                assert caught.value.fatal
            finally:
                await model.close()

        asyncio.run(run())


def test_many_at_once_with_faults_all_answer_once() -> None:
    def faults(number: int, _: str) -> str | None:
        return {3: "429:0.05", 7: "500", 11: "reset", 13: "html"}.get(number % 17)

    prompts = [f"вопрос {number}" for number in range(541)]
    with LoopbackServer(faults=faults, together=9) as server:
        answers = ask(server, *prompts)
    assert [answer.text for answer in answers if isinstance(answer, Completion)] == [f"ответ: {p}" for p in prompts]
    assert len(server.prompts) == 541
    assert 8 < server.most_at_once <= 64


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://host/api/v3", "https://host/api/v3"),
        ("https://host/v1/chat/completions", "https://host/v1"),
    ],
)
def test_the_address_with_or_without_its_end(given: str, address: str) -> None:
    assert api_address(given) == address


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
def test_the_server_is_found_whatever_the_address_ends_in(end: str) -> None:
    with LoopbackServer() as server:
        assert ask_one(server.root + end).text == "ответ: привет"


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://host/v1", "http://"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError, match="is not an address such as http://"):
        open_openai("m", ModelOptions(base_url=address))


def test_proxies_are_not_asked_for_the_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with LoopbackServer() as server:
        assert ask_one(server).text == "ответ: привет"


def test_the_environment_names_server_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(api_key="sk-env") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-env")

        async def run(model: Model) -> Completion:
            try:
                return await model.generate((Message("user", "привет"),), GREEDY)
            finally:
                await model.close()

        assert asyncio.run(run(open_openai("m", ModelOptions()))).text == "ответ: привет"


def usage_error(call: Callable[[], object]) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    return str(caught.value)


def test_what_is_missing_is_said() -> None:
    assert "--base-url" in usage_error(lambda: open_openai("m", ModelOptions()))
    assert "openai:NAME" in usage_error(lambda: open_openai("", ModelOptions(base_url="http://h/v1")))
    options = ModelOptions(base_url="http://h/v1", extra={"max_token_field": "x"})
    assert "Did you mean 'max_tokens_field'" in usage_error(lambda: open_openai("m", options))


def test_the_identity_names_server_and_model_but_no_secret() -> None:
    model = open_openai("m", ModelOptions(base_url="http://user:secret@host/v1", api_key="sk-secret"))
    assert dict(model.identity) == {"backend": "openai", "model": "m", "base_url": "http://host/v1"}
    assert model.concurrency == 16
