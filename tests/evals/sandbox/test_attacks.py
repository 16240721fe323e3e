"""Hostile programs: none gets out, none forges a pass, and none harms the program that comes after it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from evalkit.evals.sandbox.probe import LOCAL_TIERS, probe
from evalkit.tests.support.sandbox_attacks import CANARY, Report, forget_others, run_attacks

OWN_ATTACKS = Path(__file__).parents[2] / "data" / "sandbox_attacks"
# As text: some are no Python, or crash parsers.
MORE_ATTACKS = Path(__file__).parents[2] / "data" / "hostile_programs"
NOBODY = 65534
MODES = ["asserts", "calls"]

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="local sandboxes need Linux")


@pytest.fixture(autouse=True)
def only_what_this_test_starts() -> None:
    forget_others()


def _strongest() -> str:
    for tier in LOCAL_TIERS:
        if not asyncio.run(probe(tier)):
            return tier
    pytest.skip("no local sandbox works on this machine")


def _count(folder: Path) -> int:
    return len(json.loads((folder / "manifest.json").read_text("utf-8"))["attacks"])


def _held(report: Report, attacks: int) -> None:
    assert report.breaches == []
    assert report.wrong_controls == []
    assert report.attacks == attacks  # none was left out


@pytest.mark.slow
def test_own_attacks_are_all_stopped():
    assert _count(OWN_ATTACKS) >= 30
    _held(asyncio.run(run_attacks(_strongest(), ["calls"], [OWN_ATTACKS])), _count(OWN_ATTACKS))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_more_attacks_are_all_stopped():
    _held(asyncio.run(run_attacks(_strongest(), MODES, [MORE_ATTACKS])), len(MODES) * _count(MORE_ATTACKS))


@pytest.mark.exhaustive
@pytest.mark.conformance
@pytest.mark.slow
def test_collected_attacks_are_all_stopped(vector_file):
    folder = vector_file("sandbox/attacks/manifest.json").parent
    _held(asyncio.run(run_attacks(_strongest(), MODES, [folder])), len(MODES) * _count(folder))


@pytest.fixture(scope="module")
def readable_evalkit():
    """A folder, readable for all, from which evalkit can be imported."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "evalkit").symlink_to(Path(__file__).parents[3])
        yield folder


@pytest.mark.conformance
@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("tier", LOCAL_TIERS)
def test_attacks_are_stopped_for_an_unprivileged_user(tier, vector_file, readable_evalkit):
    folders = [vector_file("sandbox/attacks/manifest.json").parent, OWN_ATTACKS]
    probing = f"import asyncio; from evalkit.evals.sandbox.probe import probe; print(asyncio.run(probe({tier!r})))"
    for interpreter in (sys.executable, "/usr/bin/python3"):
        tried = _as_nobody(interpreter, readable_evalkit, "-c", probing)
        if tried.returncode == 0 and not tried.stdout.strip():
            break
    else:
        pytest.skip(f"'{tier}' does not work for an unprivileged user: {tried.stdout or tried.stderr}")
    script = f"{readable_evalkit}/evalkit/tests/support/sandbox_attacks.py"
    done = _as_nobody(interpreter, readable_evalkit, script, tier, ",".join(MODES), *map(str, folders))
    assert done.returncode == 0, done.stderr
    _held(Report(**json.loads(done.stdout)), len(MODES) * sum(map(_count, folders)))


def _as_nobody(interpreter: str, folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if CANARY.is_dir():
        shutil.rmtree(CANARY)  # left by root, it could not be laid out anew
    return subprocess.run(
        ["/usr/bin/env", interpreter, "-B", *arguments],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        env={"PYTHONPATH": folder},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
