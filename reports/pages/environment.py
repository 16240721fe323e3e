"""What templates may call: the words and numbers of a language, and figures of what a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

import jinja2
from markupsafe import Markup

from ..charts import axes, curves, intervals
from ..language.numbers import Numbers
from ..language.words import words_in
from .assets import TEMPLATES

MOST_OUTLINES: Final = 6
"""Models on a radar: more could not be told apart by eye."""

REFRESH_SECONDS: Final = 10
"""How often a page about work that goes on loads itself afresh."""


@cache
def environment_in(language: str) -> jinja2.Environment:
    """Return the environment of all templates in a language.

    Raises:
        UsageError: an unknown language.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = words_in(language)
    numbers = Numbers(words)
    environment.filters.update(numbers.filters())
    environment.globals.update(
        axis=partial(intervals.axis, numbers=numbers),
        intervals=intervals.intervals,
        swatch=axes.swatch,
        plot=partial(_plot, words=words["board"], numbers=numbers),
        radar=partial(_radar, numbers=numbers),
        curve_chart=partial(curves.curve_chart, strings=words, numbers=numbers),
        histogram_chart=partial(curves.histogram_chart, numbers=numbers),
        scale_of=axes.scale_of,
        scale_around_zero=axes.scale_around_zero,
        MOST_OUTLINES=MOST_OUTLINES,
        REFRESH_SECONDS=REFRESH_SECONDS,
    )
    return environment


def _plot(
    board: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], *, words: Mapping[str, Any], numbers: Numbers
) -> Markup:
    """Draw a board's scores against what they cost."""
    plot = board["plot"]
    dots = [
        intervals.Dot(
            entries[point["entry"]]["runs"][0],
            point["x"],
            point["y"],
            entries[point["entry"]]["label"],
            point["best"],
        )
        for point in plot["points"]
    ]
    x_title = plot["currency"] or words["tokens_an_answer"]
    y_title = board["metric_title"] + (", %" if board["unit"] == "share" else "")
    return intervals.scatter(dots, numbers, x_title=x_title, y_title=y_title, unit=board["unit"])


def _radar(
    dimension: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], scale: axes.Scale, *, numbers: Numbers
) -> Markup:
    """Draw the best models of a board by category."""
    outlines = [
        intervals.Outline(
            entries[row["entry"]]["runs"][0],
            entries[row["entry"]]["label"],
            tuple(cell["value"] if cell else None for cell in row["cells"]),
        )
        for row in dimension["rows"][:MOST_OUTLINES]
    ]
    return intervals.radar(outlines, dimension["labels"], numbers, scale)
