"""Pictures of the report, the leaderboard and the curves for the documents, from runs and a loop of real models.

python bench/report_pictures.py RUNS_FOLDER docs/images [LOOP_DIRECTORY [RUN_DIRECTORY]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from evalkit.reports import write_leaderboard, write_learning, write_report
from evalkit.reports.pages.leaderboard import find_runs
from evalkit.tests.support.report_browser import browser


def main(runs: Path, images: Path, loop: Path | None = None, run: Path | None = None) -> None:
    """Write ``leaderboard.png``, ``report.png``, ``comparison.png`` and ``sample.png``.

    Of a loop ``learning.png`` is written, and of a run by itself ``one-run.png``.
    """
    with tempfile.TemporaryDirectory() as folder, browser() as page:
        board = write_leaderboard(runs, Path(folder) / "board.html")
        report = write_report(find_runs(runs)[:2], Path(folder) / "report.html")
        page.look(width=1400, height=1250)
        page.open(board)
        page.screenshot(images / "leaderboard.png")
        page.look(width=1280, height=900)
        page.open(report)
        page.screenshot(images / "report.png")
        page.evaluate("document.getElementById('comparison').scrollIntoView({behavior: 'instant'})")
        page.screenshot(images / "comparison.png")
        page.evaluate("document.querySelector('#comparison a.filter.good').click()")
        page.press("d")
        page.evaluate("document.getElementById('detail').scrollIntoView({behavior: 'instant'})")
        page.screenshot(images / "sample.png")
        if loop is not None:
            learning = write_learning([loop], Path(folder) / "learning.html")
            page.look(width=1280, height=1450)
            page.open(learning)
            page.screenshot(images / "learning.png")
        if run is not None:
            page.look(width=1280, height=760)  # ends above the costs
            page.open(write_report([run], Path(folder) / "run.html"))
            page.screenshot(images / "one-run.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
