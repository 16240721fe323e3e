"""`JudgeSpec`: who judges and how is one value, by whatever door it comes in."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import evalkit
import orjson
import pytest
from evalkit.cli import main as cli
from evalkit.errors import EvalkitError, InputError, UsageError
from evalkit.evals.records.manifest import read_manifest
from evalkit.evals.rescore import judge_again
from evalkit.evals.studies.pairwise.run import compare_answers
from evalkit.evals.studies.passport.make import passport_of
from evalkit.judges.spec import JudgeSpec
from evalkit.tasks.registry import open_task
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.scripted import verdict, verdict_asked_for
from evalkit.trainer.recipe.reading import read_recipe
from typer.testing import CliRunner

ADDRESS = "http://127.0.0.1:9/v1"
JURY = JudgeSpec(
    models=("openai:one", "openai:two"),
    base_url=ADDRESS,
    language="en",
    rule="median",
    options={"temperature": 0.3, "defences": False, "quorum": 1},
)
NAMED: dict[str, Any] = {
    "judge": ["openai:one", "openai:two"],
    "judge_base_url": ADDRESS,
    "judge_language": "en",
    "jury_rule": "median",
    "judge_options": {"temperature": "0.30", "defences": "no", "quorum": "1"},
}
OPTIONS = [
    *("--judge", "openai:one", "--judge", "openai:two", "--judge-base-url", ADDRESS, "--jury-rule", "median"),
    *("--judge-option", "temperature=0.30", "--judge-option", "defences=no", "--judge-option", "quorum=1"),
]
ENGLISH = ["--judge-language", "en"]


def test_a_spec_is_json_and_back() -> None:
    assert JudgeSpec.model_validate_json(JURY.model_dump_json()) == JURY
    assert orjson.loads(JURY.model_dump_json()) == {
        "models": ["openai:one", "openai:two"],
        "base_url": ADDRESS,
        "language": "en",
        "rule": "median",
        "options": {"temperature": 0.3, "defences": False, "quorum": 1},
    }
    assert JudgeSpec.model_validate_json("{}") == JudgeSpec() == JudgeSpec.of()


def test_one_model_needs_no_tuple() -> None:
    assert JudgeSpec.of("openai:j", judge_language="en") == JudgeSpec.of(("openai:j",), language="en")


def test_fields_have_their_own_names_and_those_of_a_run() -> None:
    assert JudgeSpec.of(**NAMED) == JURY
    assert JudgeSpec.of(JURY.models, **JURY.model_dump(exclude={"models"})) == JURY
    assert JudgeSpec.of(JURY) is JURY


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"judge_language": "de"}, "--judge-language: Input should be 'ru' or 'en', got 'de'"),
        ({"rule": "max"}, "--jury-rule: Input should be 'mean', 'median', 'min' or 'majority', got 'max'"),
        ({"judge": 5}, "--judge: Input should be a valid tuple, got 5"),
        ({"judge_url": ADDRESS}, f"--judge-url: Extra inputs are not permitted, got '{ADDRESS}'"),
        (
            {"judge": JURY, "judge_language": "ru"},
            "judge_language: not allowed together with a JudgeSpec",
        ),
        ({"options": {"attempts": "1"}}, "--judge-option requires --judge"),
        (
            {"judge": ["a"], "judge_options": {"quorum": 1}},
            "--judge-option quorum applies only to a jury; give several models with --judge",
        ),
        (
            {"judge": ["a", "b"], "judge_options": {"quorum": 3}},
            "--judge-option quorum=3: there are only 2 judges",
        ),
        (
            {"judge": ["a"], "judge_options": {"temprature": 1}},
            "--judge-option: unknown option 'temprature'. Did you mean 'temperature' or 'attempts' or 'compat'?",
        ),
        (
            {"judge": ["a"], "judge_options": {"temperature": "inf"}},
            "--judge-option temperature=inf: a number from 0 on is needed",
        ),
    ],
)
def test_what_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        JudgeSpec.of(**said)
    assert str(refused.value) == told


class OpenedError(EvalkitError):
    """Stands for the judge, which is not needed once it is known who it would have been."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[JudgeSpec, int]]:
    """The specs, and the seeds, by which judges are opened; none is."""
    specs: list[tuple[JudgeSpec, int]] = []

    def open_judge_of(spec: JudgeSpec, models: Any, *, seed: int, **_: Any) -> None:
        assert tuple(model.name for model in models) == spec.models
        specs.append((spec, seed))
        raise OpenedError

    monkeypatch.setattr("evalkit.judges.open.open_judge_of", open_judge_of)
    # By its module: a function of the package has that module's name.
    monkeypatch.setattr(sys.modules["evalkit.evals.studies.passport.measure"], "open_judge_of", open_judge_of)
    return specs


