"""The passport to read: a table of measurements with ideal values and significant deviations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...statistics import Estimate
from .document import Passport
from .measurements import Measurement


def as_markdown(passport: Passport) -> str:
    """Return the passport as a page of markdown."""
    lines = [
        f"# Passport of {passport.judge}",
        "",
        f"Measured {passport.measured}; sha256 `{passport.sha256}`.",
        f"Family: {passport.family or 'unknown, so its effect was not measured'}.",
        "",
        *_table(passport.measurements),
    ]
    if passport.labelled is not None:
        described = passport.labelled
        lines += [
            f"## Agreement with {described['answers']} labelled answers",
            "",
            f"`{described['path']}`, graded by the form `{described['form']}`;"
            f' a verdict from {described["correct_from"]:g} of the scale on says "correct".',
            "",
            *_table(passport.agreement),
        ]
    lines += ["`!` marks a significant deviation: the interval excludes the ideal value.", ""]
    return "\n".join(lines)


def _table(measurements: Sequence[Measurement]) -> list[str]:
    lines = ["| Measurement | Value | 95 % | Ideal | | n |", "|---|---|---|---|---|---|"]
    for one in measurements:
        fair = "" if one.fair is None else f"{one.fair:g}"
        lines.append(f"| {one.title} (`{one.name}`) | {_cells(one.estimate, fair, '!' if one.off else '')}")
        lines += list(_parts(one))
    return [*lines, ""]


def _parts(measurement: Measurement) -> Iterator[str]:
    for name, estimate in measurement.parts.items():
        yield f"| · {name} | {_cells(estimate, '', '')}"


def _cells(estimate: Estimate, fair: str, mark: str) -> str:
    value = "not measured" if estimate.value is None else f"{estimate.value:.3f}"
    bounds = "" if estimate.low is None else f"{estimate.low:.3f} … {estimate.high:.3f}"
    return f"{value} | {bounds} | {fair} | {mark} | {estimate.n} |"
