"""The runs whose pages and tables are kept in ``tests/golden``, and every form that they are shown in."""

from __future__ import annotations

from pathlib import Path

from evalkit.reports import write_leaderboard, write_report
from evalkit.reports.export import export
from evalkit.tasks.rumtbench.scoring import METRICS as RATINGS
from evalkit.tests.support.run_builder import build_run, failed_row, rated_rows, sample_rows

KNOWN = {"cost": {"USD": 0.5}, "known_cost": {"USD": 0.5}}
PASSPORT = {"sha256": "ab" * 32, "line": "order consistency 0.91 of 120", "path": "judge.json"}
CANARIES = {"sent": 12, "fooled": 2, "unread": 1, "rate": 2 / 11, "interval": [0.05, 0.48], "trusted": True}


def build(folder: Path) -> list[Path]:
    """Two models, each with a task that code checks and one that a judge grades."""
    strong, weak = sample_rows(6, skill=0.9, seed=1), sample_rows(6, skill=0.4, seed=2)
    strong[0]["completion"]["text"] = "Ответ: $\\sqrt{2}$ и **всё**.\n\n```python\nprint('<b>')\n```"
    weak[3] = failed_row(weak[3], "HTTP 500")
    judged = {"judge": ["openai:judge"]}
    return [
        build_run(folder / "strong", strong, model="embedded:strong", cost=KNOWN),
        build_run(folder / "weak", weak, model="embedded:weak", settings={"temperature": 0.5}),
        build_run(
            folder / "strong-talk", rated_rows((9, 7, 8, 10)), model="embedded:strong", title="ruMT-Bench",
            settings=judged, metrics=RATINGS, canaries=CANARIES, manifest={"passport": PASSPORT},
        ),
        build_run(
            folder / "weak-talk", rated_rows((5, 7, 3, 6)), model="embedded:weak", title="ruMT-Bench",
            settings=judged, metrics=RATINGS,
        ),
    ]  # fmt: skip


def write(runs: list[Path], output: Path) -> None:
    """Write every form of the runs into a folder."""
    write_report(runs[:2], output / "report.html")
    write_report(runs[2:], output / "judged.html", language="ru")
    write_leaderboard(runs[0].parent, output / "leaderboard.html")
    for format, name in (("csv", "table.csv"), ("markdown", "table.md"), ("latex", "table.tex")):
        export(runs, format, output / name)
