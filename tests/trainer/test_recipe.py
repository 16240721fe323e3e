"""Recipes: what is wrong is named by file, line and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("torch", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, UsageError
from evalkit.trainer.recipe.fields import Rollouts
from evalkit.trainer.recipe.kinds import loss_of
from evalkit.trainer.recipe.reading import PACKAGED, find_recipe, read_recipe

WHOLE = """\
method: dapo
model: embedded
steps: 3
prompts:
  own:
    task: own.py:task
    data: own.jsonl
    reward: {own.py:reward: 0.7, ruifeval-mini: 0.3}
"""


def written(tmp_path: Path, more: str = "", whole: str = WHOLE) -> Path:
    """Write a recipe; what begins with another method has that in place of its own."""
    path = tmp_path / "recipe.yaml"
    if more.startswith("method: "):
        method, more = more.split("\n", 1)
        whole = whole.replace("method: dapo", method)
    path.write_text(whole + more, encoding="utf-8")
    return path


def test_paths_are_taken_from_the_folder_of_the_recipe(tmp_path: Path):
    source = read_recipe(written(tmp_path)).prompts["own"]
    assert source.task == f"{tmp_path}/own.py:task"
    assert source.data == f"{tmp_path}/own.jsonl"
    assert source.reward == {f"{tmp_path}/own.py:reward": 0.7, "ruifeval-mini": 0.3}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("stepz: 3\n", r"recipe.yaml:9: field 'stepz': no such field\. Did you mean 'steps'"),
        (
            "rollouts:\n  groups: 0\n",
            r"recipe.yaml:10: field 'rollouts.groups': .* greater than or equal to 1, got 0",
        ),
        (
            "rollouts:\n  anwsers: 4\n",
            r"recipe.yaml:10: field 'rollouts.anwsers': no such field\. Did you mean 'answers'",
        ),
        ("method: gmpo\ncritic:\n  windw: 4\n", r"field 'critic.windw': no such field\. Did you mean 'window'"),
        ("objective: {options: {clip_hi: 1}}\n", r"loss 'dapo' has no option 'clip_hi'\. Did you mean 'clip_high'"),
        ("objective: {advantages: groop}\n", r"unknown advantage estimator 'groop'"),
        (
            "method: gmpo\ncritic: {explanation_weight: 1}\n",
            "'critic.explanation_weight' compares explanations: set 'critic.explanations' to 2",
        ),
        (
            "method: gmpo\ncritic: {explanations: 2}\n",
            "'critic.explanations': they would all be the same",
        ),
        ("method: grop\n", r"recipe.yaml:1: field 'method': unknown method 'grop'\. Did you mean 'grpo'"),
        ("method: [sft]\n", r"recipe.yaml:1: field 'method': unknown method"),
        ("method: grpo\ncritic: {}\n", "recipe.yaml:9: field 'critic' belongs to the method gmpo, not to grpo"),
        ("method: gmpo\nshaping: {truncated: 0}\n", "field 'shaping' belongs to the methods ppo, .*, not to gmpo"),
        ("method: gmpo\nsharding: full\n", "field 'sharding': Input should be 'none', got 'full'"),
        ("method: gmpo\ncritic: null\n", "field 'critic': Input should be a valid"),
        ("objective: {loss: grpo}\n", "field 'objective.loss': no such field"),
        ("batch: {examples: 8}\n", "field 'batch' belongs to the method sft, not to dapo"),
        ("reset: {patience: 2}\n", "field 'reset.patience' counts validations"),
        ("reset: {kl_above: 2}\n", "field 'reset.kl_above' needs 'objective.kl_weight' above 0"),
        ("shaping: {overlong_cache: 600}\n", "is more than 'rollouts.max_tokens'"),
        ("rollouts: [1]\n", r"recipe.yaml:9: field 'rollouts'"),
        ("\t: x", "is not YAML"),
        ("steps: 4\n", r"recipe.yaml:9: field 'steps' is given twice"),
        ("rollouts: {groups: 1, groups: 2}\n", r"recipe.yaml:9: field 'groups' is given twice"),
        ("1: 2\n", r"recipe.yaml:9: field '1': Keys should be strings"),
        ("seed: 4294967296\n", r"field 'seed': Input should be less than"),
        ("optimizer:\n  learning_rate: .inf\n", r"recipe.yaml:10: field 'optimizer.learning_rate': .* finite"),
        (
            "validation: {every: 1, source: {task: math, reward: {}}}\n",
            "field 'validation.source.reward'.* at least 1",
        ),
        ("objective:\n  weight_temperature: 2\n", r"recipe.yaml:10: .* belongs to the method awr, not to dapo"),
        ("method: gmpo\ncritic: {weighing: {kapa: 2}}\n", "no option 'kapa'. Did you mean 'kappa'"),
        ("method: gmpo\ncritic: {weighing: {kappa: x}}\n", r"recipe.yaml:9: field 'critic.weighing'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: str, message: str):
    with pytest.raises(InputError, match=message):
        read_recipe(written(tmp_path, more))


def test_a_source_knows_its_fields_too(tmp_path: Path):
    text = WHOLE.replace("    data:", "    dota:")
    with pytest.raises(
        InputError, match=r"recipe.yaml:7: field 'prompts.own.dota': no such field\. Did you mean 'data'"
    ):
        read_recipe(written(tmp_path, whole=text))
    with pytest.raises(InputError, match=r"recipe.yaml:6: field 'prompts.own.tusk'.* Did you mean 'task'"):
        read_recipe(written(tmp_path, whole=WHOLE.replace("    task:", "    tusk:")))
    with pytest.raises(InputError, match=r"recipe.yaml:4: field 'prompts': one at least needs a 'weight' above 0"):
        read_recipe(written(tmp_path, "    weight: 0\n"))
    with pytest.raises(InputError, match="field 'steps': it is missing"):
        read_recipe(written(tmp_path, whole=WHOLE.replace("steps: 3\n", "")))
    with pytest.raises(InputError, match="a recipe is a mapping"):
        read_recipe(written(tmp_path, whole="3\n"))
    (tmp_path / "old.yaml").write_text("model: модель", encoding="cp1251")
    with pytest.raises(InputError, match="is not YAML in UTF-8"):
        read_recipe(tmp_path / "old.yaml")


def test_a_recipe_is_found_by_its_name(tmp_path: Path):
    assert {file.stem for file in PACKAGED.glob("*.yaml")} >= {"gmpo", "prorl", "ruifeval-demo"}
    assert find_recipe("prorl") == PACKAGED / "prorl.yaml"
    with pytest.raises(InputError, match=r"there is no recipe prorll\. Did you mean 'prorl'"):
        find_recipe("prorll")


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_packaged_recipes_can_be_read(path: Path):
    recipe = read_recipe(path)
    loss_of(recipe)
    for source in recipe.prompts.values():
        assert ".py:" not in source.task or Path(source.task.rpartition(":")[0]).is_file()


def test_answers_grow_longer_by_a_schedule():
    rollouts = Rollouts(max_tokens=8, longer={5: 16, 9: 32})
    assert [rollouts.tokens_at(step) for step in (1, 4, 5, 8, 9, 100)] == [8, 8, 16, 16, 32, 32]


def test_a_constant_normaliser_is_the_longest_answer_of_the_step(tmp_path: Path):
    recipe = read_recipe(written(tmp_path, "method: dr_grpo\nrollouts: {max_tokens: 8, longer: {5: 16}}\n"))
    assert [loss_of(recipe, step).max_length for step in (1, 5)] == [8, 16]


def test_changes_take_the_place_of_what_the_recipe_says(tmp_path: Path):
    assert read_recipe(written(tmp_path), steps=9).steps == 9


def test_a_forecast_says_what_a_recipe_will_do(tmp_path: Path):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.support.trainer_bench import save_bench, write_recipe
    from evalkit.trainer.forecast import Shape, forecast

    save_bench(tmp_path)
    longer = {"groups": 2, "answers": 4, "max_tokens": 8, "longer": {3: 16}}
    text = "\n".join(forecast(read_recipe(write_recipe(tmp_path, rollouts=longer))))
    assert "prompts: words: 8, 100% of a step, reward plugin.py:words" in text
    assert "at most 8 tokens, 16 from step 3" in text
    assert "answers: 8 to 40 a step, 24 in all" in text
    assert "memory, roughly:" in text
    assert "disk:" in text
    in_half = write_recipe(tmp_path, rollouts=longer, model=f"hf:{tmp_path / 'model'},device=cpu,dtype=bfloat16")
    texts = (text, "\n".join(forecast(read_recipe(in_half))))
    whole, half = (int(re.findall(r"weights (\d+) KB", said)[0]) for said in texts)
    assert half == pytest.approx(whole / 2, abs=1)
    critic = write_recipe(tmp_path, rollouts=longer, method="gmpo", critic={"explanation_tokens": 300, "epochs": 2})
    with_critic = "\n".join(forecast(read_recipe(critic)))
    assert "critic: an explanation of at most 300 tokens to each answer (at most 7200 in all)" in with_critic
    assert "learns from the checker, 2 × a step" in with_critic
    without, with_it = (int(re.findall(r"rows of (\d+) tokens", said)[0]) for said in (text, with_critic))
    assert without < 40 < 300 < with_it
    shape = Shape.of(tmp_path / "model")
    assert (shape.layers, shape.hidden, shape.key_value_heads, shape.head) == (2, 32, 2, 8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"prompts": {"words": {"task": "plugin.py:words", "data": "plugin.py"}}},
            r"words has no samples in .*plugin\.py$",
        ),
        ({"validation": {"every": 1, "source": {"task": "nosuch"}}}, "unknown task 'nosuch'"),
        ({"alarms": {"canaries": {"source": {"task": "nosuch"}}}}, "unknown task 'nosuch'"),
        (
            {"prompts": {"words": {"task": "plugin.py:words", "reward": "rumtbench-mini"}}},
            r"field 'prompts\.words': rumtbench-mini needs a judge",
        ),
        (
            {"loop": {"tasks": ["plugin.py:words"], "accept": "wards/value"}},
            "field 'loop.accept': the tasks of the loop have no 'wards/value'",
        ),
        (
            {"loop": {"tasks": ["plugin.py:words"], "accept": "words", "guards": {"tasks": {"math": 0.1}}}},
            r"field 'loop\.guards\.tasks': the tasks of the loop have no 'math'",
        ),
    ],
)
def test_a_forecast_finds_what_would_fail_later(tmp_path: Path, changes: dict[str, Any], message: str):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.support.trainer_bench import PLUGIN, write_recipe
    from evalkit.trainer.forecast import forecast

    (tmp_path / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    recipe = read_recipe(write_recipe(tmp_path, **changes))
    with pytest.raises((InputError, UsageError), match=message):
        forecast(recipe, cast(Any, "no model is looked at"))


def test_a_forecast_warns_of_test_prompts(tmp_path: Path):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.support.trainer_bench import save_bench, write_recipe
    from evalkit.trainer.forecast import forecast

    save_bench(tmp_path)
    own = {"task": "plugin.py:words", "split": "test"}
    (warning,) = (
        line
        for line in forecast(read_recipe(write_recipe(tmp_path, prompts={"own": own})))
        if line.startswith("WARNING")
    )
    assert "prompts 'own' are the test prompts of" in warning


def test_the_forecast_counts_the_adapter_as_peft_makes_it(tmp_path: Path):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.support.trainer_bench import save_bench
    from evalkit.trainer.forecast import Shape
    from evalkit.trainer.policy.base_model import find_base
    from evalkit.trainer.policy.model import open_policy
    from evalkit.trainer.recipe.fields import Lora

    save_bench(tmp_path)
    base = find_base(f"hf:{tmp_path / 'model'},device=cpu")
    policy = open_policy(base, Lora(rank=4), seed=0)
    real = sum(parameter.numel() for parameter in policy.trainable().values())
    assert Shape.of(tmp_path / "model").adapter_parameters(4) == real
