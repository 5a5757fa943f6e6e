"""What the answers to all questions are made of: columns, cells, and a difference told with its method."""

from __future__ import annotations

from collections.abc import Sequence

from harness import figures
from harness.metrics import Measurements, kind_of
from harness.model import AskedCell, AskedColumn, Interval, NotMeasured, Percentiles, Ratio


def column(metric: str) -> AskedColumn:
    """Return the column of a metric of the registry. Raises KeyError for an unknown one."""
    kind = kind_of(metric)
    if kind is None:
        raise KeyError(metric)
    return AskedColumn(name=kind.name, title=kind.title, unit=kind.unit, lower_is_better=kind.lower_is_better)


def cells(
    measured: Measurements, columns: Sequence[AskedColumn], variant: str, against: str | None = None
) -> dict[str, AskedCell]:
    """Return a variant's figures, with their ratios to another variant's where one is named.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    return {
        one.name: AskedCell(
            value=measured.metric(one.name, variant).value,
            ratio=None if against in (None, variant) else measured.ratio(one.name, variant, against or ""),
        )
        for one in columns
    }


def only(value: float | None, why: str = "it was not measured") -> Interval | NotMeasured:
    """Return a figure that was read once, which has no interval."""
    return NotMeasured(not_measured=why) if value is None else Interval(value=value, low=None, high=None, n=1)


def p99(latency: Percentiles | NotMeasured) -> Interval | NotMeasured:
    """Return the p99 of merged histograms as a figure."""
    return latency if isinstance(latency, NotMeasured) else only(latency.p99_ms)


def difference(subject: str, what: AskedColumn, ratio: Ratio, against: str) -> str:
    """Say by how much a subject's figure differs from another's, whether that is better, and by which method."""
    head = f"{subject}: {what.title} is {figures.times(ratio.value)} that of {against}"
    method = f"method: {ratio.method}"
    if ratio.significant is None or ratio.low is None or ratio.high is None:
        return f"{head}, without a judgement ({method})."
    within = f"{figures.times(ratio.low)} to {figures.times(ratio.high)}"
    if not ratio.significant:
        return f"{head}, ~, no difference is found ({within}; {method})."
    better = (ratio.value < 1) is what.lower_is_better
    return f"{head}, {'better' if better else 'worse'} ({within}; {method})."


def differences(
    subject: str, columns: Sequence[AskedColumn], row: dict[str, AskedCell], against: str | None
) -> list[str]:
    """Say of each figure of a row that was judged how it differs."""
    if against is None:
        return []
    return [
        difference(subject, one, found, against)
        for one in columns
        if one.name in row and isinstance(found := row[one.name].ratio, Ratio) and found.significant is not None
    ]
