"""Reads a server's answer to a chat: its text, and what it says of itself.

Servers that speak OpenAI's protocol differ in every field. What is not understood is unknown (None); an answer that
says that the server failed is an error, never a text to score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ....tasks.types import Completion, Usage
from ..reasoning import split_reasoning
from .retry import OUT_OF_MONEY, Failure, RequestError, failure_of_status

# Finish reasons by which servers say that max_tokens or the context ended the answer, without underscores.
_LENGTH = frozenset({"length", "maxtokens", "maxoutputtokens", "modellength", "modelcontextwindowexceeded"})
# Finish reasons that name a failure of the server: network_error, abort, insufficient_system_resource, …
_FAILED = re.compile(r"error|abort|cancel|fail|insufficient|overload|timeout|timedout|unavailable|preempt")
# What servers call the words of an error.
_MESSAGES = ("message", "detail", "msg", "error_msg", "error_message", "errors")
_LONGEST_REASON = 300


def read_answer(content: bytes, *, latency: float) -> Completion:
    """Read the body of a chat completion, or the events of one that was streamed.

    ``finish_reason`` is ``length`` whatever the server calls it, else the server's own.

    Raises:
        RequestError: it is not one (broken JSON, no choices, an HTML page of a proxy), or it says that the server
            failed.
    """
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        body = _joined(content) if _is_stream(content) else _parse(content)
        choice = _choice(body)
        message = choice["message"]
        text, thoughts = _content(message.get("content"))
        thoughts += [_text(message.get("reasoning_content")) or _text(message.get("reasoning"))]
        usage, reason = body.get("usage"), choice.get("finish_reason")
        completion = Completion(
            text=text or _text(message.get("refusal")),
            reasoning="\n\n".join(filter(None, thoughts)) or None,
            finish_reason=_finish_reason(reason) if isinstance(reason, str) else None,
            usage=Usage.from_server(usage if isinstance(usage, Mapping) else {}),
            latency=round(latency, 6),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        start = content[:80].decode("utf-8", "replace")
        raise RequestError(f"sent no chat completion ({type(error).__name__}) but {start!r}") from None
    return split_reasoning(completion)


def error_reason(content: bytes) -> str:
    """Return the error message of a response in one line: OpenAI's form, ``message`` alone, or the text itself."""
    try:
        return _reason_of(_parse(content))
    except (ValueError, RecursionError):
        return _one_line(content.decode("utf-8", "replace"))


def _choice(body: Any) -> Mapping[str, Any]:
    """Return the first choice, whose ``message`` is an object.

    Raises:
        RequestError: the body or the choice says that the server failed.
    """
    if isinstance(body, dict) and _reports_error(body):
        raise _failed(body.get("error") or body)
    choice = body["choices"][0]
    if _says_something(choice.get("error")):
        raise _failed(choice["error"])
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and _FAILED.search(_plain(reason)):
        raise RequestError(f"ended the answer with finish_reason {reason[:40]!r}")
    if not isinstance(choice.get("message"), dict):
        raise TypeError("no message")
    found: Mapping[str, Any] = choice
    return found


def _reports_error(body: Mapping[str, Any]) -> bool:
    if _says_something(body.get("error")) or body.get("object") == "error":
        return True
    return "choices" not in body and any(name in body for name in _MESSAGES)


def _says_something(error: Any) -> bool:
    """Tell an error from a field that is there and empty, as in ``{"code": 0, "message": ""}``."""
    return any(error.values()) if isinstance(error, dict) else bool(error)


def _failed(error: Any) -> RequestError:
    """Return the error that an answer with status 200 reports; its code, if any, says what it means."""
    known = error if isinstance(error, dict) else {}
    code = next((known[name] for name in ("code", "status", "status_code") if known.get(name)), None)
    content = orjson.dumps({"error": {**known, "code": code}})
    status = int(str(code)) if re.fullmatch(r"[1-5][0-9]{2}", str(code)) else None
    failure = Failure.TEMPORARY
    if code in OUT_OF_MONEY:
        failure = Failure.FATAL
    elif status is not None and status >= 400:
        failure = failure_of_status(status, content)
    elif "invalid_request" in str(known.get("type")):
        failure = Failure.REFUSED
    shown = f" {status}" if status else ""
    return RequestError(f"reported the error{shown}: {_reason_of(error)}", failure, status=status, content=content)


def _reason_of(body: Any) -> str:
    error = body.get("error") or body if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _one_line(str(error))
    message = next((error[name] for name in _MESSAGES if error.get(name)), error)
    metadata = error.get("metadata")
    # OpenRouter: the provider's own words.
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return _one_line(f"{message}: {raw}" if raw else str(message))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_REASON] or "no reason given"


def _content(content: Any) -> tuple[str, list[str]]:
    """Return the text of a message's content and its thoughts; content is text or a list of parts.

    Raises:
        TypeError: it is neither.
    """
    if content is None or isinstance(content, str):
        return content or "", []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise TypeError("the content is not text")
    texts, thoughts = [], []
    for part in content:
        kind = part.get("type", "text") if isinstance(part, dict) else "text"
        if kind in ("text", "output_text"):
            texts.append(part if isinstance(part, str) else _text(part.get("text")))
        elif kind in ("thinking", "reasoning"):
            thoughts.append(_text(part))
        elif kind == "refusal":
            texts.append(_text(part.get("refusal")))
    return "".join(texts), thoughts


def _text(value: Any) -> str:
    """Return the words of a text, of an object that holds some (a summary, a thought), or of a list of these."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text, value))
    if isinstance(value, dict):
        names = ("thinking", "reasoning", "text", "content", "summary", "refusal")
        return next((text for name in names if (text := _text(value.get(name)))), "")
    return ""


def _finish_reason(reason: str) -> str:
    return "length" if _plain(reason) in _LENGTH else reason


def _plain(reason: str) -> str:
    return re.sub(r"[^a-z]", "", reason[:80].lower())


def _is_stream(content: bytes) -> bool:
    return content.lstrip()[:6].startswith((b"data:", b"event:", b"id:", b": ", b":\n"))


def _joined(content: bytes) -> dict[str, Any]:
    """Return the chat completion that server-sent events add up to.

    Raises:
        ValueError: an event is not JSON, or the stream ends before the answer does.
    """
    message: dict[str, Any] = {}
    joined: dict[str, Any] = {}
    reason = None
    for event in _events(content):
        if not isinstance(event, dict):
            raise TypeError("an event is not an object")
        if _reports_error(event):
            return event
        if event.get("usage"):
            joined["usage"] = event["usage"]
        for choice in event.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            if _says_something(choice.get("error")):
                return {"choices": [choice]}
            for name, piece in (choice.get("delta") or choice.get("message") or {}).items():
                if isinstance(piece, str) and name != "role":
                    message[name] = message.get(name, "") + piece
            reason = choice.get("finish_reason") or reason
    if reason is None:
        raise ValueError("the stream ended before the answer")
    return {**joined, "choices": [{"message": message, "finish_reason": reason}]}


def _events(content: bytes) -> Iterable[Any]:
    for line in content.splitlines():
        name, _, data = line.partition(b":")
        if name == b"data" and data.strip() and data.strip() != b"[DONE]":
            yield _parse(data)


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Answers cut inside an emoji contain an unpaired surrogate or an incomplete UTF-8 sequence.
        lenient = json.dumps(json.loads(content.decode("utf-8", "replace")), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
