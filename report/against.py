"""This run beside an earlier one: every figure then and now, what changed inside, and what does not agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import comparison, figures, repeatability
from harness.metrics import kind_of
from harness.model import (
    Comparison,
    Difference,
    FigureChange,
    FileChange,
    Interval,
    NotMeasured,
    Ratio,
    Results,
    RunComparison,
)
from harness.samples import Histogram
from harness.sides import Run
from report.tables import Cell, Column, Table, axis_of, ratio, table, words

GLANCE = (
    ("compressed_bytes", "Size"),
    ("startup_seconds", "Start-up"),
    ("throughput_rps", "Throughput"),
    ("p99_ms", "p99"),
    ("cpu_ms_per_request", "CPU a request"),
    ("anonymous_memory_bytes", "Memory"),
    ("vulnerabilities_fixable", "Fixable vulnerabilities"),
    ("findings", "Findings"),
)
TONES = {"better": "better", "worse": "worse", "~": "same", "?": "same", "same": "same", "not compared": "missing"}
NO_CHANGE = figures.times(1.0)
MOST = 60
"""Longer lists of packages and files are cut off here, and it is said how long they are."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed inside one variant's image: a sort of thing, and its entries in words."""

    what: str
    entries: tuple[str, ...]
    left_out: int


@dataclass(frozen=True, kw_only=True)
class VariantAgainst:
    """One variant in both runs: every figure, and what changed inside its image."""

    variant: str
    figures: Table
    changes: tuple[Change, ...]
    unknown: tuple[str, ...]
    """What could not be compared, and why."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """This run beside an earlier one: the figures that do not agree, and how many were compared, or were not.

    Args:
        glance: one row a variant, the main figures now and then.
        variants: each variant whole.
        remarks: what a reader has to know of the two runs.
        compared: figures whose intervals were compared.
        exact: sizes, counts and searched rates that were compared as such.
        single: figures that a run has one trial of, and so no interval.
        one_run: figures that only one of the two has.

    """

    run_id: str
    glance: Table
    variants: tuple[VariantAgainst, ...]
    remarks: tuple[str, ...]
    apart: tuple[tuple[str, str, str, str, str], ...]
    compared: int
    exact: int
    single: int
    one_run: int


def beside(
    results: Results,
    previous: Results | None,
    histogram: Histogram | None,
    previous_histogram: Histogram | None,
    compared: RunComparison | None = None,
) -> Against | None:
    """Compare a run with an earlier one; None without one.

    Args:
        results: the run.
        previous: the earlier one.
        histogram: gives the bytes of a file in the run's `histograms/`.
        previous_histogram: the same for the earlier run.
        compared: the comparison of the two, where the caller has made it.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    if previous is None:
        return None
    whole = compared or comparison.compare_runs(
        Run(results=previous, histogram=previous_histogram), Run(results=results, histogram=histogram)
    )
    every = repeatability.compare(previous, results, previous_histogram, histogram)
    apart = []
    for one in repeatability.apart(every):
        kind = kind_of(one.metric)
        if kind is not None and isinstance(one.first.value, Interval) and isinstance(one.second.value, Interval):
            then, now = (figures.interval(value, kind.unit) for value in (one.first.value, one.second.value))
            apart.append((one.variant, kind.title, then, now, one.why_not))
    gone = [f"{name} is in the run {whole.before} only" for name in whole.only_before]
    gone += [f"{name} is in the run {whole.after} only" for name in whole.only_after]
    return Against(
        run_id=previous.run_id,
        glance=_glance(whole),
        variants=tuple(map(_variant, whole.comparisons)),
        remarks=(*whole.remarks, *(f"{line}." for line in gone)),
        apart=tuple(apart),
        compared=sum(one.how == "interval" for one in every),
        exact=sum(one.how in ("exact", "steps") for one in every),
        single=sum(one.how == "single" for one in every),
        one_run=sum(one.how == "one run" for one in every),
    )


def _glance(whole: RunComparison) -> Table:
    rows = [
        (words(one.after.variant), *(_now_and_then(one.figure(metric)) for metric, _ in GLANCE))
        for one in whole.comparisons
    ]
    return table(
        "Every variant in both runs",
        (Column(title="Variant"), *(Column(title=title, below="now, then", number=True) for _, title in GLANCE)),
        rows,
        caption="Now, its ratio to then, and then below it; n and interval stand with each figure further down. "
        "Each is judged by itself at 95%: “~” is no significant "
        "difference, “?” too few trials to judge.",
        file="two-runs",
    )


