"""What a scan counts, as figures: findings by severity, and what its files come to."""

from __future__ import annotations

from collections.abc import Callable

from harness.model import ImageFiles, NotMeasured, Results, Severity, Skipped
from harness.samples import Latency, Sample, Source, scan_of


def file_figure(read: Callable[[ImageFiles], float | NotMeasured]) -> Source:
    """Return a source of something counted in an image's files, which its scan reads."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        scan = scan_of(results, variant)
        if scan is None or scan.files is None:
            return NotMeasured(
                not_measured="it was not scanned" if scan is None else "an older scan kept no such figure"
            )
        value = read(scan.files)
        return value if isinstance(value, NotMeasured) else Sample(values={1: float(value)}, counted=True)

    return source


def findings(severity: Severity | None) -> Source:
    """Return a source of how many findings of one severity, or of all, the scan of a variant made."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        scan = scan_of(results, variant)
        if scan is None:
            return NotMeasured(not_measured="it was not scanned")
        if scan.steps and all(isinstance(step.outcome, Skipped) for step in scan.steps):
            return NotMeasured(not_measured="every step of its scan was skipped")
        count = sum(severity in (None, one.severity) for one in scan.findings if one.suppressed is None)
        return Sample(values={1: float(count)}, counted=True)

    return source
