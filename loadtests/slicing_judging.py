"""From what was seen of a pair of containers to its figures, or to the guards that it broke; pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness import statistics
from harness.model import BrokenGuard, Guard, NotMeasured, Percentiles, Ratio, SlicedFigures, SlicedPair
from loadtests import guards
from loadtests.guards import Observed
from loadtests.inside.slice_orders import SIDES
from loadtests.judging import EXAMINATIONS
from loadtests.seen import Seen
from loadtests.slicing_pair import PairOrder, SeenPair

FAILURE_SHARE_MAX = 0.001


@dataclass(frozen=True, kw_only=True)
class MeasuredPair:
    """A pair, its histograms by file name, and what the targets printed."""

    pair: SlicedPair
    histograms: Mapping[str, bytes]
    logs: Mapping[str, str]


def judged(order: PairOrder, seen: SeenPair, name: str) -> MeasuredPair:
    """Return a pair's figures and the guards that it broke; one that broke the contract has no figures.

    Args:
        order: which pair it is.
        seen: what the host saw of it.
        name: the comparison's, for the names of files.

    """
    broken = tuple(_tagged(side, one) for side in SIDES for one in guards.broken(observed(seen, side)))
    result = seen.result
    rows: list[Sequence[float]] = result.get("slices", [])
    times, throughputs = log_ratios(rows, request_times), log_ratios(rows, rates)
    reason = _withheld(seen, broken, rows)
    prefix = f"sliced-{name}-p{order.index}-a{order.attempt}"
    files = {} if reason else {side: f"{prefix}-{side}.hdr" for side in SIDES}
    wall = float(result.get("wall_s", 0.0))
    pair = SlicedPair(
        index=order.index,
        attempt=order.attempt,
        started_at=seen.started_at,
        seed=order.seed,
        first_started=order.first,
        measured_seconds=wall,
        slice_log_ratios=() if reason else tuple(round(one, 6) for _, one in times),
        log_request_time=NotMeasured(not_measured=reason) if reason else within_endpoints(times, median),
        log_throughput=NotMeasured(not_measured=reason)
        if reason
        else within_endpoints(throughputs, statistics.trimmed_mean),
        a=_figures(seen, "a", rows, files, reason),
        b=_figures(seen, "b", rows, files, reason),
        generator_cpu_share=result["cpu_seconds"] / wall if wall else NotMeasured(not_measured=reason or "no time"),
        answers_verified=_verified(seen),
        broken_guards=broken,
    )
    encoded = {file: result["sides"][side]["histogram"].encode("ascii") for side, file in files.items()}
    return MeasuredPair(
        pair=pair, histograms=encoded, logs={f"{prefix}-{side}.log": seen.sides[side].log for side in SIDES}
    )


def log_ratios(rows: Sequence[Sequence[float]], figure: Callable[[Sequence[float]], float]) -> list[tuple[int, float]]:
    """Return of each pair of slices the endpoint's place, and the logarithm of B's figure over A's.

    Args:
        rows: endpoint's place, which side came first, then for A and for B: requests, busy seconds, median seconds.
        figure: takes one side's three numbers.

    """
    return [
        (int(row[0]), math.log(figure(row[5:8]) / figure(row[2:5]))) for row in rows if all(one > 0 for one in row[2:8])
    ]


def request_times(side: Sequence[float]) -> float:
    """Return a slice's median seconds a request."""
    return side[2]


def rates(side: Sequence[float]) -> float:
    """Return a slice's requests per busy second."""
    return side[0] / side[1]


def within_endpoints(logs: Sequence[tuple[int, float]], middle: Callable[[Sequence[float]], float]) -> float:
    """Return the middle log ratio, taken within each endpoint: their ratios differ, and no endpoint is an outlier."""
    found: dict[int, list[float]] = defaultdict(list)
    for endpoint, one in logs:
        found[endpoint].append(one)
    return math.fsum(middle(values) * len(values) for values in found.values()) / len(logs)


def ratio(pairs: Sequence[SlicedPair], log_ratio: Callable[[SlicedPair], float | None]) -> Ratio | NotMeasured:
    """Return one figure's ratio of B over A from all valid pairs that have it; none where an answer was wrong.

    Args:
        pairs: all pairs of a comparison.
        log_ratio: a pair's log ratio of that figure; None where it has none.

    """
    lies = [one for pair in pairs for one in pair.broken_guards if one.guard is Guard.CONTRACT_BROKEN]
    if lies:
        return NotMeasured(not_measured=f"the contract is broken: {lies[0].evidence}")
    valid = [one for one in pairs if one.valid]
    if not valid:
        why = pairs[-1].broken_guards[0] if pairs else None
        return NotMeasured(
            not_measured=f"no valid pair; {why.guard}: {why.evidence}" if why else "no pair was measured"
        )
    found = [one for pair in valid if (one := log_ratio(pair)) is not None]
    if not found:
        return NotMeasured(not_measured="no valid pair has this figure")
    return statistics.sliced_ratio(found)


