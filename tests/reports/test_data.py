"""Runs become one table: side by side, in a stable order, with everything said that makes them incomparable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.errors import InputError, UsageError
from evalkit.files import encode
from evalkit.reports import report_data
from evalkit.reports.data.samples import natural_order
from evalkit.tests.support.run_builder import METRICS, build_run, failed_row, sample_rows
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    return [
        build_run(tmp_path / "strong", sample_rows(20, skill=0.8, seed=1), model="embedded:strong"),
        build_run(tmp_path / "weak", sample_rows(20, skill=0.3, seed=2), model="embedded:weak"),
    ]


def test_answers_to_one_sample_stand_side_by_side(pair: list[Path]) -> None:
    data = report_data(pair)
    assert [run["label"] for run in data["runs"]] == ["embedded:strong", "embedded:weak"]
    assert len(data["samples"]) == 20
    for sample in data["samples"]:
        first, second = sample["answers"]
        assert first["text"] != second["text"]
        assert [one["id"] for one in first["parts"]["instructions"]] == [
            one["id"] for one in second["parts"]["instructions"]
        ]
        assert "messages" not in first
        assert "messages" not in second


def test_metrics_and_breakdowns_are_those_of_the_results_file(pair: list[Path]) -> None:
    (task,) = report_data(pair)["tasks"]
    results = [orjson.loads((run / "results.json").read_bytes())["tasks"][0] for run in pair]
    assert [metric["name"] for metric in task["metrics"]] == [metric.name for metric in METRICS]
    for index, result in enumerate(results):
        for shown, computed in zip(task["metrics"], result["metrics"], strict=True):
            assert shown["runs"][index]["value"] == computed["value"]
            assert shown["runs"][index]["low"] == computed["low"]
            for dimension in shown["breakdown"]:
                rows = {row["label"]: row["runs"][index] for row in dimension["rows"]}
                assert rows == computed["breakdown"][dimension["name"]]


def test_the_order_of_answering_does_not_matter(pair: list[Path]) -> None:
    before = report_data(pair)
    for run in pair:
        path = run / "samples.jsonl"
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert report_data(pair) == before


def test_a_torn_last_line_is_not_read(pair: list[Path]) -> None:
    before = report_data(pair)
    with (pair[0] / "samples.jsonl").open("ab") as file:
        file.write(b'{"task": "ruifeval", "id": "99')
    assert report_data(pair) == before


def test_different_prompts_under_one_id_are_kept_apart(tmp_path: Path) -> None:
    rows = sample_rows(2, skill=0.5, seed=1)
    changed: list[dict[str, Any]] = sample_rows(2, skill=0.5, seed=2)
    changed[1]["messages"] = [{"role": "user", "content": "Другой вопрос"}]
    runs = [build_run(tmp_path / "a", rows, model="a"), build_run(tmp_path / "b", changed, model="b")]
    sample = report_data(runs)["samples"][1]
    assert sample["messages"] == rows[1]["messages"]
    assert sample["answers"][1]["messages"] == changed[1]["messages"]


def test_epochs_are_samples_of_their_own(tmp_path: Path) -> None:
    rows = sample_rows(3, skill=0.5, seed=1)
    again = [{**row, "epoch": 1} for row in rows]
    samples = report_data([build_run(tmp_path / "a", [*again, *rows], model="a")])["samples"]
    assert [(sample["id"], sample["epoch"]) for sample in samples] == [
        (id, epoch) for id in ("1000", "1001", "1002") for epoch in (0, 1)
    ]


def test_runs_of_one_model_are_told_apart(tmp_path: Path) -> None:
    rows = sample_rows(2, skill=0.5, seed=1)
    runs = [build_run(tmp_path / name, rows, model="m") for name in ("cold", "warm")]
    runs.append(build_run(tmp_path / "other" / "warm", rows, model="m"))
    assert [run["label"] for run in report_data(runs)["runs"]] == ["m (cold)", "m (warm) (#2)", "m (warm) (#3)"]


def test_like_runs_raise_no_warning(pair: list[Path]) -> None:
    assert report_data(pair)["warnings"] == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sha256": "77" * 32}, "data"),
        ({"version": "1.1"}, "version"),
        ({"settings": {"temperature": 0.7}}, "setting"),
        ({"settings": {"limit": 5}}, "setting"),
        ({"finished": False}, "incomplete"),
        ({"manifest": {"evalkit": "0.2.0"}}, "evalkit"),
    ],
)
def test_what_makes_runs_incomparable_is_said(tmp_path: Path, change: dict[str, Any], kind: str) -> None:
    rows = sample_rows(4, skill=0.5, seed=1)
    runs = [build_run(tmp_path / "a", rows, model="a"), build_run(tmp_path / "b", rows, model="b", **change)]
    (warning,) = report_data(runs)["warnings"]
    assert warning["kind"] == kind


def test_another_model_or_data_path_is_no_difference_in_settings(tmp_path: Path) -> None:
    rows = sample_rows(4, skill=0.5, seed=1)
    settings = {"data": {"ruifeval": "/elsewhere/file.jsonl"}, "base_url": "http://localhost:1"}
    runs = [
        build_run(tmp_path / "a", rows, model="a"),
        build_run(tmp_path / "b", rows, model="b", settings=settings),
    ]
    assert report_data(runs)["warnings"] == []


def test_different_sets_of_samples_are_said(tmp_path: Path) -> None:
    rows = sample_rows(4, skill=0.5, seed=1)
    runs = [
        build_run(tmp_path / "a", rows, model="a"),
        build_run(tmp_path / "b", rows[1:], model="b", settings={"limit": 4}),
    ]
    (warning,) = report_data(runs)["warnings"]
    assert warning == {"kind": "samples", "task": "ruifeval", "values": [[0, "4"], [1, "3"]]}


def test_answers_without_a_score_are_said(tmp_path: Path) -> None:
    rows = sample_rows(4, skill=0.5, seed=1)
    rows[2] = failed_row(rows[2], "HTTP 500")
    data = report_data([build_run(tmp_path / "a", rows, model="a")])
    assert data["warnings"] == [{"kind": "unscored", "task": "ruifeval", "values": [[0, "1 / 4"]]}]
    answer = data["samples"][2]["answers"][0]
    assert answer == {"status": "api_error", "explanation": "HTTP 500"}


def test_a_task_that_one_run_lacks_is_said(tmp_path: Path) -> None:
    rows = sample_rows(3, skill=0.5, seed=1)
    other = [{**row, "task": "other"} for row in rows]
    runs = [build_run(tmp_path / "a", rows, model="a"), build_run(tmp_path / "b", other, model="b", title="Other")]
    data = report_data(runs)
    assert [(warning["kind"], warning["task"]) for warning in data["warnings"]] == [
        ("task_missing", "ruifeval"),
        ("task_missing", "other"),
    ]
    assert [task["title"] for task in data["tasks"]] == ["ruIFEval", "Other"]
    assert data["tasks"][0]["runs"][1] is None
    assert data["samples"][0]["answers"][1] is None


def test_facts_mark_what_differs(pair: list[Path]) -> None:
    sections = {section["section"]: section["rows"] for section in report_data(pair)["facts"]}
    spec = {row["name"]: row for row in sections["spec"]}
    assert spec["model"]["differs"]
    assert not spec["temperature"]["differs"]
    assert {row["name"] for row in sections["tasks"]} >= {"ruifeval.data.sha256", "ruifeval.version"}


TASK = """
from evalkit.tasks.types import Score, mean_value

