"""The rates that variants hold: what was confirmed, what was missed above it, and why where nothing was."""

from __future__ import annotations

from collections.abc import Sequence

from harness import figures
from harness.model import CapacityResult, NotMeasured, Results
from report.tables import Cell, Column, Section, table, words

ABOUT = (
    "The highest rate at which p99, counted from the moment a request was due, stays within the objective and no "
    "request fails. Held three times by fresh containers, and missed one step above in two of three."
)


def section(results: Results, order: Sequence[str]) -> Section:
    """Read every search for capacity of a run."""
    found = sorted(results.capacities, key=lambda one: order.index(one.variant) if one.variant in order else 99)
    if not found:
        return Section(anchor="capacity", title="Capacity", about=ABOUT)
    columns = (
        Column(title="Variant"),
        Column(title="Capacity", below="requests a second", number=True),
        Column(title="Missed above", below="requests a second", number=True),
        Column(title="Objective", below="p99", number=True),
        Column(title="Trials", number=True),
        Column(title="Run profile"),
        Column(title="How sure", wide=True),
    )
    shown = table(
        "Capacity of every variant",
        columns,
        [_row(one) for one in found],
        caption="n = 3 fresh trials at the rate that was held. No interval: rates were tried in steps, and the truth "
        "lies between what was held and what was missed. In requests a second.",
        file="capacity",
    )
    return Section(anchor="capacity", title="Capacity", about=ABOUT, tables=(shown,))


def _row(one: CapacityResult) -> tuple[Cell, ...]:
    if isinstance(one.capacity_rps, NotMeasured):
        rate, sure = words("not measured", "missing"), words(one.capacity_rps.not_measured, "missing")
    else:
        least = "at least " if one.at_least else ""
        rate = Cell(text=f"{least}{figures.digits(one.capacity_rps)}", data=(("", one.capacity_rps),))
        sure = words("confirmed", "good") if one.confirmed else words(f"not confirmed: {one.remark}", "warn")
    if not one.finished:
        sure = words(f"its search was stopped after {len(one.trials)} trials", "warn")
    up = "" if one.step_up_rps is None else figures.digits(one.step_up_rps)
    return (
        words(one.variant, more=one.configuration),
        rate,
        Cell(text=up, data=(("", one.step_up_rps),)),
        words(f"{one.objective_p99_ms:g} ms"),
        words(str(len(one.trials))),
        words(one.run_profile),
        sure,
    )
