"""Runs that go on, seen live: how far they are, a report that follows them, a server that gives away no more."""

from __future__ import annotations

import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from evalkit.cli.reporting import report
from evalkit.errors import InputError, RunError, UsageError
from evalkit.evals.records.store import RunStore
from evalkit.files import encode, is_held, take_lock, write_json
from evalkit.reports import report_data, write_report
from evalkit.reports.data.progress import LineCounts, find_work, progress_of
from evalkit.reports.live.pages import BuiltPages
from evalkit.reports.live.refresh import write_until_ended
from evalkit.reports.live.view import Folder, Server, view
from evalkit.reports.pages import packing, rendering
from evalkit.tests.support.report_browser import AXE, CHROMIUM, WHY_NO_AXE, WHY_NO_CHROMIUM, Page
from evalkit.tests.support.run_builder import build_run, failed_row, sample_rows

HOSTILE_NAME = "x <script>alert(1)<'\"&#c %2e%2e \u202e"
ROWS = sample_rows(40, skill=0.5, seed=3)


def begun(directory: Path, done: int = 10) -> Path:
    """A run that was interrupted in the middle of a line."""
    build_run(directory, ROWS, model="embedded:<b>half</b>", finished=False)
    (directory / "results.json").unlink()
    lines = b"".join(encode(row) + b"\n" for row in ROWS[:done])
    (directory / "samples.jsonl").write_bytes(lines + b'{"task": "ruif')
    return directory


