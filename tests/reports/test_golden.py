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
from evalkit.tests.support.golden_pages import build, write
from evalkit.tests.support.page_reader import payload

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = (
    "report.html", "report.json", "judged.html", "judged.json", "leaderboard.html", "leaderboard.json",
    "table.csv", "table.md", "table.tex",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same runs in two places, shown here and by a program with another seed, place, locale and time of day."""
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    for place in (here, there):
        (place / "shown").mkdir()
    write(build(here / "runs"), here / "shown")
    program = (
        "from pathlib import Path; from evalkit.tests.support.golden_pages import build, write;"
        "write(build(Path('other')), Path('shown'))"
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
