"""From what was seen of a trial to its figures: known answers, and nothing where nothing was measured."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from harness import histograms
from harness.engine import run_profiles
from harness.engine.client import ContainerState
from harness.engine.stats import ContainerStats
from harness.errors import EngineMissing, SeatrialError
from harness.model import Guard, LoadTrial, NotMeasured, Percentiles, ResourceUse
from loadtests.events import Events, parse
from loadtests.inside import recorder
from loadtests.judging import Order, judged
from loadtests.load_profile import LoadProfile
from loadtests.seen import Reading, Seen, resources
from loadtests.setting import Cores, Setting
from tests.made_records import image

SETTING = Setting(
    run_profile=run_profiles.load("hardened"),
    load_profile=LoadProfile(name="t", title="t", users=4, rate=100),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)
FINE: dict[str, Any] = {"verified": 50, "wrong": [], "unanswered": []}
RUNNING = ContainerState(running=True, exit_code=0, oom_killed=False, restarts=0, started_at="")


def encoded(*latencies_us: int) -> str:
    return recorder.encoded(
        array("q", latencies_us), histograms.LOWEST_US, histograms.HIGHEST_US, histograms.SIGNIFICANT_DIGITS
    )


def stats(cpu: float, memory: int = 10, throttled: float = 0.0, peak: int | None = 99) -> ContainerStats:
    return ContainerStats(cpu_seconds=cpu, throttled_seconds=throttled, anonymous_bytes=memory, peak_bytes=peak, pids=1)


def seen(**changed: Any) -> Seen:
    result: dict[str, Any] = {
        "window_s": 5.0,
        "endpoints": {
            "/": {"requests": 3, "failures": 0, "latency": encoded(1000, 2000, 3000), "service": None},
            "/json": {"requests": 2, "failures": 0, "latency": encoded(10_000, 20_000), "service": None},
        },
        "verified": 7, "unanswered": 0, "faults": [], "failure_examples": {}, "processes": 1,
        "client": "FastHttpUser", "law_expected": 4, "law_found": 4, "cpu_seconds": 2.5, "process_cpu_seconds": [2.5],
        "looking_seconds": 1.0, "clock_step_s": 0.0, "core_busy_s": 4.5,
    }  # fmt: skip
    result |= changed
    return Seen(
        events={"ready": FINE | {"verified": 1}, "before": FINE, "after": FINE, "result": result},
        begin=Reading(at=100.0, stats=stats(1.0)),
        end=Reading(at=105.0, stats=stats(5.0, memory=20)),
        memory=[Reading(at=101.0, stats=stats(2.0, memory=50)), Reading(at=103.0, stats=stats(3.0, memory=30))],
        state=RUNNING,
    )


def judge(what: Seen, model: Any = "closed") -> LoadTrial:
    order = Order(image=image("slim"), model=model, round=2, attempt=1, seed=1)
    return judged(order, SETTING, what, started_at=datetime(2026, 1, 1, tzinfo=UTC)).trial


def test_cpu_is_a_rate_over_the_part_of_the_window_that_was_read() -> None:
    """The end's reading came 0.9 s late, when the load was over: it would make 4.0 CPU seconds over 5.9."""
    late = seen()
    late.memory = [Reading(at=at, stats=stats(cpu)) for at, cpu in ((101.0, 1.8), (104.0, 4.2))]
    late.end, late.ended_at = Reading(at=105.9, stats=stats(5.0)), 105.0
    used = resources(late, 10.0)
    assert isinstance(used, ResourceUse)
    assert used.cpu_share == pytest.approx(0.8)
    assert used.cpu_seconds == pytest.approx(4.0)
    assert used.cpu_seconds_per_request == pytest.approx(0.08)


def by_the_engine(begin: float, memory: float, end: float) -> Seen:
    """Return a trial whose window is 7000 to 7005 by the engine's clock, and whose answers came 0.5 s late at first."""
    late = seen()
    late.events["measure-end"] = {"at": 7005.0}
    late.begin = Reading(at=100.5, stats=replace(stats(1.0), read_at=begin))
    late.memory = [Reading(at=104.0, stats=replace(stats(4.2), read_at=memory))]
    late.end, late.ended_at = Reading(at=105.9, stats=replace(stats(5.0), read_at=end)), 105.0
    return late


def test_cpu_is_a_rate_between_the_moments_at_which_the_engine_looked() -> None:
    """By the answers' moments, it would be 3.2 CPU seconds in 3.5 s."""
    used = resources(by_the_engine(7000.0, 7004.0, 7005.9), 10.0)
    assert isinstance(used, ResourceUse)
    assert used.cpu_share == pytest.approx(0.8)
    assert used.cpu_seconds == pytest.approx(4.0)


