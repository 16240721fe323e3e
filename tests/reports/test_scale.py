"""The measurement of large reports, on a toy: the same runs every time, and every line of its table."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalkit.bench.report_scale import Measured, make_runs, measure
from evalkit.tests.support.report_browser import CHROMIUM, WHY_NO_CHROMIUM


def test_runs_are_the_same_for_a_seed(tmp_path: Path) -> None:
    first, again, other = (
        [(run / "samples.jsonl").read_bytes() for run in make_runs(tmp_path / name, 2, 4, seed)]
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert first == again
    assert len({*first, *other}) == 4


@pytest.mark.exhaustive
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NO_CHROMIUM)
def test_a_toy_is_measured_throughout(tmp_path: Path) -> None:
    found = measure(tmp_path, models=2, prompts=6, seed=0, say=lambda line: None)
    assert [one.unit for one in found if one.limit] == ["s", "MB", "MB", "s", "MB", "s", "MB", "MB"]
    assert all(one.value > 0 for one in found if "shards" not in one.what)
    assert Measured("heap", 31.0, "MB", 30).line() == "| heap | 31 MB **broken** | 30 MB |"
