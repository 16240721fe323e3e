"""How far a judge agrees with people on the Open Proof Corpus: 434 proofs of 98 problems, right or wrong.

    python bench/opc.py --data opc_test_434.jsonl                                 # what the file itself holds
    python bench/opc.py --data opc_test_434.jsonl --verdicts passport.labelled.jsonl --low 1 --high 10

Nothing is asked: verdicts are read from disk. ``evalkit judge passport --judge J --labelled FILE -o passport.json``
leaves them in ``passport.labelled.jsonl``, a line ``{"id", "value"}`` each. Without them the table shows two judges
that are in the file already: the length of the proof, and how few issues o4-mini has listed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from evalkit.evals.studies.passport import LabelledSet, agreement, read_labelled, read_verdicts
from evalkit.evals.studies.passport.labelled import CORRECT_FROM

MOST_ISSUES = 4


def judges_in_the_file(
    path: Path, labelled: LabelledSet
) -> dict[str, tuple[list[float | None], tuple[float, float]]]:
    lengths = [float(len(answer.answer)) for answer in labelled.answers]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    listed = [row.get("n_llm_issues") for row in rows]
    few = [None if number is None else float(MOST_ISSUES - min(number, MOST_ISSUES)) for number in listed]
    return {
        "always wrong": ([0.0] * len(rows), (0.0, 1.0)),
        "the longer the better": (list(lengths), (min(lengths), max(lengths))),
        "few issues listed by o4-mini": (few, (0.0, float(MOST_ISSUES))),
    }


def show(
    name: str,
    labelled: LabelledSet,
    values: Sequence[float | None],
    scale: tuple[float, float],
    correct_from: float,
    family: str | None,
) -> None:
    print(f"\n### {name}\n\n| Measurement | Value | 95 % | Proofs |\n|---|---|---|---|")
    for one in agreement(labelled, values, scale, correct_from=correct_from, family=family):
        estimate = one.estimate
        if estimate.value is None:
            continue
        bounds = "" if estimate.low is None else f"{estimate.low:.3f} … {estimate.high:.3f}"
        print(f"| {one.title} | {estimate.value:.3f} | {bounds} | {estimate.n} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="opc_test_434.jsonl, or any labelled JSONL")
    parser.add_argument("--verdicts", type=Path, action="append", default=[], help="stored verdicts; repeat it")
    parser.add_argument("--low", type=float, default=1, help="the lowest value of the verdicts' scale")
    parser.add_argument("--high", type=float, default=10, help="the highest")
    parser.add_argument("--correct-from", type=float, default=CORRECT_FROM, help="share of the scale")
    parser.add_argument("--family", help="of the judge, as Qwen")
    arguments = parser.parse_args()
    labelled = read_labelled(arguments.data)
    mean = sum(answer.label for answer in labelled.answers) / len(labelled.answers)
    labels = f"{mean:.1%} right" if labelled.binary else f"mean label {mean:.2f}"
    problems = len({one.group for one in labelled.answers})
    print(f"{len(labelled.answers)} answers, {labels}, {problems} problems")
    print(f"sha256 {labelled.sha256}")
    for path in arguments.verdicts:
        values = read_verdicts(path, labelled)
        scale = (arguments.low, arguments.high)
        show(path.name, labelled, values, scale, arguments.correct_from, arguments.family)
    if not arguments.verdicts:
        for name, (values, scale) in judges_in_the_file(arguments.data, labelled).items():
            show(name, labelled, values, scale, arguments.correct_from, arguments.family)


if __name__ == "__main__":
    main()
