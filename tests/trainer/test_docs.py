"""The pages about ProRL, about GMPO and about chats: their recipes, commands and programs run, at toy size."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import evalkit
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.cli.main import app
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer import forecast
from evalkit.trainer.data.chats import read_examples
from evalkit.trainer.policy import base_model
from evalkit.trainer.recipe.reading import read_recipe
from evalkit.trainer.train import train
from typer.testing import CliRunner

ROOT = Path(evalkit.__file__).parent
TOY = {
    "steps": 2,
    "lora": {"rank": 2, "alpha": 4},
    "optimizer": {"learning_rate": 1e-3, "micro_batch": 4},
}


@pytest.fixture(autouse=True)
def _toy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    save_bench(tmp_path)
    base = base_model.find_base(f"hf:{tmp_path / 'model'},device=cpu")
    monkeypatch.setattr(base_model, "find_base", lambda model: base)
    monkeypatch.setattr(forecast, "find_base", lambda model: base)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run_commands(page: str) -> list[str]:
    """Run the page's commands as they stand and return what they said."""
    said = []
    for line in "".join(blocks(page, "console")).splitlines():
        program, *arguments = line.removeprefix("$ ").split()
        if program == "touch":
            Path(arguments[0]).touch()
            continue
        assert program == "evalkit", line
        found = CliRunner().invoke(app, arguments)
        assert found.exit_code == 0, (line, found.output, found.exception)
        said.append(found.output)
    return said


def written(name: str, page: str, **changes: Any) -> dict[str, Any]:
    """Write the page's recipe with toy sizes in place of its own."""
    (text,) = (block for block in blocks(page, "yaml") if "steps:" in block)
    recipe = yaml.safe_load(text)
    for field, value in {**TOY, **changes}.items():
        recipe[field] = {**recipe.get(field, {}), **value} if isinstance(value, dict) else value
    Path(name).write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return recipe


@pytest.mark.exhaustive
def test_the_prorl_page(tmp_path: Path):
    page = "the-prorl-recipe.md"
    shutil.copy(ROOT / "tasks/code/data/problems.jsonl", "code-train.jsonl")
    shutil.copy(ROOT / "tasks/science/data/questions.jsonl", "science-train.jsonl")
    (text,) = blocks(page, "yaml")
    prompts = {name: {**source, "limit": 3} for name, source in yaml.safe_load(text)["prompts"].items()}
    # What the tiny model says is no number, code or puzzle: one family has a reward that it can earn.
    prompts["logic"]["reward"] = "plugin.py:vowels"
    written(
        "my-prorl.yaml", page, prompts=prompts, track=[],
        rollouts={"groups": 5, "answers": 4, "max_tokens": 6, "longer": {2: 9}, "extra_waves": 0, "min_share": 0},
        validation={"every": 1, "limit": 2}, reset={"every": 2},
    )  # fmt: skip
    said = run_commands(page)
    assert "prompts: code: " in said[1]
    rows = journal_lines(Path("runs/prorl"))
    assert set().union(*(row["families"] for row in rows)) == {"math", "code", "science", "logic", "instructions"}
    assert [row["max_tokens"] for row in rows] == [6, 9]
    assert [row["reset"] for row in rows] == [None, "every 2 steps"]
    assert Path("runs/prorl/reset").exists()  # as the page's last command asks, after the training is over
    exec(blocks(page, "python")[0], {})
    named = set(re.findall(r"^\| `([^|]*)` \|", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE))
    fields = {name for group in named for name in re.findall(r"\w+", group.replace("` of `", " "))} - {"of"}
    assert fields <= {name for row in rows for name in row}


def test_the_page_shows_the_recipe_that_ships():
    """Every option of the table has the value that the table gives."""
    shipped = read_recipe("prorl")
    assert shipped.objective.options == {"clip_low": 0.2, "clip_high": 0.4}
    assert (shipped.objective.kl_weight, shipped.objective.minibatches) == (1e-4, 4)
    rollouts = shipped.rollouts
    assert (rollouts.temperature, rollouts.max_tokens, rollouts.longer) == (1.2, 8192, {1801: 16384})
    assert (rollouts.groups * rollouts.answers, rollouts.extra_waves, rollouts.min_share) == (256, 4, 0.25)
    reset = shipped.reset
    assert (reset.every, reset.patience, reset.kl_above, reset.optimizer) == (400, 5, None, "clear")
    assert {name: source.weight for name, source in shipped.prompts.items()} == {
        "math": 40, "logic": 37, "instructions": 10,
    }  # fmt: skip


@pytest.mark.exhaustive
def test_the_gmpo_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page = "gmpo-and-its-critic.md"
    task = {"math": {"task": "plugin.py:words", "split": "train"}}
    explaining = yaml.safe_load(blocks(page, "yaml")[1])["critic"]
    critic = explaining | {"explanation_tokens": 4, "min_auroc": 0.0, "max_inflation": 1.0}
    written(
        "critic.yaml", page, prompts=task, critic=critic,
        rollouts={"groups": 2, "answers": 4, "max_tokens": 6},
    )  # fmt: skip
    run_commands(page)
    rows = journal_lines(Path("runs/critic"))
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    documented = set(re.findall(r"`(critic_\w+)`", text))
    assert documented - {"critic_alarm"} <= rows[-1].keys()
    assert {name for name in rows[-1] if name.startswith("critic_")} <= documented | {"critic_gradient_norm"}
    capsys.readouterr()
    exec(blocks(page, "python")[0], {})
    lines = 4 * (1 + explaining["explanations"])
    assert len(capsys.readouterr().out.splitlines()) == sum(row["sampled"] for row in rows) * lines


def test_the_page_about_good_answers(tmp_path: Path):
    page = "learn-from-good-answers.md"
    Path("chats.jsonl").write_text(blocks(page, "json")[0], encoding="utf-8")
    source = {"task": "plugin.py:words", "split": "test"}
    changes = {
        "batch": {"examples": 2, "max_tokens": 16},
        "track": [],
        "validation": {"every": 1, "source": source},
    }
    written("sft.yaml", page, **changes)
    rollouts = {"groups": 4, "answers": 8, "max_tokens": 24, "extra_waves": 0}
    train(write_recipe(tmp_path, "rl.yaml", steps=1, rollouts=rollouts), Path("runs/rl"))
    said = run_commands(page)
    assert "chats: mine: 3 answers, 100% of a step, 1.3 times each in all" in said[0]
    row = journal_lines(Path("runs/sft"))[-1]
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    fields = re.search(r"is the share of each step. Further fields there:(.*?)\n\n", text, re.DOTALL)
    assert fields is not None
    assert {"truncated", *re.findall(r"`(\w+)`", fields[1])} <= row.keys()
    assert read_examples(Path("best.jsonl"))
