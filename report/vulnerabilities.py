"""Known vulnerabilities in a reader's words: an image's in short, and the rows that stand among the findings."""

from __future__ import annotations

from collections.abc import Iterable

from harness import vulnerability_counts as counts
from harness.model import Results, Scan, Suppression, Vulnerability

UNASSESSED = "vulnerabilities not assessed"


def in_short(scan: Scan) -> str:
    """Say how many vulnerabilities of an image have a fix: `12 fixable vulnerabilities`; `≥` where not all was seen."""
    if not counts.is_assessed(scan):
        return UNASSESSED
    number = counts.number(counts.counted(scan), fixable=True)
    noun = "vulnerability" if number == 1 else "vulnerabilities"
    return f"{'≥' if counts.unassessed(scan) else ''}{number} fixable {noun}"


def in_words(scan: Scan) -> str:
    """Say what is known of an image's vulnerabilities, as the end of a sentence."""
    every = counts.counted(scan)
    noun = "vulnerability" if len(every) == 1 else "vulnerabilities"
    return f"{len(every)} known {noun}, {counts.number(every, fixable=True)} of them fixable"


def grouped(results: Results) -> list[list[Vulnerability]]:
    """Return a run's vulnerabilities by name: all packages and variants that have one, those that count apart."""
    groups: dict[tuple[str, str], list[Vulnerability]] = {}
    for scan in results.scans:
        for one in scan.vulnerabilities:
            groups.setdefault((one.id, decision(one.suppressed)), []).append(one)
    return list(groups.values())


def decision(one: Suppression | None) -> str:
    """Say by which decision something does not count; empty where it does."""
    if one is None:
        return ""
    until = f" until {one.expires.isoformat()}" if one.expires else ""
    return f"{one.kind}{until} by {one.source}: {one.reason}"


def remedy(group: Iterable[Vulnerability]) -> str:
    """Say which versions are without a vulnerability."""
    fixes: dict[str, list[str]] = {}
    open_ = []
    for one in group:
        if one.fixed_version is None:
            open_.append(one.component)
        else:
            fixes.setdefault(one.fixed_version, []).append(one.component)
    parts = [f"Take {', '.join(dict.fromkeys(names))} {version} or later." for version, names in fixes.items()]
    if open_:
        parts.append(f"No version of {', '.join(dict.fromkeys(open_))} without it is known.")
    return " ".join(parts)
