"""What each documented repair of ruIFEval does to the scores of a set of answers: a Markdown table.

    python bench/ruifeval_fixes.py ruIFEval_v0.1.jsonl response_gemini_pro_v0.1.jsonl

The answers are lines of ``{"prompt", "response"}`` or ``{"id", "response"}``. Every row has one switch on and all
others off; the last has all on, which is the task ``ruifeval-fixed``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from evalkit.tasks.records import read_records
from evalkit.tasks.ruifeval.fixes import ALL_FIXES, NO_FIXES, Fix, Fixes
from evalkit.tasks.ruifeval.task import RuIFEval
from evalkit.tasks.types import Completion, Context, Score

Scores = dict[str, Score]


def scores_under(fixes: Fixes, prompts: Path, responses: Path) -> Scores:
    """Score every answer under the given repairs, by sample id."""
    task = RuIFEval("ruifeval", "", fixes=fixes)
    samples = {sample.id: sample for sample in task.read(prompts)}
    by_prompt = {sample.prompt: sample for sample in samples.values()}
    scores = {}
    for row in read_records(responses):
        sample = samples[str(row["id"])] if "id" in row else by_prompt[row["prompt"]]
        scores[sample.id] = task.score(sample, Completion(row["response"]), Context())
    return scores


def followed(scores: Iterable[Score]) -> dict[str, tuple[int, int]]:
    """Each metric: how many were followed, of how many."""
    counts = {}
    scores = list(scores)
    for metric in RuIFEval("ruifeval", "").metrics:
        values = [item.value for score in scores for item in metric.observe(score)]
        counts[metric.name] = (int(sum(values)), len(values))
    return counts


def changed_verdicts(before: Scores, after: Scores) -> tuple[int, int]:
    """How many instructions are strictly followed now and were not, and the other way round."""
    gained = lost = 0
    for id, score in before.items():
        old = [part["strict"] for part in score.parts["instructions"]]
        new = [part["strict"] for part in after[id].parts.get("instructions", [])]
        if len(old) == len(new):
            gained += sum(now > then for then, now in zip(old, new, strict=True))
            lost += sum(now < then for then, now in zip(old, new, strict=True))
    return gained, lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("prompts", type=Path)
    parser.add_argument("responses", type=Path)
    arguments = parser.parse_args()
    published = scores_under(NO_FIXES, arguments.prompts, arguments.responses)
    base = followed(published.values())
    print("| switch | prompts, strict | loose | instructions, strict | loose | newly followed / no longer |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = [("none (`ruifeval`)", NO_FIXES)] + [(f"`{fix}`", frozenset({fix})) for fix in Fix]
    for title, fixes in [*rows, ("all (`ruifeval-fixed`)", ALL_FIXES)]:
        scores = published if fixes == NO_FIXES else scores_under(fixes, arguments.prompts, arguments.responses)
        counts = followed(scores.values())
        cells = []
        for name, (count, total) in counts.items():
            points = 100 * (count / total - base[name][0] / base[name][1])
            cells.append(f"{count}/{total}" + (f" ({points:+.2f} pp)" if fixes else f" = {count / total:.4f}"))
        gained, lost = changed_verdicts(published, scores)
        print(f"| {title} | {' | '.join(cells)} | {f'+{gained} / −{lost}' if fixes else ''} |")


if __name__ == "__main__":
    main()
