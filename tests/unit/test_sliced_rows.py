"""Sliced comparisons stand among the rows of two variants, the right way round."""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparison import compare_sides
from harness.model import NotMeasured, Ratio, SlicedComparison, SlicedSide
from harness.sides import Run, side_of
from tests.results_factory import digest_of, make

MADE = make()
SLOWER = Ratio(value=1.25, low=1.2, high=1.3, significant=True, method="sliced, six pairs")
NOTHING = NotMeasured(not_measured="no pair was valid")


def side(variant: str, profile: str = "hardened") -> SlicedSide:
    return SlicedSide(
        variant=variant, image_digest=digest_of(variant), run_profile=profile, base="", interpreter="", workers=""
    )


def sliced(a: SlicedSide, b: SlicedSide) -> SlicedComparison:
    said: dict[str, Any] = {
        "id": "x", "a": a, "b": b, "without_quota": False, "endpoints": {}, "connections": 1, "slice_seconds": 0.02,
        "seconds": 60, "seed": 1, "target_cpus": "0", "generator_cpus": "1", "pairs": (), "request_time": SLOWER,
        "throughput": NOTHING, "throughput_untrimmed": NOTHING, "latency_p99": NOTHING,
        "cpu_seconds_per_request": NOTHING,
    }  # fmt: skip
    return SlicedComparison.model_validate(said)


def compared(one: SlicedComparison) -> Any:
    run = Run(results=MADE.results.model_copy(update={"sliced": (one,)}), histogram=MADE.histogram)
    found = compare_sides(side_of(run, "slim-gunicorn"), side_of(run, "alpine-gunicorn"))
    return found.figure("sliced_request_time")


@pytest.mark.parametrize(
    ("a", "b", "value", "judged"),
    [("slim-gunicorn", "alpine-gunicorn", 1.25, "worse"), ("alpine-gunicorn", "slim-gunicorn", 0.8, "better")],
    ids=["as it was measured", "turned round"],
)
def test_a_sliced_ratio_is_of_the_second_over_the_first(a: str, b: str, value: float, judged: str) -> None:
    found = compared(sliced(side(a), side(b)))
    assert found.ratio.value == pytest.approx(value)
    assert found.ratio.low < found.ratio.value < found.ratio.high
    assert (found.judged, found.method) == (judged, "sliced, six pairs")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(side("slim-gunicorn"), side("alpine-gunicorn", "article"), id="two run profiles"),
        pytest.param(side("slim-gunicorn"), side("slim-gunicorn"), id="one variant"),
        pytest.param(side("slim-gunicorn"), side("slim-dev"), id="another variant"),
    ],
)
def test_others_comparisons_are_not_theirs(a: SlicedSide, b: SlicedSide) -> None:
    assert compared(sliced(a, b)) is None
