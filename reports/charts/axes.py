"""Shared by all figures: scales, ticks and labels, the frame of a plot, markers of runs.

Figures are plain SVG without scripts and style attributes. Colours come from the classes ``m0`` … ``m7`` of the
style sheet; marker shapes differ too, for print and for colour-blind readers. A table beside each figure has the
numbers, so figures are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil, floor, log10
from typing import Any, Final

from markupsafe import Markup

from ..language.numbers import Numbers
from .elements import coordinate, element, text

COLOURS: Final = 8
_SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.5-3.5h7v7h-7z",
    "M0-5L5 0L0 5L-5 0z",
    "M0-4.8L4.8 3.6H-4.8z",
)


# Runs


def tone(run: int) -> str:
    """Return the CSS class with the colour of a run."""
    return f"m{run % COLOURS}"


def mark(run: int, x: float | str, y: float | str) -> Markup:
    """Return the marker of a run, centred at (x, y)."""
    return element("svg", _shape(run), x=x, y=y, overflow="visible")


def swatch(run: int) -> Markup:
    """Return the marker of a run for a legend."""
    return element("svg", _shape(run), class_="swatch", viewBox="-6 -6 12 12", aria_hidden="true")


def _shape(run: int) -> Markup:
    return element("path", class_=f"mark {tone(run)}", d=_SHAPES[run % len(_SHAPES)])


# Scales


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of an axis and its ticks.

    Attributes:
        low: the lowest value.
        high: the highest value, greater than ``low``.
        ticks: values with labels, ascending; two at least.
        percent: whether values are shares, formatted in per cent.
        terse: whether labels are as short as possible, without a unit, and differences are signed; otherwise they
            have equal decimals and the unit.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = False
    terse: bool = False

    def at(self, value: float) -> float:
        """Return the position of a value in [0, 1], clipped, rounded to 0.0001."""
        share = (value - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * 100, 2) / 100

    def place(self, value: float) -> str:
        """Format the position of a value in per cent of the axis."""
        return coordinate(self.at(value) * 100)

    def labels(self, numbers: Numbers) -> list[str]:
        """Return the labels of the ticks."""
        step = self.ticks[1] - self.ticks[0]
        return [
            ("+" if self.terse and self.low < 0 < tick else "")
            + numbers.tick(tick, step, share=self.percent, terse=self.terse)
            for tick in self.ticks
        ]


def quarters(low: float, high: float, *, percent: bool = True) -> Scale:
    """Return a scale with ticks at its ends and quarters."""
    ticks = tuple(low + (high - low) * at / 100 for at in range(0, 101, 25))
    return Scale(low, high, ticks, percent, terse=True)


SHARE: Final = quarters(0.0, 1.0)


def scale_of(points: Sequence[Mapping[str, Any] | None], unit: str) -> Scale:
    """Return the scale of a metric: 0 to 100 % for shares, for other numbers a round one that holds them all."""
    if unit == "share":
        return SHARE
    low, high = _extent(points)
    return quarters(
        -round_up(-low) if low < 0 else 0.0, round_up(high) if high > 0 else 0.0 if low < 0 else 1.0, percent=False
    )


def scale_around_zero(points: Sequence[Mapping[str, Any] | None], unit: str) -> Scale:
    """Return a scale for differences, symmetric around 0."""
    low, high = _extent(points)
    reach = round_up(max(-low, high)) or 1.0
    return quarters(-reach, reach, percent=unit == "share")


def _extent(points: Sequence[Mapping[str, Any] | None]) -> tuple[float, float]:
    keys = ("value", "low", "high")
    known = [float(point[key]) for point in points if point for key in keys if point.get(key) is not None]
    return min(known, default=0.0), max(known, default=0.0)


def round_up(value: float) -> float:
    """Round up to 1, 2, 4, 6, 8 or 10 times a power of ten, whose quarters have short labels."""
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(value))
    return next((step * power for step in (1, 2, 4, 6, 8) if value <= step * power * (1 + 1e-9)), 10 * power)


def scale_of_values(values: Sequence[float], count: int, *, percent: bool) -> Scale:
    """Return a scale with about ``count`` round steps that holds all values, and 0 where it is not far."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if 0 < low < 0.6 * high:
        low = 0.0
    if high < 0 and high > 0.6 * low:
        high = 0.0
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = (min(0.0, low), max(0.0, high)) if low else (0.0, 1.0)
    rough = (high - low) / count
    power = 10.0 ** floor(log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if rough <= size * power * (1 + 1e-9))
    # A value slightly beyond a round number does not need another tick.
    first, last = floor(low / step + 0.02), ceil(high / step - 0.02)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks, percent)


def scale_of_steps(last: int, count: int) -> Scale:
    """Return a scale from 1 to a last step, 2 at least: ticks are its ends and about ``count`` round steps."""
    last = max(last, 2)
    rough = max(1.0, last / count)
    power = 10 ** floor(log10(rough))
    stride = next(size * power for size in (1, 2, 5, 10) if rough <= size * power)
    room = stride * 0.6
    between = [step for step in range(stride, last, stride) if step - 1 >= room and last - step >= room]
    return Scale(1, last, tuple(dict.fromkeys((1, *between, last))))


# Plots


@dataclass(frozen=True, slots=True)
class Frame:
    """The position of a plot in its figure, in units from the top left, and the scales of its axes."""

    left: float
    top: float
    width: float
    height: float
    across: Scale
    up: Scale

    def x(self, value: float) -> float:
        """Return the x coordinate of a value."""
        return self.left + self.width * self.across.at(value)

    def y(self, value: float) -> float:
        """Return the y coordinate of a value."""
        return self.top + self.height * (1 - self.up.at(value))

    @property
    def bottom(self) -> float:
        """The y coordinate of the x axis."""
        return self.top + self.height

    @property
    def right(self) -> float:
        """The x coordinate of the right end."""
        return self.left + self.width


def axes(frame: Frame, numbers: Numbers, *, upright: bool = False) -> Iterator[Markup]:
    """Draw the grid of a plot and the labels of its ticks.

    Args:
        frame: of the plot.
        numbers: how numbers are written.
        upright: whether the grid has vertical lines, too; otherwise the x axis is drawn.
    """
    across = zip(frame.across.ticks, frame.across.labels(numbers), strict=True)
    up = zip(frame.up.ticks, frame.up.labels(numbers), strict=True)
    for one, other in zip_longest(across, up):
        if one and upright:
            x = frame.x(one[0])
            yield element("line", class_="grid", x1=x, x2=x, y1=frame.top, y2=frame.bottom)
        if other:
            y = frame.y(other[0])
            base = not upright and other[0] == frame.up.ticks[0]
            kind = "grid base" if base else "grid"
            yield element("line", class_=kind, x1=frame.left, x2=frame.right, y1=y, y2=y)
        if one:
            yield text(frame.x(one[0]), frame.bottom + 16, one[1], "middle")
        if other:
            yield text(frame.left - 6, frame.y(other[0]) + 4, other[1], "end")
