"""What a metric is, and the metrics that come in families: latency percentiles, and what was found by severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness import attacks, samples, scan_counts, vulnerability_counts
from harness.model import Percentiles, Severity
from harness.samples import LoadModel, Source

PERCENTILES: Mapping[str, Callable[[Percentiles], float]] = {
    "p50": lambda at: at.p50_ms,
    "p75": lambda at: at.p75_ms,
    "p90": lambda at: at.p90_ms,
    "p95": lambda at: at.p95_ms,
    "p99": lambda at: at.p99_ms,
    "p99.9": lambda at: at.p99_9_ms,
}


@dataclass(frozen=True, kw_only=True)
class MetricKind:
    """One metric: its name in budgets and results, its title, its unit, which way is better, and its source."""

    name: str
    title: str
    unit: str
    lower_is_better: bool = True
    source: Source


def percentiles(model: LoadModel) -> tuple[MetricKind, ...]:
    """Return the latency percentiles of one model of load."""
    prefix, under = ("", "") if model == "closed" else ("open_", " at the offered rate")
    return tuple(
        MetricKind(
            name=f"{prefix}{name.replace('.', '_')}_ms",
            title=f"{name} latency{under}",
            unit="ms",
            source=samples.percentile(read, model),
        )
        for name, read in PERCENTILES.items()
    )


def findings() -> tuple[MetricKind, ...]:
    """Return the counts of findings: all, and by severity."""
    kinds = [MetricKind(name="findings", title="findings", unit="findings", source=scan_counts.findings(None))]
    for severity in sorted(Severity, key=lambda one: -one.rank):
        word = severity.value.lower()
        kinds.append(
            MetricKind(
                name=f"findings_{word}",
                title=f"{severity.value} findings",
                unit="findings",
                source=scan_counts.findings(severity),
            )
        )
    return tuple(kinds)


def container_findings() -> tuple[MetricKind, ...]:
    """Return the counts of checks of the running container that failed: all, and by severity."""
    severities = (None, *sorted(Severity, key=lambda one: -one.rank))
    return tuple(
        MetricKind(
            name=f"container_findings_{severity.value.lower()}" if severity else "container_findings",
            title=f"{f'{severity.value} ' if severity else ''}findings on the container",
            unit="findings",
            source=attacks.container_findings(severity),
        )
        for severity in severities
    )


def vulnerabilities() -> tuple[MetricKind, ...]:
    """Return the counts of known vulnerabilities: all and those with a fix, and each by severity."""
    severities = (None, *sorted(Severity, key=lambda one: -one.rank))
    return tuple(
        MetricKind(
            name=vulnerability_counts.metric_name(severity, fixable=fixable),
            title=f"{'fixable ' if fixable else ''}{f'{severity.value} ' if severity else ''}vulnerabilities",
            unit="vulnerabilities",
            source=vulnerability_counts.source(severity, fixable=fixable),
        )
        for fixable in (False, True)
        for severity in severities
    )
