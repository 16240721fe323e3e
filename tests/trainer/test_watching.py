"""Is the reward being gamed? Watched rewards, canary prompts, judges as rewards, rubrics with dropout."""

from __future__ import annotations

import random
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, UsageError
from evalkit.evals.records.training import CanaryAnswer, MetricsRow
from evalkit.tasks.rubrics import PROOF, drop_criteria
from evalkit.tasks.types import Score, Status
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.scripted import verdict
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.forecast import forecast
from evalkit.trainer.recipe.fields import WatchedAlarms
from evalkit.trainer.recipe.reading import read_recipe
from evalkit.trainer.rewards import monitors
from evalkit.trainer.rewards.mix import RewardPart, _combined, with_rubric_dropout
from evalkit.trainer.rewards.watching import canary_changes, watched_means
from evalkit.trainer.rollouts.records import Answer, Group
from evalkit.trainer.train import train

WATCHING = '''
from evalkit.tasks.types import mean_value
from evalkit.trainer.rewards.judged import judge_rating

class Graded:
    """Whatever the judge says."""
    name, version, title, max_tokens, needs = "graded", "1", "Graded", 8, ("judge",)
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        return []
    def read(self, path):
        return []
    async def score(self, sample, completion, context):
        return await judge_rating.score(sample, completion, context)

def flat(sample, completion):
    return 0.5

def sometimes(sample, completion):
    return None if len(completion.text) % 2 else 1.0

graded = Graded()
'''


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = save_bench(tmp_path_factory.mktemp("bench"))
    (folder / "watching.py").write_text(WATCHING, encoding="utf-8")
    return folder


def history_of(
    gold_slope: float, *, steps: int = 20, window: int = 20, share: float = 1.0
) -> tuple[WatchedAlarms, list[MetricsRow]]:
    """Metrics of a training whose reward rises by 0.02 a step while a watched reward goes its own way."""
    chance = random.Random(1)
    rows = []
    for step in range(1, steps + 1):
        reward, gold = 0.2 + 0.02 * step + chance.gauss(0, 0.01), 0.4 + gold_slope * step + chance.gauss(0, 0.01)
        seen = {"strict": {"value": gold, "gap": reward - gold, "answers": 3}} if chance.random() < share else {}
        rows.append(MetricsRow(step, {"reward": reward, "watched": seen}))
    return WatchedAlarms(watch={"strict": {"reward": "a.py:b", "window": window}}), rows


@pytest.mark.parametrize(("slope", "alarm"), [(0.02, False), (0.01, False), (-0.005, True), (-0.03, True)])
def test_a_watched_reward_that_does_not_rise_with_the_training_reward_is_an_alarm(
    slope: float, alarm: bool
) -> None:
    found = monitors.alarms(*history_of(slope))
    assert bool(found) is alarm
    if alarm:
        assert re.match(
            r"the reward rises by 0\.02 a step, and 'strict', which is only watched, by -0\.0", found[0]
        )


def test_a_window_sees_what_began_late_and_few_steps_say_nothing() -> None:
    rule, rows = history_of(0.02, steps=40, window=10)
    for row in rows[30:]:
        late = row.watched["strict"]
        late["value"] -= 0.06 * (row.step - 30)
        late["gap"] += 0.06 * (row.step - 30)
    assert monitors.alarms(rule, rows)
    assert not monitors.alarms(history_of(0.02, window=40)[0], rows[:36])
    assert not monitors.alarms(*history_of(-0.03, steps=4))
    assert monitors.alarms(*history_of(-0.03, share=0.6))


def test_means_of_what_was_watched() -> None:
    def answer(reward: float | None, **watched: float) -> Answer:
        return Answer((1,), (0.0,), "stop", "", reward, watched=watched)

    found = watched_means([answer(1.0, strict=0.5), answer(None, strict=1.0), answer(0.0, gold=0.25), answer(0.5)])
    assert found == {
        "gold": {"value": 0.25, "answers": 1, "gap": -0.25},
        "strict": {"value": 0.75, "answers": 2, "gap": 0.5},
    }
    assert watched_means([answer(1.0)]) == {}
    group = Group("f", 0, "s", (1,), (answer(1.0, strict=0.5),))
    assert Group.from_json(orjson.loads(orjson.dumps(asdict(group)))) == group


