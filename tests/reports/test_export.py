"""Metrics of runs as one table, in forms that other programs read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from evalkit.errors import UsageError
from evalkit.evals.run import run
from evalkit.reports.export import export, metrics_table
from evalkit.tasks.rumtbench.scoring import METRICS
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.run_builder import build_run, rated_rows, sample_rows


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = []
    for name in ("good_1", "bad|2"):
        with LoopbackServer(answer=lambda prompt, name=name: prompt if name == "good_1" else "нет") as server:
            made.append(
                run(f"openai:{name}", ["ruifeval-mini"], limit=12, base_url=server.url, output=folder / name[:3])
            )
    return made


def test_the_table_has_a_row_for_every_part_of_every_metric(runs: list[Path]) -> None:
    table = metrics_table(runs)
    whole = table[table.dimension == ""]
    assert set(whole.model) == {"openai:good_1", "openai:bad|2"}
    assert {"prompt_strict", "instruction_loose", "answer_russian"} <= set(whole.metric)
    assert whole[whole.metric == "prompt_strict"]["samples"].tolist() == [12, 12]
    assert table.value.dropna().between(0, 1).all()
    assert len(table) > len(whole)


def test_csv_and_parquet_hold_the_same(runs: list[Path], tmp_path: Path) -> None:
    assert export(runs, "csv", tmp_path / "t.csv") == f"{tmp_path}/t.csv\n"
    export(runs, "parquet", tmp_path / "deep" / "t.parquet")
    read = pd.read_csv(tmp_path / "t.csv", keep_default_na=False, na_values=[""])
    packed = pd.read_parquet(tmp_path / "deep" / "t.parquet")
    assert len(read) == len(packed) == len(metrics_table(runs))
    assert read.value.tolist() == pytest.approx(packed.value.tolist())


def test_markdown_and_latex_escape_what_is_markup_there(runs: list[Path]) -> None:
    lines = export(runs, "markdown", None).splitlines()
    assert lines[0] == "| ruifeval-mini | openai:good_1 | openai:bad\\|2 |"
    assert all(line.count(" |") - line.count("\\|") >= 2 for line in lines[2:])
    text = export(runs, "latex", None)
    assert "openai:good\\_1" in text
    assert "prompt\\_strict" in text
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1


def test_what_cannot_be_is_said(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a file"):
        export(runs, "parquet", None)
    with pytest.raises(UsageError, match="one run and a folder"):
        export(runs, "lm-eval", tmp_path)


def test_cells_cannot_start_a_formula(tmp_path: Path) -> None:
    names = ("=cmd|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "harmless")
    rows = sample_rows(3, skill=0.5, seed=1)
    runs = [build_run(tmp_path / str(at), rows, model=name) for at, name in enumerate(names)]
    written = list(csv.DictReader(io.StringIO(export(runs, "csv", None), newline="")))
    assert {row["model"] for row in written} == {
        *(f"'{name}".replace("\r", "\n") for name in names[:-1]),
        "harmless",
    }
    assert {row["task"] for row in written} == {"ruifeval"}
    assert not [cell for row in written for cell in row.values() if cell.strip()[:1] in tuple("=+@＝＋＠")]
    assert {float(row["value"]) for row in written if row["value"]} <= {at / 12 for at in range(13)}


def test_a_judge_stands_beside_its_scores(tmp_path: Path) -> None:
    canaries = {"sent": 12, "fooled": 3, "unread": 2, "rate": 0.3, "interval": [0.1, 0.6]}
    judged = {"judge": ["openai:judge"]}
    passport = {"sha256": "ab" * 32, "line": "order consistency 0.91", "path": "judge.json"}
    runs = [
        build_run(
            tmp_path / model, rated_rows((5, 7, 9)), model=model, settings=judged, metrics=METRICS,
            canaries=canaries if model == "a" else None, manifest={"passport": passport} if model == "a" else None,
        )
        for model in ("a", "b")
    ]  # fmt: skip
    whole = metrics_table(runs).query("dimension == '' and metric == 'rating'").to_dict("records")
    known = [{name: row[name] for name in ("judge", "passport", "canaries", "fooled")} for row in whole]
    assert known[0] == {
        "judge": "openai:judge", "passport": "order consistency 0.91", "canaries": 10, "fooled": 3,
    }  # fmt: skip
    assert known[1]["passport"] == "not calibrated"
    line = "a: graded by openai:judge, order consistency 0.91; fooled by 3 of 10 decoys"
    for text in (export(runs, "markdown", None), export(runs, "latex", None)):
        assert line in text
        assert "b: graded by openai:judge, not calibrated" in text
    plain = build_run(tmp_path / "c", sample_rows(3, skill=0.5, seed=1), model="c")
    assert metrics_table([plain])["judge"].isna().all()
    assert "graded" not in export([plain], "markdown", None)


def test_names_are_no_markup_in_markdown(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) `b`"
    run = build_run(tmp_path / "a", sample_rows(3, skill=0.5, seed=1), model=hostile)
    text = export([run], "markdown", None)
    assert "<" not in text
    assert "[a]" not in text.replace("\\[a\\]", "")
