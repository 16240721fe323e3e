"""Curves and histograms as SVG written by hand, in the manner of `charts`: no script, no style attribute.

Colours come from the style sheet. The numbers stand in a table beside the curves, so charts are hidden from screen
readers; a reader with a pointer finds each step's numbers under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, Final

from markupsafe import Markup

from .intervals import COLOURS

MOST_HINTS: Final = 60
_DOTS = 60  # up to so many points each has a dot


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a plot lies in its picture and what its edges stand for."""

    left: float
    top: float
    width: float
    height: float
    first: float
    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return self.left + self.width * (step - self.first) / ((self.last - self.first) or 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - min(max(share, 0.0), 1.0))

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def right(self) -> float:
        return self.left + self.width


def curve_chart(
    curve: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], strings: Mapping[str, Any], *, wide: bool = False
) -> Markup:
    """Return the picture of one curve: 960 × 340 units if ``wide``, else 360 × 200.

    A faint line is what was measured, a bold one its trailing mean; diamonds are validation. Rounds end at a solid
    line and stand on a tinted ground when they were rolled back, the reference is reset at a dashed line, and an
    alarm reddens the ground of its steps.

    Args:
        curve: one of `learning_curves.curve_sections`.
        lines: of `learning.learning_data`.
        strings: the words of the page.
        wide: the large form, on which rounds have their names.
    """
    width, height = (960, 340) if wide else (360, 200)
    top = 18 + (16 * sum(len(line["rounds"]) > 1 or line["kind"] == "loop" for line in lines) if wide else 0)
    drawn = [line for line in curve["lines"] if line]
    values = [y for line in drawn for _, y in (*line["points"], *line["validation"])]
    ticks = _ticks(min(values, default=0.0), max(values, default=1.0), 5 if wide else 4)
    last = max((line["steps"] for line in lines), default=1)
    frame = _Frame(46, top, width - 46 - 54, height - top - 26, 1, max(last, 2), ticks[0], ticks[-1])
    share, style = curve["unit"] == "share", strings["numbers"]
    parts = [
        *_ground(frame, lines, strings if wide else None),
        *_axes(frame, ticks, share, style),
        *(part for at, line in enumerate(curve["lines"]) if line for part in _trace(frame, at, line, lines[at])),
        *_ends(frame, curve["lines"], share, style),
        *_hints(frame, curve["lines"], lines, strings, share, style),
    ]
    return Markup('<svg class="curve{}" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>').format(
        " wide" if wide else "", width, height, Markup().join(parts)
    )


def _ground(
    frame: _Frame, lines: Sequence[Mapping[str, Any]], strings: Mapping[str, Any] | None
) -> Iterable[Markup]:
    """Draw what lies behind the curves: alarms, resets, rounds, and the names of rounds where there are words."""
    step = frame.width / (frame.last - frame.first)
    band = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    rule = Markup('<line class="{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>')

    def stretch(kind: str, first: float, last: float) -> Markup:
        left = max(frame.x(first) - step / 2, frame.left)
        right = min(frame.x(last) + step / 2, frame.right)
        return band.format(kind, _n(left), _n(frame.top), _n(right - left), _n(frame.height))

    row = 0
    for at, line in enumerate(lines):
        for alarm in line["alarms"]:
            yield stretch("alarmed", alarm["first"], alarm["last"])
            middle = (frame.x(alarm["first"]), frame.top)
            yield Markup('<path class="alarm-mark" d="M{} {}l5 8.5h-10z"/>').format(
                _n(middle[0]), _n(middle[1] + 2)
            )
        for one in line["rounds"]:
            if one["last"] < one["first"]:
                continue
            if one["state"] == "rolled_back" and len(lines) == 1:
                yield stretch("rolled", one["first"], one["last"])
            if one["last"] < line["steps"]:
                at_end = frame.x(one["last"]) + step / 2
                yield rule.format(f"round-end m{at % COLOURS}", _n(at_end), _n(frame.top - 6), _n(frame.bottom))
            if strings and line["kind"] == "loop":
                words = strings["learning"]
                named = [line["label"]] if len(lines) > 1 else []
                name = " · ".join(
                    (*named, words["round"].format(number=one["number"]), words["states"][one["state"]])
                )
                yield Markup('<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                    f"state {one['state']}",
                    _n((frame.x(one["first"]) + frame.x(one["last"])) / 2),
                    12 + 16 * row,
                    name,
                )
        row += line["kind"] == "loop"
        for reset in line["resets"]:
            x = frame.x(reset["step"]) + step / 2
            yield rule.format(f"reset m{at % COLOURS}", _n(x), _n(frame.top), _n(frame.bottom))
            yield Markup('<circle class="reset-mark m{}" cx="{}" cy="{}" r="3.5"/>').format(
                at % COLOURS, _n(x), _n(frame.top)
            )


