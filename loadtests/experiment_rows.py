"""An experiment's rows: from an arm's trials, or its sliced comparison, to figures and ratios. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness import histograms, samples, statistics
from harness.model import (
    ArmResult,
    Interval,
    LoadTrial,
    NotMeasured,
    Percentiles,
    Ratio,
    SlicedComparison,
    StartTrial,
)
from loadtests.judging import ALL
from loadtests.questions import Arm


def throughput_of(trials: Sequence[LoadTrial]) -> Interval | NotMeasured:
    """Return the throughput of an arm's valid trials; where its generator was the bottleneck, only that it is more."""
    limited = _limited(trials)
    if limited is not None:
        return limited
    valid = [one.throughput_rps for one in trials if one.valid]
    if valid and min(valid) > 0:
        return statistics.mean_interval(valid)
    if not trials:
        return NotMeasured(not_measured="no trial was made")
    last = trials[-1].broken_guards
    return NotMeasured(not_measured=f"{last[0].guard}: {last[0].evidence}" if last else "nothing was answered")


def _limited(trials: Sequence[LoadTrial]) -> NotMeasured | None:
    least = samples.at_least(trials)
    if least is None:
        return None
    return NotMeasured(not_measured=f"at least {least:.4g} requests a second: {samples.GENERATOR_FIRST}")


def throughput_ratio_of(mine: Sequence[LoadTrial], other: Sequence[LoadTrial]) -> Ratio | NotMeasured:
    """Return the ratio of two arms' throughputs; none where the generator was the bottleneck of either."""
    return _limited(mine) or _limited(other) or ratio_of(mine, other, lambda one: one.throughput_rps)


def ratio_of(
    mine: Sequence[LoadTrial], other: Sequence[LoadTrial], read: Callable[[LoadTrial], float | None]
) -> Ratio | NotMeasured:
    """Return the ratio of two arms from the rounds in which both have a valid trial with that figure."""
    ours, theirs = (
        {one.round: value for one in trials if one.valid and (value := read(one))} for trials in (mine, other)
    )
    if not ours.keys() & theirs.keys():
        return NotMeasured(not_measured="no round has a valid trial of both")
    return statistics.paired_ratio(ours, theirs)


def cpu_ms(one: LoadTrial) -> float | None:
    """Return a trial's CPU milliseconds a request, None where they were not measured."""
    if isinstance(one.resources, NotMeasured) or isinstance(one.resources.cpu_seconds_per_request, NotMeasured):
        return None
    return one.resources.cpu_seconds_per_request * 1000


def p99_ms(one: LoadTrial) -> float | None:
    """Return a trial's own p99, None where no latency was measured."""
    return one.latency.p99_ms if isinstance(one.latency, Percentiles) else None


def memory_bytes(one: LoadTrial) -> float | None:
    """Return the highest anonymous memory that was seen in a trial, None where it was not measured."""
    if isinstance(one.resources, NotMeasured) or isinstance(one.resources.anonymous_memory_bytes, NotMeasured):
        return None
    return float(one.resources.anonymous_memory_bytes)


def row(
    arm: Arm,
    trials: Sequence[LoadTrial],
    base: Sequence[LoadTrial],
    histogram: Callable[[str], bytes],
    *,
    starts: Sequence[StartTrial] = (),
    base_starts: Sequence[StartTrial] = (),
) -> ArmResult:
    """Return an arm's row from its own trials and starts, and those of the arm that it is set against."""

    def mean(read: Callable[[LoadTrial], float | None]) -> Interval | NotMeasured:
        values = [value for one in trials if one.valid and (value := read(one))]
        none = NotMeasured(not_measured="no valid trial tells it")
        return statistics.mean_interval(values) if values else none

    def ratio(read: Callable[[LoadTrial], float | None]) -> Ratio | NotMeasured | None:
        return None if arm.baseline is None else ratio_of(trials, base, read)

    return ArmResult(
        name=arm.name,
        what=arm.what,
        baseline=arm.baseline,
        method="rounds",
        trials=tuple(trials),
        throughput_rps=throughput_of(trials),
        latency=_latency(trials, histogram),
        cpu_ms_per_request=mean(cpu_ms),
        throughput_ratio=None if arm.baseline is None else throughput_ratio_of(trials, base),
        cpu_ratio=ratio(cpu_ms),
        p99_ratio=ratio(p99_ms),
        endpoint=arm.endpoint,
        memory_bytes=mean(memory_bytes),
        memory_ratio=ratio(memory_bytes),
        starts=tuple(starts),
        startup_seconds=startup(starts) if arm.starts else None,
        startup_ratio=startup_ratio(starts, base_starts) if arm.starts and arm.baseline is not None else None,
    )


def startup(starts: Sequence[StartTrial]) -> Interval | NotMeasured:
    """Return the mean of the starts that came up."""
    values = list(_seconds(starts).values())
    if values:
        return statistics.mean_interval(values)
    why = next((s.not_measured for one in starts if isinstance(s := one.seconds_to_first_answer, NotMeasured)), None)
    return NotMeasured(not_measured=why or "no start was made")


def startup_ratio(starts: Sequence[StartTrial], base: Sequence[StartTrial]) -> Ratio | NotMeasured:
    """Return the ratio of two arms' start-ups, paired by the turn in which they were made one after the other."""
    ours, theirs = _seconds(starts), _seconds(base)
    if not ours.keys() & theirs.keys():
        return NotMeasured(not_measured="no turn has a start of both")
    found = statistics.paired_ratio(ours, theirs)
    return found.model_copy(update={"method": found.method.replace("paired by round", "paired by turn")})


def _seconds(starts: Sequence[StartTrial]) -> dict[int, float]:
    return {one.index: s for one in starts if not isinstance(s := one.seconds_to_first_answer, NotMeasured)}


def sliced_row(arm: Arm, found: SlicedComparison | None) -> ArmResult:
    """Return the row of an arm that was compared by slices, or has still to be."""
    none = NotMeasured(not_measured="compared by slices, which give ratios only")
    later = NotMeasured(not_measured="not compared yet")
    return ArmResult(
        name=arm.name,
        what=arm.what,
        baseline=arm.baseline,
        method="slices",
        sliced=found.id if found else None,
        throughput_rps=none,
        latency=none,
        cpu_ms_per_request=none,
        throughput_ratio=found.throughput if found else later,
        cpu_ratio=found.cpu_seconds_per_request if found else later,
        p99_ratio=found.latency_p99 if found else later,
    )


def _latency(trials: Sequence[LoadTrial], histogram: Callable[[str], bytes]) -> Percentiles | NotMeasured:
    files = [one.histograms[ALL] for one in trials if one.valid and ALL in one.histograms]
    if not files:
        return NotMeasured(not_measured="no valid trial tells it")
    return histograms.percentiles(histograms.merge(histograms.decode(histogram(name), name) for name in files))
