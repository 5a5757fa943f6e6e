"""Size against fixable vulnerabilities: one point a variant, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import figures, vulnerability_counts
from harness.metrics import Measurements
from harness.model import Interval
from harness.samples import scan_of
from report import charts, curves
from report.text import csv_text, data_link

NOT_ASSESSED = "nothing in it was assessed for known vulnerabilities, so there is no count"
LABEL = 33.0
"""Percent of the width that a label may need, on a phone."""
CLOSE = 10.0
"""Percent of the width within which another point would lie on a label's first letters."""
APART = 7.0
"""Percent of the chart's height that a label needs."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One variant; places are percent from the left and the top."""

    variant: str
    x: float
    y: float
    label_y: float
    left: bool
    """Whether its label stands to its left."""
    colour: int
    partial: bool
    """Whether part of the image was not assessed, so that there may be more."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """All variants that have both figures."""

    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    missing: tuple[tuple[str, str], ...]
    download: str


def scatter(measured: Measurements, variants: Sequence[str]) -> Scatter:
    """Place every variant by its compressed size and its fixable vulnerabilities."""
    found: dict[str, tuple[float, float, bool]] = {}
    missing: list[tuple[str, str]] = []
    for name in variants:
        size = measured.metric("compressed_bytes", name).value
        count = measured.metric("vulnerabilities_fixable", name).value
        scan = scan_of(measured.results, name)
        if isinstance(size, Interval) and isinstance(count, Interval) and scan is not None:
            found[name] = (size.value, count.value, bool(vulnerability_counts.unassessed(scan)))
        else:
            blind = scan is not None and not vulnerability_counts.is_assessed(scan)
            reasons = [one.not_measured for one in (size, count) if not isinstance(one, Interval)]
            missing.append((name, NOT_ASSESSED if blind else reasons[0] if reasons else "it was not scanned"))
    right, x_ticks = charts.scale([size for size, _, _ in found.values()])
    top, y_ticks = charts.scale([max(count, 4.0) for _, count, _ in found.values()])
    points = [_point(name, variants, *one, right=right, top=top) for name, one in found.items()]
    return Scatter(
        points=_apart(points),
        x_ticks=tuple((tick / right * 100, charts.tick_text(tick, "bytes", right)) for tick in x_ticks),
        y_ticks=tuple((100 - tick / top * 100, charts.tick_text(tick, "", top)) for tick in y_ticks),
        missing=tuple(missing),
        download=data_link(
            csv_text(
                ("variant", "compressed_bytes", "vulnerabilities_fixable", "part_not_assessed"),
                [(name, size, count, str(partial).lower()) for name, (size, count, partial) in found.items()],
            )
        ),
    )


def _point(
    name: str, variants: Sequence[str], size: float, count: float, partial: bool, *, right: float, top: float
) -> Point:
    x, y = size / right * 100, 100 - count / top * 100
    least = "at least " if partial else ""
    return Point(
        variant=name,
        x=x,
        y=y,
        label_y=y,
        left=x > 62,
        colour=curves.series(name, variants)[0],
        partial=partial,
        words=f"{name}: {figures.figure(size, 'bytes')} compressed, {least}"
        f"{figures.figure(count, 'vulnerabilities')} with a fix",
    )


def _apart(points: Sequence[Point]) -> tuple[Point, ...]:
    """Move labels that would lie on each other upwards, the lowest first."""
    placed: list[Point] = []
    for one in sorted(points, key=lambda point: -point.y):
        y = one.y - (APART if any(_in_the_way(one, other) for other in points) else 0.0)
        for other in placed:
            if _meet(one, other) and other.label_y - y < APART:
                y = min(y, other.label_y - APART)
        placed.append(Point(**{**one.__dict__, "label_y": y}))
    return tuple(placed)


def _meet(one: Point, other: Point) -> bool:
    """Say whether two labels at one height would lie on each other: each goes off to the left or right of its point."""
    ends = [(point.x - LABEL, point.x) if point.left else (point.x, point.x + LABEL) for point in (one, other)]
    return ends[0][0] < ends[1][1] and ends[1][0] < ends[0][1]


def _in_the_way(one: Point, other: Point) -> bool:
    """Say whether another point lies where a point's label would be."""
    beside = one.x - other.x if one.left else other.x - one.x
    return 0 < beside < CLOSE and abs(other.y - one.y) < APART / 2
