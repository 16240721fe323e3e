"""``vllm:`` models: the servers' lives with a stand-in for vLLM, the answers with the real CPU engine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import EvalkitError, InputError, MissingExtraError, ModelError, UsageError
from evalkit.evals.models.base import LikelihoodModel, Model, ModelOptions, Sampling
from evalkit.evals.models.hf.model import open_hf
from evalkit.evals.models.likelihood import TokenCutter
from evalkit.evals.models.vllm import server as vllm_server
from evalkit.evals.models.vllm.model import VllmModel, open_vllm
from evalkit.tasks.types import Message

FAKE = Path(__file__).parents[2] / "support" / "fake_vllm.py"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that claims to have vLLM."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv("FAKE_VLLM_NOTES", str(notes))
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND", raising=False)
    return python


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As much of a model as is looked at before vLLM is started."""
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text(json.dumps({"max_position_embeddings": 512, "dtype": "float16"}))
    (place / "chat_template.jinja").write_text("{{ messages }}")
    return place


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    place = tmp_path / "adapter"
    place.mkdir()
    (place / "adapter_config.json").write_text('{"r": 12}')
    (place / "adapter_model.safetensors").write_bytes(b"weights")
    return place


def opened(name: Path | str, python: Path, **extra: str) -> VllmModel:
    return open_vllm(str(name), ModelOptions(extra={"python": str(python), **extra}, timeout=10))


def with_model(model: Any, use: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(run())


async def ask(model: Model, *texts: str) -> list[Any]:
    chats = ([Message("user", text)] for text in texts)
    return await asyncio.gather(
        *(model.generate(chat, Sampling(max_tokens=8)) for chat in chats), return_exceptions=True
    )


def started(python: Path) -> list[dict[str, Any]]:
    """What each server that was started noted about itself."""
    notes = [json.loads(file.read_text()) for file in (python.parent / "notes").iterdir()]
    return sorted(notes, key=lambda note: str(note["environment"].get("CUDA_VISIBLE_DEVICES")))


def option(note: dict[str, Any], name: str) -> str:
    arguments: list[str] = note["arguments"]
    return arguments[arguments.index(name) + 1]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in status(pid) for pid in pids):
        assert time.monotonic() < deadline, f"{pids} still run"
        time.sleep(0.05)


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ"


def test_a_server_is_started_asked_and_ended(fake: Path, folder: Path) -> None:
    model = opened(folder, fake)
    (note,) = started(fake)
    assert note["arguments"][:2] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert option(note, "--model") == str(folder)
    assert option(note, "--host") == "127.0.0.1"
    assert option(note, "--dtype") == "float32"
    assert option(note, "--max-model-len") == "512"
    assert option(note, "--generation-config") == "vllm"
    assert "--enforce-eager" in note["arguments"]
    assert "--chat-template" not in note["arguments"]
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    assert note["environment"]["VLLM_CPU_OMP_THREADS_BIND"] == cores
    assert note["environment"]["VLLM_NO_USAGE_STATS"] == "1"
    assert model.identity["vllm"] == "0.1"
    assert model.identity["batch_invariant"] is False
    assert len(model.identity["chat_template_sha256"]) == 64
    (answer,) = with_model(model, lambda model: ask(model, "Привет"))
    assert answer.text == f"model {option(note, '--port')}"
    wait_until_gone(note["pids"])
    assert not list(fake.parent.glob("*.log"))


