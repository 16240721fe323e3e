"""Servers as they are: failures in answers with status 200, fields of any type, streams, malformed HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from evalkit.errors import ModelError, UsageError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.http import client as http_client
from evalkit.evals.models.http import retry
from evalkit.evals.models.http.openai import open_openai
from evalkit.evals.models.http.retry import retry_after_seconds, seconds_until
from evalkit.tasks.types import Completion, Message, Usage
from evalkit.tests.support.raw_server import RawServer, chat, http

GOOD = http(chat())
TRIES = 8


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.002)


def ask(
    server: RawServer,
    times: int = 1,
    *,
    timeout: float = 20.0,
    extra: dict[str, str] | None = None,
    **sampling: Any,
) -> Completion:
    async def run() -> Completion:
        options = ModelOptions(base_url=server.url, timeout=timeout, extra=extra)
        model = open_openai("m", options)
        try:
            for _ in range(times):
                answer = await model.generate([Message("user", "вопрос")], Sampling(**sampling))
            return answer
        finally:
            await model.close()

    return asyncio.run(run())


def failure(server: RawServer, times: int = 1, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as told:
        ask(server, times, **options)
    assert len(str(told.value)) < 600
    assert "\n" not in str(told.value)
    return told.value


# What a choice says of the server

FAILED = (
    "error", "ERROR", "network_error", "server_error", "internal-error", "abort", "aborted", "cancelled",
    "canceled", "insufficient_system_resource", "upstream_timeout", "timed_out", "overloaded",
    "engine_overloaded", "preempted", "service_unavailable", "failed", "generation_failed",
)  # fmt: skip


@pytest.mark.parametrize("reason", FAILED)
def test_a_finish_reason_that_names_a_failure_is_tried_again(reason: str) -> None:
    with RawServer([http(chat("Вот нача", reason)), GOOD]) as server:
        assert ask(server).text == "да"
    with RawServer([http(chat("", reason))]) as server:
        error = failure(server)
        assert f"finish_reason '{reason}'" in str(error)
        assert len(server.requests) == TRIES
        assert not error.fatal


@pytest.mark.parametrize(
    "reason",
    ["max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded", "length", "max-output-tokens"],
)
def test_all_words_for_a_cut_answer_mean_length(reason: str) -> None:
    with RawServer([http(chat("да", reason))]) as server:
        assert ask(server).finish_reason == "length"


@pytest.mark.parametrize(
    "reason", ["stop", "eos", "end_turn", "stop_sequence", "content_filter", "tool_calls", "odd"]
)
def test_other_finish_reasons_are_the_servers_own(reason: str) -> None:
    with RawServer([http(chat("да", reason))]) as server:
        assert ask(server).finish_reason == reason


TEMPORARY_ERRORS: tuple[Any, ...] = (
    {"code": 502, "message": "it died"}, {"code": "502", "message": "it died"},
    {"status": 503, "message": "it died"},
    {"message": "it died"}, "it died", {"detail": "it died"}, {"code": "internal", "message": "it died"},
    {"code": 429, "message": "it died"}, {"code": True, "message": "it died"},
)  # fmt: skip
LASTING_ERRORS: tuple[Any, ...] = (
    {"code": 400, "message": "too long"}, {"code": "400", "message": "too long"},
    {"code": 413, "message": "too long"},
    {"type": "invalid_request_error", "message": "too long"},
    {"code": 400, "message": "Provider returned error", "metadata": {"raw": "too long", "provider_name": "X"}},
)  # fmt: skip


@pytest.mark.parametrize("error", TEMPORARY_ERRORS, ids=json.dumps)
def test_an_error_with_status_200_is_tried_again(error: Any) -> None:
    for body in ({"error": error}, chat("нача", None, error=error), {"error": error, "choices": []}):
        with RawServer([http(body), GOOD]) as server:
            assert ask(server).text == "да"
    with RawServer([http({"error": error})]) as server:
        assert "it died" in str(failure(server, timeout=0.5))


@pytest.mark.parametrize("error", LASTING_ERRORS, ids=json.dumps)
def test_an_error_that_stays_is_asked_once_and_its_reason_is_told(error: Any) -> None:
    for body in ({"error": error}, chat("нача", "error", error=error)):
        with RawServer([http(body)]) as server:
            told = failure(server)
            assert "too long" in str(told)
            assert not told.fatal
            assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error", [{"code": 401, "message": "no key"}, {"code": "insufficient_quota", "message": "no key"}]
)
def test_an_error_with_status_200_that_concerns_all_ends_the_run(error: Any) -> None:
    with RawServer([http({"error": error})]) as server:
        assert failure(server).fatal


@pytest.mark.parametrize("nothing", [None, {}, "", [], False, {"code": 0, "message": ""}, {"code": None}])
def test_an_error_that_is_empty_is_none(nothing: Any) -> None:
    with RawServer([http({**chat(error=nothing), "error": nothing})]) as server:
        assert ask(server).text == "да"


@pytest.mark.parametrize(
    "body",
    [
        {"code": 400, "msg": "too long"}, {"status": 400, "error_msg": "too long"},
        {"code": "400", "detail": "too long"},
        {"code": 400, "errors": [{"message": "too long"}]}, {"object": "error", "message": "too long", "code": 400},
        {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}},
        {"success": False, "choices": None, "error": {"code": 400, "msg": "too long"}},
        {"success": False, "code": 400, "error_message": "too long"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_the_reason_of_an_error_is_told_whatever_the_server_calls_it(body: Any) -> None:
    with RawServer([http(body)]) as server:
        assert "too long" in str(failure(server))
        assert len(server.requests) == 1


def test_a_byte_order_mark_is_no_part_of_an_answer() -> None:
    with RawServer([http(b"\xef\xbb\xbf" + json.dumps(chat()).encode())]) as server:
        assert ask(server).text == "да"


# Fields of any type

ODD = ("5", "", [], [5], {}, {"a": 5}, True, -5, 5.5, 1e300, None, 2**70)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_usage_and_finish_reasons_are_unknown(odd: Any) -> None:
    body = chat("да", odd if not isinstance(odd, str) else 5)
    for usage in (odd, {"prompt_tokens": odd, "completion_tokens": odd}):
        with RawServer([http({**body, "usage": usage})]) as server:
            answer = ask(server)
        assert answer.text == "да"
        assert answer.usage == Usage()
        assert answer.finish_reason is None


DA = {"type": "text", "text": "да"}
PARTS: tuple[tuple[Any, str, str | None], ...] = (
    ("да", "да", None),
    (["д", "а"], "да", None),
    ([{"type": "text", "text": "да"}], "да", None),
    ([{"type": "output_text", "text": "да"}], "да", None),
    ([{"type": "output_text", "text": "д", "annotations": []}, {"type": "text", "text": "а"}], "да", None),
    ([{"text": "да"}], "да", None),
    ([{"type": "thinking", "thinking": [{"type": "text", "text": "думаю"}]}, DA], "да", "думаю"),
    ([{"type": "thinking", "thinking": "думаю"}, DA], "да", "думаю"),
    ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "думаю"}]}, DA], "да", "думаю"),
    ([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "да"}], "да", None),
    ([{"type": "refusal", "refusal": "нет"}], "нет", None),
    ({"type": "text", "text": "да"}, "да", None),
    ([], "", None),
    (None, "", None),
)  # fmt: skip


@pytest.mark.parametrize(("content", "text", "reasoning"), PARTS, ids=lambda value: json.dumps(value)[:60])
def test_content_in_all_its_shapes(content: Any, text: str, reasoning: str | None) -> None:
    with RawServer([http(chat(content))]) as server:
        answer = ask(server)
    assert (answer.text, answer.reasoning) == (text, reasoning)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize(
    "thought", ["думаю", {"summary": "думаю"}, {"text": "думаю"}, [{"text": "думаю"}], {"content": ["думаю"]}]
)
def test_reasoning_in_all_its_shapes(field: str, thought: Any) -> None:
    with RawServer([http(chat(message={"role": "assistant", "content": "да", field: thought}))]) as server:
        answer = ask(server)
    assert (answer.text, answer.reasoning) == ("да", "думаю")


@pytest.mark.parametrize("odd", [5, {"a": 1}, {"type": "audio"}, True, [5], [[{"type": "text"}]]], ids=repr)
def test_content_that_is_no_text_is_no_answer(odd: Any) -> None:
    with RawServer([http(chat(odd)), GOOD]) as server:
        assert ask(server).text in ("да", "")


# Streams


def events(*chunks: Any, end: bytes = b"data: [DONE]\n\n", newline: bytes = b"\n", space: bytes = b" ") -> bytes:
    lines = [b"data:" + space + json.dumps(chunk, ensure_ascii=False).encode() + newline * 2 for chunk in chunks]
    return b"".join(lines) + end


def delta(text: str | None, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text, **fields}, "finish_reason": reason}]}


TWO = (delta("Готово,", role="assistant"), delta(" всё.", "stop"))
STREAMS = {
    "plain": events(*TWO),
    "CR LF": events(*TWO, newline=b"\r\n"),
    "no space": events(*TWO, space=b""),
    "comments": b": OPENROUTER PROCESSING\n\n" + events(*TWO),
    "names": b"event: message\nid: 5\n" + events(*TWO),
    "no end": events(*TWO, end=b""),
    "byte order mark": b"\xef\xbb\xbf" + events(*TWO),
    "usage last": events(*TWO, {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}),
    "reason alone": events(delta("Готово,"), delta(" всё."), {"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    "second choice": events(TWO[0], {"choices": [{"index": 1, "delta": {"content": "не то"}}]}, TWO[1]),
    "thoughts": events(delta(None, reasoning_content="ду"), delta(None, reasoning_content="маю"), *TWO),
    "line separators in the text": events(delta("Готово,"), delta(" всё.\u2028", "stop")),
}  # fmt: skip


@pytest.mark.parametrize("kind", STREAMS)
def test_streams_are_read(kind: str) -> None:
    with RawServer([http(STREAMS[kind], headers={"Content-Type": "text/event-stream"})]) as server:
        answer = ask(server)
        assert len(server.requests) == 1
    assert answer.text.strip("\u2028") == "Готово, всё."
    assert answer.finish_reason == "stop"
    assert answer.reasoning == ("думаю" if kind == "thoughts" else None)
    assert answer.usage == (Usage(5, 7) if kind == "usage last" else Usage())


@pytest.mark.parametrize(
    "stream",
    [
        events(TWO[0], end=b""),
        events(TWO[0]),
        events(TWO[0], {"error": {"code": 502, "message": "it died"}}),
        events(TWO[0], {"choices": [{"index": 0, "delta": {}, "error": {"code": 502}, "finish_reason": "error"}]}),
        b'data: {"choices":\n\n',
        b"data: 5\n\n",
        b"data:\n\n",
    ],
)
def test_streams_that_break_off_are_tried_again(stream: bytes) -> None:
    with RawServer([http(stream, headers={"Content-Type": "text/event-stream"}), GOOD]) as server:
        assert ask(server).text == "да"


# HTTP

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "bad chunk": CHUNKED + b"zz\r\n{}\r\n",
    "chunk cut off": CHUNKED + b"ff\r\n{}",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 40_000 + b"\r\n",
    "long header": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "header without a colon": b"HTTP/1.1 200 OK\r\nNonsense\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status in words": b"HTTP/1.1 zwei OK\r\n\r\n",
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "length in words": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "body cut off": http(b"{}", headers={"Content-Length": "500"}),
    "gzip that is none": http(b"{}", headers={"Content-Encoding": "gzip"}),
    "empty body": http(b""),
    "NUL": http(b"\0" * 50),
    "deep": http(b"[" * 200_000),
    "deep choices": http(b'{"choices":' * 50_000 + b"1" + b"}" * 50_000),
    "UTF-16": http('{"choices": []}'.encode("utf-16")),
    "number": http(5),
    "null": http(None),
    "list": http([]),
    "choices of null": http({"choices": [None]}),
    "message of text": http({"choices": [{"message": "да"}]}),
    "choices as an object": http({"choices": {"0": {}}}),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_responses_are_tried_again_and_cost_one_sample(kind: str) -> None:
    with RawServer([MALFORMED[kind], GOOD]) as server:
        assert ask(server).text == "да"
    with RawServer([MALFORMED[kind]]) as server:
        assert not failure(server).fatal
        assert len(server.requests) == TRIES


def test_redirects_in_a_circle_cost_one_sample() -> None:
    circle = http(b"", 307, {"Location": "http://127.0.0.1:{port}/v1/chat/completions"})
    with RawServer([circle]) as server:
        error = failure(server, timeout=0.5)
        assert not error.fatal
        assert "redirects in a loop" in str(error)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_turns_a_post_into_a_get_names_the_address_to_give(status: int) -> None:
    moved = http(b"", status, {"Location": "http://127.0.0.1:{port}/elsewhere?key=SECRET"})
    with RawServer([moved, http(b"<html>")]) as server:
        error = failure(server)
        assert error.fatal
        assert f"redirects requests to http://127.0.0.1:{server.port}/elsewhere" in str(error)
        assert "SECRET" not in str(error)


def test_a_redirect_that_keeps_the_post_is_followed() -> None:
    with RawServer([http(b"", 308, {"Location": "/v2/chat/completions"}), GOOD]) as server:
        assert ask(server).text == "да"
        assert server.requests[1].startswith(b"POST /v2/chat/completions")


def test_an_answer_that_unpacks_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "LARGEST_ANSWER", 1 << 20)
    bomb = http(gzip.compress(b" " * (50 << 20)), headers={"Content-Encoding": "gzip"})
    with RawServer([bomb, GOOD]) as server:
        assert ask(server).text == "да"
    with RawServer([bomb]) as server:
        assert "more than 1 MiB" in str(failure(server))


@pytest.mark.parametrize("status", [498, 499, 507, 509, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 598, 599])
def test_statuses_of_proxies_and_overloads_are_tried_again(status: int) -> None:
    with RawServer([http({"error": {"message": "busy"}}, status), GOOD]) as server:
        assert ask(server).text == "да"


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_after_a_good_answer_concerns_one_prompt(status: int) -> None:
    refusal = http({"error": {"code": status, "message": "flagged"}}, status)
    with RawServer([refusal]) as server:
        assert failure(server).fatal
    with RawServer([GOOD, refusal]) as server:
        error = failure(server, times=2)
        assert not error.fatal
        assert "flagged" in str(error)
    with RawServer([GOOD, http({"error": {"message": "no key"}}, 401)]) as server:
        assert failure(server, times=2).fatal


# Stop strings and parameters


@pytest.mark.parametrize("extra", [None, {"omit": "stop"}])
def test_stop_strings_hold_at_a_server_that_ignores_them(extra: dict[str, str] | None) -> None:
    with RawServer([http(chat("3\nВопрос: 7", "length"))]) as server:
        answer = ask(server, extra=extra, stop=("\nВопрос", "Конец"))
        assert ("stop" in json.loads(server.requests[0].partition(b"\r\n\r\n")[2])) is (extra is None)
    assert (answer.text, answer.finish_reason) == ("3", "stop")


def test_four_stop_strings_are_sent_and_all_are_honoured() -> None:
    with RawServer([http(chat("один шесть семь"))]) as server:
        assert ask(server, stop=("a", "b", "c", "d", "e", " шесть")).text == "один"
        assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["stop"] == ["a", "b", "c", "d"]


def refused(message: str, param: str | None = None) -> bytes:
    return http({"error": {"message": message, "param": param, "code": "unsupported_parameter"}}, 400)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead.",
            "max_tokens",
        ),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", None),
    ],
)
def test_the_bound_of_the_answer_takes_the_name_that_the_server_wants(
    message: str, param: str | None, capsys: Any
) -> None:
    with RawServer([refused(message, param), GOOD]) as server:
        assert ask(server, times=3, max_tokens=9).text == "да"
        bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    assert [body.get("max_completion_tokens") for body in bodies] == [None, 9, 9, 9]
    assert [body.get("max_tokens") for body in bodies] == [9, None, None, None]
    assert capsys.readouterr().err.count("max_completion_tokens is sent instead") == 1


def test_a_server_that_wants_neither_name_is_asked_twice() -> None:
    with RawServer(
        [
            refused("Unsupported: 'max_tokens' ('max_completion_tokens')"),
            refused("Unsupported: 'max_completion_tokens' ('max_tokens')"),
        ]
    ) as server:
        assert failure(server).fatal
        assert len(server.requests) == 2


@pytest.mark.parametrize("parameter", ["temperature", "seed", "top_p", "stop"])
def test_the_error_names_the_option_that_leaves_a_parameter_out(parameter: str) -> None:
    sampling = {"top_p": 0.5, "stop": ("x",)}
    with RawServer([refused(f"Unsupported value: '{parameter}' does not support 0.0", parameter)]) as server:
        error = failure(server, **sampling)
        assert error.fatal
        assert f"openai:m,omit={parameter}" in str(error)
    with RawServer([GOOD, refused(f"Unrecognized request argument '{parameter}'")]) as server:
        error = failure(server, times=2, **sampling)
        assert not error.fatal
        assert f"omit={parameter}" in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 5000. 'max_tokens' or 'max_completion_tokens' must be at most 4096",
        "the prompt is too long",
    ],
)
def test_other_refusals_are_left_as_they_are(message: str) -> None:
    with RawServer([http({"error": {"message": message, "param": "max_tokens"}}, 400)]) as server:
        error = failure(server)
        assert not error.fatal
        assert "omit" not in str(error)
        assert len(server.requests) == 1


# Waits


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2", 2), ("1.5", 1.5), ("6m0s", 360), ("20ms", 0.02), ("1h2m", 3720), ("-5", 0), (" 3 ", 3), ("1.5s", 1.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_until(text) == pytest.approx(seconds)


MOMENTS: dict[str, Callable[[datetime], str]] = {
    "Unix time": lambda moment: f"{moment.timestamp():.0f}",
    "Unix time with a fraction": lambda moment: f"{moment.timestamp():.3f}",
    "Unix time in ms": lambda moment: f"{moment.timestamp() * 1e3:.0f}",
    "Unix time in µs": lambda moment: f"{moment.timestamp() * 1e6:.0f}",
    "ISO 8601": datetime.isoformat,
    "ISO 8601 with Z": lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "ISO 8601 in another zone": lambda moment: moment.astimezone(timezone(timedelta(hours=3))).isoformat(),
    "HTTP date": lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
}


@pytest.mark.parametrize("form", MOMENTS)
def test_moments(form: str) -> None:
    now = datetime.now(UTC)
    wait = seconds_until(MOMENTS[form](now + timedelta(hours=10)))
    assert wait is not None
    assert 3600 < wait <= 36_001
    assert seconds_until(MOMENTS[form](now - timedelta(hours=10))) == 0


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "s", "5x", "m5", "5m or so"])
def test_what_is_neither_duration_nor_moment(text: str) -> None:
    assert seconds_until(text) is None


def test_waits_are_bounded() -> None:
    assert retry_after_seconds({"retry-after": f"{time.time() + 1e7:.0f}"}) == 300
    assert retry_after_seconds({"retry-after-ms": "500"}) == 0.5
    assert retry_after_seconds({"retry-after": "soon"}) is None


# Keys


@pytest.mark.parametrize("key", ["sk-1\n", " sk-1", "sk-1\r\n", "\tsk-1 "])
def test_white_space_around_a_key_is_not_sent(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with RawServer([GOOD]) as server:
        ask(server)
        assert b"Authorization: Bearer sk-1\r\n" in server.requests[0]


@pytest.mark.parametrize("key", ["sk-а1", "sk 1", "sk\n1", "sk-1\u200b1", "«sk-1»"])
def test_a_key_that_is_none_is_one_line_without_the_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UsageError, match=r"OPENAI_API_KEY.* cannot be part of a key") as told:
        open_openai("m", ModelOptions(base_url="http://localhost:1/v1"))
    assert key not in str(told.value)
    assert "\n" not in str(told.value)


def test_empty_variables_are_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", " ")
    assert open_openai("m", ModelOptions()).identity["base_url"] == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(UsageError, match="no server is given"):
        open_openai("m", ModelOptions())