def _now_and_then(found: FigureChange | None) -> Cell:
    if found is None or (isinstance(found.after, NotMeasured) and isinstance(found.before, NotMeasured)):
        return Cell(text="not measured", tone="missing", data=(("now", None), ("then", None)))
    now, then = (
        "not measured" if isinstance(value, NotMeasured) else figures.figure(value.value, found.unit)
        for value in (found.after, found.before)
    )
    values = [value.value if isinstance(value, Interval) else None for value in (found.after, found.before)]
    return Cell(
        text=f"{now} {_change(found)}".strip(),
        # A handful of bytes is a difference that is certain, and that nobody need look at.
        tone=TONES[found.judged] if found.judged in ("better", "worse") and _change(found) != NO_CHANGE else "",
        more=f"then {then}",
        data=(("now", values[0]), ("then", values[1])),
    )


def _change(found: FigureChange) -> str:
    if found.judged == "same":
        return "="
    if isinstance(found.ratio, Ratio):
        return figures.ratio(found.ratio)
    if isinstance(found.difference, Difference):
        return f"{found.difference.value:+,.4g}"
    return ""


def _variant(one: Comparison) -> VariantAgainst:
    known = [row for row in one.figures if isinstance(row.before, Interval) or isinstance(row.after, Interval)]
    shown = [row for row in known if row.judged != "same"]
    equal = len(known) - len(shown)
    axis = axis_of(row.ratio for row in shown)
    columns = (
        Column(title="Figure"),
        Column(title="Then", number=True),
        Column(title="Now", number=True),
        Column(title="Now over then", number=True),
        Column(title="Judged"),
        Column(title="By", wide=True),
    )
    return VariantAgainst(
        variant=one.after.variant,
        figures=table(
            f"{one.after.variant} in both runs",
            columns,
            [_figure(row, axis) for row in shown],
            caption="n stands with each figure; 95% intervals, in the figure's own unit."
            + (f" {equal} counts are the same in both, and left out." if equal else ""),
            file=f"two-runs-{one.after.variant}",
        ),
        changes=_changes(one),
        unknown=_unknown(one),
    )


def _figure(row: FigureChange, axis: float) -> tuple[Cell, ...]:
    then, now = (
        words("not measured", "missing", more=value.not_measured)
        if isinstance(value, NotMeasured)
        else Cell(text=figures.interval(value, row.unit), data=(("", value.value),))
        for value in (row.before, row.after)
    )
    over = ratio(row.ratio, lower_is_better=row.lower_is_better, axis=axis)
    if isinstance(row.ratio, NotMeasured):
        over = words(_change(row), TONES[row.judged])
    return (words(row.title), then, now, over, words(row.judged, TONES[row.judged]), words(row.method))


def _changes(one: Comparison) -> tuple[Change, ...]:
    found = []
    if not isinstance(one.vulnerabilities, NotMeasured):
        for kind in ("introduced", "newly reported", "fixed", "no longer reported"):
            lines = [
                f"{each.id} {each.severity} in {each.component} {each.version}"
                f"{f', fixed in {each.fixed_version}' if each.fixed_version else ''}"
                for each in one.vulnerabilities
                if each.change == kind
            ]
            found.append(_cut(f"Vulnerabilities {kind}", lines))
    if not isinstance(one.packages, NotMeasured):
        for change in ("added", "removed", "upgraded", "downgraded", "changed"):
            lines = [
                f"{each.name} {' → '.join(version for version in (each.before, each.after) if version)}"
                for each in one.packages
                if each.change == change
            ]
            found.append(_cut(f"Packages {change}", lines))
    if not isinstance(one.settings, NotMeasured):
        lines = [f"{each.name}: {each.before or 'none'} → {each.after or 'none'}" for each in one.settings]
        found.append(_cut("Configuration changed", lines))
    if not isinstance(one.setuid, NotMeasured):
        found.append(_cut("setuid and setgid files changed", [_file(each) for each in one.setuid]))
    if not isinstance(one.files, NotMeasured):
        found.append(_cut("Files changed", [_file(each) for each in one.files]))
    return tuple(each for each in found if each.entries)


def _file(each: FileChange) -> str:
    return f"{each.change}: {each.path} {' → '.join(text for text in (each.before, each.after) if text)}"


def _cut(what: str, lines: Sequence[str]) -> Change:
    return Change(what=what, entries=tuple(lines[:MOST]), left_out=max(len(lines) - MOST, 0))


def _unknown(one: Comparison) -> tuple[str, ...]:
    parts = {
        "packages": one.packages,
        "vulnerabilities": one.vulnerabilities,
        "files": one.files,
        "configuration": one.settings,
        "layers": one.layers,
    }
    missing = [f"{name}: {part.not_measured}" for name, part in parts.items() if isinstance(part, NotMeasured)]
    return (*missing, *one.remarks)
