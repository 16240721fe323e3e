r"""Points for a proof: ``<points>6</points>``, ``<score>6</score>``, ``\boxed{0.5}``."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...tasks.types import Status
from .brackets import read_tags
from .masking import blank
from .numbers import Scale, is_read, read_number
from .ratings import read_rating, read_rating_object
from .verdict import Reading, VerdictStatus

BOXED_VALUES = (0, 0.5, 1)
"""What the boxed form may say: wrong, partly right, right (DeepSeekMath-V2's scale)."""

_BOXED = re.compile(r"\\boxed\s{0,4}\{\s{0,4}(?:\\text\s{0,4}\{)?(?P<inside>[^{}]{0,120}+)\}")
_WORDS = {"correct": 1, "incorrect": 0, "верно": 1, "неверно": 0, "правильно": 1, "неправильно": 0}
_OF_THE_WHOLE = re.compile(r"/|\bиз\b|\bof\b")


def read_points(text: str, scale: Scale) -> Reading | None:
    """Return the points in a text without quotations; ``None`` if nothing in it looks like them."""
    if (tagged := read_tags(text, scale)) is not None:
        return tagged
    boxed = deque(_BOXED.finditer(text), maxlen=1)
    # A box may hold the answer to the problem: points beside it come first.
    reading = read_rating(_BOXED.sub(lambda box: blank(box[0]), text) if boxed else text, scale)
    if reading and is_read(reading):
        return replace(reading, status=Status.OK_LENIENT)
    return _read_boxed(boxed[0], scale) if boxed else reading


def read_points_object(found: Mapping[str, Any], scale: Scale) -> Reading | None:
    """Return the points in a JSON object; ``None`` if no key of it names them."""
    return read_rating_object(found, scale)


def _read_boxed(match: re.Match[str], scale: Scale) -> Reading:
    inside = match["inside"].strip().lower()
    grid = Scale(0, 1)
    if _OF_THE_WHOLE.search(inside):
        reading = read_number(inside, scale)
        reading = replace(reading, status=Status.OK_LENIENT) if is_read(reading) else reading
        return replace(reading, start=match.start(), end=match.end())
    reading = grid.place(_WORDS[inside]) if inside in _WORDS else read_number(inside, grid)
    if is_read(reading):
        on_grid = reading.value in BOXED_VALUES
        own = (scale.low, scale.high) == (0, 1)
        status = Status.OK if own else VerdictStatus.OK_SCALE_0_1
        reading = replace(reading, status=status) if on_grid else Reading(None, Status.MALFORMED)
    return replace(reading, start=match.start(), end=match.end(), details={"scale": [0, 1]})
