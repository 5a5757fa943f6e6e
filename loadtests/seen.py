"""What the host saw while a trial ran, and what the target's cgroup used in that time. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.engine.client import ContainerState
from harness.engine.stats import ContainerStats
from harness.model import MemorySample, NotMeasured, ResourceUse

LEAST_READ = 0.25
"""Of the window, that the engine has to have seen: the less, the more its end's work stands for all of it."""
NO_REQUEST = NotMeasured(not_measured="no request ended in the measured time")
LOOKED_AFTER = NotMeasured(not_measured="the engine first looked when the measured time was over")
LOOKED_TOO_LATE = NotMeasured(not_measured="the engine first looked when the measured time was nearly over")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The target's cgroup at one moment, by `time.monotonic`."""

    at: float
    stats: ContainerStats


@dataclass
class Seen:
    """What the host saw while a trial ran."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The generator's last event of each name; examinations under the names of `judging.EXAMINATIONS`."""
    begin: Reading | None = None
    end: Reading | None = None
    ended_at: float | None = None
    """When the window ended, by `time.monotonic`: the reading at its end comes up to a second later."""
    memory: list[Reading] = field(default_factory=list)
    peak_bytes: int | NotMeasured | None = None
    """The target's peak, where it was asked for because the engine's statistics have none."""
    timed_out: str | None = None
    state: ContainerState | None = None
    """The target at the end."""
    log: str = ""
    generator_log: str = ""

    @property
    def result(self) -> dict[str, Any]:
        """What the generator summed up; empty where it did not come to that."""
        return self.events.get("result", {})


def resources(seen: Seen, requests_per_second: float | None) -> ResourceUse | NotMeasured:
    """Return what the target's cgroup said between the readings at the window's edges."""
    if seen.begin is None or seen.end is None or seen.end.stats.cpu_seconds < seen.begin.stats.cpu_seconds:
        # A restarted container counts anew.
        return NotMeasured(not_measured="the target was not there at both ends of the measured time")
    began, ended = seen.begin.stats, seen.end.stats
    window_s, share = _cpu(seen.begin, seen.end, seen)
    if share is LOOKED_AFTER:
        return LOOKED_AFTER
    between = (one.stats for one in seen.memory)
    samples = [one.anonymous_bytes for one in (began, *between, ended) if one.anonymous_bytes is not None]
    no_memory = NotMeasured(not_measured="the engine's statistics name no anonymous memory")
    no_peak = NotMeasured(not_measured="the engine's statistics have no peak on cgroup v2, and the target had ended")
    asked = no_peak if seen.peak_bytes is None else seen.peak_bytes
    return ResourceUse(
        cpu_seconds=share if isinstance(share, NotMeasured) else share * window_s,
        cpu_seconds_per_request=_per_request(share, requests_per_second),
        cpu_share=share,
        throttled_seconds=ended.throttled_seconds - began.throttled_seconds,
        memory_samples=len(samples),
        anonymous_memory_bytes=max(samples) if samples else no_memory,
        peak_memory_bytes=ended.peak_bytes if ended.peak_bytes is not None else asked,
    )


def _per_request(share: float | NotMeasured, requests_per_second: float | None) -> float | NotMeasured:
    # By rates, since the readings' span is not to the millisecond that of the counted requests.
    if isinstance(share, NotMeasured):
        return share
    return share / requests_per_second if requests_per_second else NO_REQUEST


def _cpu(begin: Reading, end: Reading, seen: Seen) -> tuple[float, float | NotMeasured]:
    """Return the window's length, and CPU seconds over wall seconds under load.

    The engine reads a cgroup once a second while somebody asks, so the reading for the window's end is up to a second
    late, when there is no load any more. A rate is right over any part of the window: it is taken from its beginning
    to the last reading inside it. Moments are the engine's own where it tells them, since its answers may come late.
    """
    by_engine = "measure-end" in seen.events and None not in (begin.stats.read_at, end.stats.read_at)

    def moment(one: Reading) -> float:
        return one.stats.read_at or 0.0 if by_engine else one.at

    ended = seen.events["measure-end"]["at"] if by_engine else end.at if seen.ended_at is None else seen.ended_at
    loaded_s = ended - moment(begin)
    window_s = float(seen.result.get("window_s", loaded_s))
    if loaded_s <= 0:
        return window_s, LOOKED_AFTER
    if loaded_s < LEAST_READ * window_s:
        return window_s, LOOKED_TOO_LATE
    inside = [one for one in seen.memory if seen.ended_at is not None and moment(begin) < moment(one) <= ended]
    if inside and moment(inside[-1]) - moment(begin) >= loaded_s / 2:
        end, loaded_s = inside[-1], moment(inside[-1]) - moment(begin)
    return window_s, (end.stats.cpu_seconds - begin.stats.cpu_seconds) / loaded_s


def memory(seen: Seen) -> tuple[MemorySample, ...]:
    """Return the readings of anonymous memory, by the time since the measured window began."""
    begin = seen.begin
    if begin is None:
        return ()
    readings = (begin, *seen.memory, *(() if seen.end is None else (seen.end,)))
    return tuple(
        MemorySample(seconds=one.at - begin.at, anonymous_bytes=one.stats.anonymous_bytes)
        for one in readings
        if one.stats.anonymous_bytes is not None and (seen.ended_at is None or one.at <= seen.ended_at)
    )