def fair(prompt: str) -> str:
    """A judge that gives 7 of 10, and a model that says so."""
    return verdict(prompt, 7) if verdict_asked_for(prompt) else "Развёрнутый ответ."


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that a jury graded, all but its address the one above; ``same`` beside it is a copy."""
    with LoopbackServer(answer=fair) as server:
        output = tmp_path_factory.mktemp("runs") / "graded"
        evalkit.run(
            "openai:s", ["rumtbench-mini"], limit=1, base_url=server.url, seed=5, canaries=0,
            judge=JURY.model_copy(update={"base_url": server.url}), output=output,
        )  # fmt: skip
        shutil.copytree(output, output.with_name("same"))
        yield output


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    (sample,) = open_task("rumtbench-mini").samples(split="test", limit=1, seed=0)
    path = tmp_path / "answers.jsonl"
    path.write_bytes(orjson.dumps({"id": sample.id, "responses": ["Да."] * len(sample.turns)}))
    return path


def test_a_run_says_it_and_is_read_again(graded: Path) -> None:
    manifest = read_manifest(graded)
    judge = manifest.spec.judge
    assert judge == JURY.model_copy(update={"base_url": judge.base_url})
    assert [member["language"] for member in manifest.judge["members"]] == ["en", "en"]
    assert (manifest.judge["rule"], manifest.judge["quorum"]) == ("median", 1)
    before, after = evalkit.rescore(graded)
    assert before.tasks == after.tasks


CALLS: dict[str, Callable[..., Any]] = {
    "run": lambda graded, answers, output, **judge: evalkit.run(
        "openai:s", ["rumtbench-mini"], base_url=ADDRESS, seed=5, output=output, **judge
    ),
    "score": lambda graded, answers, output, **judge: evalkit.score(
        "rumtbench-mini", answers, output=output, seed=5, **judge
    ),
    "judge run": lambda graded, answers, output, **judge: judge_again(graded, output, **judge),
    "judge pairwise": lambda graded, answers, output, **judge: compare_answers(
        [graded, graded.with_name("same")], output, **judge
    ),
    "judge passport": lambda graded, answers, output, **judge: passport_of(judge.pop("judge"), output, **judge),
}


@pytest.mark.parametrize("judge", [{"judge": JURY}, NAMED], ids=["one value", "named"])
@pytest.mark.parametrize("call", CALLS)
def test_calls_open_the_same_judge(
    call: str,
    judge: dict[str, Any],
    graded: Path,
    answers: Path,
    tmp_path: Path,
    opened: list[tuple[JudgeSpec, int]],
) -> None:
    with pytest.raises(OpenedError):
        CALLS[call](graded, answers, tmp_path / "output", **judge)
    assert opened == [(JURY, 5 if call in ("run", "score", "judge run") else 0)]


@pytest.mark.parametrize("command", CALLS)
def test_commands_open_the_same_judge(
    command: str, graded: Path, answers: Path, tmp_path: Path, opened: list[tuple[JudgeSpec, int]]
) -> None:
    words = {
        "run": ["--model", "openai:s", "--tasks", "rumtbench-mini", "--base-url", ADDRESS, "--seed", "5", *ENGLISH],
        "score": ["rumtbench-mini", "--responses", str(answers), "--seed", "5", *ENGLISH],
        "judge run": [str(graded), *ENGLISH],
        "judge pairwise": [str(graded), str(graded.with_name("same")), *ENGLISH],
        "judge passport": [],
    }[command]
    done = CliRunner().invoke(cli.app, [*command.split(), *words, *OPTIONS, "-o", str(tmp_path / "output")])
    assert isinstance(done.exception, OpenedError), done.output
    # A passport is measured in both languages, and its command has none to choose.
    expected = JURY if words else JURY.model_copy(update={"language": "ru"})
    assert opened == [(expected, 5 if command in ("run", "score", "judge run") else 0)]


def test_a_jury_that_compares_goes_by_the_majority(graded: Path, tmp_path: Path, opened: list[Any]) -> None:
    with pytest.raises(OpenedError):
        compare_answers(
            [graded, graded.with_name("same")], tmp_path, judge=["openai:one", "openai:two"], base_url=ADDRESS
        )
    assert opened[0][0] == JudgeSpec(models=JURY.models, base_url=ADDRESS, rule="majority")


RECIPE = """
model: embedded
steps: 1
prompts: {talk: {task: rumtbench-mini}}
judge:
  models: [openai:one, openai:two]
  base_url: http://127.0.0.1:9/v1
  language: en
  rule: median
"""


def test_a_recipe_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    judge = read_recipe(path).judge
    assert isinstance(judge, JudgeSpec)
    said = judge.model_dump()
    # As trainings of before there were options have it in their recipe.json.
    assert list(said) == ["models", "base_url", "language", "rule"]
    assert JudgeSpec(**said) == JURY.model_copy(update={"options": {}})
    path.write_text(f"{RECIPE}  options: {{temperature: 0.3, defences: no, quorum: 1}}\n")
    assert JudgeSpec(**read_recipe(path).judge.model_dump()) == JURY


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        ("{}", "field 'judge.models': it is missing"),
        ("{models: [a], rulle: min}", "field 'judge.rulle': no such field. Did you mean 'rule'?"),
        ("{models: [a], language: de}", "field 'judge.language': Input should be 'ru' or 'en', got 'de'"),
        ("{models: [a], options: {quorum: 1}}", "field 'judge': --judge-option quorum applies only to a jury"),
    ],
)
def test_a_recipe_is_told_where_it_is_wrong(tmp_path: Path, judge: str, told: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.partition("judge:")[0] + f"judge: {judge}\n")
    with pytest.raises(InputError, match=re.escape(f"{path}:5: {told}")):
        read_recipe(path)
