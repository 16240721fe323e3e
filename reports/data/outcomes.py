"""The samples behind each count of wins or losses, which links from counts to samples refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Outcomes:
    """Lists of samples on which one run did better than another; differences refer to them by index."""

    def __init__(self) -> None:
        self._lists: list[dict[str, Any]] = []

    def add(self, samples: Sequence[str], *, task: str, title: str, better: int, worse: int) -> int | None:
        """Add a list of sample ids; return its index, None for an empty list.

        ``title`` names the metric; ``better`` and ``worse`` are the numbers of the runs.
        """
        if not samples:
            return None
        about = {"task": task, "title": title, "better": better, "worse": worse}
        self._lists.append({**about, "samples": list(samples)})
        return len(self._lists) - 1

    def as_json(self) -> list[dict[str, Any]]:
        """Return ``[{"task", "title", "better", "worse", "samples": [id, …]}]``."""
        return self._lists


def placed(outcomes: Iterable[Mapping[str, Any]], places: Mapping[tuple[str, str], Sequence[int]]) -> list[Any]:
    """Replace sample ids by the delta-encoded positions of their attempts, which compress well.

    ``places`` has the positions, from 0, by task and sample id.
    """
    encoded = []
    for one in outcomes:
        at = sorted(place for sample in one["samples"] for place in places.get((one["task"], sample), ()))
        steps = [place - before for place, before in zip(at, [-1, *at], strict=False)]
        encoded.append({**one, "samples": steps})
    return encoded
