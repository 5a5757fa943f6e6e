"""Many runs of one kind in their order: how every figure went from run to run, and where the machine changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness import figures, metrics
from harness.metrics import Measurements
from harness.model import Interval, NotMeasured, Results
from harness.samples import Histogram
from report import charts, curves
from report.tables import Cell, Column, Table, table, words
from report.text import csv_text, data_link, several

METRICS = (
    "throughput_rps",
    "p99_ms",
    "startup_seconds",
    "anonymous_memory_bytes",
    "cpu_ms_per_request",
    "compressed_bytes",
    "findings",
    "vulnerabilities_fixable",
)
MOST_RUNS = 60
"""The newest that a page shows; more would make it large, and its lines a thicket."""
SAME = ("engine", "engine_version", "kernel", "cores", "architecture")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One run's figure of one variant; places are percent from the left and the top."""

    x: float
    y: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, kw_only=True)
class TrendLine:
    """One variant over the runs; a run that did not measure it breaks the line."""

    variant: str
    colour: int
    dash: str
    path: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True)
class TrendChart:
    """One metric of all variants over the runs, from zero to a round number."""

    metric: str
    title: str
    better: str
    lines: tuple[TrendLine, ...]
    y_ticks: tuple[tuple[float, str], ...]
    caption: str
    download: str


@dataclass(frozen=True, kw_only=True)
class TrendGroup:
    """Runs that may be set beside each other: one load profile, one run profile.

    Args:
        moves: where, in percent from the left, a run was made on another machine or engine than the one before.

    """

    load_profile: str
    run_profile: str
    runs: Table
    first: str
    last: str
    charts: tuple[TrendChart, ...]
    variants: tuple[tuple[str, int, str], ...]
    moves: tuple[tuple[float, str], ...]
    left_out: int


@dataclass(frozen=True, kw_only=True)
class Trend:
    """All runs of a folder, by what they have in common."""

    groups: tuple[TrendGroup, ...]
    unread: tuple[tuple[str, str], ...]
    """Folders that hold no run that can be shown, and why."""


@dataclass(frozen=True, kw_only=True)
class TrendRun:
    """One run of a folder: its results, and what gives its histograms."""

    results: Results
    histogram: Histogram