def told(texts: list[str], rewards: list[float | None]) -> list[CanaryAnswer]:
    return [CanaryAnswer(text, reward, len(text)) for text, reward in zip(texts, rewards, strict=True)]


CANARY_RULE = {"canaries": {"source": {"task": "ruifeval-mini"}}}
ANSWERS = [f"Море синее, а волна номер {word} ещё синее." for word in ("один", "два", "три", "семь")]


@pytest.mark.parametrize(
    ("texts", "rewards", "reason"),
    [
        (ANSWERS, [1.0, 1.0, 0.0, None], None),
        (ANSWERS, [0.0, 0.0, 0.0, 1.0], "canary prompts: their reward fell from 0.67 to 0.00"),
        (
            [f"the sea {n} is blue and deep, yes" for n in range(4)],
            [1.0] * 4,
            "canary prompts: Cyrillic letters fell",
        ),
        (ANSWERS[:1] * 4, [1.0] * 4, "canary prompts: different answers fell from 100% to 25%"),
        ([""] * 4, [1.0] * 4, "canary prompts: different answers fell from 100% to 25%"),
    ],
)
def test_canary_prompts_tell_of_a_collapse(
    texts: list[str], rewards: list[float | None], reason: str | None
) -> None:
    changed = canary_changes(told(ANSWERS, [1.0, 1.0, 0.0, None]), told(texts, rewards))
    found = monitors.alarms(WatchedAlarms(**CANARY_RULE), [MetricsRow(1, {}, canaries=changed)])
    assert changed["unchanged"] == sum(one == two for one, two in zip(ANSWERS, texts, strict=True)) / 4
    if reason is None:
        assert found == []
    else:
        assert any(one.startswith(reason) for one in found), found


def watching(bench: Path, name: str, **changes: Any) -> Path:
    alarms = {
        "window": 100,
        "watch": {
            "flat": {"reward": "watching.py:flat"},
            "some": {"reward": {"watching.py:sometimes": 0.5}, "share": 0.6},
        },
        "canaries": {"source": {"task": "plugin.py:words", "split": "test", "limit": 3}, "every": 2},
    }
    return write_recipe(bench, name, **({"alarms": alarms, "steps": 3} | changes))


def numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if not name.endswith("_seconds")} for row in rows]


def test_a_training_that_is_watched_goes_on_as_if_nothing_had_happened(bench: Path, tmp_path: Path) -> None:
    recipe = watching(bench, "watched.yaml")
    told = forecast(read_recipe(recipe))
    assert "watched: some: 0.5 · watching.py:sometimes, 60% of the answers" in told
    assert "canary prompts: 16 at most, before training and every 2 steps" in told
    train(recipe, tmp_path / "whole")
    rows = journal_lines(tmp_path / "whole")
    assert all(row["watched"]["flat"]["value"] == 0.5 for row in rows)
    assert all(row["watched"]["flat"]["answers"] == row["sampled"] * 4 for row in rows)
    assert (
        0
        < sum(row["watched"].get("some", {"answers": 0})["answers"] for row in rows)
        < sum(4 * row["sampled"] for row in rows)
    )
    assert [bool(row.get("canaries")) for row in rows] == [False, True, True]
    assert rows[1]["canaries"]["before"] == rows[2]["canaries"]["before"]
    asked = journal_lines(tmp_path / "whole", "canaries")
    assert [row["step"] for row in asked] == [0, 2, 3]
    assert all(len(row["answers"]) == 3 for row in asked)

    train(read_recipe(recipe, steps=1), tmp_path / "parts")
    log = tmp_path / "parts" / "canaries.jsonl"
    log.write_bytes(log.read_bytes() + b'{"step": 1, "answ')
    train(recipe, tmp_path / "parts")
    assert journal_lines(tmp_path / "parts", "canaries")[0] == asked[0]
    parts = numbers(journal_lines(tmp_path / "parts"))
    assert parts[1:] == numbers(rows)[1:]


