"""The geometry of the latency curves: every variant's whole distribution, on axes that make room for the tail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness import figures, histograms
from harness.metrics import Measurements
from harness.model import NotMeasured
from harness.samples import Histogram, merged_histogram, valid_load_trials
from report.text import csv_text, data_link, several

SERVER_DASHES = ("", "6 5", "2 4", "10 4 2 4")
COLOURS = 6
"""The style sheet has this many series colours."""
PERCENTILE_TICKS = (50.0, 90.0, 99.0, 99.9, 99.99)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One variant's latency curve: an SVG path in a square of 1000, and where its end label goes."""

    variant: str
    colour: int
    dash: str
    path: str
    end_y: float
    label_y: float


@dataclass(frozen=True, kw_only=True)
class CurveChart:
    """Latency against percentile, both axes logarithmic; places are percent from the left and the top."""

    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    missing: tuple[tuple[str, str], ...]
    caption: str
    download: str


def curves(measured: Measurements, histogram: Histogram | None, variants: Sequence[str]) -> CurveChart:
    """Draw every variant's whole latency distribution, from its merged histogram.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    points: dict[str, tuple[tuple[float, float], ...]] = {}
    missing: list[tuple[str, str]] = []
    answers: list[int] = []
    counts: list[int] = []
    for name in variants:
        merged = merged_histogram(measured.results, name, histogram)
        if isinstance(merged, NotMeasured):
            missing.append((name, merged.not_measured))
        elif curve := histograms.curve(merged):
            points[name] = curve
            answers.append(merged.get_total_count())
            trials = valid_load_trials(measured.results, name)
            counts.append(0 if isinstance(trials, NotMeasured) else len(trials))
        else:
            missing.append((name, "no answer was timed"))
    every = [ms for curve in points.values() for _, ms in curve]
    low, high = reach(every)
    last = max([50.0, *(p for curve in points.values() for p, _ in curve)])
    lines = tuple(_line(name, curve, low, high, last, variants) for name, curve in points.items())
    return CurveChart(
        lines=_spread_labels(lines),
        x_ticks=tuple((percentile_x(p, last), f"p{p:g}") for p in PERCENTILE_TICKS if p <= last),
        y_ticks=tuple((latency_y(ms, low, high), figures.figure(ms, "ms")) for ms in log_ticks(low, high)),
        missing=tuple(missing),
        caption=f"n = {several(counts)} trials a variant, merged: {min(answers):,} to {max(answers):,} answers. "
        "A merged percentile has its interval in the tooltip of the table below."
        if answers
        else "",
        download=data_link(
            csv_text(("variant", "percentile", "milliseconds"), [(n, p, ms) for n, c in points.items() for p, ms in c])
        ),
    )


def series(variant: str, variants: Sequence[str]) -> tuple[int, str]:
    """Return a variant's colour and dash: one colour a base (what stands before the last hyphen), one dash a server."""
    bases = list(dict.fromkeys(name.rpartition("-")[0] or name for name in variants))
    servers = sorted({name.rpartition("-")[2] for name in variants if "-" in name}, reverse=True)
    server = variant.rpartition("-")[2]
    dash = SERVER_DASHES[servers.index(server) % len(SERVER_DASHES)] if "-" in variant and server in servers else ""
    return bases.index(variant.rpartition("-")[0] or variant) % COLOURS, dash


def percentile_x(percentile: float, last: float) -> float:
    """Place a percentile so that each further nine takes the same room, and the last one is at the right end."""
    return math.log10(1 - percentile / 100) / math.log10(1 - last / 100) * 100


def reach(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis that holds latencies in milliseconds, with some room."""
    if not values:
        return 1.0, 10.0
    low, high = max(min(values), 1e-3), max(max(values), 1e-3)
    return low * 0.8, max(high * 1.15, low * 1.6)


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return the ticks of a logarithmic axis: 1, 2 and 5 times powers of ten."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return tuple(f * 10.0**p for p in powers for f in (1, 2, 5) if low <= f * 10.0**p <= high)


def latency_y(ms: float, low: float, high: float) -> float:
    """Place a latency on an axis from `low` at the bottom to `high`, in percent from the top."""
    share = math.log(max(ms, low) / low) / math.log(high / low)
    return 100 - min(share, 1.0) * 100


def _line(
    name: str, curve: Sequence[tuple[float, float]], low: float, high: float, last: float, variants: Sequence[str]
) -> Line:
    places = [(percentile_x(p, last) * 10, latency_y(ms, low, high) * 10) for p, ms in curve]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    colour, dash = series(name, variants)
    end = places[-1][1] / 10
    return Line(variant=name, colour=colour, dash=dash, path=path, end_y=end, label_y=end)


def _spread_labels(lines: Sequence[Line], apart: float = 6.0) -> tuple[Line, ...]:
    """Move end labels apart from each other, from the top down and then back from the bottom."""
    order = sorted(lines, key=lambda line: line.end_y)
    places: list[float] = []
    for line in order:
        places.append(max(line.end_y, places[-1] + apart) if places else line.end_y)
    limit = 98.0
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - apart
    return tuple(Line(**{**line.__dict__, "label_y": place}) for line, place in zip(order, places, strict=True))
