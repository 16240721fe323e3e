"""Small charts as SVG written by hand: no library, no script, no style attribute.

A row of a table spans a `Scale` from left to right in percentages of its own width and is measured in ``em`` from
top to bottom, so it grows and shrinks with the column and the font around it. Colours come from the classes ``m0``
… ``m7`` of the style sheet; shapes differ too, for print and for eyes that see colours otherwise. The numbers stand
in the table beside a chart, so charts are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, floor, log10, pi, sin
from typing import Any

from markupsafe import Markup

COLOURS = 8
LINE_HEIGHT = 1.5  # em; one line of the numbers beside the chart
_SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.5-3.5h7v7h-7z",
    "M0-5L5 0L0 5L-5 0z",
    "M0-4.8L4.8 3.6H-4.8z",
)


def swatch(run: int) -> Markup:
    """Return the mark of a run for a legend."""
    return Markup('<svg class="swatch" viewBox="-6 -6 12 12" aria-hidden="true">{}</svg>').format(_shape(run))


@dataclass(frozen=True, slots=True)
class Scale:
    """What the ends of a chart stand for; ``percent`` tells that shares are written in per cent."""

    low: float = 0.0
    high: float = 1.0
    percent: bool = True

    def place(self, value: float) -> str:
        """Return where a value stands, in per cent from the left; what lies beyond an end stands at it."""
        share = (value - self.low) / (self.high - self.low)
        return _number(min(max(share, 0.0), 1.0) * 100)

    def label(self, at: int, decimal: str = ".") -> str:
        """Write the value that stands ``at`` per cent from the left, with this decimal mark."""
        value = self.low + (self.high - self.low) * at / 100
        sign = "+" if self.low < 0 < value else ""
        return sign + f"{value * 100 if self.percent else value:.4g}".replace("-", "−").replace(".", decimal)


SHARE = Scale()


def scale_of(points: Sequence[Mapping[str, Any] | None], unit: str) -> Scale:
    """Return the scale of a metric: 0 to 100 % for shares, for other numbers a round one that holds them all."""
    if unit == "share":
        return SHARE
    low, high = _extent(points)
    return Scale(
        -_round_up(-low) if low < 0 else 0.0, _round_up(high) if high > 0 else 0.0 if low < 0 else 1.0, False
    )


def scale_around_zero(points: Sequence[Mapping[str, Any] | None], unit: str) -> Scale:
    """Return a scale for differences, with 0 in its middle."""
    low, high = _extent(points)
    reach = _round_up(max(-low, high)) or 1.0
    return Scale(-reach, reach, unit == "share")


def _extent(points: Sequence[Mapping[str, Any] | None]) -> tuple[float, float]:
    keys = ("value", "low", "high")
    known = [float(point[key]) for point in points if point for key in keys if point.get(key) is not None]
    return min(known, default=0.0), max(known, default=0.0)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 6, 8 and 10 times a power of ten: quarters of these are short to write."""
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(value))
    return next((step * power for step in (1, 2, 4, 6, 8) if value <= step * power * (1 + 1e-9)), 10 * power)


def axis(scale: Scale = SHARE, *, decimal: str = ".") -> Markup:
    """Return the scale that heads a column of `intervals`."""
    ends = {0: "start", 100: "end"}
    ticks = [
        Markup('<text x="{0}%" y="1em" text-anchor="{1}">{2}</text>').format(
            at, ends.get(at, "middle"), scale.label(at, decimal)
        )
        for at in range(0, 101, 25)
    ]
    return Markup('<svg class="track axis" height="1.3em" aria-hidden="true">{}</svg>').format(Markup().join(ticks))


def intervals(
    points: Sequence[Mapping[str, Any] | None], *, first: int = 0, bars: bool = False, scale: Scale = SHARE
) -> Markup:
    """Return one line a run: a mark at ``value``, a whisker from ``low`` to ``high``, and a bar from 0 if asked.

    Args:
        points: ``{"value", "low", "high"}``; a missing point or a missing value leaves its line empty.
        first: the number of the first run, which decides colour and shape.
        bars: whether a pale bar reaches from 0 to the value.
        scale: what the ends stand for.
    """
    lines = [
        _line(point, first + index, (index + 0.5) * LINE_HEIGHT, bars, scale)
        for index, point in enumerate(points)
        if point and point.get("value") is not None
    ]
    # The style sheet draws the grid: as elements it would be a sixth of a page.
    return Markup('<svg class="track lined{}" height="{}em" aria-hidden="true">{}</svg>').format(
        " zero" if scale.low == -scale.high else "", _number(len(points) * LINE_HEIGHT), Markup().join(lines)
    )


def _line(point: Mapping[str, Any], run: int, middle: float, bars: bool, scale: Scale) -> Markup:
    parts = []
    value, low, high = (point.get(key) for key in ("value", "low", "high"))
    assert value is not None
    colour = run % COLOURS
    if bars and scale.low >= 0:
        bar = Markup('<rect class="bar m{}" width="{}%" y="{}em" height="1em"/>')
        parts.append(bar.format(colour, scale.place(value), _number(middle - 0.5)))
    if low is not None and high is not None:
        whisker = Markup('<line class="whisker m{0}" x1="{1}%" x2="{2}%" y1="{3}em" y2="{3}em"/>')
        parts.append(whisker.format(colour, scale.place(low), scale.place(high), _number(middle)))
    mark = Markup('<svg x="{}%" y="{}em" overflow="visible">{}</svg>')
    parts.append(mark.format(scale.place(value), _number(middle), _shape(run)))
    return Markup().join(parts)


