"""What became of the requests of a load whose target was stopped; nothing where the load was not right before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.metrics import Measurements
from harness.model import Interval, NotMeasured, StopLoad, StopTrial
from loadtests.loaded_stops import load_of
from tests.results_factory import make

STEADY: dict[str, Any] = {"answered": 50, "wrong": 0, "lost": 0}
RESULT: dict[str, Any] = {
    "answered": 90, "wrong": 0, "lost": 3, "lost_on_kept": 1, "refused": 4, "examples": ["reset"], "still_asking": 0,
}  # fmt: skip


def test_the_fates_of_requests() -> None:
    found = load_of(4, STEADY, RESULT)
    assert found == StopLoad(
        users=4, answered=90, lost=3, lost_on_kept_connections=1, wrong=0, refused=4, examples=("reset",)
    )


@pytest.mark.parametrize(
    ("steady", "result", "said"),
    [
        (STEADY | {"wrong": 2}, RESULT, "2 answers were wrong"),
        (STEADY | {"lost": 1}, RESULT, "1 missing"),
        (STEADY | {"answered": 0}, RESULT, "no request was answered"),
        (STEADY, None, "no result"),
        (STEADY, RESULT | {"still_asking": 2}, "2 users were still waiting"),
    ],
)
def test_what_gives_no_figure(steady: dict[str, Any], result: dict[str, Any] | None, said: str) -> None:
    found = load_of(4, steady, result)
    assert isinstance(found, NotMeasured)
    assert said in found.not_measured


def stop(index: int, load: StopLoad | NotMeasured | None, seconds: float = 0.3) -> StopTrial:
    return StopTrial(
        id=f"stop-article-{index}", variant="article", image_digest="sha256:1", run_profile="hardened", index=index,
        started_at=datetime(2026, 1, 1, tzinfo=UTC), timeout_s=10, seconds=seconds, exit_code=0, killed=False,
        load=load,
    )  # fmt: skip


def test_idle_stops_and_stops_under_load_are_figures_apart() -> None:
    made = make()
    lost = load_of(4, STEADY, RESULT)
    nothing = NotMeasured(not_measured="no result")
    stops = (stop(1, None), stop(1, lost, 5.0), stop(2, nothing, 5.0))
    measured = Measurements(made.results.model_copy(update={"stop_trials": stops}), made.histogram)
    seconds = measured.metric("stop_seconds", "article").value
    requests = measured.metric("stop_lost_requests", "article").value
    assert isinstance(seconds, Interval)
    assert isinstance(requests, Interval)
    assert seconds.value == pytest.approx(0.3)
    assert requests.value == pytest.approx(3)
    assert (seconds.n, requests.n) == (1, 1)
