"""llama.cpp in this process: a real small model, one thread."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from evalkit.errors import MissingExtraError, ModelError, UsageError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.llamacpp import LlamaCpp, default_threads, open_embedded, open_gguf
from evalkit.evals.models.weights.catalog import find_entry
from evalkit.evals.models.weights.fetching import fetch
from evalkit.tasks.types import Completion, Message

embedded = pytest.mark.embedded
ENTRY = find_entry("smollm2-135m")
QUESTIONS = (
    "Which city is the capital of France?", "Write a haiku about rain.",
    "Count from one to ten.", "Who wrote Hamlet?",
    "Напиши слово «дом».", "Name three fruits.", "Explain gravity in one sentence.", "What is 2 + 2?",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_THREADS", "1")


@pytest.fixture(scope="session")
def weights() -> Path:
    pytest.importorskip("xllamacpp")
    return fetch(ENTRY)


def using(weights: Path, use: Callable[[LlamaCpp], Awaitable[Any]], slots: int = 2, **extra: str) -> Any:
    """Open the model, use it on an event loop, close it."""

    async def run() -> Any:
        model = open_gguf(str(weights), ModelOptions(concurrency=slots, timeout=120, extra=extra))
        assert isinstance(model, LlamaCpp)
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(run())


async def answers(model: LlamaCpp, questions: Sequence[str], at_once: int, **sampling: Any) -> list[Completion]:
    free = asyncio.Semaphore(at_once)

    async def answer(question: str) -> Completion:
        async with free:
            return await model.generate((Message("user", question),), Sampling(**sampling))

    return await asyncio.gather(*(answer(question) for question in questions))


@embedded
def test_a_real_answer(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    [answer, cut] = using(weights, _two_answers)
    assert "Paris" in answer.text
    assert answer.finish_reason == "stop" and answer.reasoning is None
    assert answer.usage.prompt_tokens == 38 and 5 < answer.usage.completion_tokens < 64
    assert cut.finish_reason == "length" and cut.usage.completion_tokens == 3
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


async def _two_answers(model: LlamaCpp) -> list[Completion]:
    whole = await answers(model, QUESTIONS[:1], 1, max_tokens=64)
    return whole + await answers(model, QUESTIONS[:1], 1, max_tokens=3)


@pytest.mark.exhaustive
@embedded
def test_greedy_answers_with_one_slot_do_not_depend_on_what_was_asked_before(weights: Path) -> None:
    async def three_ways(model: LlamaCpp) -> list[list[str]]:
        forwards = await answers(model, QUESTIONS, 1, max_tokens=24)
        at_once = await answers(model, QUESTIONS, 8, max_tokens=24)
        backwards = await answers(model, QUESTIONS[::-1], 1, max_tokens=24)
        return [[answer.text for answer in way] for way in (forwards, at_once, backwards[::-1])]

    forwards, at_once, backwards = using(weights, three_ways, slots=1, context="256")
    assert forwards == at_once == backwards


@embedded
def test_sampling_follows_the_seed(weights: Path) -> None:
    async def draw(model: LlamaCpp) -> list[str]:
        return [
            (await answers(model, QUESTIONS[1:2], 1, max_tokens=24, temperature=1.0, seed=seed))[0].text
            for seed in (1, 1, 2)
        ]

    first, again, other = using(weights, draw)
    assert first == again != other


@embedded
def test_stop_strings(weights: Path) -> None:
    [answer] = using(weights, lambda model: answers(model, QUESTIONS[:1], 1, max_tokens=32, stop=("Paris",)))
    assert answer.finish_reason == "stop" and answer.text.startswith("The capital") and "Paris" not in answer.text


@embedded
def test_the_own_chat_template_is_applied_once(weights: Path) -> None:
    def post(model: LlamaCpp, path: str, body: dict[str, Any]) -> Any:
        connection = http.client.HTTPConnection(urlsplit(model._server.listening_address).netloc)
        connection.request("POST", path, json.dumps(body), model.client._headers)
        result = json.loads(connection.getresponse().read())
        connection.close()
        return result

    async def compare(model: LlamaCpp) -> None:
        chat = [{"role": "user", "content": QUESTIONS[0]}]
        prompt = post(model, "/apply-template", {"messages": chat})["prompt"]
        assert prompt.count("<|im_start|>") == 3 and prompt.startswith("<|im_start|>system\nYou are a helpful AI")
        tokens = post(model, "/tokenize", {"content": prompt, "add_special": False, "parse_special": True})[
            "tokens"
        ]
        [answer] = await answers(model, QUESTIONS[:1], 1, max_tokens=1)
        assert answer.usage.prompt_tokens == len(tokens)

    using(weights, compare)


@embedded
def test_a_prompt_beyond_the_context_costs_one_sample(weights: Path) -> None:
    async def too_long(model: LlamaCpp) -> ModelError:
        with pytest.raises(ModelError) as caught:
            await answers(model, ["слово " * 500], 1, max_tokens=8)
        assert (await answers(model, QUESTIONS[:1], 1, max_tokens=8))[0].text
        return caught.value

    error = using(weights, too_long, context="256")
    assert not error.fatal
    assert (
        "the prompt has" in str(error)
        and "tokens and the context 256" in str(error)
        and "option context" in str(error)
    )


@embedded
def test_an_answer_that_fills_the_context_is_not_passed_off_as_whole(weights: Path) -> None:
    async def endless(model: LlamaCpp) -> None:
        with pytest.raises(ModelError, match=r"do not fit into the context of 256 tokens") as caught:
            await answers(model, ["Tell me a long story about a dragon."], 1, max_tokens=900)
        assert not caught.value.fatal

    using(weights, endless, context="256")


@embedded
def test_the_identity_names_what_changes_an_answer(weights: Path) -> None:
    async def identity(model: LlamaCpp) -> dict[str, Any]:
        assert model.concurrency in (1, 2) and model.name == f"gguf:{weights.name}"
        return dict(model.identity)

    found = using(weights, identity, context="512")
    assert found["sha256"] == ENTRY.sha256 and found["size"] == ENTRY.size
    assert found["quantisation"] == "Q4_1" and found["context"] == 512 and found["batch_invariant"] is False
    assert len(found["chat_template"]) == 64 and found["engine"].startswith("xllamacpp ")
    assert using(weights, identity, context="512") == found
    assert using(weights, identity, slots=1)["batch_invariant"] is True
    assert using(weights, identity, slots=1, prompt_cache="true")["batch_invariant"] is False


@embedded
def test_other_programs_of_the_machine_are_refused(weights: Path) -> None:
    async def status(model: LlamaCpp) -> int:
        connection = http.client.HTTPConnection(urlsplit(model._server.listening_address).netloc)
        connection.request("POST", "/v1/chat/completions", "{}", {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    assert using(weights, status) == 401


@embedded
def test_closing_while_answers_are_being_written(weights: Path) -> None:
    async def run() -> list[Any]:
        model = open_gguf(str(weights), ModelOptions(concurrency=2))
        writing = [
            asyncio.create_task(model.generate((Message("user", "Tell a long story."),), Sampling(max_tokens=3000)))
            for _ in range(16)
        ]
        # A fast machine may write some of sixteen stories at two places in a second, a slow one none.
        written, _ = await asyncio.wait(writing, timeout=1)
        unfinished = [task for task in writing if task not in written]
        assert unfinished
        for task in unfinished:
            task.cancel()
        await model.close()
        return await asyncio.gather(*unfinished, return_exceptions=True)

    assert all(isinstance(answer, asyncio.CancelledError) for answer in asyncio.run(run()))


PROGRAM = """
import asyncio, sys
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.llamacpp import open_embedded
from evalkit.tasks.types import Message
async def main():
    model = open_embedded("smollm2-135m", ModelOptions(concurrency=1))
    answer = await model.generate((Message("user", "Which city is the capital of France?"),), Sampling())
    print(answer.text)
    if sys.argv[1] == "close":
        await model.close()
