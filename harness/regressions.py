"""Judges a side against a stored or an earlier one: regression thresholds -> verdicts; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from harness import figures
from harness.metrics import kind_of
from harness.model import (
    Baseline,
    Comparison,
    Difference,
    FigureChange,
    NotMeasured,
    Ratio,
    RegressionThreshold,
    Verdict,
    VerdictKind,
)
from harness.side_ratios import figure_change, unseen_by
from harness.sides import Run, Side, setting_of, side_of, side_of_baseline

SLACK = 1e-9
"""A figure at its limit is kept, whatever the last bit of a division says."""


def judge_baseline(run: Run, baseline: Baseline, thresholds: Sequence[RegressionThreshold]) -> tuple[Verdict, ...]:
    """Judge every variant of a run against a stored baseline; one verdict for each threshold and matching variant.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    setting = setting_of(run)
    found: list[Verdict] = []
    sides: dict[str, tuple[Side, Side | NotMeasured]] = {}
    for threshold in thresholds:
        for variant in (one.name for one in run.results.variants if fnmatchcase(one.name, threshold.variants)):
            if variant not in sides:
                sides[variant] = (side_of(run, variant, setting=setting), side_of_baseline(baseline, variant))
            after, before = sides[variant]
            kind = kind_of(threshold.metric)
            if kind is None or isinstance(before, NotMeasured):
                why = before.not_measured if isinstance(before, NotMeasured) else f"no metric {threshold.metric}"
                found.append(_verdict(threshold, variant, VerdictKind.NOT_MEASURED, "not compared", why))
            else:
                found.append(_judge(threshold, variant, figure_change(kind, before, after), after, "the baseline"))
    return tuple(found)


def judge_comparison(
    comparison: Comparison, after: Side, thresholds: Iterable[RegressionThreshold]
) -> tuple[Verdict, ...]:
    """Judge a comparison's second side against its first; to an image by name, which is no variant, all apply."""
    name = comparison.after.variant
    return tuple(
        _judge(one, name, change, after, comparison.before.label)
        for one in thresholds
        if comparison.after.kind == "image" or fnmatchcase(name, one.variants)
        if (change := comparison.figure(one.metric)) is not None
        # What neither has is no part of this comparison, which lists it as not compared.
        if not (isinstance(change.before, NotMeasured) and isinstance(change.after, NotMeasured))
    )


def limit_text(threshold: RegressionThreshold) -> str:
    """Write a threshold: `at most 10% worse than before`, `no more than before`."""
    kind = kind_of(threshold.metric)
    parts = []
    if threshold.worse_by is not None:
        parts.append(f"at most {figures.figure(threshold.worse_by, 'share')} worse than before")
    if threshold.more_by is not None:
        parts.append(
            "no more than before"
            if threshold.more_by == 0
            else f"at most {figures.figure(threshold.more_by, kind.unit if kind else '')} more than before"
        )
    return " and ".join(parts)


def _judge(
    threshold: RegressionThreshold, variant: str, change: FigureChange, after: Side, before_label: str
) -> Verdict:
    if (
        isinstance(change.after, NotMeasured)
        and not isinstance(change.before, NotMeasured)
        and change.judged == "worse"
    ):
        why = f"{change.after.not_measured}; {before_label} had {figures.interval(change.before, change.unit)}"
        return _verdict(threshold, variant, VerdictKind.EXCEEDED, after.beyond[change.metric], why)
    if isinstance(change.after, NotMeasured) or isinstance(change.before, NotMeasured):
        why = change.ratio.not_measured if isinstance(change.ratio, NotMeasured) else "one side has no figure"
        return _verdict(threshold, variant, VerdictKind.NOT_MEASURED, "not compared", why)
    measured = figures.interval(change.after, change.unit)
    said = f"measured {measured}; {before_label} had {figures.interval(change.before, change.unit)}: {_told(change)}"
    limit = limit_text(threshold)
    over = _over(threshold, change)
    if over:
        why = f". Why this limit: {threshold.reason}" if threshold.reason else ""
        message = f"{said}; the limit is {limit}: over by {over} ({change.method}){why}"
        return _verdict(threshold, variant, VerdictKind.EXCEEDED, measured, message)
    unknown = _unjudged(change) or _unseen(change.metric, after)
    if unknown:
        return _verdict(threshold, variant, VerdictKind.NOT_MEASURED, measured, f"{said}; {unknown}")
    doubt = _doubt(threshold, change)
    return _verdict(
        threshold, variant, VerdictKind.KEPT, measured, f"{said}; the limit is {limit}{doubt} ({change.method})"
    )


