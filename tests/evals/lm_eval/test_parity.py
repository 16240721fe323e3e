"""lm-eval's tasks on evalkit give lm-eval's own metrics, to the last digit.

A tiny model is trained here for a few seconds, so that it is right sometimes and wrong sometimes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import EvalkitError
from evalkit.evals.engine.results import measure_metric
from evalkit.evals.records.rows import read_rows
from evalkit.evals.run import run
from evalkit.tasks.types import Completion, Context, Sample, Score
from evalkit.tests.support.lm_eval_tasks import write_tasks

pytest.importorskip("lm_eval", reason="needs evalkit-ru[lm-eval]")
torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
transformers = pytest.importorskip("transformers", reason="needs evalkit-ru[hf]")

from evalkit.evals.lm_eval.bridge import open_lm_eval

pytestmark = [
    # lm-eval and what it pulls in warn about their own insides.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("lm_eval"))


@pytest.fixture(scope="module")
def model_folder(folder: Path) -> Path:
    """A two-layer Llama that has seen some sums, with a byte-level tokenizer that adds a BOS as Llama's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    lines = [f"{a} + {b} = {a + b if (a + b) % 4 else a}\n" for a in range(5) for b in range(5)]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    )
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="</s>", model_max_length=512
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=512, bos_token_id=0, eos_token_id=1, pad_token_id=1,
        )
    )  # fmt: skip
    batch = tokenizer([line * 4 for line in lines], return_tensors="pt", padding=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        loss = model(**batch, labels=batch["input_ids"]).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    path = folder / "model"
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def lm(model_folder: Path) -> Any:
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(model_folder), device="cpu", dtype="float32", batch_size=1)


def by_lm_eval(lm: Any, folder: Path, *names: str, **settings: Any) -> dict[str, Any]:
    """Run lm-eval's own evaluator."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_defaults=False, include_path=str(folder))
    found: dict[str, Any] = simple_evaluate(
        lm, tasks=list(names), task_manager=manager, bootstrap_iters=0, **settings
    )
    return found


def answer(lm: Any, sample: Sample) -> Completion:
    """Let lm-eval's model do what evalkit asks for."""
    from lm_eval.api.instance import Instance

    if sample.sampling.get("rolling"):
        requests = [
            Instance("loglikelihood_rolling", {}, (text,), i) for i, (_, text) in enumerate(sample.continuations)
        ]
        totals = lm.loglikelihood_rolling(requests, disable_tqdm=True)
        return Completion("", loglikelihoods=tuple((total, False) for total in totals))
    if sample.continuations:
        requests = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(sample.continuations)]
        return Completion("", loglikelihoods=tuple(lm.loglikelihood(requests, disable_tqdm=True)))
    sampling = sample.sampling
    settings = {
        "until": list(sampling["stop"]),
        "max_gen_toks": sampling["max_tokens"],
        "temperature": sampling["temperature"],
    }
    (message,) = sample.messages
    (text,) = lm.generate_until([Instance("generate_until", {}, (message.content, settings), 0)], disable_tqdm=True)
    return Completion(text)


def by_evalkit(lm: Any, name: str, limit: int | None = None) -> tuple[dict[str, dict[str, Any]], list[Score]]:
    task = open_lm_eval(name)
    scores = []
    for asked in task.samples(split="test", limit=limit, seed=0):
        sample = Sample.from_json(json.loads(json.dumps(as_json(asked))))
        score = task.score(sample, answer(lm, sample), Context())
        scores.append((sample.id, Score.from_json(json.loads(json.dumps(score.as_json())))))
    return {metric.name: measure_metric(metric, scores) for metric in task.metrics}, [score for _, score in scores]


def as_json(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "messages": [message.as_json() for message in sample.messages],
        "turns": sample.turns,
        "target": sample.target,
        "metadata": sample.metadata,
        "continuations": sample.continuations,
        "sampling": sample.sampling,
    }


@pytest.mark.parametrize(
    ("name", "options", "settings"),
    [
        ("own_choices", "", {}),
        ("own_choices", ",num_fewshot=3", {"num_fewshot": 3}),
        ("own_choices", ",num_fewshot=2,fewshot_seed=7", {"num_fewshot": 2, "fewshot_random_seed": 7}),
        ("own_sums", "", {}),
        ("own_sums", ",num_fewshot=2", {"num_fewshot": 2}),
        ("own_texts", "", {}),
        ("own_rolling", "", {}),
        ("own_pairs", "", {}),
    ],
)
def test_the_metrics_are_lm_evals(lm: Any, folder: Path, name: str, options: str, settings: dict[str, Any]) -> None:
    theirs = by_lm_eval(lm, folder, name, **settings)["results"][name]
    ours, scores = by_evalkit(lm, f"{folder}/{name}.yaml{options}")
    assert len(scores) == theirs["sample_len"] == 24
    expected = {key: value for key, value in theirs.items() if "," in key and "_stderr" not in key}
    assert {key: metric["value"] for key, metric in ours.items()} == pytest.approx(expected, rel=1e-12)
    for key, value in expected.items():
        if key.startswith(("acc", "exact_match")):
            assert ours[key]["value"] == value


