"""The curves of trainings: every number that ``metrics.jsonl`` has, by what it tells, ready to be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...evals.records.training import MetricsRow

Point = tuple[int, float]

MOST_POINTS: Final = 240
"""Points of a drawn line; of a longer one each stretch keeps its lowest and its highest."""

MOST_NUMBERS: Final = 60
"""Steps of the table beside the curves."""

# In the order of the page; a name that stands nowhere goes to "other", one with a dot to the section before it.
_SECTIONS: Final = {
    "main": ("reward", "kl", "entropy", "length", "clip_fraction", "truncated", "loss"),
    "families": (),
    "components": (),
    "watched": (),
    "canaries": ("canaries.unchanged",),
    "signs": ("cyrillic", "distinct", "repetition"),
    "critic": (
        "critic_score", "critic_reward", "critic_auroc", "critic_brier", "critic_inflation",
        "critic_temperature", "critic_deviation", "critic_effective_samples", "critic_loss", "critic_kl",
        "critic_gradient_norm",
    ),
    "sampling": (
        "informative_share", "unscored", "groups", "waves", "generated_tokens", "max_tokens", "sampling_seconds",
        "learning_seconds",
    ),
    "optimizer": ("reward_deviation", "gradient_norm", "learning_rate", "kl_bound_reached"),
    "other": (),
}  # fmt: skip
_SHARES: Final = frozenset(
    {
        "truncated", "clip_fraction", "unscored", "informative_share", "cyrillic", "distinct", "repetition",
        "critic_effective_samples", "kl_bound_reached", "canaries.unchanged",
    }
)  # fmt: skip
# Drawn as dots beside the reward, shown as a share, or no measure at all.
_NOT_DRAWN: Final = frozenset({"step", "validation", "sampled", "informative"})


def curve_sections(lines: Sequence[Sequence[Sequence[MetricsRow]]]) -> list[dict[str, Any]]:
    """Return the curves of some trainings, by section.

    ::

        [{"name", "steady": [{"name", "unit", "values": [value | None]}],
          "curves": [{"name", "unit", "part", "lines": [{"points", "mean", "window", "numbers", "last",
                                                         "validation"} | None]}]}]

    Points are ``[step, value]`` with the steps of all rounds counted on; ``mean`` is the mean of the last
    ``window`` steps of a round, empty for a short line. ``numbers`` are the values at `numbered_steps`. What never
    changes is ``steady``, and no curve. A ``part`` is one of a component that has a curve itself.

    Args:
        lines: for each training or loop its rounds, each the rows of ``metrics.jsonl``.
    """
    measured = [[[_measures(row) for row in rows] for rows in rounds] for rounds in lines]
    names = list(dict.fromkeys(name for rounds in measured for rows in rounds for row in rows for name in row))
    by_section: dict[str, list[str]] = {section: [] for section in _SECTIONS}
    for name in names:
        by_section.setdefault(_section(name), []).append(name)
    sections = []
    for section, found in by_section.items():
        if section == "families" and len(found) < 2:
            continue  # the only family's scores are the reward
        sections.append(_section_of(section, _ordered(found, _SECTIONS.get(section, ())), measured))
    return [section for section in sections if section["curves"] or section["steady"]]


def numbered_steps(count: int) -> list[int]:
    """Return the steps whose numbers are written down: all of them, or about `MOST_NUMBERS` with first and last."""
    stride = max(1, math.ceil(count / MOST_NUMBERS))
    return sorted({*range(1, count + 1, stride), count} - {0})


def _section_of(section: str, names: Sequence[str], measured: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": section, "steady": [], "curves": []}
    for name in names:
        unit = "share" if name in _SHARES else "number"
        known = [[row[name] for rows in rounds for row in rows if name in row] for rounds in measured]
        if section != "main" and all(len(set(values)) < 2 for values in known):
            values = [some[0] if some else None for some in known]
            found["steady"].append({"name": name, "unit": unit, "values": values})
            continue
        found["curves"].append(
            {
                "name": name,
                "unit": unit,
                "part": name.partition("/")[0] in names and "/" in name,
                "lines": [_line(name, rounds) for rounds in measured],
            }
        )
    return found


def _line(name: str, rounds: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, Any] | None:
    points: list[Point] = []
    mean: list[Point] = []
    validation: list[Point] = []
    every: dict[int, float] = {}
    before = 0
    window = mean_window(max((sum(name in row for row in rows) for rows in rounds), default=0))
    for rows in rounds:
        some = _points(name, rows, before)
        points += thinned(some)
        mean += thinned(trailing_mean(some, window)) if window else []
        every.update(some)
        if name == "reward":
            validation += _points("validation", rows, before)
        before += len(rows)
    if not points:
        return None
    return {
        "points": [list(point) for point in points],
        "mean": [list(point) for point in mean],
        "window": window,
        "validation": [list(point) for point in validation],
        "numbers": [every.get(step) for step in numbered_steps(before)],
        "last": (mean or points)[-1][1],
    }


def _points(name: str, rows: Sequence[Mapping[str, float]], before: int) -> list[Point]:
    return [(before + at, row[name]) for at, row in enumerate(rows, 1) if name in row]


def mean_window(steps: int) -> int:
    """Return over how many steps a line is averaged: a tenth of them, at least 4; 0 where there are too few."""
    return 0 if steps < 12 else max(4, steps // 10)


def trailing_mean(points: Sequence[Point], window: int) -> list[Point]:
    """Return, at each point, the mean of the last ``window`` values, of fewer at the beginning."""
    found = []
    total = 0.0
    for at, (step, value) in enumerate(points):
        total += value - (points[at - window][1] if at >= window else 0.0)
        found.append((step, total / min(at + 1, window)))
    return found


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Return at most about ``most`` points: first, last, and the lowest and highest of each stretch between."""
    if len(points) <= most:
        return list(points)
    stretch = math.ceil(2 * len(points) / most)
    kept = {points[0], points[-1]}
    for start in range(0, len(points), stretch):
        some = points[start : start + stretch]
        kept |= {min(some, key=_value), max(some, key=_value)}
    return sorted(kept)


def _value(point: Point) -> float:
    return point[1]


def _measures(row: MetricsRow) -> dict[str, float]:
    """Return a row's numbers by name, nested ones as ``group.name``."""
    numbers = dict(_numbers(row.as_json()))
    if row.informative_share is not None:
        numbers["informative_share"] = row.informative_share
    return numbers


def _numbers(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if isinstance(value, dict) and "value" in value:
            # A watched reward: its mean, and what the reward that is learned from has beyond it.
            yield from _numbers({name: value["value"], f"{name}.gap": value.get("gap")}, prefix)
        elif isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield prefix + str(name), float(value)


def _section(name: str) -> str:
    group, dot, _ = name.partition(".")
    if dot and group:
        return group
    return next((section for section, names in _SECTIONS.items() if name in names), "other")


def _ordered(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    rank = {name: place for place, name in enumerate(wanted)}
    drawn = [name for name in names if name not in _NOT_DRAWN]
    return sorted(drawn, key=lambda name: (rank.get(name, len(rank)), "" if name in rank else name))