def _over(threshold: RegressionThreshold, change: FigureChange) -> str:
    """Say by how much a significant change is over its threshold; empty where it is not."""
    ratio, difference, told = change.ratio, change.difference, []
    if threshold.worse_by is not None and isinstance(ratio, Ratio) and ratio.significant:
        worse = _factor(change, ratio.value) - 1
        if worse > threshold.worse_by + SLACK:
            told.append(f"{figures.digits((worse - threshold.worse_by) * 100)} percentage points")
    # From none to some, no share is allowed; a count that fell to zero is no regression.
    from_none = isinstance(ratio, NotMeasured) and threshold.worse_by is not None and change.judged == "worse"
    if from_none and difference is not None:
        told.append(f"{figures.figure(abs(difference.value), change.unit)}, from none")
    more = _more(change, difference)
    if threshold.more_by is not None and more is not None and more > threshold.more_by + SLACK:
        told.append(figures.figure(more - threshold.more_by, change.unit))
    return " and ".join(told)


def _more(change: FigureChange, difference: Difference | None) -> float | None:
    """Return by how much more the second has of what should be little; None where no difference is significant."""
    if difference is not None:
        return difference.value if difference.significant else None
    if not isinstance(change.ratio, Ratio) or not change.ratio.significant:
        return None
    if isinstance(change.before, NotMeasured):
        return None
    return change.before.value * (change.ratio.value - 1)


def _unseen(metric: str, after: Side) -> str:
    """Say what a count that is not over its threshold did not see; empty where there is no such thing."""
    blind = unseen_by(metric, after)
    return f"nothing that was looked at breaks the limit, but it was not looked at: {', '.join(blind)}" if blind else ""


def _unjudged(change: FigureChange) -> str:
    """Say why a threshold could not be judged; empty where it could."""
    if isinstance(change.ratio, Ratio):
        return "too few trials to judge" if change.ratio.significant is None else ""
    if change.difference is None:
        return change.ratio.not_measured
    return "too few trials to judge" if change.difference.significant is None else ""


def _told(change: FigureChange) -> str:
    """Write the change with its interval: `1.21× (1.15 to 1.27)`, `~1.02×`."""  # noqa: RUF002
    if change.judged == "same" and (change.difference is None or change.difference.value == 0):
        return "the same"
    if isinstance(change.ratio, Ratio):
        ratio = change.ratio
        if ratio.low is None or ratio.high is None or ratio.low == ratio.high:
            return figures.ratio(ratio)
        return f"{figures.ratio(ratio)} ({figures.times(ratio.low)} to {figures.times(ratio.high)})"
    if change.difference is None:
        return "not compared"
    sign = "+" if change.difference.value > 0 else ""
    return f"{sign}{figures.figure(change.difference.value, change.unit)}"


def _doubt(threshold: RegressionThreshold, change: FigureChange) -> str:
    """Say of a kept threshold that a regression beyond it cannot be ruled out, where the interval reaches that far."""
    ratio = change.ratio
    if threshold.worse_by is None or not isinstance(ratio, Ratio) or ratio.low is None or ratio.high is None:
        return ""
    worst = max(_factor(change, ratio.low), _factor(change, ratio.high)) - 1
    if worst <= threshold.worse_by + SLACK:
        return ""
    return f", and up to {figures.figure(worst, 'share')} worse cannot be ruled out"


def _factor(change: FigureChange, ratio: float) -> float:
    return ratio if change.lower_is_better else (1 / ratio if ratio else math.inf)


def _verdict(threshold: RegressionThreshold, variant: str, kind: VerdictKind, measured: str, message: str) -> Verdict:
    return Verdict(
        about="regression",
        variant=variant,
        metric=threshold.metric,
        kind=kind,
        limit=limit_text(threshold),
        measured=measured,
        message=message,
    )
