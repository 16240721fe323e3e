"""What a task may have: its hooks and their defaults, and what becomes of a plugin at the door."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evalkit
import pytest
from evalkit.errors import UsageError
from evalkit.evals.engine.scored_answer import examine
from evalkit.evals.judging.canaries import is_judged
from evalkit.evals.records.plan import plan_tasks
from evalkit.evals.records.spec import RunSpec
from evalkit.tasks import base
from evalkit.tasks.adapter import HOOKS, REQUIRED, adapt
from evalkit.tasks.base import BaseTask
from evalkit.tasks.registry import open_task, task_names
from evalkit.tasks.rubrics import PROOF
from evalkit.tasks.types import Completion, Context, Sample, Score, mean_value
from evalkit.trainer.rewards.judged import judge_rating
from evalkit.trainer.rewards.mix import open_reward

ROOT = Path(evalkit.__file__).parent
PAGE = ROOT / "docs" / "write-a-task.md"
SAMPLE = Sample.ask("1", "Сколько?")


class Duck:
    """A task that derives from nothing."""

    name, version, title, max_tokens = "duck", "1", "Duck", 8
    metrics = (mean_value(),)

    def samples(self, *, split, limit, seed):
        return [SAMPLE][:limit]

    def read(self, path):
        return []

    def score(self, sample, completion, context):
        return Score(1.0)


def duck(**parts: Any) -> Any:
    """A duck with more parts, or other ones."""
    return type("MyDuck", (Duck,), parts)()


def half(*without: str, **parts: Any) -> Any:
    """A duck that lacks some parts."""
    kept = {name: value for name, value in vars(Duck).items() if name not in without and name[:2] != "__"}
    return type("Half", (), {**kept, **parts})()


# Defaults


def test_a_plugin_that_derives_from_nothing_gets_the_defaults():
    plugin = duck()
    task = adapt(plugin, "duck")
    assert isinstance(task, BaseTask)
    assert (task.name, task.version, task.title, task.max_tokens) == ("duck", "1", "Duck", 8)
    assert (task.needs, task.forms, task.rubric, task.stand_in) == ((), (), (), None)
    assert task.final_answer is None
    assert task.gold is None
    assert task.wrong is None
    assert task.sources(Path("a")) == (Path("a"),)
    assert task.gradings(SAMPLE) == 1
    score = Score(0.5)
    assert task.by_rubric(score, ()) is score
    assert list(task.review(Completion("x"), score)) == []
    assert list(task.samples(split="test", limit=1, seed=0)) == [SAMPLE]
    assert task.score(SAMPLE, Completion("x"), Context()) == Score(1.0)


def test_what_a_plugin_has_is_kept():
    async def score(self, sample, completion, context):
        return Score(0.0)

    plugin = duck(
        needs=["judge"], metrics=[mean_value()], gradings=lambda self, sample: 3, score=score, stand_in=None
    )
    task = adapt(plugin, "duck")
    assert task.needs == ("judge",)
    assert len(task.metrics) == 1
    assert task.gradings(SAMPLE) == 3
    assert inspect.iscoroutinefunction(task.score)


def test_a_task_that_derives_from_the_base_is_itself():
    for name in task_names():
        task = open_task(name)
        assert isinstance(task, BaseTask)
        assert adapt(task, name) is task
    assert adapt(judge_rating, "judge-rating") is judge_rating
    assert isinstance(open_task("logic:zebra"), BaseTask)


def test_the_harness_takes_the_defaults(tmp_path):
    (tmp_path / "duck.py").write_text(PLUGIN, encoding="utf-8")
    (planned,) = plan_tasks(RunSpec.of(model="replay:", tasks=(f"{tmp_path / 'duck.py'}:task",)))
    assert not is_judged(planned)
    assert planned.task.final_answer is None
    assert examine(planned.task, Completion("Четыре"))[0] is None
    (part,) = open_reward(f"{tmp_path / 'duck.py'}:task")
    assert isinstance(part.task, BaseTask)


PLUGIN = """
from evalkit.tasks import Sample, Score, mean_value

