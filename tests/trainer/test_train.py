"""Training on a tiny model: it learns, it logs, and nothing that goes wrong counts as 0."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from statistics import fmean

import orjson
import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, RunError, UsageError
from evalkit.evals.run import run
from evalkit.tests.support.trainer_bench import adapter, journal_lines, save_bench, write_recipe
from evalkit.trainer.losses import LOSSES
from evalkit.trainer.methods.base import Method, method_of
from evalkit.trainer.recipe.kinds import RECIPES, LossRecipe
from evalkit.trainer.train import train


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


def trained(bench: Path, folder: Path, **changes: object) -> list[dict]:
    train(write_recipe(bench, f"{folder.name}.yaml", **changes), folder)
    return journal_lines(folder)


def answers(folder: Path) -> list[dict]:
    return [orjson.loads(line) for line in (folder / "answers.jsonl").read_bytes().splitlines()]


def moved(folder: Path) -> float:
    return sum(float(tensor.abs().sum()) for name, tensor in adapter(folder).items() if "lora_B" in name)


def test_the_reward_rises_and_the_adapter_runs(bench: Path, tmp_path: Path):
    rows = trained(
        bench,
        tmp_path / "out",
        steps=24,
        rollouts={"groups": 4, "answers": 8, "max_tokens": 12},
        optimizer={"learning_rate": 5e-2, "micro_batch": 16},
        method="dapo",
        objective={"kl_weight": 0.01},
    )
    assert [row["step"] for row in rows] == list(range(1, 25))
    # Means over six steps, 192 answers, each with an error of 0.012. Whatever the seed or the processor, rounding
    # makes another training of it, and the rise is 0.24 or more in five; without learning it is near 0.
    learned = [row for row in rows if "entropy" in row]  # a step whose answers are all alike teaches nothing
    reward, entropy = (
        [fmean(row[name] for row in part) for part in (learned[:6], learned[-6:])] for name in ("reward", "entropy")
    )
    assert reward[1] > reward[0] + 0.1
    assert rows[0]["kl"] == 0 < rows[-1]["kl"]
    assert entropy[1] < entropy[0]
    first = rows[0]
    assert first["components"]["words"] == first["families"]["words"] == first["reward"]
    assert first["clip_fraction"] == 0  # on policy
    assert first["length"] * 32 == first["generated_tokens"]
    assert (first["unscored"], first["reset"], first["alarms"], first["outcome"]) == (0, None, [], "full")
    assert len(answers(tmp_path / "out")) == sum(row["sampled"] for row in rows) * 8
    task = f"{bench / 'plugin.py'}:words"
    model = f"hf:{bench / 'model'},device=cpu"
    # 4 prompts asked 32 times: errors of 0.01 to 0.03; 0.64 before, 0.74 or more after 14 steps.
    sampling = {"temperature": 1.0, "epochs": 32}
    before = run(model, [task], output=tmp_path / "before", **sampling)
    after = run(f"{model}+lora:{tmp_path / 'out' / 'adapter'}", [task], output=tmp_path / "after", **sampling)
    values = [
        orjson.loads((folder / "results.json").read_bytes())["tasks"][0]["metrics"][0]["value"]
        for folder in (before, after)
    ]
    assert values[1] > values[0] + 0.1


@pytest.mark.parametrize("method", [name for name in RECIPES if name not in ("gmpo", "dapo", "sft")])
def test_every_loss_trains(bench: Path, tmp_path: Path, method: str):
    rows = trained(bench, tmp_path, steps=1, method=method)
    assert math.isfinite(rows[0]["loss"])
    assert moved(tmp_path) > 0


def test_every_recipe_has_a_method_and_every_loss_a_recipe():
    for kind in RECIPES.values():
        assert issubclass(method_of(kind.model_construct()), Method)
    assert {name for name, kind in RECIPES.items() if issubclass(kind, LossRecipe)} == LOSSES.keys()


def test_several_updates_of_a_batch_leave_the_policy_that_sampled_it(bench: Path, tmp_path: Path):
    objective = {"epochs": 3, "minibatches": 2, "correction": {}}
    rows = trained(bench, tmp_path, steps=2, objective=objective)
    assert rows[0]["clip_fraction"] > 0
    assert rows[0]["correction_mean"] == pytest.approx(1)


def test_all_tied_rewards_skip_the_step_within_the_budget(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "reward": "plugin.py:all_alike"}
    rows = trained(
        bench, tmp_path, steps=2, prompts={"words": source},
        rollouts={"groups": 2, "answers": 4, "max_tokens": 4, "extra_waves": 2},
    )  # fmt: skip
    assert [(row["outcome"], row["waves"], row["groups"]) for row in rows] == [("skip", 3, 0)] * 2
    assert rows[0]["reward"] == 0.5
    assert moved(tmp_path) == 0


def test_a_scorer_that_falls_over_is_no_reward_of_0(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "reward": "plugin.py:broken"}
    with pytest.raises(RunError, match=r"step 1: none of its .* the scorer fell over"):
        trained(bench, tmp_path / "a", steps=1, prompts={"words": source})
    assert "the scorer fell over" in answers(tmp_path / "a")[0]["problem"]
    assert not (tmp_path / "a" / "adapter").exists()
    source = {"task": "plugin.py:words", "reward": "plugin.py:half_broken"}
    rows = trained(bench, tmp_path / "b", steps=2, prompts={"words": source})
    assert 0 < rows[0]["unscored"] < 1
    assert all(row["reward"] is None for row in answers(tmp_path / "b") if row["problem"])


def test_a_scorer_that_hangs_is_killed_and_is_no_reward_of_0(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "reward": "plugin.py:hanging"}
    rollouts = {"groups": 1, "answers": 2, "max_tokens": 4, "extra_waves": 0}
    with pytest.raises(RunError, match=r"0.5 s"):
        trained(bench, tmp_path, steps=1, prompts={"words": source}, rollouts=rollouts, scoring_deadline=0.5)
    assert "0.5 s" in answers(tmp_path)[0]["problem"]


STARS = """
def stars(sample, completion):
    return len(completion.text) % 5

