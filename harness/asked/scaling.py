"""Question 6: how does each scale with its CPU limit, and with workers and threads?"""

from __future__ import annotations

import re

from harness import figures
from harness.asked.one_thing import COLUMNS, gaps, row, sentences
from harness.asked.tables import column, only
from harness.metrics import Measurements
from harness.model import (
    ArmResult,
    AskedCell,
    AskedQuestion,
    AskedRow,
    AskedTable,
    CapacityResult,
    Experiment,
    Interval,
    NotMeasured,
    Ratio,
    Tuning,
)

QUESTION = "How does each scale with its CPU limit, and with workers and threads?"
GRID = re.compile(r"(\d+)x(\d+)")
CAPACITY = (column("capacity_rps"),)


def answer(measured: Measurements) -> AskedQuestion:
    """Answer it."""
    results = measured.results
    limits = [one for one in results.experiments if one.question == "cpus"]
    grids = [one for one in results.experiments if one.question == "workers"]
    missing = []
    if not limits:
        missing.append("How it scales with its CPU limit was not measured: `seatrial cost VARIANT --of cpus` does it.")
    if not grids:
        missing.append(
            "How it scales with workers and threads was not measured: `seatrial cost VARIANT --of workers` does it."
        )
    if not results.tunings:
        missing.append("No configuration was searched for: `seatrial tune VARIANT` does it.")
    every = (*limits, *grids)
    remarks = [*(one.remarks for one in every), *(one.remarks for one in results.tunings)]
    return AskedQuestion(
        number=6,
        question=QUESTION,
        sentences=(
            *(line for one in every for line in sentences(one)),
            *(line for one in results.tunings for line in advice(one)),
        ),
        tables=(
            *(_limits(one, results.environment.cores) for one in limits),
            *(_grid(one) for one in grids),
            *(tuned(one) for one in results.tunings),
        ),
        remarks=tuple(dict.fromkeys(line for said in remarks for line in said)),
        missing=(*missing, *(line for one in every for line in gaps(one))),
    )


def advice(found: Tuning) -> list[str]:
    """Return the configuration to use, in sentences, and what it gains over gunicorn's usual advice."""
    best = next((one for one in found.configurations if one.name == found.best), None)
    if best is None:
        why = found.gain.not_measured if isinstance(found.gain, NotMeasured) else "none was confirmed"
        return [f"{found.variant}: no configuration can be named: {why}."]
    use = f'GUNICORN_CMD_ARGS="{best.arguments}"' if best.arguments else "the image as it is, with no GUNICORN_CMD_ARGS"
    over = f"over gunicorn's usual advice ({found.advice})"
    if isinstance(found.gain, NotMeasured):
        return [f"Use: {use}", f"Its gain {over} is not measured: {found.gain.not_measured}."]
    low, high = found.gain.low, found.gain.high
    within = f" ({figures.times(low)} to {figures.times(high)})" if low is not None and high is not None else ""
    sure = "" if found.gain.significant else ", ~, which is not significant"
    return [
        f"Use: {use}",
        f"Capacity {over}: {figures.times(found.gain.value)}{within}{sure}. Method: {found.gain.method}.",
    ]


def _limits(one: Experiment, cores: int) -> AskedTable:
    def place(arm: ArmResult) -> float:
        return float(cores) if arm.name == "all" else float(arm.name)

    rows = tuple(row(one.variant, arm, series=one.variant, x=place(arm)) for arm in one.arms)
    title = f"{one.title}: {one.variant}, {one.users} users"
    return AskedTable(title=title, columns=COLUMNS, rows=rows, x_title="CPU limit, in cores")


def _grid(one: Experiment) -> AskedTable:
    rows = []
    for arm in one.arms:
        size = GRID.fullmatch(arm.name)
        series = f"{size[2]} thread{'s' * (size[2] != '1')} a worker" if size else arm.name
        rows.append(row(one.variant, arm, series=series, x=float(size[1]) if size else None))
    title = f"{one.title}: {one.variant}, {one.users} users"
    return AskedTable(title=title, columns=COLUMNS, rows=tuple(rows), x_title="workers")


def tuned(found: Tuning) -> AskedTable:
    """Return every configuration that was tried, how far it came, and its capacity where it was searched."""
    limits = [] if found.cpus is None else [f"{found.cpus:g} CPUs"]
    limits += [] if found.memory_bytes is None else [figures.figure(found.memory_bytes, "bytes")]
    under = f" under {' and '.join(limits)}" if limits else ""
    rows = []
    for one in found.configurations:
        held = [heat.trial.offered_rps or 0.0 for heat in found.race
                if (heat.configuration, heat.outcome) == (one.name, "held")]  # fmt: skip
        gain: Ratio | NotMeasured | None = found.gain if one.name == found.best != found.advice else None
        rows.append(
            AskedRow(
                variant=found.variant,
                way=one.name,
                what=one.why,
                against=found.advice if gain is not None else None,
                series=found.variant,
                cells={"capacity_rps": AskedCell(value=_capacity(found.finals.get(one.name)), ratio=gain)},
                facts={
                    "arguments": one.arguments,
                    "held in the race": figures.figure(max(held), "req/s") if held else "nothing",
                    "remark": "best" if one.name == found.best else one.why,
                },
            )
        )
    title = f"gunicorn's configurations of {found.variant}{under}, p99 within {found.objective_p99_ms:g} ms"
    return AskedTable(title=title, columns=CAPACITY, rows=tuple(rows))


def _capacity(search: CapacityResult | None) -> Interval | NotMeasured:
    if search is None:
        return NotMeasured(not_measured="not searched: others were ahead of it in the race")
    if isinstance(search.capacity_rps, NotMeasured):
        return search.capacity_rps
    if not search.confirmed:
        return NotMeasured(not_measured=f"not confirmed: {search.remark}")
    return only(search.capacity_rps)
