"""The table of two models by six criteria: the published one reproduced and checked, and that of two runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.errors import InputError
from evalkit.reports.data.proof_table import (
    CRITERIA,
    ProofRow,
    ProofTable,
    as_data,
    as_markdown,
    read_table,
    rounded,
    table_of_runs,
)
from evalkit.tests.support.run_builder import build_run, sample_row
from hypothesis import given
from hypothesis import strategies as st

PUBLISHED = Path(__file__).parents[1] / "data" / "liberalmind_gemini.json"
PRINTED = {
    "LiberalMind 1.5 7B": [35, 30, 33, 37, 42, 32],
    "Gemini 2.5 Pro": [91, 89, 92, 90, 93, 88],
}


def percentages(*values: float | None) -> dict[str, float | None]:
    return dict(zip(CRITERIA, values, strict=True))


def body(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_published_table_is_reproduced_and_its_wrong_mean_is_named():
    table = read_table(PUBLISHED)
    markdown = as_markdown(table)
    for model, printed in PRINTED.items():
        shown = [row[-1] for row in body(markdown) if row[1] == model and row[0] != "Среднее"]
        assert [int(mean.split()[0]) for mean in shown] == printed
    assert "- Задача 6, Gemini 2.5 Pro: напечатано 88, в среднем 89 (88.67)." in markdown
    data = as_data(table)
    assert [(row["problem"], row["model"]) for row in data["rows"] if row["misprint"]] == [("6", "Gemini 2.5 Pro")]
    assert data["means"] == {"LiberalMind 1.5 7B": 34.67, "Gemini 2.5 Pro": 90.56}
    assert round(data["ratio"], 1) == 2.6
    assert "в 2.6 раза" in markdown


def test_the_published_comparison_was_not_fair_so_nobody_leads():
    table = read_table(PUBLISHED)
    assert table.unfair == ("runs",)
    assert as_data(table)["leader"] is None
    markdown = as_markdown(table)
    assert "**Условия неодинаковы:** runs (1 и 4)" in markdown
    assert "Выше среднее" not in markdown


def test_means_are_recomputed_from_cells_and_what_does_not_apply_is_left_out():
    rows = (
        ProofRow("1", "a", percentages(90, 85, 80, 95, None, 100), printed_mean=92),
        ProofRow("1", "b", percentages(88, 89, 89, 89, 89, 88), printed_mean=88),
    )
    table = ProofTable("t", ("a", "b"), rows)
    first, second = as_data(table)["rows"]
    assert (first["mean"], first["misprint"]) == (90.0, True)
    assert (second["rounded"], second["misprint"]) == (89, True)
    assert as_data(table)["leader"] == "a"
    markdown = as_markdown(table)
    assert body(markdown)[0] == ["1", "a", "90", "85", "80", "95", "—", "100", "92 (!)"]
    assert "из них неверны: 2" in markdown
    assert "Выше среднее у модели a" in markdown


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_a_mean_that_was_rounded_either_way_is_no_misprint_and_another_is(values):
    mean = sum(values) / 6
    row = ProofRow("1", "a", percentages(*values), printed_mean=rounded(mean))
    assert not row.misprint
    assert ProofRow("1", "a", percentages(*values), printed_mean=rounded(mean) + 2).misprint


def test_halves_are_rounded_upwards():
    assert [rounded(value) for value in (0.5, 1.5, 2.5, 88.49, 88.67)] == [1, 2, 3, 88, 89]


def test_hostile_names_stay_in_their_cell():
    rows = tuple(ProofRow("1|2\n3", model, percentages(*[50] * 6)) for model in ("<b>a</b>", "b\\"))
    markdown = as_markdown(ProofTable("t", ("<b>a</b>", "b\\"), rows))
    assert "| 1\\|2 3 | &lt;b&gt;a&lt;/b&gt; |" in markdown
    assert "| b\\\\ |" in markdown


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"title": "t", "rows": []}, "'models' is missing"),
        ({"title": "t", "models": ["a"], "rows": []}, "table.json"),
        ({"title": "t", "models": ["a", "b"], "rows": [{"problem": 1, "model": "c"}]}, "row 1: field 'model'"),
        (
            {"title": "t", "models": ["a", "b"], "rows": [{"problem": 1, "model": "a", "criteria": {"style": 1}}]},
            "no criterion 'style'",
        ),
        (
            {"title": "t", "models": ["a", "b"], "rows": [{"problem": 1, "model": "a", "printed_mean": 101}]},
            "percentage from 0 to 100",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, found, message):
    path = tmp_path / "table.json"
    path.write_text(json.dumps(found), "utf-8")
    with pytest.raises(InputError, match=message):
        read_table(path)


def made_run(
    path: Path, model: str, criteria: dict[str, list[dict | None]], judge: object = None, **spec: object
) -> Path:
    """A run directory whose answers have criteria, each id in as many epochs as it has of them."""
    rows = [
        sample_row(id, "Докажите.", "Доказательство.", [])
        | {"task": "imo-mini", "epoch": epoch}
        | {"score": {"value": 1.0, "status": "ok", "parts": {"criteria": found}, "explanation": ""}}
        for id, epochs in criteria.items()
        for epoch, found in enumerate(epochs)
    ]
    return build_run(
        path, rows, model=model, settings={"max_tokens": 100, **spec}, manifest={"judge": judge}, metrics=()
    )


def test_two_runs_make_a_table_with_epochs_averaged(tmp_path):
    first = made_run(tmp_path / "a", "m", {"p10": [percentages(*[40] * 6)], "p2": [percentages(*[60] * 6)]})
    second = made_run(
        tmp_path / "b", "m", {"p2": [percentages(*[70] * 6), percentages(90, 90, 90, 90, None, 90), None]}, epochs=3
    )
    table = table_of_runs(first, second)
    assert table.models == ("m (1)", "m (2)")
    assert [(row.problem, row.model, row.mean) for row in table.rows] == [
        ("p2", "m (1)", 60.0), ("p2", "m (2)", pytest.approx(78.33, abs=0.01)),
        ("p10", "m (1)", 40.0), ("p10", "m (2)", None),
    ]  # fmt: skip
    assert table.unfair == ("runs",)
    data = as_data(table)
    assert data["means"] == {"m (1)": 50.0, "m (2)": None}
    assert (data["leader"], data["ratio"]) == (None, None)
    assert "—" in as_markdown(table)


def test_a_jury_is_named_by_its_members(tmp_path):
    cells = {"p": [percentages(*[50] * 6)]}
    jury = {"rule": "min", "members": [{"name": "x"}, {"name": "y"}]}
    runs = (
        made_run(tmp_path / "a", "a", cells, judge={"name": "x"}),
        made_run(tmp_path / "b", "b", cells, judge=jury),
    )
    table = table_of_runs(*runs)
    assert [settings["judge"] for settings in table.settings.values()] == ["x", "min of x, y"]
    assert table.unfair == ("judge",)


def test_a_run_without_criteria_has_no_table(tmp_path):
    empty = made_run(tmp_path / "a", "m", {"p": [None]})
    with pytest.raises(InputError, match="six criteria"):
        table_of_runs(empty, empty)
