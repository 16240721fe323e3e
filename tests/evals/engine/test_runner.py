"""The run: overlap, failures that cost one sample, stops that lose nothing, scorers that hang or die."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from evalkit.errors import ModelError
from evalkit.evals.engine.progress import Tally
from evalkit.evals.engine.runner import execute
from evalkit.evals.engine.scoring import ScoringWorker
from evalkit.evals.records.plan import plan_tasks
from evalkit.evals.records.rows import read_rows
from evalkit.evals.records.spec import RunSpec
from evalkit.evals.records.store import RunStore
from evalkit.tasks.types import Completion, Context, Sample, Score, Status, Usage
from evalkit.tests.support.scripted import ScriptedModel

TASK = """
import os, time
from evalkit.tasks import Sample, Score, mean_value

class Echo:
    name, version, title, max_tokens = "echo", "1", "Echo", 8
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        for number in range(limit or 12):
            yield Sample.ask(str(number), f"say {number}")
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        if "hang" in completion.text:
            time.sleep(1000)
        if "die" in completion.text:
            os._exit(1)
        if "raise" in completion.text:
            raise KeyError("no")
        print("scorers may print")
        return Score(float(completion.text == sample.id))

class Slow(Echo):
    name = "slow"
    async def score(self, sample, completion, context):
        if "raise" in completion.text:
            raise KeyError("no")
        return Score(1.0)

class Chat(Echo):
    name = "chat"
    def samples(self, *, split, limit, seed):
        yield Sample("1", turns=("раз", "два"))
    def score(self, sample, completion, context):
        return Score(1.0, parts={"turns": list(completion.turns)})

