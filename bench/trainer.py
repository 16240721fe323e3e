"""A training step beside TRL's: CPU seconds and peak memory of the same work, one process each, in turns.

    python bench/trainer.py [--peer PYTHON] [--pairs 5] [--steps 5]
    python bench/trainer.py --gpu --model FOLDER [--peer PYTHON] [--pairs 1] [--peak TFLOPS]

A step: a random Llama of 5 M parameters gives 8 answers of 64 tokens to each of 4 prompts of 64 tokens, at
temperature 1.2; they are rewarded, and a LoRA adapter of rank 8 learns from them by DAPO's loss with a KL term to
the model without it. Both sides read the same folder, in float32 on one thread; the end-of-text token is one that
the model has no output for, so that every answer is of full length. ``--peer`` is the interpreter of an environment
with TRL, by default this one.

CPU seconds are counted from the end of a step to the end of the next, the first step left out, over the process and
its children: evalkit's rewards are scored in a worker process. Peak memory is the trainer's, from start to end;
the worker's, which holds no model, is given beside it.

``--gpu`` does the same with a model of your own in bfloat16, for tokens a second, GPU memory and the share of the
GPU's arithmetic that the model's own takes.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

VOCABULARY = 4096
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 688,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}
PROMPT_WORDS, TEMPERATURE, KL_WEIGHT, LEARNING_RATE, RANK = 64, 1.2, 1e-4, 1e-4, 8
DENSE_BFLOAT16 = {"H100": 989, "H200": 989, "A100": 312, "L40": 181, "RTX 4090": 165}
"""TFLOP/s of some GPUs by a part of their name, as their maker gives them."""
PEER = """this needs TRL, which {python} has not: make an environment with it and name its interpreter:
  python3 -m venv /tmp/trl && /tmp/trl/bin/pip install torch==2.13.0 transformers==5.23.0 peft==0.21.2 trl==1.16.0
  {command} --peer /tmp/trl/bin/python"""


@dataclasses.dataclass(frozen=True)
class Work:
    """What a step is made of; ``model`` is a folder of transformers."""

    model: str
    steps: int
    device: str = "cpu"
    dtype: str = "float32"
    prompts: int = 4
    answers: int = 8
    tokens: int = 64
    micro_batch: int = 8

    @property
    def sequences(self) -> int:
        return self.prompts * self.answers


def texts(count: int) -> list[str]:
    draw = random.Random(1234)
    return [" ".join(f"w{draw.randrange(3, VOCABULARY)}" for _ in range(PROMPT_WORDS)) for _ in range(count)]


def reward(text: str) -> float:
    """The share of even digits: quick, and hardly ever the same for two answers."""
    return sum(letter in "02468" for letter in text) / max(1, len(text))


class EvenDigits:
    """The same reward as a task of evalkit, which TRL's environment need not have."""

    name, version, title, max_tokens = "even-digits", "1", "Even digits", 64

    @property
    def metrics(self):
        from evalkit.tasks.types import mean_value

        return (mean_value(),)

    def samples(self, *, split, limit, seed):
        from evalkit.tasks.types import Sample

        return [Sample.ask(str(number), text) for number, text in enumerate(texts(limit))]

    def read(self, path):
        return []

    def score(self, sample, completion, context):
        from evalkit.tasks.types import Score

        return Score(reward(completion.text))


task = EvenDigits()


