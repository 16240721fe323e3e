"""Retry policy of all HTTP requests: what a failure means, and when a request is sent again.

`failure_of_status` classifies a status (a 403 ends the run, a 503 is retried), `ask_again` is the retry loop, and
`model_error` makes the error for the user. `Patience` bounds the attempts.
"""

from __future__ import annotations

import asyncio
import math
import random
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

TEMPORARY_STATUSES = frozenset({408, 409, 425, 500, 502, 503, 504})
FATAL_STATUSES = frozenset({401, 402, 403, 404, 405})
# Codes of a 429 for which retrying is useless.
OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def failure_of_status(status: int, content: bytes = b"") -> Failure:
    """Return what a status of 400 or more means; ``content`` is the answer's, which may give a code."""
    if status == 429:
        return Failure.FATAL if _code(content) in OUT_OF_MONEY else Failure.RATE_LIMITED
    if status in TEMPORARY_STATUSES:
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
    """Return what ``Retry-After`` (seconds, a date) or ``retry-after-ms`` asks for, or None; at most 5 minutes."""
    wanted: float | None = None
    try:
        if "retry-after-ms" in headers:
            wanted = float(headers["retry-after-ms"]) / 1000
        elif "retry-after" in headers:
            value = headers["retry-after"]
            try:
                wanted = float(value)
            except ValueError:
                moment = parsedate_to_datetime(value)
                wanted = (moment - datetime.now(moment.tzinfo or UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    if wanted is None or math.isnan(wanted):
        return None
    return min(max(wanted, 0.0), LONGEST_RETRY_AFTER)


def _allowed(error: RequestError, patience: Patience) -> int:
    if error.failure is Failure.UNREACHABLE and not error.reached and patience.attempts_to_connect is not None:
        return patience.attempts_to_connect
    return patience.attempts


def _too_late(begun: float, pause: float, patience: Patience) -> bool:
    return patience.seconds is not None and time.monotonic() + pause > begun + patience.seconds


def _code(content: bytes) -> str | None:
    try:
        return str(orjson.loads(content)["error"]["code"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