asyncio.run(main())
"""


@embedded
@pytest.mark.parametrize("ending", ["close", "forget"])
def test_the_process_ends_in_silence(weights: Path, ending: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, ending]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "Paris" in done.stdout
    if ending == "close":
        assert done.stderr == ""


@embedded
def test_a_file_that_is_cut_short(weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short.gguf"
    with weights.open("rb") as whole:
        short.write_bytes(whole.read(3_000_000))
    with pytest.raises(ModelError, match=r"llama\.cpp cannot load .*short\.gguf: .*EVALKIT_DEBUG=1") as caught:
        open_gguf(str(short), ModelOptions())
    assert caught.value.fatal
    assert capfd.readouterr().err == ""


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*none\.gguf") as missing:
        open_gguf(str(tmp_path / "none.gguf"), ModelOptions())
    assert missing.value.fatal
    (tmp_path / "page.gguf").write_text("<html>")
    with pytest.raises(ModelError, match=r"page\.gguf is not a GGUF file"):
        open_gguf(str(tmp_path / "page.gguf"), ModelOptions())
    with pytest.raises(ModelError, match="there is no file"):
        open_gguf(str(tmp_path), ModelOptions())


def test_an_unknown_embedded_model() -> None:
    with pytest.raises(UsageError, match=r"unknown embedded model 'smollm'\. Did you mean 'smollm2-135m'"):
        open_embedded("smollm", ModelOptions())


@pytest.fixture
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    yield


@pytest.mark.usefixtures("_no_engine")
def test_the_engine_is_an_extra(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    for call in (
        lambda: open_gguf(str(tmp_path / "a.gguf"), ModelOptions()),
        lambda: open_embedded("", ModelOptions()),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'evalkit-ru\[embedded\]'"):
            call()


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_threads() == 1
    monkeypatch.setenv("EVALKIT_THREADS", "many")
    with pytest.raises(UsageError, match="EVALKIT_THREADS=many: a whole number above 0"):
        default_threads()
    monkeypatch.delenv("EVALKIT_THREADS")
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


def test_threads_within_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVALKIT_THREADS")
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("evalkit.evals.models.llamacpp.CGROUP_QUOTA", quota)
    quota.write_text("50000 100000\n")
    assert default_threads() == 1
    quota.write_text("max 100000\n")
    assert default_threads() >= 1


def test_waiting_threads_sleep() -> None:
    """Found on a busy machine, where spinning threads waited for threads that were not running."""
    program = (
        "import os\nfrom evalkit.evals.models import llamacpp\nllamacpp._engine()\n"
        "print(os.environ['OMP_WAIT_POLICY'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout == "passive\n"
