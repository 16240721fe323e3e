"""What all figures share: round scales that hold their values, labels of ticks, text that stays text."""

from __future__ import annotations

import pytest
from evalkit.reports.charts.axes import (
    Frame,
    Scale,
    axes,
    quarters,
    scale_of,
    scale_of_steps,
    scale_of_values,
)
from evalkit.reports.charts.elements import element
from evalkit.reports.language.numbers import Numbers
from evalkit.reports.language.words import words_in
from hypothesis import given
from hypothesis import strategies as st

ENGLISH, RUSSIAN = Numbers(words_in("en")), Numbers(words_in("ru"))
VALUES = st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-9)


@given(values=st.lists(VALUES), count=st.integers(3, 8))
def test_a_scale_holds_its_values_between_round_ticks(values: list[float], count: int) -> None:
    scale = scale_of_values(values, count, percent=False)
    step = scale.ticks[1] - scale.ticks[0]
    assert (scale.low, scale.high) == (scale.ticks[0], scale.ticks[-1])
    assert list(scale.ticks) == sorted(set(scale.ticks))
    assert 2 <= len(scale.ticks) <= count + 2
    for value in values:
        assert scale.low - 0.03 * step <= value <= scale.high + 0.03 * step
        assert 0 <= scale.at(value) <= 1


@given(last=st.integers(0, 10**6), count=st.integers(2, 8))
def test_steps_are_whole_and_have_both_ends(last: int, count: int) -> None:
    scale = scale_of_steps(last, count)
    assert (scale.ticks[0], scale.ticks[-1]) == (1, max(last, 2)) == (scale.low, scale.high)
    assert all(isinstance(tick, int) for tick in scale.ticks)
    assert len(scale.ticks) <= count + 2


@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (quarters(0, 1), ["0", "25", "50", "75", "100"]),
        (quarters(-0.2, 0.2), ["−20", "−10", "0", "+10", "+20"]),
        (quarters(0, 10, percent=False), ["0", "2,5", "5", "7,5", "10"]),
        (quarters(0, 40_000, percent=False), ["0", "10000", "20000", "30000", "40000"]),
        (quarters(0, 4e-5, percent=False), ["0", "1·10⁻⁵", "2·10⁻⁵", "3·10⁻⁵", "4·10⁻⁵"]),
        (Scale(0, 1, (0.0, 0.5, 1.0), percent=True), ["0\u00a0%", "50\u00a0%", "100\u00a0%"]),
        (Scale(-1, 1, (-1.0, -0.5, 0.0, 0.5, 1.0)), ["−1,0", "−0,5", "0,0", "0,5", "1,0"]),
        (scale_of_steps(1200, 4), ["1", "500", "1200"]),
    ],
)
def test_labels_have_the_decimals_of_their_steps(scale: Scale, labels: list[str]) -> None:
    assert scale.labels(RUSSIAN) == labels


def test_every_tick_has_its_line_and_its_label() -> None:
    frame = Frame(40, 10, 400, 200, scale_of_steps(30, 4), scale_of([{"value": 7}], "number"))
    for upright, lines in ((False, 5), (True, 5 + len(frame.across.ticks))):
        drawn = "".join(axes(frame, ENGLISH, upright=upright))
        assert drawn.count("<line ") == lines
        assert drawn.count('text-anchor="middle"') == len(frame.across.ticks)
        assert drawn.count('text-anchor="end"') == 5
        assert drawn.count("grid base") == (not upright)
    assert (frame.x(1), frame.x(30), frame.y(0), frame.y(8)) == (40, 440, 210, 10)


def test_text_in_an_element_stays_text() -> None:
    made = element("text", "<b>&", class_='a"b', x=1.005, y=-0.5, text_anchor=None)
    assert made == '<text class="a&#34;b" x="1" y="-0.5">&lt;b&gt;&amp;</text>'
    assert element("g", element("path", d="M0 0")) == '<g><path d="M0 0"/></g>'
