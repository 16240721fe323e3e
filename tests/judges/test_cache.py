"""The cache of verdicts: nothing paid for is lost or asked twice, whatever is killed or asked at once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from evalkit.errors import ModelError, RunError
from evalkit.judges.cache import VerdictCache, answer_key
from evalkit.tasks.types import Completion, Message, Usage
from evalkit.tests.support.scripted import ScriptedModel

WORDS = "Оценка: [[8]]"
ABOUT = {"judge": "j", "form": "rating", "draw": 0}


def asking(model: ScriptedModel) -> Callable[[], Awaitable[Completion]]:
    return lambda: model.ask((), {})


def ask(path: Path, *keys: str, model: ScriptedModel) -> list[Completion]:
    async def run() -> list[Completion]:
        cache = VerdictCache(path)
        try:
            return list(await asyncio.gather(*(cache.answer(key, ABOUT, asking(model)) for key in keys)))
        finally:
            cache.close()

    return asyncio.run(run())


def test_an_answer_is_paid_for_once_and_comes_back_whole(tmp_path):
    answer = Completion("<b>Оценка</b>: [[8]]\u2028", None, "stop", Usage(5, 2), 0.25)
    model = ScriptedModel(answer)
    first = ask(tmp_path / "deep" / "verdicts.jsonl", "a", model=model)
    again = ask(tmp_path / "deep" / "verdicts.jsonl", "a", model=model)
    assert model.calls == 1
    assert first == again == [answer]


def test_the_file_tells_what_was_asked(tmp_path):
    ask(tmp_path / "v", "a", model=ScriptedModel(WORDS))
    (record,) = map(json.loads, (tmp_path / "v").read_text().splitlines())
    assert record["judge"] == "j"
    assert record["form"] == "rating"
    assert record["completion"]["text"] == "Оценка: [[8]]"


def test_identical_requests_at_once_become_one(tmp_path):
    model = ScriptedModel(WORDS)
    answers = ask(tmp_path / "v", *["same"] * 50, "other", model=model)
    assert model.calls == 2
    assert len(set(map(str, answers))) == 1


def test_a_failure_reaches_all_who_wait_and_is_not_kept(tmp_path):
    failing = ScriptedModel(ModelError("no"))

    async def run() -> list[object]:
        cache = VerdictCache(tmp_path / "v")
        found = await asyncio.gather(
            *(cache.answer("a", ABOUT, asking(failing)) for _ in range(3)), return_exceptions=True
        )
        cache.close()
        return list(found)

    assert [type(error) for error in asyncio.run(run())] == [ModelError] * 3
    assert failing.calls == 1
    assert (tmp_path / "v").read_bytes() == b""
    assert ask(tmp_path / "v", "a", model=ScriptedModel(WORDS))[0].text == "Оценка: [[8]]"


def test_one_who_stops_waiting_does_not_stop_the_others(tmp_path):
    model = ScriptedModel(WORDS)

    async def run() -> str:
        cache = VerdictCache(tmp_path / "v")
        first = asyncio.ensure_future(cache.answer("a", ABOUT, asking(model)))
        second = asyncio.ensure_future(cache.answer("a", ABOUT, asking(model)))
        await asyncio.sleep(0)
        first.cancel()
        answer = await second
        cache.close()
        return answer.text

    assert asyncio.run(run()) == "Оценка: [[8]]"
    assert model.calls == 1


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_dropped_and_what_follows_is_whole(tmp_path, cut):
    path = tmp_path / "v"
    ask(path, "a", "b", model=ScriptedModel(WORDS))
    os.truncate(path, path.stat().st_size - cut - 1)
    model = ScriptedModel(WORDS)
    ask(path, "a", "b", model=model)
    assert model.calls == 1
    model = ScriptedModel(WORDS)
    ask(path, "a", "b", model=model)
    assert model.calls == 0


def test_a_last_line_that_lacks_only_its_end_counts(tmp_path):
    path = tmp_path / "v"
    ask(path, "a", model=ScriptedModel("первый"))
    os.truncate(path, path.stat().st_size - 1)
    assert [answer.text for answer in ask(path, "a", "b", model=ScriptedModel("второй"))] == ["первый", "второй"]
    assert [answer.text for answer in ask(path, "a", "b", model=ScriptedModel("третий"))] == ["первый", "второй"]


def test_foreign_lines_are_passed_over(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"\n[1, 2]\n{}\n\xff\xfe\nnull\n")
    model = ScriptedModel(WORDS)
    ask(path, "a", model=model)
    ask(path, "a", model=model)
    assert model.calls == 1


def test_two_processes_may_share_the_file(tmp_path):
    """Each writes 200 verdicts of its own and 50 that both have; all lines are whole."""
    program = """
import asyncio, sys
from pathlib import Path
from evalkit.judges.cache import VerdictCache
from evalkit.tasks.types import Completion

async def main(path, name):
    cache = VerdictCache(Path(path))
    async def ask():
        return Completion(name * 2000)
    for number in range(250):
        await cache.answer(f"{name}{number}" if number < 200 else f"both{number}", {}, ask)
    cache.close()

asyncio.run(main(*sys.argv[1:]))
"""
    command = [sys.executable, "-c", program, str(tmp_path / "v")]
    both = [subprocess.Popen([*command, name]) for name in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    records = [json.loads(line) for line in (tmp_path / "v").read_bytes().splitlines()]
    assert len({record["key"] for record in records}) == 450
    assert {record["completion"]["text"] for record in records} == {"a" * 2000, "b" * 2000}


def test_text_that_utf_8_cannot_hold_is_kept_with_a_mark(tmp_path):
    first = ask(tmp_path / "v", "a", model=ScriptedModel("half \ud83d"))
    assert first == ask(tmp_path / "v", "a", model=ScriptedModel("other"))
    assert first[0].text == "half \ufffd"


def test_a_disk_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write .*verdicts.*Nothing written so far is lost"):
        VerdictCache(tmp_path / "file" / "verdicts.jsonl")


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_a_full_disk_stops_the_run_and_keeps_what_is_there(tmp_path):
    path = tmp_path / "v"
    program = """
import asyncio, resource, signal, sys
from pathlib import Path
from evalkit.errors import RunError
from evalkit.judges.cache import VerdictCache
from evalkit.tasks.types import Completion

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

async def main():
    cache = VerdictCache(Path(sys.argv[1]))
    async def ask():
        return Completion("x" * 1000)
    for number in range(9):
        await cache.answer(str(number), {}, ask)

try:
    asyncio.run(main())
except RunError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "cannot write" in result.stdout, result.stderr
    model = ScriptedModel(WORDS)
    ask(path, "0", "1", "2", model=model)
    assert model.calls == 1


PROMPT = [Message("system", "с"), Message("user", "в")]


def test_the_key_names_everything_that_changes_an_answer():
    def key(identity="j", temperature=0.0, messages=PROMPT, draw=0, attempt=0):
        return answer_key({"model": identity}, {"temperature": temperature}, messages, draw=draw, attempt=attempt)

    keys = [
        key(),
        key(identity="k"),
        key(temperature=0.5),
        key(messages=PROMPT[:1]),
        key(draw=1),
        key(attempt=1),
        key(messages=[Message("user", "с"), Message("user", "в")]),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]