echo, slow, chat = Echo(), Slow(), Chat()
"""


def last_word(prompt: str) -> str:
    return prompt.rpartition(" ")[2]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "plugin.py"
    file.write_text(TASK)
    return file


def go(folder: Path, task: str, model: ScriptedModel, **settings: object) -> Tally:
    spec = RunSpec.of(model="scripted", tasks=(task,), **settings)
    with RunStore(folder) as store:
        return asyncio.run(execute(spec, plan_tasks(spec), model, store, context=Context(), concurrency=4))


def test_every_sample_is_answered_and_scored_once(tmp_path: Path, plugin: Path) -> None:
    tally = go(tmp_path / "run", f"{plugin}:echo", ScriptedModel(last_word), epochs=3)
    rows = list(read_rows(tmp_path / "run"))
    assert len({(row.id, row.epoch) for row in rows}) == len(rows) == tally.total == tally.finished == 36
    assert all(row.score.value == 1.0 for row in rows)
    assert tally.tokens == 3 * 36


def test_epochs_have_seeds_of_their_own(tmp_path: Path, plugin: Path) -> None:
    model = ScriptedModel(last_word)
    go(tmp_path / "run", f"{plugin}:echo", model, epochs=2, limit=1, seed=7, temperature=0.5)
    assert {sampling.seed for _, sampling in model.requests} == {7, 8}
    assert {(sampling.temperature, sampling.max_tokens) for _, sampling in model.requests} == {(0.5, 8)}


def test_the_second_turn_sees_the_answer_to_the_first(tmp_path: Path, plugin: Path) -> None:
    model = ScriptedModel(lambda prompt: f"ответ на {prompt}")
    go(tmp_path / "run", f"{plugin}:chat", model)
    assert [message.content for message in model.requests[1][0]] == ["раз", "ответ на раз", "два"]
    (row,) = read_rows(tmp_path / "run")
    assert row.score.parts["turns"] == ["ответ на раз", "ответ на два"]
    assert row.usage == Usage(20, 6)


def test_a_failed_request_costs_its_sample_and_is_tried_again_on_resume(tmp_path: Path, plugin: Path) -> None:
    def poisoned(prompt: str) -> str:
        if prompt == "say 5":
            raise ModelError("400: this prompt is poison")
        return last_word(prompt)

    go(tmp_path / "run", f"{plugin}:echo", ScriptedModel(poisoned))
    rows = {row.id: row for row in read_rows(tmp_path / "run")}
    assert len(rows) == 12
    assert rows["5"].completion is None
    assert rows["5"].score == Score(None, Status.API_ERROR, explanation="400: this prompt is poison")
    again = ScriptedModel(last_word)
    go(tmp_path / "run", f"{plugin}:echo", again)
    assert again.prompts == ["say 5"]
    assert all(row.score.value == 1.0 for row in read_rows(tmp_path / "run"))


def test_a_fatal_failure_stops_the_run_and_keeps_what_was_answered(tmp_path: Path, plugin: Path) -> None:
    def expired(prompt: str) -> str:
        if prompt == "say 8":
            raise ModelError("401: the key has expired", fatal=True)
        return last_word(prompt)

    first = ScriptedModel(expired)
    with pytest.raises(ModelError, match="the key has expired"):
        go(tmp_path / "run", f"{plugin}:echo", first)
    kept = {row.id for row in read_rows(tmp_path / "run")}
    assert kept == {last_word(prompt) for prompt in first.prompts} - {"8"}
    second = ScriptedModel(last_word)
    go(tmp_path / "run", f"{plugin}:echo", second)
    assert second.calls == 12 - len(kept)


def test_a_server_that_fails_all_the_time_stops_the_run(tmp_path: Path, plugin: Path) -> None:
    def down(prompt: str) -> str:
        raise ModelError("503")

    model = ScriptedModel(down)
    with pytest.raises(ModelError, match="20 requests in a row failed, the last with: 503"):
        go(tmp_path / "run", f"{plugin}:echo", model, limit=500)
    assert model.calls < 30


def test_an_answer_that_was_not_scored_yet_is_not_paid_for_twice(tmp_path: Path, plugin: Path) -> None:
    model = ScriptedModel(lambda prompt: "raise" if prompt == "say 3" else "x")
    go(tmp_path / "run", f"{plugin}:echo", model)
    row = next(row for row in read_rows(tmp_path / "run") if row.id == "3")
    assert row.score.status == "scorer_error"
    assert row.score.explanation == "the scorer of 'echo' raised KeyError: 'no'"
    assert row.completion.text == "raise"
    again = ScriptedModel(last_word)
    go(tmp_path / "run", f"{plugin}:echo", again)
    assert again.calls == 0


def test_an_async_scorer_that_raises_costs_its_sample(tmp_path: Path, plugin: Path) -> None:
    go(tmp_path / "run", f"{plugin}:slow", ScriptedModel(lambda prompt: "raise" if prompt == "say 3" else "x"))
    statuses = {row.id: row.score.status for row in read_rows(tmp_path / "run")}
    assert statuses.pop("3") == "scorer_error"
    assert set(statuses.values()) == {"ok"}


def test_a_scorer_that_hangs_or_dies_costs_its_sample_and_the_next_is_scored(plugin: Path) -> None:
    async def play() -> list[Status]:
        worker = ScoringWorker(f"{plugin}:echo", seed=0, deadline=5.0)
        try:
            sample = Sample.ask("1", "say 1")
            return [
                (await worker.score(sample, Completion(text))).score.status for text in ("hang", "1", "die", "1")
            ]
        finally:
            await worker.stop()

    assert asyncio.run(play()) == [Status.TIMEOUT, Status.OK, Status.SCORER_ERROR, Status.OK]


def test_the_deadline_does_not_count_what_opening_the_task_takes(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(TASK + "time.sleep(3)\n")

    async def play() -> Status:
        worker = ScoringWorker(f"{tmp_path}/late.py:echo", seed=0, deadline=2.5)
        try:
            return (await worker.score(Sample.ask("1", "say 1"), Completion("1"))).score.status
        finally:
            await worker.stop()

    assert asyncio.run(play()) is Status.OK


def test_a_shard_is_its_part_of_the_samples(tmp_path: Path, plugin: Path) -> None:
    parts = []
    for number in (1, 2, 3):
        go(tmp_path / str(number), f"{plugin}:echo", ScriptedModel(last_word), shard=f"{number}/3")
        parts.append({row.id for row in read_rows(tmp_path / str(number))})
    assert set.union(*parts) == {str(number) for number in range(12)}
    assert sum(map(len, parts)) == 12
