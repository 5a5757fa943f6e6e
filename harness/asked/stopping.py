"""Question 8: how does a graceful stop go: requests lost, seconds, exit code?"""

from __future__ import annotations

from collections import Counter

from harness import statistics
from harness.metrics import Measurements
from harness.model import (
    AskedCell,
    AskedColumn,
    AskedQuestion,
    AskedRow,
    AskedTable,
    Interval,
    NotMeasured,
    StopLoad,
    StopTrial,
)
from harness.samples import broken_contract

QUESTION = "What does SIGTERM do under load: requests lost, seconds, exit code?"
COLUMNS = tuple(
    AskedColumn(name=name, title=title, unit=unit, lower_is_better=True)
    for name, title, unit in (
        ("stop_seconds", "seconds to the end", "s"),
        ("stop_lost_requests", "requests lost", "requests"),
        ("stop_lost_on_kept_connections", "of those, on kept connections", "requests"),
        ("stop_refused_requests", "requests refused", "requests"),
    )
)


def answer(measured: Measurements) -> AskedQuestion:
    """Answer it."""
    results = measured.results
    rows, missing = [], []
    for name in (one.name for one in results.variants):
        mine = [one for one in results.stop_trials if one.variant == name]
        loaded = [one for one in mine if one.load is not None]
        if not loaded:
            missing.append(name)
        if broken_contract(results, name):
            continue
        rows += [_row(name, way, found) for way, found in (
            ("under load", loaded), ("idle", [one for one in mine if one.load is None])) if found]  # fmt: skip
    return AskedQuestion(
        number=8,
        question=QUESTION,
        sentences=tuple(_sentence(row) for row in rows if row.way == "under load"),
        tables=(AskedTable(title="Graceful stops", columns=COLUMNS, rows=tuple(rows)),) if rows else (),
        remarks=(
            "Lost: its connection was taken, and no whole answer came. Refused: never taken; behind a load balancer "
            "that is no loss.",
        ),
        missing=(
            f"{', '.join(missing)}: not stopped under load. `seatrial load` with a load profile that has "
            "`loaded_stops`, as `full` does, does it.",
        )
        if missing
        else (),
    )


def _row(name: str, way: str, stops: list[StopTrial]) -> AskedRow:
    codes = Counter(one.exit_code for one in stops)
    killed = sum(one.killed for one in stops)
    loads = [one.load for one in stops if isinstance(one.load, StopLoad)]
    why = next((one.load.not_measured for one in stops if isinstance(one.load, NotMeasured)), "the container was idle")
    none = NotMeasured(not_measured=why)

    def mean(values: list[float]) -> Interval | NotMeasured:
        return statistics.mean_interval(values) if values else none

    return AskedRow(
        variant=name,
        way=way,
        series=way,
        cells={
            "stop_seconds": AskedCell(value=mean([one.seconds for one in stops])),
            "stop_lost_requests": AskedCell(value=mean([float(one.lost) for one in loads])),
            "stop_lost_on_kept_connections": AskedCell(
                value=mean([float(one.lost_on_kept_connections) for one in loads])
            ),
            "stop_refused_requests": AskedCell(value=mean([float(one.refused) for one in loads])),
        },
        facts={
            "exit codes": ", ".join(f"{code} ({count} of {len(stops)})" for code, count in sorted(codes.items())),
            "stops": str(len(stops)),
            "killed": f"{killed} of {len(stops)}",
            **({"answered": str(sum(one.answered for one in loads))} if loads else {}),
        },
    )


def _sentence(row: AskedRow) -> str:
    lost, seconds = row.cells["stop_lost_requests"].value, row.cells["stop_seconds"].value
    how = f"killed in {row.facts['killed']} stops, exit codes {row.facts['exit codes']}"
    took = f" after {seconds.value:.2f} s" if isinstance(seconds, Interval) else ""
    if isinstance(lost, NotMeasured):
        return f"{row.variant}: requests lost are not measured: {lost.not_measured}; {how}{took}."
    return f"{row.variant} lost {lost.value:.3g} requests a stop under load; {how}{took}."
