"""Loopback stand-ins for GigaChat and Yandex AI Studio: as strict about requests as their documentation is.

Each checks addresses, headers and parameters, answers in the provider's form, and keeps every request.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

Reply = tuple[int, dict[str, str], dict[str, Any]]


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ProviderServer:
    """An HTTP (or HTTPS) server on a free loopback port; `answer` is what a provider does with a request."""

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        self.requests: list[Request] = []
        self.upcoming: deque[Reply] = deque()
        self.delay = 0.0
        self.busy_for: dict[str, float] = {}
        self.busy_until: dict[str, float] = {}
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra, body = server.receive(self.path, headers, raw)
                payload = json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **extra}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        # A client that refuses the certificate breaks the connection off; that is its right.
        self._http.handle_error = lambda *arguments: None  # type: ignore[method-assign]
        self.scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
            self.scheme = "https"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def root(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def receive(self, path: str, headers: dict[str, str], raw: bytes) -> Reply:
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        else:
            body = json.loads(raw)
        with self.lock:
            self.requests.append(Request(path, headers, body))
        if self.delay:
            time.sleep(self.delay)
        if path in self.busy_for:
            self.busy_until[path] = time.monotonic() + self.busy_for.pop(path)
        left = self.busy_until.get(path, 0.0) - time.monotonic()
        if left > 0:
            return 429, {"Retry-After": f"{left:.6f}"}, {"status": 429, "message": "Too Many Requests"}
        with self.lock:
            return self.answer(Request(path, headers, body))

    def be_busy(self, path: str, seconds: float) -> None:
        """Refuse requests to a path for so long from the first one on, saying how long it will be."""
        self.busy_for[path] = seconds

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def chats(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]


def chat_reply(body: dict[str, Any], usage: dict[str, int], model: str, **choice: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Ответ: " + body["messages"][-1]["content"]}
    return {
        "choices": [{"message": message, "index": 0, "finish_reason": "stop", **choice}],
        "created": int(time.time()),
        "model": model,
        "object": "chat.completion",
        "usage": usage,
    }


class GigaChatServer(ProviderServer):
    """GigaChat: an authorisation key buys a token for 30 minutes, a token buys answers."""

    KEY = "a2V5OnNlY3JldA=="
    SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")
    PARAMETERS = frozenset(
        {"model", "messages", "temperature", "top_p", "n", "stream", "max_tokens", "repetition_penalty"}
        | {"update_interval", "functions", "function_call", "profanity_check"}
    )

    def __init__(self, tls: tuple[Path, Path] | None = None, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(tls)
        self.clock = clock
        self.lifetime = 30 * 60.0
        self.tokens: dict[str, float] = {}
        self.used_ids: set[str] = set()
        self.short_form = False
        self.upcoming_tokens: deque[Reply] = deque()

    @property
    def base_url(self) -> str:
        return f"{self.root}/api/v1"

    @property
    def auth_url(self) -> str:
        return f"{self.root}/api/v2/oauth"

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/v2/oauth":
            return self._token(request)
        if request.path == "/api/v1/chat/completions":
            return self._chat(request)
        return 404, {}, {"status": 404, "message": "No such path"}

    def _token(self, request: Request) -> Reply:
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return 400, {}, {"code": 1, "message": "bad content type"}
        if request.headers.get("authorization") != f"Basic {self.KEY}":
            return 401, {}, {"code": 6, "message": "credentials doesn't match db data"}
        try:
            request_id = uuid.UUID(request.headers.get("rquid", ""))
        except ValueError:
            request_id = uuid.UUID(int=0)
        if request_id.version != 4 or str(request_id) in self.used_ids:
            return 400, {}, {"code": 2, "message": "RqUID is not a fresh uuid4"}
        self.used_ids.add(str(request_id))
        if self.upcoming_tokens:
            return self.upcoming_tokens.popleft()
        if request.body.get("scope") not in self.SCOPES:
            return 400, {}, {"code": 5, "message": "scope is empty or wrong"}
        token = uuid.uuid4().hex
        self.tokens[token] = self.clock() + self.lifetime
        if self.short_form:
            return 200, {}, {"tok": token, "exp": int(self.tokens[token])}
        return 200, {}, {"access_token": token, "expires_at": int(self.tokens[token] * 1000)}

    def _chat(self, request: Request) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.tokens.get(token, 0.0) <= self.clock():
            return 401, {}, {"status": 401, "message": "Token has expired"}
        if self.upcoming:
            return self.upcoming.popleft()
        body = request.body
        if unknown := set(body) - self.PARAMETERS:
            return 422, {}, {"status": 422, "message": f"Invalid params: {sorted(unknown)}"}
        if body.get("temperature", 1) <= 0:
            return 422, {}, {"status": 422, "message": "Invalid params: temperature must be greater than 0"}
        if body["model"] == "GigaChat-None":
            return 404, {}, {"status": 404, "message": "No such model"}
        usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "precached_prompt_tokens": 3}
        return 200, {}, chat_reply(body, usage, f"{body['model']}:2.0.28.2")


class YandexServer(ProviderServer):
    """Yandex AI Studio's OpenAI-compatible chat: a key or an IAM token, a folder, a model's URI."""

    KEY = "AQVN-key"
    IAM = "t1.iam"
    FOLDER = "b1gfolder"
    # As the documentation lists them for this interface.
    PARAMETERS = frozenset({"model", "messages", "temperature", "max_tokens", "stream", "response_format"})

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def answer(self, request: Request) -> Reply:
        if request.path != "/v1/chat/completions":
            return 404, {}, {"error": {"message": "not found", "code": 404}}
        if self.upcoming:
            return self.upcoming.popleft()
        if request.headers.get("authorization") not in (f"Api-Key {self.KEY}", f"Bearer {self.IAM}"):
            return 401, {}, {"error": {"message": "The token is invalid", "code": 16}}
        body = request.body
        scheme, _, path = body["model"].partition("://")
        folder, _, model = path.partition("/")
        if scheme != "gpt" or not model:
            return 400, {}, {"error": {"message": f"Failed to parse model URI {body['model']}", "code": 3}}
        if folder != self.FOLDER or request.headers.get("openai-project") != self.FOLDER:
            return 403, {}, {"error": {"message": f"Permission to folder {folder} denied", "code": 7}}
        if unknown := set(body) - self.PARAMETERS:
            return 400, {}, {"error": {"message": f"Unsupported parameters {sorted(unknown)}", "code": 3}}
        usage = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
        return 200, {}, chat_reply(body, usage, body["model"])


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make a root certificate and a server's, with the ``openssl`` command: (root, server certificate, its key)."""
    root, root_key = folder / "root.pem", folder / "root.key"
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
    extensions = folder / "extensions.txt"
    extensions.write_text(
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n"
        "subjectKeyIdentifier=hash\n"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    signed: list[str | Path] = ["-CA", root, "-CAkey", root_key, "-CAcreateserial", "-extfile", extensions]
    commands: tuple[list[str | Path], ...] = (
        [
            "req",
            "-x509",
            *new_key,
            *usage,
            "-keyout",
            root_key,
            "-out",
            root,
            "-days",
            "2",
            "-subj",
            "/CN=Test Root",
        ],
        ["req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1"],
        ["x509", "-req", "-in", request, *signed, "-out", certificate, "-days", "2"],
    )
    for command in commands:
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return root, certificate, key
