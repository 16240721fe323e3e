"""Directories of trainings and loops made up for the tests of their reports: the form of real ones."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.files import encode, write_json
from evalkit.tests.support.run_builder import build_run, sample_rows

READING = {
    "explanation": "Верно, хотя и коротко: r = 0.8, b = 0.5, A = 0.3, τ = 0.2",
    "tokens": [1, 2],
    "probabilities": [0.1] * 11,
    "score": 0.75,
    "claims": {
        "r": 0.8,
        "b": 0.5,
        "A": 0.3,
        "tau": 0.2,
        "score_agrees": True,
        "advantage_agrees": True,
        "out_of_range": {"w": 70.0},
    },
}
CRITIC = {
    "score": 0.75,
    "blended": 0.7,
    "readings": [READING],
    "signal": {"r": 0.7, "b": 0.45, "A": 0.25, "sigma": 0.3, "tau": 0.3, "w": 2.3, "omega": 0.9},
}


def metrics(steps: int, *, seed: int = 0, **more: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Make up the rows of ``metrics.jsonl``; ``more`` gives values of some steps by name."""
    draw = random.Random(seed)
    rows = []
    for step in range(1, steps + 1):
        gone = 1 - math.exp(-step / (steps / 2))
        reward = 0.4 + 0.5 * gone + draw.uniform(-0.06, 0.06)
        row: dict[str, Any] = {
            "step": step, "reward": reward, "reward_deviation": 0.3 * (1 - gone),
            "components": {"commas": reward, "commas/strict": reward / 2, "letters": 0.95},
            "families": {"math": reward - 0.1, "logic": reward + 0.1},
            "watched": {"fluency": {"value": 0.9 - 0.2 * gone, "gap": reward - 0.8, "answers": 16}},
            "sampled": 4, "informative": 3, "unscored": 0.0,
            "truncated": 0.5 * (1 - gone), "cyrillic": 0.98, "distinct": 1 - 0.1 * gone,
            "length": 30 - 12 * gone + draw.uniform(-2, 2), "outcome": "full", "learning_rate": 3e-4,
            "clip_fraction": draw.uniform(0, 0.02), "entropy": 2.4 - gone, "kl": 0.4 * gone**2,
            "reset": None, "validation": None, "alarms": [],
        }  # fmt: skip
        rows.append(row | {name: values[step] for name, values in more.items() if step in values})
    return rows


def answers(steps: int, texts: Sequence[str] = ("Ответ",), critic: Mapping[str, Any] | None = None) -> list[Any]:
    """Make up the rows of ``answers.jsonl``: each text to a prompt of its own, at every step."""
    return [
        {
            "step": step, "family": "math", "id": f"p{number}", "text": text, "reward": 0.1 * number,
            "components": {}, "problem": "", "tokens": 5, "finish_reason": "stop",
            **({"critic": critic} if critic else {}),
        }
        for step in range(1, steps + 1)
        for number, text in enumerate(texts)
    ]  # fmt: skip


def build_training(
    directory: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    loss: str = "grpo",
    written: Sequence[Mapping[str, Any]] = (),
    finished: bool = True,
) -> Path:
    """Write a training directory."""
    directory.mkdir(parents=True)
    write_json(directory / "recipe.json", {"recipe": {"method": loss, "seed": 0}, "weights": {}})
    (directory / "metrics.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in rows))
    (directory / "answers.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in written))
    if finished:
        write_json(directory / "result.json", {"step": len(rows), "stopped": "", "alarms": []})
    return directory


def verdict(number: int, *, accepted: bool, examples: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Make up a ``verdict.json``."""
    sign = 1 if accepted else -1
    reasons = [] if accepted else ["ruifeval: -0.200, interval -0.270 … -0.130: not above 0"]
    return {
        "round": number, "accepted": accepted, "reasons": reasons, "alarms": [],
        "gain": {
            "task": "ruifeval", "metric": "prompt_strict", "title": "Prompt level, strict", "dimension": "",
            "label": "", "unit": "share", "value": 0.2 * sign, "low": 0.2 * sign - 0.07, "high": 0.2 * sign + 0.07,
            "p_value": 0.0004, "wins": 12, "ties": 6, "losses": 2, "samples": 20, "detectable": 0.1,
            "adjusted": 0.001,
        },
        "guards": [
            {"name": "cyrillic", "before": 0.99, "after": 0.98, "change": -0.01, "margin": 0.05, "holds": True},
            {"name": "logic", "before": None, "after": None, "change": -0.2, "margin": 0.05, "holds": accepted},
        ],
        "examples": [
            {"id": f"e{at}", "prompt": "Без запятых.", "before": before, "after": after, "score_before": 0.0,
             "score_after": 1.0}
            for at, (before, after) in enumerate(examples)
        ],
    }  # fmt: skip


def build_loop(
    directory: Path,
    rounds: Sequence[tuple[Sequence[Mapping[str, Any]], bool]],
    *,
    loss: str = "grpo",
    written: Sequence[Mapping[str, Any]] = (),
    examples: Sequence[tuple[str, str]] = (("Да, могут.", "Да могут."),),
) -> Path:
    """Write a loop directory: each round's metrics, and whether it was accepted."""
    build_run(directory / "baseline", sample_rows(20, skill=0.3, seed=1), model="tiny")
    for number, (rows, accepted) in enumerate(rounds, 1):
        folder = directory / f"round-{number:02d}"
        build_training(folder / "training", rows, loss=loss, written=written)
        skill = 0.8 if accepted else 0.2
        build_run(folder / "evaluation", sample_rows(20, skill=skill, seed=number + 1), model=f"tiny+lora:{number}")
        write_json(folder / "verdict.json", verdict(number, accepted=accepted, examples=examples))
    write_json(directory / "loop.json", {"model": "tiny", "accepted": any(won for _, won in rounds), "rounds": []})
    return directory
