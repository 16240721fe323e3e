"""When to ask again: growing random pauses, and what the server itself asks for."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST_RETRY_AFTER = 300.0
RETRIED_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


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
