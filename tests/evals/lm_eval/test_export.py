"""Runs in lm-eval's files: row for row what lm-eval itself writes, and its own readers take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import InputError
from evalkit.evals.run import run

lm_eval = pytest.importorskip("lm_eval", reason="needs evalkit-ru[lm-eval]")

from evalkit.evals.lm_eval.export import export_lm_eval

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and what it pulls in warn about their own insides

COMMON = """
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/test.jsonl}}}}
test_split: test
doc_to_text: "{{{{question}}}} ="
metadata: {{version: 2.0}}
"""
SUMS = """
task: own_sums
output_type: generate_until
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 8, do_sample: false, temperature: 0.0}}
filter_list:
  - name: digits
    filter: [{{function: regex, regex_pattern: "(\\\\d+)"}}, {{function: take_first}}]
  - name: as_written
    filter: [{{function: take_first}}]
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
"""
CHOICES = """
task: own_choices
output_type: multiple_choice
doc_to_choice: choices
doc_to_target: label
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
"""
ROLLING = """
task: own_rolling
output_type: loglikelihood_rolling
doc_to_target: "{{{{question}}}}"
metric_list:
  - {{metric: byte_perplexity, aggregation: weighted_perplexity, higher_is_better: false}}
"""
GROUP = """
group: own_group
task: [own_choices, own_sums]
aggregate_metric_list:
  - {metric: acc}
  - {metric: exact_match, filter_list: digits}
"""
MODEL = '''
from evalkit.tasks import Completion

class Fixed:
    """Answers by arithmetic on lengths: the same here and in lm-eval."""
    name, identity, concurrency = "fixed", {"backend": "fixed"}, 2
    async def generate(self, messages, sampling):
        return Completion(say(messages[-1].content), finish_reason="stop")
    async def loglikelihood(self, pairs):
        return [measure(context, text) for context, text in pairs]
    async def loglikelihood_rolling(self, texts):
        return [-float(len(text)) for text in texts]
    def render(self, messages):
        return messages[-1].content
    async def close(self):
        pass

def say(prompt):
    return f" {len(prompt)}!" if len(prompt) % 3 else str(len(prompt))

def measure(context, text):
    return (-(len(context) * 7 % 11 + len(text) * 5 % 7) / 3, len(text) % 2 == 0)

def open_fixed(name, options):
    return Fixed()
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with (tmp_path / "test.jsonl").open("w") as file:
        for number in range(12):
            question = "вопрос" + "о" * number
            document = {
                "question": question,
                "answer": str(len(question) + 2),
                "choices": ["да", "нет" + "т" * (number % 5), "ё"],
                "label": number % 3,
            }
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
    for text in (SUMS, CHOICES, ROLLING):
        (tmp_path / f"{text.split()[1]}.yaml").write_text((text + COMMON).format(folder=tmp_path))
    (tmp_path / "own_group.yaml").write_text(GROUP)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def by_lm_eval(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Let lm-eval evaluate the same answers and write its files; return what they hold."""
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    space: dict[str, Any] = {}
    exec((folder / "model.py").read_text(), space)

    class Same(LM):  # type: ignore[misc]
        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            return [space["say"](request.args[0]) for request in requests]

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            return [space["measure"](*request.args) for request in requests]

        def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
            return [-float(len(request.args[0])) for request in requests]

    tracker = EvaluationTracker(output_path=str(folder / "theirs"))
    manager = TaskManager(include_defaults=False, include_path=str(folder))
    results = lm_eval.simple_evaluate(
        Same(), tasks=[name], task_manager=manager, bootstrap_iters=10, evaluation_tracker=tracker
    )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for task, rows in samples.items():
        tracker.save_results_samples(task_name=task, samples=rows)
    (path,) = (folder / "theirs").rglob("results_*.json")
    return json.loads(path.read_text()), {task: _rows(folder / "theirs", task) for task in samples}


def _rows(folder: Path, task: str) -> list[dict[str, Any]]:
    (path,) = folder.rglob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["own_sums", "own_choices", "own_rolling", "own_group"])
