"""`evalkit score`: what comes out, and one clear line for everything that can be wrong with what goes in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import evalkit
import pytest
from evalkit.errors import InputError, RunError

SAMPLES = [
    {
        "key": 7,
        "prompt": "Расскажи о море без запятых.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
    },
    {
        "key": 8,
        "prompt": "Не меньше трёх слов строчными буквами.",
        "instruction_id_list": ["length_constraints:number_words", "change_case:english_lowercase"],
        "kwargs": [{"relation": "at least", "num_words": 3}, {}],
    },
]


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "samples.jsonl", SAMPLES)


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `evalkit score ruifeval …` as a user does."""
    words = [sys.executable, "-m", "evalkit", "score", "ruifeval", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)


def verdicts(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_of_verdicts_for_each_line_of_answers_in_order(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(
        tmp_path / "answers.jsonl",
        [{"id": 8, "response": "мы слышим как шумит море"}, {"id": "7", "response": "Море, солнце, песок."}],
    )
    result = command("--samples", samples, "--responses", answers, "-o", tmp_path / "out.jsonl")
    assert result.returncode == 0, result.stderr
    first, second = verdicts(tmp_path / "out.jsonl")
    assert list(first) == ["id", "value", "status", "parts", "explanation"]
    assert (first["id"], first["value"], first["status"]) == (8, 1.0, "ok")
    assert first["parts"]["prompt_strict"] is first["parts"]["prompt_loose"] is True
    ids = [item["id"] for item in first["parts"]["instructions"]]
    assert ids == ["length_constraints:number_words", "change_case:english_lowercase"]
    assert (second["id"], second["value"]) == ("7", 0.0)
    assert second["parts"]["instructions"][0]["strict"] is False
    assert "2 verdicts (ok: 2)" in result.stdout


def test_answers_may_be_joined_by_prompt_or_key(tmp_path: Path, samples: Path) -> None:
    rows = [{"prompt": SAMPLES[0]["prompt"], "response": "Море."}, {"key": 8, "response": "a"}]
    answers = jsonl(tmp_path / "answers.jsonl", rows)
    evalkit.score("ruifeval", answers, output=tmp_path / "out.jsonl", samples=samples)
    assert [row["id"] for row in verdicts(tmp_path / "out.jsonl")] == [7, 8]


def test_an_empty_answer_follows_nothing_and_says_so(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [{"id": 7, "response": ""}, {"id": 8, "response": "<think>море"}])
    evalkit.score("ruifeval", answers, output=tmp_path / "out.jsonl", samples=samples, drop_reasoning=True)
    assert [(row["value"], row["status"]) for row in verdicts(tmp_path / "out.jsonl")] == [(0.0, "empty")] * 2


def test_answers_are_scored_as_they_stand_unless_told_otherwise(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [{"id": 7, "response": "<think>Раз, два.</think>Море."}])
    for drop_reasoning in (False, True):
        evalkit.score(
            "ruifeval", answers, output=tmp_path / "out.jsonl", samples=samples, drop_reasoning=drop_reasoning
        )
        assert verdicts(tmp_path / "out.jsonl")[0]["value"] == float(drop_reasoning)


def test_several_answers_to_one_prompt_are_averaged(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [{"id": 7, "responses": ["да", "да, конечно"]}])
    evalkit.score("ruifeval", answers, output=tmp_path / "out.jsonl", samples=samples)
    (row,) = verdicts(tmp_path / "out.jsonl")
    assert row["value"] == 0.5
    assert [sample["value"] for sample in row["parts"]["samples"]] == [1.0, 0.0]


def test_missing_and_repeated_ids_are_said_and_every_line_is_scored(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [{"id": 8, "response": "a"}, {"id": 8, "response": "б"}])
    result = command("--samples", samples, "--responses", answers, "-o", tmp_path / "out.jsonl")
    assert result.returncode == 0
    assert "1 ids occur more than once (first: '8', on lines 1, 2); every line is scored" in result.stderr
    assert "1 of 2 samples have no response (first: '7')" in result.stderr
    assert len(verdicts(tmp_path / "out.jsonl")) == 2


GOOD = {"id": 7, "response": "да"}
BAD_ANSWERS = {
    "an id of no sample": ([GOOD, {"id": 99, "response": ""}], "answers.jsonl:2: no sample of .* has the id '99'"),
    "no id": ([{"response": "да"}], "answers.jsonl:1: no 'id' field"),
    "no response": ([GOOD, {"id": 8}], "answers.jsonl:2: no 'response' field"),
    "a response that is no text": (
        [{"id": 7, "response": 5}],
        "answers.jsonl:1: 'response' must be a string, not int",
    ),
    "no responses in the list": ([{"id": 7, "responses": []}], "answers.jsonl:1: 'responses' must be a list"),
    "a line that is no object": ([GOOD, [1]], "answers.jsonl:2: "),
}


@pytest.mark.parametrize(("rows", "message"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_line_of_answers_is_named(tmp_path: Path, samples: Path, rows: list[Any], message: str) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", rows)
    with pytest.raises(InputError, match=message):
        evalkit.score("ruifeval", answers, output=tmp_path / "out.jsonl", samples=samples)
    assert not (tmp_path / "out.jsonl").exists()


def changed(**fields: Any) -> list[dict[str, Any]]:
    return [SAMPLES[0], {**SAMPLES[1], **fields}]


BAD_SAMPLES = {
    "an unknown instruction": (
        changed(instruction_id_list=["length_constraints:number_word", "change_case:english_lowercase"]),
        r"samples.jsonl:2: .*Did you mean 'length_constraints:number_words'",
    ),
    "a missing kwarg": (changed(kwargs=[{"relation": "at least"}, {}]), r"samples.jsonl:2: .*num_words"),
    "a kwarg of another type": (
        changed(kwargs=[{"relation": "at least", "num_words": "три"}, {}]),
        r"samples.jsonl:2: .*num_words",
    ),
    "too few kwargs": (changed(kwargs=[{}]), r"samples.jsonl:2: "),
    "no prompt": ([{"key": 1, "instruction_id_list": [], "kwargs": []}], r"samples.jsonl:1: .*prompt"),
    "a key twice": ([SAMPLES[0], SAMPLES[0]], r"samples.jsonl:2: .*7"),
}


@pytest.mark.parametrize(("rows", "message"), BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_a_bad_line_of_samples_is_named(tmp_path: Path, rows: list[Any], message: str) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [GOOD])
    bad = jsonl(tmp_path / "samples.jsonl", rows)
    with pytest.raises(InputError, match=message):
        evalkit.score("ruifeval", answers, output=tmp_path / "out.jsonl", samples=bad)


def test_a_broken_line_is_named_by_its_number(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [GOOD])
    answers.write_text(answers.read_text() + '{"id": 8, "respo\n')
    result = command("--samples", samples, "--responses", answers, "-o", tmp_path / "out.jsonl")
    assert result.returncode == 2
    assert f"{answers}:2: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("missing", ["--samples", "--responses"])
def test_a_missing_file_is_one_line(tmp_path: Path, samples: Path, missing: str) -> None:
    files = {"--samples": samples, "--responses": jsonl(tmp_path / "answers.jsonl", [GOOD])}
    files[missing] = tmp_path / "nowhere.jsonl"
    words = [word for pair in files.items() for word in pair]
    result = command(*words, "-o", tmp_path / "out.jsonl")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "nowhere.jsonl" in result.stderr


def test_an_unknown_task_is_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "evalkit", "score", "ruifevl", "--responses", "x", "-o", "y"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "evalkit: unknown task 'ruifevl'. Did you mean 'ruifeval' or 'ruifeval-mini' or " + (
        "'ruifeval-fixed'?\n"
    )


def unwritable_folders() -> list[str]:
    """Folders in which not even root can make a file."""
    return [folder for folder in ("/proc", "/sys") if Path(folder).is_dir()]


@pytest.mark.parametrize("folder", unwritable_folders())
def test_a_read_only_folder_is_one_line(tmp_path: Path, samples: Path, folder: str) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [GOOD])
    result = command("--samples", samples, "--responses", answers, "-o", f"{folder}/out.jsonl")
    assert result.returncode == 1
    assert f"cannot write {folder}/out.jsonl" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_no_space_leaves_the_earlier_file_alone(tmp_path: Path, samples: Path) -> None:
    import resource

    answers = jsonl(tmp_path / "answers.jsonl", [GOOD] * 100)
    (tmp_path / "out.jsonl").write_text("earlier\n")

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    result = command(
        "--samples", samples, "--responses", answers, "-o", tmp_path / "out.jsonl", preexec_fn=small_files_only
    )
    assert result.returncode == 1
    assert "cannot write" in result.stderr
    assert (tmp_path / "out.jsonl").read_text() == "earlier\n"
    assert not list(tmp_path.glob("*.part"))


def test_an_error_of_the_disk_is_a_run_error(tmp_path: Path, samples: Path) -> None:
    answers = jsonl(tmp_path / "answers.jsonl", [GOOD])
    with pytest.raises(RunError, match="No such file or directory"):
        evalkit.score("ruifeval", answers, output=tmp_path / "no" / "folder" / "out.jsonl", samples=samples)
