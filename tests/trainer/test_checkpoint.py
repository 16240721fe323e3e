"""Checkpoints: whole or not there, and training that goes on to the very same weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, UsageError
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.losses.critic import Memory
from evalkit.trainer.methods.gmpo.critic import CriticState
from evalkit.trainer.methods.rl import Reinforcement
from evalkit.trainer.policy.resets import ResetState
from evalkit.trainer.records.checkpoint import (
    TrainState,
    load_checkpoint,
    only_writer,
    save_checkpoint,
    scale_moments,
)
from evalkit.trainer.records.log import keep_rows_until
from evalkit.trainer.rollouts.records import Answer, Group
from evalkit.trainer.train import train

# Everything that a step may depend on is in use: surplus, several epochs, resets, dropout, the critic's memory.
STATEFUL = {
    "steps": 5,
    "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},
    "rollouts": {"groups": 2, "answers": 4, "max_tokens": 8, "extra_waves": 2},
    "prompts": {
        "words": {"task": "plugin.py:words", "reward": "plugin.py:rarely_broken", "weight": 2},
        "same": {"task": "plugin.py:words", "reward": "plugin.py:all_alike"},
    },
    "method": "dapo",
    "objective": {"kl_weight": 0.01, "epochs": 2, "minibatches": 2},
    "reset": {"every": 2, "optimizer": "scale"},
    "checkpoint_every": 2,
}


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


def kept() -> Group:
    answer = Answer((3, 4), (-0.1, -1e-17), "stop", "да", 0.1 + 0.2, {"words": 1 / 3}, "", 0.3, {"score": 0.7})
    unscored = Answer((3,), (-0.25,), "length", "нет", None, {}, "the scorer died")
    return Group("a", 1, "id", (5, 6), (answer, unscored), version=5)


def state() -> TrainState:
    method = sampled(kept()).state() | CriticState(Memory(0.1, 0.2), "why", ((0.1, 0.0),)).as_json()
    return TrainState(
        step=7,
        resets=ResetState(4, 0.5, 1, ((4, "manual"),)),
        method=json.loads(json.dumps(method)),
    )


def sampled(*surplus: Group) -> Reinforcement:
    """Return a method with groups at hand."""
    method = Reinforcement.__new__(Reinforcement)
    method._drawn, method._surplus = {"a": 3}, surplus
    return method


def save(folder: Path, step: int) -> dict[str, torch.Tensor]:
    parameter = torch.nn.Parameter(torch.full((2, 2), float(step)))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    adapters = {"default": {"lora_A": parameter}, "reference": {"lora_A": torch.zeros(2, 2)}}
    save_checkpoint(folder, replace(state(), step=step), adapters, {"default": optimizer})
    return {"lora_A": parameter.detach()}


def test_a_checkpoint_comes_back_to_the_last_bit(tmp_path: Path):
    tensors = save(tmp_path, 7)
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found.state == state()
    method = sampled()
    method.load_state(found.state.method)
    assert (method._drawn, method._surplus) == ({"a": 3}, (kept(),))
    assert CriticState.from_json(found.state.method) == CriticState(Memory(0.1, 0.2), "why", ((0.1, 0.0),))
    assert torch.equal(found.adapters["default"]["lora_A"], tensors["lora_A"])
    assert torch.equal(found.adapters["reference"]["lora_A"], torch.zeros(2, 2))
    assert set(found.optimizers["default"]["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


def test_two_checkpoints_stay_and_half_a_one_never_counts(tmp_path: Path):
    assert load_checkpoint(tmp_path / "none") is None
    for step in (1, 2, 3):
        save(tmp_path, step)
    (tmp_path / "step-000004.part").mkdir()
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found.state.step == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000002", "step-000003"]


def test_a_damaged_checkpoint_is_named(tmp_path: Path):
    save(tmp_path, 1)
    (tmp_path / "step-000001" / "state.json").write_bytes(b"{")
    with pytest.raises(InputError, match=r"step-000001 is damaged .* delete it to go on"):
        load_checkpoint(tmp_path)


def test_rows_of_steps_that_will_be_done_again_are_taken_out(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    keep_rows_until(path, 1)
    path.write_bytes(b'{"step":1}\n{"step":2}\n{"step":3}\n{"st')
    keep_rows_until(path, 2)
    assert path.read_bytes() == b'{"step":1}\n{"step":2}\n'


def test_moments_are_scaled_or_forgotten():
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    before = optimizer.state[parameter]["exp_avg"].clone()
    scale_moments(optimizer, 0.5)
    assert torch.equal(optimizer.state[parameter]["exp_avg"], before / 2)
    scale_moments(optimizer, 0.0)
    assert not optimizer.state[parameter]


def test_one_process_trains_in_a_directory(tmp_path: Path):
    with only_writer(tmp_path), pytest.raises(UsageError, match="being written by"), only_writer(tmp_path):
        pass


def weights(directory: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    newest = sorted((directory / "checkpoints").iterdir())[-1]
    return load_file(str(newest / "adapters.safetensors")) | load_file(
        str(directory / "adapter/adapter_model.safetensors")
    )


def told(directory: Path) -> list[dict[str, object]]:
    return [
        {name: value for name, value in row.items() if not name.endswith("_seconds")}
        for row in journal_lines(directory)
    ]


def killed(bench: Path, directory: Path, recipe: Path, kills: int) -> list[dict[str, object]]:
    script = Path(__file__).parents[1] / "support" / "trainer_kills.py"
    command = [sys.executable, str(script), str(recipe), str(directory), str(kills), "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def check_kills(bench: Path, folder: Path, kills: int, **changes: object) -> None:
    recipe = write_recipe(bench, f"kills-{folder.name}.yaml", **(STATEFUL | changes))
    train(recipe, folder / "straight")
    deaths = killed(bench, folder / "killed", recipe, kills)
    assert len(deaths) == kills
    assert sum(not death["lived"] for death in deaths) > kills / 2
    straight, resumed = weights(folder / "straight"), weights(folder / "killed")
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert told(folder / "straight") == told(folder / "killed")


@pytest.mark.exhaustive
def test_killed_anywhere_it_ends_with_the_very_same_weights(bench: Path, tmp_path: Path):
    check_kills(bench, tmp_path, 5)


@pytest.mark.exhaustive
def test_thirty_kills(bench: Path, tmp_path: Path):
    check_kills(bench, tmp_path, 30)


@pytest.mark.exhaustive
def test_killed_with_a_critic_it_ends_with_the_very_same_weights(bench: Path, tmp_path: Path):
    critic = {"explanation_tokens": 4, "learning_rate": 1e-2, "min_auroc": 0.0, "max_inflation": 1.0}
    check_kills(bench, tmp_path, 12, method="gmpo", objective={"kl_weight": 0.01}, critic=critic)


def test_more_steps_go_on_where_it_ended(bench: Path, tmp_path: Path):
    long = write_recipe(bench, "long.yaml", steps=4)
    short = write_recipe(bench, "short.yaml", steps=2)
    train(long, tmp_path / "straight")
    train(short, tmp_path / "parts")
    train(long, tmp_path / "parts")
    straight, parts = weights(tmp_path / "straight"), weights(tmp_path / "parts")
    assert all(torch.equal(straight[name], parts[name]) for name in straight)
    lines: list[str] = []
    train(long, tmp_path / "parts", notify=lines.append)
    assert lines == [f"{tmp_path / 'parts'}: already finished, 4 steps"]


def test_another_recipe_in_the_same_directory_is_refused(bench: Path, tmp_path: Path):
    train(write_recipe(bench, "one.yaml", steps=1), tmp_path)
    with pytest.raises(UsageError, match=r"holds another training(.|\n)*recipe.seed: 0 / 1"):
        train(write_recipe(bench, "other.yaml", steps=1, seed=1), tmp_path)


def test_a_reward_that_was_changed_since_is_another_training(tmp_path: Path):
    folder = save_bench(tmp_path / "bench")
    recipe = write_recipe(folder, steps=1)
    train(recipe, tmp_path / "run")
    plugin = folder / "plugin.py"
    plugin.write_text(plugin.read_text(encoding="utf-8") + "\n# Stricter.\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"holds another training(.|\n)*files\.\S+plugin.py: '"):
        train(write_recipe(folder, steps=2), tmp_path / "run")
