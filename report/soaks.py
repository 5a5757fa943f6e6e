"""Soaks: a container's memory over a long load, and whether it grows with the requests that it answers."""

from __future__ import annotations

from dataclasses import dataclass

from harness import figures
from harness.model import Interval, NotMeasured, Results, Soak
from report import charts
from report.tables import Column, Table, measured, table, words
from report.text import csv_text, data_link

MOST_POINTS = 240
"""A line of more points looks the same, and makes the page large; the data file has no more either."""
VERDICTS = {True: ("it leaks", "bad"), False: ("no leak shows", "good"), None: ("cannot be told", "warn")}


@dataclass(frozen=True, kw_only=True)
class SoakChart:
    """One soak's memory over time: an SVG path in a square of 1000, from zero to a round number."""

    variant: str
    path: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    words: str
    caption: str
    download: str


@dataclass(frozen=True, kw_only=True)
class Soaks:
    """All soaks of a run."""

    charts: tuple[SoakChart, ...]
    table: Table


def soaks(results: Results) -> Soaks | None:
    """Draw every soak; None where there is none."""
    if not results.soaks:
        return None
    columns = (
        Column(title="Variant"),
        Column(title="Offered", below="requests a second", number=True),
        Column(title="For", number=True),
        Column(title="Growth", below="bytes a thousand requests", number=True),
        Column(title="In the second half", below="bytes a thousand requests", number=True),
        Column(title="What it says", wide=True),
    )
    rows = []
    for one in results.soaks:
        text, tone = VERDICTS[one.leaks]
        broken = "; ".join(f"{guard.guard.value}: {guard.evidence}" for guard in one.trial.broken_guards)
        share = "" if one.share_of_capacity is None else f"{one.share_of_capacity:.0%} of its capacity"
        rows.append(
            (
                words(one.variant),
                words(figures.digits(one.offered_rps), more=share),
                words(_minutes(one.trial.measured_seconds)),
                measured(one.bytes_per_thousand_requests, "bytes"),
                measured(one.bytes_per_thousand_requests_later, "bytes"),
                words(text, tone, more=broken),
            )
        )
    shown = table(
        "Growth of memory under a long load",
        columns,
        rows,
        caption="Slopes with their 95% intervals; n = batches of samples. A leak is called where both are above zero.",
        file="soaks",
    )
    return Soaks(charts=tuple(_chart(one) for one in results.soaks if len(one.samples) > 1), table=shown)


def _chart(one: Soak) -> SoakChart:
    samples = one.samples[:: max(len(one.samples) // MOST_POINTS, 1)]
    last = max(samples[-1].seconds, 1e-9)
    top, y_ticks = charts.scale([float(sample.anonymous_bytes) for sample in samples])
    points = [(sample.seconds / last * 1000, 1000 - sample.anonymous_bytes / top * 1000) for sample in samples]
    ends = (figures.figure(samples[0].anonymous_bytes, "bytes"), figures.figure(samples[-1].anonymous_bytes, "bytes"))
    return SoakChart(
        variant=one.variant,
        path="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points),
        x_ticks=tuple((share, _minutes(last * share / 100)) for share in (0.0, 50.0, 100.0)),
        y_ticks=tuple((100 - tick / top * 100, charts.tick_text(tick, "bytes", top)) for tick in y_ticks),
        words=f"{one.variant}: anonymous memory from {ends[0]} to {ends[1]}{_growth(one)}",
        caption=f"n = {len(one.samples)} samples of one container, in {charts.unit_name('bytes', top)}.",
        download=data_link(
            csv_text(("seconds", "anonymous_bytes"), [(s.seconds, float(s.anonymous_bytes)) for s in samples])
        ),
    )


def _growth(one: Soak) -> str:
    found: Interval | NotMeasured = one.bytes_per_thousand_requests
    if isinstance(found, NotMeasured):
        return ""
    return f", {figures.interval(found, 'bytes')} a thousand requests"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
