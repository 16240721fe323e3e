"""A loopback server that speaks SandboxFusion's protocol, for programs that a test trusts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class RunCodeServer:
    """Runs what it is sent with this interpreter; ``faults`` are given instead of answers, first to last."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.faults: list[web.Response] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        if self.faults:
            return self.faults.pop(0)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-X", "utf8", "-c", body["code"]), stdin=pipe, stdout=pipe, stderr=pipe
        )
        result: dict[str, Any] = {"status": "Finished", "execution_time": 0.1}
        try:
            streams = await asyncio.wait_for(process.communicate(body["stdin"].encode()), body["run_timeout"])
        except TimeoutError:
            process.kill()
            await process.wait()
            result |= {"status": "TimeLimitExceeded", "return_code": None, "stdout": "", "stderr": ""}
        else:
            result |= {"return_code": process.returncode}
            result |= dict(zip(("stdout", "stderr"), (stream.decode() for stream in streams), strict=True))
        good = result["return_code"] == 0
        answer = {"status": "Success" if good else "Failed", "message": "", "compile_result": None}
        return web.json_response(answer | {"run_result": result, "executor_pod_name": None, "files": {}})


@asynccontextmanager
async def run_code_server() -> AsyncIterator[RunCodeServer]:
    server = RunCodeServer()
    application = web.Application(client_max_size=32 * 2**20)
    application.router.add_post("/run_code", server.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