def test_a_first_look_near_the_windows_end_tells_nothing_of_it() -> None:
    """It would be 4 CPU seconds in 0.2 s; what was throttled is no rate, and a guard needs it."""
    late = by_the_engine(7004.8, 7005.5, 7005.9)
    assert late.end is not None
    late.end = replace(late.end, stats=replace(late.end.stats, throttled_seconds=0.4))
    used = resources(late, 10.0)
    assert isinstance(used, ResourceUse)
    assert isinstance(used.cpu_share, NotMeasured)
    assert isinstance(used.cpu_seconds, NotMeasured)
    assert isinstance(used.cpu_seconds_per_request, NotMeasured)
    assert used.throttled_seconds == pytest.approx(0.4)


def test_a_first_look_after_the_window_tells_nothing_at_all() -> None:
    """No throttled time in no part of the window would read as a target that was not throttled."""
    assert isinstance(resources(by_the_engine(7005.2, 7005.5, 7005.9), 10.0), NotMeasured)


def test_a_window_that_was_hardly_read_takes_the_reading_after_it() -> None:
    late = seen()
    late.memory = [Reading(at=101.0, stats=stats(1.1))]
    late.end, late.ended_at = Reading(at=105.9, stats=stats(5.0)), 105.0
    used = resources(late, 10.0)
    assert isinstance(used, ResourceUse)
    assert used.cpu_share == pytest.approx(0.8)


def test_known_figures() -> None:
    one = judge(seen())
    assert one.broken_guards == ()
    assert (one.requests, one.failures, one.throughput_rps) == (5, 0, 1.0)
    assert isinstance(one.latency, Percentiles)
    assert one.latency.p50_ms == pytest.approx(3, rel=1e-3)
    assert one.latency.max_ms == pytest.approx(20, rel=1e-3)
    assert one.endpoints["/json"].requests == 2
    assert one.answers_verified == 1 + 50 + 50 + 7
    assert isinstance(one.resources, ResourceUse)
    assert one.resources.cpu_seconds == pytest.approx(4.0)
    assert one.resources.cpu_share == pytest.approx(0.8)
    assert one.resources.cpu_seconds_per_request == pytest.approx(0.8)
    assert one.resources.anonymous_memory_bytes == 50
    assert one.resources.memory_samples == 4
    assert not isinstance(one.generator, NotMeasured)
    assert one.generator.cpu_share == pytest.approx(0.5)
    assert one.generator.looking_share == pytest.approx(0.2)
    assert one.foreign_cpu_share == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("cores", "used_s", "share"),
    [("1", [2.5, 2.4], 0.98), ("1,2", [4.8, 0.5], 0.96), ("1,2", [2.0, 2.0], 0.4)],
    ids=["two on one core", "one is busy", "none is"],
)
def test_the_generator_is_as_busy_as_its_cores_or_its_busiest_process(
    cores: str, used_s: list[float], share: float
) -> None:
    setting = replace(SETTING, cores=Cores(target="0", generator=cores))
    what = seen(cpu_seconds=sum(used_s), process_cpu_seconds=used_s, processes=2)
    what.end = Reading(at=105.0, stats=stats(4.0))
    order = Order(image=image("slim"), model="closed", round=1, attempt=1, seed=1)
    one = judged(order, setting, what, started_at=datetime(2026, 1, 1, tzinfo=UTC)).trial
    assert not isinstance(one.generator, NotMeasured)
    assert one.generator.cpu_share == pytest.approx(share)
    assert one.generator.processes == 2
    assert (Guard.GENERATOR_SATURATED in [each.guard for each in one.broken_guards]) is (share > 0.9)


@pytest.mark.parametrize(
    ("busy_s", "generator_core", "guards"),
    [(5.0, "1", []), (7.0, "1", [Guard.CORE_SHARED]), (7.0, "0", [])],
    ids=["a fifth", "more than a quarter", "the generator is one of them"],
)
def test_what_others_took_of_the_targets_core_is_judged(
    busy_s: float, generator_core: str, guards: list[Guard]
) -> None:
    setting = replace(SETTING, cores=Cores(target="0", generator=generator_core))
    order = Order(image=image("slim"), model="closed", round=1, attempt=1, seed=1)
    one = judged(order, setting, seen(core_busy_s=busy_s), started_at=datetime(2026, 1, 1, tzinfo=UTC)).trial
    assert [each.guard for each in one.broken_guards] == guards
    assert one.foreign_cpu_share == pytest.approx(busy_s / 5.0 - 0.8)


