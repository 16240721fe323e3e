"""Several processes that train one adapter: what one does, with whole and with spread weights; all end together."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, UsageError
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.loop import loop
from evalkit.trainer.recipe.reading import read_recipe

SCRIPT = Path(__file__).parents[1] / "support" / "trainer_ranks.py"


@dataclass(frozen=True)
class Ranks:
    """How processes ended, what each said, and where they trained."""

    ends: list[int | str]
    said: list[str]
    folder: Path

    @property
    def adapter(self) -> dict[str, torch.Tensor]:
        from safetensors.torch import load_file

        return load_file(str(self.folder / "adapter" / "adapter_model.safetensors"))

    @property
    def held(self) -> list[int]:
        """Bytes of the model's blocks in each process."""
        return [int(text.split("held ")[1].split()[0]) for text in self.said]


def played(folder: Path, scenarios: dict[str, dict[str, Any]], **environment: str) -> dict[str, Ranks]:
    """Play scenarios in one process with forked ranks; ``{}`` in arguments is where to train."""
    for name, scenario in scenarios.items():
        scenario["arguments"] = [word.format(folder / name) for word in scenario["arguments"]]
        scenario["log"] = str(folder / f"{name}.log")
    plan = folder / "scenarios.json"
    plan.write_text(json.dumps(list(scenarios.values())), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(plan)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "EVALKIT_CACHE": str(folder / "cache"), **environment},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found = {}
    for (name, scenario), line in zip(scenarios.items(), result.stdout.splitlines(), strict=True):
        said = [Path(scenario["log"], str(rank)).read_text(encoding="utf-8") for rank in range(scenario["ranks"])]
        found[name] = Ranks(json.loads(line), said, folder / name)
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


def written(bench: Path) -> dict[str, Path]:
    """Write the recipes of this file, by name."""
    common = {
        "steps": 2,
        "model": f"hf:{bench / 'model'},device=cpu,dtype=float64",
        "rollouts": {"groups": 3, "answers": 4, "max_tokens": 8},
        "method": "dapo",
        "objective": {"kl_weight": 0.01, "epochs": 2},
        "validation": {"every": 1, "limit": 3, "source": {"task": "plugin.py:words", "split": "test"}},
    }
    recipes = {
        "whole": common,
        "spread": common | {"sharding": "full"},
        # One of two processes has nothing to sample and nothing to learn from.
        "one-group": common | {"sharding": "full", "rollouts": {"groups": 1, "answers": 4, "max_tokens": 8}},
        "checkpointed": common | {
            "sharding": "full",
            "optimizer": {"learning_rate": 5e-2, "micro_batch": 3, "gradient_checkpointing": True},
        },
        "gmpo": common | {
            "method": "gmpo", "objective": {"kl_weight": 0.01}, "validation": None,
            "critic": {"explanation_tokens": 2, "learning_rate": 1e-2},
        },
    }  # fmt: skip
    return {name: write_recipe(bench, f"{name}.yaml", **changes) for name, changes in recipes.items()}


def training(recipe: Path, count: int, *options: str, fault: tuple[int, str] | None = None) -> dict[str, Any]:
    scenario = {"arguments": ["train", str(recipe), "-o", "{}", *options], "ranks": count}
    return scenario | ({"fault": fault} if fault else {})


@pytest.fixture(scope="module")
def ranks(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ranks]:
    recipes = written(bench)
    return played(
        tmp_path_factory.mktemp("ranks"),
        {
            "one": training(recipes["whole"], 1),
            "two": training(recipes["whole"], 2),
            "spread": training(recipes["spread"], 2),
            "killed": training(recipes["whole"], 2, fault=(1, "kill")),
        },
    )


@pytest.fixture(scope="module")
def more(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ranks]:
    """What `make test` has no time for."""
    recipes = written(bench)
    return played(
        tmp_path_factory.mktemp("more"),
        {
            "spread-alone": training(recipes["spread"], 1),
            "checkpointed": training(recipes["checkpointed"], 2),
            "one-group": training(recipes["one-group"], 1),
            "one-group-spread": training(recipes["one-group"], 2),
            "gmpo": training(recipes["gmpo"], 1),
            "gmpo-two": training(recipes["gmpo"], 2),
            "dry": training(recipes["whole"], 2, "--dry-run"),
            "nowhere": training(Path("nowhere.yaml"), 2),
            "killed-first": training(recipes["whole"], 2, fault=(0, "kill")),
            "raised": training(recipes["whole"], 2, fault=(1, "raise")),
            "all-raised": training(recipes["whole"], 2, fault=(0, "raise everywhere")),
        },
    )


