"""Programs in every layout that models write: all pieces are found, and nothing that is not the answer is taken."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from evalkit.errors import RunError
from evalkit.evals.sandbox import open_sandbox
from evalkit.tasks.code import code, humaneval, livecodebench
from evalkit.tasks.code.blocks import code_blocks
from evalkit.tasks.code.extraction import find_program
from evalkit.tasks.code.loaders import humaneval_sample
from evalkit.tasks.code.task import program_of
from evalkit.tasks.records import Record
from evalkit.tasks.types import Completion, Context
from evalkit.tests.support.code_layouts import FUNCTIONS, PROGRAMS, Layout, layouts, works

VECTORS = Path(__file__).parents[2] / "vectors" / "code_answers.jsonl"
TASKS = {task.name: task for task in (humaneval, livecodebench)}


def misread(forms: list[Layout]) -> list[str]:
    found = []
    for form in forms:
        entry = form.solution.entry
        program = find_program(form.answer, (entry,) if entry else ())
        if works(form.solution, program) is not form.right:
            found.append(f"{form.kind}\n{form.answer}\n--- read as ---\n{program}")
    return found


def test_the_solutions_of_the_layouts_are_what_they_say():
    for solution in (*FUNCTIONS, *PROGRAMS):
        assert works(solution, solution.whole)
        assert works(solution, solution.other)
        assert works(solution, "\n".join([solution.imports, solution.constants, solution.helper, *solution.parts]))
        assert not works(solution, solution.wrong)
        assert not works(solution, solution.stub)


def test_every_layout_is_read():
    forms = list(layouts())
    assert len(forms) >= 400
    assert misread(forms) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1, 11))
def test_other_layouts_are_read_too(seed):
    forms = list(layouts(seed, rounds=3))
    assert len(misread(forms)) <= len(forms) // 200


def test_collected_answers_get_their_verdicts(tmp_path):
    rows = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]

    async def score_all():
        async with open_sandbox(slots=2) as sandbox:
            context = Context(sandbox=sandbox)
            scores = []
            for row in rows:
                path = tmp_path / f"{row['id']}.jsonl"
                path.write_text(json.dumps(row["record"]), encoding="utf-8")
                (sample,) = TASKS[row["task"]].read(path)
                scores.append(await TASKS[row["task"]].score(sample, Completion(row["answer"]), context))
            return scores

    try:
        scores = asyncio.run(score_all())
    except RunError as error:
        pytest.skip(str(error))
    wrong = [
        (row["id"], score.value, score.explanation)
        for row, score in zip(rows, scores, strict=True)
        if score.value != row["value"]
    ]
    assert len(rows) >= 21
    assert wrong == []


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_the_prompt_given_back_is_no_solution(apart):
    samples = code.samples(split="test", limit=None, seed=0)

    async def score_all():
        async with open_sandbox(slots=2) as sandbox:
            context = Context(sandbox=sandbox)
            pairs = [(sample, sample.messages[-1].content) for sample in samples]
            if apart:
                pairs = [(s, f"```python\n{block.text}\n```") for s, text in pairs for block in code_blocks(text)]
            scores = [code.score(sample, Completion(text), context) for sample, text in pairs]
            return await asyncio.gather(*scores)

    try:
        scores = asyncio.run(score_all())
    except RunError as error:
        pytest.skip(str(error))
    assert len(scores) >= 60
    assert [score.explanation for score in scores if score.value] == []
    assert all(score.value is not None for score in scores)


def test_a_function_is_completed_from_the_block_that_goes_on():
    sample = next(iter(_humaneval()))
    answer = "Тело:\n```python\n    return shift(shift(s))\n```\nПример:\n```python\nprint(unshift('bca'))\n```"
    program = program_of(sample, answer)
    assert program is not None
    names: dict = {}
    exec(program, names)
    assert names["unshift"]("bcaефд") == "abcдеф"


def _humaneval():
    for line in VECTORS.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["task"] == "humaneval":
            yield humaneval_sample(Record(VECTORS, 1, row["record"]))
