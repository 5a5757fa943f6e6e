"""What a comparison beside neighbours came to, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from harness import figures
from harness.model import Interference, NeighbourRow, NotMeasured, Ratio, SmallestSet, StoppedBy, VictimFate
from seatrial.terminal import Terminal

MEGABYTE = 1 << 20


def tell(found: Interference, terminal: Terminal) -> None:
    """Print the undisturbed figures, every kind with and without limits, what each limit buys, and the smallest set."""
    terminal.out.print(undisturbed(found))
    terminal.out.print(table(found))
    if any(row.purpose == "one limit" for row in found.rows):
        terminal.out.print(bought(found))
    for line in (*words(found), *gaps(found)):
        terminal.out.print(line, markup=False, soft_wrap=True)


def undisturbed(found: Interference) -> Table:
    """Return the victim's own figures, without a neighbour."""
    shown = Table(title=f"{found.variant} undisturbed, on core {found.victim_cpus}", title_justify="left")
    for column in ("load", "req/s", "its limits", "p99", "failed"):
        shown.add_column(column, justify="left" if column == "its limits" else "right")
    for row in (one for one in found.rows if one.kind is None and one.purpose == "grid"):
        p99 = "not held" if isinstance(row.p99_ms, NotMeasured) else figures.interval(row.p99_ms, "ms")
        limits = found.victim_limits if row.victim_limited else "none"
        shown.add_row(f"{row.share:.0%}", figures.digits(row.offered_rps), limits, p99, _failed(row))
    return shown


def table(found: Interference) -> Table:
    """Return every kind at every load: p99 over undisturbed without limits, with limits on either, and on both."""
    title = f"{found.variant} beside a neighbour on core {found.neighbour_cpus}: p99 over undisturbed"
    shown = Table(title=title, title_justify="left")
    for column in (
        "a neighbour that",
        "load",
        "no limits",
        "victim limited",
        "neighbour limited",
        "both",
        "stopped by",
    ):
        shown.add_column(column, justify="left" if column in ("a neighbour that", "stopped by") else "right")
    for kind in found.kinds:
        for share in found.shares:
            rows = [one for one in found.rows if (one.kind, one.share, one.purpose) == (kind, share, "grid")]
            sides = [(False, False), (True, False), (False, True), (True, True)]
            cells = [
                next((_ratio(one) for one in rows if (one.victim_limited, bool(one.limits)) == side), "")
                for side in sides
            ]
            stopped = _stopped([stop for one in rows if one.limits for stop in one.stopped_by])
            shown.add_row(kind.value, f"{share:.0%}", *cells, stopped)
    return shown


def bought(found: Interference) -> Table:
    """Return what each limit buys, and what all of them do."""
    shown = Table(title="What each limit buys the victim", title_justify="left")
    for column in ("limit", "against one that", "load", "without", "with", "gain", "stopped by"):
        shown.add_column(column, justify="left" if column.startswith(("limit", "against", "stopped")) else "right")
    rows = {one.id: one for one in found.rows}
    for gain in sorted(found.gains, key=lambda one: (one.kind, -one.share)):
        cells = (_ratio(rows[gain.without]), _ratio(rows[gain.alone]))
        ratio = figures.ratio(gain.gain) if isinstance(gain.gain, Ratio) else "-"
        shown.add_row(gain.limit, gain.kind.value, f"{gain.share:.0%}", *cells, ratio, _stopped(gain.stopped_by))
    return shown


def words(found: Interference) -> list[str]:
    """Return the smallest set, the limits that were tried, and those of the harness's own, in a line each."""
    caps = found.caps
    lines = [smallest(found.smallest, found.factor)]
    lines += [f"{limit.name}: {limit.what}" for limit in found.neighbour_limits]
    lines.append(
        f"Without limits means within the harness's own: {caps.memory_bytes / MEGABYTE:.0f} MB of memory, {caps.pids}"
        f" processes, {caps.open_files} open files, {caps.written_bytes / MEGABYTE:.0f} MB written, {caps.seconds:g} s."
    )
    return [*lines, *found.remarks]


def smallest(found: SmallestSet | NotMeasured, factor: float) -> str:
    """Say which limits keep p99 within the factor, and how sure that is."""
    if isinstance(found, NotMeasured):
        return f"The smallest set of limits is not told: {found.not_measured}."
    if isinstance(found.limits, NotMeasured):
        return f"The smallest set of limits: {found.limits.not_measured}."
    named = ", ".join(found.limits) or "no limit at all"
    both = ", and the victim's own" if found.victim_limited else ""
    sure = "confirmed" if found.confirmed else "not confirmed"
    remark = f" ({found.remark})" if found.remark else ""
    return f"The smallest set that keeps p99 within {factor:g} of undisturbed: {named}{both}; {sure}{remark}."


def gaps(found: Interference) -> list[str]:
    """Return in a line each why a row has no figure, and what became of the victim."""
    lines = []
    for row in found.rows:
        harm = "" if row.victim is VictimFate.UNHARMED else f" The victim was {row.victim}."
        if isinstance(row.p99_ms, NotMeasured) or harm:
            why = row.p99_ms.not_measured if isinstance(row.p99_ms, NotMeasured) else "held"
            lines.append(f"{row.id}: {why.rstrip('.')}.{harm}")
    return lines


def _ratio(row: NeighbourRow) -> str:
    if isinstance(row.p99_ratio, Ratio):
        return figures.ratio(row.p99_ratio)
    told = row.held + row.not_held
    return f"not held ({row.not_held} of {told})" if row.not_held else "-"


def _failed(row: NeighbourRow) -> str:
    return f"{row.failures:,} of {row.requests:,}"


def _stopped(found: Sequence[StoppedBy]) -> str:
    named = dict.fromkeys(f"{one.limit}: {one.how}" for one in found if one.limit not in ("harness", "victim"))
    return ", ".join(named)