def _axes(frame: _Frame, ticks: Sequence[float], share: bool, style: Mapping[str, Any]) -> Iterable[Markup]:
    line = Markup('<line class="grid{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    step = ticks[1] - ticks[0]
    for tick in ticks:
        y = _n(frame.y(tick))
        yield line.format(" base" if tick == ticks[0] else "", _n(frame.left), _n(frame.right), y, y)
        yield text.format(_n(frame.left - 6), _n(frame.y(tick) + 4), "end", _tick(tick, step, share, style))
    for at in _step_ticks(int(frame.last), 8 if frame.width > 500 else 4):
        yield text.format(_n(frame.x(at)), _n(frame.bottom + 17), "middle", at)


def _trace(frame: _Frame, at: int, line: Mapping[str, Any], about: Mapping[str, Any]) -> Iterable[Markup]:
    colour = at % COLOURS
    path = Markup('<path class="{} m{}" d="{}"/>')
    for one in about["rounds"]:
        raw = [point for point in line["points"] if one["first"] <= point[0] <= one["last"]]
        mean = [point for point in line["mean"] if one["first"] <= point[0] <= one["last"]]
        if raw:
            yield path.format("raw" if mean else "line", colour, _path(frame, raw))
        if mean:
            yield path.format("line", colour, _path(frame, mean))
        validated = [point for point in line["validation"] if one["first"] <= point[0] <= one["last"]]
        if validated:
            yield path.format("validated", colour, _path(frame, validated))
        for step, value in validated:
            yield Markup('<path class="validation m{}" d="M{} {}l5 5l-5 5l-5 -5z"/>').format(
                colour, _n(frame.x(step)), _n(frame.y(value) - 5)
            )
    if len(line["points"]) <= _DOTS:
        for step, value in line["points"]:
            yield Markup('<circle class="dot{} m{}" cx="{}" cy="{}" r="{}"/>').format(
                " faint" if line["mean"] else "", colour, _n(frame.x(step)), _n(frame.y(value)), 2.5
            )


def _path(frame: _Frame, points: Sequence[Sequence[float]]) -> str:
    return "M" + "L".join(f"{_n(frame.x(step))} {_n(frame.y(value))}" for step, value in points)


def _ends(
    frame: _Frame, lines: Sequence[Mapping[str, Any] | None], share: bool, style: Mapping[str, Any]
) -> Iterable[Markup]:
    """Write what each line came to at its right, apart from one another."""
    ends = sorted(
        (frame.y(line["last"]), at, line["last"]) for at, line in enumerate(lines) if line and line["points"]
    )
    floor_of = 0.0
    for y, at, value in ends:
        place = max(y + 4, floor_of)
        floor_of = place + 13
        yield Markup('<text class="end m{}" x="{}" y="{}">{}</text>').format(
            at % COLOURS, _n(frame.right + 7), _n(place), written(value, style, share=share)
        )


def _hints(
    frame: _Frame,
    of_lines: Sequence[Mapping[str, Any] | None],
    lines: Sequence[Mapping[str, Any]],
    strings: Mapping[str, Any],
    share: bool,
    style: Mapping[str, Any],
) -> Iterable[Markup]:
    """Lay the numbers of each written-down step under the pointer."""
    by_step: dict[int, list[str]] = {}
    for line, about in zip(of_lines, lines, strict=True):
        for step, value in zip(about["numbered"], line["numbers"] if line else (), strict=False):
            if value is not None:
                name = f"{about['label']}: " if len(lines) > 1 else ""
                by_step.setdefault(step, []).append(name + written(value, style, share=share))
    steps = sorted(by_step)
    if len(steps) > MOST_HINTS:
        steps = steps[:: ceil(len(steps) / MOST_HINTS)]
    wide = frame.width / max(1, len(steps))
    for step in steps:
        title = "\n".join((strings["learning"]["at_step"].format(step=step), *by_step[step]))
        yield Markup('<rect class="hint" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            _n(frame.x(step) - wide / 2), _n(frame.top), _n(wide), _n(frame.height), title
        )


def histogram_chart(one: Mapping[str, Any], at: int, strings: Mapping[str, Any]) -> Markup:
    """Return one of the critic's histograms, 220 × 150 units: bars are computed, the outline is what it claims."""
    frame = _Frame(6, 20, 208, 104, one["low"], one["high"], 0.0, 1.0)
    style = strings["numbers"]
    parts = [Markup('<line class="grid base" x1="6" x2="214" y1="124" y2="124"/>')]
    shares = {side: _shares(one[side]) for side in ("computed", "claimed") if one[side]}
    most = max(max(some) for some in shares.values())
    bin_width = frame.width / len(shares["computed"])
    for place, share in enumerate(shares["computed"]):
        if share:
            high = frame.height * share / most
            parts.append(
                Markup('<rect class="bin m{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                    at % COLOURS, _n(frame.left + place * bin_width + 0.5), _n(frame.bottom - high),
                    _n(bin_width - 1), _n(high),
                )
            )  # fmt: skip
    if "claimed" in shares:
        corners = [f"M{_n(frame.left)} {_n(frame.bottom)}"]
        for place, share in enumerate(shares["claimed"]):
            corners.append(
                f"V{_n(frame.bottom - frame.height * share / most)}H{_n(frame.left + (place + 1) * bin_width)}"
            )
        parts.append(Markup('<path class="claimed" d="{}V{}"/>').format("".join(corners), _n(frame.bottom)))
    x = frame.x(min(max(one["computed"]["mean"], one["low"]), one["high"]))
    parts.append(
        Markup('<line class="mean m{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>').format(
            at % COLOURS, _n(x), _n(frame.top - 14), _n(frame.bottom)
        )
    )
    text = Markup('<text x="{}" y="{}" text-anchor="{}"{}>{}</text>')
    anchor, shift = ("end", -4) if x > frame.left + frame.width / 2 else ("start", 4)
    mean = "⌀ " + written(one["computed"]["mean"], style)
    parts.append(text.format(_n(x + shift), _n(frame.top - 5), anchor, Markup(' class="value"'), mean))
    parts.append(text.format(_n(frame.left), _n(frame.bottom + 16), "start", "", written(one["low"], style)))
    parts.append(text.format(_n(frame.right), _n(frame.bottom + 16), "end", "", written(one["high"], style)))
    return Markup('<svg class="histogram" viewBox="0 0 220 148" aria-hidden="true">{}</svg>').format(
        Markup().join(parts)
    )


def _shares(side: Mapping[str, Any]) -> list[float]:
    return [count / side["values"] for count in side["counts"]]


def written(value: float | None, style: Mapping[str, Any], *, share: bool = False) -> str:
    """Write a number with three digits that count, a share in per cent; very small ones with a power of ten.

    ``style`` has the marks of the language, ``numbers`` of ``strings.yaml``.
    """
    if value is None:
        return "—"
    value = value * 100 if share else value
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace("-", "−").replace(",", style["thousands"]) + (
            style["percent"] if share else ""
        )
    if 0 < size < 0.001:
        digits, _, power = f"{value:.1e}".partition("e")
        text = f"{digits.removesuffix('.0')}·10{str(int(power)).translate(_RAISED)}"
    else:
        text = f"{value:.3g}" if size < 100 else f"{value:.0f}"
    return text.replace("-", "−").replace(".", style["decimal"]) + (style["percent"] if share else "")


_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _tick(value: float, step: float, share: bool, style: Mapping[str, Any]) -> str:
    """Write a number of an axis with as many decimals as its steps need."""
    value, step = (value * 100, step * 100) if share else (value, step)
    if value and step < 0.0005:
        return written(value, style)
    decimals = max(0, -floor(log10(step) + 1e-9))
    if round(step * 10**decimals, 6) % 1:
        decimals += 1
    text = f"{value:.{decimals}f}".replace("-", "−").replace(".", style["decimal"])
    return text + (style["percent"] if share else "")


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return round numbers from below ``low`` to above ``high``; 0 is among them where it is not far."""
    if 0 < low < 0.6 * high:
        low = 0.0
    if high < 0 and high > 0.6 * low:
        high = 0.0
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = (min(0.0, low), max(0.0, high)) if low else (0.0, 1.0)
    rough = (high - low) / count
    power = 10.0 ** floor(log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if rough <= size * power * (1 + 1e-9))
    # A hair beyond a round number is not worth another stretch of paper.
    first, last = floor(low / step + 0.02), ceil(high / step - 0.02)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _step_ticks(last: int, count: int) -> list[int]:
    """Return 1, some round steps, and the last one."""
    rough = max(1.0, last / count)
    power = 10 ** floor(log10(rough))
    stride = next(size * power for size in (1, 2, 5, 10) if rough <= size * power)
    room = stride * 0.6
    between = [step for step in range(stride, last, stride) if step - 1 >= room and last - step >= room]
    return list(dict.fromkeys((1, *between, last)))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