def test_histogram_files_have_names_of_their_own_whatever_the_endpoints_are_called() -> None:
    endpoints = {name: {"requests": 1, "failures": 0, "latency": encoded(5), "service": None} for name in
                 ("/", "/a/b", "/a?b", "all", "../x", "")}  # fmt: skip
    order = Order(image=image("slim"), model="closed", round=1, attempt=1, seed=1)
    measured = judged(order, SETTING, seen(endpoints=endpoints), started_at=datetime(2026, 1, 1, tzinfo=UTC))
    files = measured.trial.histograms
    assert len(set(files.values())) == len(files) == len(measured.histograms)
    assert all("/" not in name and not name.startswith(".") for name in measured.histograms)


def test_the_open_model_has_response_and_service_times() -> None:
    endpoints = {"/": {"requests": 100, "failures": 0, "latency": encoded(9000), "service": encoded(1000)}}
    one = judge(seen(endpoints=endpoints, due=100, sent=100, backlog_begin=0, backlog_end=0), "open")
    assert isinstance(one.service_latency, Percentiles)
    assert isinstance(one.latency, Percentiles)
    assert one.latency.max_ms > one.service_latency.max_ms
    assert (one.users, one.offered_rps) == (0, 100)


def test_a_broken_contract_leaves_no_figure() -> None:
    one = judge(seen(faults=["GET /: body 'x' where 'y' is right"]))
    assert [each.guard for each in one.broken_guards] == [Guard.CONTRACT_BROKEN]
    assert isinstance(one.latency, NotMeasured)
    assert isinstance(one.resources, NotMeasured)
    assert (one.requests, one.endpoints, one.histograms) == (0, {}, {})


def test_a_target_that_never_answered_says_so() -> None:
    waiting = Seen(events={"ready": {"verified": 0, "wrong": [], "unanswered": ["GET /: no answer"]}}, state=RUNNING)
    one = judge(waiting)
    assert [each.guard for each in one.broken_guards] == [Guard.TIMED_OUT]
    assert isinstance(one.latency, NotMeasured)
    assert isinstance(one.generator, NotMeasured)


def test_a_generator_that_fell_over_is_not_blamed_on_the_target() -> None:
    one = judge(Seen(events={}, state=RUNNING, generator_log="Traceback\nImportError: no locust\n"))
    assert [each.guard for each in one.broken_guards] == [Guard.TIMED_OUT]
    assert "no locust" in one.broken_guards[0].evidence


def test_a_target_that_ended_is_named_even_without_any_result() -> None:
    gone = Seen(events={}, state=replace(RUNNING, running=False, exit_code=1), log="no such file")
    assert [each.guard for each in judge(gone).broken_guards] == [Guard.EXITED]


@pytest.mark.parametrize(
    ("begin", "end"),
    [(None, stats(1.0)), (stats(1.0), None), (stats(5.0), stats(0.5))],
    ids=["no beginning", "no end", "counted anew after a restart"],
)
def test_resources_are_not_measured_without_both_ends(begin: ContainerStats | None, end: ContainerStats | None) -> None:
    what = seen()
    what.begin = Reading(at=1.0, stats=begin) if begin else None
    what.end = Reading(at=2.0, stats=end) if end else None
    assert isinstance(resources(what, 10.0), NotMeasured)


def test_an_engine_without_a_peak_says_so() -> None:
    what = seen()
    what.end = Reading(at=105.0, stats=stats(5.0, peak=None))
    used = resources(what, 10.0)
    assert isinstance(used, ResourceUse)
    assert isinstance(used.peak_memory_bytes, NotMeasured)


@pytest.mark.parametrize("line", ["", "Warning: gevent", "[1]", '"x"', "{}", '{"event": 1}', "{broken", "null"])
def test_lines_that_are_no_events_are_passed_over(line: str) -> None:
    assert parse(line) is None


def test_events_come_in_order_and_end() -> None:
    events = Events(iter([json.dumps({"event": "a"}), "noise", json.dumps({"event": "b"})]))
    assert [events.next(1), events.next(1), events.next(1)] == [{"event": "a"}, {"event": "b"}, None]
    assert events.over
    assert events.next(1) is None


def test_a_silent_container_holds_nobody_up() -> None:
    def silent() -> Iterator[str]:
        time.sleep(5)
        yield ""

    events = Events(silent())
    began = time.monotonic()
    assert events.next(0.05) is None
    assert not events.over
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("error", [EngineMissing("gone"), OSError("reset")], ids=["told", "untold"])
def test_an_engine_that_fails_while_it_is_read_is_an_error(error: Exception) -> None:
    def failing() -> Iterator[str]:
        yield json.dumps({"event": "a"})
        raise error

    events = Events(failing())
    assert events.next(1) == {"event": "a"}
    with pytest.raises(SeatrialError):
        events.next(1)
