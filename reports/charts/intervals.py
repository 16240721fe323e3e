"""Figures of scores: intervals in the rows of a table, score against cost, scores by category.

Charts in table rows use percentages horizontally and ``em`` vertically, so they scale with the column and the font.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, pi, sin
from typing import Any, Final

from markupsafe import Markup

from ..language.numbers import Numbers
from .axes import SHARE, Frame, Scale, axes, mark, quarters, round_up, scale_of, tone
from .elements import coordinate, corners, element, figure, text

LINE_HEIGHT: Final = 1.5
"""em; one line of the numbers beside the chart."""

MOST_OUTLINES: Final = 6
"""Models on a radar: more could not be told apart by eye."""


def axis(scale: Scale, numbers: Numbers) -> Markup:
    """Return the axis for the header of a column of `intervals`."""
    ends = {scale.low: "start", scale.high: "end"}
    ticks = [
        text(f"{scale.place(tick)}%", "1em", label, ends.get(tick, "middle"))
        for tick, label in zip(scale.ticks, scale.labels(numbers), strict=True)
    ]
    return element("svg", *ticks, class_="track axis", height="1.3em", aria_hidden="true")


def intervals(
    points: Sequence[Mapping[str, Any] | None], *, first: int = 0, bars: bool = False, scale: Scale = SHARE
) -> Markup:
    """Return one line per run: a marker at ``value``, a whisker from ``low`` to ``high``, optionally a bar from 0.

    Args:
        points: ``{"value", "low", "high"}``; a missing point or a missing value leaves its line empty.
        first: the number of the first run, which decides colour and shape.
        bars: whether a pale bar reaches from 0 to the value.
        scale: the range.
    """
    lines = [
        _line(point, first + index, (index + 0.5) * LINE_HEIGHT, bars, scale)
        for index, point in enumerate(points)
        if point and point.get("value") is not None
    ]
    # The style sheet draws the grid: as elements it would make pages larger by a sixth.
    kind = "track lined zero" if scale.low == -scale.high else "track lined"
    height = f"{coordinate(len(points) * LINE_HEIGHT)}em"
    return element("svg", Markup().join(lines), class_=kind, height=height, aria_hidden="true")


def _line(point: Mapping[str, Any], run: int, middle: float, bars: bool, scale: Scale) -> Markup:
    parts = []
    value, low, high = (point.get(key) for key in ("value", "low", "high"))
    assert value is not None
    y = f"{coordinate(middle)}em"
    if bars and scale.low >= 0:
        top = f"{coordinate(middle - 0.5)}em"
        parts.append(
            element("rect", class_=f"bar {tone(run)}", width=f"{scale.place(value)}%", y=top, height="1em")
        )
    if low is not None and high is not None:
        ends = (f"{scale.place(low)}%", f"{scale.place(high)}%")
        parts.append(element("line", class_=f"whisker {tone(run)}", x1=ends[0], x2=ends[1], y1=y, y2=y))
    parts.append(mark(run, f"{scale.place(value)}%", y))
    return Markup().join(parts)


def cost_plot(
    board: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], *, words: Mapping[str, Any], numbers: Numbers
) -> Markup:
    """Return a board's plot of score against cost, 640 × 322 units, with a line along its Pareto front."""
    plot, unit = board["plot"], board["unit"]
    points = plot["points"]
    across = quarters(0.0, round_up(max((point["x"] for point in points), default=1.0)) or 1.0, percent=False)
    frame = Frame(44, 26, 560, 250, across, scale_of([{"value": point["y"]} for point in points], unit))
    x_title = plot["currency"] or words["tokens_an_answer"]
    parts = [
        *axes(frame, numbers, upright=True),
        text(frame.right, frame.bottom + 34, x_title, "end", kind="title"),
        text(0, 10, board["metric_title"] + (", %" if unit == "share" else ""), "start", kind="title"),
    ]
    front = sorted((frame.x(point["x"]), frame.y(point["y"])) for point in points if point["best"])
    if len(front) > 1:
        parts.append(element("polyline", class_="front", points=corners(front)))
    labels: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: -point["y"]):
        entry = entries[point["entry"]]
        x, y = frame.x(point["x"]), frame.y(point["y"])
        beside, anchor = (x - 8, "end") if x > frame.left + frame.width * 0.7 else (x + 8, "start")
        line = y + 4
        while any(abs(line - other) < 12 and abs(beside - column) < 90 for column, other in labels):
            line += 12
        labels.append((beside, line))
        name = text(beside, line, entry["label"], anchor, kind="name")
        parts.append(element("g", mark(entry["runs"][0], x, y), name, data_entry=entry["label"]))
    return figure("scatter", 640, 322, parts)


def radar(
    dimension: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], scale: Scale = SHARE, *, numbers: Numbers
) -> Markup:
    """Return a radar chart of the best `MOST_OUTLINES` models by category, 640 × 400 units.

    The centre is the low end of the scale, the outer ring its high end. A model without a value in some category
    has marks but no outline.

    Raises:
        ValueError: there are fewer than three categories.
    """
    names = dimension["labels"]
    if len(names) < 3:
        raise ValueError(f"a radar needs three axes or more, not {len(names)}")
    middle, reach = (320.0, 200.0), 150.0

    def place(axis: int, share: float) -> tuple[float, float]:
        angle = 2 * pi * axis / len(names)
        return middle[0] + reach * share * sin(angle), middle[1] - reach * share * cos(angle)

    parts = [
        element("polygon", class_="ring", points=corners(place(axis, at / 4) for axis in range(len(names))))
        for at in range(1, 5)
    ]
    for axis, name in enumerate(names):
        (x, y), (label_x, label_y) = place(axis, 1), place(axis, 1.09)
        parts.append(element("line", class_="grid", x1=middle[0], y1=middle[1], x2=x, y2=y))
        anchor = "middle" if abs(label_x - middle[0]) < 20 else "start" if label_x > middle[0] else "end"
        parts.append(text(label_x, label_y + 4, _shortened(name), anchor, kind="name"))
    for tick, label in list(zip(scale.ticks, scale.labels(numbers), strict=True))[2::2]:
        parts.append(text(middle[0] + 4, middle[1] - reach * scale.at(tick) + 12, label))
    for row in dimension["rows"][:MOST_OUTLINES]:
        entry = entries[row["entry"]]
        run = entry["runs"][0]
        values = [cell and cell["value"] for cell in row["cells"]]
        points = [place(axis, scale.at(value)) for axis, value in enumerate(values) if value is not None]
        drawn = [mark(run, x, y) for x, y in points]
        if len(points) == len(names):
            drawn.insert(0, element("polygon", class_=f"outline {tone(run)}", points=corners(points)))
        parts.append(element("g", *drawn, data_entry=entry["label"]))
    return figure("scatter radar", 640, 400, parts)


def _shortened(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