class Answered:
    name, version, title, metrics, max_tokens = "ruifeval", "1.0", "Answered", (mean_value(),), 64

    def samples(self, *, split, limit, seed):
        return []

    def read(self, path):
        return []

    def score(self, sample, completion, context):
        return Score(1.0)

task = Answered()
"""


def test_results_of_a_run_still_going_are_computed(tmp_path: Path) -> None:
    (tmp_path / "answered.py").write_text(TASK, encoding="utf-8")
    unjudged: dict[str, Any] = {"judge": None, "judge_prices": {}}
    rows = sample_rows(4, skill=0.5, seed=1)
    run = build_run(tmp_path / "a", rows, model="a", finished=False, manifest=unjudged)
    (run / "results.json").unlink()
    manifest = orjson.loads((run / "manifest.json").read_bytes())
    manifest["tasks"][0]["registered_as"] = f"{tmp_path / 'answered.py'}:task"
    (run / "manifest.json").write_bytes(encode(manifest))
    data = report_data([run])
    assert data["tasks"][0]["runs"][0]["scored"] == 4
    assert [warning["kind"] for warning in data["warnings"]] == ["incomplete"]


def test_no_run_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="at least one run"):
        report_data([])


def test_one_run_twice_is_wrong_usage(pair: list[Path]) -> None:
    with pytest.raises(UsageError, match="given 2 times"):
        report_data([pair[0], pair[0].parent / "weak" / ".." / "strong"])


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        report_data([tmp_path])


def test_a_damaged_results_file_is_named(pair: list[Path]) -> None:
    (pair[0] / "results.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"results\.json"):
        report_data(pair)


@given(st.lists(st.text(), unique_by=lambda id: str(natural_order(id))))
def test_any_ids_have_one_order(ids: list[str]) -> None:
    ids.reverse()
    backwards = sorted(ids, key=natural_order)
    ids.reverse()
    assert sorted(ids, key=natural_order) == backwards


def test_numbers_in_ids_count_as_numbers() -> None:
    huge = "9" * 10_000
    assert sorted([f"q{huge}", "q10", "q9", "q010", "a"], key=natural_order)[:3] == ["a", "q9", "q10"]
