"""``evalkit view`` as a Python call: serves the runs below a folder to a browser on this machine, live.

The server listens on loopback only and checks the Host header, which prevents DNS rebinding. Request paths are only
compared with the runs found below the folder and the shards that were built; no file path is derived from them.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ..._version import __version__
from ...errors import EvalkitError, InputError, RunError
from ..data.progress import LineCounts, Progress, find_work, progress_of
from ..language.words import Language
from ..pages.leaderboard import leaderboard_data
from ..pages.learning import write_learning
from ..pages.rendering import render_plain, write_page
from ..pages.report import write_report
from .pages import BuiltPages

LOOPBACK: Final = "127.0.0.1"
INDEX_SECONDS: Final = 5
"""How often the index page reloads itself."""

RATE_SECONDS: Final = 120.0
"""The time window over which the rate is averaged."""

_SHARD = re.compile(r"/(page-[0-9]+\.data)/([0-9]{4}\.js)\Z")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    # No page from elsewhere may load a shard as a script of its own.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, body and media type."""

    status: HTTPStatus
    body: bytes
    media_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Work:
    """A row of the index: ``rate`` is in units of its progress a second, ``left`` in seconds."""

    name: str
    address: str
    progress: Progress
    rate: float | None
    left: float | None


class Folder:
    """Answers requests about one folder; ``built`` is where its pages are built."""

    def __init__(self, root: Path, built: Path, *, language: Language) -> None:
        self._root = root.resolve()
        self._pages = BuiltPages(built)
        self._language: Language = language
        self._counts = LineCounts()
        self._seen: dict[Path, deque[tuple[float, int]]] = {}
        self._counting = threading.Lock()

    def answer(self, path: str) -> Answer:
        """Return the response to the path of a URL.

        Raises:
            EvalkitError: the page cannot be built.
        """
        if shard := _SHARD.search(path):
            file = self._pages.folder / shard[1] / shard[2]
            if file.is_file():
                return Answer(HTTPStatus.OK, file.read_bytes(), "text/javascript; charset=utf-8")
        elif path == "/":
            return Answer(HTTPStatus.OK, self._index().encode())
        elif path == "/leaderboard/":
            return Answer(HTTPStatus.OK, self._leaderboard())
        else:
            for directory in find_work(self._root):
                if unquote_to_bytes(path) == unquote_to_bytes(self._address(directory)):
                    return Answer(HTTPStatus.OK, self._report(directory))
        return self.trouble(HTTPStatus.NOT_FOUND, "Not found: there is no such page.")

    def trouble(self, status: HTTPStatus, text: str) -> Answer:
        """Return an error page."""
        return Answer(status, render_plain("view/trouble.html.j2", self._language, trouble=text).encode())

    def _address(self, directory: Path) -> str:
        name = directory.relative_to(self._root).as_posix()
        return "/report/" if name == "." else f"/report/{quote(name, errors='surrogateescape')}/"

    def _index(self) -> str:
        with self._counting:
            works = [self._work(directory) for directory in find_work(self._root)]
        return render_plain(
            "view/view.html.j2",
            self._language,
            folder=self._root.name,
            works=sorted(works, key=lambda work: work.progress.state != "going"),
            has_runs=any(work.progress.kind == "run" and work.progress.state != "damaged" for work in works),
            seconds=INDEX_SECONDS,
        )

    def _work(self, directory: Path) -> Work:
        progress = progress_of(directory, self._counts)
        rate = self._rate(directory, progress.done) if progress.state == "going" else None
        left = (progress.total - progress.done) / rate if rate and progress.total else None
        name = directory.relative_to(self._root).as_posix()
        return Work(self._root.name if name == "." else name, self._address(directory), progress, rate, left)

    def _rate(self, directory: Path, done: int) -> float | None:
        now = time.monotonic()
        seen = self._seen.setdefault(directory, deque())
        while seen and (now - seen[0][0] > RATE_SECONDS or seen[0][1] > done):
            seen.popleft()
        seen.append((now, done))
        since, before = seen[0]
        return (done - before) / (now - since) if done > before else None

    def _report(self, directory: Path) -> bytes:
        is_run = progress_of(directory, self._counts).kind == "run"
        write = partial(write_report if is_run else write_learning, [directory], language=self._language)
        return self._pages.get(str(directory), [directory], write)

    def _leaderboard(self) -> bytes:
        found = ((path, progress_of(path, self._counts)) for path in find_work(self._root))
        runs = [path for path, progress in found if progress.kind == "run" and progress.state != "damaged"]
        if not runs:
            raise InputError("This folder contains no runs yet.")

        def build(page: Path) -> Path:
            data, samples = leaderboard_data(runs)
            return write_page("leaderboard/leaderboard.html.j2", data, samples, page, self._language)

        return self._pages.get("", runs, build)


class Server(ThreadingHTTPServer):
    """Serves one folder on loopback."""

    daemon_threads = True

    def __init__(self, folder: Folder, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.folder = folder

    def server_bind(self) -> None:
        """Bind the port; `HTTPServer` would also resolve the host name, which takes seconds without a network."""
        TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    @property
    def address(self) -> str:
        """The URL of the index page."""
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30  # seconds that a client may take to send its request

    def do_GET(self) -> None:
        answer = self._answer()
        self.send_response(answer.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # the browser closed the connection
                self.wfile.write(answer.body)

    do_HEAD = do_GET

    def _answer(self) -> Answer:
        folder, port = self.server.folder, self.server.server_port
        if self.headers.get("Host", "").lower() not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            return folder.trouble(HTTPStatus.FORBIDDEN, f"This server answers at {self.server.address} only.")
        try:
            return folder.answer(urlsplit(self.path).path)
        except EvalkitError as error:
            return folder.trouble(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except Exception:
            traceback.print_exc()
            return folder.trouble(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; see the terminal for details.")

    def version_string(self) -> str:
        return f"evalkit/{__version__}"

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def view(
    directory: Path,
    *,
    port: int = 0,
    language: Language = "en",
    announce: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a folder of runs on loopback until Ctrl-C.

    Args:
        directory: holds runs, trainings and loops at any depth.
        port: 0 for a free one.
        language: of the pages.
        announce: receives the address.

    Raises:
        InputError: there is no such folder.
        RunError: the port is taken.
    """
    if not directory.is_dir():
        raise InputError(f"{directory} is not a folder")
    with tempfile.TemporaryDirectory(prefix="evalkit-view-") as built:
        try:
            server = Server(Folder(directory, Path(built), language=language), port)
        except OSError as error:
            reason = error.strerror or error
            raise RunError(f"cannot listen on port {port}: {reason}; give another --port") from error
        with server:
            announce(server.address)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print(file=sys.stderr)
