"""The same runs give the same pages and tables, byte for byte, as those kept in ``tests/golden``.

When a change is meant, look at the difference and keep it:

    EVALKIT_UPDATE_GOLDEN=1 pytest tests/reports/test_golden.py && git diff tests/golden

Pages are kept without what other tests hold, style and script and their hashes, and with their samples unpacked. Of
numbers written in full, the last digits are left out, which belong to the libraries that compute them; so is what
indents a line.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from evalkit import __version__
from evalkit.reports import write_leaderboard, write_report
from evalkit.reports.export import export
from evalkit.tasks.rumtbench.scoring import METRICS as RATINGS
from evalkit.tests.reports.test_render import payload
from evalkit.tests.support.run_builder import build_run, failed_row, rated_rows, sample_rows

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = (
    "report.html", "report.json", "judged.html", "judged.json", "leaderboard.html", "leaderboard.json",
    "table.csv", "table.md", "table.tex",
)  # fmt: skip
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


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same runs in two places, shown here and by a program with another seed, place, locale and time of day."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    for place in (here, there):
        (place / "shown").mkdir()
    write(build(here / "runs"), here / "shown")
    program = (
        "from pathlib import Path; from evalkit.tests.reports import test_golden as golden;"
        "golden.write(golden.build(Path('other')), Path('shown'))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "UTC+7", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=there, env=environment)
    return [here / "shown", there / "shown"]


def kept(path: Path) -> str:
    """Return a file as it is kept."""
    text = re.sub(r"(?m)^ +", "", path.read_text(encoding="utf-8"))
    if path.suffix in (".json", ".csv"):
        return re.sub(r"\d\.\d{12,}(e-?\d+)?", lambda number: f"{float(number[0]):.9g}", text)
    if path.suffix != ".html":
        return text
    index, *shards = payload(text)
    lines = [*index["samples"], *index["outcomes"], *(sample for shard in shards for sample in shard)]
    samples = "\n".join(orjson.dumps(line).decode() for line in lines)
    for pattern, instead in (
        (r"(?s)<style>.*?</style>", "<style></style>"),
        (r"(?s)<script>.*?</script>", "<script></script>"),
        (r'(?s)(<script type="text/plain" id="payload">).*?</script>', r"\1"),
        (r"sha256-[\w+/=]+", "sha256-"),
        (r'"elements": .*?"folder"', '"folder"'),
        (re.escape(__version__), "VERSION"),
    ):
        text = re.sub(pattern, instead, text)
    return f"{text.rstrip()}\n{samples}\n"


@pytest.mark.parametrize("name", FILES)
def test_bytes_do_not_depend_on_place_time_or_seed(written: list[Path], name: str) -> None:
    one, other = ((output / name).read_bytes() for output in written)
    assert one == other
    assert str(written[0].parent).encode() not in one


@pytest.mark.parametrize("name", FILES)
def test_the_same_runs_look_as_they_did(written: list[Path], name: str) -> None:
    found = kept(written[0] / name)
    if os.environ.get("EVALKIT_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(found, encoding="utf-8")
    assert found == (GOLDEN / name).read_text(encoding="utf-8")
