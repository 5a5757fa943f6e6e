"""Questions 3, 4 and 5: what hardening, the network path and the container itself cost, one thing changed at a time."""

from __future__ import annotations

from harness.asked.tables import column, differences, p99
from harness.metrics import Measurements
from harness.model import ArmResult, AskedCell, AskedQuestion, AskedRow, AskedTable, Experiment, NotMeasured

COLUMNS = tuple(
    column(name)
    for name in ("throughput_rps", "p99_ms", "cpu_ms_per_request", "startup_seconds", "anonymous_memory_bytes")
)
QUESTIONS = {
    "hardening": (3, "What does hardening cost, flag by flag?"),
    "path": (4, "What does the network path cost?"),
    "process": (5, "What does the container cost against the same files as a plain process?"),
}


def answers(measured: Measurements) -> list[AskedQuestion]:
    """Answer all three."""
    found = []
    for name, (number, question) in QUESTIONS.items():
        mine = [one for one in measured.results.experiments if one.question == name]
        missing = [] if mine else [f"It was not measured: `seatrial cost VARIANT --of {name}` does it."]
        found.append(
            AskedQuestion(
                number=number,
                question=question,
                sentences=tuple(line for one in mine for line in sentences(one)),
                tables=tuple(experiment_table(one) for one in mine),
                remarks=tuple(dict.fromkeys(line for one in mine for line in one.remarks)),
                missing=(*missing, *(line for one in mine for line in gaps(one))),
            )
        )
    return found


def experiment_table(one: Experiment) -> AskedTable:
    """Return an experiment as a table."""
    title = f"{one.title}: {one.variant}, {one.users} users"
    return AskedTable(title=title, columns=COLUMNS, rows=tuple(row(one.variant, arm) for arm in one.arms))


def row(variant: str, arm: ArmResult, *, series: str = "", x: float | None = None) -> AskedRow:
    """Return one way of an experiment as a row; its figures and what they are over."""
    found = {
        "throughput_rps": AskedCell(value=arm.throughput_rps, ratio=arm.throughput_ratio),
        "p99_ms": AskedCell(value=p99(arm.latency), ratio=arm.p99_ratio),
        "cpu_ms_per_request": AskedCell(value=arm.cpu_ms_per_request, ratio=arm.cpu_ratio),
    }
    if arm.startup_seconds is not None:
        found["startup_seconds"] = AskedCell(value=arm.startup_seconds, ratio=arm.startup_ratio)
    if arm.memory_bytes is not None:
        found["anonymous_memory_bytes"] = AskedCell(value=arm.memory_bytes, ratio=arm.memory_ratio)
    return AskedRow(
        variant=variant,
        way=arm.name,
        what=arm.what,
        against=arm.baseline,
        series=series or arm.endpoint or arm.method,
        x=x,
        cells=found,
        facts={"method": arm.method},
    )


def sentences(one: Experiment) -> list[str]:
    """Say of each way how its figures differ from those of the one that it is set against."""
    return [
        line
        for arm in one.arms
        for line in differences(f"{one.variant}, {arm.name}", COLUMNS, row(one.variant, arm).cells, arm.baseline)
    ]


def gaps(one: Experiment) -> list[str]:
    """Say of each way without a figure why it has none."""
    said = []
    for arm in one.arms:
        judged = arm.throughput_ratio if arm.method == "slices" else arm.throughput_rps
        if isinstance(judged, NotMeasured):
            said.append(f"{one.variant}, {arm.name}: {judged.not_measured}.")
    return said
