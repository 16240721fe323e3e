"""Runs that earlier versions made still open everywhere, and say what they said.

``tests/data/old-runs`` holds two of them, made by evalkit 0.1.0 on loopback servers::

    plain    --tasks ruifeval-mini --limit 4 --epochs 2 --solver 'vote(2)', one sample refused by the server
    judged   --tasks rumtbench-mini --limit 2, with a judge that gives 7 to everything, a canary too

A task whose rules or data change, or a judge's form that does, is what they must be made anew for.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.evals.compare import compare_runs
from evalkit.evals.engine.results import summarize
from evalkit.evals.merge import merge
from evalkit.evals.records.manifest import read_manifest
from evalkit.evals.records.results import read_results
from evalkit.evals.records.rows import read_rows
from evalkit.evals.rescore import rescore
from evalkit.files import encode, write_json
from evalkit.judges.parsing import PARSER_VERSION
from evalkit.reports.data.runs import report_data
from evalkit.reports.export import export
from evalkit.reports.pages.leaderboard import write_leaderboard
from evalkit.reports.pages.report import write_report

OLD = Path(__file__).parent / "data" / "old-runs"
NAMES = ("plain", "judged")


@pytest.fixture(params=NAMES)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD / request.param, tmp_path / "run"))


def stored(run: Path) -> dict[str, Any]:
    results: dict[str, Any] = orjson.loads((run / "results.json").read_bytes())
    return results


def values(metrics: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {metric["name"]: metric["value"] for metric in metrics if metric["value"] is not None}


def figures(results: Mapping[str, Any]) -> list[Any]:
    """Return what results count and the values of the tasks' own metrics: intervals have better methods today."""
    return [
        (
            *(task[name] for name in ("task", "version", "samples", "answered", "scored", "coverage", "statuses")),
            values([metric for metric in task["metrics"] if metric["kind"] == "task"]),
            task["usage"],
        )
        for task in results["tasks"]
    ] + [results["complete"], results["judging"]]


def test_the_files_come_back_as_they_are(run: Path) -> None:
    results = read_results(run)
    assert results is not None
    assert results.as_json() == stored(run)
    manifest = read_manifest(run)
    assert encode(manifest.as_json(), indent=True) + b"\n" == (run / "manifest.json").read_bytes()
    assert (
        sum(1 for _ in read_rows(run))
        == results.tasks[0].answered
        == manifest.tasks[0].samples * (manifest.spec.epochs)
    )


def test_they_are_summed_up_as_they_were(run: Path) -> None:
    assert figures(summarize(run).as_json()) == figures(stored(run))


def test_a_rescore_finds_what_was_found(run: Path) -> None:
    # A rescore notes which parser read the judge's words.
    rows = re.sub(rb'"parser":"\d+"', f'"parser":"{PARSER_VERSION}"'.encode(), (run / "samples.jsonl").read_bytes())
    kept = stored(run)
    described = (run / "manifest.json").read_bytes()
    before, after = rescore(run)
    assert figures(before.as_json()) == figures(kept)
    assert figures(after.as_json()) == figures(stored(run)) == figures(kept)
    assert (run / "samples.jsonl").read_bytes() == rows
    assert (run / "manifest.json").read_bytes() == described


def test_the_report_shows_the_stored_numbers(run: Path, tmp_path: Path) -> None:
    (kept,) = stored(run)["tasks"]
    data = report_data([run])
    (task,) = data["tasks"]
    assert values([{"name": one["name"], **one["runs"][0]} for one in task["metrics"]]) == values(kept["metrics"])
    assert task["runs"][0]["scored"] == kept["scored"]
    assert sum(len(sample["answers"]) for sample in data["samples"]) == kept["answered"]
    assert write_report([run], tmp_path / "report.html").stat().st_size > 10_000


def test_a_comparison_with_itself_has_no_difference(run: Path) -> None:
    found = compare_runs(run, run)
    assert found.warnings == ()
    assert {one.value for one in found.differences} == {0.0}


def test_a_leaderboard_shows_the_stored_headline(run: Path, tmp_path: Path) -> None:
    page = write_leaderboard(run, tmp_path / "board.html")
    (board,) = orjson.loads(page.with_suffix(".json").read_bytes())["boards"]
    assert board["rows"][0]["value"] == stored(run)["tasks"][0]["metrics"][0]["value"]


def test_an_export_has_the_stored_numbers(run: Path, tmp_path: Path) -> None:
    import pandas as pd

    export([run], "csv", tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    whole = table[table["dimension"].isna() & table["value"].notna()]
    found = dict(zip(whole["metric"], whole["value"], strict=True))
    assert found == pytest.approx(values(stored(run)["tasks"][0]["metrics"]))
    results, *_ = export([run], "lm-eval", tmp_path / "theirs").splitlines()
    (theirs,) = orjson.loads(Path(results).read_bytes())["results"].values()
    name, value = next(iter(values(stored(run)["tasks"][0]["metrics"]).items()))
    assert theirs[f"{name},none"] == value


def test_shards_of_an_old_run_are_merged_to_its_numbers(run: Path, tmp_path: Path) -> None:
    kept = stored(run)
    manifest = orjson.loads((run / "manifest.json").read_bytes())
    lines = (run / "samples.jsonl").read_bytes().splitlines(keepends=True)
    ids = list(dict.fromkeys(orjson.loads(line)["id"] for line in lines))
    parts = []
    for number in (1, 2):
        part = tmp_path / f"part-{number}"
        parts.append(Path(shutil.copytree(run, part)))
        mine = ids[number - 1 :: 2]
        manifest["spec"]["shard"] = f"{number}/2"
        manifest["tasks"][0]["samples"] = len(mine)
        write_json(part / "manifest.json", manifest)
        (part / "samples.jsonl").write_bytes(b"".join(line for line in lines if orjson.loads(line)["id"] in mine))
        (part / "results.json").unlink()
    for name in ("verdicts.jsonl", "canaries.jsonl"):
        (parts[1] / name).unlink(missing_ok=True)
    merged = stored(merge(parts, tmp_path / "whole"))
    assert figures(merged) == figures(kept)


def test_both_stand_on_one_page(tmp_path: Path) -> None:
    data = report_data([OLD / name for name in NAMES])
    assert [run["label"] for run in data["runs"]] == ["openai:loopback (plain)", "openai:loopback (judged)"]
    assert [run["judge"] for run in data["runs"]] == [[], ["openai:judge"]]
    assert data["runs"][1]["canaries"]["fooled"] == 1
