"""A loop's rounds as Markdown: curves, the verdicts, and answers before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .recipe_fields import Loop

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 400


def write_report(summary: Mapping[str, Any], wanted: Loop) -> str:
    """Return the report of what ``loop.json`` holds."""
    lines = ["# The loop", ""]
    lines += [f"Result: `{summary['model']}`" if summary["accepted"] else "No round was better for certain.", ""]
    lines += ["| round | verdict | gain | 95 % interval | p | won / tied / lost |", "|---|---|---|---|---|---|"]
    for entry in summary["rounds"]:
        gain = entry["gain"]
        word = "accepted" if entry["accepted"] else "rolled back"
        counts = f"{gain['wins']} / {gain['ties']} / {gain['losses']}"
        interval = "" if gain["low"] is None else f"{gain['low']:+.3f} … {gain['high']:+.3f}"
        value = "" if gain["value"] is None else f"{gain['value']:+.3f}"
        lines.append(f"| {entry['round']} | {word} | {value} | {interval} | {gain['p_value']:.2g} | {counts} |")
    lines += ["", f"Accepted is what raises `{wanted.accept}` with all of its interval, while the guards hold."]
    for entry in summary["rounds"]:
        lines += ["", f"## Round {entry['round']}", "", *_curves(entry["curve"])]
        lines += [f"- Not accepted: {reason}" for reason in entry["reasons"]]
        lines += [f"- Alarm at step {one['step']}: {'; '.join(one['alarms'])}" for one in entry["alarms"]]
        lines += ["", "| guard | before | after | change | margin | |", "|---|---|---|---|---|---|"]
        for one in entry["guards"]:
            mark = "holds" if one["holds"] else "**broken**"
            sides = " | ".join("" if one[side] is None else f"{one[side]:.3f}" for side in ("before", "after"))
            lines.append(f"| {one['name']} | {sides} | {one['change']:+.3f} | {one['margin']:g} | {mark} |")
        lines += ["", "### Answers before and after", ""]
        for one in entry["examples"]:
            lines += [f"**{one['id']}** ({one['score_before']} → {one['score_after']})", ""]
            lines += [*_quoted(one["prompt"]), "", "Before:", "", *_fenced(one["before"]), "", "After:", ""]
            lines += [*_fenced(one["after"]), ""]
    return "\n".join(lines) + "\n"


def sparkline(values: Sequence[float | None]) -> str:
    """Draw numbers as a line of bars from the smallest to the largest; a gap where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if value is None else _BARS[min(len(_BARS) - 1, int((value - low) / span * len(_BARS)))]
        for value in values
    )


def _curves(curve: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| | first | last | |", "|---|---|---|---|"]
    for name in ("reward", "kl", "entropy", "length", "cyrillic"):
        values = [row[name] for row in curve]
        known = [value for value in values if value is not None]
        if known:
            lines.append(f"| {name} | {known[0]:.3f} | {known[-1]:.3f} | `{sparkline(values)}` |")
    return [*lines, ""]


def _quoted(text: str) -> list[str]:
    return [f"> {line}" for line in _cut(text).splitlines()] or [">"]


def _fenced(text: str) -> list[str]:
    # Indented: no text of a model can close it.
    return [f"    {line}" for line in _cut(text).splitlines()] or ["    (empty)"]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
