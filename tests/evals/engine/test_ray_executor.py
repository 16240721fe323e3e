"""``--executor ray`` on a real local cluster."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.errors import UsageError
from evalkit.evals.records.rows import read_rows
from evalkit.evals.run import run
from evalkit.tests.support.chat_server import LoopbackServer

ray = pytest.importorskip("ray", reason="needs evalkit-ru[ray]")

TASK = """
from evalkit.tasks.types import Sample, Score, mean_value

class Echo:
    name, version, title, max_tokens = "echo", "1", "Echo", 16
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        yield from (Sample.ask(str(n), f"вопрос {n}") for n in range(limit or 1000))
    def read(self, path):
        raise NotImplementedError
    def score(self, sample, completion, context):
        return Score(float(sample.prompt in completion.text))

echo = Echo()
"""


class TenTimesSlowerClock:
    """``time`` with a clock that runs at a tenth of its speed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        return time.monotonic() / 10


def start_ray() -> None:
    """Start Ray, with 300 s for its daemon in place of 30.

    The daemon registers after two more Python processes have imported Ray, which may take longer than 30 s where
    other programs use the processor. Ray has no setting for it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray._private.node, "time", TenTimesSlowerClock())
        ray.init(address="local", num_cpus=3, include_dashboard=False, logging_level="ERROR", log_to_driver=False)


@pytest.fixture(scope="module")
def cluster():
    """A Ray of our own with room for two workers; tests share it, since it takes seconds to start."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Workers import this package by the name that pytest gave it.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [*os.environ.get("PYTHONPATH", "").split(os.pathsep), *_package_path()]
    )
    start_ray()
    yield
    ray.shutdown()


def _package_path() -> list[str]:
    import evalkit

    return [str(Path(evalkit.__file__).parent.parent)]


def workers() -> list[int]:
    """Return the processes that run our actors."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                title = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::Worker"):
                found.append(int(process.name))
    return found


@pytest.mark.exhaustive
def test_a_thousand_samples_survive_the_death_of_a_worker(tmp_path: Path, cluster: None) -> None:
    (tmp_path / "echo.py").write_text(TASK)
    killed: list[int] = []

    def kill_one() -> None:
        while len(server.requests) < 300:
            time.sleep(0.01)
        killed.append(workers()[0])
        os.kill(killed[0], signal.SIGKILL)

    with LoopbackServer(latency=0.02) as server:
        killer = threading.Thread(target=kill_one)
        killer.start()
        directory = run(
            "openai:x",
            [f"{tmp_path}/echo.py:echo"],
            base_url=server.url,
            output=tmp_path / "run",
            executor="ray",
            workers=2,
        )
        killer.join()
    rows = list(read_rows(directory))
    assert killed
    assert len({row.id for row in rows}) == len(rows) == 1000
    assert all(row.score.value == 1 for row in rows)
    # At most what the dead worker had in its hands was asked twice.
    assert 1000 <= len(server.requests) <= 1000 + 2 * 64
    manifest = orjson.loads((directory / "manifest.json").read_bytes())
    assert manifest["executor"] == {"name": "ray", "workers": 2}
    assert manifest["finished"]


def test_a_poisoned_prompt_costs_a_sample_and_not_the_run(tmp_path: Path, cluster: None) -> None:
    (tmp_path / "echo.py").write_text(TASK)
    poison = lambda number, prompt: "400:no" if prompt == "вопрос 7" else None  # noqa: E731
    with LoopbackServer(faults=poison) as server:
        directory = run(
            "openai:x", [f"{tmp_path}/echo.py:echo"], limit=20, base_url=server.url, output=tmp_path / "run",
            executor="ray", workers=2,
        )  # fmt: skip
    statuses = {row.id: row.score.status for row in read_rows(directory)}
    assert statuses.pop("7") == "api_error"
    assert set(statuses.values()) == {"ok"}


def test_a_model_that_a_worker_cannot_open_is_said_before_anything_is_asked(tmp_path: Path, cluster: None) -> None:
    (tmp_path / "echo.py").write_text(TASK)
    with pytest.raises(UsageError, match="no-such-file"):
        run(
            "gguf:/no-such-file.gguf",
            [f"{tmp_path}/echo.py:echo"],
            output=tmp_path / "run",
            executor="ray",
            workers=1,
        )
