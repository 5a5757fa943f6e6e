"""Latency at an offered rate: from the moment a request was due, beside the time that its service alone took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from harness import figures, histograms
from harness.metrics import Measurements
from harness.model import NotMeasured, Percentiles
from harness.samples import Histogram, merged_histogram, valid_load_trials
from report import curves
from report.tables import Cell, Column, Table, table, words
from report.text import csv_text, data_link, several

TICKS = (50.0, 99.0, 99.9)
COLUMNS = (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p99_9_ms"))


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One variant's two curves as SVG paths in a square of 1000; no service where it was not kept."""

    variant: str
    response: str
    service: str
    words: str


@dataclass(frozen=True, kw_only=True)
class ResponseChart:
    """All variants' panels, on the same axes; places are percent from the left and the top."""

    panels: tuple[Panel, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    missing: tuple[tuple[str, str], ...]
    offered: str
    caption: str
    table: Table
    download: str


def chart(measured: Measurements, histogram: Histogram | None, variants: Sequence[str]) -> ResponseChart | None:
    """Draw response and service time of every variant; None where no load had a rate.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results = measured.results
    offered = sorted({one.offered_rps for one in results.load_trials if one.model == "open" and one.offered_rps})
    if not offered:
        return None
    pairs: dict[str, tuple[HdrHistogram, HdrHistogram | None, int]] = {}
    missing: list[tuple[str, str]] = []
    for name in variants:
        whole = merged_histogram(results, name, histogram, model="open")
        if isinstance(whole, NotMeasured):
            missing.append((name, whole.not_measured))
            continue
        service = merged_histogram(results, name, histogram, histograms.SERVICE, model="open")
        trials = valid_load_trials(results, name, "open")
        n = 0 if isinstance(trials, NotMeasured) else len(trials)
        pairs[name] = (whole, None if isinstance(service, NotMeasured) else service, n)
    drawn = {name: [histograms.curve(one) for one in pair[:2] if one is not None] for name, pair in pairs.items()}
    points = [point for lines in drawn.values() for line in lines for point in line]
    low, high = curves.reach([ms for _, ms in points])
    last = max([50.0, *(p for p, _ in points)])
    panels = [_panel(name, lines, low, high, last) for name, lines in drawn.items()]
    answers = [pair[0].get_total_count() for pair in pairs.values()]
    data = [
        (name, kind, p, ms)
        for name, lines in drawn.items()
        for kind, line in zip(("response", "service"), lines, strict=False)
        for p, ms in line
    ]
    return ResponseChart(
        panels=tuple(panels),
        x_ticks=tuple((curves.percentile_x(p, last), f"p{p:g}") for p in TICKS if p <= last),
        y_ticks=tuple(
            (curves.latency_y(ms, low, high), figures.figure(ms, "ms")) for ms in _few(curves.log_ticks(low, high))
        ),
        missing=tuple(missing),
        offered=", ".join(figures.figure(one, "req/s") for one in offered),
        caption=f"n = {several(pair[2] for pair in pairs.values())} trials a variant, merged: "
        f"{min(answers):,} to {max(answers):,} answers. Milliseconds, logarithmic."
        if answers
        else "",
        table=_table(pairs),
        download=data_link(csv_text(("variant", "time", "percentile", "milliseconds"), data)),
    )


def _panel(name: str, lines: Sequence[Sequence[tuple[float, float]]], low: float, high: float, last: float) -> Panel:
    paths = []
    for line in lines:
        places = [(curves.percentile_x(p, last) * 10, curves.latency_y(ms, low, high) * 10) for p, ms in line]
        paths.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) if places else "")
    service = paths[1] if len(paths) > 1 else ""
    kept = "response and service time by percentile" if service else "response time by percentile"
    return Panel(variant=name, response=paths[0], service=service, words=f"{name}: {kept}; figures in the table below")


def _table(pairs: dict[str, tuple[HdrHistogram, HdrHistogram | None, int]]) -> Table:
    columns = (
        Column(title="Variant"),
        *(Column(title=f"{name}", below=kind, number=True) for name, _ in COLUMNS for kind in ("response", "service")),
    )
    rows = []
    for name, (whole, service, _) in pairs.items():
        first = histograms.percentiles(whole)
        second = NotMeasured(not_measured="") if service is None else histograms.percentiles(service)
        cells = [cell for _, at in COLUMNS for cell in (_cell(first, at), _cell(second, at))]
        rows.append((words(name), *cells))
    return table(
        "Response and service time at the offered rate",
        columns,
        rows,
        caption="Read from the merged histograms, so a percentile has no interval of its own. In milliseconds.",
        file="response",
    )


def _cell(found: Percentiles | NotMeasured, at: str) -> Cell:
    if isinstance(found, NotMeasured):
        return Cell(text="not kept", tone="missing", data=(("", None),))
    value: float = getattr(found, at)
    return Cell(text=figures.figure(value, "ms"), data=(("", value),))


def _few(ticks: Sequence[float]) -> Sequence[float]:
    """Keep what a small panel has room for."""
    return ticks if len(ticks) < 6 else [one for one in ticks if str(f"{one:e}")[0] == "1"]
