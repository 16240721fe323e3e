"""Speaks to the trainer as vLLM's server does, over real HTTP, with transformers and real adapters behind it.

``loaded`` and ``unloaded`` are what was asked for in order, ``bodies`` the requests for answers. ``raw`` reports
log-probabilities of the model's own distribution, ``fixed`` has no loading of adapters.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from evalkit.trainer.policy.base_model import find_base
from evalkit.trainer.policy.local_sampler import generate
from evalkit.trainer.policy.model import POLICY, open_policy
from evalkit.trainer.recipe.fields import Lora
from safetensors.torch import load_file


class RolloutServer:
    """Serves ``/v1/completions`` and the two adapter calls in a thread, as a context manager."""

    def __init__(self, model: str, lora: Lora, *, raw: bool = False, fixed: bool = False) -> None:
        self.raw, self.fixed = raw, fixed
        self.loaded: list[str] = []
        self.unloaded: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.names: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._policy = open_policy(find_base(model), lora, seed=0)
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = owner.answer(self.path, body)
                content = answer.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        with self._lock:
            if path == "/v1/completions":
                return self._complete(body)
            if self.fixed:
                return 404, '{"detail":"Not Found"}'
            name = body["lora_name"]
            if path == "/v1/unload_lora_adapter":
                self.unloaded.append(name)
                return (200, "Success") if self.names.pop(name, None) else (404, f"'{name}' cannot be found")
            if name in self.names:
                return 400, f"The lora adapter '{name}' has already been loaded."
            self.loaded.append(name)
            self.names[name] = Path(body["lora_path"])
            return 200, "Success"

    def _complete(self, body: dict[str, Any]) -> tuple[int, str]:
        if body["model"] not in self.names:
            return 404, f"The model `{body['model']}` does not exist."
        # From its path at every request: a version that is still asked for must still be there.
        weights = self.names[body["model"]] / "adapter_model.safetensors"
        self._policy.load_adapter(POLICY, load_file(str(weights)))
        ((found,),) = generate(
            self._policy, [body["prompt"]], [[str(body["seed"])]], max_tokens=body["max_tokens"],
            temperature=body["temperature"],
        )  # fmt: skip
        values = list(found.log_probabilities)
        if body["top_k"] == 1:
            values = [-1.5 if self.raw else 0.0]
        else:
            self.bodies.append(body)
        choice = {
            "token_ids": found.tokens, "logprobs": {"token_logprobs": values}, "finish_reason": found.finish_reason,
        }  # fmt: skip
        return 200, json.dumps({"choices": [choice]})
