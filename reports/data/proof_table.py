"""Table of proof grades: six criteria by problem, two models side by side, as data and as Markdown.

Means are recomputed from the criteria, shown raw and rounded, and compared with the means that a published table
prints. Models that were run with different settings get a warning, and no winner is named.

A published table is a JSON file::

    {"title", "models": [first, second], "settings": {model: {"runs": 1, "judge": …}},
     "rows": [{"problem", "model", "criteria": {"correctness": 35, …} | null, "mean"?, "printed_mean"?}],
     "overall"?: {model: mean}}

``mean`` and ``overall`` are recomputed means for rows without ``criteria``.
"""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from ...errors import InputError
from ...evals.records.manifest import Manifest, read_manifest
from ...evals.records.rows import read_rows
from .samples import natural_order

CRITERIA: Final = ("correctness", "completeness", "rigour", "structure", "cases", "final_answer")

_HEADS: Final = ("Задача", "Модель", "Корр.", "Полнота", "Строгость", "Структура", "Случаи", "Финал", "Среднее")
_SETTINGS: Final = {"epochs": "runs", "max_tokens": "max_tokens", "solver": "system", "temperature": "temperature"}
_ABSENT: Final = "—"
_ROUNDING: Final = 0.5 + 1e-9


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One model on one problem; percentages, None where unknown or not applicable."""

    problem: str
    model: str
    criteria: Mapping[str, float | None] | None = None
    known_mean: float | None = None
    printed_mean: float | None = None

    @property
    def mean(self) -> float | None:
        """The mean of the criteria that apply; without criteria the recomputed mean, if any."""
        known = [value for value in (self.criteria or {}).values() if value is not None]
        return fmean(known) if known else self.known_mean

    @property
    def misprint(self) -> bool:
        """Whether the printed mean differs from the mean by more than rounding."""
        if self.mean is None or self.printed_mean is None:
            return False
        return abs(self.mean - self.printed_mean) > _ROUNDING


@dataclass(frozen=True, slots=True)
class ProofTable:
    """Two models on the same problems; ``settings`` are by model, ``overall`` holds means without their cells."""

    title: str
    models: tuple[str, str]
    rows: tuple[ProofRow, ...]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overall: Mapping[str, float] = field(default_factory=dict)

    @property
    def unfair(self) -> tuple[str, ...]:
        """The settings in which the two models differ."""
        first, second = (self.settings.get(model, {}) for model in self.models)
        return tuple(name for name in dict.fromkeys([*first, *second]) if first.get(name) != second.get(name))

    def mean_of(self, model: str) -> float | None:
        """The mean of a model's means over problems; printed ones are used only where no others are known."""
        rows = [row for row in self.rows if row.model == model]
        means = [row.mean for row in rows if row.mean is not None]
        if means and len(means) == len(rows):
            return fmean(means)
        if model in self.overall:
            return self.overall[model]
        either = [row.mean if row.mean is not None else row.printed_mean for row in rows]
        known = [value for value in either if value is not None]
        return fmean(known) if known and len(known) == len(rows) else None


def read_table(path: Path) -> ProofTable:
    """Read a published table; see the module for the form.

    Raises:
        InputError: the file cannot be read, or a field of it cannot be used (names file, row and field).
    """
    try:
        published = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    try:
        first, second = published["models"]
        models, records = (first, second), enumerate(published["rows"], start=1)
        rows = tuple(_row(record, models, number) for number, record in records)
        settings, overall = published.get("settings", {}), published.get("overall", {})
        return ProofTable(published["title"], models, rows, settings, overall)
    except KeyError as error:
        raise InputError(f"{path}: field {error} is missing") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


def table_of_runs(first: Path, second: Path) -> ProofTable:
    """Make the table of two runs whose tasks are graded by the six criteria; epochs are averaged.

    Raises:
        InputError: a directory is not a run, or no solution of it has criteria.
    """
    manifests = [read_manifest(directory) for directory in (first, second)]
    first_model, second_model = (manifest.model.name for manifest in manifests)
    models = (first_model, second_model)
    if first_model == second_model:
        models = (f"{first_model} (1)", f"{second_model} (2)")
    cells = [_cells(directory) for directory in (first, second)]
    problems = sorted({problem for of_run in cells for problem in of_run}, key=natural_order)
    rows = tuple(
        ProofRow(problem, model, of_run.get(problem))
        for problem in problems
        for model, of_run in zip(models, cells, strict=True)
    )
    settings = {model: _settings(manifest) for model, manifest in zip(models, manifests, strict=True)}
    return ProofTable("Доказательства по критериям, %", models, rows, settings)


def as_data(table: ProofTable) -> dict[str, Any]:
    """Return the table as JSON values; ``ratio`` is the higher mean divided by the lower."""
    means = {model: table.mean_of(model) for model in table.models}
    return {
        "title": table.title,
        "models": list(table.models),
        "rows": [
            {
                "problem": row.problem,
                "model": row.model,
                "criteria": dict(row.criteria) if row.criteria else None,
                "mean": row.mean,
                "rounded": None if row.mean is None else rounded(row.mean),
                "printed_mean": row.printed_mean,
                "misprint": row.misprint,
            }
            for row in table.rows
        ],
        "means": means,
        "ratio": _ratio(list(means.values())),
        "settings": {model: dict(settings) for model, settings in table.settings.items()},
        "unfair": list(table.unfair),
        "leader": _leader(table, means),
    }


