"""Recipes: what is wrong is named by file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError
from evalkit.trainer.recipe import PACKAGED, find_recipe, open_objective, read_recipe
from evalkit.trainer.recipe_fields import Rollouts

WHOLE = """\
model: embedded
steps: 3
prompts:
  own:
    task: own.py:task
    data: own.jsonl
    reward: {own.py:reward: 0.7, ruifeval-mini: 0.3}
"""


def written(tmp_path: Path, more: str = "", whole: str = WHOLE) -> Path:
    path = tmp_path / "recipe.yaml"
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
        ("stepz: 3\n", r"recipe.yaml:8: field 'stepz': no such field\. Did you mean 'steps'"),
        (
            "rollouts:\n  groups: 0\n",
            r"recipe.yaml:9: field 'rollouts.groups': .* greater than or equal to 1, got 0",
        ),
        (
            "rollouts:\n  anwsers: 4\n",
            r"recipe.yaml:9: field 'rollouts.anwsers': no such field\. Did you mean 'answers'",
        ),
        ("critic:\n  windw: 4\n", r"field 'critic.windw': no such field\. Did you mean 'window'"),
        ("objective: {loss: grop}\n", r"field 'objective': unknown loss 'grop'\. Did you mean 'grpo'"),
        ("objective: {options: {clip_hi: 1}}\n", r"loss 'dapo' has no option 'clip_hi'\. Did you mean 'clip_high'"),
        ("objective: {advantages: groop}\n", r"unknown advantage estimator 'groop'"),
        ("objective: {loss: grpo}\ncritic: {}\n", "field 'critic' belongs to the loss gmpo, not to grpo"),
        ("objective: {loss: gmpo}\nshaping: {truncated: 0}\n", "field 'shaping': gmpo learns from the critic's"),
        ("reset: {patience: 2}\n", "field 'reset.patience' counts validations"),
        ("reset: {kl_above: 2}\n", "field 'reset.kl_above' needs 'objective.kl_weight' above 0"),
        ("shaping: {overlong_cache: 600}\n", "is more than 'rollouts.max_tokens'"),
        ("rollouts: [1]\n", r"recipe.yaml:8: field 'rollouts'"),
        ("\t: x", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: str, message: str):
    with pytest.raises(InputError, match=message):
        read_recipe(written(tmp_path, more))


def test_a_source_knows_its_fields_too(tmp_path: Path):
    text = WHOLE.replace("    data:", "    dota:")
    with pytest.raises(
        InputError, match=r"recipe.yaml:6: field 'prompts.own.dota': no such field\. Did you mean 'data'"
    ):
        read_recipe(written(tmp_path, whole=text))
    with pytest.raises(InputError, match="field 'steps': it is missing"):
        read_recipe(written(tmp_path, whole=WHOLE.replace("steps: 3\n", "")))
    with pytest.raises(InputError, match="a recipe is a mapping"):
        read_recipe(written(tmp_path, whole="3\n"))


def test_a_recipe_is_found_by_its_name(tmp_path: Path):
    assert {file.stem for file in PACKAGED.glob("*.yaml")} >= {"gmpo", "prorl", "ruifeval-demo"}
    assert find_recipe("prorl") == PACKAGED / "prorl.yaml"
    with pytest.raises(InputError, match=r"there is no recipe prorll\. Did you mean 'prorl'"):
        find_recipe("prorll")


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_packaged_recipes_can_be_read(path: Path):
    recipe = read_recipe(path)
    open_objective(recipe)
    for source in recipe.prompts.values():
        assert ".py:" not in source.task or Path(source.task.rpartition(":")[0]).is_file()


def test_answers_grow_longer_by_a_schedule():
    rollouts = Rollouts(max_tokens=8, longer={5: 16, 9: 32})
    assert [rollouts.tokens_at(step) for step in (1, 4, 5, 8, 9, 100)] == [8, 8, 16, 16, 32, 32]


def test_a_constant_normaliser_is_the_longest_answer_of_the_step(tmp_path: Path):
    recipe = read_recipe(
        written(tmp_path, "objective: {loss: dr_grpo}\nrollouts: {max_tokens: 8, longer: {5: 16}}\n")
    )
    assert [open_objective(recipe, step)[0].max_length for step in (1, 5)] == [8, 16]


def test_changes_take_the_place_of_what_the_recipe_says(tmp_path: Path):
    assert read_recipe(written(tmp_path), steps=9).steps == 9


def test_a_forecast_says_what_a_recipe_will_do(tmp_path: Path):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.trainer_bench import save_bench, write_recipe
    from evalkit.trainer.forecast import Shape, forecast

    save_bench(tmp_path)
    longer = {"groups": 2, "answers": 4, "max_tokens": 8, "longer": {3: 16}}
    text = "\n".join(forecast(read_recipe(write_recipe(tmp_path, rollouts=longer))))
    assert "prompts: words: 8, 100% of a step, reward plugin.py:words" in text
    assert "at most 8 tokens, 16 from step 3" in text
    assert "answers: 8 to 40 a step, 24 in all" in text
    assert "memory, roughly:" in text
    assert "disk:" in text
    shape = Shape.of(tmp_path / "model")
    assert (shape.layers, shape.hidden, shape.key_value_heads, shape.head) == (2, 32, 2, 8)


def test_the_forecast_counts_the_adapter_as_peft_makes_it(tmp_path: Path):
    pytest.importorskip("peft", reason="needs evalkit-ru[train]")
    from evalkit.tests.trainer_bench import save_bench
    from evalkit.trainer.base_model import find_base
    from evalkit.trainer.forecast import Shape
    from evalkit.trainer.policy import open_policy
    from evalkit.trainer.recipe_fields import Lora

    save_bench(tmp_path)
    base = find_base(f"hf:{tmp_path / 'model'},device=cpu")
    policy = open_policy(base, Lora(rank=4), seed=0, critic=False, gradient_checkpointing=False)
    real = sum(parameter.numel() for parameter in policy.trainable().values())
    assert Shape.of(tmp_path / "model").adapter_parameters(4) == real
