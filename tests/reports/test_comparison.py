"""The comparison in a report says what `compare_runs` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalkit.evals.compare import compare_runs
from evalkit.reports import report_data, write_report
from evalkit.reports.charts.axes import Scale, quarters, scale_around_zero, scale_of
from evalkit.reports.language.numbers import Numbers
from evalkit.tests.support.page_reader import STRINGS, Parsed
from evalkit.tests.support.run_builder import build_run, sample_rows


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [
        build_run(tmp_path / name, sample_rows(30, skill=skill, seed=seed), model=name)
        for seed, (name, skill) in enumerate((("strong", 0.9), ("weak", 0.3), ("same", 0.9)), 1)
    ]


def test_differences_are_those_of_the_command(runs: list[Path]) -> None:
    first, second = report_data(runs)["comparisons"]
    assert [(pair["first"], pair["second"]) for pair in (first, second)] == [(0, 1), (0, 2)]
    expected = compare_runs(runs[0], runs[1])
    whole = {one.metric: one for one in expected.differences if not one.dimension}
    (task,) = first["tasks"]
    assert [metric["metric"] for metric in task["metrics"]] == list(whole)
    for metric in task["metrics"]:
        one = whole[metric["metric"]]
        assert (metric["value"], metric["low"], metric["adjusted"]) == (one.value, one.low, one.adjusted)
        for dimension, parts in metric["breakdown"].items():
            labels = {
                part.label: part.value
                for part in expected.differences
                if part.metric == one.metric and part.dimension == dimension
            }
            assert {part["label"]: part["value"] for part in parts} == labels


def test_the_page_shows_differences_wins_and_what_was_told_apart(runs: list[Path], tmp_path: Path) -> None:
    page = write_report(runs, tmp_path / "r.html").read_text(encoding="utf-8")
    text = " ".join(Parsed(page).text.split())
    write = Numbers(STRINGS["en"])
    for pair in report_data(runs)["comparisons"]:
        for metric in pair["tasks"][0]["metrics"]:
            assert write.difference(metric, metric["unit"]) in text
            assert f"{metric['wins']} / {metric['ties']} / {metric['losses']}" in text
    assert STRINGS["en"]["comparison_note"].split(".")[0] in text
    assert 'data-outcome="set:0" data-first="0" data-second="1"' in page


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    rows = sample_rows(3, skill=0.5, seed=1)
    other = [{**row, "task": "no-such-task"} for row in rows]
    runs = [
        build_run(tmp_path / "a", rows, model="a"),
        build_run(tmp_path / "b", other, model="b", title="Other"),
    ]
    (pair,) = report_data(runs)["comparisons"]
    assert pair["tasks"] == []
    assert "no task in common" in pair["trouble"]
    text = Parsed(write_report(runs, tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "no task in common" in text


def test_one_run_is_compared_with_nothing(runs: list[Path], tmp_path: Path) -> None:
    assert report_data(runs[:1])["comparisons"] == []
    page = write_report(runs[:1], tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'id="comparison"' not in page


@pytest.mark.parametrize(
    ("points", "unit", "scale"),
    [
        ([{"value": 0.5, "low": 0.4, "high": 0.6}], "share", quarters(0, 1)),
        ([{"value": 7.2, "low": 6.9, "high": 7.4}, None], "number", quarters(0, 8, percent=False)),
        ([{"value": 9.2, "low": None, "high": None}], "number", quarters(0, 10, percent=False)),
        ([{"value": -3.0, "low": -35.0, "high": -1.0}], "number", quarters(-40, 0, percent=False)),
        ([{"value": None}], "number", quarters(0, 1, percent=False)),
    ],
)
def test_scales_hold_all_points(points: list[dict[str, float] | None], unit: str, scale: Scale) -> None:
    assert scale_of(points, unit) == scale


def test_differences_have_zero_in_the_middle() -> None:
    assert scale_around_zero([{"value": 0.03, "low": -0.05, "high": 0.11}], "share") == quarters(-0.2, 0.2)
    assert quarters(-0.2, 0.2).place(0.0) == "50"
    assert quarters(-0.2, 0.2).labels(Numbers(STRINGS["en"])) == ["−20", "−10", "0", "+10", "+20"]
    assert scale_around_zero([], "number") == quarters(-1, 1, percent=False)


@pytest.mark.parametrize(
    ("point", "unit", "text"),
    [
        ({"value": 0.031, "low": -0.004, "high": 0.066}, "share", "+3.1 [−0.4, +6.6]"),
        ({"value": 0.0, "low": -0.0001, "high": 0.0}, "share", "0.0 [0.0, 0.0]"),
        ({"value": -0.5, "low": None, "high": None}, "number", "−0.50"),
        (None, "share", "—"),
    ],
)
def test_differences_are_written_with_their_sign(point: dict[str, float] | None, unit: str, text: str) -> None:
    assert Numbers(STRINGS["en"]).difference(point, unit) == text


def test_p_values() -> None:
    write = Numbers(STRINGS["en"]).p_value
    assert [write(p) for p in (None, 0.0, 0.0009, 0.04, 1.0)] == ["—", "<0.001", "<0.001", "0.040", "1.000"]
