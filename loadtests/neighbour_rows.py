"""From a neighbour's trials to rows, and to what each limit buys. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness import histograms, statistics
from harness.model import (
    Guard,
    Interval,
    LimitGain,
    LoadTrial,
    NeighbourKind,
    NeighbourRow,
    NeighbourSeen,
    NeighbourTrial,
    NotMeasured,
    Percentiles,
    Ratio,
    StoppedBy,
    VictimFate,
)
from loadtests.judging import ALL

Purpose = Literal["grid", "one limit", "smallest set"]
Outcome = Literal["held", "not held", "wrong answers", "void"]
EVERY, VICTIM, BOTH = "all of the neighbour's", "the victim's own", "all on both"
"""What limits buy together, beside each alone."""
MACHINE = {Guard.CLOCK_STEPPED, Guard.CORE_SHARED, Guard.THROTTLED, Guard.GENERATOR_SATURATED}
"""These say something of the machine or the generator, and nothing of the neighbour."""
WORST = (VictimFate.UNHARMED, VictimFate.ENDED, VictimFate.RESTARTED, VictimFate.OUT_OF_MEMORY)
FATES = {
    Guard.RESTARTED: VictimFate.RESTARTED,
    Guard.OUT_OF_MEMORY: VictimFate.OUT_OF_MEMORY,
    Guard.EXITED: VictimFate.ENDED,
}


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One row that is to be measured: a `NeighbourRow` without figures."""

    kind: NeighbourKind | None
    share: float
    victim_limited: bool
    limits: tuple[str, ...] = ()
    purpose: Purpose = "grid"

    @property
    def id(self) -> str:
        """Its name, unique in a comparison, and fit for a file's name."""
        kind = self.kind.name.lower().replace("_", "-") if self.kind else "undisturbed"
        victim = "limited" if self.victim_limited else "free"
        mine = "-".join(self.limits) or "free"
        beside = f"-by-{mine}" if self.kind else ""
        again = "-set" if self.purpose == "smallest set" else ""
        return f"{kind}-at-{self.share * 100:g}-on-{victim}{beside}{again}"

    @property
    def baseline(self) -> str | None:
        """The undisturbed arm that it is set against: same load, same limits of the victim, same rounds."""
        if self.kind is None:
            return None
        again: Purpose = "smallest set" if self.purpose == "smallest set" else "grid"
        return Arm(kind=None, share=self.share, victim_limited=self.victim_limited, purpose=again).id


def judged(
    one: LoadTrial, neighbour: NeighbourSeen | None, foreign_share_max: float, *, began: bool = True
) -> NeighbourTrial:
    """Say what a trial tells: what the victim failed at beside a neighbour is a result, and no invalid trial.

    Args:
        one: the trial.
        neighbour: what its neighbour did; None for an undisturbed victim.
        foreign_share_max: of the victim's core, that programs other than these two may take.
        began: whether the neighbour was told to begin.

    """
    broken = {guard.guard: guard.evidence for guard in one.broken_guards}
    if neighbour is not None and not began:
        why = f"before the neighbour began: {one.broken_guards[0].evidence if broken else 'the trial ended'}"
        return NeighbourTrial(outcome="void", reason=why, victim=VictimFate.UNHARMED, neighbour=neighbour, trial=one)
    fate = next((FATES[guard] for guard in broken if guard in FATES), VictimFate.UNHARMED)
    outcome, reason = _outcome(one, broken, neighbour, foreign_share_max)
    return NeighbourTrial(outcome=outcome, reason=reason, victim=fate, neighbour=neighbour, trial=one)


def _outcome(
    one: LoadTrial, broken: Mapping[Guard, str], neighbour: NeighbourSeen | None, foreign_share_max: float
) -> tuple[Outcome, str]:
    if Guard.CONTRACT_BROKEN in broken:
        return "wrong answers", broken[Guard.CONTRACT_BROKEN]
    machine = next((guard for guard in broken if guard in MACHINE), None)
    if machine is not None:
        return "void", f"{machine}: {broken[machine]}"
    others = _others(one, neighbour)
    if others is not None and foreign_share_max < 1 and others > foreign_share_max:
        return "void", f"programs other than the neighbour took {others:.0%} of the victim's core"
    if isinstance(one.generator, NotMeasured) and set(broken) == {Guard.TIMED_OUT} and one.answers_verified:
        # It answered, and was there all the time: the generator failed by itself.
        return "void", broken[Guard.TIMED_OUT]
    if set(broken) == {Guard.OFF_SCHEDULE}:
        return "void", f"{Guard.OFF_SCHEDULE}: {broken[Guard.OFF_SCHEDULE]}"
    if broken:
        guard, evidence = next(iter(broken.items()))
        return "not held", f"{guard}: {evidence}"
    if isinstance(one.latency, NotMeasured):
        return "void", one.latency.not_measured
    return "held", ""


def _others(one: LoadTrial, neighbour: NeighbourSeen | None) -> float | None:
    """Return the share of the victim's core that neither it nor the neighbour took; None where that is not known."""
    if neighbour is None or not isinstance(one.foreign_cpu_share, float):
        return None
    mine = neighbour.cpu_share
    return None if isinstance(mine, NotMeasured) else one.foreign_cpu_share - mine