class Duck:
    name, version, title, max_tokens, metrics = "duck", "1", "Duck", 8, (mean_value(),)
    def samples(self, *, split, limit, seed):
        return [Sample.ask("1", "Сколько?")]
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        return Score(1.0)

class Misspelt(Duck):
    def final_anwser(self, completion):
        return completion.text

task, misspelt = Duck(), Misspelt()
"""


# Misspelt


@pytest.mark.parametrize(
    ("found", "hook"),
    [
        ("final_anwser", "final_answer"),
        ("final_answers", "final_answer"),
        ("finalanswer", "final_answer"),
        ("finalAnswer", "final_answer"),
        ("need", "needs"),
        ("nedes", "needs"),
        ("Needs", "needs"),
        ("grading", "gradings"),
        ("gradngs", "gradings"),
        ("score_", "score"),
        ("scroe", "score"),
        ("form", "forms"),
        ("golds", "gold"),
        ("wrogn", "wrong"),
        ("source", "sources"),
        ("standin", "stand_in"),
        ("setle", "settle"),
        ("reveiw", "review"),
        ("rubrics", "rubric"),
        ("by_rubrik", "by_rubric"),
        ("maxTokens", "max_tokens"),
    ],
)
def test_a_misspelt_hook_is_refused_and_the_nearest_named(found, hook):
    with pytest.raises(UsageError, match=rf"duck': '{found}' is not an attribute of a task.* mean '{hook}'\?"):
        adapt(duck(**{found: lambda self, *arguments: None}), "my.py:duck")
    plugin = duck()
    setattr(plugin, found, ())
    with pytest.raises(UsageError, match=f"Did you mean '{hook}'"):
        adapt(plugin, "my.py:duck")


@pytest.mark.parametrize(
    ("found", "hook"), [("sample", "samples"), ("metric", "metrics"), ("titles", "title"), ("score_", "score")]
)
def test_a_needed_part_that_is_misspelt_is_named_too(found, hook):
    with pytest.raises(UsageError, match=f"'{found}' is not an attribute of a task.* Did you mean '{hook}'"):
        adapt(half(hook, **{found: ()}), "half")


def test_tasks_that_derive_from_the_base_are_read_as_closely(tmp_path):
    class Mine(type(judge_rating)):
        def gold_(self, sample):
            return None

    with pytest.raises(UsageError, match="Did you mean 'gold'"):
        adapt(Mine(), "mine")
    (tmp_path / "plug.py").write_text(PLUGIN, encoding="utf-8")
    with pytest.raises(UsageError, match=r"plug\.py:misspelt': 'final_anwser' is not an attribute of a task"):
        open_task(f"{tmp_path / 'plug.py'}:misspelt")


@pytest.mark.parametrize(
    "own",
    [
        "examples", "sample", "scorer", "scores", "store", "reader", "names", "difficulty", "questions", "data",
        "prompt", "seed", "seeds", "language", "settings", "limits", "judge", "answer", "correct", "shape", "fold",
        "_need", "_final_anwser",
    ],
)  # fmt: skip
def test_names_that_resemble_no_hook_are_the_plugins_own(own):
    task = adapt(duck(**{own: lambda self: None}), "duck")
    assert task.name == "duck"


def test_an_object_whose_names_cannot_be_listed_is_no_worse():
    def no_names(self):
        raise RuntimeError("no")

    assert adapt(duck(__dir__=no_names), "duck").name == "duck"


# Of the wrong kind


@pytest.mark.parametrize(
    ("hook", "value", "message"),
    [
        ("needs", "judge", "'needs' must be a tuple of strings"),
        ("needs", (1,), "'needs' must be a tuple of strings"),
        ("needs", ("jugde",), "unknown 'jugde' in 'needs'. Did you mean 'judge'"),
        ("needs", lambda self: ("judge",), "'needs' must be a tuple"),
        ("forms", "rating", "'forms' must be a tuple of strings, got 'rating'"),
        ("gold", "42", "'gold' must be a method"),
        ("gold", 42, "'gold' must be a method that is not async, got 42"),
        ("wrong", ("a", "b"), "'wrong' must be a method"),
        ("final_answer", "Ответ", "'final_answer' must be a method"),
        ("gradings", 2, "'gradings' must be a method"),
        ("sources", (Path("a"),), "'sources' must be a method"),
        ("stand_in", ("math",), "'stand_in' must be a string"),
        ("stand_in", True, "'stand_in' must be a string"),
        ("rubric", ("correct",), "'rubric' must be a tuple of criteria"),
        ("review", (), "'review' must be a method"),
        ("metrics", "accuracy", "'metrics' must be a tuple of metrics"),
        ("metrics", mean_value(), "'metrics' must be a tuple of metrics"),
        ("max_tokens", "32", "'max_tokens' must be a positive integer"),
        ("max_tokens", 0, "'max_tokens' must be a positive integer"),
        ("max_tokens", True, "'max_tokens' must be a positive integer"),
        ("name", "", "'name' must be a string"),
        ("version", 1, "'version' must be a string, got 1"),
        ("score", 1.0, "'score' must be a method"),
        ("samples", (), "'samples' must be a method"),
    ],
)
def test_a_hook_of_the_wrong_kind_is_refused_by_name(hook, value, message):
    with pytest.raises(UsageError, match=rf"^'duck': {re.escape(message)}"):
        adapt(duck(**{hook: value}), "duck")


def test_only_score_may_be_async():
    async def gold(self, sample):
        return None

    with pytest.raises(UsageError, match="'gold' must be a method that is not async"):
        adapt(duck(gold=gold), "duck")


def test_hooks_that_go_together_are_asked_for_together():
    with pytest.raises(UsageError, match="'review' also requires 'settle', which is missing"):
        adapt(duck(review=lambda self, completion, score: ()), "duck")
    with pytest.raises(UsageError, match="'settle' also requires 'review'"):
        adapt(duck(settle=lambda self, score, verdict: score), "duck")
    with pytest.raises(UsageError, match="'rubric' also requires 'by_rubric'"):
        adapt(duck(rubric=PROOF), "duck")


@pytest.mark.parametrize("thing", [5, "text", [], object(), len])
def test_what_is_no_task_says_what_it_lacks(thing):
    with pytest.raises(UsageError, match=r"'thing' is not a task: it lacks .*score"):
        adapt(thing, "thing")


# The document


def described() -> Iterator[tuple[str, str, str]]:
    """The name, the default and the sentence of each hook, as they stand in the source of `BaseTask`."""
    source = ast.parse(inspect.getsource(base))
    (task,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "BaseTask"]
    for node, after in zip(task.body, [*task.body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef):
            arguments = [argument.arg for argument in (*node.args.args[1:], *node.args.kwonlyargs)]
            returned = node.body[-1]
            default = f"`{ast.unparse(returned.value)}`" if isinstance(returned, ast.Return) else "needed"
            yield f"{node.name}({', '.join(arguments)})", default, str(ast.get_docstring(node))
        elif isinstance(node, ast.AnnAssign):
            default = "needed" if node.value is None else f"`{ast.unparse(node.value)}`"
            taken = re.search(r"Callable\[\[(\w+)\]", ast.unparse(node.annotation))
            name = f"{node.target.id}({taken[1].lower()})" if taken else node.target.id
            assert isinstance(after, ast.Expr), f"{name} has no docstring"
            yield name, default, after.value.value


def test_the_document_says_of_each_hook_what_its_docstring_says():
    rows = [
        f"| `{name}` | {default} | {sentence.replace('``', '`')} |"
        for name, default, sentence in sorted(described(), key=lambda one: one[1] != "needed")
    ]
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert table == rows, "\n".join(rows)


def test_every_hook_is_described_in_one_sentence():
    found = {name.partition("(")[0]: (default, sentence) for name, default, sentence in described()}
    assert set(found) == set(HOOKS)
    assert {name for name, (default, _) in found.items() if default == "needed"} == set(REQUIRED)
    for _, sentence in found.values():
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0


def test_every_hook_has_a_caller():
    above = [ROOT / floor for floor in ("judges", "evals", "trainer", "reports", "cli")]
    source = "\n".join(path.read_text(encoding="utf-8") for floor in above for path in floor.rglob("*.py"))
    assert [hook for hook in HOOKS if not re.search(rf"(?:task|chosen|task_of\(.*\))\.{hook}\b", source)] == []