def as_markdown(table: ProofTable) -> str:
    """Return the table in Russian as Markdown, with notes below."""
    data = as_data(table)
    lines = [f"### {table.title}", ""]
    if data["unfair"]:
        first, second = (table.settings.get(model, {}) for model in table.models)
        differing = ", ".join(
            f"{name} ({first.get(name, _ABSENT)} и {second.get(name, _ABSENT)})" for name in data["unfair"]
        )
        lines += [f"> **Условия неодинаковы:** {differing}. Победитель не называется.", ""]
    lines += [_line(_HEADS), _line(["---", "---", *["---:"] * (len(_HEADS) - 2)])]
    lines += [_line(_shown(row)) for row in table.rows]
    lines += [
        _line(["Среднее", model, *[_ABSENT] * len(CRITERIA), _mean(mean)]) for model, mean in data["means"].items()
    ]
    lines += ["", *_notes(table, data)]
    return "\n".join(lines).rstrip() + "\n"


def rounded(value: float) -> int:
    """Return the nearest whole number, halves upwards."""
    return int(Decimal(repr(value)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _row(record: Mapping[str, Any], models: Sequence[str], number: int) -> ProofRow:
    if record["model"] not in models:
        raise ValueError(f"row {number}: field 'model': {record['model']!r} is none of {', '.join(models)}")
    criteria = record.get("criteria")
    if criteria is not None:
        for name in criteria:
            if name not in CRITERIA:
                raise ValueError(f"row {number}: field 'criteria': no criterion {name!r}; {', '.join(CRITERIA)}")
        criteria = {name: _percent(criteria.get(name), number, name) for name in CRITERIA}
    return ProofRow(
        str(record["problem"]),
        record["model"],
        criteria,
        _percent(record.get("mean"), number, "mean"),
        _percent(record.get("printed_mean"), number, "printed_mean"),
    )


def _percent(value: Any, number: int, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError(f"row {number}: field '{name}': expected a percentage from 0 to 100, found {value!r}")
    return float(value)


def _cells(directory: Path) -> dict[str, dict[str, float | None]]:
    graded: dict[str, list[Mapping[str, float | None]]] = defaultdict(list)
    for row in read_rows(directory):
        criteria = row.score.parts.get("criteria")
        if criteria:
            graded[row.id].append(criteria)
    if not graded:
        raise InputError(
            f"{directory}: no proof in this run has grades by the six criteria (see docs/grade-proofs.md)"
        )
    return {problem: {name: _average(each, name) for name in CRITERIA} for problem, each in graded.items()}


def _average(graded: Iterable[Mapping[str, float | None]], name: str) -> float | None:
    known = [value for criteria in graded if (value := criteria.get(name)) is not None]
    return fmean(known) if known else None


def _settings(manifest: Manifest) -> dict[str, Any]:
    settings = {title: getattr(manifest.spec, name) for name, title in _SETTINGS.items()}
    return {**settings, "judge": _judge_name(manifest.judge or {})}


def _judge_name(judge: Mapping[str, Any]) -> str | None:
    if "members" in judge:
        return f"{judge['rule']} of {', '.join(str(_judge_name(member)) for member in judge['members'])}"
    return judge.get("name")


def _ratio(means: Sequence[float | None]) -> float | None:
    known = [mean for mean in means if mean is not None]
    return max(known) / min(known) if len(known) == len(means) and min(known) > 0 else None


def _leader(table: ProofTable, means: Mapping[str, float | None]) -> str | None:
    first, second = (means[model] for model in table.models)
    if table.unfair or first is None or second is None or first == second:
        return None
    return table.models[0] if first > second else table.models[1]


def _shown(row: ProofRow) -> list[str]:
    criteria = row.criteria or {}
    cells = [_number(criteria.get(name)) for name in CRITERIA]
    if row.mean is None:
        mean = _ABSENT if row.printed_mean is None else f"{row.printed_mean:g}"
    else:
        mean = _mean(row.mean) if row.printed_mean is None else f"{row.printed_mean:g}{' (!)' * row.misprint}"
    return [row.problem, row.model, *cells, mean]


def _notes(table: ProofTable, data: Mapping[str, Any]) -> list[str]:
    notes = [
        f"- Задача {row.problem}, {row.model}: напечатано {row.printed_mean:g}, в среднем {_mean(row.mean)}."
        for row in table.rows
        if row.misprint
    ]
    checked = [row for row in table.rows if row.mean is not None and row.printed_mean is not None]
    printed = sum(row.printed_mean is not None for row in table.rows)
    if printed:
        wrong = sum(row.misprint for row in checked)
        notes.append(f"- Напечатано средних: {printed}; пересчитано: {len(checked)}; из них неверны: {wrong}.")
    if data["ratio"] is not None:
        notes.append(f"- Средние отличаются в {data['ratio']:.1f} раза.")
    if data["leader"]:
        notes.append(f"- Выше среднее у модели {data['leader']}.")
    return notes


def _mean(mean: float | None) -> str:
    return _ABSENT if mean is None else f"{rounded(mean)} ({mean:.2f})"


def _number(value: float | None) -> str:
    return _ABSENT if value is None else f"{round(value, 2):g}"


def _line(cells: Iterable[str]) -> str:
    plain = (" ".join(html.escape(cell, quote=False).split()) for cell in cells)
    escaped = (cell.replace("\\", "\\\\").replace("|", "\\|") for cell in plain)
    return "| " + " | ".join(escaped) + " |"
