"""The findings and known vulnerabilities of all variants as one table: the same on several variants is one row."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.model import Finding, Results, Severity, Vulnerability
from report import vulnerabilities
from report.text import csv_text, data_link, shortened

READ_IN = re.compile(r"^.*?changelog: [^\w\[]*|\s*\[[\w-]+ has [^\]]*\]\s*$")
"""Before and after a changelog's line: the package, and the suite and its version."""
MOST_PLACES = 12
MOST_ROWS = 400
MOST_CHARACTERS = 260_000
"""More than these nobody reads, and the page has to stay small; the rest is counted and said."""
ROW_CHARACTERS = 750
"""What a row takes beside its own words, and its line in the data file beside that."""


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """One finding or vulnerability and the variants that have it; `places` says where and what, for each."""

    id: str
    title: str
    severity: str
    rank: int
    variants: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...]
    remediation: str
    sources: tuple[str, ...]
    suppressed: str
    """The decision by which it does not count."""


@dataclass(frozen=True, kw_only=True)
class FindingTable:
    """The rows, the worst first and suppressed ones last, and how many were left out.

    Args:
        total: how many findings there are on all variants.
        vulnerabilities: how many known vulnerabilities there are, each once.

    """

    rows: tuple[FindingRow, ...]
    left_out: int
    total: int
    vulnerabilities: int
    severities: tuple[str, ...]
    variants: tuple[str, ...]
    scanned: tuple[str, ...]
    download: str


def table(results: Results) -> FindingTable:
    """Group all findings and vulnerabilities of a run."""
    groups: dict[tuple[str, str, Severity, str, str], list[Finding]] = {}
    every = [finding for scan in results.scans for finding in scan.findings]
    for finding in every:
        decided = vulnerabilities.decision(finding.suppressed)
        key = (finding.id, finding.title, finding.severity, finding.remediation, decided)
        groups.setdefault(key, []).append(finding)
    known = vulnerabilities.grouped(results)
    rows = [*map(_row, groups.values()), *map(_known, known)]
    rows.sort(key=lambda row: (bool(row.suppressed), -row.rank, -len(row.variants), row.id))
    shown = _that_fit(rows)
    have = {row.severity for row in rows}
    named = {variant for row in rows for variant in row.variants}
    return FindingTable(
        rows=tuple(shown),
        left_out=len(rows) - len(shown),
        total=len(every),
        vulnerabilities=len({group[0].id for group in known}),
        severities=tuple(s.value for s in sorted(Severity, key=lambda s: -s.rank) if s.value in have),
        variants=tuple(v.name for v in results.variants if v.name in named),
        scanned=tuple(scan.variant for scan in results.scans),
        download=data_link(
            csv_text(
                ("id", "severity", "title", "variants", "remediation", "suppressed"),
                [(r.id, r.severity, r.title, " ".join(r.variants), r.remediation, r.suppressed) for r in shown],
            )
        ),
    )


def _that_fit(rows: list[FindingRow]) -> list[FindingRow]:
    """Return the first rows, as many as a page has room for."""
    taken = 0
    for place, row in enumerate(rows[:MOST_ROWS]):
        words = (
            row.title,
            row.remediation,
            *row.variants,
            *row.variants,
            row.suppressed,
            *(w for p in row.places for w in p),
        )
        taken += ROW_CHARACTERS + len(row.title) + len(row.remediation) + sum(map(len, words))
        if taken > MOST_CHARACTERS:
            return rows[:place]
    return rows[:MOST_ROWS]


def _row(found: list[Finding]) -> FindingRow:
    first = found[0]
    return FindingRow(
        id=shortened(first.id, 80),
        title=shortened(first.title, 200),
        severity=first.severity.value,
        rank=first.severity.rank,
        variants=tuple(dict.fromkeys(finding.variant for finding in found)),
        places=tuple((one.variant, shortened(one.where, 160), shortened(one.evidence)) for one in found[:MOST_PLACES]),
        remediation=shortened(first.remediation, 400),
        sources=tuple(dict.fromkeys(shortened(source, 60) for finding in found for source in finding.sources)),
        suppressed=shortened(vulnerabilities.decision(first.suppressed), 400),
    )


def _known(group: list[Vulnerability]) -> FindingRow:
    worst = max(group, key=lambda one: one.severity.rank)
    names = list(dict.fromkeys(one.component for one in group))
    packages = ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"
    summary = next((one.summary for one in group if one.summary), "") or _said(worst)
    return FindingRow(
        id=shortened(worst.id, 80),
        title=shortened(f"{packages}: {summary or 'a known vulnerability'}", 200),
        severity=worst.severity.value,
        rank=worst.severity.rank,
        variants=tuple(dict.fromkeys(one.variant for one in group)),
        places=tuple(_place(one) for one in group[:MOST_PLACES]),
        remediation=shortened(vulnerabilities.remedy(group), 400),
        sources=tuple(dict.fromkeys(source for one in group for source in one.sources)),
        suppressed=shortened(vulnerabilities.decision(worst.suppressed), 400),
    )


def _said(one: Vulnerability) -> str:
    """Return what a source says of a vulnerability, without where it was read, which its place tells."""
    found = next((advisory.evidence for advisory in one.advisories if advisory.evidence), "")
    return READ_IN.sub("", found)


def _place(one: Vulnerability) -> tuple[str, str, str]:
    said = next((advisory.evidence for advisory in one.advisories if advisory.evidence), "")
    return (one.variant, shortened(f"{one.component} {one.installed_version}", 160), shortened(said, 200))
