"""The leaderboard: all runs below a folder, with scores, ranges of ranks and costs.

`leaderboard_data` makes one table, which the page renders and which is written beside it as JSON.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ...errors import EvalkitError, InputError, UsageError, nearest
from ...evals.statistics import macro_average
from ...files import AnyPath, write_json
from ...judges.spec import NAMES
from ..data.costs import BoardRow, Effort, cost_plot
from ..data.outcomes import Outcomes
from ..data.runs import Run, load_run, side_by_side_data
from ..data.samples import Samples
from ..data.standings import Tally, mean_share, standing
from ..language.words import Language
from .rendering import write_page

SCHEMA_VERSION = 2

# Runs that differ only in these share a row, each with its own tasks.
_OWN_FIELDS = {"tasks", "data", "limit", "base_url", "judge"}

_NO_METRIC = {"name": "", "title": "", "unit": "share", "runs": [], "breakdown": []}

Board = tuple[str, str, str]
"""(task, version, sha256 of the data): scores are comparable only if all three agree."""


def write_leaderboard(
    directory: AnyPath,
    output: AnyPath,
    *,
    baseline: str | None = None,
    language: Language = "en",
    tell: Callable[[str], object] = lambda line: None,
) -> Path:
    """Write one offline HTML file about all runs below ``directory``, and its data as JSON beside it.

    Equal runs give equal bytes. ``output`` may be a folder: the file is then ``leaderboard.html`` in it.
    ``baseline`` is the model, run or label that differences are measured against; by default the best of each task.
    A run that cannot be read is left out: the page lists it with the reason, and ``tell`` is called with a message.

    Raises:
        UsageError: no run has that name, or an unknown language.
        InputError: there is no run below the directory that can be read.
        RunError: a file cannot be written.
    """
    data, samples = leaderboard_data(find_runs(directory), baseline=baseline)
    for one in data["left_out"]:
        tell(f"left out: {one['directory']}: {one['reason']}")
    path = write_page("leaderboard/leaderboard.html.j2", data, samples, Path(output), language)
    write_json(path.with_suffix(".json"), data)
    return path


def find_runs(directory: AnyPath) -> list[Path]:
    """Return the run directories below a folder (or the folder itself), sorted by path.

    A ``manifest.json`` without a ``samples.jsonl`` is not a run, or one that has not begun.

    Raises:
        InputError: there is none.
    """
    folders = (path.parent for path in Path(directory).rglob("manifest.json"))
    found = sorted(folder for folder in folders if (folder / "samples.jsonl").exists())
    if not found:
        raise InputError(f"{directory} contains no run (a folder with manifest.json and samples.jsonl)")
    return found


def leaderboard_data(runs: Sequence[Path], *, baseline: str | None = None) -> tuple[dict[str, Any], Samples]:
    """Read runs into the one table that a leaderboard shows, and their samples.

    ::

        {"schema_version", "baseline", "runs", "warnings", "tasks", "outcomes", "facts",    as in `report_data`
         "left_out": [{"directory", "reason"}],   runs that cannot be read
         "entries": [{"label", "runs", "model", "solver", "judge", "passport", "settings", "overall", …}],
         "order":   [entry, …],   best first
         "boards":  [{"task", "title", "version", "data", "variant", "metric", "unit", "samples", "detectable",
                      "baseline",
                      "rows": [{"entry", "run", "value", "low", "high", "best", "worst", "letters", "difference",
                                "coverage", "cost", "judge", …}],
                      "sliced", "dimensions": [{"name", "labels", "rows": [{"entry", "cells"}]}],
                      "plot": {"x", "currency", "points": [{"entry", "x", "y", "best"}], "unknown"}}]}

    ``best`` and ``worst`` are the ranks that an entry may hold. Unknown costs are None.

    Raises:
        UsageError: no run has the baseline's name.
        InputError: none of the runs can be read.
    """
    loaded, left_out = _loaded(runs)
    data, samples = side_by_side_data(loaded)
    entries = _entries(loaded, data)
    chosen = _chosen(baseline, entries, data)
    tallies = _tallies(loaded, samples)
    outcomes = Outcomes()
    boards = [
        _board(board, by_entry, tallies, chosen, data, outcomes)
        for board, by_entry in _boards(loaded, entries).items()
    ]
    _name_variants(boards)
    _add_overall(entries, boards, tallies)
    del data["comparisons"]
    return {
        **data,
        "schema_version": SCHEMA_VERSION,
        "outcomes": outcomes.as_json(),
        "left_out": left_out,
        "baseline": None if chosen is None else entries[chosen]["label"],
        "entries": entries,
        "order": _order(entries, boards),
        "boards": boards,
    }, samples


def _loaded(runs: Sequence[Path]) -> tuple[list[Run], list[dict[str, str]]]:
    """Load runs; return those that can be read, and the reasons for the others."""
    loaded, left_out = [], []
    for directory in map(Path, runs):
        try:
            loaded.append(load_run(directory))
        except (EvalkitError, OSError) as error:
            # The page may be read on another machine, where local paths are meaningless.
            reason = str(error).replace(str(directory), directory.name)
            left_out.append({"directory": directory.name, "reason": reason})
    if not loaded:
        reasons = "; ".join(one["reason"] for one in left_out)
        raise InputError(f"none of the runs can be read: {reasons}")
    return loaded, left_out


def _entries(loaded: Sequence[Run], data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Join runs of one model into a row if settings and judge agree and no task is in both."""
    rows: dict[bytes, list[list[int]]] = defaultdict(list)
    for index, run in enumerate(loaded):
        settings = run.manifest.spec.model_dump(mode="json", exclude=_OWN_FIELDS)
        key = orjson.dumps([run.manifest.model.as_json(), settings], option=orjson.OPT_SORT_KEYS)
        for row in rows[key]:
            if all(_may_share_a_row(run, loaded[other]) for other in row):
                row.append(index)
                break
        else:
            rows[key].append([index])
    differing = _differing_settings(data, len(loaded))
    return [
        {
            "label": data["runs"][row[0]]["label"] if len(row) == 1 else str(data["runs"][row[0]]["model"]),
            "runs": row,
            "model": data["runs"][row[0]]["model"],
            "names": [data["runs"][index]["name"] for index in row],
            "solver": data["runs"][row[0]]["solver"],
            **_judge_of([data["runs"][index] for index in row]),
            "settings": list(dict.fromkeys(one for index in row for one in differing[index])),
            "finished": all(data["runs"][index]["finished"] for index in row),
            "overall": None,
        }
        for row in sorted((row for some in rows.values() for row in some), key=lambda row: row[0])
    ]


