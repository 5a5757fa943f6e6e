"""Why a trial is not a measurement: pure functions from what was observed to the guards that it broke."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.model import BrokenGuard, Guard

SATURATED_SHARE = 0.9
LAW_TOLERANCE = 0.10
RATE_TOLERANCE = 0.005
STALL_S = 0.1
"""A stall of this length just before the window's end is bad luck, which the latencies show, and no saturation."""
CLOCK_TOLERANCE_S = 0.05
"""Slewing moves a clock by at most 0.5 ms a second; a step is far more."""
LOG_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One trial's facts. What was not observed is None, and breaks no guard by itself."""

    model: Literal["closed", "open"]
    # The target, as the engine has it at the end.
    running: bool = True
    exit_code: int = 0
    restarts: int = 0
    oom_killed: bool = False
    log_tail: Sequence[str] = ()
    user: str = ""
    """Whom it ran as; a user that it was not made for may be why it ended."""
    target_share: float | None = None
    """CPU seconds over wall seconds over the cores that it may use."""
    cpu_limited: bool = False
    throttled_seconds: float | None = None
    foreign_share: float | None = None
    """Share of the target's core that other programs took; None where the generator was one of them."""
    foreign_share_max: float = 1.0
    """1 is any."""
    core: str = ""
    # The contract.
    wrong_answers: Sequence[str] = ()
    unanswered: Sequence[str] = ()
    """Requests of an examination that got no answer at all."""
    # The load.
    requests: int | None = None
    failures: int = 0
    failure_share_max: float = 0.0
    failure_examples: Sequence[str] = ()
    law_expected: float | None = None
    """Users (closed), or requests in flight as counted (open)."""
    law_found: float | None = None
    """The same by throughput times mean time."""
    # The generator.
    generator_share: float | None = None
    """CPU seconds over wall seconds, of its cores or of its busiest process; None where it shares the target's core."""
    clock_step_s: float | None = None
    due: int | None = None
    """Open model: requests that were due in the window."""
    sent: int | None = None
    rate: float = 0.0
    """Open model: arrivals a second."""
    lost: int = 0
    """Open model: requests that got no answer at all: refused, reset, timed out."""
    backlog_begin: int = 0
    backlog_end: int = 0
    timed_out: str | None = None
    """What took too long, in a sentence."""
    ended_early: str | None = None
    """The generator failed by itself, and what it said."""


def broken(seen: Observed) -> tuple[BrokenGuard, ...]:
    """Return every guard that a trial broke, causes before consequences; nothing for a trial that may be used."""
    return tuple(
        BrokenGuard(guard=guard, evidence=evidence) for guard, judge in _JUDGES if (evidence := judge(seen)) is not None
    )


def _out_of_memory(seen: Observed) -> str | None:
    return "The kernel killed a process of the container at its memory limit." if seen.oom_killed else None


def _restarted(seen: Observed) -> str | None:
    return f"The engine restarted it {seen.restarts} times.{_log(seen)}" if seen.restarts else None


def _exited(seen: Observed) -> str | None:
    return None if seen.running else f"{ending(seen.exit_code, seen.user)}.{_log(seen)}"


def ending(exit_code: int, user: str) -> str:
    """Say how a container ended: its exit code, and the user that it ran as, where one is named."""
    return f"It ended with exit code {exit_code}" + (f", running as user {user}" if user else "")


def _contract(seen: Observed) -> str | None:
    if seen.wrong_answers:
        more = len(seen.wrong_answers) - 1
        return seen.wrong_answers[0] + (f" (and {more} more)" if more else "")
    return None


def _clock(seen: Observed) -> str | None:
    if seen.clock_step_s is None or abs(seen.clock_step_s) <= CLOCK_TOLERANCE_S:
        return None
    return f"The generator's clock was moved by {seen.clock_step_s:+.3f} s."


def _throttled(seen: Observed) -> str | None:
    if seen.cpu_limited or not seen.throttled_seconds:
        return None
    return f"It was throttled for {seen.throttled_seconds:.3f} s, though its run profile sets no CPU limit."


