"""What judging costs: the same gradings by a bare client and by a judge with defences, cache and parser.

``python bench/judging.py [--gradings 2000] [--concurrency 64] [--latency-ms 50] [--repeat 3] [--characters 1200]``.
The bare client sends the very prompts that the judge sends. Requests a second are counted from the first request to
the last verdict on disk; CPU milliseconds a grading are those of the client's process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERDICT_LINE = re.compile(r"Оценка (\w+): \[\[число\]\]")
WORDS = "Ответ верен по существу, изложен ясно, но второй пример лишний. " * 8


class Server(asyncio.Protocol):
    """Answers each prompt, after the latency, with a verdict that carries its nonce."""

    latency = 0.05

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while True:
            head, separator, rest = self.received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            if not separator or (length and len(rest) < int(length[1])):
                return
            size = int(length[1]) if length else 0
            body, self.received = rest[:size], rest[size:]
            nonce = VERDICT_LINE.search(json.loads(body)["messages"][-1]["content"])[1]
            asyncio.get_running_loop().call_later(self.latency, self.answer, f"{WORDS}\nОценка {nonce}: [[7]]")

    def answer(self, text: str) -> None:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 900, "completion_tokens": 150, "total_tokens": 1050}
        body = json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def answers(gradings: int, characters: int) -> list[str]:
    text = (
        "Столица Франции — **Париж**.\n1. Он стоит на Сене.\n2. В нём два миллиона жителей, в 1900 году было 2,7.\n"
    )
    return [f"Ответ {number}. {(text * (characters // len(text) + 1))[:characters]}" for number in range(gradings)]


async def judge(url: str, gradings: int, concurrency: int, characters: int) -> tuple[float, float]:
    from evalkit.__main__ import collect_less_often
    from evalkit.evals.models.base import ModelOptions, Sampling
    from evalkit.evals.models.open import open_model
    from evalkit.judges.cache import VerdictCache
    from evalkit.judges.judge import ModelJudge

    collect_less_often()  # as the command does
    model = open_model("openai:judge", ModelOptions(base_url=url, concurrency=concurrency))

    class Lent:
        name, identity = model.name, model.identity

        def __init__(self):
            self.concurrency = concurrency

        async def ask(self, messages, sampling):
            return await model.generate(messages, Sampling(**sampling))

    with tempfile.TemporaryDirectory() as folder:
        cache = VerdictCache(Path(folder) / "verdicts.jsonl")
        grader = ModelJudge(Lent(), cache=cache)
        await grader.grade("rating", {"question": "Разогрев?", "answer": "Да, разогрев."})
        work = iter(answers(gradings, characters))
        started, cpu = time.perf_counter(), time.process_time()

        async def one():
            for answer in work:
                found = await grader.grade("rating", {"question": "Столица Франции?", "answer": answer})
                assert found.value == 7, found

        await asyncio.gather(*(one() for _ in range(concurrency)))
        cache.close()
        spent = time.perf_counter() - started, time.process_time() - cpu
    await model.close()
    return spent


async def bare(url: str, gradings: int, concurrency: int, characters: int) -> tuple[float, float]:
    import aiohttp
    from evalkit.judges.forms import load_form

    form = load_form("rating", "ru")
    made = [
        [
            message.as_json()
            for message in form.fill({"question": "Столица Франции?", "answer": answer}, "bcdfghjkmn")
        ]
        for answer in answers(gradings, characters)
    ]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        work = iter(made)
        started, cpu = time.perf_counter(), time.process_time()

        async def one():
            for messages in work:
                async with session.post(
                    url + "/chat/completions", json={"model": "m", "messages": messages}
                ) as reply:
                    await reply.json()

        await asyncio.gather(*(one() for _ in range(concurrency)))
        return time.perf_counter() - started, time.process_time() - cpu


async def serve(latency_ms: float) -> None:
    Server.latency = latency_ms / 1000
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gradings", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--characters", type=int, default=1200)
    parser.add_argument("--part", choices=["serve", "bare", "judge"])
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.part == "serve":
        asyncio.run(serve(given.latency_ms))
        return
    if given.part:
        run = judge if given.part == "judge" else bare
        seconds, cpu = asyncio.run(run(given.url, given.gradings, given.concurrency, given.characters))
        print(json.dumps([given.gradings / seconds, cpu / given.gradings * 1000]))
        return
    me = [sys.executable, __file__, "--gradings", str(given.gradings), "--concurrency", str(given.concurrency)]
    me += ["--characters", str(given.characters), "--latency-ms", str(given.latency_ms)]
    server = subprocess.Popen([*me, "--part", "serve"], stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    found: dict[str, list[list[float]]] = {"bare": [], "judge": []}
    for _ in range(given.repeat):
        for part, results in found.items():
            done = subprocess.run([*me, "--part", part, "--url", url], capture_output=True, text=True, check=True)
            results.append(json.loads(done.stdout))
    server.terminate()
    rates = {part: statistics.median(rate for rate, _ in results) for part, results in found.items()}
    for part, results in found.items():
        cpu = statistics.median(cpu for _, cpu in results)
        share = rates[part] / rates["bare"]
        print(f"{part:6} {rates[part]:7.0f} gradings/s  {share:5.2f} of the bare client  {cpu:5.2f} ms CPU each")


if __name__ == "__main__":
    main()