def _judge_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the judge of a row with its passport and decoys."""
    judged = next((run for run in runs if run["judge"]), runs[0])
    return {name: judged[name] for name in ("judge", "passport", "canaries")}


def _may_share_a_row(one: Run, other: Run) -> bool:
    judges = [run.manifest.spec.judge for run in (one, other) if run.manifest.spec.judge.models]
    no_common_task = one.manifest.by_name.keys().isdisjoint(other.manifest.by_name)
    return no_common_task and (len(judges) < 2 or judges[0] == judges[1])


def _differing_settings(data: Mapping[str, Any], count: int) -> list[list[str]]:
    """Return, for each run, the settings that differ between runs, as ``name = value``."""
    settings: list[list[str]] = [[] for _ in range(count)]
    for warning in data["warnings"]:
        if warning["kind"] in ("setting", "evalkit"):
            name = warning.get("name", "evalkit")
            for index, value in warning["values"]:
                if name not in NAMES.values() or data["runs"][index]["judge"]:
                    settings[index].append(f"{name} = {value}")
    return settings


def _chosen(baseline: str | None, entries: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> int | None:
    if baseline is None:
        return None
    names: dict[str, int] = {}
    for number, entry in enumerate(entries):
        folders = [data["runs"][index]["directory"] for index in entry["runs"]]
        for name in (entry["label"], str(entry["model"]), *entry["names"], *folders):
            names.setdefault(name, number)
    if baseline not in names:
        raise UsageError(f"no run or model is named {baseline!r}.{nearest(baseline, names)}")
    return names[baseline]


def _tallies(loaded: Sequence[Run], samples: Samples) -> dict[tuple[int, str], Tally]:
    tallies = {
        (index, task.name): Tally(task.registered_as)
        for index, run in enumerate(loaded)
        for task in run.manifest.tasks
    }
    for (task, sample, _), rows in samples.raw():
        for index, row in enumerate(rows):
            if row is not None and (index, task) in tallies:
                tallies[index, task].add(sample, row.score)
    return tallies


def _boards(loaded: Sequence[Run], entries: Sequence[Mapping[str, Any]]) -> dict[Board, dict[int, int]]:
    """Return the runs of each board by entry."""
    boards: dict[Board, dict[int, int]] = {}
    for number, entry in enumerate(entries):
        for index in entry["runs"]:
            for task in loaded[index].manifest.tasks:
                board = (task.name, task.version, str(task.data.sha256))
                boards.setdefault(board, {})[number] = index
    return dict(sorted(boards.items()))


def _board(
    board: Board,
    by_entry: Mapping[int, int],
    tallies: Mapping[tuple[int, str], Tally],
    chosen: int | None,
    data: Mapping[str, Any],
    outcomes: Outcomes,
) -> dict[str, Any]:
    name, version, sha256 = board
    (task,) = [task for task in data["tasks"] if task["name"] == name]
    metrics = [metric for metric in task["metrics"] if metric["kind"] == "task"]
    metric: Mapping[str, Any] = metrics[0] if metrics else _NO_METRIC
    # The headline may lack a breakdown that another metric has: prompts consist of instructions.
    sliced = next((one for one in metrics if one["breakdown"] and one["unit"] == metric["unit"]), metric)
    values = {entry: tallies[index, name].values for entry, index in by_entry.items()}
    scales = {tallies[index, name].bounds for index in by_entry.values()}
    standings = standing(values, chosen, scales.pop() if len(scales) == 1 else None)
    ranks = standings.pop("ranks")
    rows = []
    for entry, index in by_entry.items():
        point = (metric["runs"][index] if metric["runs"] else None) or {}
        rank = ranks.get(entry, {"best": None, "worst": None, "letters": "", "difference": None})
        if rank["difference"]:
            about = {"task": name, "title": metric["title"] or task["title"]}
            other = by_entry[standings["baseline"]]
            won, lost = rank["difference"].pop("won"), rank["difference"].pop("lost")
            rank["difference"] |= {
                "won": outcomes.add(won, **about, better=index, worse=other),
                "lost": outcomes.add(lost, **about, better=other, worse=index),
            }
        of_run = task["runs"][index] or {}
        estimate = {name: point.get(name) for name in ("value", "low", "high")}
        rows.append(
            BoardRow(entry, index, rank=rank, effort=Effort.of(of_run), judge=of_run.get("judge"), **estimate)
        )
    rows.sort(key=lambda row: (row.value is None, -(row.value or 0.0), row.entry))
    return {
        "task": name,
        "title": task["title"],
        "version": version,
        "data": sha256,
        "metric": metric["name"],
        "metric_title": metric["title"],
        "unit": metric["unit"],
        **standings,
        "rows": [row.as_json() for row in rows],
        "sliced": sliced["title"],
        "dimensions": _dimensions(sliced, rows),
        "plot": cost_plot(rows),
    }


def _dimensions(metric: Mapping[str, Any], rows: Sequence[BoardRow]) -> list[dict[str, Any]]:
    return [
        {
            "name": dimension["name"],
            "labels": [one["label"] for one in dimension["rows"]],
            "rows": [
                {
                    "entry": row.entry,
                    "run": row.run,
                    "cells": [one["runs"][row.run] for one in dimension["rows"]],
                }
                for row in rows
            ],
        }
        for dimension in metric["breakdown"]
    ]


def _name_variants(boards: Sequence[dict[str, Any]]) -> None:
    """Label boards of the same task by version and data."""
    times = Counter(board["task"] for board in boards)
    for board in boards:
        is_alone = times[board["task"]] == 1
        board["variant"] = "" if is_alone else f"{board['version']}, sha256 {board['data'][:8]}"


def _order(entries: Sequence[Mapping[str, Any]], boards: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the entries, best first: by the mean over tasks, else by the first task with a score."""
    values = {row["entry"]: row["value"] for board in reversed(boards) for row in board["rows"]}

    def place(entry: int) -> tuple[bool, float, int]:
        overall = entries[entry]["overall"]
        value = values.get(entry)
        return overall is None, -(overall["value"] if overall else value or 0.0), entry

    return sorted(range(len(entries)), key=place)


def _add_overall(
    entries: Sequence[dict[str, Any]], boards: Sequence[Mapping[str, Any]], tallies: Mapping[tuple[int, str], Tally]
) -> None:
    """Set the unweighted mean over tasks, in [0, 1], of each entry that is on every board."""
    if len(boards) < 2:
        return
    for number, entry in enumerate(entries):
        places = [(board, row) for board in boards for row in board["rows"] if row["entry"] == number]
        shares = [
            tally.values if board["unit"] == "share" else tally.shares
            for board, row in places
            for tally in (tallies[row["run"], board["task"]],)
        ]
        if len(shares) == len(boards) and all(shares):
            average = macro_average([mean_share(some) for some in shares])
            entry["overall"] = {"value": average.value, "low": average.low, "high": average.high}
