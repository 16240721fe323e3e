"""A large leaderboard, and a report in one file, against their limits: building them, and reading them in Chromium.

``python bench/report_scale.py [--models 20] [--prompts 5000] [--seed 0] [--folder FOLDER]``. Prompts are those of
ruIFEval's generator; answers are put together from their words, as long as answers are. Exit code 1 when a limit is
broken.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from evalkit.reports.pages.packing import shard_folder
from evalkit.tasks.ruifeval.generator.prompts import generate
from evalkit.tests.support.report_browser import CHROMIUM, Page, browser
from evalkit.tests.support.run_builder import build_run, sample_row

MB = 1e6
REPORTED_MODELS, REPORTED_PROMPTS = 3, 541
OPENED = 40

# Opens a sample by its address; the time is taken when both answers and their difference stand on the page.
OPEN = """new Promise((done) => {
  const begun = performance.now();
  location.hash = "#ruifeval/%d";
  const look = () => {
    const shown = document.querySelector("#detail h3")?.textContent === "%d";
    if (shown && document.querySelector("#detail .difference")) done(performance.now() - begun);
    else setTimeout(look, 1);
  };
  look();
})"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table; ``limit`` is None for what has none."""

    what: str
    value: float
    unit: str
    limit: float | None = None

    def line(self) -> str:
        held = "" if self.limit is None else f"{self.limit:g} {self.unit}"
        broken = " **broken**" if self.limit is not None and self.value > self.limit else ""
        return f"| {self.what} | {self.value:.4g} {self.unit}{broken} | {held} |"


class Prose:
    """Russian-like text from the words of prompts, the frequent ones more often."""

    def __init__(self, prompts: Sequence[str]) -> None:
        counts = Counter(word for prompt in prompts for word in re.findall(r"[а-яё]{2,}", prompt.lower()))
        self._words = list(counts)
        self._weights = list(accumulate(math.sqrt(count) for count in counts.values()))

    def answer(self, dice: random.Random) -> str:
        """An answer of 20 to 500 words, half of them above a hundred; a third has Markdown."""
        left = min(500, max(20, round(dice.lognormvariate(math.log(105), 0.6))))
        marked = dice.random() < 1 / 3
        paragraphs = []
        while left > 0:
            sentences = [self._sentence(dice) for _ in range(dice.randint(2, 5))]
            left -= sum(sentence.count(" ") + 1 for sentence in sentences)
            if marked and dice.random() < 0.4:
                paragraphs.append("\n".join(f"* **{one.split()[0]}** {one}" for one in sentences))
            else:
                paragraphs.append(" ".join(sentences))
        return "\n\n".join(paragraphs)

    def _sentence(self, dice: random.Random) -> str:
        words = dice.choices(self._words, cum_weights=self._weights, k=dice.randint(5, 16))
        if len(words) > 9:
            words[dice.randint(2, 6)] += ","
        return " ".join(words).capitalize() + dice.choice("...!?")


def make_runs(folder: Path, models: int, prompts: int, seed: int) -> list[Path]:
    """Write runs of made-up models, the later ones better, all on the same prompts."""
    asked = list(generate(prompts, split="test", seed=seed))
    prose = Prose([one["prompt"] for one in asked])
    return [
        build_run(
            folder / f"model-{number:02}",
            list(_rows(asked, prose, random.Random(f"{seed}:{number}"), skill=0.3 + 0.6 * number / models)),
            model=f"openai:model-{number:02}",
        )
        for number in range(models)
    ]


