"""How many attacks from inside a variant's container succeeded, and how many of its checks failed, as figures."""

from __future__ import annotations

from harness.model import Failed, Hardening, NotMeasured, Results, Severity, Skipped
from harness.samples import Latency, Sample, Source

NOT_PROBED = "it was not probed under the run's own run profile"


def hardening_of(results: Results, variant: str) -> Hardening | None:
    """Return what probes found of a variant under the run's own run profile; None where it was not probed."""
    mine = (one for one in results.hardenings if one.variant == variant)
    return next((one for one in mine if results.run_profile in (None, one.run_profile)), None)


def succeeded(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read how many probes succeeded in something that a defence should have stopped."""
    found = hardening_of(results, variant)
    if found is None:
        return NotMeasured(not_measured=NOT_PROBED)
    if found.failure:
        return NotMeasured(not_measured=found.failure)
    if not any(not isinstance(one.outcome, Skipped) for one in found.probes):
        return NotMeasured(not_measured="no probe could be tried")
    return Sample(values={1: float(sum(isinstance(one.outcome, Failed) for one in found.probes))}, counted=True)


def container_findings(severity: Severity | None) -> Source:
    """Return a source of how many checks of a variant's container failed, of one severity or of all."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        found = hardening_of(results, variant)
        if found is None or not found.container_checks:
            return NotMeasured(not_measured=(found.failure if found else "") or NOT_PROBED)
        failed = [one for one in found.container_checks if isinstance(one.outcome, Failed)]
        return Sample(values={1: float(sum(severity in (None, one.severity) for one in failed))}, counted=True)

    return source


def untried(results: Results, variant: str) -> tuple[tuple[str, str], ...]:
    """Return the ids of the probes that could not be tried, and why: few successes are no pass where they are."""
    found = hardening_of(results, variant)
    if found is None:
        return ()
    return tuple((one.id, one.outcome.reason) for one in found.probes if isinstance(one.outcome, Skipped))
