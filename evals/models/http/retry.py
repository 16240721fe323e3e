"""Retry policy of all HTTP requests: what a failure means, and when a request is sent again.

`failure_of_status` classifies a status (a 503 is retried; a 403 ends the run unless the server has answered before:
`FATAL_AT_FIRST`), `ask_again` is the retry loop, `model_error` makes the error for the user, `Patience` bounds the
attempts.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TypeVar

import orjson

from ....errors import ModelError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST_RETRY_AFTER = 300.0
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Numbers of seconds that are moments, not durations: Unix time from 2001 on, and up to the year 5138.
_EARLIEST_MOMENT, _LATEST_MOMENT = 1e9, 1e11

Answer = TypeVar("Answer")


class Failure(Enum):
    """Kinds of failed requests."""

    TEMPORARY = "the same request may succeed in a moment"
    RATE_LIMITED = "it may succeed later, and so may all others"
    UNREACHABLE = "there is no connection: asked again, then the end of the run"
    REFUSED = "this request has no answer, others may"
    FATAL = "no request will have an answer: the end of the run"
    UNTRUSTED = "the server's certificate is not trusted: the end of the run"


ASKED_AGAIN = frozenset({Failure.TEMPORARY, Failure.RATE_LIMITED, Failure.UNREACHABLE})
ENDING = frozenset({Failure.UNREACHABLE, Failure.FATAL, Failure.UNTRUSTED})

# 498 and 499 are of proxies: an expired token of theirs, a client of theirs that has gone.
TEMPORARY_STATUSES = frozenset({408, 409, 425, 498, 499})
# Every other status from 500 on may pass: those of Cloudflare (520 to 530) and overloads (529) among them.
LASTING_STATUSES = frozenset({501, 505, 510, 511})
FATAL_STATUSES = frozenset({401, 402, 403, 404, 405})
# What these say of one server's first request they say of one prompt later: a moderator refused it.
FATAL_AT_FIRST = frozenset({403, 404})
# Codes of a 429 for which retrying is useless.
OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def failure_of_status(status: int, content: bytes = b"") -> Failure:
    """Return what a status of 400 or more means; ``content`` is the answer's, which may give a code."""
    if status == 429:
        return Failure.FATAL if error_field(content, "code") in OUT_OF_MONEY else Failure.RATE_LIMITED
    if status in TEMPORARY_STATUSES or (status >= 500 and status not in LASTING_STATUSES):
        return Failure.TEMPORARY
    return Failure.FATAL if status in FATAL_STATUSES else Failure.REFUSED


class RequestError(Exception):
    """A request that brought no answer.

    Args:
        reason: what happened, as it goes on after the server's name.
        failure: what that means.
        status, content: of the answer that was none; no status where no answer came.
        retry_after: seconds that the server asks to wait for.
        reached: whether this server has ever answered.

    ``attempts`` is how often the request was sent.
    """

    def __init__(
        self,
        reason: str,
        failure: Failure = Failure.TEMPORARY,
        *,
        status: int | None = None,
        content: bytes = b"",
        retry_after: float | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(reason)
        self.failure = failure
        self.status = status
        self.content = content
        self.retry_after = retry_after
        self.reached = reached
        self.attempts = 1


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits on the attempts of one request.

    Args:
        attempts: failures after which it is given up.
        attempts_to_connect: the same while the server has never been reached; ``attempts`` unless given.
        seconds: no attempt begins later than this after the first one. Rate limits are then waited out and not
            counted as failures.
    """

    attempts: int = 8
    attempts_to_connect: int | None = None
    seconds: float | None = None


async def ask_again(
    once: Callable[[], Awaitable[Answer]], patience: Patience, *, hold: Callable[[float], None] | None = None
) -> Answer:
    """Return the result of ``once``, retrying temporary failures with a pause before each attempt.

    A pause requested by the server is passed to ``hold``, if given, which delays all requests.

    Raises:
        RequestError: a permanent failure, or the last temporary one.
    """
    begun = time.monotonic()
    failures = limits = 0
    while True:
        try:
            return await once()
        except RequestError as error:
            if error.failure not in ASKED_AGAIN:
                raise
            rate_limited = error.failure is Failure.RATE_LIMITED
            if rate_limited and patience.seconds is not None:
                limits += 1
            else:
                failures += 1
            error.attempts = failures + limits
            wanted = error.retry_after
            pause = pause_seconds(error.attempts - 1) if wanted is None else wanted
            if failures >= _allowed(error, patience) or _too_late(begun, pause, patience):
                raise
        if hold is not None and (rate_limited or wanted is not None):
            hold(pause)
        else:
            await asyncio.sleep(pause)


def model_error(error: RequestError, where: str) -> ModelError:
    """Return the error for the user; ``where`` names the server."""
    fatal = error.failure in ENDING
    if error.failure is Failure.UNREACHABLE:
        return ModelError(
            f"cannot reach {where}: {error}; is the server running, is --base-url right?", fatal=fatal
        )
    tries = f" ({error.attempts} attempts)" if error.failure in ASKED_AGAIN else ""
    return ModelError(f"{where} {error}{tries}", fatal=fatal)


def pause_seconds(attempt: int) -> float:
    """Return how long to wait after failed attempt number ``attempt``, from 0: exponential, full jitter."""
    return random.uniform(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return what ``Retry-After`` or ``retry-after-ms`` asks for, or None; at most 5 minutes."""
    if "retry-after-ms" in headers:
        return _at_most(_number(headers["retry-after-ms"]), 1e-3)
    if "retry-after" in headers:
        return _at_most(seconds_until(headers["retry-after"]))
    return None


def seconds_until(text: str) -> float | None:
    """Read how long to wait: ``1.5``, ``6m0s``, ``20ms``, a date (of HTTP, ISO 8601), Unix time in s or ms.

    None if it is none of these; past moments are 0.
    """
    text = text.strip()[:40]
    number = _number(text)
    if number is not None:
        return max(0.0, number if number < _EARLIEST_MOMENT else _unix_seconds(number) - time.time())
    durations = _DURATION.findall(text)
    if durations and not _DURATION.sub("", text).strip():
        return sum(float(number) * _SECONDS[unit] for number, unit in durations)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with contextlib.suppress(ValueError, TypeError):
            moment = read(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return None


def error_field(content: bytes, name: str) -> str | None:
    """Return a field of an error in OpenAI's form (``code``, ``param``) as text, None where there is none."""
    try:
        value = orjson.loads(content)["error"][name]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
    return None if value is None else str(value)


def _at_most(seconds: float | None, unit: float = 1.0) -> float | None:
    return None if seconds is None else min(max(seconds * unit, 0.0), LONGEST_RETRY_AFTER)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unix_seconds(moment: float) -> float:
    """Return a Unix time in seconds; in milliseconds or finer it is larger than any date in seconds."""
    while moment >= _LATEST_MOMENT:
        moment /= 1000
    return moment


def _allowed(error: RequestError, patience: Patience) -> int:
    if error.failure is Failure.UNREACHABLE and not error.reached and patience.attempts_to_connect is not None:
        return patience.attempts_to_connect
    return patience.attempts


def _too_late(begun: float, pause: float, patience: Patience) -> bool:
    return patience.seconds is not None and time.monotonic() + pause > begun + patience.seconds
