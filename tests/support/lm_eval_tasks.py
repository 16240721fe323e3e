"""Small tasks of lm-eval over data of our own, one of each kind."""

from __future__ import annotations

import json
import random
from pathlib import Path

SUMS = """
task: own_sums
dataset_path: json
dataset_kwargs: {{data_files: {{train: {folder}/train.jsonl, test: {folder}/test.jsonl}}}}
training_split: train
test_split: test
fewshot_split: train
output_type: generate_until
doc_to_text: "{{{{a}}}} + {{{{b}}}} ="
doc_to_target: "{{{{sum}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 8, do_sample: false}}
filter_list:
  - name: digits
    filter: [{{function: regex, regex_pattern: "(\\\\d+)"}}, {{function: take_first}}]
  - name: as_written
    filter: [{{function: take_first}}]
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
metadata: {{version: 2.0}}
"""

CHOICES = """
task: own_choices
tag: [own_tag]
dataset_path: json
dataset_kwargs: {{data_files: {{train: {folder}/train.jsonl, test: {folder}/test.jsonl}}}}
training_split: train
test_split: test
fewshot_split: train
output_type: multiple_choice
doc_to_text: "{{{{a}}}} + {{{{b}}}} ="
doc_to_choice: "{{{{choices}}}}"
doc_to_target: label
metric_list:
  - {{metric: acc}}
  - {{metric: acc_norm}}
  - {{metric: f1, aggregation: !function helpers.micro_f1, higher_is_better: true}}
  - {{metric: brier_score}}
metadata: {{version: 1.0}}
"""

TEXTS = """
task: own_texts
tag:
  - own_tag
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/test.jsonl}}}}
test_split: test
output_type: loglikelihood
doc_to_text: "{{{{a}}}} + {{{{b}}}} ="
doc_to_target: " {{{{sum}}}}"
metric_list:
  - {{metric: perplexity}}
  - {{metric: acc}}
metadata: {{version: 1.0}}
"""

ROLLING = """
task: own_rolling
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/test.jsonl}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{a}}}} + {{{{b}}}} = {{{{sum}}}}"
metric_list:
  - {{metric: word_perplexity}}
  - {{metric: byte_perplexity}}
  - {{metric: bits_per_byte}}
metadata: {{version: 1.0}}
"""

PAIRS = """
task: own_pairs
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/test.jsonl}}}}
test_split: test
output_type: multiple_choice
doc_to_text: label
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{sum}}}} again"
metric_list:
  - {{metric: acc}}
metadata: {{version: 1.0}}
"""

GROUP = """
group: own_group
task: [own_choices, own_texts]
aggregate_metric_list:
  - {{metric: acc, weight_by_size: {by_size}}}
metadata: {{version: 7}}
"""

HELPERS = """
def micro_f1(items):
    from sklearn.metrics import f1_score
    golds, predictions = zip(*items)
    return f1_score(golds, predictions, average="micro")
"""


def write_tasks(folder: Path) -> Path:
    """Write the tasks and their data; return the folder."""
    draw = random.Random(5)
    for name, count in (("train", 30), ("test", 24)):
        with (folder / f"{name}.jsonl").open("w") as file:
            for _ in range(count):
                a, b = draw.randint(0, 4), draw.randint(0, 4)
                choices = [str(a + b), str(a + b + 1), str(10 * (a + b) + 10)]
                draw.shuffle(choices)
                document = {
                    "a": a,
                    "b": b,
                    "sum": str(a + b),
                    "choices": choices,
                    "label": choices.index(str(a + b)),
                }
                file.write(json.dumps(document) + "\n")
    for text in (SUMS, CHOICES, TEXTS, ROLLING, PAIRS):
        name = text.split()[1]
        (folder / f"{name}.yaml").write_text(text.format(folder=folder))
    (folder / "own_group.yaml").write_text(GROUP.format(by_size="true"))
    (folder / "own_macro.yaml").write_text(GROUP.format(by_size="false").replace("own_group", "own_macro"))
    (folder / "helpers.py").write_text(HELPERS)
    return folder
