"""Coverage of the intervals: exact where all outcomes can be counted, else a small seeded simulation."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

path = Path(__file__).parents[3] / "bench" / "coverage_intervals.py"
spec = importlib.util.spec_from_file_location("coverage_intervals", path)
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

RUNS = 400
NOISE = 0.03  # almost three standard errors of a share of 95 % among so many runs


def draw(n, p):
    return np.random.default_rng([n, round(100 * p)])


@pytest.mark.parametrize("n", bench.SIZES)
@pytest.mark.parametrize("p", bench.CHANCES)
def test_verdicts_exactly(n, p):
    assert not bench.verdicts(n, p).is_out


@pytest.mark.parametrize("gain", [0.0, 0.5])
@pytest.mark.parametrize(("n", "p"), [(20, 0.02), (20, 0.15), (20, 0.5), (60, 0.02), (60, 0.15)])
def test_pairs_of_verdicts_exactly(n, p, gain):
    assert not bench.verdict_pairs(n, p, gain).is_out


@pytest.mark.parametrize("kind", bench.TYPES, ids=lambda kind: kind.name)
@pytest.mark.parametrize(("n", "p"), [(20, 0.02), (20, 0.5), (60, 0.15)])
def test_means(kind, n, p):
    assert bench.means(kind, draw(n, p), RUNS, n, p).coverage >= 0.93 - NOISE


@pytest.mark.parametrize("kind", bench.TYPES, ids=lambda kind: kind.name)
@pytest.mark.parametrize(("n", "p", "gain"), [(20, 0.02, 0.3), (20, 0.5, 0.0)])
def test_differences(kind, n, p, gain):
    assert bench.differences(kind, draw(n, p), RUNS, n, p, gain).coverage >= 0.93 - NOISE


@pytest.mark.parametrize(("n", "p"), [(20, 0.02), (20, 0.5)])
def test_averages_over_tasks(n, p):
    assert bench.averages(draw(n, p), RUNS, n, p).coverage >= 0.93 - NOISE


@pytest.mark.parametrize(("n", "p"), [(20, 0.02), (20, 0.5)])
def test_ratings(n, p):
    assert bench.bradley_terry_ratings(draw(n, p), RUNS, n, p, 3).coverage >= 0.93 - NOISE


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", ["means", "differences", "ratings"])
def test_all_of_the_simulation(part):
    outside = {
        (name, n, p): str(cell)
        for name, measure in bench.rows(part, np.random.default_rng(0), 2000)
        for n in bench.SIZES
        for p in bench.CHANCES
        if (cell := measure(n, p)).is_out
    }
    assert not outside
