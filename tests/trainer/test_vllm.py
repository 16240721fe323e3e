"""Answers for training by vLLM: versions of the adapter over real HTTP, and the real CPU engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, ModelError, UsageError
from evalkit.evals.models.hf.draws import seed_number
from evalkit.evals.models.vllm.server import find_vllm
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.tests.support.vllm_rollouts_server import RolloutServer
from evalkit.trainer.policy.vllm_sampler import VllmSampler
from evalkit.trainer.recipe.fields import Lora
from evalkit.trainer.recipe.reading import read_recipe
from evalkit.trainer.train import train

VALIDATION = {"every": 1, "limit": 1, "source": {"task": "plugin.py:words", "split": "test"}}


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


def served(bench: Path, **options: Any) -> RolloutServer:
    return RolloutServer(f"hf:{bench / 'model'},device=cpu", Lora(rank=4, alpha=8), **options)


def recipe_with(bench: Path, vllm: dict[str, Any], **changes: Any) -> Path:
    rollouts = {"groups": 2, "answers": 4, "max_tokens": 6, "temperature": 1.2, "extra_waves": 0, "vllm": vllm}
    return write_recipe(bench, "vllm.yaml", rollouts=rollouts, **changes)


def answers(folder: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (folder / "answers.jsonl").read_bytes().splitlines()]


def test_each_step_is_answered_by_the_newest_version(bench: Path, tmp_path: Path):
    with served(bench) as server:
        train(recipe_with(bench, {"addresses": [server.url]}), tmp_path)
    rows = journal_lines(tmp_path)
    assert [row["correction_mean"] for row in rows] == pytest.approx([1.0] * 3, abs=1e-4)
    assert [row["kl"] > 0 for row in rows] == [False, True, True]
    assert [name[:14] for name in server.loaded] == ["adapter-000000", "adapter-000001", "adapter-000002"]
    assert server.unloaded == server.loaded
    assert [row["version"] for row in answers(tmp_path)] == [0] * 8 + [1] * 8 + [2] * 8
    assert {body["model"] for body in server.bodies} == set(server.loaded)
    assert not (tmp_path / "rollouts").exists()
    first = server.bodies[:8]
    expected = {seed_number(f"0/1/0/{number}/{copy}") for number in range(2) for copy in range(4)}
    assert {body["seed"] for body in first} == expected
    assert {(body["temperature"], body["top_p"], body["top_k"]) for body in first} == {(1.2, 1.0, -1)}


@pytest.mark.exhaustive
def test_a_killed_training_goes_on_with_what_it_paid_for(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from evalkit.trainer.methods import step

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    with served(bench) as server:
        recipe = recipe_with(bench, {"addresses": [server.url]}, steps=2, validation=VALIDATION)
        train(recipe, straight)
        # As after a kill -9 in the second step's learning: nothing is unloaded, and no checkpoint is new.
        real, calls = step.update, iter([False, True])
        monkeypatch.setattr(VllmSampler, "close", lambda self: None)
        monkeypatch.setattr(step, "update", lambda *given: 1 / 0 if next(calls) else real(*given))
        with pytest.raises(ZeroDivisionError):
            train(recipe, broken)
        monkeypatch.undo()
        asked = len(server.bodies)
        train(recipe, broken)
        assert len(server.bodies) == asked + 1  # validation alone
    adapters = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (straight, broken)]
    assert adapters[0] == adapters[1]


def test_servers_that_cannot_train_are_refused_with_the_remedy(bench: Path, tmp_path: Path):
    for number, (fault, error, message) in enumerate(
        [
            (
                {"raw": True},
                UsageError,
                "reports raw log-probabilities: start it with --enable-lora --logprobs-mode",
            ),
            ({"fixed": True}, ModelError, "404 .* needs --enable-lora .* VLLM_ALLOW_RUNTIME_LORA_UPDATING"),
        ]
    ):
        with served(bench, **fault) as server, pytest.raises(error, match=message):
            train(recipe_with(bench, {"addresses": [server.url]}), tmp_path / str(number))


def test_a_recipe_says_what_vllm_cannot_do(bench: Path):
    hot = {"temperature": 2.5, "vllm": {}}
    with pytest.raises(InputError, match=r"field 'rollouts\.temperature': vLLM takes no more than 2"):
        read_recipe(write_recipe(bench, "hot.yaml", rollouts=hot))


@pytest.mark.exhaustive
def test_where_vllm_runs_is_no_part_of_what_is_trained(bench: Path, tmp_path: Path):
    with served(bench) as server:
        train(recipe_with(bench, {"addresses": [server.url]}, steps=1), tmp_path)
    with served(bench) as other:
        train(recipe_with(bench, {"addresses": [other.url], "concurrency": 2}, steps=2), tmp_path)
    assert len(journal_lines(tmp_path)) == 2


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_real_engine_samples_what_the_trainer_computes(tmp_path: Path):
    from transformers import AutoConfig, AutoModelForCausalLM

    python = os.environ.get("EVALKIT_VLLM_PYTHON", sys.executable)
    try:
        find_vllm(python)
    except UsageError as error:
        pytest.skip(f"no vLLM: {error}")
    bench = save_bench(tmp_path / "bench")
    # vLLM's CPU attention wants heads of 32 or more.
    config = AutoConfig.for_model(
        "llama", vocab_size=384, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=64, max_position_embeddings=1024, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(7)
    AutoModelForCausalLM.from_config(config).save_pretrained(bench / "model")
    recipe = recipe_with(bench, {"python": python}, validation=VALIDATION)
    train(recipe, tmp_path / "out")
    rows = journal_lines(tmp_path / "out")
    assert [row["correction_mean"] for row in rows] == pytest.approx([1.0] * 3, abs=1e-5)
    assert rows[2]["kl"] > 0
    assert [row["version"] for row in answers(tmp_path / "out")] == [0] * 8 + [1] * 8 + [2] * 8
