"""A real Chromium for the tests of reports, driven through its DevTools protocol over loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def _find_chromium() -> tuple[str | None, str]:
    """Return a Chromium that starts, or None and why there is none; ``$CHROMIUM`` names one elsewhere."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if found is None:
        return None, f"no {named or 'Chromium'} here (apt-get install chromium, or set $CHROMIUM)"
    try:
        # A distribution may have a mere notice in its place, that it is to be had elsewhere.
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{found} does not start: {error}"
    if answer.returncode:
        return None, f"{found} does not start: {(answer.stderr or answer.stdout).strip()[:200]}"
    return found, ""


def _find_axe() -> Path | None:
    """Return the source of axe-core, which a package for another browser driver brings along."""
    package = find_spec("axe_playwright_python")
    return None if package is None or package.origin is None else Path(package.origin).with_name("axe.min.js")


CHROMIUM, WHY_NO_CHROMIUM = _find_chromium()
AXE = _find_axe()
WHY_NO_AXE = "no axe-core here (pip install --no-deps axe-playwright-python)"
_SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab. ``problems`` collects what a report must never cause: errors, and requests beyond its own file.

    ``server`` is the only address that may be asked, for pages that a server of ours has.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: Any) -> None:
        self.problems: list[str] = []
        self.server = "file:"
        self._loop = loop
        self._socket = socket
        self._number = 0
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, params), 60))

    async def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event: str | None, details: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(details["exceptionDetails"]))
        elif event == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            self.problems.append(details["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.problems.append(f"console: {details['args']}")
        elif event == "Page.javascriptDialogOpening":
            self.problems.append(f"dialog: {details['message']}")
        elif event == "Network.requestWillBeSent":
            url = details["request"]["url"]
            if not url.startswith(("file:", self.server, "data:,", "data:font/woff2;")):
                self.problems.append(f"request: {url}")

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a report afresh and wait until its samples are shown."""
        self.visit(path.resolve().as_uri() + fragment)
        self.wait_for("document.documentElement?.dataset.ready !== undefined")

    def visit(self, address: str) -> None:
        """Open any page afresh."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")

    def wait_for(self, expression: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"waited {seconds} s for {expression}; {self.problems}"
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """Return the JSON value of an expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key that writes one character."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def choose(self, control: str, value: str) -> None:
        """Give a filter a value, as a person would."""
        self.evaluate(
            f"(() => {{ const one = document.getElementById('filters').elements[{json.dumps(control)}];"
            f" one.value = {json.dumps(value)}; one.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        )

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False, scale: float = 1) -> None:
        """Set the size of the window and the colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def violations(self) -> list[Any]:
        """Return what axe-core finds wrong with the page, all details open: rule and first element."""
        assert AXE is not None
        self.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        self.evaluate(AXE.read_text(encoding="utf-8") + ";undefined")
        brief = "result.violations.map((one) => [one.id, one.nodes[0].html])"
        return list(self.evaluate(f"axe.run(document).then((result) => {brief})"))

    def screenshot(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def print(self, path: Path) -> None:
        """Write the page as PDF."""
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"]))


@contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium with an empty profile, and end it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *_SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with asyncio.Runner() as runner:
                    yield from _connect(runner, _port(Path(profile), process))
            finally:
                process.terminate()


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    file = profile / "DevToolsActivePort"
    end = time.monotonic() + 60
    while not (file.exists() and "\n" in file.read_text()):
        assert process.poll() is None, "Chromium ended at once"
        assert time.monotonic() < end, "Chromium did not open its port"
        time.sleep(0.05)
    return int(file.read_text().split("\n")[0])


def _connect(runner: asyncio.Runner, port: int) -> Iterator[Page]:
    from aiohttp import ClientSession

    async def open_socket() -> tuple[Any, Any]:
        session = ClientSession()
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            targets = await answer.json()
        tab = next(target for target in targets if target["type"] == "page")
        return session, await session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0)

    session, socket = runner.run(open_socket())
    try:
        yield Page(runner.get_loop(), socket)
    finally:
        runner.run(socket.close())
        runner.run(session.close())