def failing_later(sample, completion):
    import pathlib
    if pathlib.Path(__file__).with_name("broken").exists():
        raise RuntimeError("no server")
    return len(completion.text) % 5 / 5
"""


def test_a_reward_of_another_range_is_said_once_and_stops_a_training_that_learns_nothing(
    bench: Path, tmp_path: Path
):
    (bench / "stars.py").write_text(STARS, encoding="utf-8")
    lines: list[str] = []
    source = {"task": "plugin.py:words", "reward": "stars.py:stars"}
    rollouts = {"groups": 1, "answers": 4, "max_tokens": 8, "extra_waves": 0, "min_share": 1.0}
    recipe = write_recipe(bench, "stars.yaml", steps=1, prompts={"words": source}, rollouts=rollouts)
    try:
        train(recipe, tmp_path / "raw", notify=lines.append)
    except RunError:
        assert not (tmp_path / "raw" / "adapter").exists()
    said = [line for line in lines if "has no reward" in line]
    assert len(said) == 1
    assert "is not within [0, 1]" in said[0]
    source["reward"] = {"stars.py:stars": 1.0, "scale": [0, 4]}  # type: ignore[assignment]
    rows = trained(bench, tmp_path / "scaled", steps=1, prompts={"words": source}, rollouts=rollouts)
    assert rows[0]["unscored"] == 0
    assert {row["reward"] for row in answers(tmp_path / "scaled")} <= {0.0, 0.25, 0.5, 0.75, 1.0}


def test_a_training_goes_on_where_its_rewards_failed(bench: Path, tmp_path: Path):
    (bench / "stars.py").write_text(STARS, encoding="utf-8")
    source = {"task": "plugin.py:words", "reward": "stars.py:failing_later"}
    recipe = write_recipe(bench, "later.yaml", steps=2, prompts={"words": source}, checkpoint_every=1)
    broken = bench / "broken"
    train(recipe, tmp_path / "whole")

    def fail_after_the_first(line: str) -> None:
        if line.startswith("step 1/"):
            broken.touch()

    try:
        with pytest.raises(RunError, match=r"step 2: none of its .* no server"):
            train(recipe, tmp_path / "broken", notify=fail_after_the_first)
    finally:
        broken.unlink(missing_ok=True)
    assert [row["step"] for row in journal_lines(tmp_path / "broken")] == [1]
    train(recipe, tmp_path / "broken")
    assert answers(tmp_path / "broken") == answers(tmp_path / "whole")


def test_a_reset_moves_the_reference_and_is_logged(bench: Path, tmp_path: Path):
    (tmp_path / "reset").touch()
    lines: list[str] = []
    recipe = write_recipe(bench, "reset.yaml", steps=4, reset={"every": 2})
    train(recipe, tmp_path, notify=lines.append)
    rows = journal_lines(tmp_path)
    assert [row["reset"] for row in rows] == ["manual", None, "every 2 steps", None]
    assert [row["kl"] == 0 for row in rows] == [True, True, False, True]
    assert "step 1: the reference was reset: manual" in lines
    assert not (tmp_path / "reset").exists()


def test_validation_is_greedy_and_its_stagnation_resets(bench: Path, tmp_path: Path):
    validation = {"every": 1, "limit": 2, "source": {"task": "plugin.py:words", "split": "test"}}
    rows = trained(
        bench, tmp_path, steps=3, validation=validation, reset={"patience": 1, "min_delta": 1.0},
        optimizer={"learning_rate": 1e-6},
    )  # fmt: skip
    assert len({row["validation"] for row in rows}) == 1
    assert 0 <= rows[0]["validation"] <= 1
    assert [row["reset"] for row in rows] == [None, None, "stagnation: 1 evaluations without progress"]


def test_families_come_by_weight_and_have_curves_of_their_own(bench: Path, tmp_path: Path):
    prompts = {
        "much": {"task": "plugin.py:words", "weight": 3},
        "little": {"task": "plugin.py:words", "reward": "plugin.py:all_alike"},
    }
    rollouts = {"groups": 4, "answers": 2, "max_tokens": 4, "extra_waves": 0}
    rows = trained(bench, tmp_path, steps=2, prompts=prompts, rollouts=rollouts)
    assert rows[0]["families"]["little"] == 0.5 != rows[0]["families"]["much"]
    assert [row["outcome"] for row in rows] == ["short", "short"]
    found = [row["family"] for row in answers(tmp_path)]
    assert found.count("much") == 3 * found.count("little")


def test_a_prompt_that_comes_twice_in_a_wave_is_answered_anew(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "limit": 1}
    rollouts = {"groups": 2, "answers": 2, "max_tokens": 6, "extra_waves": 0}
    trained(bench, tmp_path, steps=1, prompts={"words": source}, rollouts=rollouts)
    assert len({row["text"] for row in answers(tmp_path)}) == 4


def test_long_answers_are_shaped_after_ties_were_judged(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "reward": "plugin.py:all_alike"}
    shaping = {"overlong_cache": 8, "truncated": 0.0}
    rows = trained(bench, tmp_path, steps=1, prompts={"words": source}, shaping=shaping)
    assert rows[0]["informative"] == 0
    assert any(row["shaped"] != row["reward"] for row in answers(tmp_path))


def test_an_alarm_stops_training_where_that_is_wanted(bench: Path, tmp_path: Path):
    lines: list[str] = []
    alarm = {"window": 1, "entropy_below": 100, "stop": True}
    recipe = write_recipe(bench, "alarm.yaml", steps=5, alarms=alarm)
    train(recipe, tmp_path, notify=lines.append)
    assert [bool(row["alarms"]) for row in journal_lines(tmp_path)] == [False, True]
    result = orjson.loads((tmp_path / "result.json").read_bytes())
    assert "entropy is" in result["stopped"]
    assert any(line.startswith("ALARM at step 2: entropy is") for line in lines)
    assert train(recipe, tmp_path) == tmp_path / "adapter"
    (tmp_path / "result.json").unlink()  # as if killed just before it was written
    train(recipe, tmp_path)
    assert len(journal_lines(tmp_path)) == 2


def test_a_training_that_an_alarm_stopped_goes_on_when_it_is_told_to(bench: Path, tmp_path: Path):
    alarm = {"window": 1, "entropy_below": 100}
    for name, stop, steps in (("stop.yaml", True, 2), ("go_on.yaml", False, 3)):
        train(write_recipe(bench, name, steps=3, alarms=alarm | {"stop": stop}), tmp_path)
        assert len(journal_lines(tmp_path)) == steps


def test_a_gradient_that_is_no_number_changes_nothing(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from evalkit.trainer.methods import rl

    real = rl.advantages_of
    monkeypatch.setattr(rl, "advantages_of", lambda *given: real(*given) * torch.inf)
    rows = trained(bench, tmp_path, steps=1)
    assert rows[0]["bad_gradient"] == 1
    assert moved(tmp_path) == 0


def test_prompts_that_cannot_be_trained_on_are_named(bench: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"prompts 'words': .*:words has no samples in .*plugin\.py$"):
        trained(
            bench,
            tmp_path / "a",
            prompts={
                "words": {"task": "reward:plugin.py:vowels"} | {"task": "plugin.py:words", "data": "plugin.py"}
            },
        )
    with pytest.raises(UsageError, match="ruifeval has only the split 'test'"):
        trained(bench, tmp_path / "b", prompts={"r": {"task": "ruifeval"}})


def test_prompts_that_fill_the_context_are_left_out_and_counted(bench: Path, tmp_path: Path):
    lines: list[str] = []
    (bench / "long.py").write_text(
        "from plugin import Words\n"
        "from evalkit.tasks.types import Sample\n"
        "class Long(Words):\n"
        "    name = 'long'\n"
        "    def samples(self, *, split, limit, seed):\n"
        "        return [Sample.ask(str(n), 'море ' * (600 if n else 1)) for n in range(3)]\n"
        "long = Long()\n",
        encoding="utf-8",
    )
    sys.path.insert(0, str(bench))
    try:
        source = {"task": "long.py:long", "reward": "plugin.py:vowels"}
        train(write_recipe(bench, "long.yaml", steps=1, prompts={"long": source}), tmp_path, notify=lines.append)
    finally:
        sys.path.remove(str(bench))
    assert any(line.startswith("prompts 'long': 2 of 3 left out: sample '2' has") for line in lines)
    assert {row["id"] for row in answers(tmp_path)} == {"0"}


@pytest.mark.exhaustive
def test_the_prorl_recipe_runs_at_toy_size(bench: Path, tmp_path: Path):
    from evalkit.trainer.recipe.reading import read_recipe

    shipped = read_recipe("prorl")
    small = {name: source.model_copy(update={"limit": 6}) for name, source in shipped.prompts.items()}
    rollouts = shipped.rollouts.model_copy(
        update={"groups": 4, "answers": 4, "max_tokens": 6, "longer": {2: 9}, "extra_waves": 1}
    )
    validation = shipped.validation.model_copy(update={"every": 1, "limit": 2})
    recipe = shipped.model_copy(
        update={
            "model": f"hf:{bench / 'model'},device=cpu", "steps": 3, "prompts": small, "rollouts": rollouts,
            "validation": validation, "reset": shipped.reset.model_copy(update={"every": 2}),
        }
    )  # fmt: skip
    train(recipe, tmp_path)
    rows = journal_lines(tmp_path)
    assert [row["max_tokens"] for row in rows] == [6, 9, 9]
    assert [row["reset"] for row in rows] == [None, "every 2 steps", None]
    assert {name for row in rows for name in row["families"]} == {"math", "logic", "instructions"}
    assert all(row["validation"] is not None for row in rows)


def test_the_generated_training_split_of_ruifeval_mini():
    from evalkit.tasks.ruifeval import ruifeval_mini

    samples = list(ruifeval_mini.samples(split="train", limit=30, seed=3))
    assert samples == list(ruifeval_mini.samples(split="train", limit=40, seed=3))[:30]
    assert samples != list(ruifeval_mini.samples(split="train", limit=30, seed=4))
    assert not {sample.prompt for sample in samples} & {
        sample.prompt for sample in ruifeval_mini.samples(split="test", limit=None, seed=0)
    }


def test_a_reward_that_a_model_grades_is_refused_before_anything_is_sampled(bench: Path, tmp_path: Path):
    source = {"task": "plugin.py:words", "reward": "rumtbench-mini"}
    with pytest.raises(UsageError, match=r"field 'prompts\.words': rumtbench-mini needs a judge"):
        trained(bench, tmp_path, prompts={"words": source})
