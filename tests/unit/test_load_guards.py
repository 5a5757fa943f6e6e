"""Guards: each names its reason on the facts that break it, and a right trial breaks none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Guard
from loadtests.guards import Observed, broken

CLOSED = Observed(
    model="closed", target_share=0.95, cpu_limited=True, throttled_seconds=0.01, requests=5000, failures=0,
    failure_share_max=0.001, law_expected=32, law_found=31.9, generator_share=0.5, clock_step_s=0.001,
)  # fmt: skip
OPEN = Observed(
    model="open", target_share=0.2, throttled_seconds=0.0, requests=1000, failures=0, failure_share_max=0.001,
    law_expected=0.4, law_found=0.4, generator_share=0.1, clock_step_s=0.0, due=1000, sent=1000, rate=200.0,
    backlog_begin=1, backlog_end=0,
)  # fmt: skip


def guards_of(seen: Observed) -> list[Guard]:
    return [one.guard for one in broken(seen)]


@pytest.mark.parametrize(
    ("share", "most"),
    [(0.25, 0.25), (0.0, 0.0), (0.9, 1.0), (1.4, 1.0), (None, 0.25)],
    ids=["at the limit", "none", "any is allowed", "more than all", "not known, or the generator is one of them"],
)
def test_others_on_the_targets_core_are_borne_up_to_the_limit(share: float | None, most: float) -> None:
    assert broken(replace(CLOSED, foreign_share=share, foreign_share_max=most)) == ()


@pytest.mark.parametrize("seen", [CLOSED, OPEN], ids=["closed", "open"])
def test_a_right_trial_breaks_none(seen: Observed) -> None:
    assert broken(seen) == ()


@pytest.mark.parametrize(
    ("seen", "guard", "said"),
    [
        pytest.param(replace(CLOSED, oom_killed=True), Guard.OUT_OF_MEMORY, "memory limit", id="out of memory"),
        pytest.param(replace(CLOSED, restarts=2), Guard.RESTARTED, "2 times", id="restarted"),
        pytest.param(
            replace(CLOSED, running=False, exit_code=3, log_tail=["boom"]), Guard.EXITED, "code 3. Its log ends: boom",
            id="exited",
        ),
        pytest.param(
            replace(CLOSED, wrong_answers=["GET /: status 500", "more"]), Guard.CONTRACT_BROKEN, "(and 1 more)",
            id="wrong answers",
        ),
        pytest.param(replace(CLOSED, clock_step_s=-2.0), Guard.CLOCK_STEPPED, "-2.000 s", id="clock stepped back"),
        pytest.param(replace(CLOSED, clock_step_s=0.2), Guard.CLOCK_STEPPED, "+0.200 s", id="clock stepped on"),
        pytest.param(
            replace(CLOSED, foreign_share=0.41, foreign_share_max=0.25, core="3"), Guard.CORE_SHARED,
            "41% of core 3", id="core shared",
        ),
        pytest.param(
            replace(CLOSED, cpu_limited=False), Guard.THROTTLED, "no CPU limit", id="throttled without a limit"
        ),
        pytest.param(
            replace(CLOSED, generator_share=0.97, target_share=0.6), Guard.GENERATOR_SATURATED, "97%", id="generator"
        ),
        pytest.param(replace(CLOSED, law_found=20), Guard.LITTLES_LAW, "20.00 users", id="law, too few"),
        pytest.param(replace(CLOSED, law_found=0), Guard.LITTLES_LAW, "-100%", id="law, no answer at all"),
        pytest.param(replace(CLOSED, law_found=40), Guard.LITTLES_LAW, "+25%", id="law, too many"),
        pytest.param(replace(OPEN, law_found=0.3), Guard.LITTLES_LAW, "in flight", id="law, open"),
        pytest.param(
            replace(CLOSED, failures=6, failure_examples=["503"]), Guard.FAILURES, "0.12%), such as: 503", id="failures"
        ),
        pytest.param(replace(CLOSED, requests=0), Guard.FAILURES, "Not one request", id="nothing ended"),
        pytest.param(replace(OPEN, sent=990), Guard.OFF_SCHEDULE, "990 requests", id="sent too few"),
        pytest.param(replace(OPEN, sent=1010), Guard.OFF_SCHEDULE, "1010 requests", id="sent too many"),
        pytest.param(replace(OPEN, backlog_end=60), Guard.RATE_NOT_MET, "saturated", id="queue grows"),
        pytest.param(replace(OPEN, lost=60), Guard.RATE_NOT_MET, "given up", id="requests are lost"),
        pytest.param(replace(CLOSED, timed_out="It took too long."), Guard.TIMED_OUT, "too long", id="timed out"),
        pytest.param(replace(CLOSED, unanswered=["GET /: none"]), Guard.TIMED_OUT, "GET /: none", id="no answer"),
        pytest.param(replace(CLOSED, ended_early="It fell."), Guard.TIMED_OUT, "fell", id="generator failed"),
    ],
)  # fmt: skip
def test_each_broken_trial_names_its_reason_and_no_other(seen: Observed, guard: Guard, said: str) -> None:
    (one,) = broken(seen)
    assert one.guard is guard
    assert said in one.evidence


def test_every_guard_can_be_broken() -> None:
    worst = Observed(
        model="open", running=False, restarts=1, oom_killed=True, target_share=0.1, throttled_seconds=1.0,
        wrong_answers=["x"], requests=10, failures=9, law_expected=4, law_found=1, generator_share=1.0,
        clock_step_s=1.0, due=1000, sent=10, rate=100.0, backlog_end=900, timed_out="x",
        foreign_share=0.5, foreign_share_max=0.25,
    )  # fmt: skip
    assert set(guards_of(worst)) == set(Guard)


def test_causes_come_before_consequences() -> None:
    dead = replace(CLOSED, running=False, failures=4000, law_found=3.0, unanswered=["GET /: refused"])
    assert guards_of(dead) == [Guard.EXITED, Guard.LITTLES_LAW, Guard.FAILURES]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(replace(CLOSED, generator_share=0.97, target_share=0.95), id="both are saturated"),
        pytest.param(replace(CLOSED, generator_share=None, target_share=0.4), id="they share a core"),
        pytest.param(replace(CLOSED, failures=5), id="failures at the limit"),
        pytest.param(replace(CLOSED, law_found=29), id="law within its tolerance"),
        pytest.param(replace(OPEN, sent=995), id="rate within half a percent"),
        pytest.param(replace(OPEN, backlog_end=20), id="a stall just before the end"),
        pytest.param(replace(OPEN, due=3, sent=2), id="one request over the edge of a small window"),
        pytest.param(replace(CLOSED, clock_step_s=0.01), id="a clock that is slewed"),
        pytest.param(Observed(model="closed"), id="nothing was observed"),
    ],
)
def test_what_is_within_bounds_breaks_none(seen: Observed) -> None:
    assert broken(seen) == ()


@given(
    rate=st.floats(min_value=20, max_value=5000), window_s=st.floats(min_value=5, max_value=60),
    overload=st.floats(min_value=1.2, max_value=10),
)  # fmt: skip
def test_a_rate_that_the_target_cannot_serve_is_always_seen(rate: float, window_s: float, overload: float) -> None:
    due = round(rate * window_s)
    growth = round(due * (1 - 1 / overload))
    seen = replace(OPEN, due=due, sent=due, rate=rate, backlog_begin=1, backlog_end=1 + growth)
    assert Guard.RATE_NOT_MET in guards_of(seen)
