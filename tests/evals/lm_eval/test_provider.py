"""evalkit's tasks in plain lm-eval: its own command line gives evalkit's numbers on the same answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from evalkit.evals.lm_eval import tasks_folder
from evalkit.evals.score import score
from evalkit.tasks.registry import task_names

lm_eval = pytest.importorskip("lm_eval", reason="needs evalkit-ru[lm-eval]")

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and what it pulls in warn about their own insides

PLUGIN = """
from evalkit.tasks import Metric, Observation, Sample, Score, Status, mean_value

def vowels(score):
    return [Observation(float(letter in "оеаи")) for letter in score.parts["letters"]]

class Echo:
    name, version, title, max_tokens = "echo", "3", "Echo", 8
    metrics = (mean_value("exact"), Metric("vowels", vowels), Metric("longest", vowels, aggregate=max))
    def samples(self, *, split, limit, seed):
        for word in ("лол", "lol", "broken"):
            yield Sample.ask(word, f"Скажи {word}", target=word)
    def read(self, path):
        yield Sample.ask("lol", path.read_text(), target="lol")
    async def score(self, sample, completion, context):
        if sample.id == "broken":
            return Score(None, Status.JUDGE_ERROR)
        return Score(float(completion.text == sample.target), parts={"letters": list(sample.target)})

echo = Echo()
"""


def run_lm_eval(*words: str) -> dict[str, Any]:
    """Run the command ``lm_eval``, and return its results file and its samples."""
    command = [sys.executable, "-m", "lm_eval", "run", *words, "--log_samples"]
    # The dummy model asks the hub for a tokenizer that it does not need, and waits long where there is none.
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline)
    assert done.returncode == 0, done.stderr[-3000:]
    folder = Path(words[words.index("--output_path") + 1])
    (results,) = folder.rglob("results_*.json")
    (samples,) = folder.rglob("samples_*.jsonl")
    found: dict[str, Any] = json.loads(results.read_text())
    found["samples"] = [json.loads(line) for line in samples.read_text().splitlines()]
    return found


def lol() -> Any:
    """A model of lm-eval that always says the same, as its own dummy does, without a tokenizer."""
    from lm_eval.api.model import LM

    class Lol(LM):  # type: ignore[misc]
        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            return ["lol"] * len(requests)

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            raise NotImplementedError

        def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
            raise NotImplementedError

    return Lol()


def test_each_yaml_file_names_an_installed_task() -> None:
    files = sorted(tasks_folder().glob("*.yaml"))
    assert "evalkit_ruifeval.yaml" in [file.name for file in files]
    for file in files:
        config = yaml.safe_load(file.read_text().replace("!function", ""))
        assert config["task"] == file.stem
        assert config["metadata"]["evalkit_task"] in task_names()
        assert file.stem == f"evalkit_{config['metadata']['evalkit_task']}".replace("-", "_")


def test_a_plugin_in_lm_evals_evaluator(tmp_path: Path) -> None:
    from lm_eval.tasks import TaskManager

    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN)
    (tmp_path / "echo.yaml").write_text(
        "task: own_echo\nclass: !function evalkit.evals.lm_eval.provider.EvalkitTask\n"
        f'metadata: {{evalkit_task: "{plugin}:echo"}}\n'
    )
    manager = TaskManager(include_defaults=False, include_path=str(tmp_path))
    results = lm_eval.simple_evaluate(lol(), tasks=["own_echo"], task_manager=manager)
    found = results["results"]["own_echo"]
    assert found["sample_len"] == 2
    assert (found["exact,none"], found["score,none"], found["vowels,none"]) == (0.5, 0.5, pytest.approx(1 / 6))
    assert found["longest,none"] == 1.0
    assert found["score_stderr,none"] == 0.5
    assert results["versions"]["own_echo"] == "3"
    (request,) = results["samples"]["own_echo"][0]["arguments"]
    assert request == ("Скажи лол", {"until": [], "max_gen_toks": 8, "temperature": 0.0, "do_sample": False})
    given = lm_eval.simple_evaluate(
        lol(), tasks=["own_echo"], task_manager=manager, gen_kwargs="temperature=0.5,max_gen_toks=3"
    )
    assert given["samples"]["own_echo"][0]["arguments"][0][1] == {
        "until": [], "max_gen_toks": 3, "temperature": 0.5, "do_sample": False
    }  # fmt: skip


def test_metadata_gives_the_file(tmp_path: Path) -> None:
    from lm_eval.tasks import TaskManager

    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "prompt.txt").write_text("Say lol")
    (tmp_path / "echo.yaml").write_text(
        "task: own_echo\nclass: !function evalkit.evals.lm_eval.provider.EvalkitTask\n"
        f'metadata: {{evalkit_task: "{tmp_path}/plugin.py:echo"}}\n'
    )
    metadata = {"evalkit_data": str(tmp_path / "prompt.txt")}
    manager = TaskManager(include_defaults=False, include_path=str(tmp_path), metadata=metadata)
    task = manager.load(["own_echo"])["tasks"]["own_echo"]
    assert [task.doc_to_text(document) for document in task.eval_docs] == ["Say lol"]
    system = task.fewshot_context(task.eval_docs[0], 0, system_instruction="Be brief.")
    assert system == "Be brief.\n\nSay lol"
    chat = task.fewshot_context(
        task.eval_docs[0], 0, system_instruction="Be brief.", apply_chat_template=True, chat_template=json.dumps
    )
    assert json.loads(chat) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say lol"},
    ]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_command_lm_eval_gives_evalkits_numbers_on_the_same_answers(tmp_path: Path) -> None:
    folder = str(tasks_folder())
    found = run_lm_eval(
        "--model", "dummy", "--tasks", "evalkit_ruifeval", "--include_path", folder, "--output_path", str(tmp_path)
    )  # fmt: skip
    responses = tmp_path / "responses.jsonl"
    with responses.open("w") as file:
        for sample in found["samples"]:
            file.write(json.dumps({"id": sample["doc"]["id"], "response": sample["resps"][0][0]}) + "\n")
    ours = score("ruifeval", responses, output=tmp_path / "scores.jsonl")
    theirs = found["results"]["evalkit_ruifeval"]
    assert ours.lines == theirs["sample_len"] > 50
    assert len(ours.metrics) >= 2
    for metric in ours.metrics:
        assert theirs[f"{metric['name']},none"] == pytest.approx(metric["value"], abs=1e-12)
    values = [json.loads(line)["value"] for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [sample["score"] for sample in found["samples"]] == pytest.approx(values)
    assert len(set(values)) > 1
