"""What one thing at a time costs: hardening by flag, network path, CPU limits, workers, the container itself."""

from __future__ import annotations

from harness import figures
from harness.model import ArmResult, Experiment, NotMeasured, Percentiles, Results
from report.tables import Cell, Column, Section, Table, axis_of, measured, ratio, table, words

ABOUT = (
    "One variant in several ways, of which each differs from its baseline in one thing. The bar is the ratio's 95% "
    "interval about “no difference”; to the right it is more."
)


def section(results: Results) -> Section:
    """Read every experiment of a run."""
    tables = tuple(_table(one) for one in results.experiments)
    notes = tuple(f"{one.variant}, {one.question}: {remark}" for one in results.experiments for remark in one.remarks)
    return Section(anchor="costs", title="What it costs", about=ABOUT, tables=tables, notes=notes)


def _table(found: Experiment) -> Table:
    throughput = axis_of(row.throughput_ratio for row in found.arms)
    cpu = axis_of(row.cpu_ratio for row in found.arms)
    columns = (
        Column(title="Way", wide=True),
        Column(title="Throughput", below="req/s", number=True),
        Column(title="p99", below="ms", number=True),
        Column(title="CPU a request", below="ms", number=True),
        Column(title="Throughput", below="over its baseline", number=True),
        Column(title="CPU", below="over its baseline", number=True),
        Column(title="Against"),
    )
    rounds = f"n = {found.rounds} rounds; slices count their pairs as n"
    shown = table(
        f"{found.title}, {found.variant}",
        columns,
        [_row(row, throughput, cpu) for row in found.arms],
        caption=f"{rounds}. Ratios with their 95% intervals. {found.users} closed users, load profile "
        f"{found.load_profile}, run profile {found.run_profile}.",
        file=f"cost-{found.question}-{found.variant}",
        title=f"{found.title}: {found.variant}",
    )
    return shown


def _row(row: ArmResult, throughput: float, cpu: float) -> tuple[Cell, ...]:
    p99 = words("not measured", "missing")
    if isinstance(row.latency, Percentiles):
        p99 = Cell(text=figures.figure(row.latency.p99_ms, "ms"), data=(("", row.latency.p99_ms),))
    elif row.method == "slices":
        p99 = words("")
    by_slices = row.method == "slices" and isinstance(row.throughput_rps, NotMeasured)
    return (
        words(row.name, more=row.what if row.what != row.name else ""),
        words("") if by_slices else measured(row.throughput_rps, ""),
        p99,
        words("") if by_slices else measured(row.cpu_ms_per_request, "ms"),
        ratio(row.throughput_ratio, lower_is_better=False, axis=throughput),
        ratio(row.cpu_ratio, lower_is_better=True, axis=cpu),
        words(f"{row.baseline}, by {row.method}" if row.baseline else ""),
    )