def _shared(seen: Observed) -> str | None:
    if seen.foreign_share is None or seen.foreign_share_max >= 1 or seen.foreign_share <= seen.foreign_share_max:
        return None
    return (
        f"Other programs took {seen.foreign_share:.0%} of core {seen.core}, which was the target's; the load profile's"
        f" foreign_share_max is {seen.foreign_share_max:.0%}. End them, or measure when the machine is quiet."
    )


def _generator(seen: Observed) -> str | None:
    if seen.generator_share is None or seen.target_share is None or seen.generator_share <= SATURATED_SHARE:
        return None
    if seen.target_share > SATURATED_SHARE:
        return None
    return (
        f"The generator used {seen.generator_share:.0%} of its core, the target {seen.target_share:.0%} of its own:"
        " the figure is at least this."
    )


def _rate(seen: Observed) -> str | None:
    if seen.due is None:
        return None
    # A queue that grows through the window means that the target does not keep up. What is in flight varies by chance
    # as its root does, in a right trial too.
    growth = seen.backlog_end - seen.backlog_begin + seen.lost
    by_chance = 3 * math.sqrt(max(seen.backlog_begin, 1)) + STALL_S * seen.rate + 1
    if growth > RATE_TOLERANCE * seen.due + by_chance:
        return (
            f"The target is saturated: of {seen.due} requests due, {growth} more were waiting at the end than at the"
            " beginning, or had been given up."
        )
    return None


def _schedule(seen: Observed) -> str | None:
    if seen.due is None or seen.sent is None or abs(seen.sent - seen.due) <= max(1.0, RATE_TOLERANCE * seen.due):
        return None
    return f"{seen.sent} requests were sent where {seen.due} were due."


def _law(seen: Observed) -> str | None:
    if seen.law_expected is None or seen.law_found is None or not seen.law_expected:
        return None
    off = seen.law_found / seen.law_expected - 1
    if abs(off) <= LAW_TOLERANCE:
        return None
    what = "users" if seen.model == "closed" else "requests in flight"
    return (
        f"Throughput times mean time gives {seen.law_found:.2f} {what} where there were {seen.law_expected:.2f}"
        f" ({off:+.0%}): some of them never ended."
    )


def _failures(seen: Observed) -> str | None:
    if seen.requests is None:
        return None
    if seen.requests == 0:
        return "Not one request ended in the measured time."
    share = seen.failures / seen.requests
    if share <= seen.failure_share_max:
        return None
    example = f", such as: {seen.failure_examples[0]}" if seen.failure_examples else ""
    return f"{seen.failures} of {seen.requests} requests failed ({share:.2%}){example}"


def _timed_out(seen: Observed) -> str | None:
    # A container that is gone cannot answer; the guards above name that.
    gone = not seen.running or seen.restarts or seen.oom_killed
    unanswered = seen.unanswered[0] if seen.unanswered and not gone else None
    return seen.timed_out or unanswered or seen.ended_early


def _log(seen: Observed) -> str:
    lines = [line.strip() for line in seen.log_tail if line.strip()][-LOG_LINES:]
    return " Its log ends: " + " | ".join(lines) if lines else ""


_JUDGES: tuple[tuple[Guard, Callable[[Observed], str | None]], ...] = (
    (Guard.OUT_OF_MEMORY, _out_of_memory),
    (Guard.RESTARTED, _restarted),
    (Guard.EXITED, _exited),
    (Guard.CONTRACT_BROKEN, _contract),
    (Guard.CLOCK_STEPPED, _clock),
    (Guard.CORE_SHARED, _shared),
    (Guard.THROTTLED, _throttled),
    (Guard.GENERATOR_SATURATED, _generator),
    (Guard.RATE_NOT_MET, _rate),
    (Guard.OFF_SCHEDULE, _schedule),
    (Guard.LITTLES_LAW, _law),
    (Guard.FAILURES, _failures),
    (Guard.TIMED_OUT, _timed_out),
)
