"""What neighbours on a variant's core do to it: its p99 beside each kind, what each limit buys, the smallest set."""

from __future__ import annotations

from harness import figures
from harness.model import Interference, NotMeasured, Results
from harness.model.neighbours import LimitGain, NeighbourRow, StoppedBy, VictimFate
from report.tables import Cell, Column, Section, Table, axis_of, measured, ratio, table, words

ABOUT = (
    "The variant served its load while another container on the same core did its worst, with and without limits on "
    "either. p99 counts from the moment a request was due; the ratio is over the same load undisturbed. “Without "
    "limits” is within the bounds that Seatrial itself keeps."
)


def section(results: Results) -> Section:
    """Read every trial beside neighbours."""
    found = results.neighbours
    return Section(
        anchor="neighbours",
        title="Neighbours",
        about=ABOUT,
        tables=tuple(one for each in found for one in (_rows(each), *_gains(each))),
        notes=tuple(line for one in found for line in (_smallest(one), *one.remarks)),
    )


def _rows(found: Interference) -> Table:
    shown = [row for row in found.rows if row.purpose != "one limit"]
    axis = axis_of(row.p99_ratio for row in shown)
    columns = (
        Column(title="Neighbour", wide=True),
        Column(title="Load", below="share of capacity", number=True),
        Column(title="p99", below="ms", number=True),
        Column(title="p99", below="over undisturbed", number=True),
        Column(title="Rounds", below="held", number=True),
        Column(title="Failed", below="requests", number=True),
        Column(title="The neighbour was stopped by", wide=True),
    )
    return table(
        f"{found.variant} beside its neighbours",
        columns,
        [_row(row, axis) for row in shown],
        caption=f"n = {found.rounds} round{'s' if found.rounds != 1 else ''} of {found.measure_s:g} s, 95% intervals, "
        f"in milliseconds. Capacity: {figures.digits(found.capacity_rps)} requests a second ({found.capacity_from}).",
        file=f"neighbours-{found.variant}",
        title=f"{found.variant} beside its neighbours",
    )


def _row(row: NeighbourRow, axis: float) -> tuple[Cell, ...]:
    rounds = row.held + row.not_held + row.void
    harm = "" if row.victim is VictimFate.UNHARMED else f"the variant was {row.victim.value}"
    return (
        words("undisturbed" if row.kind is None else row.kind.value, more=_limits(row)),
        Cell(text=f"{row.share:.0%}", data=(("", row.share), ("req/s", row.offered_rps))),
        measured(row.p99_ms, "ms"),
        ratio(row.p99_ratio, lower_is_better=True, axis=axis),
        Cell(text=f"{row.held} of {rounds}", tone="bad" if row.not_held else "", more=harm, data=(("", row.held),)),
        Cell(text=f"{row.failures:,}", tone="bad" if row.failures else "", data=(("", row.failures),)),
        words(_stopped(row.stopped_by) if row.kind else ""),
    )


def _limits(row: NeighbourRow) -> str:
    own = "the variant has its limits" if row.victim_limited else "the variant has no limits"
    if row.kind is None:
        return own
    other = f"the neighbour is limited in {', '.join(row.limits)}" if row.limits else "the neighbour has none"
    return f"{other}; {own}"


def _stopped(found: tuple[StoppedBy, ...]) -> str:
    parts = [f"{one.limit}: {one.how} ({one.count:,})" for one in found]
    return "; ".join(parts) or "nothing"


def _gains(found: Interference) -> tuple[Table, ...]:
    if not found.gains:
        return ()
    axis = axis_of(one.gain for one in found.gains)
    columns = (
        Column(title="Limit on the neighbour"),
        Column(title="Beside one that"),
        Column(title="Load", below="share of capacity", number=True),
        Column(title="p99 without it", below="over undisturbed", number=True),
        Column(title="p99 with it", below="over undisturbed", number=True),
        Column(title="What it buys", below="p99 with over without", number=True),
    )
    what = {one.name: one.what for one in found.neighbour_limits}
    shown = table(
        f"What each limit buys {found.variant}",
        columns,
        [_gain(one, what.get(one.limit, ""), axis) for one in found.gains],
        caption=f"n = {found.rounds} rounds; ratios are paired by round, with 95% intervals; below 1 it helps.",
        file=f"limits-{found.variant}",
        title=f"What each limit on the neighbour buys {found.variant}",
    )
    return (shown,)


def _gain(one: LimitGain, what: str, axis: float) -> tuple[Cell, ...]:
    return (
        words(one.limit, more=what),
        words(one.kind.value),
        Cell(text=f"{one.share:.0%}", data=(("", one.share),)),
        ratio(one.p99_ratio_without, lower_is_better=True),
        ratio(one.p99_ratio_with, lower_is_better=True),
        ratio(one.gain, lower_is_better=True, axis=axis),
    )


def _smallest(found: Interference) -> str:
    best = found.smallest
    if isinstance(best, NotMeasured):
        return f"{found.variant}: the smallest set of limits is not measured: {best.not_measured}."
    within = f"keeps p99 within {best.factor:g} times undisturbed"
    if isinstance(best.limits, NotMeasured):
        return f"{found.variant}: no set of limits that was tried {within}: {best.limits.not_measured}."
    names = ", ".join(best.limits) or "none at all"
    own = ", with the variant's own limits," if best.victim_limited else ""
    sure = (
        "confirmed by fresh trials" + ("" if best.certain else ", by their values and not their intervals")
        if best.confirmed
        else "not confirmed"
    )
    beside = f" Nothing helps beside one that {', '.join(one.value for one in best.unheld)}." if best.unheld else ""
    return f"{found.variant}: the smallest set of limits on the neighbour that {within} is {names}{own} {sure}.{beside}"