# Float64 gradients that are summed in another order differ by 1e-15 of their size, and one step of Adam multiplies
# what differs in a tiny gradient by at most learning rate / epsilon = 5e6. A wrong gradient moves a weight by about
# the learning rate, 5e-2, a step.
SAME = 1e-6


def distance(one: Ranks, two: Ranks) -> float:
    return max(float((one.adapter[name] - two.adapter[name]).abs().max()) for name in one.adapter)


def test_two_processes_do_what_one_does(ranks: dict[str, Ranks]):
    one, two = ranks["one"], ranks["two"]
    assert (one.ends, two.ends) == ([0], [0, 0])
    assert distance(one, two) < SAME
    assert any(bool(tensor.any()) for name, tensor in two.adapter.items() if "lora_B" in name)
    rows = [journal_lines(found.folder) for found in (one, two)]
    assert len(rows[1]) == 2
    for name in ("reward", "validation"):
        assert [row[name] for row in rows[0]] == [row[name] for row in rows[1]]
    for name in ("loss", "kl", "entropy", "gradient_norm"):
        assert [row[name] for row in rows[0]] == pytest.approx([row[name] for row in rows[1]], rel=SAME, abs=SAME)


def test_spread_weights_learn_the_same_and_take_half_of_the_memory(ranks: dict[str, Ranks]):
    one, spread = ranks["one"], ranks["spread"]
    assert spread.ends == [0, 0]
    assert distance(one, spread) < SAME
    assert spread.held == [one.held[0] // 2] * 2


def test_several_processes_speak_once(ranks: dict[str, Ranks]):
    first, second = ranks["two"].said
    assert first.count("step 2/2") == first.count("steps: 2, each 3 prompts") == 1
    assert second.split()[0] == "held"
    assert len(second.splitlines()) == 1


def test_a_killed_process_ends_the_others(ranks: dict[str, Ranks]):
    assert ranks["killed"].ends == [1, -9]
    assert "evalkit: process 1 of 2 lost a peer" in ranks["killed"].said[0]


@pytest.mark.exhaustive
def test_a_process_that_keeps_the_others_together_is_killed(more: dict[str, Ranks]):
    assert more["killed-first"].ends == [-9, 1]
    assert "evalkit: process 2 of 2 lost a peer" in more["killed-first"].said[1]


@pytest.mark.exhaustive
def test_a_process_without_work_computes_along(more: dict[str, Ranks]):
    assert more["one-group-spread"].ends == [0, 0]
    assert distance(more["one-group"], more["one-group-spread"]) < SAME


@pytest.mark.exhaustive
def test_spread_blocks_are_computed_again_where_that_saves_memory(ranks: dict[str, Ranks], more: dict[str, Ranks]):
    assert more["checkpointed"].ends == [0, 0]
    assert distance(ranks["one"], more["checkpointed"]) < SAME


@pytest.mark.exhaustive
def test_processes_share_what_vllm_has_loaded(bench: Path, tmp_path: Path):
    from evalkit.tests.support.vllm_rollouts_server import RolloutServer
    from evalkit.trainer.recipe.fields import Lora

    with RolloutServer(f"hf:{bench / 'model'},device=cpu", Lora(rank=4, alpha=8)) as server:
        rollouts = {
            "groups": 3,
            "answers": 4,
            "max_tokens": 6,
            "extra_waves": 0,
            "vllm": {"addresses": [server.url]},
        }
        recipe = write_recipe(bench, "served.yaml", steps=2, rollouts=rollouts, sharding="full")
        found = played(tmp_path, {"served": training(recipe, 2)})["served"]
    assert found.ends == [0, 0]
    assert len(server.loaded) == 2
    assert server.unloaded == server.loaded
    assert len({body["seed"] for body in server.bodies}) == 24
    assert [row["correction_mean"] for row in journal_lines(found.folder)] == pytest.approx([1.0] * 2, abs=1e-4)


@pytest.mark.exhaustive
def test_one_process_has_nothing_to_spread(ranks: dict[str, Ranks], more: dict[str, Ranks]):
    assert more["spread-alone"].ends == [0]
    assert more["spread-alone"].held == ranks["one"].held


@pytest.mark.exhaustive
def test_two_processes_have_one_critic(more: dict[str, Ranks]):
    one, two = more["gmpo"], more["gmpo-two"]
    assert (one.ends, two.ends) == ([0], [0, 0])
    assert distance(one, two) < SAME
    rows = [journal_lines(found.folder) for found in (one, two)]
    for name in ("critic_loss", "critic_gradient_norm"):
        assert [row[name] for row in rows[0]] == pytest.approx([row[name] for row in rows[1]], rel=SAME, abs=SAME)


@pytest.mark.exhaustive
def test_what_is_planned_is_said_once(more: dict[str, Ranks]):
    assert more["dry"].ends == [0, 0]
    first, second = more["dry"].said
    assert first.count("steps: 2, each 3 prompts") == 1
    assert not second


@pytest.mark.exhaustive
def test_an_error_of_all_is_said_once(more: dict[str, Ranks]):
    for name, message in (("nowhere", "there is no recipe nowhere.yaml"), ("all-raised", "the model fell over")):
        assert 0 not in more[name].ends
        assert "".join(more[name].said).count("evalkit:") == 1
        assert f"evalkit: {message}" in "".join(more[name].said)


@pytest.mark.exhaustive
def test_an_error_of_one_ends_all_with_its_words(more: dict[str, Ranks]):
    assert more["raised"].ends == [1, 1]
    first, second = more["raised"].said
    assert "evalkit:" not in first
    assert "evalkit: the model fell over" in second


def test_weights_are_not_spread_under_a_critic(bench: Path):
    recipe = write_recipe(bench, "refused.yaml", sharding="full", method="gmpo")
    with pytest.raises(InputError, match="field 'sharding': Input should be 'none', got 'full'"):
        read_recipe(recipe)


PAGE = Path(__file__).parents[2] / "docs" / "run-on-several-gpus.md"


def documented(bench: Path, folder: Path) -> tuple[Path, list[list[str]]]:
    """Write the page's recipe at toy size; return it, and the page's commands for this machine."""
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    settings = [yaml.safe_load(block) for block in blocks]
    recipe = settings[0] | {"model": f"hf:{bench / 'model'},device=cpu", "steps": 2}
    for further in settings[1:]:
        # What the page adds to the recipe is a recipe too.
        (folder / "several.yaml").write_text(yaml.safe_dump(recipe | further), encoding="utf-8")
        read_recipe(folder / "several.yaml")
    recipe["rollouts"] |= {"groups": 2, "answers": 2, "max_tokens": 4}
    (folder / "several.yaml").write_text(yaml.safe_dump(recipe | {"sharding": "full"}), encoding="utf-8")
    commands = [
        line[2:] for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
    ]
    return folder / "several.yaml", [command.split() for command in commands]


def test_the_documented_recipes_are_recipes(bench: Path, tmp_path: Path):
    documented(bench, tmp_path)


@pytest.mark.exhaustive
def test_the_documented_commands_run_at_toy_size(bench: Path, tmp_path: Path):
    _, commands = documented(bench, tmp_path)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "EVALKIT_CACHE": str(tmp_path / "cache")}
    ran = []
    for words in commands:
        if words[0] == "torchrun":
            program = [sys.executable, "-m", "torch.distributed.run", *words[1:]]
        elif words[3].startswith("hf:"):
            model = words[3].replace("path/to/model", f"{bench / 'model'},device=cpu")
            # Ray is tried elsewhere (test_ray_executor.py).
            program = [sys.executable, "-m", "evalkit", "run", "--model", model, *words[4:6], "--limit", "2"]
        else:
            continue
        result = subprocess.run(
            program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert result.returncode == 0, result.stderr
        ran.append(result.stdout + result.stderr)
    assert len(ran) == 3
    assert ran[0].count("steps: 2, each 2 prompts") == 1
    assert ran[1].count("step 2/2") == 1
    assert (tmp_path / "runs" / "several" / "adapter" / "adapter_config.json").is_file()


def test_a_loop_is_not_started_in_several_processes(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    recipe = write_recipe(bench, "loop.yaml", loop={"tasks": ["plugin.py:words"], "accept": "words"})
    with pytest.raises(UsageError, match="evalkit loop runs in one process: under torchrun use evalkit train"):
        loop(recipe, tmp_path)
