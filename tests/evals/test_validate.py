"""``evalkit validate``: right answers earn everything, garbage nothing, and a mistaken scorer is found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalkit.errors import UsageError
from evalkit.evals.validate import validate

TASK = """
from evalkit.tasks.types import Completion, Sample, Score, mean_value

class Sums:
    name, version, title, max_tokens = "sums", "1", "Sums", 16
    metrics = (mean_value(),)
    def __init__(self, rule):
        self.rule = rule
    def samples(self, *, split, limit, seed):
        yield from (Sample.ask(str(n), f"{n} + {n}?", target=str(2 * n)) for n in range(limit or 20))
    def read(self, path):
        raise NotImplementedError
    def score(self, sample, completion, context):
        return Score(float(self.rule(sample.target, completion.text)))
    def gold(self, sample):
        return None if sample.id == "3" else Completion(sample.target)

exact = Sums(lambda target, text: target == text)
lenient = Sums(lambda target, text: target.startswith(text))
deaf = Sums(lambda target, text: target == text and len(target) < 2)
no_gold = type("NoGold", (), {name: value for name, value in vars(Sums).items() if name != "gold"})(None)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    (tmp_path / "sums.py").write_text(TASK)
    return f"{tmp_path}/sums.py"


def test_our_own_prompts_can_be_satisfied_and_narrowly_missed() -> None:
    found = validate("ruifeval-mini", limit=60)
    assert found.gold == 60
    assert found.wrong >= 60
    assert found.surprises == []


def test_a_sound_scorer_has_no_surprises(plugin: str) -> None:
    found = validate(f"{plugin}:exact")
    assert (found.gold, found.without_gold, found.surprises) == (19, 1, [])
    assert found.wrong == 19 * 9


def test_a_scorer_that_pays_for_nothing_or_not_for_the_truth_is_found_out(plugin: str) -> None:
    lenient = validate(f"{plugin}:lenient")
    assert lenient.surprises
    assert all("garbage" in surprise for surprise in lenient.surprises)
    deaf = validate(f"{plugin}:deaf")
    assert len(deaf.surprises) == 15
    assert deaf.surprises[0] == "10: the gold answer '20' has 0.0 (ok)"


def test_a_task_without_gold_says_so(plugin: str) -> None:
    with pytest.raises(UsageError, match="sums has no gold answers: define its method gold"):
        validate(f"{plugin}:no_gold")