def test_the_files_are_those_that_lm_eval_writes(folder: Path, name: str) -> None:
    theirs, their_rows = by_lm_eval(folder, name)
    directory = run(f"{folder}/model.py:open_fixed", [f"lm_eval:{folder}/{name}.yaml"], output=folder / "run")
    path, *paths = export_lm_eval(directory, folder / "ours")
    ours = json.loads(path.read_text())
    optional = {"tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token", "eot_token_id", "max_length"}
    assert theirs.keys() - ours.keys() <= optional
    for task, metrics in theirs["results"].items():
        assert ours["results"][task].keys() >= metrics.keys() - {"sample_count"}
        for key, value in metrics.items():
            if key == "sample_count":
                continue
            if "perplexity_stderr" in key:  # lm-eval computes none; ours is a bootstrap
                assert value == "N/A"
            elif isinstance(value, float):
                tolerance = 0.02 if task == "own_group" and "stderr" in key else 1e-12
                assert ours["results"][task][key] == pytest.approx(value, abs=tolerance), key
            else:
                assert ours["results"][task][key] == value
    for key in ("task_hashes", "n-samples", "n-shot", "higher_is_better", "group_subtasks"):
        assert {k: v for k, v in theirs[key].items() if k != "own_group"} == {
            k: v for k, v in ours[key].items() if k != "own_group"
        }
    assert {key: str(value) for key, value in ours["versions"].items()} == {
        key: str(value) for key, value in theirs["versions"].items()
    }
    assert ours.get("groups", {}).keys() == theirs.get("groups", {}).keys()
    assert len(paths) == len(their_rows)
    for task, rows in their_rows.items():
        assert _rows(folder / "ours", task) == rows


def test_lm_evals_own_readers_take_them(folder: Path) -> None:
    from lm_eval import utils

    datasets = pytest.importorskip("datasets")

    tasks = [f"lm_eval:{folder}/own_group.yaml", "ruifeval-mini"]
    directory = run(f"{folder}/model.py:open_fixed", tasks, output=folder / "run", limit=4)
    path, *paths = export_lm_eval(directory, folder / "ours")
    table = utils.make_table(json.loads(path.read_text()))
    assert "|own_group" in table
    assert "| - own_choices" in table
    assert "|evalkit_ruifeval_mini|" in table.replace(" ", "") or "ruIFEval" in table
    names = [str(file) for file in (path, *paths)]
    assert utils.get_results_filenames(names) == [str(path)]
    assert utils.get_sample_results_filenames(names) == [str(file) for file in paths]
    found = {utils.get_file_task_name(file.name) for file in paths}
    assert found == {"own_choices", "own_sums", "evalkit_ruifeval_mini"}
    for file in paths:
        assert utils.get_file_datetime(file.name) == path.stem.removeprefix("results_")
        rows = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))
        assert len(rows) == (8 if "own_sums" in file.name else 4)
        assert set(rows[0]["metrics"]) <= set(rows.column_names)


def test_our_own_tasks_have_the_rows_that_lm_eval_writes_for_them(folder: Path) -> None:
    plugin = folder / "plugin.py"
    plugin.write_text(PLUGIN)
    (folder / "echo.yaml").write_text(
        "task: evalkit_echo\nclass: !function evalkit.evals.lm_eval.provider.EvalkitTask\n"
        f'metadata: {{evalkit_task: "{plugin}:echo"}}\n'
    )
    theirs, their_rows = by_lm_eval(folder, "evalkit_echo")
    directory = run(f"{folder}/model.py:open_fixed", [f"{plugin}:echo"], output=folder / "run")
    path, _ = export_lm_eval(directory, folder / "ours")
    ours = json.loads(path.read_text())
    assert ours["results"]["evalkit_echo"]["exact,none"] == theirs["results"]["evalkit_echo"]["exact,none"] == 1 / 3
    assert ours["task_hashes"] == theirs["task_hashes"]
    for our_row, their_row in zip(_rows(folder / "ours", "evalkit_echo"), their_rows["evalkit_echo"], strict=True):
        different = {"metrics", "score", "arguments"}
        assert {k: v for k, v in our_row.items() if k not in different} == {
            k: v for k, v in their_row.items() if k not in different
        }


def test_epochs_are_rows_of_their_own(folder: Path) -> None:
    directory = run(
        f"{folder}/model.py:open_fixed",
        [f"lm_eval:{folder}/own_sums.yaml"],
        output=folder / "run",
        epochs=2,
        limit=3,
    )
    path, samples = export_lm_eval(directory, folder / "ours")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    assert [(row["filter"], row["doc_id"], row["epoch"]) for row in rows[:6]] == [
        ("digits", number, epoch) for number in range(3) for epoch in range(2)
    ]
    assert json.loads(path.read_text())["n-samples"]["own_sums"] == {"original": 12, "effective": 3}


def test_what_is_no_run_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run directory"):
        export_lm_eval(tmp_path, tmp_path / "out")


PLUGIN = """
from evalkit.tasks import Sample, Score, mean_value

class Echo:
    name, version, title, max_tokens = "echo", "3", "Echo", 8
    metrics = (mean_value("exact"),)
    def samples(self, *, split, limit, seed):
        for number, word in enumerate(("6", "два", "раз")):
            yield Sample.ask(word, "в" * (6 + number), target=word, number=number)
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        return Score(float(completion.text == sample.id))

echo = Echo()
"""
