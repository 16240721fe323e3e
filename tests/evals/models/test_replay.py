"""Answers from a file: matched by prompt, or turn by turn from a run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import InputError, ModelError, UsageError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.replay import open_replay
from evalkit.tasks.types import Completion, Message, Usage


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def ask(path: Path, *messages: str | Message, seed: int | None = 0) -> Completion:
    chat = [Message("user", message) if isinstance(message, str) else message for message in messages]
    return asyncio.run(open_replay(str(path), ModelOptions()).generate(chat, Sampling(seed=seed)))


def test_prompts_and_responses(tmp_path: Path) -> None:
    file = write(
        tmp_path / "answers.jsonl",
        {"id": "1", "prompt": "привет", "response": "здравствуйте"},
        {"prompt": "как дела?", "response": "<think>гм</think>хорошо"},
        {"prompt": "пусто", "response": ""},
    )
    assert ask(file, "привет").text == "здравствуйте"
    assert ask(file, Message("system", "Отвечай."), "привет").text == "здравствуйте"
    assert ask(file, "пусто").text == ""
    answer = ask(file, "как дела?")
    assert (answer.text, answer.reasoning) == ("хорошо", "гм")


def test_several_answers_are_picked_by_the_seed(tmp_path: Path) -> None:
    file = write(tmp_path / "answers.jsonl", *({"prompt": "а", "response": str(number)} for number in range(3)))
    assert [ask(file, "а", seed=seed).text for seed in (0, 1, 2, 3, None)] == ["0", "1", "2", "0", "0"]


def run_line(messages: list[dict[str, str]], completion: dict[str, Any] | None) -> dict[str, Any]:
    return {"task": "t", "id": "1", "epoch": 0, "messages": messages, "completion": completion}


def test_a_run_keeps_all_of_its_answer(tmp_path: Path) -> None:
    completion = {
        "text": "да", "reasoning": "гм", "finish_reason": "length",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2}, "latency": 3.5, "turns": [],
    }  # fmt: skip
    write(tmp_path / "samples.jsonl", run_line([{"role": "user", "content": "привет"}], completion))
    expected = Completion("да", reasoning="гм", finish_reason="length", usage=Usage(5, 2), latency=0.0)
    assert ask(tmp_path, "привет") == ask(tmp_path / "samples.jsonl", "привет") == expected


def test_turns_are_answered_one_by_one(tmp_path: Path) -> None:
    lines = [
        run_line(
            [{"role": "user", "content": opening}, {"role": "user", "content": "продолжи"}],
            {"text": f"{opening} два", "turns": [f"{opening} один", f"{opening} два"]},
        )
        for opening in ("лес", "море")
    ]
    file = write(tmp_path / "samples.jsonl", *lines)
    for opening in ("лес", "море"):
        first = ask(file, opening)
        assert first.text == f"{opening} один"
        assert ask(file, opening, Message("assistant", first.text), "продолжи").text == f"{opening} два"


def test_what_failed_before_is_no_empty_answer(tmp_path: Path) -> None:
    file = write(tmp_path / "samples.jsonl", run_line([{"role": "user", "content": "привет"}], None))
    with pytest.raises(ModelError, match="has no answer to the prompt 'привет'") as caught:
        ask(file, "привет")
    assert not caught.value.fatal


@pytest.mark.parametrize(
    "line",
    [{"id": "1", "response": "да"}, {"prompt": 1, "response": "да"}, {"prompt": "а"}, {"messages": []},
     {"messages": [{}], "completion": {}}, {"messages": "x", "completion": {"text": "y"}}],
)  # fmt: skip
def test_other_lines_are_named(line: dict[str, Any], tmp_path: Path) -> None:
    file = write(tmp_path / "answers.jsonl", {"prompt": "а", "response": "б"}, line)
    with pytest.raises(InputError, match=r"answers\.jsonl:2: "):
        open_replay(str(file), ModelOptions())


def test_no_file_and_no_options(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file not found"):
        open_replay(str(tmp_path / "none.jsonl"), ModelOptions())
    with pytest.raises(UsageError, match="has no option 'n'"):
        open_replay(str(tmp_path / "none.jsonl"), ModelOptions(extra={"n": "1"}))


def test_the_identity_follows_the_file(tmp_path: Path) -> None:
    one = open_replay(str(write(tmp_path / "a.jsonl", {"prompt": "а", "response": "б"})), ModelOptions()).identity
    two = open_replay(str(write(tmp_path / "a.jsonl", {"prompt": "а", "response": "в"})), ModelOptions()).identity
    assert one["sha256"] != two["sha256"]
