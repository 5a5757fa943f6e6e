"""The search for gunicorn's best workers and threads: the command line to use, what it gains, and all that raced."""

from __future__ import annotations

from harness import figures
from harness.asked.scaling import advice
from harness.model import CapacityResult, Configuration, NotMeasured, Results, Tuning
from report.tables import Cell, Column, Section, Table, table, words

ABOUT = (
    "Configurations raced up a ladder of rates; the last ones, and gunicorn's usual advice, were then searched for "
    "their capacity: the highest rate at which p99 stays within the objective and no request fails."
)


def section(results: Results) -> Section:
    """Read every tuning of a run."""
    return Section(
        anchor="tunings",
        title="Workers and threads",
        about=ABOUT,
        tables=tuple(map(_table, results.tunings)),
        notes=tuple(_named(one, line) for one in results.tunings for line in (*advice(one), *one.remarks)),
    )


def _named(found: Tuning, line: str) -> str:
    return line if line.startswith(found.variant) else f"{found.variant}: {line[:1].lower()}{line[1:]}"


def _table(found: Tuning) -> Table:
    limits = [] if found.cpus is None else [f"{found.cpus:g} CPU{'s' if found.cpus != 1 else ''}"]
    limits += [] if found.memory_bytes is None else [figures.figure(found.memory_bytes, "bytes")]
    columns = (
        Column(title="Configuration"),
        Column(title="Held in the race", below="requests a second", number=True),
        Column(title="Capacity", below="requests a second", number=True),
        Column(title="What it is", wide=True),
    )
    return table(
        f"Configurations of {found.variant}",
        columns,
        [_row(found, one) for one in found.configurations],
        caption=f"n = 1 trial a step of the race, 3 at a capacity; steps of {found.tolerance:.0%}, so no interval. "
        f"p99 within {found.objective_p99_ms:g} ms, under {' and '.join(limits) or 'no limits'}. In requests a second.",
        file=f"tuning-{found.variant}",
        title=f"{found.variant} under {' and '.join(limits) or 'no limits'}",
    )


def _row(found: Tuning, one: Configuration) -> tuple[Cell, ...]:
    held = [
        run.trial.offered_rps or 0.0 for run in found.race if (run.configuration, run.outcome) == (one.name, "held")
    ]
    most = max(held, default=None)
    marks = ["the best"] if one.name == found.best else []
    marks += ["gunicorn's usual advice"] if one.name == found.advice else []
    return (
        words(one.name, "good" if one.name == found.best else "", more=one.arguments),
        Cell(text="" if most is None else figures.digits(most), data=(("", most),)),
        _capacity(found.finals.get(one.name)),
        words(", ".join(marks), more=one.why),
    )


def _capacity(search: CapacityResult | None) -> Cell:
    if search is None:
        return words("not searched", "missing")
    if isinstance(search.capacity_rps, NotMeasured):
        return words("not measured", "missing", more=search.capacity_rps.not_measured)
    return Cell(
        text=figures.digits(search.capacity_rps),
        more="" if search.confirmed else f"not confirmed: {search.remark}",
        data=(("", search.capacity_rps),),
    )
