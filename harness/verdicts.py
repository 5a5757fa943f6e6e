"""Judges a run: results x budgets -> verdicts; pure, and the one judge that report, tests and exit code share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from harness import attacks, figures, regressions, samples, vulnerability_counts
from harness.beyond import beyond_any_limit
from harness.metrics import Measurements, kind_of
from harness.model import (
    Baseline,
    Budget,
    Interval,
    NotMeasured,
    RegressionThreshold,
    Results,
    Skipped,
    StaleDecision,
    Verdict,
    VerdictKind,
)
from harness.samples import Histogram
from harness.sides import Run

IGNORES = "ignores"
"""What stands in a metric's place in the verdict on an entry of the ignore file."""


def judge(
    results: Results,
    budgets: Iterable[Budget],
    histogram: Histogram | None,
    thresholds: Sequence[RegressionThreshold] = (),
    baseline: Baseline | None = None,
) -> tuple[Verdict, ...]:
    """Apply every budget, and every regression threshold, to every variant of the run that it matches.

    Args:
        results: the run.
        budgets: the limits.
        histogram: gives the bytes of a file in `histograms/`; without it no percentile is measured.
        thresholds: how much worse than the stored baseline metrics may become.
        baseline: the stored baseline; without one no threshold is applied.

    Returns:
        One verdict for each budget and matching variant, in the budgets' order, then those of the thresholds. A limit
        is kept where the figure is at it. What was not measured is a verdict of its own kind, never a kept one. Then
        one for each entry of the ignore file that has expired or is unused: these fail as an exceeded budget does.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    measured = Measurements(results, histogram)
    judged = (
        _judge(measured, budget, variant.name)
        for budget in budgets
        for variant in results.variants
        if fnmatchcase(variant.name, budget.variants)
    )
    stale = results.decisions.stale if results.decisions is not None else ()
    worse: tuple[Verdict, ...] = ()
    if baseline is not None:
        worse = regressions.judge_baseline(Run(results=results, histogram=histogram), baseline, thresholds)
    return (*judged, *worse, *map(_of_stale, stale))


def sentence(verdict: Verdict) -> str:
    """Name what was judged: `slim-gunicorn: p99 latency at most 250 ms`."""
    kind = kind_of(verdict.metric)
    return f"{verdict.variant}: {kind.title if kind else verdict.metric} {verdict.limit}"


def _of_stale(one: StaleDecision) -> Verdict:
    return Verdict(
        about="ignore file",
        variant=one.variant,
        metric=IGNORES,
        kind=VerdictKind.EXCEEDED,
        limit=f"{one.id} of {one.component} until {one.expires.isoformat()}",
        measured=one.kind,
        message=f"this entry of the ignore file fails the gate: {one.message}",
    )


def _judge(measured: Measurements, budget: Budget, variant: str) -> Verdict:
    metric = measured.metric(budget.metric, variant)
    limit = limit_text(budget, metric.unit)
    if isinstance(metric.value, NotMeasured):
        failed = beyond_any_limit(measured.results, variant, budget.metric)
        if failed:
            message = f"{metric.value.not_measured}; the limit is {limit}"
            return _verdict(budget, variant, VerdictKind.EXCEEDED, limit, failed, message)
        return _verdict(budget, variant, VerdictKind.NOT_MEASURED, limit, "not measured", metric.value.not_measured)
    text = figures.interval(metric.value, metric.unit)
    over = _excess(budget, metric.value, metric.unit)
    if over is not None:
        message = f"measured {text}; the limit is {limit}: {over}"
        if budget.reason:
            message += f". Why this limit: {budget.reason}"
        return _verdict(budget, variant, VerdictKind.EXCEEDED, limit, text, message)
    unseen = _unseen(measured.results, budget, variant)
    if unseen:
        return _verdict(budget, variant, VerdictKind.NOT_MEASURED, limit, text, unseen)
    message = f"measured {text}; the limit is {limit}{_doubt(budget, metric.value)}"
    return _verdict(budget, variant, VerdictKind.KEPT, limit, text, message)


def limit_text(budget: Budget, unit: str) -> str:
    """Write a budget's limit: `at most 250 ms`, `at least 500 req/s`, `between 1 s and 2 s`."""
    if budget.max is not None and budget.min is not None:
        return f"between {figures.figure(budget.min, unit)} and {figures.figure(budget.max, unit)}"
    if budget.max is not None:
        return f"at most {figures.figure(budget.max, unit)}"
    return f"at least {figures.figure(budget.min or 0.0, unit)}"


def _excess(budget: Budget, measured: Interval, unit: str) -> str | None:
    """Say by how much a figure is outside its budget; None where it is inside."""
    for limit, word, outside in (
        (budget.max, "over", budget.max is not None and measured.value > budget.max),
        (budget.min, "under", budget.min is not None and measured.value < budget.min),
    ):
        if outside and limit is not None:
            difference = abs(measured.value - limit)
            share = f" ({figures.figure(difference / abs(limit), 'share')})" if limit else ""
            return f"{word} by {figures.figure(difference, unit)}{share}"
    return None


def _doubt(budget: Budget, measured: Interval) -> str:
    """Say where a kept budget lies inside the figure's interval, so that the next run may break it."""
    low, high = measured.low, measured.high
    near_max = budget.max is not None and high is not None and high > budget.max
    near_min = budget.min is not None and low is not None and low < budget.min
    return ", which lies inside the interval" if near_max or near_min else ""


def _unseen(results: Results, budget: Budget, variant: str) -> str:
    """Say what a count cannot know: few findings are no pass where a scanner or a source could not look."""
    if budget.metric == "probes_succeeded" and budget.max is not None:
        untried = "; ".join(f"{name} could not be tried: {why}" for name, why in attacks.untried(results, variant))
        return f"nothing that was tried breaks it, but {untried}" if untried else ""
    scan = samples.scan_of(results, variant)
    if scan is None or budget.max is None:
        return ""
    blind: list[str] = []
    if budget.metric.startswith("findings"):
        blind = [
            f"{step.name} could not look: {step.outcome.reason}"
            for step in samples.skipped_programs(scan)
            if isinstance(step.outcome, Skipped)
        ]
    elif budget.metric.startswith(vulnerability_counts.PREFIX):
        blind = [*vulnerability_counts.unseen(scan, budget.metric)]
    return f"nothing found so far breaks it, but {'; '.join(blind)}" if blind else ""


def _verdict(budget: Budget, variant: str, kind: VerdictKind, limit: str, measured: str, message: str) -> Verdict:
    return Verdict(variant=variant, metric=budget.metric, kind=kind, limit=limit, measured=measured, message=message)