def row(
    arm: Arm,
    trials: Sequence[NeighbourTrial],
    base: Sequence[NeighbourTrial],
    *,
    offered_rps: float,
    histogram: Callable[[str], bytes],
) -> NeighbourRow:
    """Return an arm's row from its own trials and those of the undisturbed arm."""
    last = {one.trial.round: one for one in trials}
    outcomes = Counter(one.outcome for one in last.values())
    not_held = outcomes["not held"] + outcomes["wrong answers"]
    told = [one for one in last.values() if one.outcome != "void"]
    shares = [one.neighbour.cpu_share for one in told if one.neighbour and isinstance(one.neighbour.cpu_share, float)]
    unknown = NotMeasured(not_measured="no neighbour told its CPU time")
    return NeighbourRow(
        id=arm.id,
        kind=arm.kind,
        share=arm.share,
        offered_rps=offered_rps,
        victim_limited=arm.victim_limited,
        limits=arm.limits,
        purpose=arm.purpose,
        baseline=arm.baseline,
        held=outcomes["held"],
        not_held=not_held,
        void=outcomes["void"],
        p99_ms=_p99(told, histogram),
        p99_ratio=None if arm.kind is None else ratio(trials, base, "undisturbed"),
        requests=sum(one.trial.requests for one in told),
        failures=sum(one.trial.failures for one in told),
        victim=max((one.victim for one in told), key=WORST.index, default=VictimFate.UNHARMED),
        stopped_by=together(one.neighbour for one in told),
        neighbour_cpu_share=None if arm.kind is None else statistics.mean_interval(shares) if shares else unknown,
        trials=tuple(trials),
    )


def ratio(mine: Sequence[NeighbourTrial], other: Sequence[NeighbourTrial], what: str) -> Ratio | NotMeasured:
    """Return p99 of one arm over another's, paired by round; none where either did not hold a round.

    What was held of an arm that was mostly not is no sample of it: the rounds that would have been slow are missing.
    """
    for trials, whose in ((other, f"the victim {what}"), (mine, "the victim")):
        unheld = _unheld(trials)
        if unheld:
            return NotMeasured(not_measured=f"{whose} did not hold the rate in {unheld}")
    ours, theirs = _p99s(mine), _p99s(other)
    if not ours.keys() & theirs.keys():
        return NotMeasured(not_measured="no round has a valid trial of both")
    return statistics.paired_ratio(ours, theirs)


def gains(rows: Sequence[NeighbourRow], limits: Collection[str]) -> tuple[LimitGain, ...]:
    """Return what each limit buys: each row under it over the row of the same kind and load under none."""
    grid = [one for one in rows if one.purpose != "smallest set" and one.kind is not None]
    found = []
    for without in (one for one in grid if not one.limits and not one.victim_limited):
        for one in grid:
            name = _named(one, limits)
            if name is None or (one.kind, one.share) != (without.kind, without.share) or without.kind is None:
                continue
            found.append(
                LimitGain(
                    limit=name,
                    kind=without.kind,
                    share=one.share,
                    without=without.id,
                    alone=one.id,
                    p99_ratio_without=without.p99_ratio or NotMeasured(not_measured="not set against undisturbed"),
                    p99_ratio_with=one.p99_ratio or NotMeasured(not_measured="not set against undisturbed"),
                    gain=ratio(one.trials, without.trials, "without it"),
                    stopped_by=one.stopped_by,
                )
            )
    return tuple(found)


def _named(one: NeighbourRow, limits: Collection[str]) -> str | None:
    """Return which limit a row is of, or which together; None for the row without any."""
    every = bool(one.limits) and set(one.limits) == set(limits)
    if one.victim_limited:
        return BOTH if every else VICTIM
    return one.limits[0] if len(one.limits) == 1 else EVERY if every else None


def together(seen: Iterable[NeighbourSeen | None]) -> tuple[StoppedBy, ...]:
    """Return what held the neighbours of several trials up, counts added, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    evidence: dict[tuple[str, str], str] = {}
    for one in seen:
        for stop in one.stopped_by if one else ():
            counts[stop.limit, stop.how] += stop.count
            evidence.setdefault((stop.limit, stop.how), stop.evidence)
    return tuple(
        StoppedBy(limit=limit, how=how, count=count, evidence=evidence[limit, how])
        for (limit, how), count in counts.most_common()
    )


def _p99(told: Sequence[NeighbourTrial], histogram: Callable[[str], bytes]) -> Interval | NotMeasured:
    if not told:
        return NotMeasured(not_measured="no trial of it says anything")
    if unheld := _unheld(told):
        return NotMeasured(not_measured=f"the victim did not hold the rate in {unheld}")
    values = list(_p99s(told).values())
    files = [one.trial.histograms[ALL] for one in told if ALL in one.trial.histograms]
    merged = histograms.percentiles(histograms.merge(histograms.decode(histogram(name), name) for name in files))
    return merged if isinstance(merged, NotMeasured) else statistics.around(merged.p99_ms, values)


def _unheld(trials: Sequence[NeighbourTrial]) -> str:
    """Say in how many rounds the rate was not held, and why; empty where it was in all."""
    told = {one.trial.round: one for one in trials if one.outcome != "void"}
    unheld = [one for one in told.values() if one.outcome != "held"]
    return f"{len(unheld)} of {len(told)} rounds: {unheld[0].reason}" if unheld else ""


def _p99s(trials: Sequence[NeighbourTrial]) -> dict[int, float]:
    return {
        one.trial.round: one.trial.latency.p99_ms
        for one in trials
        if one.outcome == "held" and isinstance(one.trial.latency, Percentiles)
    }