def of(runs: Iterable[TrendRun], unread: Sequence[tuple[str, str]] = ()) -> Trend:
    """Group runs by their profiles and draw each group, the one with the newest run first.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    together: dict[tuple[str, str], list[TrendRun]] = {}
    for one in sorted(runs, key=lambda run: run.results.started_at):
        key = (one.results.load_profile or "none", one.results.run_profile or "none")
        together.setdefault(key, []).append(one)
    ordered = sorted(together.items(), key=lambda item: item[1][-1].results.started_at, reverse=True)
    return Trend(groups=tuple(_group(*key, runs) for key, runs in ordered), unread=tuple(unread))


def _group(load_profile: str, run_profile: str, every: Sequence[TrendRun]) -> TrendGroup:
    runs = every[-MOST_RUNS:]
    measured = [Measurements(one.results, one.histogram) for one in runs]
    names = list(dict.fromkeys(variant.name for one in runs for variant in one.results.variants))
    place = _places(len(runs))
    drawn = [_chart(metric, measured, names, place) for metric in METRICS]
    return TrendGroup(
        load_profile=load_profile,
        run_profile=run_profile,
        runs=_runs(runs),
        first=f"{runs[0].results.started_at:%-d %b %Y}",
        last=f"{runs[-1].results.started_at:%-d %b %Y}",
        charts=tuple(one for one in drawn if one.lines),
        variants=tuple((name, *curves.series(name, names)) for name in names),
        moves=tuple(
            ((place(n) + place(n - 1)) / 2, moved)
            for n in range(1, len(runs))
            if (moved := _moved(runs[n - 1].results, runs[n].results))
        ),
        left_out=len(every) - len(runs),
    )


def _places(count: int) -> Callable[[int], float]:
    return lambda n: 50.0 if count == 1 else n / (count - 1) * 100


def _chart(
    metric: str, measured: Sequence[Measurements], names: Sequence[str], place: Callable[[int], float]
) -> TrendChart:
    kind = metrics.kind_of(metric)
    if kind is None:
        raise KeyError(metric)
    found: dict[str, list[Interval | NotMeasured]] = {
        name: [
            one.metric(metric, name).value
            if any(variant.name == name for variant in one.results.variants)
            else NotMeasured(not_measured="the run did not have it")
            for one in measured
        ]
        for name in names
    }
    known = {name: values for name, values in found.items() if any(isinstance(one, Interval) for one in values)}
    reach = [one.value for values in known.values() for one in values if isinstance(one, Interval)]
    top, ticks = charts.scale(reach)
    lines = tuple(_line(name, values, names, measured, kind.unit, top, place) for name, values in known.items())
    counts = {one.n for values in known.values() for one in values if isinstance(one, Interval)}
    data = [
        (one.results.run_id, name, value.value, value.low, value.high, value.n)
        for name, values in known.items()
        for one, value in zip(measured, values, strict=True)
        if isinstance(value, Interval)
    ]
    interval = "counted, so there is no interval" if counts == {1} else "bars are 95% intervals"
    return TrendChart(
        metric=metric,
        title=kind.title,
        better="lower is better" if kind.lower_is_better else "higher is better",
        lines=lines,
        y_ticks=tuple((100 - tick / top * 100, charts.tick_text(tick, kind.unit, top)) for tick in ticks),
        caption=f"n = {several(counts)} trials a run and variant, in {charts.unit_name(kind.unit, top)}; {interval}.",
        download=data_link(csv_text(("run", "variant", metric, "low", "high", "n"), data)),
    )


def _line(
    name: str,
    values: Sequence[Interval | NotMeasured],
    names: Sequence[str],
    measured: Sequence[Measurements],
    unit: str,
    top: float,
    place: Callable[[int], float],
) -> TrendLine:
    def y(value: float) -> float:
        return 100 - min(max(value / top, 0.0), 1.0) * 100

    colour, dash = curves.series(name, names)
    path, marks, broken = "", [], True
    for n, (one, value) in enumerate(zip(measured, values, strict=True)):
        if isinstance(value, NotMeasured):
            broken = True
            continue
        path += f"{'M' if broken else 'L'}{place(n) * 10:.1f} {y(value.value) * 10:.1f}"
        broken = False
        apart = value.low is not None and value.high is not None and value.low != value.high
        marks.append(
            Mark(
                x=place(n),
                y=y(value.value),
                low=y(value.low) if apart and value.low is not None else None,
                high=y(value.high) if apart and value.high is not None else None,
                words=f"{name}, {one.results.run_id}: {figures.interval(value, unit)}",
            )
        )
    return TrendLine(variant=name, colour=colour, dash=dash, path=path, marks=tuple(marks))


def _runs(runs: Sequence[TrendRun]) -> Table:
    columns = (
        Column(title="Run"),
        Column(title="Begun", below="UTC"),
        Column(title="Machine", wide=True),
        Column(title="Seatrial"),
        Column(title="Budgets", below="exceeded", number=True),
        Column(title="Trials", below="valid", number=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in reversed(runs):
        results, env = one.results, one.results.environment
        exceeded = sum(verdict.kind == "exceeded" for verdict in results.verdicts)
        valid = sum(trial.valid for trial in results.load_trials)
        rows.append(
            (
                words(results.run_id),
                words(f"{results.started_at:%Y-%m-%d %H:%M}"),
                words(f"{env.engine} {env.engine_version}, {env.cores} cores, kernel {env.kernel}"),
                words(env.seatrial_version),
                Cell(text=str(exceeded), tone="bad" if exceeded else "", data=(("", exceeded),)),
                words(f"{valid} of {len(results.load_trials)}"),
            )
        )
    return table("The runs, the newest first", columns, rows, caption=f"{len(runs)} runs.", file="runs")


def _moved(before: Results, after: Results) -> str:
    """Say what of the machine changed between two runs; empty where nothing did."""
    changed = [name for name in SAME if getattr(before.environment, name) != getattr(after.environment, name)]
    return ", ".join(name.replace("_", " ") for name in changed)
