"""The leaderboard: ranks that the data supports, unknown costs that stay unknown, equal bytes for equal runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.errors import InputError, UsageError
from evalkit.reports import write_leaderboard
from evalkit.reports.data.standings import standing
from evalkit.reports.pages.leaderboard import find_runs, leaderboard_data
from evalkit.tasks.rumtbench.scoring import METRICS
from evalkit.tasks.types import mean_value
from evalkit.tests.support.hostile_text import HOSTILE, hostile_run
from evalkit.tests.support.page_reader import STRINGS, Parsed, payload, plain
from evalkit.tests.support.run_builder import build_run, failed_row, rated_rows, sample_rows

KNOWN = {"cost": {"USD": 0.5}, "known_cost": {"USD": 0.5}}
PARTLY = {"cost": None, "known_cost": {"USD": 0.2}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    failing = sample_rows(60, skill=0.5, seed=3)
    failing[7] = failed_row(failing[7], "HTTP 500")
    build_run(runs / "weak", sample_rows(60, skill=0.2, seed=1), model="weak", cost=KNOWN)
    build_run(runs / "strong", sample_rows(60, skill=0.95, seed=2), model="strong", cost=KNOWN)
    build_run(runs / "deep" / "middle", failing, model="middle", settings={"temperature": 0.7}, cost=PARTLY)
    build_run(runs / "twin", sample_rows(60, skill=0.95, seed=4), model="twin")
    return runs


def rows_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (board,) = data["boards"]
    return {data["entries"][row["entry"]]["label"]: row for row in board["rows"]}


def test_ranks_and_groups_say_what_is_told_apart(folder: Path) -> None:
    data, samples = leaderboard_data(find_runs(folder))
    rows = rows_of(data)
    assert (rows["strong"]["best"], rows["strong"]["worst"]) == (1, 2)
    assert (rows["twin"]["best"], rows["twin"]["worst"]) == (1, 2)
    assert rows["weak"]["worst"] == 4
    assert set(rows["strong"]["letters"].split()) & set(rows["twin"]["letters"].split())
    assert not set(rows["strong"]["letters"].split()) & set(rows["weak"]["letters"].split())
    assert data["boards"][0]["samples"] == 59  # one answer of one model has no score
    assert len(samples) == 60
    assert data["order"][0] in (entry for entry, _ in enumerate(data["entries"]))
    values = [row["value"] for row in data["boards"][0]["rows"]]
    assert values == sorted(values, reverse=True)


def test_differences_are_against_the_best_or_the_chosen(folder: Path) -> None:
    data, _ = leaderboard_data(find_runs(folder))
    best = data["boards"][0]["rows"][0]
    assert best["difference"] is None
    assert data["boards"][0]["baseline"] == best["entry"]
    chosen, _ = leaderboard_data(find_runs(folder), baseline="weak")
    rows = rows_of(chosen)
    assert chosen["baseline"] == "weak"
    assert rows["weak"]["difference"] is None
    gain = rows["strong"]["difference"]
    assert gain["value"] > 0.5
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert gain["adjusted"] < 0.01
    assert gain["wins"] > gain["losses"]
    assert gain["wins"] + gain["ties"] + gain["losses"] == 59
    by_folder, _ = leaderboard_data(find_runs(folder), baseline="middle")
    assert by_folder["baseline"] == "middle"


def test_an_unknown_baseline_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"'wek'.*Did you mean 'weak'"):
        leaderboard_data(find_runs(folder), baseline="wek")


def test_unknown_costs_are_unknown_and_never_zero(folder: Path, tmp_path: Path) -> None:
    data, _ = leaderboard_data(find_runs(folder))
    rows = rows_of(data)
    assert rows["weak"]["cost"] == {"USD": 0.5}
    assert rows["middle"]["cost"] is None
    assert rows["twin"]["cost"] is None
    plot = data["boards"][0]["plot"]
    assert (plot["x"], plot["currency"]) == ("cost", "USD")
    assert len(plot["points"]) == 2
    assert len(plot["unknown"]) == 2
    page = write_leaderboard(folder, tmp_path / "board.html").read_text(encoding="utf-8")
    assert STRINGS["en"]["unknown"] in Parsed(page).text
    assert "0.0000" not in Parsed(page).text


def test_settings_that_differ_stand_beside_the_model(folder: Path) -> None:
    data, _ = leaderboard_data(find_runs(folder))
    settings = {entry["label"]: entry["settings"] for entry in data["entries"]}
    assert settings["middle"] == ["temperature = 0.7"]
    assert settings["weak"] == ["temperature = 0.0"]


def test_scores_of_other_data_or_versions_are_never_mixed(tmp_path: Path) -> None:
    rows = sample_rows(10, skill=0.5, seed=1)
    for name, change in (("a", {}), ("b", {"version": "2"}), ("c", {"sha256": "77" * 32}), ("d", {})):
        build_run(tmp_path / name, rows, model=name, **change)
    data, _ = leaderboard_data(find_runs(tmp_path))
    boards = [[data["entries"][row["entry"]]["label"] for row in board["rows"]] for board in data["boards"]]
    assert sorted(boards) == [["a", "d"], ["b"], ["c"]]
    variants = [board["variant"] for board in data["boards"]]
    assert variants == ["1.0, sha256 5d1c5d1c", "1.0, sha256 77777777", "2, sha256 5d1c5d1c"]


def test_tasks_of_one_model_share_a_row_and_an_average(tmp_path: Path) -> None:
    for name in ("x", "y"):
        for seed, task in enumerate(("ruifeval", "essay")):
            rows = [{**row, "task": task} for row in sample_rows(12, skill=0.5, seed=seed)]
            metrics = [mean_value(title="Mean")]
            build_run(tmp_path / f"{name}-{task}", rows, model=name, title=task, metrics=metrics)
    data, _ = leaderboard_data(find_runs(tmp_path))
    assert [(entry["label"], len(entry["runs"])) for entry in data["entries"]] == [("x", 2), ("y", 2)]
    for number, entry in enumerate(data["entries"]):
        values = [row["value"] for board in data["boards"] for row in board["rows"] if row["entry"] == number]
        assert entry["overall"]["low"] < entry["overall"]["value"] < entry["overall"]["high"]
        assert len(values) == 2


def test_a_run_with_few_samples_is_shown_and_not_ranked(tmp_path: Path) -> None:
    for name, count in (("a", 40), ("b", 40), ("c", 8)):
        build_run(tmp_path / name, sample_rows(count, skill=0.5, seed=1), model=name, settings={"limit": 40})
    data, _ = leaderboard_data(find_runs(tmp_path))
    rows = rows_of(data)
    assert rows["c"]["best"] is None
    assert rows["c"]["value"] is not None
    assert rows["a"]["worst"] == 2
    assert data["boards"][0]["samples"] == 40


def test_letters_are_shared_exactly_by_what_is_not_told_apart() -> None:
    steps = {0: 0.9, 1: 0.75, 2: 0.6, 3: 0.2}
    values = {
        entry: {str(sample): float((sample * 37 + 11 * entry) % 100 < 100 * skill) for sample in range(100)}
        for entry, skill in steps.items()
    }
    ranks = standing(values, None)["ranks"]
    for one in ranks:
        for other in ranks:
            shares = bool(set(ranks[one]["letters"].split()) & set(ranks[other]["letters"].split()))
            if one == other:
                assert shares
    assert not set(ranks[0]["letters"].split()) & set(ranks[3]["letters"].split())


def test_one_model_alone_has_no_rank(tmp_path: Path) -> None:
    build_run(tmp_path / "a", sample_rows(5, skill=0.5, seed=1), model="a")
    path = write_leaderboard(tmp_path, tmp_path / "board.html", language="ru")
    (row,) = orjson.loads(path.with_suffix(".json").read_bytes())["boards"][0]["rows"]
    assert row["best"] is None
    assert row["value"] is not None


def test_the_data_lies_beside_the_page_and_agrees_with_it(folder: Path, tmp_path: Path) -> None:
    path = write_leaderboard(folder, tmp_path)
    assert path == tmp_path / "leaderboard.html"
    data = orjson.loads((tmp_path / "leaderboard.json").read_bytes())
    assert data["schema_version"] == 2
    page = path.read_text(encoding="utf-8")
    text = " ".join(Parsed(page).text.split())
    for row in data["boards"][0]["rows"]:
        assert f"{row['value'] * 100:.1f}% {row['low'] * 100:.1f}–{row['high'] * 100:.1f}" in text
    _, samples = leaderboard_data(find_runs(folder))
    found = [plain(sample) for shard in payload(page)[1:] for sample in shard]
    assert found == list(samples)


@pytest.mark.exhaustive
def test_equal_runs_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from evalkit.reports import write_leaderboard;"
        "write_leaderboard(Path(sys.argv[2]), Path(sys.argv[1]), language='ru')"
    )
    copy = tmp_path / "elsewhere" / "runs"
    shutil.copytree(folder, copy)
    for path in copy.rglob("samples.jsonl"):
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    files = []
    for seed, runs in (("1", folder), ("2", copy)):
        output = tmp_path / seed / "board.html"
        command = [sys.executable, "-c", program, str(output), str(runs)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"})
        files.append((output.read_bytes(), output.with_suffix(".json").read_bytes()))
    assert files[0] == files[1]


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no run"):
        write_leaderboard(tmp_path, tmp_path / "board.html")


def test_a_judge_stands_with_its_passport(tmp_path: Path) -> None:
    rows = sample_rows(5, skill=0.5, seed=1)
    passport = {"sha256": "ab" * 32, "line": "order consistency 0.91", "path": "judge.json"}
    judged = {"judge": ["judge:one"]}
    build_run(tmp_path / "a", rows, model="a", settings=judged, manifest={"passport": passport})
    build_run(tmp_path / "b", rows, model="b", settings=judged)
    build_run(tmp_path / "c", rows, model="c")
    page = write_leaderboard(tmp_path, tmp_path / "board.html").read_text(encoding="utf-8")
    data = orjson.loads((tmp_path / "board.json").read_bytes())
    assert [entry["passport"] for entry in data["entries"]] == ["order consistency 0.91", None, None]
    text = Parsed(page).text
    assert text.count("judge:one") >= 2
    assert "order consistency 0.91" in text
    assert text.count(STRINGS["en"]["judge"]["no_passport"]) == 1


def test_a_judge_of_one_task_does_not_split_a_model_into_rows(tmp_path: Path) -> None:
    for model in ("x", "y"):
        build_run(tmp_path / f"{model}-code", sample_rows(6, skill=0.5, seed=1), model=model)
        judge = {"judge": ["openai:one"]}
        talk = rated_rows((5, 6, 7))
        build_run(tmp_path / f"{model}-talk", talk, model=model, settings=judge, metrics=METRICS)
    other = {"judge": ["openai:two"]}
    build_run(tmp_path / "x-again", rated_rows((8, 8, 9)), model="x", settings=other, metrics=METRICS)
    data, _ = leaderboard_data(find_runs(tmp_path))
    assert sorted((entry["model"], len(entry["runs"]), entry["judge"]) for entry in data["entries"]) == [
        ("x", 1, ["openai:one"]), ("x", 2, ["openai:two"]), ("y", 2, ["openai:one"]),
    ]  # fmt: skip
    assert all("judge = null" not in entry["settings"] for entry in data["entries"])


def test_what_cannot_be_read_is_listed_and_the_rest_ranked(folder: Path, tmp_path: Path) -> None:
    rows = sample_rows(60, skill=0.5, seed=1)
    broken = {name: build_run(folder / f"broken-{name}", rows, model=name) for name in (
        "manifest", "newer", "bare", "results", "odd", "line", "status", "folder"
    )}  # fmt: skip
    (broken["manifest"] / "manifest.json").write_text("{", encoding="utf-8")
    newer = orjson.loads((broken["newer"] / "manifest.json").read_bytes()) | {"schema_version": 99}
    (broken["newer"] / "manifest.json").write_bytes(orjson.dumps(newer))
    (broken["bare"] / "manifest.json").write_text('{"schema_version": 1, "tasks": 3}', encoding="utf-8")
    (broken["results"] / "results.json").write_text("not json", encoding="utf-8")
    (broken["odd"] / "results.json").write_text('{"schema_version": 1, "tasks": [1]}', encoding="utf-8")
    lines = (broken["line"] / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (broken["line"] / "samples.jsonl").write_bytes(b"".join([lines[0], b"{torn\n", *lines[1:]]))
    (broken["status"] / "samples.jsonl").write_bytes(lines[0].replace(b'"ok"', b'"splendid"'))
    (broken["folder"] / "samples.jsonl").unlink()
    (broken["folder"] / "samples.jsonl").mkdir()
    heard: list[str] = []
    page = write_leaderboard(folder, tmp_path / "board.html", tell=heard.append).read_text(encoding="utf-8")
    data = orjson.loads((tmp_path / "board.json").read_bytes())
    assert {one["directory"] for one in data["left_out"]} == {path.name for path in broken.values()}
    assert len(heard) == len(broken)
    text = Parsed(page).text
    for one in data["left_out"]:
        assert one["reason"] in text
        assert str(folder) not in one["reason"]
    assert len(data["entries"]) == 4
    assert all(row["best"] for row in data["boards"][0]["rows"])


def test_results_of_another_version_are_computed_anew(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a", sample_rows(5, skill=0.5, seed=1), model="a")
    before = orjson.loads((run / "results.json").read_bytes())
    (run / "results.json").write_text('{"schema_version": 0, "means": [1]}', encoding="utf-8")
    data, _ = leaderboard_data([run])
    assert data["boards"][0]["rows"][0]["value"] == before["tasks"][0]["metrics"][0]["value"]


def test_an_unfinished_run_is_ranked_by_what_it_has(tmp_path: Path) -> None:
    build_run(tmp_path / "a", sample_rows(40, skill=0.9, seed=1), model="a")
    going = build_run(tmp_path / "b", sample_rows(40, skill=0.1, seed=2), model="b", finished=False)
    (going / "results.json").unlink()
    lines = (going / "samples.jsonl").read_bytes().splitlines(keepends=True)
    (going / "samples.jsonl").write_bytes(b"".join(lines[:30]) + b'{"torn')
    begun = build_run(tmp_path / "c", sample_rows(40, skill=0.1, seed=2), model="c", finished=False)
    (begun / "results.json").unlink()
    (begun / "samples.jsonl").write_bytes(b"")
    data, _ = leaderboard_data(find_runs(tmp_path))
    rows = rows_of(data)
    assert [entry["finished"] for entry in data["entries"]] == [True, False, False]
    assert (rows["a"]["best"], rows["b"]["best"], rows["c"]["best"]) == (1, 2, None)
    assert rows["b"]["coverage"] == 30 / 40
    assert rows["c"]["value"] is None


def test_nothing_that_can_be_read_fails(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a", sample_rows(2, skill=0.5, seed=1), model="a")
    (run / "results.json").write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="none of the runs can be read"):
        write_leaderboard(tmp_path, tmp_path / "board.html")


def test_counts_name_their_samples(folder: Path) -> None:
    data, samples = leaderboard_data(find_runs(folder))
    (board,) = data["boards"]
    passed = {
        sample["id"]: [
            bool(answer and answer.get("parts", {}).get("prompt_strict")) for answer in sample["answers"]
        ]
        for sample in samples
    }
    scored = {
        sample["id"] for sample in samples if all(answer.get("value") is not None for answer in sample["answers"])
    }
    for row in board["rows"][1:]:
        for count, key in (("wins", "won"), ("losses", "lost")):
            place = row["difference"][key]
            found = data["outcomes"][place] if place is not None else {"samples": [], "better": 0, "worse": 0}
            expected = {id for id in scored if passed[id][found["better"]] > passed[id][found["worse"]]}
            assert set(found["samples"]) == expected
            assert len(found["samples"]) == row["difference"][count]


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a", sample_rows(2, skill=0.5, seed=1), model="a")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text('{"name": "a web page"}', encoding="utf-8")
    assert find_runs(tmp_path) == [run]
    assert find_runs(run) == [run]


def test_hostile_names_are_names(tmp_path: Path) -> None:
    kinds = []
    for name, texts in (("harmless", ["x"] * len(HOSTILE)), ("hostile", HOSTILE)):
        hostile_run(tmp_path / name / "one", texts)
        hostile_run(tmp_path / name / "two", [*texts[1:], texts[0]])
        page = write_leaderboard(tmp_path / name, tmp_path / f"{name}.html").read_text(encoding="utf-8")
        kinds.append({(tag, tuple(sorted(attributes))) for tag, attributes in Parsed(page).elements})
    assert {kind for kind in kinds[1] if kind[0].startswith("on")} == set()
    extra = {tag for tag, _ in kinds[1]} - {tag for tag, _ in kinds[0]}
    assert extra <= {"ul", "li", "figure", "figcaption", "g", "polyline"}
    names = {name for _, attributes in kinds[1] for name in attributes}
    assert not any(name.startswith("on") or name in ("style", "src", "srcdoc") for name in names)
