"""GigaChat and Yandex AI Studio, against loopback servers that are as strict as the providers."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import ModelError, UsageError
from evalkit.evals.models.base import Model, ModelOptions, Sampling
from evalkit.evals.models.http.client import HttpClient
from evalkit.evals.models.http.gigachat import GigaChat, open_gigachat
from evalkit.evals.models.http.gigachat_token import AccessTokens
from evalkit.evals.models.http.openai import cut_at_stop
from evalkit.evals.models.http.yandex import model_uri, open_yandex
from evalkit.tasks.types import Completion, Message, Usage
from evalkit.tests.support.provider_servers import GigaChatServer, YandexServer, make_certificates

HELLO = (Message("system", "Отвечай кратко."), Message("user", "привет"))
GREEDY = Sampling(max_tokens=64)
VARIABLES = (
    "GIGACHAT_CREDENTIALS", "GIGACHAT_SCOPE", "GIGACHAT_CA_BUNDLE_FILE",
    "YC_API_KEY", "YC_IAM_TOKEN", "YC_FOLDER_ID",
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def giga(monkeypatch: pytest.MonkeyPatch) -> Iterator[GigaChatServer]:
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", GigaChatServer.KEY)
    with GigaChatServer() as server:
        yield server


@pytest.fixture
def yandex(monkeypatch: pytest.MonkeyPatch) -> Iterator[YandexServer]:
    monkeypatch.setenv("YC_API_KEY", YandexServer.KEY)
    monkeypatch.setenv("YC_FOLDER_ID", YandexServer.FOLDER)
    with YandexServer() as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make a test certificate with")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def open_giga(server: GigaChatServer, name: str = "GigaChat-2", **extra: str) -> Model:
    options = ModelOptions(base_url=server.base_url, extra={"auth_url": server.auth_url, **extra}, timeout=10.0)
    return open_gigachat(name, options)


def ask(model: Model, *, times: int = 1, sampling: Sampling = GREEDY) -> list[Completion]:
    """Ask all at once, on an event loop of its own, and close the model."""

    async def asking() -> list[Completion]:
        try:
            return await asyncio.gather(*(model.generate(HELLO, sampling) for _ in range(times)))
        finally:
            await model.close()

    return asyncio.run(asking())


def converse(model: Model, *steps: Callable[[], object]) -> list[Completion]:
    """Ask once, then again after each step."""

    async def asking() -> list[Completion]:
        try:
            answers = [await model.generate(HELLO, GREEDY)]
            for step in steps:
                step()
                answers.append(await model.generate(HELLO, GREEDY))
            return answers
        finally:
            await model.close()

    return asyncio.run(asking())


def tokens_bought(server: GigaChatServer) -> int:
    return server.paths().count("/api/v2/oauth")


# GigaChat


def test_gigachat_answers(giga: GigaChatServer) -> None:
    model = open_giga(giga)
    (answer,) = ask(model)
    assert answer.text == "Ответ: привет"
    assert (answer.finish_reason, answer.usage) == ("stop", Usage(12, 5))
    assert model.name == "gigachat:GigaChat-2"
    assert isinstance(model, GigaChat)
    assert model.versions == {"GigaChat-2:2.0.28.2"}
    assert giga.paths() == ["/api/v2/oauth", "/api/v1/chat/completions"]


def test_greedy_is_top_p_zero_and_no_seed_is_sent(giga: GigaChatServer) -> None:
    ask(open_giga(giga))
    messages = [message.as_json() for message in HELLO]
    assert giga.chats()[0].body == {"model": "GigaChat-2", "messages": messages, "top_p": 0, "max_tokens": 64}


def test_gigachat_is_asked_for_no_schema(giga: GigaChatServer) -> None:
    ask(open_giga(giga), sampling=Sampling(schema={"type": "object"}))
    assert "response_format" not in giga.chats()[0].body


def test_a_temperature_is_sent_as_it_is(giga: GigaChatServer) -> None:
    ask(open_giga(giga), sampling=Sampling(temperature=0.7, top_p=0.9, seed=5))
    body = giga.chats()[0].body
    assert (body["temperature"], body["top_p"]) == (0.7, 0.9)
    assert "seed" not in body


def test_the_identity_says_what_is_not_sent_and_holds_no_secret(giga: GigaChatServer) -> None:
    model = open_giga(giga)
    ask(model)
    assert model.identity == {
        "backend": "gigachat",
        "model": "GigaChat-2",
        "base_url": giga.base_url,
        "not_sent": ["seed"],
        "cut_on_arrival": ["stop"],
    }
    assert GigaChatServer.KEY not in repr(vars(model))


def test_the_identity_has_no_password_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YC_API_KEY", "key")
    model = open_yandex("m", ModelOptions(base_url="https://user:secret@host/v1", extra={"folder": "f"}))
    assert model.identity["base_url"] == "https://host/v1"
    assert "secret" not in repr(model.identity)


def test_requests_at_once_and_in_a_row_share_one_token(giga: GigaChatServer) -> None:
    giga.delay = 0.02
    assert len(ask(open_giga(giga), times=12)) == 12
    assert tokens_bought(giga) == 1
    assert len(converse(open_giga(giga), *[lambda: None] * 3)) == 4
    assert tokens_bought(giga) == 2


def test_a_token_is_renewed_a_minute_early() -> None:
    now = [1_800_000_000.0]
    with GigaChatServer(clock=lambda: now[0]) as server:
        model = on_clock(server, lambda: now[0])

        def later(seconds: float) -> Callable[[], None]:
            return lambda: now.__setitem__(0, now[0] + seconds)

        converse(model, later(28 * 60), later(59), later(1), later(60))
        # At 28:59 the first token still serves; at 29:00, a minute before its end, there is a second one.
        assert server.paths() == [
            "/api/v2/oauth",
            *["/api/v1/chat/completions"] * 3,
            "/api/v2/oauth",
            *["/api/v1/chat/completions"] * 2,
        ]
        signs = [request.headers["authorization"] for request in server.chats()]
        assert signs[0] == signs[2] != signs[3] == signs[4]


def on_clock(server: GigaChatServer, clock: Callable[[], float]) -> GigaChat:
    trust = ssl.create_default_context()
    tokens = AccessTokens(server.auth_url, GigaChatServer.KEY, "GIGACHAT_API_PERS", trust=trust, clock=clock)
    client = HttpClient(server.base_url, timeout=10.0, sign=tokens.sign, trust=trust)
    return GigaChat("gigachat", "GigaChat-2", client, model="GigaChat-2")


def test_a_refused_token_is_replaced_once_and_the_request_repeated(giga: GigaChatServer) -> None:
    answers = converse(open_giga(giga), giga.tokens.clear)
    assert [answer.text for answer in answers] == ["Ответ: привет"] * 2
    assert tokens_bought(giga) == 2
    assert len(giga.chats()) == 3


def test_many_refused_at_once_renew_once(giga: GigaChatServer) -> None:
    giga.delay = 0.02
    model = open_giga(giga)

    async def asking() -> None:
        try:
            await model.generate(HELLO, GREEDY)
            giga.tokens.clear()
            await asyncio.gather(*(model.generate(HELLO, GREEDY) for _ in range(10)))
        finally:
            await model.close()

    asyncio.run(asking())
    assert tokens_bought(giga) == 2


def test_a_new_token_that_is_refused_too_ends_the_run(giga: GigaChatServer) -> None:
    giga.lifetime = -1
    with pytest.raises(ModelError, match="401: Token has expired") as caught:
        ask(open_giga(giga))
    assert caught.value.fatal
    assert tokens_bought(giga) == 2


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wrong_clock_costs_no_token_a_request(giga: GigaChatServer, hours: int) -> None:
    giga.clock = lambda: time.time() + hours * 3600
    assert len(converse(open_giga(giga), *[lambda: None] * 3)) == 4
    assert tokens_bought(giga) == 1


def test_the_other_form_of_a_token_is_read(giga: GigaChatServer) -> None:
    giga.short_form = True
    assert len(converse(open_giga(giga), lambda: None)) == 2
    assert tokens_bought(giga) == 1


def test_a_wrong_key_ends_the_run_and_names_the_variable(
    giga: GigaChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", "d3Jvbmc6a2V5")
    with pytest.raises(ModelError, match=r"401 credentials doesn't match db data.*GIGACHAT_CREDENTIALS") as caught:
        ask(open_giga(giga))
    assert caught.value.fatal
    assert tokens_bought(giga) == 1
    assert "d3Jvbmc6a2V5" not in str(caught.value)


def test_the_scope_comes_from_the_option_or_the_environment(
    giga: GigaChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_giga(giga).concurrency == 1
    monkeypatch.setenv("GIGACHAT_SCOPE", "GIGACHAT_API_CORP")
    company = open_giga(giga)
    assert company.concurrency == 10
    ask(company)
    ask(open_giga(giga, scope="GIGACHAT_API_B2B"))
    scopes = [request.body["scope"] for request in giga.requests if request.path == "/api/v2/oauth"]
    assert scopes == ["GIGACHAT_API_CORP", "GIGACHAT_API_B2B"]
    with pytest.raises(UsageError, match=r"scope 'PERS' is not one of GIGACHAT_API_PERS"):
        open_giga(giga, scope="PERS")


def test_what_gigachat_needs_is_asked_for_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="set GIGACHAT_CREDENTIALS") as caught:
        open_gigachat("GigaChat-2", ModelOptions())
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", "the client secret itself")
    with pytest.raises(UsageError, match="GIGACHAT_CREDENTIALS is not an authorization key"):
        open_gigachat("GigaChat-2", ModelOptions())
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", GigaChatServer.KEY)
    with pytest.raises(UsageError, match="which model"):
        open_gigachat("", ModelOptions())


@pytest.mark.parametrize("option", ["verify", "verify_ssl", "ssl_verify", "verify_ssl_certs", "insecure"])
def test_there_is_no_option_that_stops_checking_certificates(giga: GigaChatServer, option: str) -> None:
    with pytest.raises(UsageError, match=option):
        open_giga(giga, **{option: "false"})


@pytest.mark.parametrize("path", ["/api/v2/oauth", "/api/v1/chat/completions"])
def test_too_many_requests_wait_as_long_as_the_server_asks(giga: GigaChatServer, path: str) -> None:
    giga.be_busy(path, 0.5)
    assert ask(open_giga(giga))[0].text == "Ответ: привет"
    assert giga.paths().count(path) == 2  # who comes back too early is refused once more


def test_a_token_server_that_fails_for_a_moment_is_asked_again(giga: GigaChatServer) -> None:
    giga.upcoming_tokens.extend([(503, {}, {}), (500, {}, {})])
    assert ask(open_giga(giga))[0].text == "Ответ: привет"
    assert tokens_bought(giga) == 3


def test_a_token_that_nobody_knows_is_replaced(giga: GigaChatServer) -> None:
    giga.upcoming_tokens.append((200, {}, {"access_token": "x", "expires_at": 1}))
    assert ask(open_giga(giga))[0].text == "Ответ: привет"
    assert tokens_bought(giga) == 2


def test_what_is_no_token_is_said_to_be_none(giga: GigaChatServer) -> None:
    giga.upcoming_tokens.append((200, {}, {"hello": "world"}))
    with pytest.raises(ModelError, match="did not answer with an access token"):
        ask(open_giga(giga))


def test_a_wrong_request_costs_its_sample_and_a_missing_model_the_run(giga: GigaChatServer) -> None:
    giga.upcoming.append((422, {}, {"status": 422, "message": "Invalid params: messages"}))
    with pytest.raises(ModelError, match="422: Invalid params") as caught:
        ask(open_giga(giga))
    assert not caught.value.fatal
    with pytest.raises(ModelError, match="404: No such model") as caught:
        ask(open_giga(giga, "GigaChat-None"))
    assert caught.value.fatal


def test_what_the_filter_refused_is_said_in_the_common_word(giga: GigaChatServer) -> None:
    refusal = {
        "choices": [
            {"message": {"role": "assistant", "content": "Не люблю менять тему"}, "finish_reason": "blacklist"}
        ],
        "model": "GigaChat-2:2.0.28.2",
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    giga.upcoming.append((200, {}, refusal))
    (answer,) = ask(open_giga(giga))
    assert (answer.text, answer.finish_reason) == ("Не люблю менять тему", "content_filter")


def test_stop_strings_cut_the_answer_here(giga: GigaChatServer) -> None:
    (answer,) = ask(open_giga(giga), sampling=Sampling(stop=("ивет", "при")))
    assert (answer.text, answer.finish_reason) == ("Ответ: ", "stop")
    assert "stop" not in giga.chats()[0].body


@pytest.mark.parametrize(
    ("stop", "text", "reason"),
    [
        ((), "один два", "length"),
        (("три",), "один два", "length"),
        (("",), "один два", "length"),
        (("два", " "), "один", "stop"),
    ],
)
def test_cutting_at_stop_strings(stop: tuple[str, ...], text: str, reason: str) -> None:
    cut = cut_at_stop(Completion("один два", finish_reason="length"), stop)
    assert (cut.text, cut.finish_reason) == (text, reason)


# TLS


def test_a_server_of_an_untrusted_root_is_refused_with_the_remedy(
    certificates: tuple[Path, Path, Path], giga: GigaChatServer
) -> None:
    _, certificate, key = certificates
    with GigaChatServer((certificate, key)) as server:
        with pytest.raises(
            ModelError, match=r"/api/v2/oauth is not trusted.*gosuslugi\.ru/crt.*ca_bundle=FILE"
        ) as caught:
            ask(open_giga(server))
        assert caught.value.fatal
        assert server.requests == []
        # The same when only the server of answers has such a certificate.
        model = open_gigachat("m", ModelOptions(base_url=server.base_url, extra={"auth_url": giga.auth_url}))
        with pytest.raises(ModelError, match=r"/api/v1 is not trusted.*ca_bundle=FILE") as caught:
            ask(model)
        assert caught.value.fatal
        assert server.requests == []


def test_a_root_certificate_that_is_named_is_trusted(
    certificates: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, certificate, key = certificates
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", GigaChatServer.KEY)
    with GigaChatServer((certificate, key)) as server:
        assert ask(open_giga(server, ca_bundle=str(root)))[0].text == "Ответ: привет"
        monkeypatch.setenv("GIGACHAT_CA_BUNDLE_FILE", str(root))
        assert ask(open_giga(server))[0].text == "Ответ: привет"


def test_a_certificate_file_that_is_none_is_refused(giga: GigaChatServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ca_bundle=.*missing\.pem cannot be used: No such file"):
        open_giga(giga, ca_bundle=str(tmp_path / "missing.pem"))
    (tmp_path / "text.pem").write_text("not a certificate", encoding="utf-8")
    with pytest.raises(UsageError, match=r"ca_bundle=.*text\.pem cannot be used"):
        open_giga(giga, ca_bundle=str(tmp_path / "text.pem"))


# Yandex AI Studio


def open_yc(server: YandexServer, name: str = "aliceai-llm", **extra: str) -> Model:
    return open_yandex(name, ModelOptions(base_url=server.base_url, extra=extra, timeout=10.0))


def test_yandex_answers(yandex: YandexServer) -> None:
    model = open_yc(yandex)
    (answer,) = ask(model)
    assert (answer.text, answer.finish_reason, answer.usage) == ("Ответ: привет", "stop", Usage(20, 7))
    (request,) = yandex.requests
    assert request.headers["authorization"] == f"Api-Key {YandexServer.KEY}"
    assert request.headers["openai-project"] == YandexServer.FOLDER
    assert request.headers["x-data-logging-enabled"] == "false"
    assert request.body == {
        "model": f"gpt://{YandexServer.FOLDER}/aliceai-llm/latest",
        "messages": [message.as_json() for message in HELLO],
        "temperature": 0.0,
        "max_tokens": 64,
    }
    assert (model.name, model.concurrency) == ("yandex:aliceai-llm", 10)
    assert model.identity["model"] == f"gpt://{YandexServer.FOLDER}/aliceai-llm/latest"
    assert YandexServer.KEY not in repr(model.identity)


def test_an_iam_token_does_where_there_is_no_key(yandex: YandexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YC_IAM_TOKEN", YandexServer.IAM)
    ask(open_yc(yandex))
    monkeypatch.delenv("YC_API_KEY")
    ask(open_yc(yandex))
    signs = [request.headers["authorization"] for request in yandex.requests]
    assert signs == [f"Api-Key {YandexServer.KEY}", f"Bearer {YandexServer.IAM}"]


def test_what_yandex_needs_is_asked_for_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"set YC_FOLDER_ID.*folder=ID"):
        open_yandex("aliceai-llm", ModelOptions())
    with pytest.raises(UsageError, match=r"set YC_API_KEY .*or YC_IAM_TOKEN") as caught:
        open_yandex("aliceai-llm", ModelOptions(extra={"folder": "b1g"}))
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="which model"):
        open_yandex("", ModelOptions())


@pytest.mark.parametrize(
    ("name", "folder", "uri"),
    [
        ("aliceai-llm", "b1g", "gpt://b1g/aliceai-llm/latest"),
        ("yandexgpt/rc", "b1g", "gpt://b1g/yandexgpt/rc"),
        ("yandexgpt-lite/latest@tuned", "b1g", "gpt://b1g/yandexgpt-lite/latest@tuned"),
        ("gpt://b1x/yandexgpt/latest", "", "gpt://b1x/yandexgpt/latest"),
    ],
)
def test_the_uri_of_a_model(name: str, folder: str, uri: str) -> None:
    assert model_uri(name, folder) == uri


@pytest.mark.parametrize(
    "name", ["art://b1g/yandex-art/latest", "gpt://b1g", "gpt:///yandexgpt", "gpt://b1g//latest"]
)
def test_what_is_no_uri_of_a_text_model_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not the URI of a text model"):
        model_uri(name, "b1g")


def test_a_parameter_that_yandex_lacks_fails_loudly(yandex: YandexServer) -> None:
    with pytest.raises(ModelError, match="yandex:aliceai-llm has no top_p") as caught:
        ask(open_yc(yandex), sampling=Sampling(temperature=0.5, top_p=0.9))
    assert caught.value.fatal
    assert yandex.requests == []


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("YC_API_KEY", "wrong", "401: The token is invalid"),
        ("YC_FOLDER_ID", "b1gother", "403: Permission to folder b1gother"),
    ],
)
def test_a_refusal_says_why_and_ends_the_run(
    yandex: YandexServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ModelError, match=says) as caught:
        ask(open_yc(yandex))
    assert caught.value.fatal


def test_yandex_too_many_requests_are_waited_out(yandex: YandexServer) -> None:
    yandex.be_busy("/v1/chat/completions", 0.5)
    assert ask(open_yc(yandex))[0].text == "Ответ: привет"
    assert len(yandex.requests) == 2


def test_environment_of_openai_does_not_reach_other_providers(
    yandex: YandexServer, giga: GigaChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(variable, "openai-secret")
    options: dict[str, Any] = {"api_key": "openai-secret", "timeout": 10.0}
    ask(open_yandex("aliceai-llm", ModelOptions(base_url=yandex.base_url, **options)))
    ask(open_gigachat("m", ModelOptions(base_url=giga.base_url, extra={"auth_url": giga.auth_url}, **options)))
    for request in (*yandex.requests, *giga.requests):
        assert "openai-secret" not in repr(request)