STOCK: dict[str, list[dict[str, Any]]] = {
    "xwinograd/xwinograd_ru.yaml": [
        {"sentence": "Кот съел рыбу, ведь _ хотел есть.", "option1": "кот", "option2": "рыба", "answer": "1"},
        {"sentence": "Ваза упала на стол, и _ разбилась.", "option1": "стол", "option2": "ваза", "answer": "2"},
        {"sentence": "Он не влез в шкаф: _ слишком мал.", "option1": "он", "option2": "шкаф", "answer": "2"},
    ],
    "mgsm/direct/mgsm_direct_ru.yaml": [
        {"question": f"Задача: {a} + {b}?", "answer": f"Ответ: {a + b}.", "answer_number": a + b}
        for a, b in ((1, 2), (2, 2), (3, 1))
    ],
    "okapi/arc_multilingual/arc_ru.yaml": [
        {"id": str(n), "instruction": f"{n} + 1 =", "answer": "B", "option_e": None}
        | {f"option_{letter}": str(n + place) for place, letter in enumerate("abcd")}
        for n in range(3)
    ],
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("file", STOCK)
@pytest.mark.parametrize("shots", [0, 1])
def test_stock_tasks_on_local_data(lm: Any, folder: Path, tmp_path: Path, file: str, shots: int) -> None:
    """Their own functions run: several inputs for one ending, documents processed first, filters that extract."""
    import lm_eval

    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in STOCK[file]))
    stock = Path(lm_eval.__file__).parent / "tasks" / file
    changes: dict[str, Any] = {"training_split": "train"} if "xwinograd" not in file else {}
    if "mgsm" in file:
        changes["generation_kwargs"] = {"until": ["Задача:"], "do_sample": False, "max_gen_toks": 24}
    (tmp_path / "local.yaml").write_text(
        json.dumps(
            {
                "include": str(stock),
                "task": "local",
                "dataset_path": "json",
                "dataset_name": None,
                "dataset_kwargs": {"data_files": {"train": str(data), "validation": str(data), "test": str(data)}},
                **changes,
            }
        )
    )
    theirs = by_lm_eval(lm, tmp_path, "local", num_fewshot=shots)["results"]["local"]
    ours, scores = by_evalkit(lm, f"{tmp_path}/local.yaml,num_fewshot={shots}")
    expected = {key: value for key, value in theirs.items() if "," in key and "_stderr" not in key}
    assert len(scores) == 3
    assert len(expected) > 0
    assert {key: metric["value"] for key, metric in ours.items()} == expected


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["own_group", "own_macro"])
def test_a_group_is_one_task_broken_down_by_its_members(lm: Any, folder: Path, name: str) -> None:
    theirs = by_lm_eval(lm, folder, name)["results"]
    ours, scores = by_evalkit(lm, f"{folder}/{name}.yaml")
    assert len(scores) == 48
    assert ours["acc,none"]["value"] == pytest.approx(theirs[name]["acc,none"], rel=1e-12)
    members = ours["acc,none"]["breakdown"]["task"]
    assert {task: part["value"] for task, part in members.items()} == {
        task: theirs[task]["acc,none"] for task in ("own_choices", "own_texts")
    }
    only = ours["perplexity,none"]["breakdown"]["task"]
    assert {task: part["value"] for task, part in only.items()} == pytest.approx(
        {"own_texts": theirs["own_texts"]["perplexity,none"]}
    )


@pytest.mark.exhaustive
def test_limit_takes_the_first_documents_of_each_task(lm: Any, folder: Path) -> None:
    theirs = by_lm_eval(lm, folder, "own_group", limit=5, num_fewshot=1)["results"]
    ours, scores = by_evalkit(lm, f"{folder}/own_group.yaml,num_fewshot=1", limit=5)
    assert len(scores) == 10
    assert ours["acc,none"]["value"] == pytest.approx(theirs["own_group"]["acc,none"])


TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}[you] "
)