@dataclass(frozen=True, slots=True)
class Dot:
    """A model on a `scatter`; ``best`` tells that no other is as cheap and as good."""

    run: int
    x: float
    y: float
    label: str
    best: bool


def scatter(dots: Sequence[Dot], *, x_title: str, y_title: str, unit: str, decimal: str = ".") -> Markup:
    """Return a plot of score against cost, 640 × 322 units, its best front joined by a line."""
    across = Scale(0.0, _round_up(max((dot.x for dot in dots), default=1.0)) or 1.0, False)
    up = scale_of([{"value": dot.y} for dot in dots], unit)
    left, top, width, height = 44, 26, 560, 250

    def place(dot: Dot) -> tuple[float, float]:
        return left + width * float(across.place(dot.x)) / 100, top + height * (1 - float(up.place(dot.y)) / 100)

    parts = []
    for at in range(0, 101, 25):
        x, y = left + width * at / 100, top + height * (1 - at / 100)
        parts.append(
            Markup('<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(_number(x), top, top + height)
        )
        parts.append(
            Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(
                left, left + width, _number(y)
            )
        )
        text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(text.format(_number(x), top + height + 16, "middle", across.label(at, decimal)))
        parts.append(text.format(left - 6, _number(y + 4), "end", up.label(at, decimal)))
    title = Markup('<text class="title" x="{}" y="{}" text-anchor="{}">{}</text>')
    parts.append(title.format(left + width, top + height + 34, "end", x_title))
    parts.append(title.format(0, 10, "start", y_title))
    front = sorted(place(dot) for dot in dots if dot.best)
    if len(front) > 1:
        corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in front)
        parts.append(Markup('<polyline class="front" points="{}"/>').format(corners))
    labels: list[tuple[float, float]] = []
    for dot in sorted(dots, key=lambda dot: -dot.y):
        x, y = place(dot)
        mark = Markup(
            '<g data-entry="{0}"><svg x="{1}" y="{2}" overflow="visible">{3}</svg>'
            '<text class="name" x="{4}" y="{5}" text-anchor="{6}">{0}</text></g>'
        )
        beside, anchor = (x - 8, "end") if x > left + width * 0.7 else (x + 8, "start")
        line = y + 4
        while any(abs(line - other) < 12 and abs(beside - column) < 90 for column, other in labels):
            line += 12
        labels.append((beside, line))
        parts.append(
            mark.format(dot.label, _number(x), _number(y), _shape(dot.run), _number(beside), _number(line), anchor)
        )
    return Markup('<svg class="scatter" viewBox="0 0 640 322" aria-hidden="true">{}</svg>').format(
        Markup().join(parts)
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """A model on a `radar`: its value on each axis, None where it has none."""

    run: int
    label: str
    values: tuple[float | None, ...]


def radar(outlines: Sequence[Outline], axes: Sequence[str], scale: Scale = SHARE, *, decimal: str = ".") -> Markup:
    """Return one outline a model around as many axes as there are categories, 640 × 400 units.

    The middle of the picture is the low end of the scale, the outer ring its high end. A model that lacks a value
    has its marks and no outline.

    Raises:
        ValueError: fewer than three axes make no outline.
    """
    if len(axes) < 3:
        raise ValueError(f"a radar needs three axes or more, not {len(axes)}")
    middle, reach = (320.0, 200.0), 150.0

    def place(axis: int, share: float) -> tuple[float, float]:
        angle = 2 * pi * axis / len(axes)
        return middle[0] + reach * share * sin(angle), middle[1] - reach * share * cos(angle)

    def ring(share: float) -> str:
        return _corners(place(axis, share) for axis in range(len(axes)))

    parts = [Markup('<polygon class="ring" points="{}"/>').format(ring(at / 4)) for at in range(1, 5)]
    for axis, name in enumerate(axes):
        (x, y), (label_x, label_y) = place(axis, 1), place(axis, 1.09)
        parts.append(
            Markup('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(*map(_number, (*middle, x, y)))
        )
        anchor = "middle" if abs(label_x - middle[0]) < 20 else "start" if label_x > middle[0] else "end"
        text = Markup('<text class="name" x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(text.format(_number(label_x), _number(label_y + 4), anchor, _shortened(name)))
    for at in (50, 100):
        text = Markup('<text x="{}" y="{}">{}</text>')
        parts.append(
            text.format(
                _number(middle[0] + 4), _number(middle[1] - reach * at / 100 + 12), scale.label(at, decimal)
            )
        )
    for outline in outlines:
        found = [
            place(axis, float(scale.place(value)) / 100)
            for axis, value in enumerate(outline.values)
            if value is not None
        ]
        mark = Markup('<svg x="{}" y="{}" overflow="visible">{}</svg>')
        drawn = [mark.format(_number(x), _number(y), _shape(outline.run)) for x, y in found]
        if len(found) == len(axes):
            polygon = Markup('<polygon class="outline m{}" points="{}"/>')
            drawn.insert(0, polygon.format(outline.run % COLOURS, _corners(found)))
        parts.append(Markup('<g data-entry="{}">{}</g>').format(outline.label, Markup().join(drawn)))
    return Markup('<svg class="scatter radar" viewBox="0 0 640 400" aria-hidden="true">{}</svg>').format(
        Markup().join(parts)
    )


def _corners(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _shortened(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"


def _shape(run: int) -> Markup:
    return Markup('<path class="mark m{}" d="{}"/>').format(run % COLOURS, _SHAPES[run % len(_SHAPES)])


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
