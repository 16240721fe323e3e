"""Metrics are measured on the scale that they declare."""

import pytest
from evalkit.errors import InputError
from evalkit.evals.engine.results import measure_metric
from evalkit.tasks.imo import imo
from evalkit.tasks.rumtbench import rumtbench
from evalkit.tasks.types import Metric, Observation, Score
from hypothesis import given
from hypothesis import strategies as st


def scale(values, **declared):
    metric = Metric("points", lambda score: [Observation(score.parts["points"])], **declared)
    scores = [(f"s{at}", Score(0.0, parts={"points": value})) for at, value in enumerate(values)]
    return measure_metric(metric, scores)


def test_one_of_seven_points_is_no_hundred_per_cent():
    points = imo.metrics[0]
    found = measure_metric(points, [(f"p{at}", Score(1 / 7, parts={"points": 1})) for at in range(7)])
    assert (found["unit"], found["bounds"], found["value"]) == ("number", (0, 7), 1.0)
    assert 0 <= found["low"] < 1 < found["high"] <= 7
    ratings = rumtbench.metrics[0]
    assert (ratings.unit, ratings.bounds) == ("number", (1, 10))


@given(st.lists(st.integers(1, 10), min_size=1, max_size=30))
def test_intervals_stay_on_the_scale(values):
    found = scale(values, unit="number", bounds=(1, 10))
    assert 1 <= found["low"] <= found["value"] <= found["high"] <= 10
    assert found["low"] < found["high"]


def test_a_value_off_the_scale_names_the_metric_and_the_remedy():
    with pytest.raises(InputError, match=r"'points': values lie in \[0, 1\].*is 3\.0.*bounds="):
        scale([0.5, 3.0])
    assert scale([0.5, 3.0], unit="number")["value"] == 1.75


def test_what_is_no_mean_is_no_share():
    assert (scale([0.5, 0.7], aggregate=max)["unit"], scale([0.5, 0.7])["unit"]) == ("number", "share")


def test_an_aggregate_that_does_not_vary_is_not_certain():
    found = scale([1.0] * 20, aggregate=min, bounds=(0.0, 1.0))
    assert (found["value"], found["high"], found["unit"]) == (1.0, 1.0, "number")
    assert 0.8 < found["low"] < 0.9
    unbounded = scale([1.0] * 20, aggregate=min)
    assert (unbounded["low"], unbounded["high"]) == (None, None)
    with pytest.raises(InputError, match=r"'points': values lie in \[0, 1\].*is 3\.0"):
        scale([0.5, 3.0], aggregate=max, bounds=(0.0, 1.0))


@pytest.mark.parametrize("declared", [{"bounds": (0, 7)}, {"unit": "number", "bounds": (7, 0)}])
def test_impossible_scales_are_refused(declared):
    with pytest.raises(ValueError, match="metric 'points'"):
        scale([0.5], **declared)
