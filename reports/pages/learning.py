"""How a model learned: curves, resets, alarms, rounds and the critic of trainings and loops, on one page.

The data comes first: `learning_data` makes one table, which the page renders and which lies as JSON beside it. The
evaluations of loops are shown as a report shows runs, down to each answer before and after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError, UsageError
from ...evals.records.training import AnswerRow, MetricsRow, read_training
from ...files import AnyPath, Paths, paths_of, write_json
from ..data.learning_answers import Answers, difference, shown
from ..data.learning_curves import curve_sections, numbered_steps
from ..data.learning_files import Round, is_learning, is_loop, read_rounds, run_in
from ..data.progress import LineCounts, progress_of
from ..data.runs import facts_of, read_report
from ..language.words import Language
from .rendering import write_page

SCHEMA_VERSION = 1


def write_learning(directories: Paths, output: AnyPath, *, language: Language = "en") -> Path:
    """Write one offline HTML file about trainings and loops, and its data as JSON beside it; return the page.

    Several are drawn over one another. Equal directories give equal bytes. ``output`` may be a folder: the file is
    then ``report.html`` in it. Evaluations that would make the page larger than `packing.LARGEST_FILE` lie in a
    folder beside it, as with `write_report`.

    Raises:
        UsageError: no directory, the same one twice, or an unknown language.
        InputError: a directory is neither a training nor a loop, or a file in it is damaged.
        RunError: a file cannot be written.
    """
    output = Path(output)
    path = output / "report.html" if output.is_dir() else output
    data, samples = read_learning(directories)
    path = write_page("learning/learning.html.j2", data, samples, path, language)
    write_json(path.with_suffix(".json"), data)
    return path


def learning_data(directories: Paths) -> dict[str, Any]:
    """Read trainings and loops into the one table that a page of learning shows.

    ::

        {"schema_version": 1,
         "lines":    [{"label", "directory", "kind", "loss", "steps", "finished", "stopped", "numbered",
                       "rounds":  [{"number", "first", "last", "state", "verdict", "run"}],
                       "resets":  [{"step", "reason"}],
                       "alarms":  [{"first", "last", "text"}],
                       "critic":  histograms and claims, or None,
                       "stages":  answers of the first and of the last step}],
         "sections": the curves, see `learning_curves.curve_sections`,
         "recipe":   [{"section", "rows": [{"name", "values", "differs"}]}],
         "runs", "warnings", "tasks", "comparisons", "facts": of the evaluations, as in `report_data`}

    A line is a training, or a loop with its rounds one after the other; its steps are counted through. ``state`` is
    ``accepted``, ``rolled_back`` or ``open``; ``verdict`` is the loop's own. Lists named ``lines`` and ``values``
    have one entry a line.

    Raises:
        UsageError: no directory, or the same one twice.
        InputError: a directory is neither a training nor a loop, or a file in it is damaged.
    """
    return read_learning(directories)[0]


def read_learning(directories: Paths) -> tuple[dict[str, Any], Iterable[Mapping[str, Any]]]:
    """Read trainings and loops as `learning_data` does, with the samples of their evaluations apart.

    Raises:
        UsageError: no directory, or the same one twice.
        InputError: a directory is neither a training nor a loop, or a file in it is damaged.
    """
    directories = paths_of(directories)
    if not directories:
        raise UsageError("a report needs at least one directory")
    for directory in directories:
        if not is_learning(directory):
            raise InputError(
                f"{directory} is neither a training nor a loop: it has no recipe.json and no baseline/"
            )
    if len({directory.resolve() for directory in directories}) < len(directories):
        raise UsageError("a directory is given twice; name each once")
    labels = _labels(directories)
    rounds = [read_rounds(directory) for directory in directories]
    names, runs = _evaluations(directories, labels, rounds)
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "lines": [
            _line(directory, label, some, runs)
            for directory, label, some in zip(directories, labels, rounds, strict=True)
        ],
        "sections": curve_sections([[one.rows for one in some] for some in rounds]),
        "recipe": facts_of([some[-1].recipe.get("recipe", {}) if some else {} for some in rounds]),
    }
    samples: Iterable[Mapping[str, Any]] = ()
    evaluated: dict[str, Any] = {name: [] for name in ("runs", "warnings", "tasks", "comparisons", "facts")}
    if runs:
        evaluated, samples = read_report(runs)
        for entry, name in zip(evaluated["runs"], names, strict=True):
            entry["label"] = name
    return {**evaluated, **data}, samples


def _labels(directories: Sequence[Path]) -> list[str]:
    """Name the lines by their folders, by more of their paths where folders have one name."""
    labels = [directory.resolve().name for directory in directories]
    times = Counter(labels)
    return [
        f"{directory.resolve().parent.name}/{label}" if times[label] > 1 else label
        for directory, label in zip(directories, labels, strict=True)
    ]


def _evaluations(
    directories: Sequence[Path], labels: Sequence[str], rounds: Sequence[Sequence[Round]]
) -> tuple[list[str], list[Path]]:
    """Return the runs of loops with their names: what came out at last before what there was at first."""
    names, runs = [], []
    for directory, label, some in zip(directories, labels, rounds, strict=True):
        found = {f"round-{one.number:02d}": one.evaluation for one in some if one.evaluation is not None}
        accepted = {f"round-{one.number:02d}" for one in some if one.verdict and one.verdict["accepted"]}
        best = next(reversed([name for name in found if name in accepted] or list(found)), None)
        baseline = run_in(directory / "baseline") if is_loop(directory) else None
        ordered = {best: found.pop(best)} if best else {}
        ordered |= {"baseline": baseline} if baseline else {}
        for name, run in (ordered | found).items():
            names.append(f"{label}/{name}" if len(directories) > 1 else name)
            runs.append(run)
    return names, runs


def _line(directory: Path, label: str, rounds: Sequence[Round], runs: Sequence[Path]) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    alarms: list[dict[str, Any]] = []
    resets: list[dict[str, Any]] = []
    answers = Answers()
    before = 0
    for one in rounds:
        found.append(
            {
                "number": one.number,
                "first": before + 1,
                "last": before + len(one.rows),
                "state": "open"
                if one.verdict is None
                else "accepted"
                if one.verdict["accepted"]
                else "rolled_back",
                "verdict": _verdict(one.verdict),
                "run": runs.index(one.evaluation) if one.evaluation else None,
            }
        )
        answers.add(read_training(one.training, AnswerRow), before + 1)
        for step, row in enumerate(one.rows, before + 1):
            if row.reset:
                resets.append({"step": step, "reason": row.reset})
            _add_alarms(alarms, step, row)
        before += len(one.rows)
    last = rounds[-1] if rounds else None
    return {
        "label": label,
        "directory": directory.name,
        "kind": "loop" if is_loop(directory) else "training",
        "loss": _method_of(last.recipe.get("recipe") or {}) if last else None,
        "steps": before,
        "numbered": numbered_steps(before),
        "finished": (directory / ("loop.json" if is_loop(directory) else "result.json")).is_file(),
        "stopped": (last.result or {}).get("stopped", "") if last else "",
        "progress": progress_of(directory, LineCounts()).unfinished(),
        "rounds": found,
        "resets": resets,
        "alarms": alarms,
        "critic": answers.critic(),
        "stages": answers.stages(),
    }


def _method_of(recipe: Mapping[str, Any]) -> str | None:
    """Return the method of a recipe; an older one names it by its loss."""
    name: str | None = recipe.get("method") or (recipe.get("objective") or {}).get("loss")
    return name


def _add_alarms(alarms: list[dict[str, Any]], step: int, row: MetricsRow) -> None:
    """Add the alarms of a step; one that goes on with other numbers is the same, in the words of its last step."""
    for text in filter(None, (*row.alarms, row.critic_alarm)):
        kind = re.sub(r"[\d.%e+-]+", "", text)
        for one in alarms:
            if one["last"] in (step - 1, step) and re.sub(r"[\d.%e+-]+", "", one["text"]) == kind:
                one |= {"last": step, "text": text}
                break
        else:
            alarms.append({"first": step, "last": step, "text": text})


def _verdict(verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    kept = {name: verdict[name] for name in ("accepted", "gain", "guards", "reasons")}
    return kept | {"examples": [_example(one) for one in verdict["examples"]]}


def _example(example: Mapping[str, Any]) -> dict[str, Any]:
    before, after = shown(example["before"]), shown(example["after"])
    texts = {"prompt": shown(example["prompt"]), "before": before, "after": after}
    return {**example, **texts, "difference": difference(before, after)}
