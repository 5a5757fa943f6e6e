"""The one step from results to what HTML, Markdown and terminal show, so that the three cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import figures, histograms
from harness.metrics import Measurements
from harness.model import Interval, Metric, NotMeasured, Ratio, Results, RunComparison, Severity
from harness.samples import Histogram, merged_latency, scan_of, skipped_programs
from report import against, charts, conclusion, curves, facts, findings, gaps, sections, shipping, vulnerabilities

COLUMNS = (
    ("compressed_bytes", "Size", "compressed"),
    ("startup_seconds", "Start-up", "to first answer"),
    ("throughput_rps", "Throughput", "requests a second"),
    ("p95_ms", "p95", "latency"),
    ("p99_ms", "p99", "latency"),
    ("cpu_ms_per_request", "CPU", "per request"),
    ("anonymous_memory_bytes", "Memory", "anonymous"),
)
WHOLE = ("all", histograms.SERVICE)
"""The histograms of a trial that are of no single endpoint."""
PERCENTILES = ("p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of one variant.

    Args:
        text: the absolute figure with its unit; empty where it was not measured.
        spread: how far the farthest of its trials is from it; empty for a count, which has none.
        ratio: the ratio to the baseline, with its mark; empty for the baseline and where there is none.
        standing: `better`, `worse`, `same` (not significant) or `unjudged`, against the baseline.
        best: whether it is significantly better than every other variant's.
        reason: why it was not measured.
        words: figure, interval and ratio as a sentence.

    """

    metric: str
    text: str
    spread: str = ""
    ratio: str = ""
    standing: str = "unjudged"
    best: bool = False
    reason: str = ""
    words: str = ""
    strip: charts.Strip | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant."""

    variant: str
    role: str
    standing: str
    cells: tuple[Cell, ...]
    findings: tuple[tuple[str, int], ...] | None
    """Severity and count, the worst first; None where it was not scanned."""
    findings_text: str
    vulnerabilities_text: str
    """How many known vulnerabilities have a fix; that they were not assessed; empty where it was not scanned."""
    skipped: tuple[str, ...]
    """The scanners that could not look."""
    invalid_trials: int
    stand_in: bool


@dataclass(frozen=True, kw_only=True)
class View:
    """All that a reader is shown."""

    results: Results
    conclusion: conclusion.Conclusion
    rows: tuple[Row, ...]
    gaps: gaps.Gaps
    budgets: tuple[facts.BudgetFacts, ...]
    bases: tuple[facts.BaseFacts, ...]
    images: tuple[facts.ImageFacts, ...]
    environment: tuple[tuple[str, str], ...]
    method: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    findings: findings.FindingTable
    strips: dict[str, charts.StripChart]
    curves: curves.CurveChart
    layers: charts.LayerChart
    percentiles: tuple[tuple[str, tuple[Cell, ...]], ...]
    endpoints: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    against: against.Against | None
    shipping: shipping.Shipping | None
    sections: sections.Sections
    seconds: float | None
    rounds: int

    @property
    def baseline(self) -> str:
        """The baseline's name, empty where there is none."""
        return self.results.baseline_variant or ""

    @property
    def exceeded(self) -> tuple[facts.BudgetFacts, ...]:
        """The budgets that are exceeded."""
        return tuple(one for one in self.budgets if one.kind == "exceeded")


