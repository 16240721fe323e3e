"""``evalkit compare``: paired differences, honest tests, and gates that fail when they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from evalkit.errors import InputError, UsageError
from evalkit.evals.compare import Gate, compare_runs
from evalkit.evals.run import run
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.run_builder import build_run, sample_rows


def made(folder: Path, name: str, answer, **settings) -> Path:
    with LoopbackServer(answer=answer) as server:
        return run(f"openai:{name}", ["ruifeval-mini"], base_url=server.url, output=folder / name, **settings)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return made(folder, "echo", lambda prompt: prompt, limit=60), made(folder, "mute", lambda prompt: "", limit=60)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "evalkit", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_differences_are_those_of_the_results_with_paired_tests(runs: tuple[Path, Path]) -> None:
    found = compare_runs(*runs)
    results = [orjson.loads((directory / "results.json").read_bytes()) for directory in runs]
    values = [{metric["name"]: metric for metric in one["tasks"][0]["metrics"]} for one in results]
    whole = {one.metric: one for one in found.differences if not one.dimension}
    for name in ("prompt_strict", "prompt_loose"):
        assert whole[name].value == pytest.approx(values[0][name]["value"] - values[1][name]["value"])
        assert whole[name].wins + whole[name].ties + whole[name].losses == whole[name].samples == 60
        assert whole[name].low < whole[name].value < whole[name].high
    assert all(one.adjusted >= one.p_value for one in whole.values())
    assert {one.dimension for one in found.differences} > {""}
    assert found.warnings == ()


def test_the_other_way_round_is_the_opposite(runs: tuple[Path, Path]) -> None:
    one, other = compare_runs(*runs), compare_runs(*reversed(runs))
    for here, there in zip(one.differences, other.differences, strict=True):
        assert here.value == pytest.approx(-there.value)
        assert here.p_value == pytest.approx(there.p_value)
        assert (here.wins, here.losses) == (there.losses, there.wins)


def test_a_run_against_itself_is_no_difference(runs: tuple[Path, Path], tmp_path: Path) -> None:
    found = compare_runs(runs[0], made(tmp_path, "echo", lambda prompt: prompt, limit=60))
    assert all(one.value == 0 and one.p_value == 1 for one in found.differences)


def test_settings_that_differ_are_told(runs: tuple[Path, Path], tmp_path: Path) -> None:
    found = compare_runs(runs[0], made(tmp_path, "short", lambda prompt: prompt, limit=20, max_tokens=9))
    assert any("max_tokens" in warning for warning in found.warnings)
    assert any("samples" in warning for warning in found.warnings)
    assert {one.samples for one in found.differences if not one.dimension} == {20}


def test_shares_differ_by_no_more_than_all(tmp_path: Path) -> None:
    made = [build_run(tmp_path / str(seed), sample_rows(2, skill=0.5, seed=seed), model="m") for seed in range(8)]
    found = [one for other in made[1:] for one in compare_runs(made[0], other).differences]
    ends = [end for one in found for end in (one.low, one.high) if end is not None]
    assert (min(ends), max(ends)) == (-1, 1)


def test_gates_decide_the_exit_code(runs: tuple[Path, Path]) -> None:
    difference = next(one for one in compare_runs(*runs).differences if one.metric == "prompt_strict")
    bound = f"{difference.value - 0.01:.4f}"
    passed = command("compare", *runs, "--gate", f"ruifeval-mini > {bound}")
    assert passed.returncode == 0, passed.stderr
    assert "passed" in passed.stderr
    assert "prompt" in passed.stdout.lower()
    failed = command("compare", *runs, "--gate", f"ruifeval-mini/prompt_strict > {difference.value + 0.01:.4f}")
    assert failed.returncode == 1
    assert "FAILED" in failed.stderr
    assert "Traceback" not in failed.stderr
    as_json = orjson.loads(command("compare", *runs, "--json").stdout)
    assert as_json["differences"][0]["metric"] == "prompt_strict"


@pytest.mark.parametrize("text", ["", "ruifeval", "ruifeval < 1", "ruifeval > x", "> 0.1", "a b > 1", "t/m > 1 2"])
def test_a_gate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--gate"):
        Gate.parse(text)


def test_what_cannot_be_compared_is_said(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such task"):
        Gate.parse("math > 0").holds(compare_runs(*runs))
    with pytest.raises(InputError, match="not a run"):
        compare_runs(runs[0], tmp_path)
