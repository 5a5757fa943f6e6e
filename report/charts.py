"""The geometry of strips and layer bars: pure steps from measurements to places on a page, each with its data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness import figures
from harness.metrics import Measurements, kind_of
from harness.model import Interval, NotMeasured
from harness.samples import image_of
from report import facts
from report.text import csv_text, data_link


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One figure drawn along a line; all places are percent of the line's length.

    Args:
        bar: where the value is.
        low, high: the interval's ends; None where there is none.
        dots: the trials' values.
        baseline: where the baseline's value is, if it was measured.
        label: all of it in words.

    """

    bar: float
    low: float | None
    high: float | None
    dots: tuple[float, ...]
    baseline: float | None
    label: str


@dataclass(frozen=True, kw_only=True)
class StripRow:
    """One variant's line of a strip chart; without a strip, the reason."""

    variant: str
    strip: Strip | None
    text: str
    n: int


@dataclass(frozen=True, kw_only=True)
class StripChart:
    """One metric of all variants, from zero to a round number."""

    metric: str
    title: str
    better: str
    rows: tuple[StripRow, ...]
    ticks: tuple[tuple[float, str], ...]
    caption: str
    download: str


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One layer: its share of the longest bar in percent, its shade, and what it is in words."""

    width: float
    shade: int
    label: str
    made_by: str
    size: str
    compressed: str


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One image as a bar of layers."""

    variant: str
    segments: tuple[Segment, ...]
    total: str
    note: str


@dataclass(frozen=True, kw_only=True)
class LayerChart:
    """All images by layer."""

    rows: tuple[LayerRow, ...]
    missing: tuple[tuple[str, str], ...]
    download: str


def strips(measured: Measurements, metric: str, variants: Sequence[str], baseline: str | None) -> StripChart:
    """Draw one metric of all variants on one scale that begins at zero."""
    kind = kind_of(metric)
    if kind is None:
        raise KeyError(metric)
    found = {name: measured.metric(metric, name) for name in variants}
    top, ticks = scale([v for one in found.values() for v in _reach(one.value, one.trials)])
    base = found[baseline].value if baseline in found else None
    at_base = None if not isinstance(base, Interval) else base.value / top * 100
    rows: list[StripRow] = []
    table: list[tuple[str | float | None, ...]] = []
    for name, one in found.items():
        if isinstance(one.value, NotMeasured):
            rows.append(StripRow(variant=name, strip=None, text=one.value.not_measured, n=0))
            table.append((name, None, None, None, 0, one.value.not_measured))
            continue
        text = figures.figure(one.value.value, kind.unit)
        words = f"{name}: {figures.interval(one.value, kind.unit)}"
        strip = Strip(
            bar=one.value.value / top * 100,
            low=None if one.value.low is None else max(one.value.low, 0) / top * 100,
            high=None if one.value.high is None else min(one.value.high / top, 1) * 100,
            dots=tuple(value / top * 100 for value in one.trials),
            baseline=None if name == baseline else at_base,
            label=words,
        )
        rows.append(StripRow(variant=name, strip=strip, text=text, n=one.value.n))
        table.append(
            (
                name,
                one.value.value,
                one.value.low,
                one.value.high,
                one.value.n,
                " ".join(f"{v:.6g}" for v in one.trials),
            )
        )
    better = "shorter is better" if kind.lower_is_better else "longer is better"
    return StripChart(
        metric=metric,
        title=kind.title,
        better=better,
        rows=tuple(rows),
        ticks=tuple((tick / top * 100, tick_text(tick, kind.unit, top)) for tick in ticks),
        caption=_caption([row.n for row in rows if row.n], unit_name(kind.unit, top)),
        download=data_link(csv_text(("variant", metric, "low", "high", "n", "trials or reason"), table)),
    )


def layers(measured: Measurements, variants: Sequence[str]) -> LayerChart:
    """Draw every image as a bar of its layers, the base's first."""
    images = {name: image_of(measured.results, name) for name in variants}
    longest = max((sum(x.size_bytes for x in one.layers) for one in images.values() if one is not None), default=1) or 1
    rows, missing, table = [], [], []
    for name, image in images.items():
        if image is None:
            missing.append((name, "its image was not built"))
            continue
        segments = []
        for place, layer in enumerate(image.layers):
            size, small = figures.figure(layer.size_bytes, "bytes"), figures.figure(layer.compressed_bytes, "bytes")
            segments.append(
                Segment(
                    width=layer.size_bytes / longest * 100,
                    shade=place % 4,
                    label=f"layer {place + 1}: {size}, {small} compressed",
                    made_by=facts.made_by(image, layer),
                    size=size,
                    compressed=small,
                )
            )
            table.append((name, place + 1, layer.size_bytes, layer.compressed_bytes, facts.made_by(image, layer)))
        wheels = figures.figure(image.wheelhouse_bytes, "bytes")
        note = f"of which {wheels} only serve a build without network" if image.wheelhouse_bytes else ""
        total = figures.figure(sum(layer.size_bytes for layer in image.layers), "bytes")
        rows.append(LayerRow(variant=name, segments=tuple(segments), total=total, note=note))
    header = ("variant", "layer", "size_bytes", "compressed_bytes", "created_by")
    return LayerChart(rows=tuple(rows), missing=tuple(missing), download=data_link(csv_text(header, table)))


def _reach(value: Interval | NotMeasured, trials: Sequence[float]) -> list[float]:
    if isinstance(value, NotMeasured):
        return []
    # A wide interval of few trials may reach far; beyond twice the value it is cut off at the scale's end.
    high = value.value if value.high is None else min(value.high, value.value * 2)
    return [value.value, high, *trials]


def scale(values: Sequence[float]) -> tuple[float, tuple[float, ...]]:
    """Return a scale's end and its ticks, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    top = max(values, default=1.0)
    if top <= 0:
        return 1.0, (0.0,)
    rough = top / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    count = math.ceil(top / step * 0.999)
    return step * count, tuple(step * i for i in range(count + 1))


def tick_text(value: float, unit: str, top: float) -> str:
    """Write a tick of an axis in the unit that suits its end, without the zeros that a figure would carry."""
    if unit in ("bytes", "s", "ms") and value:
        factor, name = figures.suited(top, unit)
        number = figures.digits(value * factor)
        return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {name}"
    return figures.digits(value)


def unit_name(unit: str, top: float) -> str:
    """Name the unit of an axis that ends at `top`, as its ticks have it."""
    name = figures.suited(top, unit)[1]
    return {"s": "seconds", "ms": "milliseconds", "µs": "microseconds", "B": "bytes", "req/s": "requests a second"}.get(
        name, name
    )


def _caption(counts: Sequence[int], unit: str) -> str:
    if not counts:
        return ""
    n = f"n = {min(counts)}" if min(counts) == max(counts) else f"n = {min(counts)} to {max(counts)}"
    line = "One trial has no interval." if max(counts) == 1 else "The line is the 95% interval of their mean."
    return f"{n} trial{'s' if max(counts) > 1 else ''} a variant, in {unit}. Dots are trials. {line}"
