"""What the generator sums up of a window: latencies, Little's law, what is in flight; simulated, with known answers."""

from __future__ import annotations

import heapq
import time
from array import array
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadtests.cases import Case
from loadtests.inside import recorder
from loadtests.inside.recorder import Arrival, Recorder


class Clock:
    """Stands in for `time.perf_counter` and for the greenlet that asks."""

    def __init__(self) -> None:
        self.now = 0.0
        self.user = object()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: made.now)
    monkeypatch.setattr(recorder, "getcurrent", lambda: made.user)
    return made


def note(notes: Recorder, seconds: float, **changed: Any) -> None:
    how: dict[str, Any] = {"name": "x", "exception": None, "context": {}, "response": None} | changed
    notes.on_request(response_time=seconds * 1000, **how)


def closed(clock: Clock, response: Callable[[int, float], float | None], *, users: int, pause: float) -> Recorder:
    """Simulate users that ask, pause and ask again, from 0 to 3 s, measured from 1 to 2 s.

    `response` gives a request's seconds by user and moment; None hangs.
    """
    notes = Recorder(sample_share=0, random=Random(0))
    who = [object() for _ in range(users)]
    queue: list[tuple[float, int, float]] = []

    def ask(user: int, moment: float) -> None:
        seconds = response(user, moment)
        if seconds is not None:
            heapq.heappush(queue, (moment + seconds, user, seconds))

    for user in range(users):
        ask(user, 0.001 * user)
    began = ended = False
    while queue:
        clock.now, user, seconds = heapq.heappop(queue)
        if clock.now > 1 and not began:
            began, moment = True, clock.now
            clock.now = 1.0
            notes.begin()
            clock.now = moment
        if clock.now > 2 and not ended:
            ended, moment = True, clock.now
            clock.now = 2.0
            notes.end()
            clock.now = moment
        if clock.now > 3:
            break
        clock.user = who[user]
        note(notes, seconds)
        ask(user, clock.now + pause)
    if not ended:
        clock.now = 1.0
        notes.began = notes.began or 1.0
        clock.now = 2.0
        notes.end()
    return notes


@pytest.mark.parametrize("response_s", [0.001, 0.02, 0.3, 0.7])
@pytest.mark.parametrize("pause_s", [0.0, 0.01])
@pytest.mark.parametrize("users", [1, 8])
def test_the_law_finds_the_users_of_a_right_trial(clock: Clock, response_s: float, pause_s: float, users: int) -> None:
    notes = closed(clock, lambda *_: response_s, users=users, pause=pause_s)
    assert recorder.closed_law(notes) == pytest.approx(users, rel=0.01)
    assert not notes.waiting()


def test_the_law_holds_with_a_stall_at_the_end_that_is_answered_at_last(clock: Clock) -> None:
    notes = closed(clock, lambda _, moment: max(2.5 - moment, 0.01) if moment > 1.6 else 0.01, users=4, pause=0)
    assert recorder.closed_law(notes) == pytest.approx(4, rel=0.01)


def test_the_law_misses_users_whose_requests_hang(clock: Clock) -> None:
    notes = closed(clock, lambda user, moment: None if user < 2 and moment > 1.2 else 0.01, users=8, pause=0)
    assert recorder.closed_law(notes) == pytest.approx(8 - 2 * 0.8, rel=0.02)
    assert notes.waiting()


def test_the_law_misses_all_where_everything_hangs(clock: Clock) -> None:
    notes = closed(clock, lambda _, moment: None if moment > 0.5 else 0.01, users=8, pause=0)
    assert recorder.closed_law(notes) == 0


def opened(*arrivals: tuple[float, float | None]) -> Recorder:
    notes = Recorder(sample_share=0, random=Random(0))
    notes.began, notes.ended = 1.0, 2.0
    notes.arrivals = [Arrival(due=due, sent=due, done=done) for due, done in arrivals]
    return notes


def test_requests_in_flight_are_counted_with_their_part_inside_the_window() -> None:
    notes = opened((0.5, 1.5), (1.2, 1.4), (1.9, 2.4), (2.1, 2.2))
    assert list(recorder.open_law(notes)) == pytest.approx([0.8, 0.8])
    assert recorder.in_flight(notes, 1.3) == 2
    assert recorder.in_flight(notes, 2.0) == 1


def test_requests_that_hang_part_the_two_sides() -> None:
    counted, found = recorder.open_law(opened((1.0, 1.5), (1.5, None)))
    assert counted == pytest.approx(1.0)
    assert found == pytest.approx(0.5)


@pytest.mark.parametrize("stall_ms", [50, 200, 500])
def test_a_stall_is_counted_from_the_moment_that_requests_were_due(clock: Clock, stall_ms: int) -> None:
    """At a rate of 1 per ms, a stall of S ms delays S requests by S, S-1, ... 1 ms: arithmetic gives the mean."""
    notes = Recorder(sample_share=0, random=Random(0))
    notes.begin()
    for ms in range(1000):
        due = ms / 1000
        clock.now = max(due, stall_ms / 1000) + 0.0005
        arrival = Arrival(due=due, sent=due)
        notes.arrivals.append(arrival)
        note(notes, 0.0005, context={"arrival": arrival})
    clock.now = 1.0
    notes.end()
    (counts,) = notes.counts.values()
    by_arithmetic = stall_ms * (stall_ms + 1) / 2 / 1000 + 0.5
    assert sum(counts.latencies_us) / 1000 / 1000 == pytest.approx(by_arithmetic, rel=0.01)
    assert sum(counts.service_us) / 1000 / 1000 == pytest.approx(0.5, rel=0.01)


def test_only_what_ends_within_the_window_is_counted(clock: Clock) -> None:
    notes = Recorder(sample_share=0, random=Random(0))
    note(notes, 0.1)
    notes.begin()
    note(notes, 0.2)
    note(notes, 0.3, exception=ConnectionRefusedError("refused"))
    clock.now = 1.0
    notes.end()
    note(notes, 0.4)
    assert list(notes.counts["x"].latencies_us) == [200_000]
    assert notes.counts["x"].failures == 1
    assert notes.unanswered == 1
    assert dict(notes.failure_examples) == {"refused": 1}


class Response:
    """What Locust hands over of an answer."""

    status_code = 200
    headers = {"Content-Type": "text/plain"}  # noqa: RUF012 - never changed
    content = b"right"


@pytest.mark.parametrize(("wanted", "faulty"), [(b"right", False), (b"wrong", True)])
def test_sampled_answers_are_compared_whole(clock: Clock, wanted: bytes, faulty: bool) -> None:
    notes = Recorder(sample_share=1, random=Random(0))
    case = Case(endpoint="x", content_type="text/plain", answer=wanted)
    note(notes, 0.1, context={"case": case}, response=Response())
    assert notes.verified == 1
    assert bool(notes.faults) is faulty


@given(st.lists(st.integers(min_value=0, max_value=10**10), max_size=40))
def test_an_encoded_histogram_holds_every_latency(latencies_us: list[int]) -> None:
    highest = 3_600_000_000
    histogram = HdrHistogram.decode(recorder.encoded(array("q", latencies_us), 1, highest, 3))
    assert histogram.get_total_count() == len(latencies_us)
    if latencies_us:
        assert histogram.get_max_value() == pytest.approx(min(max(*latencies_us, 1), highest), rel=1e-3)