@pytest.mark.exhaustive
def test_to_watch_changes_nothing_of_what_is_learned(bench: Path, tmp_path: Path) -> None:
    rewards = []
    for recipe in (watching(bench, "same.yaml"), write_recipe(bench, "unwatched.yaml", steps=3)):
        train(recipe, tmp_path / recipe.stem)
        rewards.append([row["reward"] for row in journal_lines(tmp_path / recipe.stem)])
    assert rewards[0] == rewards[1]


def test_a_judge_rewards_and_another_watches_a_share(bench: Path, tmp_path: Path) -> None:
    def rate(prompt: str) -> str:
        return verdict(prompt, 1 + len(prompt) % 10)

    with LoopbackServer(answer=rate) as server:
        judge = {"models": ["openai:cheap"], "base_url": server.url}
        gold = {"models": ["openai:gold"], "base_url": server.url}
        recipe = watching(
            bench, "judged.yaml", judge=judge, steps=1,
            prompts={"words": {"task": "plugin.py:words", "reward": "watching.py:graded"}},
            alarms={"watch": {"gold": {"reward": "watching.py:graded", "share": 0.5, "judge": gold}}},
        )  # fmt: skip
        train(recipe, tmp_path / "run")
        names = {"cheap", "gold"}
        assert {
            orjson.dumps(request).decode().split('"model":"')[1].split('"')[0] for request in server.requests
        } == names
    (row,) = journal_lines(tmp_path / "run")
    assert row["reward"] is not None
    assert 0 < row["watched"]["gold"]["answers"] < 4 * row["sampled"]
    assert {line["judge"] for line in journal_lines(tmp_path / "run", "verdicts")} == {
        "openai:cheap",
        "openai:gold",
    }
    with pytest.raises(UsageError, match=r"field 'prompts.words': graded needs a judge: set 'judge'"):
        train(read_recipe(recipe, judge=None), tmp_path / "none")


CRITERIA = {
    "correctness": 100.0,
    "completeness": 40.0,
    "rigour": 20.0,
    "structure": 90.0,
    "cases": None,
    "final_answer": 0.0,
}


def graded_by(criteria: dict[str, float | None] | None, cap: int | None = None) -> Score:
    parts = {"criteria": criteria, "final_answer": {"cap": cap}}
    return Score(0.5, Status.OK, parts)


def test_a_rubric_loses_the_same_criteria_for_a_whole_group_at_a_step() -> None:
    from evalkit.tasks.imo.task import imo_mini, proof_rubric

    parts = (RewardPart(proof_rubric, "proof-rubric", 0.5), RewardPart(imo_mini, "imo-mini"))

    def value(score: Score, **how: Any) -> float | None:
        reward = _combined(parts, [score, Score(0.25)])
        found = with_rubric_dropout(
            parts, reward, **({"fraction": 0.5, "example": "s", "step": 3, "seed": 1} | how)
        )
        assert found.scores["imo-mini"].value == 0.25
        return found.value

    kept = drop_criteria(PROOF, fraction=0.5, example="s", step=3, seed=1)
    assert len(kept) == 3
    met = {one: CRITERIA[one.name] for one in kept if CRITERIA[one.name] is not None}
    expected = sum(one.weight * share / 100 for one, share in met.items()) / sum(one.weight for one in met)
    assert value(graded_by(CRITERIA)) == pytest.approx(0.5 * expected + 0.25)
    assert value(graded_by(CRITERIA)) == value(graded_by(CRITERIA))
    assert len({value(graded_by(CRITERIA), step=step) for step in range(12)}) > 3
    assert value(graded_by(CRITERIA, cap=0)) == 0.25
    assert value(graded_by(None)) is None


def test_a_recipe_that_cannot_be_watched_is_refused(bench: Path) -> None:
    reserved = write_recipe(bench, "reserved.yaml", prompts={"canaries": {"task": "plugin.py:words"}})
    with pytest.raises(InputError, match=r"field 'prompts.canaries': this name is reserved"):
        read_recipe(reserved)
    narrow = write_recipe(
        bench, "narrow.yaml", alarms={"watch": {"a": {"reward": "watching.py:flat", "window": 3}}}
    )
    with pytest.raises(InputError, match=r"field 'alarms.watch.a.window'"):
        read_recipe(narrow)
