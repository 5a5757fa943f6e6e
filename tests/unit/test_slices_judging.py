"""From what was seen of a pair of containers to its log ratios: known answers, and guards named by side."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import histograms, statistics
from harness.engine import run_profiles
from harness.engine.client import ContainerState
from harness.engine.stats import ContainerStats
from harness.model import Guard, NotMeasured, Ratio, SlicedFigures
from loadtests import slicing_judging as judging
from loadtests.inside.slice_orders import SliceOrders
from loadtests.seen import Reading, Seen
from loadtests.slicing_pair import PairOrder, SeenPair
from loadtests.slicing_sides import Side
from tests.made_records import image

RUNNING = ContainerState(running=True, exit_code=0, oom_killed=False, restarts=0, started_at="")
FINE: dict[str, Any] = {"verified": 30, "wrong": [], "unanswered": []}
LATENCY = {name: 1.0 for name in ("p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "mean_ms")}
SIDE = Side(image=image("slim"), run_profile=run_profiles.without_quota(run_profiles.load("hardened")))
ORDER = PairOrder(a=SIDE, b=SIDE, index=3, attempt=1, seed=1, first="a", orders=SliceOrders())


def reading(cpu: float, throttled: float = 0.0) -> Reading:
    stats = ContainerStats(cpu_seconds=cpu, throttled_seconds=throttled, anonymous_bytes=1, peak_bytes=1, pids=1)
    return Reading(at=0.0, stats=stats)


def half(**changed: Any) -> dict[str, Any]:
    found = {
        "counted": 200, "asked": 220, "failures": 0, "failure_examples": {}, "faults": [], "verified": 4,
        "connections": 1, "latency": LATENCY, "histogram": histograms.encode(histograms.new()).decode("ascii"),
    }  # fmt: skip
    return found | changed


def seen(rows: Sequence[Sequence[float]], *, a: Any = None, b: Any = None, **changed: Any) -> SeenPair:
    result = {
        "endpoints": ["/"], "slices": rows, "sides": {"a": half(**(a or {})), "b": half(**(b or {}))}, "wall_s": 5.0,
        "cpu_seconds": 1.0, "clock_step_s": 0.0, "stopped": {},
    } | changed  # fmt: skip
    sides = {
        name: Seen(events={"before": FINE, "after": FINE}, begin=reading(1.0), end=reading(cpu), state=RUNNING)
        for name, cpu in (("a", 1.022), ("b", 1.044))
    }
    return SeenPair(started_at=datetime(2026, 1, 1, tzinfo=UTC), sides=sides, result=result)


def row(slower: float = 1.0, *, endpoint: int = 0, outlier: float = 1.0) -> tuple[float, ...]:
    """One pair of slices in which B takes `slower` times as long; one of its requests may take far longer."""
    return (endpoint, 0, 100, 0.02, 0.0002, 100, 0.02 * slower * outlier, 0.0002 * slower)


def test_a_pairs_log_ratios_are_those_of_its_slices() -> None:
    measured = judging.judged(ORDER, seen([row(1.1)] * 10), "x")
    pair = measured.pair
    assert pair.broken_guards == ()
    assert pair.log_request_time == pytest.approx(math.log(1.1))
    assert pair.log_throughput == pytest.approx(-math.log(1.1))
    assert isinstance(pair.b, SlicedFigures)
    assert pair.b.throughput_rps == pytest.approx(1000 / 0.22)
    assert pair.b.cpu_seconds_per_request == pytest.approx(0.0002)
    assert pair.answers_verified == 4 * 30 + 2 * 4
    assert set(measured.histograms) == {"sliced-x-p3-a1-a.hdr", "sliced-x-p3-a1-b.hdr"}


def test_slices_in_which_a_neighbour_took_the_core_do_not_move_the_ratio() -> None:
    rows = [row(1.05)] * 16 + [row(1.05, outlier=9.0)] * 2 + [row(7.0)] * 2
    pair = judging.judged(ORDER, seen(rows), "x").pair
    assert pair.log_request_time == pytest.approx(math.log(1.05))
    assert isinstance(pair.log_throughput, float)
    assert pair.log_throughput == pytest.approx(-math.log(1.05))


def test_an_endpoint_that_differs_is_no_outlier() -> None:
    rows = [row(1.0)] * 9 + [row(4.0, endpoint=1)]
    pair = judging.judged(ORDER, seen(rows), "x").pair
    assert pair.log_request_time == pytest.approx(0.1 * math.log(4.0))


@pytest.mark.parametrize(
    ("changed", "guard", "said"),
    [
        ({"b": {"faults": ["GET /: body 'x' where 'y' is right"]}}, Guard.CONTRACT_BROKEN, "side B: under load"),
        ({"b": {"failures": 20, "failure_examples": {"refused": 20}}}, Guard.FAILURES, "side B: 20 of 220"),
        ({"a": {"asked": 0}, "stopped": {"b": "no answer"}}, Guard.TIMED_OUT, "side B: no answer"),
        ({"clock_step_s": 1.0}, Guard.CLOCK_STEPPED, "side A: "),
    ],
    ids=["lies", "fails", "hangs", "clock"],
)
def test_a_guard_names_its_side_and_there_are_no_figures(changed: dict[str, Any], guard: Guard, said: str) -> None:
    measured = judging.judged(ORDER, seen([row()] * 5, **changed), "x")
    first = measured.pair.broken_guards[0]
    assert first.guard is guard
    assert first.evidence.startswith(said)
    assert isinstance(measured.pair.log_request_time, NotMeasured)
    assert isinstance(measured.pair.a, NotMeasured)
    assert measured.histograms == {}


def test_a_container_that_was_throttled_or_has_ended_breaks_a_guard() -> None:
    throttled, ended = seen([row()] * 5), seen([row()] * 5)
    throttled.sides["a"].end = reading(2.0, throttled=0.5)
    ended.sides["b"].state = ContainerState(running=False, exit_code=3, oom_killed=False, restarts=0, started_at="")
    assert [one.guard for one in judging.judged(ORDER, throttled, "x").pair.broken_guards] == [Guard.THROTTLED]
    assert [one.guard for one in judging.judged(ORDER, ended, "x").pair.broken_guards] == [Guard.EXITED]


def test_a_generator_that_failed_by_itself_is_said() -> None:
    nothing = seen([])
    nothing.result, nothing.generator_log = {}, "Traceback: no such thing"
    pair = judging.judged(ORDER, nothing, "x").pair
    assert pair.broken_guards[0].guard is Guard.TIMED_OUT
    assert "no such thing" in pair.broken_guards[0].evidence


def test_without_a_valid_pair_nothing_is_measured() -> None:
    broken = judging.judged(ORDER, seen([row()], b={"faults": ["wrong"]}), "x").pair
    found = judging.ratio([broken], lambda pair: judging.measured(pair.log_request_time))
    assert isinstance(found, NotMeasured)
    assert "wrong" in found.not_measured
    assert isinstance(judging.ratio([], lambda pair: 0.0), NotMeasured)


def test_cpu_time_that_could_not_be_read_is_no_zero() -> None:
    unread = seen([row()] * 5)
    unread.sides["a"].end = None
    pair = judging.judged(ORDER, unread, "x").pair
    assert isinstance(pair.a, SlicedFigures)
    assert isinstance(pair.a.cpu_seconds_per_request, NotMeasured)
    assert judging.by(lambda side: side.cpu_seconds_per_request)(pair) is None


@pytest.mark.parametrize("pairs", [1, 5])
def test_fewer_than_six_pairs_give_a_ratio_but_no_judgement(pairs: int) -> None:
    found = statistics.sliced_ratio([0.1] * pairs)
    assert found.value == pytest.approx(math.exp(0.1))
    assert found.significant is None
    assert found.low is None


def test_six_pairs_give_students_interval() -> None:
    found = statistics.sliced_ratio([0.01, 0.02, 0.03, 0.01, 0.02, 0.03])
    # Mean 0.02, standard deviation 0.00894, t(5) at 0.975 = 2.5706: half width 0.009386.
    assert found.low == pytest.approx(math.exp(0.02 - 0.009386), abs=1e-5)
    assert found.high == pytest.approx(math.exp(0.02 + 0.009386), abs=1e-5)
    assert found.significant is True


@pytest.mark.parametrize("pairs", [6, 12])
def test_a_thing_against_itself_is_called_different_in_about_one_of_twenty(pairs: int) -> None:
    dice = random.Random(4)
    runs = 2000
    called = 0
    for _ in range(runs):
        found: Ratio = statistics.sliced_ratio([dice.gauss(0.0, 0.008) for _ in range(pairs)])
        called += bool(found.significant)
    assert 0.035 < called / runs < 0.065


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60))
def test_a_trimmed_mean_lies_between_the_values_and_turns_with_their_signs(values: list[float]) -> None:
    found = statistics.trimmed_mean(values)
    assert min(values) - 1e-9 <= found <= max(values) + 1e-9
    assert statistics.trimmed_mean([-one for one in values]) == pytest.approx(-found, abs=1e-9)
    assert statistics.trimmed_mean(values, trim=0.0) == pytest.approx(sum(values) / len(values), abs=1e-9)


def test_the_middle_of_several_endpoints_is_weighted_by_their_slices() -> None:
    logs = [(0, 0.0), (0, 0.2), (0, 0.1), (1, 1.0)]
    assert judging.within_endpoints(logs, median) == pytest.approx((3 * 0.1 + 1.0) / 4)
