"""The ground's files: one lock for all, whoever holds it; journals with one writer and with several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from evalkit.errors import InputError, RunError, UsageError
from evalkit.files import (
    Journal,
    is_held,
    locked,
    read_journal,
    read_shared_journal,
    take_lock,
    write_lines,
    write_text,
)

fcntl = pytest.importorskip("fcntl", reason="the system has no flock")

OLD_HOLDER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""
"""What releases before this one do to hold a directory."""

HOLDER = """
import sys
from pathlib import Path
from evalkit.files import take_lock
take_lock(Path(sys.argv[1]).parent)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a program until it says that it holds, and kill it at the end of the block."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None and child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("program", [OLD_HOLDER, HOLDER], ids=["an earlier release", "this release"])
def test_one_process_holds_a_directory_until_it_dies(tmp_path: Path, program: str) -> None:
    with process(program, tmp_path / ".lock") as holder:
        assert is_held(tmp_path)
        with pytest.raises(UsageError, match="being written by another evalkit process"):
            take_lock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not is_held(tmp_path)
        os.close(take_lock(tmp_path))


def test_an_earlier_release_is_kept_out_too(tmp_path: Path) -> None:
    lock = take_lock(tmp_path)
    command = [sys.executable, "-c", OLD_HOLDER, str(tmp_path / ".lock")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert "BlockingIOError" in refused.stderr
    os.close(lock)
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def test_one_who_waits_for_a_lock_gets_it_when_the_holder_is_killed(tmp_path: Path) -> None:
    with process(OLD_HOLDER, tmp_path / "lock") as holder:
        waiter = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from pathlib import Path; from evalkit.files import locked\n"
                f"print('waits', flush=True)\n"
                f"with locked(Path({str(tmp_path / 'lock')!r})): print('held', flush=True)",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        with waiter:
            assert waiter.stdout is not None and waiter.stdout.readline() == "waits\n"
            with pytest.raises(subprocess.TimeoutExpired):
                waiter.wait(0.3)
            holder.kill()
            assert waiter.stdout.readline() == "held\n"
    with locked(tmp_path / "lock"):
        pass


WRITER = """
import os, sys
from pathlib import Path
from evalkit.files import Journal
journal = Journal(Path(sys.argv[1]), shared=True)
print("held", flush=True)
number = 0
while True:
    place = journal.append({"writer": sys.argv[2], "number": number, "text": sys.argv[2] * 3000})
    assert journal.read(place)["number"] == number
    number += 1
"""


def test_killed_writers_of_a_shared_journal_lose_no_line_and_tear_none_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "verdicts.jsonl"
    with closing(Journal(path, shared=True)) as mine:
        for round_ in range(3):
            with process(WRITER, path, f"a{round_}") as first, process(WRITER, path, f"b{round_}") as second:
                for number in range(50):
                    place = mine.append({"writer": f"mine{round_}", "number": number, "text": ""})
                    assert mine.read(place)["number"] == number
                first.kill()
                second.kill()
        mine.append({"writer": "mine3", "number": 0, "text": ""})
    numbers: dict[str, list[int]] = {}
    for _, row in read_shared_journal(path):
        assert row["text"] == row["writer"] * 3000 or row["writer"].startswith("mine")
        numbers.setdefault(row["writer"], []).append(row["number"])
    assert all(found == list(range(len(found))) for found in numbers.values())
    assert [len(numbers[f"mine{round_}"]) for round_ in range(4)] == [50, 50, 50, 1]


@pytest.mark.parametrize("torn", [b'{"text": "\xd0', b'{"a": 1}', b"x" * 70_000], ids=["half", "whole", "long"])
def test_a_shared_journal_goes_on_after_a_torn_line(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"b": 2}\n' + torn)
    with closing(Journal(path, shared=True)) as journal:
        place = journal.append({"c": 3})
        assert journal.read(place) == {"c": 3}
    assert path.read_bytes() == b'{"b": 2}\n' + torn + b'\n{"c":3}\n'
    rows = [row for _, row in read_shared_journal(path)]
    assert rows == [{"b": 2}, *([{"a": 1}] if torn == b'{"a": 1}' else []), {"c": 3}]
    with closing(Journal(path, shared=True)) as journal:
        assert [journal.read(place) for place, _ in read_shared_journal(path)] == rows


def test_a_journal_of_one_writer_cuts_a_torn_line_off(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"b":2}\n{"a":1}')
    assert list(read_journal(path)) == [{"b": 2}]
    with closing(Journal(path)) as journal:
        journal.append({"c": 3})
        assert path.read_bytes() == b'{"b":2}\n{"c":3}\n'
        journal.clear()
        assert path.read_bytes() == b""
        journal.append({"d": 4})
    assert list(read_journal(path)) == [{"d": 4}]


def test_a_file_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "j")) == list(read_shared_journal(tmp_path / "j")) == []


def test_lines_and_texts_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    assert write_lines(path, ({"n": number} for number in range(3))) == 3
    with pytest.raises(InputError):
        write_lines(path, read_journal(_damaged(tmp_path)))
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [0, 1, 2]
    write_text(tmp_path / "text.md", "Ё\n")
    assert (tmp_path / "text.md").read_bytes() == "Ё\n".encode()
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "absent" / "text.md", "")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["damaged", "lines.jsonl", "text.md"]


def _damaged(folder: Path) -> Path:
    (folder / "damaged").write_bytes(b'{"n": 7}\n{\n{"n": 8}\n')
    return folder / "damaged"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as other:
        read = other.submit(pipe.read_bytes)
        write_text(pipe, "table")
        assert read.result() == b"table"
    assert pipe.is_fifo()
