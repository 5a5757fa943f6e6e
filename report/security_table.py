"""Shows scans in the terminal: one row a variant, and below it what was not assessed and what no longer holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness import vulnerability_counts as counts
from harness.model import DecisionReview, Scan, Severity, Skipped
from report.text import clean, shortened

SEVERITIES = tuple(sorted(Severity, key=lambda one: -one.rank))
SHORT = {
    Severity.CRITICAL: "CRIT",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MED",
    Severity.LOW: "LOW",
    Severity.UNKNOWN: "?",
}
STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


def render(scans: Sequence[Scan], review: DecisionReview | None = None) -> RenderableType:
    """Return scans as two tables of at most 100 columns, and what they do not know in lines below.

    A vulnerability's cell reads `all/fixable`, each vulnerability once however many packages have it; `≥` stands where
    an ecosystem was not assessed. What is suppressed does not count, and has a column of its own.
    """
    found = Table(box=None, pad_edge=False, title="Findings", title_justify="left", title_style="bold")
    known = Table(
        box=None, pad_edge=False, title="Known vulnerabilities, all/fixable", title_justify="left", title_style="bold"
    )
    for table in (found, known):
        table.add_column("image", no_wrap=True)
        for severity in SEVERITIES:
            table.add_column(SHORT[severity], justify="right", no_wrap=True)
        table.add_column("suppressed", justify="right", no_wrap=True)
    found.add_column("steps skipped", justify="right", no_wrap=True)
    known.add_column("not assessed", overflow="fold")
    for scan in scans:
        skipped = sum(isinstance(step.outcome, Skipped) for step in scan.steps)
        counting = [one.severity for one in scan.findings if one.suppressed is None]
        cells = [_cell(str(counting.count(severity)), severity, counting.count(severity)) for severity in SEVERITIES]
        suppressed = sum(one.suppressed is not None for one in scan.findings)
        found.add_row(clean(scan.variant), *cells, str(suppressed or "-"), str(skipped or "-"))
        known.add_row(clean(scan.variant), *_known(scan))
    return Group(found, Text(), known, *_below(scans, review))


def _known(scan: Scan) -> list[Text]:
    suppressed = sum(one.suppressed is not None for one in scan.vulnerabilities)
    blind = counts.unassessed(scan)
    said = Text(clean(", ".join(blind)) or "-", style="yellow" if blind else "")
    if not counts.is_assessed(scan):
        return [*(Text("n/a", style="dim") for _ in SEVERITIES), Text("-"), said]
    every, cells = counts.counted(scan), []
    for severity in SEVERITIES:
        number = counts.number(every, severity)
        text = f"{number}/{counts.number(every, severity, fixable=True)}" if number else "0"
        cells.append(_cell(f"≥{text}" if blind else text, severity, number))
    return [*cells, Text(str(suppressed or "-")), said]


def _cell(text: str, severity: Severity, count: int) -> Text:
    return Text(text, style=STYLES.get(severity, "") if count else "dim")


def _below(scans: Iterable[Scan], review: DecisionReview | None) -> list[Text]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for scan in scans:
        for one in scan.assessments:
            if one.assessed_by is None:
                reasons.setdefault((one.ecosystem, one.reason), []).append(scan.variant)
    lines = [Text()] if reasons else []
    for (ecosystem, reason), variants in sorted(reasons.items()):
        said = f"Not assessed: {clean(ecosystem)} in {clean(', '.join(variants))}: {shortened(reason, 300)}"
        lines.append(Text(said, style="yellow"))
    for stale in review.stale if review is not None else ():
        said = f"Ignore file, {stale.id} of {stale.component} on {stale.variant}: {stale.message}"
        lines.append(Text(clean(said), style="red"))
    return lines
