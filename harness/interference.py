"""How much a neighbour on its core slows a variant down, as a figure: read from a run's trials beside neighbours."""

from __future__ import annotations

from harness.model import Interference, NeighbourRow, NotMeasured, Percentiles, Ratio, Results
from harness.samples import Latency, Sample, truthful

NOT_TRIED = "it was not tried beside neighbours"


@truthful
def p99_ratio(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the worst p99 beside any neighbour, over p99 undisturbed: victim and neighbour limited, at the highest load.

    The figure is that of the worst kind; its values are the rounds' own ratios. A victim that did not serve what was
    offered has no such figure, and `unserved` says so.
    """
    rows = _limited(results, variant)
    if isinstance(rows, NotMeasured):
        return rows
    for row in rows:
        if not isinstance(row.p99_ratio, Ratio):
            why = row.p99_ratio.not_measured if row.p99_ratio is not None else "it has no undisturbed row"
            return NotMeasured(not_measured=unserved(results, variant) or f"beside a neighbour that {row.kind}: {why}")
    worst, ratio = max(
        ((row, row.p99_ratio) for row in rows if isinstance(row.p99_ratio, Ratio)), key=lambda pair: pair[1].value
    )
    undisturbed = next((one for one in _mine(results, variant).rows if one.id == worst.baseline), None)
    values = _by_round(worst, undisturbed) if undisturbed is not None else {}
    if not values:
        return NotMeasured(not_measured="its rounds beside neighbours and undisturbed have none in common")
    return Sample(values=values, pairs=True, point=ratio.value)


def unserved(results: Results, variant: str) -> str:
    """Say beside which neighbour a variant did not serve what was offered; empty where it always did."""
    rows = _limited(results, variant)
    if isinstance(rows, NotMeasured):
        return ""
    worst = next((row for row in rows if row.not_held), None)
    if worst is None:
        return ""
    rounds = worst.held + worst.not_held
    return (
        f"beside a neighbour that {worst.kind} it did not serve {worst.offered_rps:.4g} requests a second "
        f"in {worst.not_held} of {rounds} rounds"
    )


def _mine(results: Results, variant: str) -> Interference:
    return next(
        one for one in results.neighbours if one.variant == variant and results.run_profile in (None, one.run_profile)
    )


def _limited(results: Results, variant: str) -> tuple[NeighbourRow, ...] | NotMeasured:
    """Return the rows in which both have all their limits, at the highest load that was tried."""
    try:
        found = _mine(results, variant)
    except StopIteration:
        return NotMeasured(not_measured=NOT_TRIED)
    every = {limit.name for limit in found.neighbour_limits}
    rows = [
        row
        for row in found.rows
        if row.kind is not None and row.purpose == "grid" and row.victim_limited and set(row.limits) == every
    ]
    if not found.finished or not rows:
        return NotMeasured(not_measured="its trials beside limited neighbours are not complete")
    highest = max(row.share for row in rows)
    return tuple(row for row in rows if row.share == highest)


def _by_round(row: NeighbourRow, undisturbed: NeighbourRow) -> dict[int, float]:
    then, now = ({one.trial.round: one.trial.latency for one in each.trials if one.outcome == "held"}
                 for each in (undisturbed, row))  # fmt: skip
    found = {}
    for number in then.keys() & now.keys():
        before, after = then[number], now[number]
        if isinstance(before, Percentiles) and isinstance(after, Percentiles) and before.p99_ms > 0:
            found[number] = after.p99_ms / before.p99_ms
    return found