def of(
    results: Results,
    histogram: Histogram | None,
    *,
    previous: Results | None = None,
    previous_histogram: Histogram | None = None,
    compared: RunComparison | None = None,
) -> View:
    """Read everything that is shown out of a run.

    Args:
        results: the run, its verdicts included.
        histogram: gives the bytes of a file in the run's `histograms/`; without it no percentile is measured.
        previous: an earlier run to stand beside it.
        previous_histogram: the same for the earlier run.
        compared: the comparison of the two, where the caller has made it.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    measured = Measurements(results, histogram)
    concluded = conclusion.conclude(measured)
    order = concluded.order
    names = ("throughput_rps", "startup_seconds", "stop_seconds", "cpu_ms_per_request", "peak_memory_bytes")
    shown = dict.fromkeys((*names, *(metric for metric, _, _ in COLUMNS)))
    strips = {metric: charts.strips(measured, metric, order, results.baseline_variant) for metric in shown}
    finished = results.finished_at
    return View(
        results=results,
        conclusion=concluded,
        rows=tuple(_row(measured, concluded, name, strips) for name in order),
        gaps=gaps.find(measured),
        budgets=facts.budgets(results),
        bases=facts.bases(results),
        images=facts.images(results),
        environment=facts.environment(results),
        method=facts.method(results),
        settings=facts.settings(results),
        findings=findings.table(results),
        strips=strips,
        curves=curves.curves(measured, histogram, order),
        layers=charts.layers(measured, order),
        percentiles=tuple((n, tuple(_cell(measured, metric, n, None) for metric in PERCENTILES)) for n in order),
        endpoints=_endpoints(results, histogram, order),
        against=against.beside(results, previous, histogram, previous_histogram, compared),
        shipping=shipping.of(results, concluded.pick),
        sections=sections.of(measured, histogram, order),
        seconds=None if finished is None else (finished - results.started_at).total_seconds(),
        rounds=len({trial.round for trial in results.load_trials}),
    )


def _row(
    measured: Measurements, concluded: conclusion.Conclusion, variant: str, strips: dict[str, charts.StripChart]
) -> Row:
    results = measured.results
    role = "pick" if variant == concluded.pick else "baseline" if variant == results.baseline_variant else ""
    scan = scan_of(results, variant)
    counts = None
    if not isinstance(measured.metric("findings", variant).value, NotMeasured) and scan is not None:
        ordered = sorted(Severity, key=lambda one: -one.rank)
        found = [finding.severity for finding in scan.findings if finding.suppressed is None]
        every = ((severity.value, found.count(severity)) for severity in ordered)
        counts = tuple((severity, count) for severity, count in every if count)
    return Row(
        variant=variant,
        role=role,
        standing=concluded.standings[variant],
        cells=tuple(_cell(measured, metric, variant, strips[metric]) for metric, _, _ in COLUMNS),
        findings=counts,
        findings_text=_findings_text(counts),
        vulnerabilities_text="" if scan is None else vulnerabilities.in_short(scan),
        skipped=() if scan is None else tuple(step.name for step in skipped_programs(scan)),
        invalid_trials=sum(not trial.valid for trial in results.load_trials if trial.variant == variant),
        stand_in=any(one.variant == variant and one.base.stand_in_for for one in results.images),
    )


def _cell(measured: Measurements, metric: str, variant: str, chart: charts.StripChart | None) -> Cell:
    found = measured.metric(metric, variant)
    if isinstance(found.value, NotMeasured):
        return Cell(
            metric=metric, text="", reason=found.value.not_measured, words=f"not measured: {found.value.not_measured}"
        )
    baseline = measured.results.baseline_variant
    ratio: Ratio | NotMeasured = NotMeasured(not_measured="it is the baseline")
    if baseline is not None and baseline != variant:
        ratio = measured.ratio(metric, variant, baseline)
    words = figures.interval(found.value, found.unit)
    if isinstance(ratio, Ratio):
        words += f"; {_ratio_words(ratio)} of {baseline}"
    strip = None
    if chart is not None:
        strip = next((row.strip for row in chart.rows if row.variant == variant), None)
    return Cell(
        metric=metric,
        text=_text(found),
        spread=figures.spread(found.value.value, found.trials),
        ratio=figures.ratio(ratio) if isinstance(ratio, Ratio) else "",
        standing=_standing(ratio, found),
        best=_best(measured, metric, variant),
        words=words,
        strip=strip,
    )


def _text(metric: Metric) -> str:
    assert isinstance(metric.value, Interval)  # noqa: S101 - the caller has looked
    return figures.figure(metric.value.value, "" if metric.unit == "req/s" else metric.unit)


def _ratio_words(ratio: Ratio) -> str:
    reach = (
        ""
        if ratio.low is None or ratio.high is None or ratio.low == ratio.high
        else (f" ({figures.times(ratio.low)} to {figures.times(ratio.high)})")
    )
    judged = {True: "", False: ", not significant", None: ", too few trials to judge"}[ratio.significant]
    return f"{figures.times(ratio.value)}{reach}{judged}"


def _standing(ratio: Ratio | NotMeasured, metric: Metric) -> str:
    if isinstance(ratio, NotMeasured) or ratio.significant is None:
        return "unjudged"
    if not ratio.significant:
        return "same"
    return "better" if (ratio.value < 1) == metric.lower_is_better else "worse"


def _best(measured: Measurements, metric: str, variant: str) -> bool:
    """Say whether no other variant is better by a significant difference, and at least one is worse by one."""
    others = [one.name for one in measured.results.variants if one.name != variant]
    return any(measured.better(metric, variant, other) for other in others) and not any(
        measured.better(metric, other, variant) for other in others
    )


def _findings_text(counts: tuple[tuple[str, int], ...] | None) -> str:
    if counts is None:
        return "not scanned"
    return ", ".join(f"{count} {severity}" for severity, count in counts) or "none"


def _endpoints(
    results: Results, histogram: Histogram | None, order: Sequence[str]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return endpoint -> (variant, p95) for each endpoint of the load."""
    names = sorted({name for trial in results.load_trials for name in trial.histograms if name not in WHOLE})
    rows = []
    for name in names:
        row = []
        for variant in order:
            found = merged_latency(results, variant, histogram, name)
            row.append((variant, "" if isinstance(found, NotMeasured) else figures.figure(found.p95_ms, "ms")))
        rows.append((name, tuple(row)))
    return tuple(rows)