def _rows(
    asked: Sequence[dict[str, Any]], prose: Prose, dice: random.Random, *, skill: float
) -> Iterator[dict[str, Any]]:
    for one in asked:
        verdicts = []
        for name in one["instruction_id_list"]:
            strict = dice.random() < skill
            reason = "" if strict else f"{dice.randrange(20, 200)} слов, требуется не меньше 200"
            verdicts.append(
                {"id": name, "strict": strict, "loose": strict or dice.random() < 0.1, "reason": reason}
            )
        yield sample_row(
            str(one["key"]),
            one["prompt"],
            prose.answer(dice),
            verdicts,
            latency=round(dice.uniform(0.4, 9.0), 3),
            metadata={"instruction_id_list": one["instruction_id_list"], "kwargs": one["kwargs"]},
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds on the clock and of the processor, and its peak of resident memory in MB."""

    wall: float
    cpu: float
    memory: float


def build(command: str, *arguments: str) -> Cost:
    """Run a command of evalkit."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "evalkit", command, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"evalkit {command} failed")
    return Cost(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MB)


def measure_building(runs: Path, page: Path, shape: str) -> Iterator[Measured]:
    cost = build("leaderboard", str(runs), "--output", str(page))
    shards = [path.stat().st_size for path in shard_folder(page).glob("*.js")]
    yield Measured(f"leaderboard, {shape}: building it", cost.wall, "s", 60)
    yield Measured("processor time of that", cost.cpu, "s")
    yield Measured("its peak memory", cost.memory, "MB", 1000)
    yield Measured("the page", page.stat().st_size / MB, "MB", 1)
    yield Measured("shards beside it", len(shards), "files")
    yield Measured("all shards", sum(shards) / MB, "MB")


def measure_reading(page: Page, path: Path, prompts: int) -> Iterator[Measured]:
    paints = []
    for _ in range(3):
        page.open(path)
        page.wait_for(f"({PAINT}) !== null")
        paints.append(page.evaluate(PAINT) / 1000)
    yield Measured("first paint, the slowest of 3", max(paints), "s", 0.5)
    yield Measured("heap when it is open", _heap(page), "MB", 30)
    page.press("d")
    times = [_seconds_to_open(page, 1 + index * 1237 % prompts) for index in range(OPENED)]
    yield Measured(f"opening a sample with its difference, median of {OPENED}", statistics.median(times), "s", 0.3)
    yield Measured("the slowest of them", max(times), "s")
    yield Measured("heap after that", _heap(page), "MB", 30)


def _seconds_to_open(page: Page, key: int) -> float:
    return float(page.evaluate(OPEN % (key, key))) / 1000


def _heap(page: Page) -> float:
    page.call("HeapProfiler.collectGarbage")
    return float(page.call("Runtime.getHeapUsage")["usedSize"]) / MB


def measure_report(runs: Sequence[Path], page: Path, shape: str) -> Iterator[Measured]:
    cost = build("report", *map(str, runs), "--output", str(page))
    shards = sum(path.stat().st_size for path in shard_folder(page).glob("*.js"))
    yield Measured(f"report, {shape}: all of it in one file", (page.stat().st_size + shards) / MB, "MB", 1.5)
    yield Measured("building it", cost.wall, "s")


def measure(folder: Path, models: int, prompts: int, seed: int, say: Callable[[str], None]) -> list[Measured]:
    """Make the runs in a folder, build the pages beside them, and look at them."""
    board, report = folder / "leaderboard.html", folder / "report.html"
    say(f"making {models} runs of {prompts} prompts")
    make_runs(folder / "many", models, prompts, seed)
    say("building the leaderboard")
    found = list(measure_building(folder / "many", board, f"{models} models × {prompts} prompts"))
    if CHROMIUM is None:
        say("no Chromium here: how the page is read stays unmeasured (apt-get install chromium)")
    else:
        with browser() as page:
            page.look()
            found += measure_reading(page, board, prompts)
    fewer, shorter = min(models, REPORTED_MODELS), min(prompts, REPORTED_PROMPTS)
    runs = make_runs(folder / "few", fewer, shorter, seed)
    return [*found, *measure_report(runs, report, f"{fewer} models × {shorter} prompts")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="an empty folder to keep everything in")
    given = parser.parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.folder or Path(folder), given.models, given.prompts, given.seed, say)
    print("| | measured | limit |\n|---|---|---|")
    print("\n".join(one.line() for one in found))
    sys.exit(any(one.limit is not None and one.value > one.limit for one in found))


if __name__ == "__main__":
    main()
