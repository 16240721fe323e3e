"""The metrics of runs as one plain table: CSV, Parquet, Markdown, LaTeX; and a run as lm-eval's files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

from ..errors import UsageError
from ..files import AnyPath, Paths, paths_of, replacing
from .data.runs import read_report
from .pages.packing import make_folder

if TYPE_CHECKING:
    import pandas as pd

NO_PASSPORT: Final = "not calibrated"

Format = Literal["csv", "parquet", "markdown", "latex", "lm-eval"]

# Spreadsheets evaluate cells that begin so as formulas.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")

_ESTIMATE: Final = ("value", "low", "high", "se", "observations", "samples")

_MARKDOWN = str.maketrans(
    {**{character: f"\\{character}" for character in "\\|[]*`~"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"}
)
_LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)


def export(runs: Paths, format: Format, output: AnyPath | None) -> str:
    """Export runs; return the text for stdout: the table itself, or the paths of the files written.

    Raises:
        UsageError: Parquet without ``output``, or several runs for lm-eval.
        InputError: a directory is not a run.
        RunError: the file cannot be written.
    """
    runs, output = paths_of(runs), Path(output) if output else None
    if format == "lm-eval":
        from ..evals.lm_eval.export import export_lm_eval

        if len(runs) != 1 or output is None:
            raise UsageError(
                "--format lm-eval takes one run and a folder: evalkit export RUN --format lm-eval -o DIR"
            )
        return "".join(f"{path}\n" for path in export_lm_eval(runs[0], output))
    table = metrics_table(runs)
    if format == "parquet":
        if output is None:
            raise UsageError("--format parquet needs a file: -o FILE.parquet")
        return _written(output, lambda file: table.to_parquet(file, compression="zstd", index=False))
    text = {"csv": _csv, "markdown": markdown, "latex": latex}[format](table)
    if output is None:
        return text
    return _written(output, lambda file: file.write(text.encode()))


def metrics_table(runs: Paths) -> pd.DataFrame:
    """Return a row for each (run, task, metric, part of a breakdown), with value, interval and counts.

    Shares lie in [0, 1]. The whole metric has an empty ``dimension`` and ``label``; ``coverage`` is the task's.
    ``judge`` and what is known of it stand beside the scores that a judge gave; ``canaries`` counts the decoys
    that it graded, ``fooled`` those with a good grade.

    Raises:
        InputError: a directory is not a run.
    """
    import pandas as pd

    data, _ = read_report(runs, compare=False)
    rows: list[dict[str, Any]] = []
    for task in data["tasks"]:
        for metric in task["metrics"]:
            parts = [("", "", metric["runs"])]
            parts += [(by["name"], row["label"], row["runs"]) for by in metric["breakdown"] for row in by["rows"]]
            for dimension, label, estimates in parts:
                for run, of_task, estimate in zip(data["runs"], task["runs"], estimates, strict=True):
                    if estimate is None:
                        continue
                    rows.append(
                        {
                            "run": run["name"],
                            "model": run["model"],
                            "task": task["name"],
                            "version": of_task["version"],
                            "metric": metric["name"],
                            "dimension": dimension,
                            "label": label,
                            **{name: estimate[name] for name in _ESTIMATE},
                            "coverage": of_task["coverage"],
                            **_judge_columns(of_task["judge"] if metric["kind"] == "task" else None),
                        }
                    )
    return pd.DataFrame(rows)


def _judge_columns(judge: Mapping[str, Any] | None) -> dict[str, Any]:
    if judge is None:
        return dict.fromkeys(("judge", "passport", "canaries", "fooled"))
    canaries = judge["canaries"] or {"sent": None, "unread": 0, "fooled": None}
    return {
        "judge": ", ".join(judge["models"]),
        "passport": judge["passport"] or NO_PASSPORT,
        "canaries": canaries["sent"] and canaries["sent"] - canaries["unread"],
        "fooled": canaries["fooled"],
    }


def markdown(table: pd.DataFrame) -> str:
    """Return one Markdown table per task: metrics by run, followed by the judge of each run."""
    parts = []
    for task, metrics, judges in _wide(table):
        names = list(metrics.columns)
        lines = [f"| {' | '.join([_cell(task), *map(_cell, names)])} |", f"|---|{'---:|' * len(names)}"]
        for metric, cells in metrics.iterrows():
            lines.append(f"| {' | '.join([_cell(str(metric)), *map(str, cells)])} |")
        if judges:
            lines += ["", *(f"- {_cell(line)}" for line in judges)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def latex(table: pd.DataFrame) -> str:
    """Return one LaTeX ``tabular`` per task (booktabs): metrics by run, and last the judge of each run."""
    parts = []
    for task, metrics, judges in _wide(table):
        columns = [str(name).translate(_LATEX) for name in metrics.columns]
        lines = [f"\\begin{{tabular}}{{l{'r' * len(columns)}}}", "\\toprule"]
        lines += [" & ".join([task.translate(_LATEX), *columns]) + r" \\", "\\midrule"]
        for metric, cells in metrics.iterrows():
            lines.append(" & ".join([str(metric).translate(_LATEX), *map(str, cells)]) + r" \\")
        if judges:
            span = f"\\multicolumn{{{len(columns) + 1}}}{{l}}"
            lines += ["\\midrule", *(f"{span}{{\\footnotesize {line.translate(_LATEX)}}} \\\\" for line in judges)]
        parts.append("\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""]))
    return "\n".join(parts)


def _wide(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame, list[str]]]:
    """Return, for each task, its metrics by run, and a line for each run that was judged."""
    whole = table[table["dimension"] == ""].copy()
    shares = {metric: bool(some["value"].dropna().between(0, 1).all()) for metric, some in whole.groupby("metric")}
    numbers = whole[["metric", "value", "low", "high"]].itertuples(index=False, name=None)
    whole["cell"] = [_interval(value, low, high, share=shares[metric]) for metric, value, low, high in numbers]
    models = whole.groupby("run")["model"].first()
    alone = not models.duplicated().any()
    whole["column"] = whole["model"] if alone else whole["run"]
    parts = []
    for task, some in whole.groupby("task", sort=False):
        cells = some.pivot_table(index="metric", columns="column", values="cell", aggfunc="first", sort=False)
        judged = some[some["judge"].notna()].drop_duplicates("column")
        about = judged[["column", "judge", "passport", "canaries", "fooled"]].itertuples(index=False, name=None)
        parts.append((str(task), cells.fillna("—"), [_judge_line(*one) for one in about]))
    return parts


def _judge_line(column: str, judge: str, passport: str, canaries: float | None, fooled: float | None) -> str:
    line = f"{column}: graded by {judge}, {passport}"
    if canaries is None or math.isnan(canaries):
        return line
    return f"{line}; fooled by {fooled:.0f} of {canaries:.0f} decoys"


def _interval(value: float | None, low: float, high: float, *, share: bool) -> str:
    if value is None or math.isnan(value):
        return "—"
    scale, digits = (100, 1) if share else (1, 2)
    shown = [f"{scale * number:.{digits}f}" for number in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _cell(text: str) -> str:
    return " ".join(text.translate(_MARKDOWN).split())


def _csv(table: pd.DataFrame) -> str:
    return str(table.map(_as_text).to_csv(index=False))


def _as_text(value: Any) -> Any:
    """Prefix a text that a spreadsheet would evaluate with an apostrophe, so that it stays text."""
    if not isinstance(value, str):
        return value
    value = value.replace("\r", "\n")  # a lone CR is not quoted, and would begin a row
    return f"'{value}" if _FORMULA.match(value) else value


def _written(path: Path, write: Callable[[BinaryIO], object]) -> str:
    make_folder(path.parent)
    with replacing(path) as file:
        write(file)
    return f"{path}\n"
