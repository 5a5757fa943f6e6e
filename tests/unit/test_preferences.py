"""What the user wants decides the pick: weights or one objective, over what differs significantly."""

from __future__ import annotations

import pytest

from harness import preferences, recommendation
from harness.errors import UsageError
from harness.metrics import Measurements
from harness.model import CapacityResult
from harness.recommendation import Recommendation
from report.conclusion import conclude
from tests.results_factory import make

MADE = make(seed=3)


def measured(**weights: float) -> Measurements:
    results = MADE.results.model_copy(update={"preference": preferences.read(weights)})
    return Measurements(results, MADE.histogram)


def picked(**weights: float) -> Recommendation:
    return recommendation.recommend(measured(**weights))


def test_the_pick_follows_what_is_wanted() -> None:
    assert picked(compressed_bytes=1).pick == "alpine-gunicorn"
    assert picked(throughput_rps=1).pick in ("slim-gunicorn", "distroless-gunicorn")
    assert picked(throughput_rps=9, compressed_bytes=0.01).pick != "alpine-gunicorn"
    assert picked(throughput_rps=0.01, compressed_bytes=9).pick == "alpine-gunicorn"


def test_the_reason_names_the_weights_and_what_is_given_up() -> None:
    said = conclude(measured(compressed_bytes=3, throughput_rps=1))
    assert said.pick == "alpine-gunicorn"
    assert "weighing as was asked (compressed size 75% and throughput 25%)" in said.why
    assert "throughput" in said.gives_up
    assert "compressed size 75%" in said.rule
    assert "weighing every respect the same" not in said.why


def test_one_that_is_beaten_is_never_the_pick_whatever_is_weighed() -> None:
    for metric in ("compressed_bytes", "throughput_rps", "p99_ms", "findings"):
        found = picked(**{metric: 1.0})
        (chosen,) = [one for one in found.standings if one.variant == found.pick]
        assert chosen.unbeaten


def test_a_weighed_metric_that_was_not_measured_leaves_a_variant_out() -> None:
    found = picked(capacity_rps=1)
    assert found.pick is None
    assert any("capacity not measured" in one.out for one in found.standings)


def test_a_count_that_is_zero_can_be_weighed() -> None:
    found = picked(findings_medium=1)
    assert found.pick is not None
    assert all(one.score is None or 0 < one.score < 100 for one in found.standings)


def test_nothing_wanted_is_the_projects_own_rule() -> None:
    assert preferences.read({}) is None
    assert tuple(picked().weights) == preferences.SCORED
    assert picked().stated is False


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"p98_ms": 1.0}, "no such metric"),
        ({"p99_ms": 0.0}, "not above 0"),
        ({"p99_ms": -1.0}, "not above 0"),
        ({"p99_ms": float("nan")}, "not above 0"),
        ({"p99_ms": float("inf")}, "over 1,000,000"),
        ({"p99_ms": 1e308, "size_bytes": 1e308}, "over 1,000,000"),
    ],
)
def test_what_cannot_be_weighed_is_a_usage_error(weights: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        preferences.read(weights)


def test_words_of_the_command_line() -> None:
    assert preferences.parse(["p99_ms=3", "size_bytes"]) == {"p99_ms": 3.0, "size_bytes": 1.0}
    with pytest.raises(UsageError, match="no number"):
        preferences.parse(["p99_ms=much"])


def test_a_capacity_that_was_found_can_be_weighed_though_it_is_one_value() -> None:
    rates = {"slim-gunicorn": 900.0, "alpine-gunicorn": 600.0, "distroless-gunicorn": 610.0}
    results = MADE.results.model_copy(
        update={
            "preference": preferences.read({"capacity_rps": 1.0}),
            "capacities": tuple(capacity_of(variant, rps) for variant, rps in rates.items()),
        }
    )
    found = recommendation.recommend(Measurements(results, MADE.histogram))
    assert found.pick == "slim-gunicorn"
    assert {one.variant for one in found.standings if not one.out} == rates.keys()


def capacity_of(variant: str, rps: float) -> CapacityResult:
    return CapacityResult(
        variant=variant, image_digest="d", run_profile="hardened", finished=True, load_profile="quick",
        objective_p99_ms=100, tolerance=0.05, start_rps=100, capacity_rps=rps, step_up_rps=rps * 1.05, confirmed=True,
    )  # fmt: skip
