"""What tests of the trainer share: a tiny model, a reward that it can learn, a short recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from evalkit.files import read_journal
from evalkit.tests.support.tiny_model import save_tiny_model

if TYPE_CHECKING:
    import torch

PLUGIN = '''
from evalkit.tasks.types import Completion, Sample, Score, mean_value

WORDS = ("Привет", "Зима", "море", "лес", "чай", "булка", "дом", "кот")

def vowels(sample, completion):
    """The share of Latin letters and spaces among the characters."""
    text = completion.text
    return sum(letter.isascii() for letter in text) / len(text) if text else 0.0

def all_alike(sample, completion):
    return 0.5

def broken(sample, completion):
    raise RuntimeError("the scorer fell over")

def hanging(sample, completion):
    import time
    time.sleep(3600)

def half_broken(sample, completion):
    if len(completion.text) % 2:
        return float("nan")
    return vowels(sample, completion)

def rarely_broken(sample, completion):
    if len(completion.text) % 11 == 0:
        return None
    return vowels(sample, completion)

class Words:
    name, version, title, max_tokens = "words", "1", "Words", 8
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        words = WORDS if split == "train" else ("Кто здесь?", "Где море?", "Как дела?", "Чей кот?")
        asked = enumerate(words[:limit])
        return [Sample.ask(f"{split}-{n}", f"{word}!", target=f"секрет-{n}") for n, word in asked]
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        return Score(vowels(sample, completion))

words = Words()
'''


def save_bench(folder: Path) -> Path:
    """Save model and plugin; return the folder."""
    save_tiny_model(folder / "model")
    config = folder / "model" / "config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(settings | {"max_position_embeddings": 1024}), encoding="utf-8")
    (folder / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    return folder


def recipe_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a recipe that trains the tiny model in a second; a change to None takes a field out."""
    fields = {
        "method": "grpo",
        "model": f"hf:{folder / 'model'},device=cpu",
        "prompts": {"words": {"task": "plugin.py:words"}},
        "steps": 3,
        "lora": {"rank": 4, "alpha": 8},
        "rollouts": {"groups": 2, "answers": 4, "max_tokens": 8, "extra_waves": 1},
        "objective": {"kl_weight": 0.01},
        "optimizer": {"learning_rate": 5e-2, "micro_batch": 3},
        "alarms": {"window": 100},
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def write_recipe(folder: Path, name: str = "recipe.yaml", **changes: Any) -> Path:
    """Write that recipe beside the plugin."""
    path = folder / name
    path.write_text(yaml.safe_dump(recipe_of(folder, **changes), allow_unicode=True), encoding="utf-8")
    return path


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    """Read the adapter that a training has left in its folder."""
    from safetensors.torch import load_file

    return load_file(str(folder / "adapter" / "adapter_model.safetensors"))


def journal_lines(directory: Path, name: str = "metrics") -> list[dict[str, Any]]:
    """Return the lines of one of a training's journals as they stand, a torn last one left out."""
    return list(read_journal(directory / f"{name}.jsonl"))
