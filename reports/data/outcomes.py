"""Which samples a count of wins stands for: a link beside the count leads to these and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Outcomes:
    """The samples on which one run did better than another, by the numbers that differences refer to them by."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []

    def add(self, samples: Sequence[str], *, task: str, title: str, better: int, worse: int) -> int | None:
        """Note the ids of samples; return their number, None where there are none.

        ``title`` names the metric; ``better`` and ``worse`` are the numbers of the runs.
        """
        if not samples:
            return None
        about = {"task": task, "title": title, "better": better, "worse": worse}
        self._found.append({**about, "samples": list(samples)})
        return len(self._found) - 1

    def as_json(self) -> list[dict[str, Any]]:
        """Return ``[{"task", "title", "better", "worse", "samples": [id, …]}]``."""
        return self._found


def placed(outcomes: Iterable[Mapping[str, Any]], places: Mapping[tuple[str, str], Sequence[int]]) -> list[Any]:
    """Replace the ids of outcomes by the places of their attempts in a list, each as its distance from the last.

    ``places`` has, by task and sample id, the positions from 0 up. Distances are small, and so pack well.
    """
    found = []
    for one in outcomes:
        at = sorted(place for sample in one["samples"] for place in places.get((one["task"], sample), ()))
        steps = [place - before for place, before in zip(at, [-1, *at], strict=False)]
        found.append({**one, "samples": steps})
    return found
