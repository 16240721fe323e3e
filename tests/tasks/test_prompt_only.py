"""No task pays for reading the prompt without solving it.

An attacker repeats the prompt, its formulas, numbers, options and examples, or names all answers at once. None of
that may earn more than guessing: the best of texts that are the same for every prompt (one letter, one number,
on ruIFEval an answer that breaks no rule because it says little) and of single candidates that the prompt names.

Tasks with a judge are not here: what an answer can do to a verdict is tested in ``judges/test_defences.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from evalkit.errors import RunError
from evalkit.evals.sandbox import open_sandbox
from evalkit.tasks.base import BaseTask
from evalkit.tasks.registry import open_task, task_names
from evalkit.tasks.types import Completion, Context, Sample, Score
from evalkit.tests.support.prompt_attacks import Texts, attacks, blind_texts, guesses

TASKS = [name for name in task_names() if "judge" not in open_task(name).needs]
PLAIN = [name for name in TASKS if not open_task(name).needs]
WITHOUT_PROBLEMS = {
    "humaneval": {
        "task_id": "HumanEval/0",
        "prompt": 'def area(width, height):\n    """Площадь: area(2, 3) == 6.\n    """\n',
        "entry_point": "area",
        "canonical_solution": "    return width * height\n",
        "test": "\n\ndef check(candidate):\n    assert candidate(2, 3) == 6\n    assert candidate(4, 5) == 20\n",
    },
    "mbpp": {
        "task_id": 11,
        "text": "Write a function to add one.",
        "code": "def add_one(x):\n    return x + 1",
        "test_list": ["assert add_one(1) == 2", "assert add_one(7) == 8"],
        "test_setup_code": "",
        "challenge_test_list": [],
    },
    "livecodebench": {
        "question_title": "Сумма",
        "question_content": "Сложи два числа.\n\nПример:\n```\n1 2\n```\nОтвет: 3",
        "platform": "atcoder",
        "question_id": "abc300_a",
        "starter_code": "",
        "public_test_cases": json.dumps(
            [
                {"input": "1 2\n", "output": "3\n", "testtype": "stdin"},
                {"input": "4 5\n", "output": "9\n", "testtype": "stdin"},
            ]
        ),
        "private_test_cases": "",
        "metadata": "{}",
    },
}
PAID_AS_PUBLISHED = 0.1
"""What `ruifeval` may pay above guessing: in the published verdicts a part of the prompt follows instructions."""


def samples_of(name: str, limit: int, folder: Path) -> list[Sample]:
    """Return a task's own samples, or one in its published form where it has none."""
    task = open_task(name)
    if name not in WITHOUT_PROBLEMS:
        return list(task.samples(split="test", limit=limit, seed=1))
    file = folder / "problems.jsonl"
    file.write_text(json.dumps(WITHOUT_PROBLEMS[name]) + "\n", encoding="utf-8")
    return list(task.read(file))


async def score(task: BaseTask, sample: Sample, text: str, context: Context) -> Score:
    found = task.score(sample, Completion(text), context)
    return found if isinstance(found, Score) else await found


async def earned(task: BaseTask, pairs: list[tuple[Sample, Texts]], context: Context) -> dict[str, float]:
    """Return the mean score of every strategy; where it has no text for a prompt it earns nothing there."""
    total: Counter[str] = Counter()
    for sample, texts in pairs:
        different = list(dict.fromkeys(texts.values()))
        scores = await asyncio.gather(*(score(task, sample, text, context) for text in different))
        values = {text: found.value or 0.0 for text, found in zip(different, scores, strict=True)}
        total.update({name: values[text] for name, text in texts.items()})
    return {name: value / len(pairs) for name, value in total.items()}


def overpaid(name: str, samples: list[Sample], context: Context | None = None) -> tuple[float, dict[str, float]]:
    """Return what guessing earns, and the strategies that earn more."""
    task, context = open_task(name), context or Context()

    async def both() -> tuple[dict[str, float], dict[str, float]]:
        blind = await earned(
            task, [(sample, blind_texts() | guesses(sample.prompt)) for sample in samples], context
        )
        return blind, await earned(task, [(sample, attacks(sample.prompt)) for sample in samples], context)

    blind, paid = asyncio.run(both())
    best = max(blind.values())
    allowed = best + (PAID_AS_PUBLISHED if name == "ruifeval" else 0.0)
    return best, {strategy: value for strategy, value in paid.items() if value > allowed}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PLAIN)
def test_reading_the_prompt_earns_no_more_than_guessing(name: str, tmp_path: Path) -> None:
    best, more = overpaid(name, samples_of(name, 100, tmp_path))
    assert not more, f"guessing earns {best}"


@pytest.mark.parametrize("name", [name for name in PLAIN if not open_task(name).stand_in])
def test_reading_the_prompt_earns_no_more_than_a_lucky_guess(name: str, tmp_path: Path) -> None:
    samples = samples_of(name, 10, tmp_path)
    best, more = overpaid(name, samples)
    lucky = best + 1 / len(samples)
    assert {strategy: value for strategy, value in more.items() if value > lucky} == {}


@pytest.mark.parametrize("name", sorted(set(TASKS) - set(PLAIN)))
def test_reading_the_prompt_writes_no_program(name: str, tmp_path: Path) -> None:
    task = open_task(name)
    samples = samples_of(name, 4, tmp_path)

    async def run() -> dict[str, float]:
        async with open_sandbox(slots=2) as sandbox:
            pairs = [(sample, attacks(sample.prompt)) for sample in samples]
            return await earned(task, pairs, Context(sandbox=sandbox))

    try:
        paid = asyncio.run(run())
    except RunError as error:
        pytest.skip(str(error))
    assert {strategy: value for strategy, value in paid.items() if value} == {}
