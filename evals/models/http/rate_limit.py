"""Rate limits: those set by the user, those in response headers, and an adaptive limit on concurrency."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping

from .retry import seconds_until

MINUTE = 60.0
HALVED_AT_MOST_EVERY = 1.0
LONGEST_RESET = 300.0


class TokenBucket:
    """A token bucket: units per minute, refilled steadily, with a capacity of a few seconds.

    A request larger than the capacity waits until the bucket is full and makes it negative.
    """

    BURST = 5.0

    def __init__(self, a_minute: float) -> None:
        self._rate = a_minute / MINUTE
        self._room = max(1.0, self._rate * self.BURST)
        self._left = self._room
        self._filled = time.monotonic()

    def take(self, units: float) -> float:
        """Return the seconds until ``units`` may be taken; 0 takes them."""
        now = time.monotonic()
        self._left = min(self._room, self._left + (now - self._filled) * self._rate)
        self._filled = now
        wanted = min(units, self._room)
        if self._left >= wanted:
            self._left -= units
            return 0.0
        return (wanted - self._left) / self._rate


class RateLimit:
    """Limits requests: pauses until a time given by the server, and a window of concurrent requests.

    The window is ``concurrency`` at first, is halved when the server says 429 and grows by one when a whole window
    of answers went well (additive increase, multiplicative decrease; Chiu and Jain 1989). ``requests`` and
    ``tokens`` per minute are enforced where given; response headers that report an exhausted limit pause all
    requests until its reset.
    """

    def __init__(self, concurrency: int, *, requests: float | None = None, tokens: float | None = None) -> None:
        self._most = concurrency
        self._window = float(concurrency)
        self._in_flight = 0
        self._opens = 0.0
        self._halved = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._requests = TokenBucket(requests) if requests else None
        self._tokens = TokenBucket(tokens) if tokens else None

    @property
    def window(self) -> int:
        """How many requests may be in flight now."""
        return max(1, int(self._window))

    def pause_for(self, seconds: float) -> None:
        """Pause all requests for this long."""
        self._opens = max(self._opens, time.monotonic() + seconds)

    async def acquire(self, tokens: int = 0) -> None:
        """Wait until a request of about ``tokens`` tokens may be sent; call `release` when it has ended."""
        while self._in_flight >= self.window:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                self._wake()  # its turn may have come in the same moment
                raise
        self._in_flight += 1
        try:
            for bucket, units in ((self._requests, 1), (self._tokens, tokens)):
                while bucket is not None and (wait := bucket.take(units)) > 0:
                    await asyncio.sleep(wait)
            while (wait := self._opens - time.monotonic()) > 0:
                # Jitter, so that waiting requests do not start at the same moment.
                await asyncio.sleep(wait + random.uniform(0.0, 0.1))
        except BaseException:
            self.release()
            raise

    def release(self, *, rate_limited: bool = False, answered: bool = False) -> None:
        """Report the end of a request."""
        self._in_flight -= 1
        now = time.monotonic()
        if rate_limited:
            # What was sent before the last halving says nothing about the new window.
            if now - self._halved >= HALVED_AT_MOST_EVERY:
                self._window, self._halved = max(1.0, self._window / 2), now
        elif answered and self._window < self._most:
            self._window = min(float(self._most), self._window + 1 / self._window)
        self._wake()

    def _wake(self) -> None:
        room = self.window - self._in_flight
        while self._waiting and room > 0:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                room -= 1

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Pause requests until ``x-ratelimit-reset-…`` (a duration or a moment) when nothing remains of a limit."""
        for kind in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
                wait = seconds_until(headers.get(f"x-ratelimit-reset-{kind}", ""))
                self.pause_for(min(wait or 0.0, LONGEST_RESET))
