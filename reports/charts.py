"""Small charts as SVG written by hand: no library, no script, no style attribute.

Every chart spans [0, 1] from left to right in percentages of its own width and in ``em`` from top to bottom, so it
grows and shrinks with the column and the font around it. Colours come from the classes ``m0`` … ``m7`` of the style
sheet; shapes differ too, for print and for eyes that see colours otherwise. The numbers stand in the table beside a
chart, so charts are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def axis() -> Markup:
    """Return the scale from 0 to 100 % that heads a column of `intervals`."""
    ends = {0: "start", 100: "end"}
    ticks = [
        Markup('<text x="{0}%" y="1em" text-anchor="{1}">{0}</text>').format(at, ends.get(at, "middle"))
        for at in range(0, 101, 25)
    ]
    return Markup('<svg class="track axis" height="1.3em" aria-hidden="true">{}</svg>').format(Markup().join(ticks))


def intervals(points: Sequence[Mapping[str, Any] | None], *, first: int = 0, bars: bool = False) -> Markup:
    """Return one line a run: a mark at ``value``, a whisker from ``low`` to ``high``, and a bar from 0 if asked.

    Args:
        points: ``{"value", "low", "high"}`` in [0, 1]; a missing point or a missing value leaves its line empty.
        first: the number of the first run, which decides colour and shape.
        bars: whether a pale bar reaches from 0 to the value.
    """
    grid = [Markup('<line class="grid" x1="{0}%" x2="{0}%" y2="100%"/>').format(at) for at in range(0, 101, 25)]
    lines = [
        _line(point, first + index, (index + 0.5) * LINE_HEIGHT, bars)
        for index, point in enumerate(points)
        if point and point.get("value") is not None
    ]
    return Markup('<svg class="track" height="{}em" aria-hidden="true">{}{}</svg>').format(
        _number(len(points) * LINE_HEIGHT), Markup().join(grid), Markup().join(lines)
    )


def _line(point: Mapping[str, Any], run: int, middle: float, bars: bool) -> Markup:
    parts = []
    value, low, high = (point.get(key) for key in ("value", "low", "high"))
    colour = run % COLOURS
    if bars:
        bar = Markup('<rect class="bar m{}" width="{}%" y="{}em" height="1em"/>')
        parts.append(bar.format(colour, _percent(value), _number(middle - 0.5)))
    if low is not None and high is not None:
        whisker = Markup('<line class="whisker m{0}" x1="{1}%" x2="{2}%" y1="{3}em" y2="{3}em"/>')
        parts.append(whisker.format(colour, _percent(low), _percent(high), _number(middle)))
    mark = Markup('<svg x="{}%" y="{}em" overflow="visible">{}</svg>')
    parts.append(mark.format(_percent(value), _number(middle), _shape(run)))
    return Markup().join(parts)


def _shape(run: int) -> Markup:
    return Markup('<path class="mark m{}" d="{}"/>').format(run % COLOURS, _SHAPES[run % len(_SHAPES)])


def _percent(share: Any) -> str:
    return _number(min(max(float(share), 0.0), 1.0) * 100)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
