"""TRL's own GRPOTrainer with rewards from a task of evalkit: the same numbers, and none where there is none."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import pytest
from evalkit.tests.support.tiny_model import save_tiny_model

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("trl", reason="needs trl")

from evalkit.tasks.registry import open_task
from evalkit.tasks.types import Completion, Context, Sample
from evalkit.trainer.rewards.adapters.bridge import COLUMN, decode_sample
from evalkit.trainer.rewards.adapters.trl import trl_reward, trl_rows

TASK = '''
from evalkit.tasks.types import Sample, Score, Status, mean_value

class Letters:
    """The share of Latin letters; what ends in an even number of them cannot be scored."""
    name, version, title, max_tokens = "letters", "1", "Letters", 8
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        return [Sample.ask(str(n), word) for n, word in enumerate(["Привет!", "Зима?", "Чай.", "Кот!"][:limit])]
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        count = sum(letter.isascii() for letter in completion.text)
        if count % 4 == 0:
            return Score(None, Status.SCORER_ERROR, explanation="a multiple of four")
        return Score(count / len(completion.text))

letters = Letters()
'''
STEPS, ANSWERS = 2, 4


@pytest.mark.exhaustive  # importing TRL alone takes five seconds
@pytest.mark.filterwarnings("default")  # TRL's and those of what it imports are its own
def test_a_real_run_of_trl_sees_our_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    (tmp_path / "plugin.py").write_text(TASK, encoding="utf-8")
    name = f"{tmp_path / 'plugin.py'}:letters"
    trainer = grpo_trainer(save_tiny_model(tmp_path / "model"), name, tmp_path / "out")
    seen: list[tuple[Sample, str, float]] = []
    calculate = trainer._calculate_rewards

    def recorded(inputs: Any, prompts: Any, completions: Any, *rest: Any) -> Any:
        rewards = calculate(inputs, prompts, completions, *rest)
        for row, completion, value in zip(inputs, completions, rewards[:, 0].tolist(), strict=True):
            seen.append((decode_sample(row[COLUMN]), completion[0]["content"], value))
        return rewards

    monkeypatch.setattr(trainer, "_calculate_rewards", recorded)
    before = {name: tensor.clone() for name, tensor in trainer.model.named_parameters() if tensor.requires_grad}
    trainer.train()

    assert len(seen) == STEPS * 2 * ANSWERS
    task = open_task(name)
    for sample, text, value in seen:
        own = task.score(sample, Completion(text), Context()).value
        assert math.isnan(value) if own is None else value == pytest.approx(own, rel=1e-6)
    unscored = [value for _, _, value in seen if math.isnan(value)]
    assert 0 < len(unscored) < len(seen)
    rows = [row for row in trainer.state.log_history if "reward" in row]
    scored = [value for _, _, value in seen if not math.isnan(value)]
    assert sum(row["unscored"] for row in rows) / STEPS == pytest.approx(len(unscored) / len(seen))
    assert min(scored) <= min(row["reward"] for row in rows) <= max(scored)
    assert all(math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"]) for row in rows)
    after = dict(trainer.model.named_parameters())
    assert any(not torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert all(bool(tensor.isfinite().all()) for tensor in after.values())


def grpo_trainer(model: Path, task: str, output: Path) -> Any:
    """Return a trainer of the tiny model, its rewards scored by evalkit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import Dataset
        from peft import LoraConfig
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from trl import GRPOConfig, GRPOTrainer
    return GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        processing_class=AutoTokenizer.from_pretrained(model, padding_side="left"),
        reward_funcs=trl_reward(task),
        train_dataset=Dataset.from_list(list(trl_rows(task))),
        peft_config=LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"),
        args=GRPOConfig(
            output_dir=str(output),
            use_cpu=True,
            bf16=False,
            max_steps=STEPS,
            per_device_train_batch_size=2 * ANSWERS,
            num_generations=ANSWERS,
            max_completion_length=8,
            learning_rate=1e-2,
            gradient_checkpointing=False,
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
    )
