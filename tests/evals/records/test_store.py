"""The run directory: torn lines, kills, locks, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from evalkit.errors import InputError, RunError, UsageError
from evalkit.evals.records.rows import SampleRow, encode, read_rows
from evalkit.evals.records.store import RunStore, answer_key
from evalkit.files import Journal, replacing, write_json
from evalkit.files import encode as encode_json
from evalkit.tasks.types import Completion, Score, Status, Usage
from hypothesis import given
from hypothesis import strategies as st


def row(id: str, status: str = "ok", value: float | None = 1.0) -> SampleRow:
    return SampleRow("t", id, 0, Score(value, Status(status)))


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        for id in ("1", "2", "3"):
            store.append(row(id))
    assert [item.id for item in read_rows(tmp_path)] == ["1", "2", "3"]
    with RunStore(tmp_path) as store:
        assert len(store.done) == 3 and all(("t", id, 0) in store.done for id in "123")


@given(cut=st.integers(min_value=1, max_value=120))
def test_a_torn_last_line_is_dropped_and_the_rest_kept(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("run")
    lines = [encode(row(str(number))) for number in range(3)]
    whole = b"".join(lines)
    (folder / "samples.jsonl").write_bytes(whole[: len(whole) - cut])
    with RunStore(folder) as store:
        kept = len(store.done)
        store.append(row("new"))
    assert [item.id for item in read_rows(folder)] == [*map(str, range(kept)), "new"]
    assert kept == whole[: len(whole) - cut].count(b"\n")


def test_a_long_torn_line_is_cut_too(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(encode(row("1")) + b"x" * 300_000)
    Journal(path).close()
    assert path.read_bytes() == encode(row("1"))


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(encode(row("1")) + b"{broken\n" + encode(row("2")))
    with pytest.raises(InputError, match=r"samples\.jsonl:2: not valid JSON"):
        list(read_rows(tmp_path))


def test_unscored_rows_are_taken_out_to_be_tried_again(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.append(row("1"))
        store.append(row("2", "api_error", None))
        store.append(row("3", "truncated", 0.5))
    with RunStore(tmp_path) as store:
        assert len(store.done) == 2 and ("t", "1", 0) in store.done and ("t", "3", 0) in store.done
    assert [item.id for item in read_rows(tmp_path)] == ["1", "3"]


def test_an_answer_is_kept_until_it_is_scored(tmp_path: Path) -> None:
    answer = Completion("да", reasoning="думаю", finish_reason="stop", usage=Usage(3, 1), latency=0.5)
    key = answer_key({"sha256": "…"}, [{"role": "user", "content": "?"}], 0)
    with RunStore(tmp_path) as store:
        store.keep_answer(key, answer)
        store.keep_answer("other", Completion("нет"))
    with RunStore(tmp_path) as store:
        assert store.kept_answer(key) == answer
        assert store.kept_answer("unknown") is None
        store.drop_answers()
    with RunStore(tmp_path) as store:
        assert store.kept_answer(key) is None


def test_the_key_of_an_answer_does_not_depend_on_the_order_of_fields() -> None:
    assert answer_key({"a": 1, "b": 2}) == answer_key({"b": 2, "a": 1})
    assert answer_key({"a": 1, "b": 2}) != answer_key({"a": 1, "b": 3})


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with RunStore(tmp_path), pytest.raises(UsageError, match="another evalkit process"), RunStore(tmp_path):
        pass


def test_nothing_appended_is_lost_by_kill_9(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from evalkit.evals.records.rows import SampleRow
from evalkit.evals.records.store import RunStore
from evalkit.tasks.types import Score
with RunStore(Path({str(tmp_path)!r})) as store:
    for number in range(100):
        store.append(SampleRow("t", str(number), 0, Score(1.0)))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(read_rows(tmp_path))) == 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").symlink_to("/dev/full")
    journal = Journal(tmp_path / "samples.jsonl")
    with pytest.raises(RunError, match=r"No space left on device.*Nothing written so far is lost"):
        journal.append(row("1").as_json())
    os.close(journal._file)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_json(path, {"a": 1})
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert orjson.loads(path.read_bytes()) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["results.json"]


@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_stored(text: str) -> None:
    back = orjson.loads(encode_json({"text": text, "completion": Completion(text)}))
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert back["text"] == back["completion"]["text"] == text
    else:
        assert "\ufffd" in back["text"]
