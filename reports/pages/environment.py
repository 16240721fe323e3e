"""The environment of the templates: filters for numbers and functions that draw figures, in one language."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import Final

import jinja2
from markupsafe import Markup, escape

from ..charts import axes, curves, intervals
from ..language.numbers import Numbers
from ..language.words import words_in
from .assets import TEMPLATES

REFRESH_SECONDS: Final = 10
"""How often a page about work in progress reloads itself."""


def breakable(name: str) -> Markup:
    """Return a name as HTML that breaks behind punctuation, or else after 24 characters, and not within a word."""
    return Markup(re.sub(r"([:/+_,-]|\w{24})(?=.)", r"\1<wbr>", str(escape(name))))


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
    environment.filters.update(numbers.filters(), breakable=breakable)
    environment.globals.update(
        axis=partial(intervals.axis, numbers=numbers),
        intervals=intervals.intervals,
        swatch=axes.swatch,
        plot=partial(intervals.cost_plot, words=words["board"], numbers=numbers),
        radar=partial(intervals.radar, numbers=numbers),
        curve_chart=partial(curves.curve_chart, strings=words, numbers=numbers),
        histogram_chart=partial(curves.histogram_chart, numbers=numbers),
        scale_of=axes.scale_of,
        scale_around_zero=axes.scale_around_zero,
        MOST_OUTLINES=intervals.MOST_OUTLINES,
        REFRESH_SECONDS=REFRESH_SECONDS,
    )
    return environment