def test_options_reach_the_server(
    fake: Path, folder: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_VLLM_FOUND", '{"vllm": "0.32.0"}')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    template = tmp_path / "own.jinja"
    template.write_text("{{ messages[0] }}")
    name = f"{folder}+lora:{adapter}"
    settings = {"chat_template": str(template), "think": "false", "replicas": "2", "tensor_parallel": "2"}
    model = opened(name, fake, context="128", **settings)
    first, second = started(fake)
    assert first["arguments"][:4] == ["-m", "vllm.entrypoints.cli.main", "serve", str(folder)]
    assert option(first, "--dtype") == "float16"
    assert option(first, "--max-model-len") == "128"
    assert option(first, "--chat-template") == str(template)
    assert json.loads(option(first, "--default-chat-template-kwargs")) == {"enable_thinking": False}
    assert option(first, "--max-lora-rank") == "16"
    assert option(first, "--lora-modules") == f"adapter={adapter}"
    assert "--enforce-eager" not in first["arguments"]
    devices = [note["environment"]["CUDA_VISIBLE_DEVICES"] for note in (first, second)]
    assert devices == ["4,5", "6,7"]
    assert model.identity["device"] == "gpu"
    assert len(model.identity["adapter_sha256"]) == 64
    assert model.name == f"vllm:{name}"
    answers = with_model(model, lambda model: ask(model, *"abcdef"))
    ports = {option(note, "--port") for note in (first, second)}
    assert {answer.text for answer in answers} == {f"adapter {port}" for port in ports}


def test_plain_text_keeps_its_bos(fake: Path, folder: Path) -> None:
    model = opened(folder, fake, chat_template="plain")
    (note,) = started(fake)
    assert "bos_token" in option(note, "--chat-template")
    assert model.identity["chat_template"] == "plain"
    with_model(model, lambda model: ask(model, "a"))


def test_a_server_that_does_not_start_says_why(fake: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VLLM_FATE", "refuse")
    with pytest.raises(
        ModelError, match=r"vLLM exited: ValueError: no such architecture \(its log is .*\.log\)"
    ) as caught:
        opened(folder, fake)
    assert caught.value.fatal
    assert "\n" not in str(caught.value)


def test_the_others_go_on_when_a_replica_dies(fake: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VLLM_FATE", "die")
    monkeypatch.setenv("FAKE_VLLM_FOUND", '{"vllm": "0.32.0"}')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")

    async def use(model: VllmModel) -> None:
        first, second = (option(note, "--port") for note in started(fake))
        (survivor,) = await ask(model, f"die {first}")
        assert survivor.text == f"model {second}"
        assert {answer.text for answer in await ask(model, *"abcd")} == {f"model {second}"}
        (nobody,) = await ask(model, f"die {second}")
        assert isinstance(nobody, ModelError)
        assert nobody.fatal

    with_model(opened(folder, fake, replicas="2"), use)


def test_servers_do_not_outlive_a_killed_evalkit(fake: Path, folder: Path) -> None:
    program = f"""
import time
from evalkit.evals.models.base import ModelOptions
from evalkit.evals.models.vllm.model import open_vllm
open_vllm({str(folder)!r}, ModelOptions(extra={{"python": {str(fake)!r}}}))
print("ready", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as evalkit:
        assert evalkit.stdout is not None
        assert evalkit.stdout.readline() == "ready\n"
        (note,) = started(fake)
        evalkit.send_signal(signal.SIGKILL)
    wait_until_gone(note["pids"])


def test_likelihoods_are_read_from_the_prompt(fake: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Letters:
        bos_token_id = 1
        eos_token_id = 2

        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return [1] * add_special_tokens + [ord(letter) for letter in text]

        def decode(self, tokens: list[int]) -> str:
            return "".join(map(chr, tokens))

    async def use(model: VllmModel) -> None:
        assert isinstance(model, LikelihoodModel)
        model._cutter = TokenCutter(Letters(), model.context - 2)
        found = await model.loglikelihood([("ab", "dd"), ("ab", "de"), ("", "b")])
        assert found == [(pytest.approx(-20.0), True), (pytest.approx(-20.1), False), (pytest.approx(-9.8), True)]
        assert await model.loglikelihood_rolling(["bbb"]) == [pytest.approx(-29.5)]
        with pytest.raises(ModelError, match="no such token"):
            await model.loglikelihood([("a", "я")])

    with_model(opened(folder, fake), use)


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        ({"dtype": "float8"}, UsageError, "one of float32"),
        ({"replica": "2"}, UsageError, "Did you mean 'replicas'"),
        ({"replicas": "100000"}, UsageError, "replicas=100000: there are"),
        ({"chat_template": "no.jinja"}, InputError, "No such file"),
    ],
)
def test_mistakes_are_named(fake: Path, folder: Path, extra: dict[str, str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        opened(folder, fake, **extra)
    assert not started(fake)


def test_where_vllm_is_looked_for(
    fake: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        opened(folder, tmp_path / "nothing")
    monkeypatch.setenv("FAKE_VLLM_FOUND", "{}")
    with pytest.raises(UsageError, match="has no vllm"):
        opened(folder, fake)
    monkeypatch.setattr(vllm_server.sys, "executable", str(fake))
    with pytest.raises(MissingExtraError, match=r"evalkit-ru\[vllm\]"):
        open_vllm(str(folder), ModelOptions())
    monkeypatch.setenv("FAKE_VLLM_FOUND", '{"vllm": "0.32.0"}')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UsageError, match="replicas=2 of 1 GPUs each: there are 1"):
        opened(folder, fake, replicas="2")


def test_models_that_lack_something(fake: Path, folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="chat_template=plain"):
        opened(folder, fake)
    templates = [{"name": "tools", "template": "x"}, {"name": "default", "template": "y"}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": templates}))
    (folder / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="add ',context=TOKENS'"):
        opened(folder, fake)
    assert not started(fake)


# -- the real engine ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> str:
    """The interpreter that has vLLM: ``$EVALKIT_VLLM_PYTHON``, or this one."""
    pytest.importorskip("transformers", reason="needs evalkit-ru[hf]")
    python = os.environ.get("EVALKIT_VLLM_PYTHON", sys.executable)
    try:
        vllm_server.find_vllm(python)
    except UsageError as error:
        pytest.skip(f"no vLLM: {error}")
    return python


@pytest.fixture(scope="module")
def smollm2() -> Path:
    from evalkit.evals.models.weights.catalog import find_entry
    from evalkit.evals.models.weights.checkpoints import gguf_to_safetensors
    from evalkit.evals.models.weights.fetching import fetch

    try:
        return gguf_to_safetensors(fetch(find_entry("smollm2-135m")))
    except EvalkitError as error:
        pytest.skip(f"no SmolLM2 weights: {error}")


@pytest.fixture
def random_adapter(smollm2: Path, tmp_path: Path) -> Iterator[Path]:
    peft = pytest.importorskip("peft", reason="needs evalkit-ru[hf]")
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(smollm2)
    config = peft.LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    peft.get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    yield tmp_path / "adapter"


@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_real_engine_agrees_with_transformers(engine: str, smollm2: Path) -> None:
    question = "What is the capital of France? Answer with one word."
    pairs = [("The capital of France is", " Paris"), ("The capital of France is", " London"), ("2 + 2 =", " 4")]

    async def use(model: VllmModel) -> tuple[Any, ...]:
        answer, cut, *_ = await ask(model, question, "Tell a story.")
        too_long = await ask(model, "sea " * 2000)
        return (
            answer,
            cut,
            too_long[0],
            await model.loglikelihood(pairs),
            await model.loglikelihood_rolling([question]),
        )

    options = ModelOptions(extra={"python": engine, "context": "1024", "kv_cache_gib": "1"})
    answer, cut, too_long, found, rolling = with_model(open_vllm(str(smollm2), options), use)
    assert "Paris" in answer.text
    assert answer.finish_reason == "stop"
    assert (cut.finish_reason, cut.usage.completion_tokens) == ("length", 8)
    assert isinstance(too_long, ModelError)
    assert not too_long.fatal
    assert "maximum context length" in str(too_long)

    async def on_hf() -> tuple[Any, ...]:
        model = open_hf(str(smollm2), ModelOptions(extra={"device": "cpu"}))
        try:
            return await model.loglikelihood(pairs), await model.loglikelihood_rolling([question])
        finally:
            await model.close()

    expected, expected_rolling = asyncio.run(on_hf())
    assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]
    assert [value for value, _ in found] == pytest.approx([value for value, _ in expected], abs=1e-3)
    assert rolling == pytest.approx(expected_rolling, abs=1e-2)


@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_real_engine_puts_an_adapter_on_two_replicas(engine: str, smollm2: Path, random_adapter: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two replicas need two cores")
    options = ModelOptions(extra={"python": engine, "context": "512", "kv_cache_gib": "1", "replicas": "2"})
    name = f"{smollm2}+lora:{random_adapter}"
    question = "What is the capital of France?"
    answers = with_model(open_vllm(name, options), lambda model: ask(model, *[question] * 4))
    (expected,) = with_model(
        open_hf(name, ModelOptions(extra={"device": "cpu"})), lambda model: ask(model, question)
    )
    assert {answer.text for answer in answers} == {expected.text}
    assert "Paris" not in expected.text
