"""Question 1: which variant serves most, and at which latency, at the same offered rate?"""

from __future__ import annotations

from harness import figures
from harness.asked.tables import cells, column, difference
from harness.capacities import capacity_of
from harness.metrics import Measurements
from harness.model import AskedQuestion, AskedRow, AskedTable, CapacityResult, Interval, NotMeasured, Ratio

QUESTION = "Which variant serves most, and at which latency, at the same offered rate?"
COLUMNS = tuple(column(name) for name in ("capacity_rps", "throughput_rps", "open_p50_ms", "open_p99_ms"))


def answer(measured: Measurements) -> AskedQuestion:
    """Answer it.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results = measured.results
    names = [one.name for one in results.variants]
    base = results.baseline_variant if results.baseline_variant in names else None
    rows = tuple(_row(measured, name, base) for name in names)
    return AskedQuestion(
        number=1,
        question=QUESTION,
        sentences=tuple(_most(measured, rows, "capacity_rps") or _most(measured, rows, "throughput_rps")),
        tables=(AskedTable(title="Capacity, throughput, and latency at the offered rate", columns=COLUMNS, rows=rows),),
        remarks=("Capacity is the headline: the highest rate whose p99 holds the objective, no request failing.",),
        missing=_missing(measured, rows),
    )


def _row(measured: Measurements, name: str, base: str | None) -> AskedRow:
    results = measured.results
    facts = {}
    rates = {one.offered_rps for one in results.load_trials if one.variant == name and one.offered_rps is not None}
    if rates:
        facts["offered"] = ", ".join(figures.figure(rate, "req/s") for rate in sorted(rates))
    found = capacity_of(results, name)
    if isinstance(found, CapacityResult):
        facts["objective"] = f"p99 within {found.objective_p99_ms:g} ms"
        facts["step up"] = "" if found.step_up_rps is None else f"{figures.figure(found.step_up_rps, 'req/s')} missed"
    against = None if name == base else base
    return AskedRow(variant=name, against=against, cells=cells(measured, COLUMNS, name, against), facts=facts)


def _most(measured: Measurements, rows: tuple[AskedRow, ...], metric: str) -> list[str]:
    """Name the variant with the highest rate, and tell it from the next one; nothing where none was measured."""
    known = {one.variant: found for one in rows if isinstance(found := one.cells[metric].value, Interval)}
    if not known:
        return []
    first, *others = sorted(known, key=lambda name: -known[name].value)
    what = column(metric)
    said = [f"{first} serves most: {what.title} {figures.interval(known[first], what.unit)}."]
    # Where a generator was at its end, there is no figure because it is so high.
    more = [one.variant for one in rows if _at_least(one.cells[metric].value)]
    if len(known) < len(rows):
        rest = f"; {', '.join(more)} may serve more" if more else ""
        said[0] = f"{said[0][:-1]}, of those with a figure{rest}."
    if others and isinstance(ratio := measured.ratio(metric, first, others[0]), Ratio):
        said.append(difference(first, what, ratio, others[0]))
    return said


def _at_least(value: object) -> bool:
    return isinstance(value, NotMeasured) and value.not_measured.startswith("at least")


def _missing(measured: Measurements, rows: tuple[AskedRow, ...]) -> tuple[str, ...]:
    said = []
    for metric, how in (
        ("capacity_rps", "`seatrial capacity`"),
        ("throughput_rps", "`seatrial load`"),
        ("open_p99_ms", "`seatrial load` with a load profile that has a `rate`, as `full` does"),
    ):
        without = [one.variant for one in rows if not isinstance(one.cells[metric].value, Interval)]
        if without:
            said.append(f"No {column(metric).title} of {', '.join(without)}: {how} measures it.")
    return tuple(said)