def add_rows(directory: Path, done: int) -> None:
    (directory / "samples.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in ROWS[:done]))


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold a directory as a process that writes into it does."""
    lock = take_lock(directory)
    try:
        yield
    finally:
        os.close(lock)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    build_run(folder / "done", sample_rows(12, skill=0.8, seed=1), model="embedded:strong")
    begun(folder / "deep" / "half")
    return folder


@pytest.fixture
def server(runs: Path, tmp_path: Path) -> Iterator[Server]:
    built = tmp_path / "built"
    built.mkdir()
    with Server(Folder(runs, built, language="en"), 0) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        try:
            yield one
        finally:
            one.shutdown()
            thread.join()


def ask(server: Server, path: str, *, method: str = "GET", host: str | None = None) -> tuple[int, str]:
    """Send a request exactly as it is written here."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# How far


def test_a_run_is_finished_going_or_stopped(runs: Path) -> None:
    counts = LineCounts()
    done, half = runs / "done", runs / "deep" / "half"
    assert progress_of(done, counts).state == "finished"
    found = progress_of(half, counts)
    assert (found.kind, found.state, found.done, found.total) == ("run", "stopped", 10, 40)
    with writing(half):
        assert progress_of(half, counts).state == "going"
        add_rows(half, 25)
        assert progress_of(half, counts).done == 25
    add_rows(half, 5)  # taken out, as rows without a score are
    assert progress_of(half, counts).done == 5
    (half / "manifest.json").write_text("{", encoding="utf-8")
    assert progress_of(half, counts).state == "damaged"


def test_asking_whether_a_directory_is_held_keeps_no_writer_out(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    lock = take_lock(tmp_path)
    assert is_held(tmp_path)
    with pytest.raises(UsageError, match="another evalkit process"):
        take_lock(tmp_path)
    os.close(lock)
    assert not is_held(tmp_path)
    asking = os.open(tmp_path / ".lock", os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    timer = threading.Timer(0.02, os.close, [asking])
    timer.start()
    os.close(take_lock(tmp_path))
    timer.join()


def test_trainings_and_loops_have_their_steps_and_rounds(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    begun(loop / "baseline")
    training = loop / "round-01" / "training"
    training.mkdir(parents=True)
    write_json(training / "recipe.json", {"recipe": {}, "steps": 8})
    (training / "metrics.jsonl").write_bytes(b'{"step": 1}\n{"step": 2}\n{"ste')
    assert [path.relative_to(tmp_path).as_posix() for path in find_work(tmp_path)] == [
        "loop",
        "loop/baseline",
        "loop/round-01/training",
    ]
    with writing(training), writing(loop):
        found = progress_of(training, LineCounts())
        assert (found.kind, found.state, found.done, found.total) == ("training", "going", 2, 8)
        found = progress_of(loop, LineCounts())
        assert (found.kind, found.state, found.done, found.total) == ("loop", "going", 0, None)
    write_json(training / "result.json", {"step": 8, "stopped": ""})
    assert progress_of(training, LineCounts()).state == "finished"
    write_json(training / "recipe.json", {"recipe": {}, "steps": 9})
    assert progress_of(training, LineCounts()).state == "stopped"
    write_json(training.parent / "verdict.json", {"accepted": True})
    write_json(loop / "loop.json", {})
    found = progress_of(loop, LineCounts())
    assert (found.state, found.done) == ("finished", 1)


def test_figures_of_an_attempt_end_with_its_rows(tmp_path: Path) -> None:
    rows = [*ROWS[:3], failed_row(ROWS[3], "HTTP 500")]
    run = build_run(tmp_path / "run", rows, model="m")
    (run / "answers.jsonl").touch()
    with RunStore(run):
        pass
    assert len(report_data([run])["samples"]) == 3
    assert not (run / "results.json").exists()


# A report that follows


def test_a_report_of_a_run_that_goes_on_says_how_far_it_is(runs: Path, tmp_path: Path) -> None:
    half = runs / "deep" / "half"
    with writing(half):
        page = write_report([half], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "In progress: 10 of 40" in page
    assert 'id="refresh"' in page
    page = write_report([half], tmp_path / "page.html", language="ru").read_text(encoding="utf-8")
    assert "Прервано: 10 из 40" in page
    assert 'id="refresh"' not in page
    page = write_report([runs / "done"], tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'class="going"' not in page
    (half / "samples.jsonl").write_bytes(b"")
    assert "0 of 40" in write_report([half], tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_report_is_written_until_the_run_has_ended(runs: Path) -> None:
    half = runs / "deep" / "half"
    lock = take_lock(half)
    seen = []

    def write() -> Path:
        seen.append(progress_of(half, LineCounts()))
        add_rows(half, 10 + 10 * len(seen))
        if len(seen) == 3:
            os.close(lock)
        return half

    assert write_until_ended([half], write, seconds=0) == half
    assert [(one.state, one.done) for one in seen] == [("going", 10), ("going", 20), ("going", 30), ("stopped", 40)]


def test_the_command_follows_a_run_or_writes_once(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    half, page = runs / "deep" / "half", tmp_path / "page.html"
    lock = take_lock(half)
    report([half], page, once=True)
    assert "In progress: 10 of 40" in page.read_text(encoding="utf-8")
    assert "until it ends" not in capsys.readouterr().err
    monkeypatch.setattr("evalkit.reports.live.refresh.time.sleep", lambda seconds: os.close(lock))
    report([half], page)
    assert "Interrupted: 10 of 40" in page.read_text(encoding="utf-8")
    assert "until the run ends" in capsys.readouterr().err


# The server


def test_the_index_shows_what_lies_below_and_where_it_stands(server: Server, runs: Path) -> None:
    build_run(runs / HOSTILE_NAME, ROWS[:3], model="m")
    with writing(runs / "deep" / "half"):
        status, page = ask(server, "/")
    assert status == 200
    assert page.index("deep/half") < page.index(">done<")  # what goes on comes first
    assert "10 of 40" in page
    assert "embedded:&lt;b&gt;half" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    for name in ("deep/half", "done", HOSTILE_NAME):
        address = f"/report/{quote(name)}/"
        assert address in page
        assert ask(server, address)[0] == 200
    assert "embedded:strong" in ask(server, "/leaderboard/")[1]


def test_nothing_else_is_served(server: Server, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("SECRET", encoding="utf-8")
    outside = build_run(tmp_path / "outside", ROWS[:3], model="SECRET")
    (runs / "linked").symlink_to(outside)
    leaking = build_run(runs / "leaking", ROWS[:3], model="leaking")
    (leaking / "results.json").unlink()
    (leaking / "results.json").symlink_to(outside / "results.json")
    paths = [
        "/report/linked/", "/report/leaking/", "/report/../outside/", "/report/..%2Foutside/",
        "/report/%2e%2e/outside/", "/../secret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt", "//etc/passwd",
        "/etc/passwd", "/done/", "/done/manifest.json", "/report/done", "/report/done/manifest.json",
        "/report/done/samples.jsonl", "/report/", "/report/done/page-1.data/../x", "/report/done%00/",
        "/report/done/page-1.data/0000.js", "/page-1.data/..%2f0000.js", "/leaderboard/leaderboard.json", "*",
    ]  # fmt: skip
    for path in paths:
        status, page = ask(server, path)
        assert status == 404, path
        assert "SECRET" not in page
    pages = ask(server, "/")[1] + ask(server, "/leaderboard/")[1]
    assert "SECRET" not in pages
    assert "leaking" not in pages


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1.evil.example:{port}"]
)
def test_only_a_name_of_loopback_is_answered(server: Server, host: str) -> None:
    status, page = ask(server, "/", host=host.format(port=server.server_port))
    assert status == 403
    assert "half" not in page


def test_it_listens_on_loopback_and_only_reads(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "/", host=f"LocalHost:{server.server_port}")[0] == 200
    assert ask(server, "/", method="HEAD") == (200, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT"):
        assert ask(server, "/", method=method)[0] == 501
    with urllib.request.urlopen(server.address, timeout=60) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_cannot_be_shown_says_why(server: Server, runs: Path) -> None:
    with (runs / "done" / "samples.jsonl").open("ab") as file:
        file.write(b"{]\n")
    (runs / "deep" / "half" / "manifest.json").write_text("[]", encoding="utf-8")
    status, page = ask(server, "/report/done/")
    assert status == 500
    assert "samples.jsonl:13: not valid JSON" in page
    assert "Unreadable" in ask(server, "/")[1]
    shutil.rmtree(runs / "done")
    status, page = ask(server, "/leaderboard/")
    assert (status, "contains no runs" in page) == (500, True)


def test_a_page_is_built_when_its_files_changed_and_never_twice_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    built.mkdir()
    (source / "file").write_text("1", encoding="utf-8")
    pages = BuiltPages(built)
    building = threading.Lock()
    times = 0

    def build(page: Path) -> None:
        nonlocal times
        assert building.acquire(blocking=False)
        times += 1
        page.write_text((source / "file").read_text(encoding="utf-8"), encoding="utf-8")
        building.release()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: pages.get("one", [source], build), range(8)))
    assert (found, times) == ([b"1"] * 8, 1)
    monkeypatch.setattr("evalkit.reports.live.pages.RESTS", 0)
    for text in ("22", "333", "4444"):
        (source / "file").write_text(text, encoding="utf-8")
        assert pages.get("one", [source], build) == text.encode()
    assert (times, len(list(built.iterdir()))) == (4, 2)
    monkeypatch.setattr("evalkit.reports.live.pages.RESTS", 1e9)  # a page that took so long waits for more changes
    (source / "file").write_text("55555", encoding="utf-8")
    assert pages.get("one", [source], build) == b"4444"


def test_shards_of_a_page_that_was_built_anew_stay_for_its_readers(
    server: Server, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "LARGEST_FILE", 10_000)
    monkeypatch.setattr(packing, "SHARD_BYTES", 2_000)
    monkeypatch.setattr("evalkit.reports.live.pages.RESTS", 0)
    half = runs / "deep" / "half"
    for number, done in enumerate((10, 20, 30), 1):
        add_rows(half, done)
        assert f'"folder": "page-{number}.data"' in ask(server, "/report/deep/half/")[1]
    status, shard = ask(server, "/report/deep/half/page-3.data/0001.js")
    assert status == 200
    assert shard.startswith("evalkitShard(1,")
    assert ask(server, "/report/deep/half/page-2.data/0001.js")[0] == 200
    assert ask(server, "/report/deep/half/page-1.data/0001.js")[0] == 404


def test_the_command_serves_until_it_is_interrupted(runs: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "evalkit", "view", str(runs)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().removeprefix("view: ").strip()
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert b"deep/half" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read().strip() == ""
    assert list(temporary.iterdir()) == []


def test_a_folder_that_is_not_there_and_a_port_that_is_taken(server: Server, runs: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        view(runs / "nothing")
    with pytest.raises(RunError, match="give another --port"):
        view(runs, port=server.server_port)


# In a browser


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=WHY_NO_CHROMIUM)


@pytest.mark.browser
@needs_chromium
def test_the_index_and_a_report_follow_a_run(
    page: Page, server: Server, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalkit.reports.live.view.INDEX_SECONDS", 0.2)
    page.server = server.address
    half = runs / "deep" / "half"
    with writing(half):
        page.visit(server.address)
        row = "(document.querySelector('tr[data-state=going]')?.innerText ?? '')"  # none while it loads afresh
        page.wait_for(f"{row}.includes('10 of 40')")
        add_rows(half, 30)
        page.wait_for(f"{row}.includes('30 of 40') && {row}.includes('/s')")
        link = "document.querySelector('tr[data-state=going] a')"
        page.wait_for(f"{link} !== null && ({link}.click(), true)")
        page.wait_for("document.documentElement?.dataset.ready !== undefined")  # loading afresh did not call it off
        assert page.evaluate("document.querySelectorAll('#list .id').length") == 30


@pytest.mark.browser
@needs_chromium
def test_a_report_on_disk_loads_itself_afresh_where_the_reader_is(page: Page, runs: Path, tmp_path: Path) -> None:
    half, report = runs / "deep" / "half", tmp_path / "report.html"

    def write() -> None:
        """Write the report as it is, but for a page that waits a tenth as long."""
        text = write_report([half], tmp_path / "fresh.html").read_text(encoding="utf-8")
        assert text.count('data-seconds="10"') == 1
        (tmp_path / "fresh.html").write_text(
            text.replace('data-seconds="10"', 'data-seconds="1"'), encoding="utf-8"
        )
        (tmp_path / "fresh.html").replace(report)

    with writing(half):
        write()
        page.open(report, "#ruifeval/1004")
        page.evaluate("document.getElementById('detail').scrollIntoView({behavior: 'instant'})")
        before = page.evaluate("scrollY")
        assert before > 0
        add_rows(half, 20)
        write()
        page.wait_for("document.querySelector('.going')?.innerText.includes('20 of 40')")
        page.wait_for("document.documentElement?.dataset.ready !== undefined")
        assert page.evaluate("location.hash") == "#ruifeval/1004"
        assert page.evaluate("document.querySelector('#detail h3').textContent") == "1004"
        assert abs(page.evaluate("scrollY") - before) < 200
        page.choose("search", "парк")  # whoever searches is not disturbed
        page.evaluate("document.body.dataset.mark = 'here'")
        page.evaluate("new Promise((done) => setTimeout(done, 1500))")
        assert page.evaluate("document.body.dataset.mark") == "here"


@pytest.mark.browser
@needs_chromium
@pytest.mark.skipif(AXE is None, reason=WHY_NO_AXE)
@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.exhaustive)], ids=["light", "dark"])
def test_axe_finds_nothing_in_live_pages(page: Page, server: Server, runs: Path, dark: bool) -> None:
    page.server = server.address
    page.look(dark=dark)
    with writing(runs / "deep" / "half"):
        for path in ("", "report/deep/half/"):
            page.visit(server.address + path)
            assert page.violations() == []
    page.problems.clear()
    page.visit(server.address + "nothing")
    assert page.violations() == []
    page.problems.clear()  # the browser too says that there is nothing
