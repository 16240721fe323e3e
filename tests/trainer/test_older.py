"""What an older release left behind: its recipes are read with a hint, its trainings go on where they were.

``data/old-trainings`` are two trainings of the recipes in ``data/old-recipes`` on the tiny model, killed in the
third of four steps; ``BENCH`` stands for the folder that they ran in. `LEARNED` is what the older release
learned in that step.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, UsageError
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.forecast import forecast
from evalkit.trainer.policy.base_model import find_base
from evalkit.trainer.recipe.fields import Recipe
from evalkit.trainer.recipe.kinds import AwrRecipe, GmpoRecipe, GrpoRecipe, SftRecipe
from evalkit.trainer.recipe.reading import read_recipe, saved_recipe
from evalkit.trainer.train import train

DATA = Path(__file__).parents[1] / "data"
HINTS = {
    "grpo": "write 'method: grpo' in place of 'objective.loss'",
    "sft": "write 'method: sft' in place of 'objective.loss' and 'batch: {examples: 4, max_tokens: 16,"
    " longer: {3: 20}, sampled: 32}' in place of 'rollouts'",
}
LEARNED = {
    "grpo": {"loss": 0.32544, "kl": 0.59382, "gradient_norm": 3.95115, "learning_rate": 0.05},
    "sft": {"loss": 6.69768, "kl": 2.60922, "gradient_norm": 3.83341, "learning_rate": 0.02},
}


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_bench(tmp_path_factory.mktemp("bench"))
    for file in (DATA / "old-recipes").iterdir():
        (folder / file.name).write_text(file.read_text(encoding="utf-8").replace("BENCH", str(folder)), "utf-8")
    return folder


def old_training(bench: Path, name: str, folder: Path) -> Path:
    """Copy an old training as if it had run in this folder, with this machine's tiny model."""
    shutil.copytree(DATA / "old-trainings" / name, folder)
    text = (folder / "recipe.json").read_text(encoding="utf-8").replace("BENCH", str(bench))
    planned = json.loads(text)
    planned["files"] = {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in planned["files"]}
    planned["weights"] |= find_base(f"hf:{bench / 'model'},device=cpu").checkpoint.identity()
    (folder / "recipe.json").write_text(json.dumps(planned), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["grpo", "sft"])
def test_an_old_recipe_is_read_with_a_line_that_says_what_to_write(bench: Path, name: str):
    told: list[str] = []
    recipe = read_recipe(bench / f"{name}.yaml", notify=told.append)
    assert told == [f"{bench / name}.yaml has an older form, which the next release will not read: {HINTS[name]}"]
    assert recipe.method == name
    assert any(line.startswith("steps: 4, each") for line in forecast(recipe))


@pytest.mark.parametrize("name", ["grpo", "sft"])
def test_an_old_training_goes_on(bench: Path, tmp_path: Path, name: str):
    folder = old_training(bench, name, tmp_path / "out")
    before = journal_lines(folder)
    pending = journal_lines(folder, "pending")
    told: list[str] = []
    train(bench / f"{name}.yaml", folder, notify=told.append)
    rows = journal_lines(folder)
    assert told[1] == f"{folder}: 2 steps done before, going on"
    assert rows[:2] == before
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert {key: rows[2][key] for key in LEARNED[name]} == pytest.approx(LEARNED[name], rel=1e-2)
    paid = [answer["text"] for wave in pending for group in wave["groups"] for answer in group["answers"]]
    assert [row["text"] for row in journal_lines(folder, "answers") if row["step"] == 3] == paid
    saved = json.loads((folder / "recipe.json").read_bytes())["recipe"]
    assert saved["method"] == name
    assert "rollouts" not in saved or name == "grpo"


def test_an_old_training_that_is_another_is_still_refused(bench: Path, tmp_path: Path):
    folder = old_training(bench, "grpo", tmp_path / "out")
    text = (bench / "grpo.yaml").read_text(encoding="utf-8")
    (bench / "other.yaml").write_text(text.replace("kl_weight: 0.01", "kl_weight: 0.02"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"holds another training(.|\n)*recipe.objective.kl_weight: 0.01 / 0.02"):
        train(bench / "other.yaml", folder)


OLD = {"method": None, "objective": {}}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, GrpoRecipe),
        ({"objective": {"loss": "awr", "weight_temperature": 0.5}}, AwrRecipe),
        ({"objective": {"loss": "gmpo", "advantages": "rloo"}, "critic": None, "chats": {}}, GmpoRecipe),
        (
            {"objective": {"loss": "sft", "advantages": "rloo", "correction": None}, "prompts": {}, "critic": None,
             "chats": {"own": {"data": "x.jsonl"}}, "rollouts": {"groups": 2, "answers": 4, "temperature": 1.0},
             "shaping": {}},
            SftRecipe,
        ),
    ],
)  # fmt: skip
def test_what_had_no_effect_is_left_out(bench: Path, changes: dict[str, Any], kind: type[Recipe]):
    told: list[str] = []
    recipe = read_recipe(write_recipe(bench, "old.yaml", **(OLD | changes)), notify=told.append)
    assert type(recipe) is kind
    assert len(told) == 1
    # What a recipe.json of today says is read as it stands.
    assert saved_recipe(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": {"loss": "grop"}}, "field 'method': unknown method 'grop'. Did you mean 'grpo'"),
        ({"objective": {"weight_temperature": 2}}, "'objective.weight_temperature' belongs to the method awr"),
        (
            {"objective": {"loss": "gmpo"}, "shaping": {"truncated": 0}},
            "field 'shaping' belongs to the methods ppo",
        ),
        ({"objective": {"loss": "sft"}, "rollouts": {"temperature": 2}}, "field 'prompts' belongs"),
        ({"critic": {}}, "field 'critic' belongs to the method gmpo, not to dapo"),
        ({"objective": [1]}, "field 'objective'"),
    ],
)
def test_what_was_refused_still_is(bench: Path, changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        read_recipe(write_recipe(bench, "old.yaml", **(OLD | changes)))