def measured(figure: float | NotMeasured) -> float | None:
    """Return a figure, or None where it was not measured."""
    return None if isinstance(figure, NotMeasured) else figure


def by(figure: Callable[[SlicedFigures], float | NotMeasured]) -> Callable[[SlicedPair], float | None]:
    """Return what takes a figure's log ratio from a pair's two sides."""

    def log_ratio(pair: SlicedPair) -> float | None:
        if isinstance(pair.a, NotMeasured) or isinstance(pair.b, NotMeasured):
            return None
        mine, theirs = figure(pair.a), figure(pair.b)
        if isinstance(mine, NotMeasured) or isinstance(theirs, NotMeasured) or min(mine, theirs) <= 0:
            return None
        return math.log(theirs / mine)

    return log_ratio


def observed(seen: SeenPair, side: str) -> Observed:
    """Return one side's facts, as the guards judge them; those of rate and of Little's law do not apply."""
    mine = seen.sides[side]
    found = seen.result.get("sides", {}).get(side)
    stopped: Mapping[str, str] = seen.result.get("stopped", {})
    asked = [(when, mine.events[name]) for name, when in EXAMINATIONS.items() if name in mine.events]
    wrong = [f"under load: {fault}" for fault in (found or {}).get("faults", ())]
    wrong += [f"{when}: {fault}" for when, one in asked for fault in one["wrong"]]
    throttled = None
    if mine.begin is not None and mine.end is not None:
        throttled = mine.end.stats.throttled_seconds - mine.begin.stats.throttled_seconds
    state = mine.state
    return Observed(
        model="closed",
        running=state is None or state.running,
        exit_code=state.exit_code if state else 0,
        restarts=state.restarts if state else 0,
        oom_killed=state is not None and state.oom_killed,
        log_tail=mine.log.splitlines()[-guards.LOG_LINES :],
        throttled_seconds=throttled,
        wrong_answers=wrong,
        unanswered=[f"{when}: {what}" for when, one in asked for what in one["unanswered"]],
        # Where one side ended it all, the other may have had no turn yet.
        requests=found["asked"] if found and (side in stopped or not stopped) else None,
        failures=found["failures"] if found else 0,
        failure_share_max=FAILURE_SHARE_MAX,
        failure_examples=list(found["failure_examples"]) if found else (),
        clock_step_s=seen.result.get("clock_step_s"),
        timed_out=seen.timed_out or stopped.get(side),
        ended_early=_ended_early(seen),
    )


def _ended_early(seen: SeenPair) -> str | None:
    """Say that the generator itself failed: it gave no result, and nothing that a target did explains it."""
    findings = [one.events[name] for one in seen.sides.values() for name in EXAMINATIONS if name in one.events]
    explained = any(one["wrong"] or one["unanswered"] for one in findings)
    gone = any(one.state is not None and not one.state.running for one in seen.sides.values())
    if seen.result or explained or gone or seen.timed_out:
        return None
    return f"The generator ended early: {seen.generator_log.strip()[-200:] or 'it said nothing'}"


def _withheld(seen: SeenPair, broken: Sequence[BrokenGuard], rows: Sequence[Sequence[float]]) -> str:
    """Say why there are no figures; empty where there are."""
    if broken:
        return f"{broken[0].guard}: {broken[0].evidence}"
    return "" if log_ratios(rows, rates) else "no pair of slices was measured"


def _figures(
    seen: SeenPair, side: str, rows: Sequence[Sequence[float]], files: Mapping[str, str], reason: str
) -> SlicedFigures | NotMeasured:
    if reason:
        return NotMeasured(not_measured=reason)
    found: dict[str, Any] = seen.result["sides"][side]
    count, busy = (sum(row[column + 3 * SIDES.index(side)] for row in rows) for column in (2, 3))
    return SlicedFigures(
        requests=int(count),
        failures=found["failures"],
        busy_seconds=busy,
        throughput_rps=count / busy,
        connections=found["connections"],
        latency=Percentiles(**found["latency"]),
        cpu_seconds_per_request=_cpu(seen, seen.sides[side], found["asked"]),
        histogram=files.get(side),
    )


def _cpu(seen: SeenPair, mine: Seen, asked: int) -> float | NotMeasured:
    if mine.begin is None or mine.end is None:
        return NotMeasured(not_measured="the target was not there at both ends of the measured time")
    return (mine.end.stats.cpu_seconds - mine.begin.stats.cpu_seconds) / asked


def _verified(seen: SeenPair) -> int:
    examined = sum(
        int(one.events[name].get("verified", 0))
        for one in seen.sides.values()
        for name in EXAMINATIONS
        if name in one.events
    )
    return examined + sum(int(one["verified"]) for one in seen.result.get("sides", {}).values())


def _tagged(side: str, one: BrokenGuard) -> BrokenGuard:
    return BrokenGuard(guard=one.guard, evidence=f"side {side.upper()}: {one.evidence}")
