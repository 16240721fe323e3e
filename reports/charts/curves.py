"""Figures of training: curves over steps with tooltips, and histograms of a critic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Final

from markupsafe import Markup

from ..language.numbers import Numbers
from .axes import Frame, Scale, axes, scale_of_steps, scale_of_values, tone
from .elements import coordinate, element, figure, text

MOST_HINTS: Final = 60
_DOTS = 60  # up to so many points each has a dot


def curve_chart(
    curve: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    *,
    strings: Mapping[str, Any],
    numbers: Numbers,
    wide: bool = False,
) -> Markup:
    """Return the picture of one curve: 960 × 340 units if ``wide``, else 360 × 200.

    A faint line is what was measured, a bold one its trailing mean; diamonds are validation. Rounds end at a solid
    line and stand on a tinted ground when they were rolled back, the reference is reset at a dashed line, and an
    alarm reddens the ground of its steps.

    Args:
        curve: one of `learning_curves.curve_sections`.
        lines: of `learning.learning_data`.
        strings: the words of the page.
        numbers: how numbers are written.
        wide: the large form, with the names of rounds.
    """
    width, height = (960, 340) if wide else (360, 200)
    top = 18 + (16 * sum(len(line["rounds"]) > 1 or line["kind"] == "loop" for line in lines) if wide else 0)
    drawn = [line for line in curve["lines"] if line]
    values = [y for line in drawn for _, y in (*line["points"], *line["validation"])]
    across = scale_of_steps(max((line["steps"] for line in lines), default=1), 8 if wide else 4)
    up = scale_of_values(values, 5 if wide else 4, percent=curve["unit"] == "share")
    frame = Frame(46, top, width - 46 - 54, height - top - 26, across, up)
    parts = [
        *_ground(frame, lines, strings["learning"] if wide else None),
        *axes(frame, numbers),
        *(part for at, line in enumerate(curve["lines"]) if line for part in _trace(frame, at, line, lines[at])),
        *_ends(frame, curve["lines"], numbers),
        *_hints(frame, curve["lines"], lines, strings["learning"], numbers),
    ]
    return figure("curve wide" if wide else "curve", width, height, parts)


def _ground(frame: Frame, lines: Sequence[Mapping[str, Any]], words: Mapping[str, Any] | None) -> Iterator[Markup]:
    """Draw the background: alarms, resets, rounds, and the names of rounds if ``words`` are given."""
    step = frame.width / (frame.across.high - frame.across.low)

    def stretch(kind: str, first: float, last: float) -> Markup:
        left = max(frame.x(first) - step / 2, frame.left)
        right = min(frame.x(last) + step / 2, frame.right)
        return element("rect", class_=kind, x=left, y=frame.top, width=right - left, height=frame.height)

    def rule(kind: str, x: float, top: float) -> Markup:
        return element("line", class_=kind, x1=x, x2=x, y1=top, y2=frame.bottom)

    row = 0
    for at, line in enumerate(lines):
        for alarm in line["alarms"]:
            yield stretch("alarmed", alarm["first"], alarm["last"])
            place = f"{coordinate(frame.x(alarm['first']))} {coordinate(frame.top + 2)}"
            yield element("path", class_="alarm-mark", d=f"M{place}l5 8.5h-10z")
        for one in line["rounds"]:
            if one["last"] < one["first"]:
                continue
            if one["state"] == "rolled_back" and len(lines) == 1:
                yield stretch("rolled", one["first"], one["last"])
            if one["last"] < line["steps"]:
                yield rule(f"round-end {tone(at)}", frame.x(one["last"]) + step / 2, frame.top - 6)
            if words and line["kind"] == "loop":
                named = [line["label"]] if len(lines) > 1 else []
                round_name = words["round"].format(number=one["number"])
                name = " · ".join((*named, round_name, words["states"][one["state"]]))
                middle = (frame.x(one["first"]) + frame.x(one["last"])) / 2
                yield text(middle, 12 + 16 * row, name, "middle", kind=f"state {one['state']}")
        row += line["kind"] == "loop"
        for reset in line["resets"]:
            x = frame.x(reset["step"]) + step / 2
            yield rule(f"reset {tone(at)}", x, frame.top)
            yield element("circle", class_=f"reset-mark {tone(at)}", cx=x, cy=frame.top, r=3.5)


def _trace(frame: Frame, at: int, line: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[Markup]:
    for one in about["rounds"]:
        raw, mean, validated = (
            [point for point in line[name] if one["first"] <= point[0] <= one["last"]]
            for name in ("points", "mean", "validation")
        )
        for kind, points in (("raw" if mean else "line", raw), ("line", mean), ("validated", validated)):
            if points:
                yield element("path", class_=f"{kind} {tone(at)}", d=_path(frame, points))
        for step, value in validated:
            place = f"{coordinate(frame.x(step))} {coordinate(frame.y(value) - 5)}"
            yield element("path", class_=f"validation {tone(at)}", d=f"M{place}l5 5l-5 5l-5 -5z")
    if len(line["points"]) <= _DOTS:
        kind = "dot faint" if line["mean"] else "dot"
        for step, value in line["points"]:
            yield element("circle", class_=f"{kind} {tone(at)}", cx=frame.x(step), cy=frame.y(value), r=2.5)


def _path(frame: Frame, points: Iterable[Sequence[float]]) -> str:
    return "M" + "L".join(f"{coordinate(frame.x(step))} {coordinate(frame.y(value))}" for step, value in points)


def _ends(frame: Frame, lines: Sequence[Mapping[str, Any] | None], numbers: Numbers) -> Iterator[Markup]:
    """Label each line with its last value, without overlaps."""
    ends = sorted(
        (frame.y(line["last"]), at, line["last"]) for at, line in enumerate(lines) if line and line["points"]
    )
    floor = 0.0
    for y, at, value in ends:
        place = max(y + 4, floor)
        floor = place + 13
        words = numbers.significant(value, share=frame.up.percent)
        yield text(frame.right + 7, place, words, kind=f"end {tone(at)}")


def _hints(
    frame: Frame,
    of_lines: Sequence[Mapping[str, Any] | None],
    lines: Sequence[Mapping[str, Any]],
    words: Mapping[str, Any],
    numbers: Numbers,
) -> Iterator[Markup]:
    """Draw invisible rectangles with tooltips: the values of each step."""
    by_step: dict[int, list[str]] = {}
    for line, about in zip(of_lines, lines, strict=True):
        for step, value in zip(about["numbered"], line["numbers"] if line else (), strict=False):
            if value is not None:
                name = f"{about['label']}: " if len(lines) > 1 else ""
                by_step.setdefault(step, []).append(name + numbers.significant(value, share=frame.up.percent))
    steps = sorted(by_step)
    if len(steps) > MOST_HINTS:
        steps = steps[:: ceil(len(steps) / MOST_HINTS)]
    wide = frame.width / max(1, len(steps))
    for step in steps:
        title = element("title", "\n".join((words["at_step"].format(step=step), *by_step[step])))
        x = frame.x(step) - wide / 2
        yield element("rect", title, class_="hint", x=x, y=frame.top, width=wide, height=frame.height)


def histogram_chart(one: Mapping[str, Any], at: int, *, numbers: Numbers) -> Markup:
    """Return one of the critic's histograms, 220 × 148 units: bars: computed; outline: stated."""
    shares = {side: _shares(one[side]) for side in ("computed", "claimed") if one[side]}
    most = max(max(some) for some in shares.values())
    frame = Frame(
        6, 20, 208, 104, Scale(one["low"], one["high"], (one["low"], one["high"])), Scale(0.0, most, (0.0, most))
    )
    width = frame.width / len(shares["computed"])
    parts = [element("line", class_="grid base", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom)]
    for place, share in enumerate(shares["computed"]):
        if share:
            x, y = frame.left + place * width + 0.5, frame.y(share)
            kind = f"bin {tone(at)}"
            parts.append(element("rect", class_=kind, x=x, y=y, width=width - 1, height=frame.bottom - y))
    if "claimed" in shares:
        steps = "".join(
            f"V{coordinate(frame.y(share))}H{coordinate(frame.left + (place + 1) * width)}"
            for place, share in enumerate(shares["claimed"])
        )
        bottom = coordinate(frame.bottom)
        path = f"M{coordinate(frame.left)} {bottom}{steps}V{bottom}"
        parts.append(element("path", class_="claimed", d=path))
    mean = one["computed"]["mean"]
    x = frame.x(mean)
    anchor, shift = ("end", -4) if x > frame.left + frame.width / 2 else ("start", 4)
    parts += [
        element("line", class_=f"mean {tone(at)}", x1=x, x2=x, y1=frame.top - 14, y2=frame.bottom),
        text(x + shift, frame.top - 5, "⌀ " + numbers.significant(mean), anchor, kind="value"),
        text(frame.left, frame.bottom + 16, numbers.significant(one["low"]), "start"),
        text(frame.right, frame.bottom + 16, numbers.significant(one["high"]), "end"),
    ]
    return figure("histogram", 220, 148, parts)


def _shares(side: Mapping[str, Any]) -> list[float]:
    return [count / side["values"] for count in side["counts"]]
