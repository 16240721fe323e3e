"""The bridge to reasoning-gym: exact where its own scorer is not, and the same problems in every process."""

import json
import os
import subprocess
import sys
import warnings

import pytest
from evalkit.errors import MissingExtraError, UsageError
from evalkit.tasks.logic import reasoning_gym_bridge
from evalkit.tasks.logic.reasoning_gym_bridge import checkable, open_reasoning_gym
from evalkit.tasks.types import Completion, Context, Status, Task


@pytest.fixture(scope="module")
def gym():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("reasoning_gym", reason="the extra reasoning-gym is not installed")


def score(task, sample, text):
    return task.score(sample, Completion(text), Context())


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(MissingExtraError, match=r"evalkit-ru\[reasoning-gym\]"):
        open_reasoning_gym("gcd")


def test_a_substring_earns_nothing(gym):
    task = open_reasoning_gym("gcd")
    assert isinstance(task, Task)
    for sample in task.samples(split="test", limit=5, seed=0):
        assert score(task, sample, f"So.\nAnswer: {sample.target}").value == 1.0
        assert score(task, sample, f"**Answer:** {sample.target}.").value == 1.0
        assert score(task, sample, f"Answer: 1{sample.target}").value == 0.0
        assert score(task, sample, f"Answer: {sample.target} or 1").value == 0.0
        assert score(task, sample, f"It is {sample.target}").status is Status.MISSING


@pytest.mark.filterwarnings("ignore")
def test_every_family_takes_its_own_answers_and_no_others(gym):
    names = checkable()
    assert len(names) > 40
    for name in names:
        task = open_reasoning_gym(name)
        samples = list(task.samples(split="test", limit=3, seed=0))
        assert len({sample.id for sample in samples}) == 3
        for sample in samples:
            right = task.score(sample, task.gold(sample), Context())
            assert right.value == 1.0, (name, sample.target, right)
            for wrong in (f"{sample.target} 1", f"not {sample.target}", "?"):
                assert score(task, sample, f"Answer: {wrong}").value == 0.0, (name, wrong)


@pytest.mark.filterwarnings("ignore")
def test_splits_and_seeds_have_no_problem_in_common(gym):
    task = open_reasoning_gym("number_filtering")
    drawn = [
        {sample.prompt for sample in task.samples(split=split, limit=100, seed=seed)}
        for split in ("train", "test")
        for seed in (0, 1)
    ]
    assert len(set.union(*drawn)) == sum(map(len, drawn))
    short = list(task.samples(split="test", limit=5, seed=0))
    assert short == list(task.samples(split="test", limit=50, seed=0))[:5]


def test_the_order_of_sets_does_not_matter(gym):
    program = (
        "import json, warnings; warnings.simplefilter('ignore'); "
        "from evalkit.tasks.logic.reasoning_gym_bridge import checkable, open_reasoning_gym; "
        "print(json.dumps([[s.prompt, s.target] for name in checkable() "
        "for s in open_reasoning_gym(name).samples(split='test', limit=2, seed=0)]))"
    )
    one, other = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", program],
                env=os.environ | {"PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        )
        for seed in ("1", "2")
    )
    assert one == other


def test_what_cannot_be_opened(gym):
    with pytest.raises(UsageError, match="no family 'gdc'"):
        open_reasoning_gym("gdc")
    with pytest.raises(UsageError, match="cannot be checked exactly"):
        open_reasoning_gym("countdown")
    with pytest.raises(UsageError, match="'train' and 'test'"):
        open_reasoning_gym("gcd").samples(split="dev", limit=1, seed=0)
    with pytest.raises(UsageError, match="reads no file"):
        open_reasoning_gym("gcd").read(os.devnull)


def test_its_own_scorers_are_not_called(gym, monkeypatch):
    dataset = reasoning_gym_bridge._gym().dataset.ProceduralDataset
    monkeypatch.setattr(dataset, "score_answer", None)
    task = reasoning_gym_bridge.ReasoningGym("gcd")
    (sample,) = task.samples(split="test", limit=1, seed=0)
    assert score(task, sample, f"Answer: {sample.target}").value == 1.0
