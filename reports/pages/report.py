"""The report: one or several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...files import AnyPath, Paths, write_json
from ..data.runs import read_report
from ..language.words import Language
from .packing import pack
from .rendering import render_page, write_page

TEMPLATE: Final = "report/report.html.j2"


def write_report(runs: Paths, output: AnyPath, *, language: Language = "en") -> Path:
    """Write one HTML file about one or several runs, and its data as JSON beside it; return the page's path.

    Equal runs give equal bytes. ``output`` may be a folder: the files are then ``report.html`` and ``report.json``.
    The JSON is what `data.runs` describes, but for the texts of the samples. When the page would be larger than
    `packing.LARGEST_FILE`, these lie in a folder beside it, as in ``report.data``, and are loaded when they are
    looked at.

    Raises:
        UsageError: no run, the same run twice, or an unknown language.
        InputError: a directory is not a run, or a file in it is damaged.
        RunError: the file cannot be written.
    """
    data, samples = read_report(runs)
    path = write_page(TEMPLATE, data, samples, Path(output), language)
    write_json(path.with_suffix(".json"), data)
    return path


def render(data: Mapping[str, Any], *, language: Language = "en") -> str:
    """Turn `report_data` into the text of an HTML file that holds all its samples.

    Raises:
        UsageError: an unknown language.
    """
    return render_page(TEMPLATE, data, pack(data["samples"], data["outcomes"]), language)
