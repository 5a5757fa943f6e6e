"""Sliced comparisons: of two variants, or of one in two ways, which is slower, and how sure that is."""

from __future__ import annotations

from harness import figures
from harness.model import NotMeasured, Ratio, Results, SlicedComparison
from report.tables import Cell, Column, Section, axis_of, ratio, table, words

ABOUT = (
    "Both ran at once on one core and were asked in turn in short slices, so what disturbed the machine disturbed both "
    "alike. Ratios are of B over A; in request time, p99 and CPU more is worse, in throughput less is."
)


def section(results: Results) -> Section:
    """Read every sliced comparison of a run, those that experiments made left to them."""
    own = {arm.sliced for one in results.experiments for arm in one.arms}
    found = [one for one in results.sliced if one.id not in own]
    if not found:
        return Section(anchor="duels", title="Two at a time", about=ABOUT)
    axis = axis_of(one.request_time for one in found)
    columns = (
        Column(title="A, B", wide=True),
        Column(title="Request time", below="B over A", number=True),
        Column(title="Throughput", below="B over A", number=True),
        Column(title="p99", below="B over A", number=True),
        Column(title="CPU a request", below="B over A", number=True),
        Column(title="Pairs", below="valid", number=True),
        Column(title="What it says", wide=True),
    )
    shown = table(
        "Sliced comparisons",
        columns,
        [_row(one, axis) for one in found],
        caption="n = pairs of fresh containers. Ratios with their 95% intervals, by Student's t over pairs.",
        file="duels",
    )
    notes = tuple(
        f"{one.a.variant} and {one.b.variant} run other interpreters: {one.a.interpreter}, and {one.b.interpreter}."
        for one in found
        if one.a.interpreter != one.b.interpreter
    )
    return Section(
        anchor="duels", title="Two at a time", about=ABOUT, tables=(shown,), notes=tuple(dict.fromkeys(notes))
    )


def _row(one: SlicedComparison, axis: float) -> tuple[Cell, ...]:
    valid = sum(pair.valid for pair in one.pairs)
    a, b = (f"{side.variant} ({side.run_profile})" for side in one.sides)
    return (
        words(f"A: {a}", more=f"B: {b}"),
        ratio(one.request_time, lower_is_better=True, axis=axis),
        ratio(one.throughput, lower_is_better=False),
        ratio(one.latency_p99, lower_is_better=True),
        ratio(one.cpu_seconds_per_request, lower_is_better=True),
        Cell(
            text=f"{valid} of {len(one.pairs)}",
            tone="warn" if valid < len(one.pairs) else "",
            data=(("", valid),),
        ),
        words(_said(one, a, b), more="CPU limits were taken off on both sides." if one.without_quota else ""),
    )


def _said(one: SlicedComparison, a: str, b: str) -> str:
    found = one.request_time
    if isinstance(found, NotMeasured):
        return f"Not measured: {found.not_measured}."
    if found.significant is None:
        return "Too few pairs for a judgement."
    if not found.significant:
        return f"No difference between {a} and {b} is found{_within(found)}."
    share = figures.digits(abs(found.value - 1) * 100, 2)
    return f"{b} is {'slower' if found.value > 1 else 'faster'} than {a}, by {share}%."


def _within(found: Ratio) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"; if there is one, it is below {figures.digits(max(found.high - 1, 1 - found.low) * 100, 2)}%"
