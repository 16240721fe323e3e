"""How right and how fast answers to mathematical problems are graded, beside Math-Verify on the same rows.

    python bench/math_speed.py [VECTORS] [--rounds N]

Rows are `{"id", "gold", "pred", "expected", "needs"}` a line (by default the conformance vectors, without which the
project's own ones). Both graders take turns, round by round, in fresh processes; libraries are imported and workers
started before the clock runs. Time is CPU time of the process and of its workers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalkit.tasks.math.grading import Verdict, close_workers, grade, same
from evalkit.tasks.math.grading.limits import BUDGET
from evalkit.tests.support.hostile_math import HOSTILE_MATH

HERE = Path(__file__).parents[1]
CONFORMANCE = Path(os.environ.get("EVALKIT_CONFORMANCE", HERE.parent / "shared" / "conformance"))
VECTORS = (CONFORMANCE / "math" / "vectors.jsonl", HERE / "tests" / "vectors" / "math.jsonl")
HOUSE_RULES = {"policy", "upstream_wrong"}

Row = dict[str, Any]
Grader = Callable[[Row], bool]


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def numeric_rows() -> list[Row]:
    """Whole numbers, decimals and fractions at the end of a sentence or in a box."""
    rows = []
    for number in range(2000):
        shown = number + (number % 5 == 0)
        kinds = (
            (f"{number}", f"Складываем и получаем, что всего их {shown}. Ответ: {shown}"),
            (f"{number},{number % 90 + 10}", f"Значит, \\boxed{{{shown}{{,}}{number % 90 + 10}}}."),
            (f"{number + 1}/{number + 2}", f"\\boxed{{\\frac{{{shown + 1}}}{{{shown + 2}}}}}"),
            (f"{number}", f"Длина равна \\boxed{{{shown}\\text{{ см}}}}"),
        )
        gold, pred = kinds[number % 4]
        rows.append({"id": f"number/{number}", "gold": gold, "pred": pred, "expected": shown == number})
    return rows


def precision_of(row: Row) -> int | None:
    places = [need.removeprefix("opt:precision=") for need in row.get("needs", ()) if "opt:precision" in need]
    return int(places[0]) if places else None


def ours() -> Grader:
    same(r"\sqrt{8}", r"2\sqrt{2}", budget=60)
    same(r"\int_0^1 x dx", r"\frac{1}{2}", budget=60)
    return lambda row: grade(row["gold"], row["pred"], precision=precision_of(row)).verdict is Verdict.CORRECT


def math_verify() -> Grader:
    from math_verify import parse, verify

    def judge(row: Row) -> bool:
        places = precision_of(row)
        options = {} if places is None else {"float_rounding": places}
        return bool(verify(parse(row["gold"]), parse(row["pred"]), **options))

    judge({"gold": r"$\sqrt{8}$", "pred": r"$2\sqrt{2}$"})
    return judge


GRADERS: dict[str, Callable[[], Grader]] = {"evalkit": ours, "Math-Verify": math_verify}


def cpu_seconds() -> float:
    """CPU time of this process and of all that came of it, whether it still runs or not."""
    used = os.times()
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    below, total = list(children.get(os.getpid(), ())), 0
    while below:
        process = below.pop()
        total += ticks[process]
        below += children.get(process, ())
    return used.user + used.system + used.children_user + used.children_system + total / os.sysconf("SC_CLK_TCK")


def measure(name: str, path: Path) -> None:
    judge = GRADERS[name]()
    report = {}
    for part, rows in (("numbers", numeric_rows()), ("vectors", rows_of(path))):
        begun = cpu_seconds()
        verdicts = [judge(row) for row in rows]
        report[part] = {"seconds": cpu_seconds() - begun, "verdicts": verdicts}
    close_workers()
    print(json.dumps(report))


def run(name: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(path), "--measure", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def compare(path: Path, rounds: int) -> None:
    rows = rows_of(path)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in GRADERS}
    for _ in range(rounds):
        for name in GRADERS:
            runs[name].append(run(name, path))
    print(
        f"{platform.machine()}, Python {platform.python_version()}; {path.name}, {rounds} rounds, the best counts"
    )
    groups = sorted({group_of(row) for row in rows})
    print("| rows | count | " + " | ".join(f"{name} right | false positives" for name in GRADERS) + " |")
    print("| --- " * (2 + 2 * len(GRADERS)) + "|")
    for group in groups:
        cells = []
        for name in GRADERS:
            pairs = list(zip(rows, runs[name][0]["vectors"]["verdicts"], strict=True))
            inside = [(row, verdict) for row, verdict in pairs if group_of(row) == group]
            right = sum(row["expected"] == verdict for row, verdict in inside)
            cells += [
                f"{right / len(inside):.1%}",
                str(sum(verdict and not row["expected"] for row, verdict in inside)),
            ]
        print(f"| {group} | {len(inside)} | " + " | ".join(cells) + " |")
    print("\n| per CPU second | " + " | ".join(GRADERS) + " | ratio |\n" + "| --- " * (2 + len(GRADERS)) + "|")
    for part, count in (("numbers", len(numeric_rows())), ("vectors", len(rows))):
        rates = [count / min(result[part]["seconds"] for result in runs[name]) for name in GRADERS]
        print(f"| {part} | " + " | ".join(f"{rate:,.0f}" for rate in rates) + f" | {rates[0] / rates[1]:.1f} |")
    for name in GRADERS:
        verdicts = runs[name][0]["vectors"]["verdicts"]
        wrong = [row["id"] for row, verdict in zip(rows, verdicts, strict=True) if row["expected"] != verdict]
        if len(wrong) <= 40:
            print(f"\n{name}, not as expected: {', '.join(wrong) or 'none'}")


def group_of(row: Row) -> str:
    source = row["id"][:2] if row["id"][2:].isdigit() else "own"
    return source + (", house rules" if HOUSE_RULES & set(row.get("needs", ())) else "")


def hostile() -> None:
    ours()
    slowest, counts = 0.0, dict.fromkeys(Verdict, 0)
    for answer in HOSTILE_MATH.values():
        begun = time.monotonic()
        counts[grade("x^2+1", rf"\boxed{{{answer}}}").verdict] += 1
        slowest = max(slowest, time.monotonic() - begun)
    shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    print(f"\n{len(HOSTILE_MATH)} hostile answers: {shown}; the slowest took {slowest:.2f} s of {BUDGET} s")
    close_workers()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("vectors", nargs="?", type=Path, help="rows with a gold answer, an answer and the verdict")
    parser.add_argument("--rounds", type=int, default=3, help="how often each grader has its turn")
    parser.add_argument("--measure", choices=GRADERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    path = arguments.vectors or next(path for path in VECTORS if path.exists())
    if arguments.measure:
        measure(arguments.measure, path)
        return
    compare(path, arguments.rounds)
    hostile()


if __name__ == "__main__":
    main()
