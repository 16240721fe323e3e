"""lm-eval's tasks as evalkit's: names, options, prompts, verdicts, refusals. No model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from evalkit.errors import InputError, UsageError
from evalkit.evals.run import run
from evalkit.tasks.types import Completion, Context, Message, Sample, Status, Task
from evalkit.tests.support.lm_eval_tasks import SUMS, write_tasks

pytest.importorskip("lm_eval", reason="needs evalkit-ru[lm-eval]")

from evalkit.evals.lm_eval.bridge import open_lm_eval

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and what it pulls in warn about their own insides


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("lm_eval"))


@pytest.mark.exhaustive
def test_the_search_for_names_finds_what_lm_evals_own_index_does() -> None:
    from evalkit.evals.lm_eval import find
    from lm_eval.tasks import TaskManager

    found = find._names(find._stock_folder())
    index = TaskManager().task_index
    assert found.keys() == index.keys()
    for name, entry in index.items():
        if entry.tags and entry.yaml_path is None:
            assert {find._plain(file).get("task") for file in found[name]} == entry.tags, name


def test_a_name_or_a_tag_is_found_in_the_include_path(folder: Path) -> None:
    task = open_lm_eval(f"own_sums,include_path={folder}")
    assert isinstance(task, Task)
    assert (task.name, task.title) == (f"lm_eval:own_sums,include_path={folder}", "own_sums")
    assert task.version.startswith("2.0 (lm-eval 0.4")
    assert list(open_lm_eval(f"own_tag,include_path={folder}").tasks) == ["own_choices", "own_texts"]


def test_samples_are_the_same_each_time_even_when_two_walks_alternate(folder: Path) -> None:
    task = open_lm_eval(f"{folder}/own_choices.yaml,num_fewshot=2")
    walks: list[Iterator[Sample]] = [iter(task.samples(split="test", limit=None, seed=seed)) for seed in (0, 1)]
    pairs = list(zip(*walks, strict=True))
    assert len(pairs) == 24
    assert all(first == second for first, second in pairs)
    assert len({first.continuations[0][0].partition("\n\n")[0] for first, _ in pairs}) > 1


def test_the_chat_template_option_gives_messages(folder: Path) -> None:
    turns = next(
        iter(
            open_lm_eval(f"{folder}/own_sums.yaml,num_fewshot=1,apply_chat_template=true").samples(
                split="test", limit=1, seed=0
            )
        )
    )
    assert [message.role for message in turns.messages] == ["user", "assistant", "user"]
    assert turns.messages[-1].content.endswith(" =")
    assert turns.sampling == {"stop": ["\n"], "temperature": 0.0, "max_tokens": 8}
    one = next(
        iter(
            open_lm_eval(
                f"{folder}/own_sums.yaml,num_fewshot=1,apply_chat_template=true,fewshot_as_multiturn=false"
            ).samples(split="test", limit=1, seed=0)
        )
    )
    assert [message.role for message in one.messages] == ["user"]
    assert one.messages[0].content.startswith(turns.messages[0].content)


@pytest.mark.parametrize(
    ("name", "message"),
    [("own_rolling", "needs more than log-likelihoods of a chat"), ("own_pairs", "no prompt made of messages")],
)
def test_what_is_no_chat_takes_no_chat_template(folder: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(open_lm_eval(f"{folder}/{name}.yaml,apply_chat_template=true").samples(split="test", limit=1, seed=0))


def test_an_answer_that_is_begun_for_the_model_takes_no_chat_template(folder: Path) -> None:
    path = changed(folder, SUMS, metadata='gen_prefix: "The sum is"\nmetadata:')
    (sample,) = open_lm_eval(path).samples(split="test", limit=1, seed=0)
    assert sample.messages[0].content.endswith("The sum is")
    with pytest.raises(UsageError, match=r"prefills the assistant's answer .'The sum is'."):
        list(open_lm_eval(f"{path},apply_chat_template=true").samples(split="test", limit=1, seed=0))


def test_a_file_takes_the_place_of_the_documents(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"a": 40, "b": 2, "sum": "42"}\n')
    task = open_lm_eval(f"{folder}/own_sums.yaml")
    (sample,) = task.read(file)
    assert sample.messages == (Message("user", "40 + 2 ="),)
    score = task.score(sample, Completion(" 42.", finish_reason="length"), Context())
    assert (score.value, score.status) == (1.0, Status.TRUNCATED)
    assert score.parts == {
        "task": "own_sums",
        "metrics": {"exact_match,digits": 1.0, "exact_match,as_written": 0.0},
        "filtered": {"digits": ["42"], "as_written": [" 42."]},
    }
    assert task.score(sample, Completion(""), Context()).status is Status.EMPTY
    with pytest.raises(UsageError, match="is a group; give a file to one of its tasks"):
        next(iter(open_lm_eval(f"{folder}/own_group.yaml").read(file)))


def test_a_text_is_no_answer_to_a_question_about_likelihoods(folder: Path) -> None:
    task = open_lm_eval(f"{folder}/own_choices.yaml")
    sample = next(iter(task.samples(split="test", limit=1, seed=0)))
    score = task.score(sample, Completion("5"), Context())
    assert (score.value, score.status) == (None, Status.SCORER_ERROR)


def changed(folder: Path, text: str, **replaced: str) -> str:
    """Write a variant of a task beside the others and return its path."""
    text = text.format(folder=folder)
    for old, new in replaced.items():
        text = text.replace({"until": 'until: ["\\n"]', "metadata": "metadata:"}[old], new)
    file = folder / "variants" / f"{abs(hash(text))}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"until": 'until: ["\\n"], top_k: 5'}, "its generation argument top_k=5 cannot be passed on"),
        ({"metadata": "repeats: 8\nmetadata:"}, "asks for 8 answers to each document.*repeats=1 asks once"),
        ({"metadata": "unsafe_code: true\nmetadata:"}, "confirm_run_unsafe_code=true"),
        ({"metadata": "doc_to_image: a\nmetadata:"}, "is multimodal"),
    ],
)
def test_what_cannot_be_asked_is_refused(folder: Path, replaced: dict[str, str], message: str) -> None:
    path = changed(folder, SUMS, **replaced)
    with pytest.raises(UsageError, match=message):
        list(open_lm_eval(path).samples(split="test", limit=1, seed=0))


def test_a_task_that_repeats_is_asked_once_on_request(folder: Path) -> None:
    path = changed(folder, SUMS, metadata="repeats: 8\nmetadata:")
    assert len(list(open_lm_eval(f"{path},repeats=1").samples(split="test", limit=3, seed=0))) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xwinograd_rus", r"unknown lm-eval task 'xwinograd_rus'\. Did you mean 'xwinograd_ru'"),
        ("own_sums", r"unknown lm-eval task 'own_sums'\."),
        ("no/such/file.yaml", "there is no file"),
        ("arc_ru,few_shot=2", r"'few_shot=2' is not an option\. Did you mean .*'num_fewshot'"),
        ("arc_ru,num_fewshot=two", "num_fewshot: .*integer"),
        ("arc_ru,num_fewshot", "'num_fewshot' is not an option"),
        ("", "name: "),
    ],
)
def test_a_wrong_name_or_option_is_said(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_lm_eval(name)


def test_data_out_of_reach_are_an_input_error(folder: Path) -> None:
    path = changed(folder, SUMS.replace("{folder}/train.jsonl", "{folder}/nowhere.jsonl"))
    with pytest.raises(InputError, match="lm-eval cannot load it: FileNotFoundError: Unable to find"):
        open_lm_eval(path)


def test_a_model_that_cannot_measure_is_refused_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"prompt": "x", "response": "x"}\n')
    with pytest.raises(UsageError, match=r"needs log-likelihoods, which replay:.* cannot give"):
        run(f"replay:{tmp_path}/answers.jsonl", [f"lm_eval:{folder}/own_choices.yaml"], output=tmp_path / "run")
