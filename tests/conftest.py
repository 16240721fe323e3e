"""What all tests share: no network but loopback, no leftovers, where the shared data lies."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from evalkit.tests.support.report_browser import Page

REPOSITORY = Path(__file__).parent.parent

# Before NumPy and PyTorch read it, here and in child processes: the tests' models are tiny, and threads that wait
# for each other take the processor from the other workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hypothesis would fail an example that takes 200 ms and a strategy that draws slowly: speed lives in bench/.
# `make test` tries the same examples every time, so that its verdict tells of the change and not of luck;
# `make test-all` draws new ones (--hypothesis-profile random).
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("random", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: one that is begun last would keep a single worker busy at the end."""
    slow = {item.path for item in items if "slow" in item.keywords and "exhaustive" not in item.keywords}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _loopback_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections to anything but this machine, in tests not marked ``network``."""
    if "network" in request.keywords:
        yield
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests talk to loopback only, not to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of the test vectors; skips where it is not there."""
    folder = Path(os.environ.get("EVALKIT_CONFORMANCE", REPOSITORY.parent / "shared" / "conformance"))
    if not folder.is_dir():
        pytest.skip(f"no conformance vectors at {folder} (set EVALKIT_CONFORMANCE)")
    return folder


@pytest.fixture(scope="session")
def vector_file(conformance: Path) -> Callable[[str], Path]:
    """Finds a file of the test vectors; skips where this folder has none of that name."""

    def find(name: str) -> Path:
        if not (conformance / name).exists():
            pytest.skip(f"no {name} in {conformance}")
        return conformance / name

    return find


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of public benchmark files; skips where it is not there."""
    folder = Path(os.environ.get("EVALKIT_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip(f"no public benchmark files at {folder} (set EVALKIT_DATASETS)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Page]:
    """A tab of a real browser."""
    # Looking for one starts it: not for tests that need none.
    from evalkit.tests.support.report_browser import browser

    with browser() as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Iterator[Page]:
    """The tab as new; what it complains about fails the test."""
    chromium.problems.clear()
    chromium.look()
    yield chromium
    chromium.call("Page.navigate", url="about:blank")
    assert chromium.problems == []