@pytest.fixture(scope="module")
def chat_folder(model_folder: Path) -> Path:
    """The same model with a chat template."""
    path = model_folder.parent / "chat"
    shutil.copytree(model_folder, path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(path)
    return path


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "options", "settings"),
    [
        ("own_choices", ",num_fewshot=2", {"num_fewshot": 2}),
        ("own_choices", ",apply_chat_template=true,num_fewshot=1", {"apply_chat_template": True, "num_fewshot": 1}),
        ("own_sums", "", {}),
        ("own_sums", ",apply_chat_template=true,num_fewshot=1", {"apply_chat_template": True, "num_fewshot": 1}),
        ("own_texts", "", {}),
        ("own_rolling", "", {}),
    ],
)
def test_a_run_on_our_own_backend_gives_lm_evals_metrics(
    folder: Path, chat_folder: Path, tmp_path: Path, name: str, options: str, settings: dict[str, Any]
) -> None:
    check_parity(folder, chat_folder, tmp_path, name, options, settings)


@pytest.mark.exhaustive
@pytest.mark.embedded
@pytest.mark.parametrize(
    ("name", "options", "settings"),
    [
        ("own_choices", ",num_fewshot=3", {"num_fewshot": 3}),
        pytest.param("own_sums", ",num_fewshot=3", {"num_fewshot": 3}, marks=pytest.mark.exhaustive),
        pytest.param("own_texts", "", {}, marks=pytest.mark.exhaustive),
    ],
)
def test_the_embedded_model_gives_lm_evals_metrics(
    folder: Path, tmp_path: Path, name: str, options: str, settings: dict[str, Any]
) -> None:
    from evalkit.evals.models.weights.catalog import find_entry
    from evalkit.evals.models.weights.checkpoints import gguf_to_safetensors
    from evalkit.evals.models.weights.fetching import fetch

    try:
        weights = fetch(find_entry("smollm2-135m"))
    except EvalkitError as error:
        pytest.skip(f"no SmolLM2 weights: {error}")
    check_parity(folder, gguf_to_safetensors(weights), tmp_path, name, options, settings, limit=8)


def check_parity(
    folder: Path,
    weights: Path,
    tmp_path: Path,
    name: str,
    options: str,
    settings: dict[str, Any],
    limit: int = 24,
) -> None:
    """Let both programs run a task on the same weights, each with its own code for models."""
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=str(weights), device="cpu", dtype="float32", batch_size=4)
    theirs = by_lm_eval(lm, folder, name, limit=limit, **settings)
    expected = {key: value for key, value in theirs["results"][name].items() if "," in key and "_stderr" not in key}
    plain = "" if "chat_template" in options else ",chat_template=plain"
    task = f"lm_eval:{folder}/{name}.yaml{options}"
    directory = run(f"hf:{weights},dtype=float32{plain}", [task], output=tmp_path / "run", limit=limit)
    (results,) = json.loads((directory / "results.json").read_bytes())["tasks"]
    assert (results["task"], results["samples"], results["coverage"]) == (task, limit, 1)
    found = {metric["name"]: metric["value"] for metric in results["metrics"]}
    for key, value in expected.items():
        if key.startswith(("acc", "exact_match", "f1")):
            assert found[key] == value, key
        else:  # float32 logits in batches of other shapes differ in the last digits
            assert found[key] == pytest.approx(value, rel=1e-4), key
    answers = {str(sample["doc_id"]): sample["resps"][0][0] for sample in theirs["samples"][name]}
    for row in read_rows(directory):
        if row.completion.text:
            assert row.completion.text == answers[row.id]


@pytest.mark.exhaustive
def test_the_commands_of_the_documentation(chat_folder: Path, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "from-lm-eval.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    (tmp_path / "sums.yaml").write_text(next(block for kind, block in blocks if kind == "yaml"))
    (tmp_path / "sums.jsonl").write_text(next(block for kind, block in blocks if kind == "json"))
    commands = [line[2:] for kind, block in blocks if kind == "console" for line in block.splitlines()]
    assert commands.pop(0).startswith("export MODEL=")
    assert len(commands) == 4
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("evalkit", "evalkit"), ("lm_eval", "lm_eval")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    environment = {**os.environ, "MODEL": str(chat_folder), "PATH": f"{programs}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    for name in ("sums", "own-words"):
        assert len(list(read_rows(tmp_path / "runs" / name))) == 4
    first, second = (
        json.loads((tmp_path / "runs" / name / "results.json").read_bytes()) for name in ("sums", "own-words")
    )
    assert first["tasks"][0]["metrics"] == second["tasks"][0]["metrics"]
    assert list(tmp_path.glob("exported/*/results_*.json"))
    assert list(tmp_path.glob("exported/*/samples_sums_*.jsonl"))
    assert list(tmp_path.glob("out/*/samples_evalkit_ruifeval_*.jsonl"))
