"""The backends without a server: GGUF files on llama.cpp for real, and answers from a file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from evalkit.errors import InputError, ModelError, UsageError
from evalkit.evals.models.base import Model, ModelOptions, Sampling
from evalkit.evals.models.catalog import find_entry
from evalkit.evals.models.llamacpp import open_gguf
from evalkit.evals.models.replay import open_replay
from evalkit.evals.models.weights import fetch
from evalkit.tasks.types import Completion, Message


def ask(model: Model, prompt: str, sampling: Sampling | None = None) -> Completion:
    return asyncio.run(model.generate([Message("user", prompt)], sampling or Sampling()))


def test_a_file_that_is_not_there_and_one_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no file"):
        open_gguf(str(tmp_path / "none.gguf"), ModelOptions())
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        open_gguf(str(tmp_path / "text.gguf"), ModelOptions())


@pytest.mark.embedded
def test_a_broken_gguf_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="llama.cpp cannot load"):
        open_gguf(str(tmp_path / "broken.gguf"), ModelOptions())


@pytest.mark.embedded
def test_a_real_model_answers_cuts_and_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_THREADS", "1")
    weights = fetch(find_entry("smollm2-135m"))

    async def play() -> None:
        model = open_gguf(f"{weights}", ModelOptions(concurrency=2, extra={"context": "512"}))
        try:
            france = [Message("user", "What is the capital of France? One word.")]
            first, second = [await model.generate(france, Sampling(max_tokens=24)) for _ in range(2)]
            assert "Paris" in first.text
            assert first.text == second.text
            assert first.usage.prompt_tokens
            cut = await model.generate([Message("user", "Tell me a long story.")], Sampling(max_tokens=4))
            assert cut.finish_reason == "length"
            assert cut.usage.completion_tokens == 4
            with pytest.raises(ModelError, match=r"exceed|context") as caught:
                await model.generate([Message("user", "слово " * 2000)], Sampling(max_tokens=4))
            assert not caught.value.fatal
            assert model.identity["sha256"] == find_entry("smollm2-135m").sha256
        finally:
            await model.close()

    asyncio.run(play())


def test_answers_come_back_by_prompt_and_in_turn(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [
        {"prompt": "раз", "response": "1"},
        {"prompt": "два", "response": "2"},
        {"prompt": "раз", "response": "I"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = open_replay(str(file), ModelOptions())
    assert ask(model, "два").text == "2"
    assert [ask(model, "раз", Sampling(seed=seed)).text for seed in (0, 1, 2)] == ["1", "I", "1"]
    with pytest.raises(ModelError, match="has no answer to this prompt"):
        ask(model, "три")


def test_a_bad_line_or_option_of_a_replay_is_named(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text('{"prompt": "раз", "response": "1"}\n{"prompt": "два"}\n')
    with pytest.raises(InputError, match=r"answers\.jsonl:2: neither"):
        open_replay(str(file), ModelOptions())
    with pytest.raises(UsageError, match="has no option"):
        open_replay(str(file), ModelOptions(extra={"speed": "2"}))
