"""Where a start's time goes: the engine, the interpreter, the import of the app, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import figures
from harness.metrics import Measurements
from harness.model import Interval, NotMeasured
from report.text import csv_text, data_link, several

PARTS = (
    ("engine", "start_engine_seconds"),
    ("interpreter", "start_interpreter_seconds"),
    ("import of the app", "start_import_seconds"),
)
REST = "until the first answer"
BEYOND = "its parts, timed by themselves, came to more than the whole"


@dataclass(frozen=True, kw_only=True)
class StartPart:
    """One part of a start: its share of the longest bar in percent, its shade, and what it is in words."""

    width: float
    shade: int
    label: str


@dataclass(frozen=True, kw_only=True)
class StartRow:
    """One variant's start as a bar of its parts."""

    variant: str
    parts: tuple[StartPart, ...]
    total: str
    without_bytecode: str
    """How long the import takes where no compiled bytecode is there; empty where that was not measured."""
    remark: str
    n: int


@dataclass(frozen=True, kw_only=True)
class StartChart:
    """All starts that were split."""

    rows: tuple[StartRow, ...]
    missing: tuple[tuple[str, str], ...]
    caption: str
    download: str


def split(measured: Measurements, variants: Sequence[str]) -> StartChart | None:
    """Draw the parts of every variant's start; None where the load profile split none."""
    if not measured.results.start_splits:
        return None
    found: dict[str, tuple[float, list[float], Interval]] = {}
    missing: list[tuple[str, str]] = []
    for name in variants:
        whole = measured.metric("startup_seconds", name).value
        values = [measured.metric(metric, name).value for _, metric in PARTS]
        known = [one for one in values if isinstance(one, Interval)]
        if isinstance(whole, NotMeasured) or len(known) < len(values):
            reasons = [one.not_measured for one in (whole, *values) if isinstance(one, NotMeasured)]
            missing.append((name, reasons[0]))
            continue
        parts = [one.value for one in known]
        found[name] = (whole.value, [*parts, max(whole.value - sum(parts), 0.0)], whole)
    longest = max((max(total, sum(parts)) for total, parts, _ in found.values()), default=1.0) or 1.0
    rows, lines = [], []
    for name, (total, parts, whole) in found.items():
        bare = measured.metric("start_import_without_bytecode_seconds", name).value
        rows.append(
            StartRow(
                variant=name,
                parts=tuple(
                    StartPart(width=value / longest * 100, shade=n, label=f"{title}: {figures.figure(value, 's')}")
                    for n, (title, value) in enumerate(zip([*(t for t, _ in PARTS), REST], parts, strict=True))
                    if value > 0
                ),
                total=figures.figure(total, "s"),
                without_bytecode=figures.figure(bare.value, "s") if isinstance(bare, Interval) else "",
                remark=BEYOND if not parts[-1] else "",
                n=whole.n,
            )
        )
        lines.append((name, *parts, total, bare.value if isinstance(bare, Interval) else None))
    header = ("variant", *(f"{title} s" for title, _ in PARTS), f"{REST} s", "whole s", "import without bytecode s")
    return StartChart(
        rows=tuple(rows),
        missing=tuple(missing),
        caption=f"n = {several(row.n for row in rows)} starts a variant, means, in seconds; "
        "the intervals of the whole stand above. Interpreter and import were timed by themselves, in other containers.",
        download=data_link(csv_text(header, lines)),
    )