def save_model(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = {"<pad>": 0, "<unk>": 1} | {f"w{number}": number for number in range(2, VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words | {"<end>": VOCABULARY}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", eos_token="<end>", padding_side="left"
    ).save_pretrained(folder)
    torch.manual_seed(1234)
    config = LlamaConfig(**SHAPE, pad_token_id=0, bos_token_id=None, eos_token_id=VOCABULARY)
    LlamaForCausalLM(config).save_pretrained(folder)


class Clock:
    """Seconds between ticks: CPU's and the wall's; the first tick starts it."""

    def __init__(self) -> None:
        self.ticks: list[tuple[float, float]] = []
        self.worker_peak = 0.0

    def tick(self) -> None:
        cpu = time.process_time()
        for child in children():
            cpu += cpu_seconds(child)
            self.worker_peak = max(self.worker_peak, peak_memory(child))
        self.ticks.append((cpu, time.perf_counter()))

    def steps(self) -> dict[str, list[float]]:
        pairs = list(zip(self.ticks, self.ticks[1:], strict=False))
        return {
            name: [after[place] - before[place] for before, after in pairs]
            for place, name in enumerate(("cpu", "wall"))
        }


def children() -> list[int]:
    listed = [file.read_text() for file in Path("/proc/self/task").glob("*/children")]
    return [int(child) for some in listed for child in some.split()]


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def train_with_evalkit(work: Work, folder: Path) -> dict[str, Any]:
    from evalkit.trainer.recipe.reading import recipe_of
    from evalkit.trainer.records.log import read_metrics
    from evalkit.trainer.train import train

    recipe = recipe_of(
        {
            "model": f"hf:{work.model},device={work.device},dtype={work.dtype},chat_template=plain",
            "prompts": {"words": {"task": f"{Path(__file__).resolve()}:task", "limit": work.prompts * work.steps}},
            "steps": work.steps,
            "lora": {"rank": RANK, "alpha": 2 * RANK, "targets": "all-linear"},
            "rollouts": {
                "groups": work.prompts,
                "answers": work.answers,
                "max_tokens": work.tokens,
                "temperature": TEMPERATURE,
                "batch": work.sequences,
                "extra_waves": 0,
            },
            "method": "dapo",
            "objective": {"kl_weight": KL_WEIGHT},
            "optimizer": {"learning_rate": LEARNING_RATE, "micro_batch": work.micro_batch},
            "checkpoint_every": work.steps,
        }
    )
    clock = Clock()
    train(recipe, folder / "out", notify=lambda line: clock.tick() if line.startswith("step ") else None)
    rows = read_metrics(folder / "out")
    return _measured(
        clock,
        work,
        generated=[row.measures["generated_tokens"] for row in rows],
        rewards=[row.reward for row in rows],
        kl=rows[-1].number("kl"),
    )


def train_with_trl(work: Work, folder: Path) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    clock = Clock()

    class Ticks(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.tick()

    def even_digits(completions: Sequence[str], **_: Any) -> list[float]:
        return [reward(text) for text in completions]

    on_gpu = work.device != "cpu"
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(work.model, dtype=getattr(torch, work.dtype)),
        processing_class=AutoTokenizer.from_pretrained(work.model, padding_side="left"),
        reward_funcs=even_digits,
        train_dataset=Dataset.from_dict({"prompt": texts(work.prompts * work.steps)}),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[Ticks()],
        # What differs from TRL's defaults is the work itself, or saves it time: no recomputed activations, no
        # progress bar, nothing reported or saved.
        args=GRPOConfig(
            output_dir=str(folder / "out"),
            use_cpu=not on_gpu,
            bf16=on_gpu,
            max_steps=work.steps,
            per_device_train_batch_size=work.micro_batch,
            gradient_accumulation_steps=work.sequences // work.micro_batch,
            num_generations=work.answers,
            max_completion_length=work.tokens,
            temperature=TEMPERATURE,
            top_k=0,
            epsilon_high=0.28,
            beta=KL_WEIGHT,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="constant",
            optim="adamw_torch",
            gradient_checkpointing=False,
            shuffle_dataset=False,
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
    )
    trainer.train()
    rows = [row for row in trainer.state.log_history if "reward" in row]
    return _measured(
        clock,
        work,
        generated=[round(row["completions/mean_length"] * work.sequences) for row in rows],
        rewards=[row["reward"] for row in rows],
        kl=rows[-1]["kl"],
    )


def _measured(clock: Clock, work: Work, **seen: Any) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {**clock.steps(), **seen, "memory": peak, "worker_memory": clock.worker_peak}
    if work.device != "cpu":
        import torch

        found["gpu_memory"] = torch.cuda.max_memory_allocated() / 2**20
    return found


SIDES = {"evalkit": train_with_evalkit, "TRL": train_with_trl}


def measure(side: str, interpreter: str, work: Work) -> dict[str, Any]:
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"} if work.device == "cpu" else {}
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryDirectory() as folder:
        command = [interpreter, __file__, "--side", side, "--out", folder, "--work", json.dumps(vars(work))]
        done = subprocess.run(
            command, env=os.environ | threads | quiet, capture_output=True, text=True, check=False, cwd=folder
        )
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def versions() -> str:
    names = ("evalkit-ru", "torch", "transformers", "peft", "trl")
    found = [f"{name} {version(name)}" for name in names if importlib.util.find_spec(name.partition("-")[0])]
    return ", ".join([f"Python {sys.version.split()[0]}", *found])


def import_seconds() -> float:
    code = "import time; start = time.perf_counter(); import evalkit; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(5)]
    return statistics.median(map(float, runs))


def compare(work: Work, peer: str, pairs: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for number in range(pairs):
        # Each goes first in every other pair.
        for side in list(SIDES)[:: 1 if number % 2 == 0 else -1]:
            found[side].append(measure(side, sys.executable if side == "evalkit" else peer, work))
        print(f"pair {number + 1} of {pairs} is done, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return found


def table(found: dict[str, list[dict[str, Any]]], rows: dict[str, Any]) -> None:
    """Print the median of each side, and of the pairs' ratios with the lowest and the highest."""
    print(f"| | {' | '.join(found)} | evalkit / TRL |\n|---|---|---|---|")
    for name, (form, value) in rows.items():
        values = {side: [value(run) for run in runs] for side, runs in found.items()}
        cells = " | ".join(format(statistics.median(some), form) for some in values.values())
        ratios = [own / other if other else float("nan") for own, other in zip(*values.values(), strict=True)]
        print(f"| {name} | {cells} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")


def on_cpu(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what it takes is no part of the work.
        subprocess.run([sys.executable, __file__, "--save-model", folder], check=True, capture_output=True)
        found = compare(Work(folder, arguments.steps + 1), arguments.peer, arguments.pairs)
    print(f"median of {arguments.pairs} pairs, {arguments.steps} steps each; load {os.getloadavg()[0]:.1f}")
    table(
        found,
        {
            "CPU seconds a step": (".2f", lambda run: statistics.mean(run["cpu"])),
            "seconds a step": (".2f", lambda run: statistics.mean(run["wall"])),
            "peak memory of the trainer, MiB": (".0f", lambda run: run["memory"]),
            "tokens generated a step": (".0f", lambda run: statistics.mean(run["generated"])),
            "reward": (".4f", lambda run: statistics.mean(run["rewards"])),
            "KL, last step": (".1e", lambda run: run["kl"]),
        },
    )
    worker = statistics.median(run["worker_memory"] for run in found["evalkit"])
    print(f"evalkit's scoring worker: peak {worker:.0f} MiB; `import evalkit`: {import_seconds():.3f} s")


def on_gpu(arguments: argparse.Namespace) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        config = AutoConfig.from_pretrained(arguments.model)
        parameters = AutoModelForCausalLM.from_config(config).num_parameters(exclude_embeddings=True)
    device = torch.cuda.get_device_name()
    known = next((peak for name, peak in DENSE_BFLOAT16.items() if name in device), None)
    peak = (arguments.peak or known or float("nan")) * 1e12
    work = Work(
        str(Path(arguments.model).resolve()), arguments.steps + 1, "cuda", "bfloat16", 16, 16, 512, micro_batch=32
    )

    def tokens_a_second(run: dict[str, Any]) -> float:
        return sum(run["generated"][1:]) / sum(run["wall"])

    print(f"{device}, {parameters / 1e6:.0f} M parameters; {arguments.pairs} pairs, {arguments.steps} steps each")
    table(
        compare(work, arguments.peer, arguments.pairs),
        {
            "tokens generated a second": (".0f", tokens_a_second),
            "GPU memory, MiB": (".0f", lambda run: run["gpu_memory"]),
            # A token is read once each by the sampler, the reference and the policy, and goes back once to the
            # adapter alone: 2 operations a parameter and pass, those of prompts and attention not counted.
            "model FLOP/s of the peak": (".4f", lambda run: 8 * parameters * tokens_a_second(run) / peak),
            "seconds a step": (".2f", lambda run: statistics.mean(run["wall"])),
        },
    )


def has_cuda() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def refuse(reason: str) -> None:
    print(reason, file=sys.stderr)
    sys.exit(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", default=sys.executable, help="the interpreter of an environment with TRL")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="measured, after one that is not")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--model", help="with --gpu: a folder of transformers")
    parser.add_argument("--peak", type=float, help="with --gpu: its dense bfloat16 TFLOP/s, where not known here")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--save-model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--versions", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.save_model:
        return save_model(arguments.save_model)
    if arguments.side:
        print(json.dumps(SIDES[arguments.side](Work(**json.loads(arguments.work)), arguments.out)))
        return None
    if arguments.versions:
        return print(versions())
    if arguments.gpu and not has_cuda():
        return refuse("no CUDA device is found here: --gpu needs one, and a torch that is built for it")
    if arguments.gpu and not arguments.model:
        return refuse("--gpu needs --model FOLDER, one of 100 M parameters or more")
    listed = subprocess.run([arguments.peer, __file__, "--versions"], capture_output=True, text=True, check=False)
    if " trl " not in f" {listed.stdout}":
        return refuse(PEER.format(python=arguments.peer, command=f"{sys.executable} {' '.join(sys.argv)}"))
    print(f"evalkit in {versions()}\nTRL in {listed.stdout.strip()}")
    return on_gpu(arguments) if arguments.gpu else on_cpu(arguments)


if __name__ == "__main__":
    main()
